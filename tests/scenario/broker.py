"""broker: real processes in a private folder, and the test case around them."""
import ctypes
import glob
import json
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest

import msgpack_wire
import sse_client

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
OUT = os.path.join(TOP, "build")
BUILD = os.path.abspath(os.environ.get("SSEMUX_BUILD", OUT))
SANITIZED = os.path.basename(os.path.dirname(BUILD)) == "asan"
SCALE = int(os.environ.get("SSEMUX_SCALE", "1"))  # of loops that kill
PUBLISH = os.path.join(BUILD, "ssemux-pub")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)


def die_with_test():
    """In a child: no test leaves a process behind, however it ends."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what="the condition", seconds=20):
    """Waits until condition() is true; its value."""
    deadline = time.monotonic() + seconds
    pause = 0.001
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError("%s did not come about in %d s" % (
                what, seconds))
        select.select([], [], [], pause)
        pause = min(pause * 2, 0.05)


def read_text(path):
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def process_state(pid):
    """(state letter, parent); ("", 0) when there is no such process."""
    match = re.match(r"\d+ \(.*\) (\S) (\d+)", read_text("/proc/%d/stat" % pid),
                     re.S)
    return (match.group(1), int(match.group(2))) if match else ("", 0)


def alive(pid):
    return process_state(pid)[0] not in ("", "Z", "X")


def children(pid):
    """The title of each live child."""
    out = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        child = int(path.split("/")[2])
        state, parent = process_state(child)
        if parent == pid and state not in ("Z", "X"):
            title = read_text("/proc/%d/cmdline" % child)
            out[child] = title.replace("\0", " ").strip()
    return out


def pss_kib(pid):
    """Memory of the process, its share of what is shared counted once."""
    match = re.search(r"^Pss:\s+(\d+) kB",
                      read_text("/proc/%d/smaps_rollup" % pid), re.M)
    return int(match.group(1))


def own_kib(pid):
    """The same without what all processes of the broker share."""
    match = re.search(r"^Pss_Shmem:\s+(\d+) kB",
                      read_text("/proc/%d/smaps_rollup" % pid), re.M)
    return pss_kib(pid) - int(match.group(1))


def worker_bound_kib(window, window_events, streams):
    """What a worker takes at most, as ssemuxd(8) says under MEMORY: two
    formats, and streams of one channel."""
    return (8 << 10) + (window * 3 // 2 + window_events * 50 +
                        streams * 1024) // 1024


class Broker:
    """One broker and its folder, which outlives restarts."""

    def __init__(self, settings=None, config=None):
        self.build = BUILD
        self.program = os.path.join(BUILD, "ssemuxd")
        self.config = config
        self.folder = tempfile.mkdtemp(prefix="ssemux-test-")
        self.socket = os.path.join(self.folder, "pub.sock")
        self.log_path = os.path.join(self.folder, "log")
        self.port = free_port()
        self.process = None
        self.settings = {
            "broker.state_dir": self.folder,
            "broker.user": "",
            "broker.workers": "2",
            "publish.socket": self.socket,
            "publish.group": "",
            "http.listen": "127.0.0.1:%d" % self.port,
        }
        if sse_client.CODING:
            self.settings["http.compression"] = sse_client.CODING
        for key, value in (settings or {}).items():
            self.settings[key] = value.replace("%(folder)s", self.folder)
        self.database = os.path.join(self.settings["broker.state_dir"],
                                     "ssemux.db")

    def command(self, settings=None):
        rows = dict(self.settings, **(settings or {}))
        out = [self.program]
        if self.config is not None:
            out += ["-c", self.config]
        for key, value in rows.items():
            out += ["-o", "%s=%s" % (key, value)]
        return out

    def start(self, settings=None, wait=True):
        """Starts it, with these settings from now on; waits until it serves."""
        self.settings.update(settings or {})
        ready, signal_ready = os.pipe()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command({"broker.ready_fd": signal_ready}),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[signal_ready], preexec_fn=die_with_test)
        os.close(signal_ready)
        try:
            if wait and not (select.select([ready], [], [], 30)[0] and
                             os.read(ready, 1) == b"\n"):
                self.process.kill()
                self.process.wait()
                self.process = None
                raise AssertionError("the broker did not start:\n" +
                                     self.log())
        finally:
            os.close(ready)
        return self

    def log(self):
        return read_text(self.log_path)

    @property
    def pid(self):
        return self.process.pid

    def find(self, role):
        """{pid: title} of the supervisor's children with this role."""
        return {pid: title for pid, title in children(self.pid).items()
                if re.search(r"ssemuxd: %s\b" % role, title)}

    def hub(self):
        """The hub's pid, as soon as there is one."""
        return next(iter(wait_for(lambda: self.find("hub"), "a hub")))

    def workers(self):
        """The workers' pids, as soon as all run, the first worker first."""
        count = int(self.settings["broker.workers"])

        def whole():
            found = self.find("worker")
            return found if len(found) == count else None
        found = wait_for(whole, "all workers")
        return sorted(found, key=lambda pid: int(found[pid].split()[-1]))

    def kill_hub(self):
        """Kills the hub with SIGKILL; its pid. It is gone afterwards."""
        pid = self.hub()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not alive(pid), "the hub's death")
        return pid

    def kill_worker(self, pid):
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not alive(pid), "the worker's death")

    def kill(self):
        """Kills the supervisor alone, and waits until all are gone."""
        family = [self.pid] + list(children(self.pid))
        self.process.kill()
        self.process.wait(20)
        wait_for(lambda: not any(map(alive, family)), "the children's end")

    def stop(self, seconds=30):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def cleanup(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What clients do.

    def publisher(self, name="test", **options):
        return msgpack_wire.Publisher(self.socket, name, **options)

    def stream(self, channels="*", **options):
        return sse_client.Stream(self.port, channels, **options)

    def open(self, target, **options):
        """A stream at this path, with its query."""
        return sse_client.Stream(self.port, target=target, **options)

    def get(self, target, headers=()):
        return sse_client.fetch(self.port, target, headers)

    def stats(self):
        return sse_client.fetch_json(self.port, "/stats")

    def metric(self, name):
        return int(re.search(rb"^ssemux_%s (\d+)$" % name.encode(),
                             self.get("/metrics")[1], re.M).group(1))

    def pub(self, *arguments, data=None, status=0, timeout=60):
        """Runs ssemux-pub to its end; what it wrote to standard output."""
        done = self.pub_done(*arguments, data=data, timeout=timeout)
        assert done.returncode == status, (done.returncode, done.stderr)
        return done.stdout

    def pub_done(self, *arguments, data=None, timeout=60):
        return subprocess.run(
            [PUBLISH, "-s", self.socket] + list(arguments),
            input=data if data is not None else "", capture_output=True,
            text=True, timeout=timeout)

    def stored(self):
        """(cursor, channel, type, key, data) of all events, in order."""
        base = sqlite3.connect("file:%s?mode=ro" % self.database, uri=True)
        try:
            return base.execute(
                "SELECT e.cursor, c.name, e.type, e.key, e.data FROM event e"
                " JOIN channel c ON c.id = e.channel ORDER BY e.cursor"
            ).fetchall()
        finally:
            base.close()


class BrokerCase(unittest.TestCase):
    """A test with brokers: afterwards each must be alive, end with 0, and
    have nothing to be ashamed of in its log."""

    BAD = re.compile(r"panic|Sanitizer|runtime error|Assertion|core dumped",
                     re.I)

    def setUp(self):
        self.brokers = []
        self.clients = []  # closed first: a broker waits for those that it
                           # has answered

    def broker(self, start=True, config=None, **settings):
        """A broker with these settings: http__max_head="1k"; config: a file
        of more."""
        made = Broker({key.replace("__", "."): str(value)
                       for key, value in settings.items()}, config)
        self.brokers.append(made)
        self.addCleanup(made.cleanup)
        return made.start() if start else made

    def jwt_broker(self, key, start=True, **settings):
        """One that takes tokens of this key, see tokens.py."""
        made = self.broker(start=False, auth__mode="jwt", **settings)
        made.settings["auth.jwt_key_file"] = key.write(
            os.path.join(made.folder, "key"))
        return made.start() if start else made

    def run(self, result=None):
        """As usual, and shows the brokers' logs when the test failed."""
        before = len(result.failures) + len(result.errors)
        outcome = super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for text in getattr(self, "last_logs", []):
                print("---- the broker's log, its end:\n" +
                      "\n".join(text.splitlines()[-60:]), flush=True)
        return outcome

    def tearDown(self):
        for each in self.clients:
            each.close()
        self.last_logs = [made.log() for made in self.brokers]
        for made in self.brokers:
            if made.process is None:
                continue
            self.assertIsNone(made.process.poll(), "the broker is gone")
            made.hub()
            made.workers()
            status = made.stop()
            self.last_logs = [each.log() for each in self.brokers]
            self.assertEqual(status, 0, "status after SIGTERM")
            self.assertNotRegex(made.log(), self.BAD)


def tagged(event):
    """The JSON of an event in the tagged format."""
    assert event.name == "message" and event.id is not None, event
    return json.loads(event.data)
