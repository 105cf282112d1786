/* links: making them and handing them over. See links.h. */
#include "broker/supervisor/links.h"

#include <unistd.h>

#include "broker/shared/link.h"
#include "broker/shared/log.h"
#include "broker/supervisor/child.h"

void
links_note_birth(struct child *children, size_t count, const struct child *born)
{
	for (size_t i = 1; i < count; i++) {
		if (born == &children[0] || born == &children[i])
			children[i].link_due = true;
	}
}

/* Hands one end to each. When only the hub gets its own, that end is closed
 * at once on the other side: a worker without a link. */
static bool
hand_over(const struct child *hub, const struct child *worker, int ends[2])
{
	return link_send(hub->control_fd, worker->worker, ends[0]) == 0 &&
	       link_send(worker->control_fd, worker->worker, ends[1]) == 0;
}

/* True when it is made; nobody is left to be told why it is not, or it will be
 * tried again. */
static bool
make(const struct child *hub, const struct child *worker)
{
	int ends[2];
	bool made;

	/* Both, before either gets an end that is of no use. */
	if (!link_can_send(hub->control_fd) ||
	    !link_can_send(worker->control_fd))
		return false;
	if (link_make(ends) == -1) {
		log_warn("make a link of %s: %m", worker->role);
		return false;
	}
	made = hand_over(hub, worker, ends);
	close(ends[0]);
	close(ends[1]);
	return made;
}

bool
links_make(struct child *children, size_t count)
{
	const struct child *hub = &children[0];
	bool again = false;

	for (size_t i = 1; i < count && hub->pid > 0; i++) {
		struct child *worker = &children[i];

		if (!worker->link_due || worker->pid <= 0)
			continue;
		worker->link_due = !make(hub, worker);
		again |= worker->link_due;
	}
	return again;
}
