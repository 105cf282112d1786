/* store_texts: what the hub says to SQLite. See store_writer.h. */
#include "broker/hub/store_writer.h"

/*
 * The rows of a user (1) that lie within a pattern (2): it, and those that
 * begin with its prefix (3; NULL: empty), if it has one; 4 is the prefix's
 * length and one, or 0.
 */
#define WITHIN \
	" WHERE user = ?1 AND (pattern = ?2 OR" \
	" (?4 > 0 AND substr(pattern, 1, ?4 - 1) = ifnull(?3, '')))"

/* Bytes of an event's type, key and data. */
#define SIZE \
	"ifnull(length(CAST(type AS BLOB)), 0)" \
	" + ifnull(length(CAST(key AS BLOB)), 0) + length(data)"

const char *const store_writer_texts[STORE_STATEMENTS] = {
    [WRITE_BEGIN] = "BEGIN IMMEDIATE",
    [WRITE_COMMIT] = "COMMIT",
    [WRITE_ROLLBACK] = "ROLLBACK",
    [WRITE_EVENT] = "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
    [WRITE_STATE] = "UPDATE state SET last_cursor = ?, events = ?, bytes = ?,"
		    " channels = ?, losses = ?, max_horizon = ?, floor = ?",
    [CHANNEL_FIND] = "SELECT c.id, k.events, k.bytes, ifnull(k.due, -1)"
		     " FROM channel c LEFT JOIN kept k ON k.channel = c.id"
		     " WHERE c.name = ?",
    [CHANNEL_MAKE] = "INSERT INTO channel (name, horizon, lost)"
		     " VALUES (?, ?, 0)",
    [RUN_ADD] = "INSERT INTO run VALUES (?, ?, ?, ?)",
    [RUN_EACH] = "SELECT first_seq, count FROM run WHERE publisher = ?"
		 " ORDER BY first_seq DESC",
    [RUN_FORGET] = "DELETE FROM run WHERE publisher = ? AND first_seq < ?",
    [PUBLISHER_FIND] = "SELECT id FROM publisher WHERE name = ?",
    [PUBLISHER_MAKE] = "INSERT INTO publisher (name) VALUES (?)",
    [PUBLISHER_FORGET] = "DELETE FROM publisher WHERE id = ?",
    [PUBLISHER_FORGET_RUNS] = "DELETE FROM run WHERE publisher = ?",
    [PUBLISHER_NEWEST] = "SELECT first_seq + count - 1,"
			 " first_cursor + count - 1 FROM run"
			 " WHERE publisher = ? ORDER BY first_seq DESC LIMIT 1",
    [PUBLISHER_NEXT] = "SELECT id, name LIKE '+k%' FROM publisher"
		       " WHERE id > ?"
		       " ORDER BY id LIMIT 1",
    [CURSOR_FIND] = "SELECT first_seq, count, first_cursor FROM run"
		    " WHERE publisher = ? AND first_seq <= ?"
		    " ORDER BY first_seq DESC LIMIT 1",
    [EVENT_REPLAY] = "SELECT e.cursor, c.name, e.kind, e.type, e.key, e.data"
		     " FROM event e JOIN channel c ON c.id = e.channel"
		     " WHERE e.cursor > ? ORDER BY e.cursor",
    [EVENT_SIZES] = "SELECT cursor, length(data) FROM event"
		    " WHERE cursor > ? ORDER BY cursor DESC",
    [FREE_PAGES] = "PRAGMA freelist_count",
    [TRIM_SCAN] = "SELECT e.cursor, e.channel,"
		  " length(CAST(c.name AS BLOB)) + " SIZE ","
		  " CASE WHEN k.channel IS NULL THEN 0 ELSE 1 + k.exempt END,"
		  " c.name FROM event e JOIN channel c ON c.id = e.channel"
		  " LEFT JOIN kept k ON k.channel = e.channel"
		  " WHERE e.cursor > ? ORDER BY e.cursor LIMIT ?",
    [TRIM_HORIZON] = "UPDATE channel SET horizon = ?2, lost = ?3"
		     " WHERE id = ?1",
    [TRIM_EVENTS] = "DELETE FROM event WHERE cursor > ? AND cursor <= ?",
    [CHANNEL_NEXT] = "SELECT id, horizon, lost > 0 AND NOT EXISTS"
		     " (SELECT 1 FROM event e WHERE e.channel = c.id)"
		     " FROM channel c WHERE horizon > ?"
		     " ORDER BY horizon LIMIT 1",
    [CHANNEL_FORGET] = "DELETE FROM channel WHERE id = ?",
    [CHANNEL_EACH] = "SELECT id, name FROM channel",
    [KEPT_DUE] = "SELECT c.name, k.due FROM kept k"
		 " JOIN channel c ON c.id = k.channel"
		 " WHERE k.due IS NOT NULL ORDER BY k.due LIMIT 1",
    [KEPT_SCAN] = "SELECT cursor, " SIZE " FROM event WHERE channel = ?"
		  " ORDER BY cursor LIMIT ?",
    [KEPT_LET_GO] = "DELETE FROM event WHERE channel = ? AND cursor <= ?",
    [KEPT_WRITE] = "INSERT INTO kept VALUES (?1, ?2, ?3, ?4, ?5)"
		   " ON CONFLICT (channel) DO UPDATE"
		   " SET events = ?2, bytes = ?3, exempt = ?4, due = ?5",
    [KEPT_FORGET] = "DELETE FROM kept WHERE channel = ?",
    [KEPT_TOTALS] = "SELECT ifnull(sum(events), 0), ifnull(sum(bytes), 0)"
		    " FROM kept WHERE exempt",
    [KEPT_COUNT] = "SELECT count(*), ifnull(sum(" SIZE "), 0), min(cursor)"
		   " FROM event WHERE channel = ?",
    [LATEST_FIND] = "SELECT cursor, " SIZE " FROM event WHERE cursor ="
		    " (SELECT l.cursor FROM latest l"
		    " WHERE l.channel = ? AND l.key = ?)",
    [LATEST_SET] = "INSERT INTO latest VALUES (?1, ?2, ?3)"
		   " ON CONFLICT (channel, key) DO UPDATE SET cursor = ?3",
    [LATEST_DROP] = "DELETE FROM latest WHERE cursor = ?",
    [LATEST_MAKE] = "INSERT INTO latest SELECT channel,"
		    " CASE kind WHEN 3 THEN x'' ELSE ifnull(key, '') END,"
		    " max(cursor) FROM event WHERE channel = ? GROUP BY 2",
    [EVENT_DROP] = "DELETE FROM event WHERE cursor = ?",
    [EVENT_SUPERSEDE] = "DELETE FROM event WHERE channel = ?1 AND cursor"
			" NOT IN (SELECT cursor FROM latest"
			" WHERE channel = ?1)",
    [RULES_READ] = "SELECT fingerprint FROM rules",
    [RULES_WRITE] = "INSERT INTO rules VALUES (1, ?1)"
		    " ON CONFLICT (one) DO UPDATE SET fingerprint = ?1",
    [REVOCATION_NEWEST] = "SELECT seq FROM sqlite_sequence"
			  " WHERE name = 'revocation'",
    [REVOCATION_COUNT] = "SELECT count(*) FROM revocation",
    [REVOCATION_OF_USER] = "SELECT count(*) FROM revocation WHERE user = ?",
    [REVOCATION_WITHIN] = "SELECT count(*), ifnull(sum(restores = 0), 0),"
			  " ifnull(max(at_ms), 0) FROM revocation" WITHIN,
    [REVOCATION_DELETE] = "DELETE FROM revocation" WITHIN,
    [REVOCATION_ADD] = "INSERT INTO revocation"
		       " (user, pattern, at_ms, restores)"
		       " VALUES (?, ?, ?, ?)",
    [REVOCATION_OLD] = "SELECT 1 FROM revocation WHERE at_ms < ? LIMIT 1",
    [REVOCATION_FORGET] = "DELETE FROM revocation WHERE number IN"
			  " (SELECT number FROM revocation WHERE at_ms < ?"
			  " ORDER BY at_ms LIMIT ?)",
};
