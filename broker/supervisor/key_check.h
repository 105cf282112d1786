/*
 * key_check: whether the bytes of key files are good. They are read by a child
 * that has given up what it can, as a worker would read them, and that says in
 * the log what it finds; its exit status is the answer.
 */
#ifndef SSEMUX_SUPERVISOR_KEY_CHECK_H
#define SSEMUX_SUPERVISOR_KEY_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "protocol/slice.h"

struct key_file;
struct privileges;
struct vault_item;

#define KEY_CHECK_ALL SIZE_MAX

struct key_check {
	const struct key_file *files; /* which the items are of */
	size_t count;
	const struct privileges *privileges; /* NULL: those it has */
	size_t changed;                 /* which file has; or KEY_CHECK_ALL */
	const struct vault_item *items; /* with KEY_CHECK_ALL */
	int vault_fd;           /* else: what is there, but for one item, */
	struct slice candidate; /* which is to have these bytes */
};

/* Starts the child. Its pid, or -1 (logged). */
pid_t key_check_start(const struct key_check *check);

/* What the status of the child says. */
bool key_check_good(int status);

/* Waits for the child, which may be -1. 0: the keys are good; or -1. */
int key_check_await(pid_t pid);

#endif
