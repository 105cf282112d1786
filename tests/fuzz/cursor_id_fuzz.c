/* Fuzzes cursor ids: what is read is written again as it was, and back. */
#include <stdlib.h>
#include <string.h>

#include "protocol/cursor_id.h"
#include "tests/fuzz/fuzz.h"

static void
check_number(uint64_t cursor)
{
	char text[CURSOR_ID_TEXT_SIZE];
	size_t len = cursor_id_format(cursor, text);
	uint64_t again;

	must(len < sizeof(text) && text[len] == '\0' && strlen(text) == len);
	must(cursor_id_parse(text, len, &again) == 0);
	must(again == cursor);
	must(cursor_id_make(cursor_id_ms(cursor), cursor_id_seq(cursor)) ==
	     cursor);
}

static void
check_next(uint64_t last, uint64_t now_ms)
{
	uint64_t next = cursor_id_next(last, now_ms);

	must(next > last);
	must(cursor_id_ms(next) >= now_ms);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_copy(data, size);
	uint64_t now_ms = UINT64_C(1763700000000);
	uint64_t cursor, since;
	char again[CURSOR_ID_TEXT_SIZE];

	if (size >= 2 * sizeof(uint64_t)) {
		uint64_t numbers[2];

		memcpy(numbers, data, sizeof(numbers));
		check_number(numbers[0] & CURSOR_ID_MAX);
		check_next((numbers[0] & CURSOR_ID_MAX) >> 1,
		    numbers[1] & (cursor_id_ms(CURSOR_ID_MAX) >> 1));
	}
	if (cursor_id_parse(text, size, &cursor) == 0) {
		must(cursor <= CURSOR_ID_MAX);
		must(cursor_id_format(cursor, again) == size);
		must(memcmp(again, text, size) == 0);
		must(cursor_id_parse_since(text, size, now_ms, &since) == 0);
		must(since == cursor);
	} else if (cursor_id_parse_since(text, size, now_ms, &since) == 0) {
		must(since == UINT64_MAX ||
		     (since <= CURSOR_ID_MAX && cursor_id_seq(since) == 0));
	}
	free(text);
	return 0;
}
