/*
 * sandbox: what a role gives up once its files are open. Each is confined by
 * no_new_privs, landlock (files) and seccomp (system calls); what the kernel
 * does not have is left out, with one line in the log.
 */
#ifndef SSEMUX_SUPERVISOR_SANDBOX_H
#define SSEMUX_SUPERVISOR_SANDBOX_H

struct heritage;

/* The hub: files in the state folder, and nothing else outside its
 * descriptors. 0, or -1 (logged). */
int sandbox_hub(const struct heritage *heritage);

/* A worker: no files, no sockets of its own, no programs. 0, or -1 (logged). */
int sandbox_worker(const struct heritage *heritage);

#endif
