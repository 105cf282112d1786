#!/usr/bin/env python3
"""publish: what it costs to store events, beside SQLite alone and Redis, in
one run, in turn.

	python3 tests/bench/publish.py [--rounds N]
"""
import contextlib
import csv
import os
import shutil
import subprocess
import tempfile

from report import run
from rounds import Figures
from servers import Server, Ssemux, cpu_ns, output_of, program, wait_for

BYTES = 300
UNITS = (("stored per s", "pipelined, events/s"),
         ("ns", "... ns CPU per event (ssemux: the hub)"),
         ("eight per s", "8 publishers, events/s"),
         ("trip p50", "blocking, round trip p50, us"),
         ("trip p99", "... p99, us"))


class Redis(Server):
    """A Redis stream, appended to its log every second."""

    name = "redis"

    def start(self):
        self.path = os.path.join(self.folder, "socket")
        self.run("redis-server", "--port", 0, "--unixsocket", self.path,
                 "--dir", self.folder, "--appendonly", "yes", "--save", "",
                 "--appendfsync", "everysec", stdin=subprocess.DEVNULL,
                 stdout=subprocess.DEVNULL)
        wait_for(lambda: os.path.exists(self.path), "redis", 30)
        return self

    @classmethod
    def missing(cls):
        if shutil.which("redis-server") and shutil.which("redis-benchmark"):
            return None
        return "redis-server or redis-benchmark (make bench-peers installs it)"


def toll(*arguments):
    """Its figures."""
    return [float(each) for each in output_of(
        program("toll"), *arguments).split()]


def with_file(command, events):
    """SQLite alone, in a new database."""
    with tempfile.TemporaryDirectory(prefix="ssemux-bench-") as folder:
        return toll(command, os.path.join(folder, "db"), events, BYTES)


class Publish:
    def __init__(self, scale):
        self.figures = Figures()
        self.events = int(400000 * scale)
        self.trips = int(10000 * scale)

    def rows(self):
        seconds, cpu = with_file("rows", self.events)
        self.figures.add("stored per s", "sqlite", self.events / seconds)
        self.figures.add("ns", "sqlite", cpu / self.events * 1e9)

    def pipelined(self, server, name):
        hub = [server.broker.hub()]
        before = cpu_ns(hub)
        seconds, = toll("pipelined", server.broker.socket, self.events, BYTES)
        self.figures.add("ns", name, (cpu_ns(hub) - before) / self.events)
        self.figures.add("stored per s", name, self.events / seconds)

    def eight(self, server):
        """Eight publishers at once."""
        out = output_of(program("load"), "accept", server.broker.socket,
                        "loop", 8, self.events, BYTES)
        self.figures.add("eight per s", "ssemux", self.events / float(out))

    def redis(self, server):
        before = cpu_ns(server.pids())
        out = output_of("redis-benchmark", "-s", server.path, "-c", 1, "-P",
                        256, "-n", self.events, "--csv", "XADD", "events", "*",
                        "data", "x" * BYTES)
        rate = float(list(csv.DictReader(out.splitlines()))[0]["rps"])
        self.figures.add("stored per s", "redis", rate)
        self.figures.add("ns", "redis", (cpu_ns(server.pids()) - before) /
                         self.events)
        output_of("redis-cli", "-s", server.path, "DEL", "events")

    def trip(self, name, p50, p99):
        self.figures.add("trip p50", name, p50)
        self.figures.add("trip p99", name, p99)

    def round(self, ssemux, fsync, redis):
        self.rows()
        self.pipelined(ssemux, "ssemux")
        self.eight(ssemux)
        self.trip("ssemux, fsync", *toll("blocking", fsync.broker.socket,
                                         self.trips // 10, BYTES))
        if redis is not None:
            self.redis(redis)
        # Short, and often: round trips are what other work disturbs most.
        for _ in range(4):
            self.trip("sqlite", *with_file("echo", self.trips))
            self.trip("ssemux", *toll("blocking", ssemux.broker.socket,
                                      self.trips, BYTES))

    def run(self, rounds):
        with contextlib.ExitStack() as stack:
            def start(server):
                stack.callback(server.stop)
                return server.start()
            ssemux = start(Ssemux())
            fsync = start(Ssemux(**{"history.durability": "fsync"}))
            redis = None
            if Redis.missing() is None:
                redis = start(Redis())
            else:
                print("not measured, as it is missing: " + Redis.missing(),
                      flush=True)
            for _ in range(rounds):
                self.round(ssemux, fsync, redis)


def targets_of(figures, targets):
    rate = figures.ratio("stored per s", "ssemux", "sqlite")
    targets.at_least("publishing, pipelined: events/s / SQLite alone", rate,
                     0.5)
    targets.tell("publishing, pipelined: events/s / redis-benchmark XADD",
                 figures.ratio("stored per s", "ssemux", "redis"))
    targets.tell("publishing, pipelined: CPU of the hub / SQLite alone",
                 figures.ratio("ns", "ssemux", "sqlite"))
    targets.at_most("publishing, blocking: round trip p50 / echo and commit",
                    figures.ratio("trip p50", "ssemux", "sqlite"), 2)


def measure(options, targets):
    targets.about(5)
    publish = Publish(options.scale)
    publish.run(options.rounds)
    figures = publish.figures
    targets_of(figures, targets)
    names = [name for name in ("ssemux", "sqlite", "redis", "ssemux, fsync")
             if figures.median("ns", name) or figures.median("trip p50", name)]
    rows = [[text] + [figures.median(what, name) for name in names]
            for what, text in UNITS]
    return figures.as_dict(), [
        (["publishing events of %d bytes" % BYTES] + names, rows)]


if __name__ == "__main__":
    run(__doc__, measure, rounds=5, scale=1.0)
