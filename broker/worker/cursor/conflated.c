/* conflated: a ring of decisions. See conflated.h. */
#include "broker/worker/cursor/conflated.h"

#include <stdlib.h>
#include <string.h>

void
conflated_finish(struct conflated *conflated)
{
	free(conflated->notes);
	*conflated = (struct conflated){.notes = NULL};
}

void
conflated_note(struct conflated *conflated, const char id[ROSTER_ID_SIZE],
    uint64_t cursor, uint64_t replaced_by)
{
	struct conflated_note *note;

	if (conflated->notes == NULL) {
		conflated->notes =
		    calloc(CONFLATED_NOTES, sizeof(conflated->notes[0]));
		if (conflated->notes == NULL)
			return;
	}
	note = &conflated->notes[conflated->count++ % CONFLATED_NOTES];
	memcpy(note->id, id, ROSTER_ID_LEN);
	note->cursor = cursor;
	note->replaced_by = replaced_by;
}

uint64_t
conflated_find(
    const struct conflated *conflated, struct slice id, uint64_t cursor)
{
	uint64_t oldest = conflated->count > CONFLATED_NOTES
			      ? conflated->count - CONFLATED_NOTES
			      : 0;

	for (uint64_t i = conflated->count; i > oldest; i--) {
		const struct conflated_note *note =
		    &conflated->notes[(i - 1) % CONFLATED_NOTES];

		if (note->cursor == cursor &&
		    slice_equal(id, slice_of(note->id, ROSTER_ID_LEN)))
			return note->replaced_by;
	}
	return 0;
}
