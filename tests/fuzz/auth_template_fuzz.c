/* Fuzzes templates: a valid one gives valid patterns alone, whatever the
 * claims. The bytes are the template, a zero byte, and the claims. */
#include "broker/shared/auth_template.h"

#include "broker/shared/auth_claims.h"
#include "broker/shared/auth_token.h"
#include "protocol/event.h"
#include "tests/fuzz/fuzz.h"

static int count;

static void
check_pattern(struct slice pattern, void *context)
{
	(void)context;
	must(event_pattern_valid(pattern));
	count++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *zero = size > 0 ? memchr(data, 0, size) : NULL;
	size_t len = zero != NULL ? (size_t)(zero - data) : size;
	char *template = fuzz_copy(data, len);
	struct auth_token token = {.claims = NULL};
	const char *why = NULL;

	if (zero != NULL)
		token.claims = auth_claims_read(
		    slice_of((const char *)zero + 1, size - len - 1));
	if (auth_template_valid(slice_of(template, len), &why)) {
		count = 0;
		must(auth_template_fill(slice_of(template, len),
			 token.claims != NULL ? &token : NULL, check_pattern,
			 NULL) == count);
		must(count <= AUTH_TEMPLATE_PATTERNS_MAX);
	} else {
		must(why != NULL && why[0] != '\0');
	}
	auth_claims_destroy(token.claims);
	free(template);
	return 0;
}
