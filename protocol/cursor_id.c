/* cursor id: numbers and texts of places in the log. See cursor_id.h. */
#include "protocol/cursor_id.h"

#include <string.h>

uint64_t
cursor_id_next(uint64_t last, uint64_t now_ms)
{
	uint64_t now = cursor_id_make(now_ms, 0);

	return now > last ? now : last + 1;
}

static size_t
format_number(uint64_t number, char *text)
{
	char digits[20];
	size_t count = 0;

	do {
		digits[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	for (size_t i = 0; i < count; i++)
		text[i] = digits[count - 1 - i];
	return count;
}

size_t
cursor_id_format(uint64_t cursor, char text[CURSOR_ID_TEXT_SIZE])
{
	size_t len = format_number(cursor_id_ms(cursor), text);

	text[len++] = '-';
	len += format_number(cursor_id_seq(cursor), text + len);
	text[len] = '\0';
	return len;
}

/* A place in a text that is read from left to right. */
struct reader {
	const char *at;
	const char *end;
};

static bool
read_char(struct reader *reader, char expected)
{
	if (reader->at == reader->end || *reader->at != expected)
		return false;
	reader->at++;
	return true;
}

static bool
next_is_digit(const struct reader *reader)
{
	return reader->at < reader->end && *reader->at >= '0' &&
	       *reader->at <= '9';
}

/* A decimal number of min to max digits; false when there is none. */
static bool
read_digits(struct reader *reader, int min, int max, uint64_t *number)
{
	int count = 0;

	*number = 0;
	while (count < max && next_is_digit(reader)) {
		*number = *number * 10 + (uint64_t)(*reader->at++ - '0');
		count++;
	}
	return count >= min;
}

/* A number without superfluous zeros, at most `most`. */
static bool
read_number(struct reader *reader, uint64_t most, uint64_t *number)
{
	const char *first = reader->at;

	if (!read_digits(reader, 1, 18, number) || next_is_digit(reader))
		return false;
	if (*first == '0' && reader->at - first > 1)
		return false;
	return *number <= most;
}

int
cursor_id_parse(const char *text, size_t len, uint64_t *cursor)
{
	struct reader reader = {text, text + len};
	uint64_t ms, seq;

	if (!read_number(&reader, cursor_id_ms(CURSOR_ID_MAX), &ms) ||
	    !read_char(&reader, '-') ||
	    !read_number(&reader, cursor_id_seq(CURSOR_ID_MAX), &seq) ||
	    reader.at != reader.end)
		return -1;
	*cursor = cursor_id_make(ms, (uint32_t)seq);
	return 0;
}

/* "-10m": milliseconds before now. */
static bool
read_ago(struct reader reader, uint64_t *ago_ms)
{
	static const struct {
		char unit;
		uint32_t ms;
	} units[] = {
	    {'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
	uint64_t count;

	if (!read_char(&reader, '-') || !read_digits(&reader, 1, 9, &count) ||
	    reader.end - reader.at != 1)
		return false;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (*reader.at == units[i].unit) {
			*ago_ms = count * units[i].ms;
			return true;
		}
	}
	return false;
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
static int64_t
days_since_epoch(int64_t year, int64_t month, int64_t day)
{
	int64_t shifted = month <= 2 ? year - 1 : year; /* years from March */
	int64_t era = shifted / 400;
	int64_t year_of_era = shifted - era * 400;
	int64_t day_of_year =
	    (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + year_of_era * 365 + year_of_era / 4 -
	       year_of_era / 100 + day_of_year - 719468;
}

static bool
read_date(struct reader *reader, int64_t *ms)
{
	static const uint8_t lengths[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint64_t year, month, day;
	bool leap;

	if (!read_digits(reader, 4, 4, &year) || !read_char(reader, '-') ||
	    !read_digits(reader, 2, 2, &month) || !read_char(reader, '-') ||
	    !read_digits(reader, 2, 2, &day))
		return false;
	leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (month == 2 && leap ? 1U : 0U))
		return false;
	*ms = days_since_epoch((int64_t)year, (int64_t)month, (int64_t)day) *
	      86400000;
	return true;
}

/* ".25" is 250 ms; digits past the third are read and dropped. */
static bool
read_fraction(struct reader *reader, int64_t *ms)
{
	int64_t weight = 100;

	if (!read_char(reader, '.'))
		return true;
	if (!next_is_digit(reader))
		return false;
	for (; next_is_digit(reader); reader->at++, weight /= 10)
		*ms += weight * (*reader->at - '0');
	return true;
}

static bool
read_time_of_day(struct reader *reader, int64_t *ms)
{
	uint64_t hour, minute, second;

	if (!read_digits(reader, 2, 2, &hour) || !read_char(reader, ':') ||
	    !read_digits(reader, 2, 2, &minute) || !read_char(reader, ':') ||
	    !read_digits(reader, 2, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60) /* 60: a leap second */
		return false;
	*ms += (int64_t)(hour * 3600 + minute * 60 + second) * 1000;
	return read_fraction(reader, ms);
}

/* "Z", or "+02:00", which is subtracted to get UTC. */
static bool
read_zone(struct reader *reader, int64_t *ms)
{
	uint64_t hours, minutes;
	int sign;

	if (read_char(reader, 'Z'))
		return true;
	if (read_char(reader, '+'))
		sign = 1;
	else if (read_char(reader, '-'))
		sign = -1;
	else
		return false;
	if (!read_digits(reader, 2, 2, &hours) || !read_char(reader, ':') ||
	    !read_digits(reader, 2, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	*ms -= sign * (int64_t)(hours * 60 + minutes) * 60000;
	return true;
}

static bool
read_iso8601(struct reader reader, uint64_t *ms)
{
	int64_t value;

	if (!read_date(&reader, &value) || !read_char(&reader, 'T') ||
	    !read_time_of_day(&reader, &value) || !read_zone(&reader, &value) ||
	    reader.at != reader.end || value < 0)
		return false;
	*ms = (uint64_t)value;
	return *ms <= cursor_id_ms(CURSOR_ID_MAX);
}

int
cursor_id_parse_since(
    const char *text, size_t len, uint64_t now_ms, uint64_t *cursor)
{
	struct reader reader = {text, text + len};
	uint64_t ms;

	if (len == 3 && memcmp(text, "now", 3) == 0) {
		*cursor = UINT64_MAX;
		return 0;
	}
	if (read_ago(reader, &ms))
		ms = ms < now_ms ? now_ms - ms : 0;
	else if (!read_iso8601(reader, &ms))
		return cursor_id_parse(text, len, cursor);
	*cursor = cursor_id_make(ms, 0);
	return 0;
}
