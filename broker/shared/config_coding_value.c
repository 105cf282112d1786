/*
 * config_coding_value: the codings that streams may have, as a set of bits. See
 * config_value.h.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "broker/shared/coding.h"
#include "broker/shared/config_value.h"

/* Its bit; 0: there is none of that name. */
static unsigned
bit_of(struct slice name)
{
	for (enum coding coding = CODING_NONE + 1; coding < CODING_COUNT;
	     coding++) {
		if (slice_is(name, coding_name(coding)))
			return coding_is_built(coding) ? 1U << coding : 0;
	}
	return 0;
}

/* Takes the first name off a list; *more says if a comma follows. */
static struct slice
next_name(struct slice *list, bool *more)
{
	size_t len = 0;
	struct slice name;

	while (len < list->len && list->bytes[len] != ',')
		len++;
	*more = len < list->len;
	name = slice_of(list->bytes, len);
	*list = slice_of(list->bytes + len + *more, list->len - len - *more);
	return slice_trim(name);
}

static int
read_codings(
    const struct config_setting *setting, struct slice text, void *member)
{
	unsigned codings = 0, bit = 1;
	bool more = !slice_is(text, "off");

	(void)setting;
	while (more && bit != 0) {
		bit = bit_of(next_name(&text, &more));
		if ((codings & bit) != 0)
			bit = 0;
		codings |= bit;
	}
	if (bit == 0) {
		errno = EINVAL;
		return -1;
	}
	memcpy(member, &codings, sizeof(codings));
	return 0;
}

static void
describe_codings(
    const struct config_setting *setting, char expected[CONFIG_EXPECTED_SIZE])
{
	(void)setting;
	snprintf(expected, CONFIG_EXPECTED_SIZE, "%s",
	    coding_is_built(CODING_ZSTD)
		? "off, gzip, zstd, or \"gzip, zstd\""
		: "off or gzip, as this ssemuxd was built without zstd");
}

const struct config_type config_type_CODINGS = {
    read_codings, describe_codings, NULL, NULL, NULL};
