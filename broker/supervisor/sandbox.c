/* sandbox: confinement of hub and workers. See sandbox.h. */
#include "broker/supervisor/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "broker/shared/heritage.h"
#include "broker/shared/log.h"

/* What both roles do with descriptors they have, memory and time. */
static const int calls_of_all[] = {SCMP_SYS(accept4), SCMP_SYS(access),
    SCMP_SYS(brk), SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
    SCMP_SYS(close), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_wait), SCMP_SYS(exit), SCMP_SYS(exit_group),
    SCMP_SYS(fallocate), SCMP_SYS(fcntl), SCMP_SYS(fdatasync), SCMP_SYS(fstat),
    SCMP_SYS(fsync), SCMP_SYS(ftruncate), SCMP_SYS(futex), SCMP_SYS(getegid),
    SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getpid), SCMP_SYS(getppid),
    SCMP_SYS(getrandom), SCMP_SYS(getsockname), SCMP_SYS(getsockopt),
    SCMP_SYS(gettid), SCMP_SYS(gettimeofday), SCMP_SYS(getuid), SCMP_SYS(lseek),
    SCMP_SYS(lstat), SCMP_SYS(madvise), SCMP_SYS(mmap), SCMP_SYS(mprotect),
    SCMP_SYS(mremap), SCMP_SYS(munmap), SCMP_SYS(nanosleep),
    SCMP_SYS(newfstatat), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(pread64),
    SCMP_SYS(pwrite64), SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(restart_syscall), SCMP_SYS(rseq),
    SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sched_yield), SCMP_SYS(sendmsg), SCMP_SYS(sendto),
    SCMP_SYS(shutdown), SCMP_SYS(stat), SCMP_SYS(statx), SCMP_SYS(sysinfo),
    SCMP_SYS(tgkill), SCMP_SYS(time), SCMP_SYS(write), SCMP_SYS(writev)};

/* SQLite's own files, which landlock keeps inside the state folder. */
static const int calls_of_hub[] = {SCMP_SYS(fchmod), SCMP_SYS(fchown),
    SCMP_SYS(fstatfs), SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(readlink),
    SCMP_SYS(unlink), SCMP_SYS(unlinkat)};

/* Its ring, made before, can send and do nothing else: see uring.h. */
static const int calls_of_worker[] = {SCMP_SYS(io_uring_enter)};

/* What a role may do. */
struct role {
	const char *folder; /* all with files below it; NULL: none */
	const int *calls;   /* besides those of all */
	size_t count;
	bool threads;
};

static int
allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		/* A negative number: this machine has no such call. */
		if (calls[i] < 0)
			continue;
		if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0) != 0)
			return -1;
	}
	return 0;
}

/* A thread, and no process. The C library falls back to the older call, whose
 * flags can be looked at. 0, or below. */
static int
allow_threads(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp is_thread =
	    SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD);
	int result = seccomp_rule_add(
	    filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	return result != 0 ? result
			   : seccomp_rule_add(filter, SCMP_ACT_ALLOW,
				 SCMP_SYS(clone), 1, is_thread);
}

/* Every other call fails with EPERM. */
static int
confine_calls(const struct role *role)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int result = -1;

	if (filter == NULL)
		goto end;
	if (allow(filter, calls_of_all,
		sizeof(calls_of_all) / sizeof(calls_of_all[0])) == -1 ||
	    allow(filter, role->calls, role->count) == -1 ||
	    (role->threads && allow_threads(filter) != 0))
		goto end;
	result = seccomp_load(filter);
	if (result == -ENOSYS || result == -EINVAL) {
		log_info("this kernel has no seccomp filters");
		result = 0;
	}
end:
	if (result != 0)
		log_warn("seccomp: system calls cannot be confined");
	seccomp_release(filter);
	return result == 0 ? 0 : -1;
}

/* Everything that landlock's first version knows: reading, writing, making and
 * removing of files and folders, and starting programs. */
static const uint64_t all_files = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;

/* Allows all with files below the folder. */
static int
allow_folder(int rules, const char *folder)
{
	struct landlock_path_beneath_attr attr = {
	    .allowed_access = all_files & ~(uint64_t)LANDLOCK_ACCESS_FS_EXECUTE,
	    .parent_fd = open(folder, O_PATH | O_CLOEXEC),
	};
	long result;

	if (attr.parent_fd == -1)
		return -1;
	result = syscall(
	    SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &attr, 0);
	close(attr.parent_fd);
	return result == 0 ? 0 : -1;
}

/* Files: those below the folder, or none when it is NULL. */
static int
confine_files(const char *folder)
{
	struct landlock_ruleset_attr attr = {.handled_access_fs = all_files};
	int rules =
	    (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);
	int result = -1;

	if (rules == -1) {
		if (errno == ENOSYS || errno == EOPNOTSUPP) {
			log_info("this kernel has no landlock");
			return 0;
		}
		log_warn("landlock: %m");
		return -1;
	}
	if ((folder == NULL || allow_folder(rules, folder) == 0) &&
	    syscall(SYS_landlock_restrict_self, rules, 0) == 0)
		result = 0;
	else
		log_warn("landlock: %m");
	close(rules);
	return result;
}

static int
confine(const struct role *role)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
		log_warn("no_new_privs: %m");
		return -1;
	}
#if defined(__SANITIZE_ADDRESS__)
	/* The sanitizer reads files and runs programs for its reports. */
	(void)role;
	(void)confine_files;
	(void)confine_calls;
	return 0;
#else
	if (confine_files(role->folder) == -1)
		return -1;
	return confine_calls(role);
#endif
}

int
sandbox_hub(const struct heritage *heritage)
{
	return confine(&(struct role){
	    .folder = heritage->config->broker_state_dir,
	    .calls = calls_of_hub,
	    .count = sizeof(calls_of_hub) / sizeof(calls_of_hub[0]),
	    .threads = true,
	});
}

int
sandbox_worker(const struct heritage *heritage)
{
	(void)heritage;
	return confine(&(struct role){
	    .calls = calls_of_worker,
	    .count = sizeof(calls_of_worker) / sizeof(calls_of_worker[0]),
	});
}
