/*
 * Fuzzes the readers of key files and sets: they find keys or say why not, and
 * the keys can be used. The first byte chooses the kind of file.
 */
#include "broker/shared/auth_keys.h"

#include "broker/shared/auth_token.h"
#include "tests/fuzz/fuzz.h"

static size_t notes_taken;

static void
take_note(const char *text, void *context)
{
	(void)context;
	must(text[0] != '\0' && strlen(text) < AUTH_ERROR_SIZE);
	notes_taken++;
}

/* A token of each family, so that every key is tried. */
static void
try_keys(const struct auth_keys *keys)
{
	static const char *const headers[] = {"eyJhbGciOiJIUzI1NiJ9",
	    "eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJQUzI1NiJ9",
	    "eyJhbGciOiJFUzI1NiJ9", "eyJhbGciOiJFUzM4NCJ9",
	    "eyJhbGciOiJFZERTQSJ9"};
	struct auth_rules rules = {.user_claim = {"sub", 3}};
	struct auth_token *token;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		char text[200];

		snprintf(text, sizeof(text), "%s.e30.%s", headers[i],
		    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxL"
		    "a8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
		must(auth_token_read(slice_of_text(text), keys, &rules, 1,
			 &token) != AUTH_VERDICT_GOOD);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct auth_notes notes = {.note = take_note};
	struct auth_source source;
	struct auth_keys *keys;
	const char *why = NULL;
	size_t bad = 7;
	char *copy;

	if (size == 0)
		return 0;
	auth_keys_prepare(1);
	copy = fuzz_copy(data + 1, size - 1);
	source.kind = data[0] % 2 == 0 ? AUTH_SOURCE_KEY : AUTH_SOURCE_SET;
	source.bytes = slice_of(copy, size - 1);
	notes_taken = 0;
	keys = auth_keys_read(&source, 1, &notes, &bad, &why);
	memset(copy, 'x', size - 1);
	free(copy);
	if (keys == NULL) {
		must(why != NULL && why[0] != '\0' && bad == 0);
		return 0;
	}
	must(auth_keys_count(keys) > 0);
	must(auth_keys_count(keys) <= AUTH_KEYS_MAX);
	if (auth_keys_count(keys) < 4)
		try_keys(keys);
	auth_keys_destroy(keys);
	return 0;
}
