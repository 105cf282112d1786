"""servers: what is measured: ssemux, the bare floor, and peers; each a few
processes in a private folder, on a free port of 127.0.0.1."""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../scenario"))
from broker import (BUILD, LIBC, PR_SET_PDEATHSIG, Broker,  # noqa: E402
                    children, die_with_test, free_port, pss_kib, wait_for)
import sse_client  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
WORKERS = 2
NCHAN = "/usr/lib/nginx/modules/ngx_nchan_module.so"


class Failed(Exception):
    """A server or a crowd that could not go on."""


class Server:
    """Something that crowds connect to. A crowd gets `crowd` as arguments."""

    name = ""

    def __init__(self, workers=WORKERS):
        self.workers = workers
        self.folder = tempfile.mkdtemp(prefix="ssemux-bench-")
        self.port = free_port()
        self.process = None

    def run(self, *command, **options):
        # Not killed when the bench ends: nginx ends its workers itself.
        self.process = subprocess.Popen(
            [str(each) for each in command],
            preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
            **options)

    def url(self, rest):
        return "http://127.0.0.1:%d%s" % (self.port, rest)

    def served(self):
        """Waits until it answers; ends when it does not."""
        def answers():
            if self.process.poll() is not None:
                raise Failed("%s did not start" % self.name)
            try:
                sse_client.fetch(self.port, "/nothing")
                return True
            except OSError:
                return False
        wait_for(answers, self.name, 30)

    def pids(self):
        return [self.process.pid] + list(children(self.process.pid))

    def delivering(self):
        """The processes that write to subscribers."""
        return self.pids()

    def cpu_ns(self):
        return cpu_ns(self.pids())

    def memory(self):
        """Bytes, what is shared counted once."""
        return sum(map(pss_kib, self.pids())) * 1024

    def sockets(self):
        return sum(len(os.listdir("/proc/%d/fd" % pid))
                   for pid in self.pids())

    def stop(self):
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    @classmethod
    def missing(cls):
        """What is not installed, in words; None: nothing."""
        return None


def check_built():
    """Ends the bench when one of its programs is not there."""
    for name in ("ssemuxd", "crowd", "floor", "load", "toll"):
        if not os.path.exists(program(name)):
            raise SystemExit("bench: %s is missing: make bench builds it" %
                             program(name))


def program(name):
    return os.path.join(BUILD, name)


def output_of(*command, seconds=180):
    """What a program prints; it ends with the bench, at the latest."""
    done = subprocess.run([str(each) for each in command], text=True,
                          stdout=subprocess.PIPE, timeout=seconds,
                          preexec_fn=die_with_test)
    if done.returncode != 0:
        raise Failed("%s ended with %d" % (
            os.path.basename(command[0]), done.returncode))
    return done.stdout


def cpu_ns(pids):
    """Processor time that these processes have used, all threads."""
    return sum(time.clock_gettime_ns((~pid << 3) | 2) for pid in pids)


