/* revoked: a table of users, each with what was withdrawn. See revoked.h. */
#include "broker/worker/access/revoked.h"

#include <stdlib.h>
#include <uthash.h>

#include "protocol/event.h"

struct revocation {
	struct revocation *older; /* of all, by time */
	struct revocation *newer;
	struct revocation *next; /* of the same user */
	struct revoked_user *user;
	uint64_t at_ms;
	size_t len;
	char pattern[]; /* not terminated */
};

struct revoked_user {
	struct revocation *first;
	UT_hash_handle hh;
	size_t len;
	char name[]; /* not terminated */
};

struct revoked {
	struct revoked_user *users;
	struct revocation *oldest;
	struct revocation *newest;
	size_t count;
};

struct revoked *
revoked_create(void)
{
	return calloc(1, sizeof(struct revoked));
}

static struct slice
pattern_of(const struct revocation *revocation)
{
	return slice_of(revocation->pattern, revocation->len);
}

static struct revoked_user *
find_user(const struct revoked *revoked, struct slice name)
{
	struct revoked_user *user = NULL;

	HASH_FIND(hh, revoked->users, name.bytes, name.len, user);
	return user;
}

/* The user's entry, made when it is new. NULL: no memory. */
static struct revoked_user *
make_user(struct revoked *revoked, struct slice name)
{
	struct revoked_user *user = find_user(revoked, name);

	if (user != NULL)
		return user;
	user = malloc(sizeof(*user) + name.len);
	if (user == NULL)
		return NULL;
	user->first = NULL;
	user->len = name.len;
	memcpy(user->name, name.bytes, name.len);
	HASH_ADD_KEYPTR(hh, revoked->users, user->name, user->len, user);
	return user;
}

/* A user without revocations is not kept. */
static void
drop_idle_user(struct revoked *revoked, struct revoked_user *user)
{
	if (user->first != NULL)
		return;
	HASH_DEL(revoked->users, user);
	free(user);
}

/* Links it in by time: at the end, but for a clock that was set back. */
static void
link_by_time(struct revoked *revoked, struct revocation *revocation)
{
	struct revocation *older = revoked->newest;

	while (older != NULL && older->at_ms > revocation->at_ms)
		older = older->older;
	revocation->older = older;
	revocation->newer = older == NULL ? revoked->oldest : older->newer;
	if (older == NULL)
		revoked->oldest = revocation;
	else
		older->newer = revocation;
	if (revocation->newer == NULL)
		revoked->newest = revocation;
	else
		revocation->newer->older = revocation;
	revoked->count++;
}

static void
unlink_by_time(struct revoked *revoked, struct revocation *revocation)
{
	if (revocation->older == NULL)
		revoked->oldest = revocation->newer;
	else
		revocation->older->newer = revocation->newer;
	if (revocation->newer == NULL)
		revoked->newest = revocation->older;
	else
		revocation->newer->older = revocation->older;
	revoked->count--;
}

/* Takes those out that lie within the pattern and are not newer; their
 * number. The user stays. */
static size_t
take_out(struct revoked *revoked, struct revoked_user *user,
    struct slice pattern, uint64_t until_ms)
{
	struct revocation **link = &user->first;
	size_t taken = 0;

	while (*link != NULL) {
		struct revocation *revocation = *link;

		if (revocation->at_ms > until_ms ||
		    !event_pattern_covers_pattern(
			pattern, pattern_of(revocation))) {
			link = &revocation->next;
			continue;
		}
		*link = revocation->next;
		unlink_by_time(revoked, revocation);
		free(revocation);
		taken++;
	}
	return taken;
}

int
revoked_add(struct revoked *revoked, struct slice name, struct slice pattern,
    uint64_t at_ms)
{
	struct revocation *revocation =
	    malloc(sizeof(*revocation) + pattern.len);
	struct revoked_user *user;

	if (revocation == NULL)
		return -1;
	user = make_user(revoked, name);
	if (user == NULL) {
		free(revocation);
		return -1;
	}
	take_out(revoked, user, pattern, at_ms);
	revocation->user = user;
	revocation->at_ms = at_ms;
	revocation->len = pattern.len;
	memcpy(revocation->pattern, pattern.bytes, pattern.len);
	revocation->next = user->first;
	user->first = revocation;
	link_by_time(revoked, revocation);
	return 0;
}

size_t
revoked_restore(
    struct revoked *revoked, struct slice name, struct slice pattern)
{
	struct revoked_user *user = find_user(revoked, name);
	size_t taken;

	if (user == NULL)
		return 0;
	taken = take_out(revoked, user, pattern, UINT64_MAX);
	drop_idle_user(revoked, user);
	return taken;
}

/* Takes the oldest of all out. */
static void
forget_oldest(struct revoked *revoked)
{
	struct revocation *oldest = revoked->oldest;
	struct revoked_user *user = oldest->user;
	struct revocation **link = &user->first;

	while (*link != oldest)
		link = &(*link)->next;
	*link = oldest->next;
	unlink_by_time(revoked, oldest);
	free(oldest);
	drop_idle_user(revoked, user);
}

void
revoked_forget(struct revoked *revoked, uint64_t before_ms)
{
	while (revoked->oldest != NULL && revoked->oldest->at_ms < before_ms)
		forget_oldest(revoked);
}

void
revoked_destroy(struct revoked *revoked)
{
	if (revoked == NULL)
		return;
	while (revoked->oldest != NULL)
		forget_oldest(revoked);
	free(revoked);
}

size_t
revoked_count(const struct revoked *revoked)
{
	return revoked->count;
}

void
revoked_each(const struct revoked *revoked, struct slice name,
    uint64_t issued_ms, void (*found)(struct slice pattern, void *context),
    void *context)
{
	const struct revoked_user *user = find_user(revoked, name);
	const struct revocation *revocation = user == NULL ? NULL : user->first;

	for (; revocation != NULL; revocation = revocation->next) {
		if (issued_ms <= revocation->at_ms) /* 0: it does not say */
			found(pattern_of(revocation), context);
	}
}

/* A look-up of one channel. */
struct look {
	struct slice channel;
	bool found;
};

static void
look_at(struct slice pattern, void *context)
{
	struct look *look = context;

	look->found |= event_pattern_covers(pattern, look->channel);
}

bool
revoked_channel(const struct revoked *revoked, struct slice user,
    uint64_t issued_ms, struct slice channel)
{
	struct look look = {.channel = channel};

	revoked_each(revoked, user, issued_ms, look_at, &look);
	return look.found;
}

static void
look_for_all(struct slice pattern, void *context)
{
	bool *all = context;

	*all |= slice_is(pattern, "*");
}

bool
revoked_everything(
    const struct revoked *revoked, struct slice user, uint64_t issued_ms)
{
	bool all = false;

	revoked_each(revoked, user, issued_ms, look_for_all, &all);
	return all;
}
