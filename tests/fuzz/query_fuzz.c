/* Fuzzes the query of a request: pairs fit their room and come to an end. */
#include "broker/worker/http.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *bytes = fuzz_copy(data, size);
	char *name = fuzz_copy(data, size);
	char *value = fuzz_copy(data, size);
	struct slice query = {bytes, size};
	size_t name_len, value_len;
	int result;

	do {
		size_t before = query.len;

		name_len = value_len = 0;
		result =
		    http_query_next(&query, name, &name_len, value, &value_len);
		must(result >= -1 && result <= 1);
		must(query.len <= before);
		must(result != 1 || query.len < before);
		must(result != 0 || query.len == 0);
		if (result != 1)
			break;
		must(name_len + value_len <= before - query.len);
		must(name_len == 0 || memchr(name, '\0', name_len) == NULL ||
		     memchr(bytes, '\0', size) != NULL);
		must(value_len == 0 || memchr(value, '\0', value_len) == NULL ||
		     memchr(bytes, '\0', size) != NULL);
	} while (result == 1);
	free(bytes);
	free(name);
	free(value);
	return 0;
}
