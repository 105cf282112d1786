/* change_check: may a stream be changed so? See change_check.h. */
#include "broker/worker/stream/change_check.h"

#include "broker/worker/control.h"
#include "broker/worker/subscriber.h"
#include "broker/worker/worker_state.h"

struct slice
change_text(const json_t *text)
{
	return slice_of(json_string_value(text), json_string_length(text));
}

/* A list of patterns, or nothing. */
static bool
are_patterns(const json_t *list)
{
	size_t i;
	json_t *item;

	if (list == NULL)
		return true;
	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item) ||
		    !event_pattern_valid(change_text(item)))
			return false;
	}
	return true;
}

/* A list of patterns for types or keys; or nothing. */
static bool
read_wish(const json_t *list, struct stream_wish *wish)
{
	size_t i;
	json_t *item;

	if (list == NULL)
		return true;
	wish->said = true;
	if (!json_is_array(list))
		return false;
	json_array_foreach(list, i, item)
	{
		if (!json_is_string(item) ||
		    !stream_wish_add(wish, change_text(item)))
			return false;
	}
	return true;
}

static bool
check_wishes(struct changing *changing, struct outcome *outcome)
{
	if (!read_wish(
		json_object_get(changing->body, "types"), &changing->types))
		outcome_refuse(outcome, PROBLEM_TYPES_INVALID);
	else if (!read_wish(
		     json_object_get(changing->body, "keys"), &changing->keys))
		outcome_refuse(outcome, PROBLEM_KEYS_INVALID);
	else
		return true;
	return false;
}

/* Sorts out what is to be added from what is refused. */
static void
sort_asked(struct changing *changing)
{
	size_t i;
	json_t *item;

	json_array_foreach(changing->subscribe, i, item)
	{
		struct slice pattern = change_text(item);
		bool granted = grants_allow(&changing->grants, pattern);

		control_list_add(
		    granted ? &changing->added : &changing->refused, pattern);
		changing->add_count += granted;
	}
}

bool
change_check(struct changing *changing, struct outcome *outcome)
{
	size_t max = changing->worker->config->http_max_channels;

	if (subscriber_is_deaf(changing->subscriber)) {
		outcome_refuse(outcome, PROBLEM_LATER);
		return false;
	}
	if (!are_patterns(changing->subscribe) ||
	    !are_patterns(changing->unsubscribe)) {
		outcome_refuse(outcome, PROBLEM_CHANNEL_INVALID);
		return false;
	}
	if (!check_wishes(changing, outcome))
		return false;
	sort_asked(changing);
	if (json_array_size(changing->subscribe) > 0 &&
	    changing->add_count == 0) {
		outcome_refuse(outcome, PROBLEM_CHANNELS_REFUSED);
		return false;
	}
	if (changing->subscriber->member_count + changing->add_count > max) {
		outcome_refuse(outcome, PROBLEM_CHANNELS_TOO_MANY);
		return false;
	}
	return true;
}
