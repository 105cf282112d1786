#!/usr/bin/env python3
"""Runs the tests that `make check` names, some at a time, and counts.

Each job is one program with a deadline of its own; its output goes to
build/log/NAME.log and is shown when it fails. The last line is
"N passed, N failed"; the exit status is 0 when nothing failed.
"""
import argparse
import concurrent.futures
import os
import re
import signal
import subprocess
import sys
import time

ENVIRONMENT = dict(
    os.environ,
    ASAN_OPTIONS="detect_leaks=1:abort_on_error=1",
    UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1",
    CK_VERBOSITY="verbose",
)


SHOWN = 60  # lines of the log of what failed


class Job:
    """One program to run, and how to read its counts from its output."""

    def __init__(self, name, command, count, deadline_s, environment=None):
        self.name = name
        self.command = command
        self.count = count
        self.deadline_s = deadline_s
        self.environment = dict(ENVIRONMENT, **(environment or {}))


def count_check(output, status):
    """Check's "NN%: Checks: N, Failures: N, Errors: N", one per suite run."""
    rows = re.findall(
        r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)", output, re.M)
    total = sum(int(row[0]) for row in rows)
    bad = sum(int(row[1]) + int(row[2]) for row in rows)
    return total - bad, max(bad, 1 if status or not rows else 0), 0


def count_unittest(output, status):
    """unittest's "Ran N tests", "FAILED (failures=N, errors=N)" and
    "OK (skipped=N)"."""
    ran = re.findall(r"^Ran (\d+) tests? in", output, re.M)
    bad = sum(int(n) for n in re.findall(
        r"(?:failures|errors|unexpected successes)=(\d+)",
        "".join(re.findall(r"^FAILED \(.*\)$", output, re.M))))
    skipped = sum(int(n) for n in re.findall(
        r"^(?:OK|FAILED) \(.*?skipped=(\d+)", output, re.M))
    total = sum(int(n) for n in ran)
    bad = max(bad, 1 if status or not total else 0)
    return max(total - bad - skipped, 0), bad, skipped


def count_node(output, status):
    """node:test's summary: "# pass N", "# fail N", "# skipped N"; "# todo N"
    and "# cancelled N" are no passes either."""
    found = {word: int(n) for word, n in re.findall(
        r"^# (pass|fail|cancelled|skipped|todo) (\d+)$", output, re.M)}
    passed = found.get("pass", 0)
    bad = found.get("fail", 0) + found.get("cancelled", 0)
    return passed, max(bad, 1 if status or not passed else 0), \
        found.get("skipped", 0) + found.get("todo", 0)


def count_one(output, status):
    return (0, 1, 0) if status else (1, 0, 0)


def name_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def jobs_of(options):
    """All jobs, the long ones of each kind first."""
    build = options.build
    scale = 20 if options.long else 1
    jobs = []
    for path in options.unit:
        jobs.append(Job("unit/" + name_of(path), [path], count_check,
                        300 * scale))
    for path in options.fuzz:
        jobs.append(fuzz_job(build, path, scale))
    for path in options.client:
        command = ["node", "--test", "--test-reporter=tap", path]
        jobs.append(Job("client/" + os.path.basename(path)[:-len(".test.js")],
                        command, count_node, 120 * scale,
                        {"SSEMUX_BUILD": build}))
    for path in options.system:
        command = ["node", "--test", "--test-reporter=tap", path]
        jobs.append(Job("system/" + os.path.basename(os.path.dirname(path)),
                        command, count_node, 300 * scale,
                        {"SSEMUX_BUILD": build}))
    # As it ships; and with sanitizers, which find what a test cannot see.
    environments = [
        ("", {"SSEMUX_BUILD": build}),
        ("-asan", {"SSEMUX_BUILD": os.path.join(build, "asan/bin")})]
    for kind, paths in (("scenario", options.scenario),
                        ("browser", options.browser)):
        for path in paths:
            for suffix, environment in environments:
                jobs.append(Job(
                    kind + "/" + name_of(path) + suffix,
                    [sys.executable, path, "-v"], count_unittest,
                    300 * scale,
                    dict({"SSEMUX_SCALE": "10" if options.long else "1"},
                         **environment)))
    return jobs


def fuzz_job(build, path, scale):
    """So many inputs, beginning with those kept in tests/fuzz/corpus."""
    room = name_of(path)[:-len("_fuzz")]
    found = os.path.join(build, "fuzz/corpus", room)
    os.makedirs(found, exist_ok=True)
    command = [path, "-seed=1", "-runs=%d" % (200000 * scale),
               "-max_total_time=%d" % (10 * scale), "-timeout=10",
               "-artifact_prefix=" + os.path.join(build, "fuzz", room + "-"),
               "-print_final_stats=1", found]
    kept = os.path.join("tests/fuzz/corpus", room)
    if os.path.isdir(kept):
        command.append(kept)
    return Job("fuzz/" + room, command, count_one, 60 + 20 * scale)


def run(job, log_folder):
    """Runs one job to its end; the counts, the time and where the log is."""
    log = os.path.join(log_folder, job.name.replace("/", "-") + ".log")
    started = time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen(
            job.command, stdin=subprocess.DEVNULL, stdout=out,
            stderr=subprocess.STDOUT, env=job.environment,
            start_new_session=True)
        try:
            status = process.wait(job.deadline_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = "no end within %d s" % job.deadline_s
    with open(log, errors="replace") as text:
        output = text.read()
    return job.count(output, status), time.monotonic() - started, status, log


def show(job, result):
    (passed, failed, _), seconds, status, log = result
    print("%-6s %-32s %4d passed %3d failed %7.1f s" % (
        "FAILED" if failed else "ok", job.name, passed, failed, seconds))
    if failed:
        print("---- %s (status %s), its last lines:" % (log, status))
        with open(log, errors="replace") as text:
            print("".join(text.readlines()[-SHOWN:]).rstrip())
        print("----")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--long", action="store_true")
    # Most tests wait for something most of the time.
    parser.add_argument("--jobs", type=int, default=os.cpu_count() + 1)
    for kind in ("unit", "fuzz", "client", "system", "scenario", "browser"):
        parser.add_argument("--" + kind, nargs="*", default=[])
    options = parser.parse_args()
    log_folder = os.path.join(options.build, "log")
    os.makedirs(log_folder, exist_ok=True)
    counts = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(run, job, log_folder): job
                   for job in jobs_of(options)}
        for done in concurrent.futures.as_completed(running):
            result = done.result()
            show(running[done], result)
            counts = [a + b for a, b in zip(counts, result[0])]
    passed, failed, skipped = counts
    print("%d passed, %d failed%s" % (
        passed, failed, ", %d skipped" % skipped if skipped else ""))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
