/* Tests of siphash: the vectors of its authors. */
#include "broker/shared/siphash.h"

#include <check.h>

#include "tests/unit/suite.h"

START_TEST(the_vectors_of_its_authors_come_out)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} vectors[] = {
	    {0, 0x726fdb47dd0e0e31},
	    {1, 0x74f839c593dc67fd},
	    {7, 0xab0200f58b01d137},
	    {8, 0x93f5f5799a932462},
	    {15, 0xa129ca6149be45e5},
	    {16, 0x3f2acc7f57c29bdb},
	    {63, 0x958a324ceb064572},
	};
	unsigned char key[SIPHASH_KEY_BYTES];
	char bytes[64];

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)i;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++)
		ck_assert_uint_eq(siphash(key, slice_of(bytes, vectors[i].len)),
		    vectors[i].hash);
}
END_TEST

int
main(void)
{
	TCase *tests = tcase_create("siphash");

	tcase_add_test(tests, the_vectors_of_its_authors_come_out);
	return suite_run("siphash", tests);
}
