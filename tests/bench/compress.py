#!/usr/bin/env python3
"""compress: what gzip and zstd cost and save: the same events, JSON of orders, to
subscribers of three brokers, with and without, in one run, in turn.

	python3 tests/bench/compress.py [--rounds N] [--seconds S]
"""
import contextlib
import os
import subprocess

from report import run
from rounds import Crowd, Figures
from servers import BUILD, Ssemux

# Name, subscribers, events per second (few, or so many that a stream is busy),
# how many of the channels each subscriber has, and of how many.
LOADS = (("100, rare", 100, 20, 1, 1), ("1,000, rare", 1000, 20, 1, 1),
         ("10,000, rare", 10000, 2, 1, 1), ("100, busy", 100, 2000, 1, 1),
         ("1, alone", 1, 200, 1, 1),
         ("5,000, one channel each", 5000, 2000, 1, 5000),
         ("5,000, 20 channels each", 5000, 1000, 20, 5000))
UNITS = (("writer ns", "ns CPU of workers per delivery"),
         ("bytes", "bytes per delivery"), ("p50", "p50, us"),
         ("p99", "p99, us"), ("faults", "faults"))


def is_built(coding):
    return subprocess.run(
        [os.path.join(BUILD, "ssemuxd"), "-t", "-o",
         "http.compression=" + coding], capture_output=True).returncode == 0


# ssemuxd may be built without zstd.
CODINGS = tuple(filter(is_built, ("gzip", "zstd")))


class Compress:
    def __init__(self, seconds):
        self.seconds = seconds
        self.figures = Figures()

    def note(self, what, load, name, row):
        for figure, value in (
                ("writer ns", row["delivering_ns"]), ("p50", row["p50_us"]),
                ("bytes", row["bytes"] / max(1, row["deliveries"])),
                ("p99", row["p99_us"]), ("faults", row["faults"])):
            self.figures.add("%s %s %s" % (what, load, figure), name, value)

    def load(self, load, rounds):
        name, subscribers, rate, own, channels = load
        burst = min(50000, max(100, 1e6 * channels / subscribers / own))
        with contextlib.ExitStack() as stack:
            crowds = []
            for kind, settings, header in (
                    ("plain", {}, "Accept-Encoding: identity"),
                    *((coding, {"http.compression": coding},
                       "Accept-Encoding: " + coding) for coding in CODINGS)):
                server = Ssemux(**settings)
                stack.callback(server.stop)
                crowd = Crowd(server.start(), subscribers, "-j", "-p",
                              min(2, subscribers), "-c", channels, "-k", own,
                              "-H", header)
                stack.callback(crowd.kill)
                crowds.append((kind, crowd))
            for _ in range(rounds):
                for kind, crowd in crowds:
                    self.note("paced", name, kind, crowd.do(
                        "paced %g %g" % (rate, self.seconds)))
                for kind, crowd in crowds:
                    self.note("burst", name, kind, crowd.do(
                        "burst %d" % burst))


def aim(coding, what, name, figures, targets):
    start = "%s %s " % (what, name)
    targets.at_most("%s: CPU per delivery / without; %s: %s" % (
        coding, what, name), figures.ratio(
            start + "writer ns", coding, "plain"), 1.2)
    left = figures.ratio(start + "bytes", coding, "plain")
    text = "%s: bytes on the wire / without; %s: %s" % (coding, what, name)
    if what == "burst" or "busy" in name:
        targets.at_most(text, left, 0.4)
    else:
        targets.tell(text, left)


def measure(options, targets):
    targets.about(9)
    compress = Compress(options.seconds)
    figures, rows = compress.figures, []
    for load in LOADS:
        name = load[0]
        compress.load(load, options.rounds)
        for what in ("paced", "burst"):
            for coding in CODINGS:
                aim(coding, what, name, figures, targets)
            for kind in ("plain", *CODINGS):
                rows.append(["%s: %s, %s" % (what, name, kind)] + [
                    figures.median("%s %s %s" % (what, name, figure), kind)
                    for figure, _ in UNITS])
    targets.at_most("compressed: missing, doubled, out of order", max(
        max(values) for (what, _), values in figures.rows.items()
        if what.endswith("faults")), 0)
    return figures.as_dict(), [
        (["JSON of orders"] + [text for _, text in UNITS], rows)]


if __name__ == "__main__":
    run(__doc__, measure, rounds=3, seconds=1.5)
