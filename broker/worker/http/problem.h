/* problem: why a request is refused, as HTTP says it. Rows: problem.def. */
#ifndef SSEMUX_WORKER_HTTP_PROBLEM_H
#define SSEMUX_WORKER_HTTP_PROBLEM_H

enum problem {
#define PROBLEM(name, status, code, sentence) PROBLEM_##name,
#include "broker/worker/http/problem.def"
#undef PROBLEM
	PROBLEM_COUNT
};

int problem_status(enum problem problem);

/* The stable code. */
const char *problem_code(enum problem problem);

/* One sentence for people, without a full stop. */
const char *problem_sentence(enum problem problem);

#endif
