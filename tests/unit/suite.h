/* suite: runs the tests of one room. */
#ifndef TESTS_UNIT_SUITE_H
#define TESTS_UNIT_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs the tests of one case, or of two; the program's exit code. */
static inline int
suite_run2(const char *name, TCase *tests, TCase *more)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	/* Sanitizers and a busy machine take their time. */
	tcase_set_timeout(tests, 120);
	suite_add_tcase(suite, tests);
	if (more != NULL) {
		tcase_set_timeout(more, 120);
		suite_add_tcase(suite, more);
	}
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline int
suite_run(const char *name, TCase *tests)
{
	return suite_run2(name, tests, NULL);
}

#endif
