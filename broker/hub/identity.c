/* identity: a publisher's name and numbers. See identity.h. */
#include "broker/hub/identity.h"

#include <assert.h>

void
identity_begin(struct identity *identity, struct slice name,
    const struct store_publisher *known)
{
	assert(name.len <= sizeof(identity->name));
	*identity = (struct identity){
	    .name_len = name.len,
	    .known = *known,
	    .stored_before = known->last_seq,
	};
	if (name.len > 0)
		memcpy(identity->name, name.bytes, name.len);
}

struct slice
identity_name(const struct identity *identity)
{
	return slice_of(identity->name, identity->name_len);
}

bool
identity_offer(struct identity *identity, uint64_t seq)
{
	if (seq <= identity->offered)
		return false;
	identity->offered = seq;
	return true;
}