class Floor(Server):
    """One send() per event and subscriber of its channel; or of several events
    together."""

    name = "floor"

    def __init__(self, together=1, history=(), workers=WORKERS):
        super().__init__(workers)
        if together > 1:
            self.name = "floor, %d together" % together
        self.together = together
        self.history = history

    def start(self):
        self.run(program("floor"), self.port, self.door(),
                 self.workers, self.together, *self.history,
                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.found = [int(pid)
                      for pid in self.process.stdout.readline().split()]
        if len(self.found) != self.workers:
            raise Failed("the floor did not start")
        return self

    def door(self):
        return os.path.join(self.folder, "door")

    def pids(self):
        return self.found

    def crowd(self):
        return ["-u", self.url("/%s"), "-P",
                "floor:%s,%d" % (self.door(), self.workers)]


class Ssemux(Server):
    """The broker, as it ships: two workers, durable by commit."""

    name = "ssemux"
    SETTINGS = {
        "history.max_events": "10000000",
        # Crowds come at once, again and again, and rest in between.
        "http.admit_rate": "0",
        "http.heartbeat": "250s",
    }

    def __init__(self, workers=WORKERS, query="", **settings):
        super().__init__(workers)
        self.query = query
        self.broker = Broker(dict(
            self.SETTINGS, **dict({"broker.workers": str(workers)},
                                  **settings)))

    def start(self):
        self.broker.start()
        self.port, self.process = self.broker.port, self.broker.process
        self.broker.hub()
        self.broker.workers()
        return self

    def delivering(self):
        return self.broker.workers()

    def crowd(self):
        return ["-l", "-u", self.url(
            "/stream?format=raw&channels=%s" + self.query),
            "-P", "ssemux:" + self.broker.socket]

    def stop(self):
        status = 0
        if self.broker.process is not None:
            status = self.broker.process.poll()
            if status is None:
                status = self.broker.stop()
        self.broker.cleanup()
        super().stop()
        if status != 0:
            raise Failed("ssemux ended with %d" % status)


class Nchan(Server):
    """nginx with Nchan, from Debian, with two workers."""

    name = "nchan"
    CONFIG = """
load_module %(module)s;
daemon off;
%(user)s
pid %(folder)s/pid;
error_log %(folder)s/error.log;
worker_processes %(workers)d;
worker_rlimit_nofile 20000;
events { worker_connections 19000; }
http {
    access_log off;
    client_body_temp_path %(folder)s/body;
    proxy_temp_path %(folder)s/proxy;
    fastcgi_temp_path %(folder)s/fastcgi;
    uwsgi_temp_path %(folder)s/uwsgi;
    scgi_temp_path %(folder)s/scgi;
    keepalive_requests 100000000;
    nchan_shared_memory_size 512M;
    server {
        listen 127.0.0.1:%(port)d backlog=4096;
        location = /pub {
            nchan_publisher;
            nchan_channel_id $arg_id;
            nchan_message_buffer_length 10000;
            nchan_message_timeout 1h;
        }
        location = /sub {
            nchan_subscriber eventsource;
            nchan_channel_id $arg_id;
            nchan_channel_id_split_delimiter ",";
            nchan_subscriber_first_message %(first)s;
        }
    }
}
"""

    def __init__(self, workers=WORKERS, first="newest"):
        super().__init__(workers)
        self.first = first

    def start(self):
        path = os.path.join(self.folder, "nginx.conf")
        with open(path, "w") as file:
            file.write(self.CONFIG % {
                "module": NCHAN, "folder": self.folder, "port": self.port,
                "workers": self.workers, "first": self.first,
                "user": "user root;" if os.geteuid() == 0 else ""})
        self.run(shutil.which("nginx") or "/usr/sbin/nginx", "-p",
                 self.folder, "-c", path, stdin=subprocess.DEVNULL)
        self.served()
        return self

    def crowd(self):
        return ["-u", self.url("/sub?id=%s"), "-P", self.url("/pub?id=%s")]

    @classmethod
    def missing(cls):
        if glob.glob(NCHAN) and (shutil.which("nginx") or
                                 os.path.exists("/usr/sbin/nginx")):
            return None
        return "nginx with Nchan (make bench-peers installs it)"


class Node(Server):
    """Node's http server, as a user would write it."""

    name = "node"

    def __init__(self, workers=1, query=""):
        super().__init__(workers)
        self.query = query

    def start(self):
        self.run("node", os.path.join(HERE, "node_server.js"), self.port,
                 stdin=subprocess.DEVNULL)
        self.served()
        return self

    def crowd(self):
        return ["-u", self.url("/sub?id=%s" + self.query),
                "-P", self.url("/pub?id=%s")]

    @classmethod
    def missing(cls):
        return None if shutil.which("node") else \
            "node (make bench-peers installs it)"


PEERS = (Nchan, Node)


def installed_peers():
    """Those that can be measured; says which cannot."""
    found = []
    for peer in PEERS:
        missing = peer.missing()
        if missing is None:
            found.append(peer)
        else:
            print("not measured, as it is missing: %s" % missing, flush=True)
    return found
