/*
 * publisher_guest: under which names a connection publishes. See publisher.h.
 */
#include "broker/hub/hub_state.h"
#include "broker/hub/publisher.h"
#include "broker/hub/publisher_state.h"

bool
publisher_is_link(const struct publisher *publisher)
{
	return publisher->peer != NO_PEER;
}

size_t
publisher_peer(const struct publisher *publisher)
{
	return publisher->peer;
}

struct identity *
publisher_identity(struct publisher *publisher)
{
	return publisher->guest.name_len > 0 ? &publisher->guest
					     : &publisher->identity;
}

bool
publisher_uses(const struct publisher *publisher, int64_t id)
{
	return publisher->identity.known.id == id ||
	       publisher->guest.known.id == id;
}

static void
outdate_guests(const struct publisher *heir)
{
	struct slice name = identity_name(&heir->guest);

	for (struct publisher *other = heir->hub->publishers; other != NULL;
	     other = other->next) {
		if (other != heir &&
		    slice_equal(identity_name(&other->guest), name))
			other->guest_outdated = true;
	}
}

void
publisher_begin_guest(struct publisher *publisher, struct slice name,
    const struct store_publisher *known)
{
	identity_begin(&publisher->guest, name, known);
	publisher->guest_outdated = false;
	outdate_guests(publisher);
}

void
publisher_end_guest(struct publisher *publisher)
{
	publisher->guest = (struct identity){.name_len = 0};
	publisher->guest_outdated = false;
}

bool
publisher_guest_outdated(const struct publisher *publisher)
{
	return publisher->guest_outdated;
}

void
publisher_update_guest(
    struct publisher *publisher, const struct store_publisher *known)
{
	struct identity before = publisher->guest;

	publisher_begin_guest(publisher, identity_name(&before), known);
	publisher->guest.offered = before.offered;
}

void
publisher_replace(
    struct publisher *list, const struct publisher *heir, struct slice name)
{
	for (; list != NULL; list = list->next) {
		if (list != heir && !list->closing &&
		    slice_equal(identity_name(&list->identity), name))
			publisher_end(
			    list, (struct fault){REFUSAL_REPLACED, NULL});
	}
}

void
publisher_hear(struct publisher *publisher)
{
	publisher->deaf = false;
	publisher_end_guest(publisher);
}
