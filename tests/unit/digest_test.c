/* Tests of digest: it is SHA-256, and no two lists of texts are the same. */
#include "broker/shared/digest.h"

#include <check.h>

#include "tests/unit/suite.h"

#define COUNT(array) (int)(sizeof(array) / sizeof((array)[0]))

/* Computed with Python's hashlib over 8-byte little-endian lengths and texts.
 */
static const struct {
	const char *parts[3];
	size_t count;
	const char *digest;
} rows[] = {
    {{"key", "u1", "k"}, 3, "kn9LPyU6FEfItgAy1xvjDSb8ToThHHfQLEDOqxPY6AE"},
    {{NULL}, 0, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"},
    {{"ab", "c"}, 2, "Q-5lVXneAcpzmz-VwcLT9G01OywN-BgGTqWUUGzbJhc"},
    {{"a", "bc"}, 2, "morMobbGwL79P7x1au1iXamYyZj3JS5zjE7wYZBrmyE"},
};

START_TEST(it_is_what_others_compute)
{
	struct slice parts[3] = {{NULL, 0}};
	char text[DIGEST_TEXT];

	for (size_t i = 0; i < rows[_i].count; i++)
		parts[i] = slice_of_text(rows[_i].parts[i]);
	ck_assert_int_eq(digest_start(), 0);
	ck_assert_int_eq(digest_of(parts, rows[_i].count, text), 0);
	ck_assert_mem_eq(text, rows[_i].digest, DIGEST_TEXT);
	digest_finish();
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("digest");

	tcase_add_loop_test(tests, it_is_what_others_compute, 0, COUNT(rows));
	return suite_run("digest", tests);
}
