#!/usr/bin/env python3
"""storm: what crowds that come back cost, and what others feel of it.

A probe publishes 200 events per second on a channel of its own, to 20 streams,
and takes the time that each needs, while the broker is quiet and then while it
has something else to do. Prints figures; asserts only that nothing is missing,
doubled or out of order.
"""
import argparse
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../scenario"))
from report import begin  # noqa: E402
from servers import cpu_ns, output_of  # noqa: E402
from broker import Broker, die_with_test  # noqa: E402
import msgpack_wire as wire  # noqa: E402

RATE, STREAMS = 200, 20


class Load:
    """The load generator, in one of its modes."""

    def __init__(self, path, *arguments):
        self.process = subprocess.Popen(
            [path] + [str(each) for each in arguments], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=die_with_test)

    def line(self):
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the load generator failed")
        return line.split()

    def go(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def end(self):
        self.process.communicate()


class Storm:
    def __init__(self, build, workers):
        self.path = os.path.join(build, "load")
        self.workers = workers

    def metric(self, name):
        _, out = self.broker.get("/metrics")
        return int(re.search(r"^ssemux_%s (\d+)$" % name, out.decode(),
                             re.M).group(1))

    def publish(self, events, size=128):
        output_of(self.path, "accept", self.broker.socket, "loop", 1, events,
                  size)

    def mark(self, channel="mark"):
        """The cursor of an event that is published now."""
        with self.broker.publisher("marker") as publisher:
            return wire.cursor_text(publisher.publish(channel, "mark"))

    def storm(self, *arguments):
        return Load(self.path, "storm", self.broker.port, *arguments)

    def run(self, name, prepare, cause, **settings):
        """prepare(storm), then cause(storm, what it returned): a Load that
        prints its counts at the end."""
        self.broker = Broker(dict({
            "broker.workers": str(self.workers),
            "history.max_events": "10000000",
            "publish.batch_bytes": "1m"}, **settings))
        try:
            self.broker.start()
            self.measure(name, prepare(self), cause)
            if self.broker.stop() != 0:
                raise SystemExit("the broker did not end with 0")
        finally:
            self.broker.cleanup()

    def measure(self, name, prepared, cause):
        probe = Load(self.path, "probe", self.broker.socket, self.broker.port,
                     STREAMS, RATE)
        probe.line()
        probe.go()
        probe.line()
        time.sleep(2)
        probe.go()
        before = probe.line()
        pids = self.broker.workers()
        cpu, reads = cpu_ns(pids) / 1e9, self.metric("store_reads_total")
        load = cause(self, prepared)
        row = load.line()
        probe.go()
        during = probe.line()
        used = cpu_ns(pids) / 1e9 - cpu
        reads = self.metric("store_reads_total") - reads
        load.end()
        probe.end()
        self.show(name, before, during, row, used, reads)

    def show(self, name, before, during, row, used, reads):
        print("%-34s %6.2f s, %6.2f s of CPU, %8s events, %5d reads; live, "
              "ms: p50 %s -> %s, p99 %s -> %s, max %s -> %s" % (
                  (name, float(row[1]), used, row[0], reads) + tuple(
                      "%.1f" % (int(each) / 1000) for pair in
                      zip(before[1:], during[1:]) for each in pair)),
              flush=True)
        # "*" has the probe's events, too, whose numbers are times.
        if row[2:] != ["0", "0", "0"] and "*" not in name:
            raise SystemExit("missing, doubled, out of order: %s" % row[2:])


def history(events, fillers=0, filler_size=1000):
    """So many events of "bench", and then others; the cursor before them."""
    def prepare(storm):
        cursor = storm.mark()
        storm.publish(events)
        if fillers:
            with storm.broker.publisher("filler") as publisher:
                publisher.publish_many(("filler", "x" * filler_size)
                                       for _ in range(fillers))
        return cursor
    return prepare


def returning(count, events, channels="bench"):
    def cause(storm, cursor):
        return storm.storm(count, "channels=%s&since=%s" % (channels, cursor),
                           events)
    return cause


def stalled(count, events):
    def cause(storm, _):
        load = storm.storm(count, "channels=bench", -events)
        load.line()
        storm.publish(events)
        load.go()
        return load
    return cause


class Busy:
    """`load deliver`: its row is what it delivered."""

    def __init__(self, storm, count, events):
        self.load = Load(storm.path, "deliver", storm.broker.socket,
                         storm.broker.port, count, events, 128)
        self.load.line()
        self.load.go()
        self.line, self.end = self.load.line, self.load.end


def nothing(count, query):
    """Streams that no event is for, and that have to find that out."""
    def cause(storm, _):
        return storm.storm(count, query + "&since=0-0", 0)
    return cause


def many_channels(count, rows):
    def prepare(storm):
        with storm.broker.publisher("many") as publisher:
            publisher.publish_many(("p:%d" % (n % count), "x" * 100)
                                   for n in range(rows))
    return prepare


# What covers all comes last: each event is held against all the others.
PATTERNS = "channels=%s,p:*&types=none" % ",".join(
    "q:%d" % n for n in range(1500))

CASES = {
    "window": lambda storm, n, k: storm.run(
        "%d x %d from the window" % (n, k), history(k), returning(n, k)),
    "store": lambda storm, n, k: storm.run(
        "%d x %d from the store" % (n // 10, k), history(k, 3000),
        returning(n // 10, k), **{"broker.window": "512k"}),
    "all": lambda storm, n, k: storm.run(
        "1 x * over %d" % (30 * n), history(30 * n),
        returning(1, 30 * n, "*"), **{"broker.window": "512k"}),
    "busy": lambda storm, n, k: storm.run(
        "busy channel, %d streams" % (n // 10), lambda storm: None,
        lambda storm, _: Busy(storm, n // 10, 20 * k)),
    "slow": lambda storm, n, k: storm.run(
        "%d stalled readers drain" % (n // 10), lambda storm: None,
        stalled(n // 10, 20 * k)),
    "nothing": lambda storm, n, k: storm.run(
        "20 x nothing of %d" % (30 * n), history(30 * n),
        nothing(20, "channels=*&types=none"), **{"broker.window": "512k"}),
    "prefix": lambda storm, n, k: storm.run(
        "20 x nothing of 10000 channels", many_channels(10000, 10 * n),
        nothing(20, "channels=p:*&types=none"), **{"broker.window": "512k"}),
    "exact": lambda storm, n, k: storm.run(
        "20 x 256 channels of %d rows" % (10 * n),
        many_channels(10000, 10 * n),
        nothing(20, "channels=" + ",".join("p:%d" % n for n in range(256))),
        **{"broker.window": "512k"}),
    "patterns": lambda storm, n, k: storm.run(
        "20 x 1500 patterns over %d rows" % (10 * n),
        many_channels(10000, 10 * n), nothing(20, PATTERNS),
        **{"broker.window": "512k", "http.max_channels": "4096"}),
    "patterns-window": lambda storm, n, k: storm.run(
        "20 x 1500 patterns in the window", many_channels(10000, 5 * n),
        nothing(20, PATTERNS), **{"http.max_channels": "4096"}),
    "large": lambda storm, n, k: storm.run(
        "20 x nothing of %d events of 60k" % (n // 10),
        lambda storm: storm.publish(n // 10, 60000),
        nothing(20, "channels=*&types=none"), **{"broker.window": "512k"}),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--streams", type=int, default=10000)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    options = parser.parse_args()
    os.environ["SSEMUX_BUILD"] = os.path.abspath(options.build)
    begin(30, options.streams)
    storm = Storm(options.build, options.workers)
    for name in options.cases:
        CASES[name](storm, options.streams, options.events)


if __name__ == "__main__":
    main()
