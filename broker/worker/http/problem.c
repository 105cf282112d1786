/* problem: the table of problems. See problem.h. */
#include "broker/worker/http/problem.h"

#include <assert.h>

static const struct {
	int status;
	const char *code;
	const char *sentence;
} rows[] = {
#define PROBLEM(name, status, code, sentence) \
	[PROBLEM_##name] = {status, code, sentence},
#include "broker/worker/http/problem.def"
#undef PROBLEM
};

int
problem_status(enum problem problem)
{
	assert(problem < PROBLEM_COUNT);
	return rows[problem].status;
}

const char *
problem_code(enum problem problem)
{
	assert(problem < PROBLEM_COUNT);
	return rows[problem].code;
}

const char *
problem_sentence(enum problem problem)
{
	assert(problem < PROBLEM_COUNT);
	return rows[problem].sentence;
}
