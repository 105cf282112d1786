/* failure: keeping the last failure. See failure.h. */
#include "libpub/failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

/* A copy that stays on one line and never overruns, whatever a broker says. */
static void
copy_word(char *to, size_t size, struct slice from)
{
	size_t len = from.len < size - 1 ? from.len : size - 1;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)from.bytes[i];

		to[i] = c < 0x20 || c == 0x7F ? '?' : from.bytes[i];
	}
	to[len] = '\0';
}

int
failure_set_words(struct failure *failure, int number, struct slice code,
    struct slice field, struct slice text)
{
	failure->number = number;
	copy_word(failure->code, sizeof(failure->code), code);
	copy_word(failure->field, sizeof(failure->field), field);
	copy_word(failure->text, sizeof(failure->text), text);
	errno = number;
	return -1;
}

int
failure_set_fault(
    struct failure *failure, int number, const struct fault *fault)
{
	const char *field = fault->field != NULL ? fault->field : "";

	return failure_set_words(failure, number,
	    slice_of_text(refusal_code(fault->refusal)), slice_of_text(field),
	    slice_of_text(refusal_sentence(fault->refusal)));
}

int
failure_set(struct failure *failure, int number, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vsnprintf(failure->text, sizeof(failure->text), format, args) < 0)
		failure->text[0] = '\0';
	va_end(args);
	failure->number = number;
	failure->code[0] = '\0';
	failure->field[0] = '\0';
	errno = number;
	return -1;
}

int
failure_number_of(enum refusal refusal)
{
	if (refusal == REFUSAL_TOO_LARGE)
		return EMSGSIZE;
	return refusal == REFUSAL_NOT_ALLOWED ? EACCES : EINVAL;
}
