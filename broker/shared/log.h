/*
 * log: lines to standard error, "ssemuxd: ROLE: SEVERITY: text".
 *
 * The ladder: debug; info, what an operator wants to find afterwards; warn,
 * something was refused or lost a try, and service goes on; fatal, this
 * process cannot go on, and the fault is outside it; panic, our own fault.
 * A failure is logged once, where it is handled. Nothing logged may contain a
 * token, a cookie or an event's data.
 */
#ifndef SSEMUX_SHARED_LOG_H
#define SSEMUX_SHARED_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN };

/* The least severity that is written (the default is LOG_INFO). */
void log_set_level(enum log_level level);

/* The role in each line: "supervisor", "hub", "worker 1". Kept as a copy. */
void log_set_role(const char *role);

#define LOG_PRINTF(at) __attribute__((format(printf, at, at + 1)))

LOG_PRINTF(1) void log_debug(const char *format, ...);
LOG_PRINTF(1) void log_info(const char *format, ...);
LOG_PRINTF(1) void log_warn(const char *format, ...);

/* Ends the process with the sysexits code. */
LOG_PRINTF(2)
__attribute__((noreturn)) void log_fatal(
    int exit_code, const char *format, ...);

/* Ends the process with abort(). */
LOG_PRINTF(1) __attribute__((noreturn)) void log_panic(const char *format, ...);

#endif
