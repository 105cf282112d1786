#!/usr/bin/env python3
"""compress: what gzip costs and saves: the same events, JSON of orders, to
subscribers of two brokers, with and without, in one run, in turn.

	python3 tests/bench/compress.py [--rounds N] [--seconds S]
"""
import contextlib

from report import run
from rounds import Crowd, Figures
from servers import Ssemux

# Name, subscribers, and deliveries per second, so that each has few events; or
# events per second, so that a stream is busy.
LOADS = (("100, rare", 100, 20), ("1,000, rare", 1000, 20),
         ("10,000, rare", 10000, 2), ("100, busy", 100, 2000))
UNITS = (("writer ns", "ns CPU of workers per delivery"),
         ("bytes", "bytes per delivery"), ("p50", "p50, us"),
         ("p99", "p99, us"), ("faults", "faults"))


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

    def load(self, name, subscribers, rate, rounds):
        with contextlib.ExitStack() as stack:
            crowds = []
            for kind, settings, header in (
                    ("plain", {}, "Accept-Encoding: identity"),
                    ("gzip", {"http.compression": "gzip"},
                     "Accept-Encoding: gzip")):
                server = Ssemux(**settings)
                stack.callback(server.stop)
                crowd = Crowd(server.start(), subscribers, "-j", "-p", 2, "-H",
                              header)
                stack.callback(crowd.kill)
                crowds.append((kind, crowd))
            for _ in range(rounds):
                for kind, crowd in crowds:
                    self.note("paced", name, kind, crowd.do(
                        "paced %g %g" % (rate, self.seconds)))
                for kind, crowd in crowds:
                    self.note("burst", name, kind, crowd.do(
                        "burst %d" % max(100, 1e6 / subscribers)))


def measure(options, targets):
    compress = Compress(options.seconds)
    figures, rows = compress.figures, []
    for name, subscribers, rate in LOADS:
        compress.load(name, subscribers, rate, options.rounds)
        for what in ("paced", "burst"):
            start = "%s %s " % (what, name)
            targets.at_most("gzip: CPU per delivery / without; %s: %s" % (
                what, name), figures.ratio(start + "writer ns", "gzip",
                                           "plain"), 1.2)
            bytes_left = figures.ratio(start + "bytes", "gzip", "plain")
            text = "gzip: bytes on the wire / without; %s: %s" % (what, name)
            if what == "burst" or "busy" in name:
                targets.at_most(text, bytes_left, 0.4)
            else:
                targets.tell(text, bytes_left)
            for kind in ("plain", "gzip"):
                rows.append(["%s: %s, %s" % (what, name, kind)] + [
                    figures.median(start + figure, kind)
                    for figure, _ in UNITS])
    targets.at_most("gzip: missing, doubled, out of order", max(
        max(values) for (what, _), values in figures.rows.items()
        if what.endswith("faults")), 0)
    return figures.as_dict(), [
        (["JSON of orders"] + [text for _, text in UNITS], rows)]


if __name__ == "__main__":
    run(__doc__, measure, rounds=3, seconds=1.5)
