/*
 * cursor id: the place of one event in the log, as a number and as text.
 *
 * A cursor is Unix time in milliseconds << 20 | sequence within that
 * millisecond. Compared as integers, cursors stand in the order of the log.
 * Its text is MS-SEQ in decimal ("1763700000000-0"), the form of a Redis
 * stream entry's id.
 */
#ifndef SSEMUX_PROTOCOL_CURSOR_ID_H
#define SSEMUX_PROTOCOL_CURSOR_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CURSOR_ID_SEQ_BITS = 20,
	CURSOR_ID_TEXT_SIZE = 24, /* 13 digits, '-', 7 digits, NUL: 22 */
};

/* Largest cursor: 43 bits of milliseconds (the year 2248), so that it is a
 * positive number in SQLite's signed 64 bits too. */
#define CURSOR_ID_MAX ((uint64_t)INT64_MAX)

static inline uint64_t
cursor_id_make(uint64_t ms, uint32_t seq)
{
	return ms << CURSOR_ID_SEQ_BITS | seq;
}

static inline uint64_t
cursor_id_ms(uint64_t cursor)
{
	return cursor >> CURSOR_ID_SEQ_BITS;
}

static inline uint32_t
cursor_id_seq(uint64_t cursor)
{
	return (uint32_t)(cursor & ((UINT32_C(1) << CURSOR_ID_SEQ_BITS) - 1));
}

/*
 * The cursor of an event accepted at now_ms, when last was the one before.
 * Always above last: when the clock stands still or steps back, the sequence
 * goes on from last (and carries into the milliseconds when it is full).
 */
uint64_t cursor_id_next(uint64_t last, uint64_t now_ms);

/* Writes the text and a NUL; returns the text's length. */
size_t cursor_id_format(uint64_t cursor, char text[CURSOR_ID_TEXT_SIZE]);

/*
 * Reads MS-SEQ, exactly: decimal digits without sign, space or a superfluous
 * leading zero, MS below 2^43, SEQ below 2^20. 0 and *cursor set; or -1.
 */
int cursor_id_parse(const char *text, size_t len, uint64_t *cursor);

/*
 * Reads where a client wants to start: a cursor; "now" (UINT64_MAX is stored);
 * a time that many units ago, -N and one of s m h d ("-10m"); or an ISO 8601
 * time in UTC or with an offset ("2026-01-31T12:00:00.250Z", "...+02:00").
 * 0 and *cursor set; or -1 for anything else. now_ms is the clock.
 */
int cursor_id_parse_since(
    const char *text, size_t len, uint64_t now_ms, uint64_t *cursor);

#endif
