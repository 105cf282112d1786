/*
 * keys: the files with the keys that tokens are verified with. They are read
 * here, as the broker was started, perhaps as root; their bytes go into the
 * vault, and from there to the workers.
 *
 * The supervisor does not look at these bytes itself. Whether they are good is
 * found by a short-lived child without privileges; bytes that are not never
 * get into the vault, and what was there before stays.
 */
#ifndef SSEMUX_SUPERVISOR_KEYS_H
#define SSEMUX_SUPERVISOR_KEYS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct config;
struct heritage;
struct keys;
struct privileges;

/* What the settings of [auth] say against each other; NULL: nothing. */
const char *keys_contradiction(const struct config *config);

/* Are all key files good? For -t. 0, or -1 (logged). */
int keys_check(const struct config *config);

/* Reads and checks all key files and fills the vault, whose descriptor is
 * heritage->vault_fd from then on. NULL: one is bad, or no memory (logged). */
struct keys *keys_create(
    struct heritage *heritage, const struct privileges *privileges);

/* NULL is allowed. */
void keys_destroy(struct keys *keys);

/* When keys_look() is to be called; UINT64_MAX: never. */
uint64_t keys_due_ms(const struct keys *keys);

/* Looks whether a file has changed. One that has, and has not changed since
 * the look before, is checked. */
void keys_look(struct keys *keys, uint64_t now_ms);

/* A child has ended. False: it is none of ours. */
bool keys_child_ended(struct keys *keys, pid_t pid, int status);

#endif
