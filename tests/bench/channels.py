#!/usr/bin/env python3
"""channels: what it costs when subscribers have many channels each, and when
nobody reads a channel, in one run, in turn.

	python3 tests/bench/channels.py [--peers] [--rounds N] [--subscribers N]
"""
import contextlib

from report import run
from rounds import Crowd, Failed, Figures
from servers import Floor, Ssemux, installed_peers

PACED = 20000  # deliveries per second

# Name, channels, of them for each subscriber. The first two have as many
# readers of each channel, and so of each event.
CASES = (("20 of 10,000", 10000, 20), ("1 of 500", 500, 1), ("1 of 1", 1, 1))

UNITS = (("paced writer ns", "paced, {:,} deliveries/s: ns CPU of who writes"
          .format(PACED)),
         ("paced ns", "... of all processes"),
         ("paced p50", "... p50, us"), ("paced p99", "... p99, us"),
         ("burst writer ns", "burst: ns CPU of who writes"),
         ("burst ns", "... of all processes"),
         ("burst rate", "... deliveries/s"),
         ("connect us", "connecting, us CPU each"),
         ("memory", "userland bytes per idle subscriber"),
         ("faults", "missing, doubled, out of order"))


class Channels:
    def __init__(self, subscribers, seconds):
        self.subscribers = subscribers
        self.seconds = seconds
        self.figures = Figures()

    def note(self, what, name, value):
        self.figures.add(what, name, value)

    def connect(self, name, server, case):
        before = server.memory()
        crowd = Crowd(server, self.subscribers, "-p", 2, "-c", case[1],
                      "-k", case[2])
        self.note("connect us", name, crowd.cpu_ns / self.subscribers / 1e3)
        self.note("memory", name,
                  (server.memory() - before) / self.subscribers)
        # How many have an event.
        crowd.readers = self.subscribers * case[2] / case[1]
        return crowd

    def measure(self, name, crowd, burst):
        for kind, command in (
                ("paced", "paced %.4f %g" % (PACED / crowd.readers,
                                             self.seconds)),
                ("burst", "burst %d" % max(10, burst / crowd.readers))):
            row = crowd.do(command)
            self.note(kind + " ns", name, row["ns"])
            self.note(kind + " writer ns", name, row["delivering_ns"])
            self.note(kind + " rate", name, row["rate"])
            self.note(kind + " p50", name, row["p50_us"])
            self.note(kind + " p99", name, row["p99_us"])
            self.note("faults", name, row["faults"])

    def nobody(self, crowd, workers):
        """A worker's cost of an event that nobody there has."""
        events = 100000
        row = crowd.do("nobody %d" % events)
        self.note("nobody ns", "ssemux",
                  row["delivering_cpu_ns"] / events / workers)

    def run(self, rounds, peers):
        with contextlib.ExitStack() as stack:
            crowds = []
            for case in CASES:
                for server, name in ((Ssemux(), case[0]),
                                     (Floor(), "floor, " + case[0])):
                    stack.callback(server.stop)
                    crowd = self.connect(name, server.start(), case)
                    stack.callback(crowd.kill)
                    crowds.append((name, crowd,
                                   1e6 if server.name == "ssemux" else 2e5))
            first = crowds[0][1]
            for peer in peers:
                server = peer()
                stack.callback(server.stop)
                try:
                    crowd = self.connect(server.name, server.start(), CASES[0])
                except Failed as failure:
                    print("left out: %s" % failure, flush=True)
                    continue
                stack.callback(crowd.kill)
                crowds.append((server.name, crowd, 1e5))
            for _ in range(rounds):
                for name, crowd, burst in crowds:
                    self.measure(name, crowd, burst)
                self.nobody(first, first.server.workers)
        return [name for name, _, _ in crowds]


def measure(options, targets):
    targets.about(7)
    channels = Channels(options.subscribers, options.seconds)
    names = channels.run(options.rounds,
                         installed_peers() if options.peers else [])
    figures = channels.figures
    many, few, one = (case[0] for case in CASES)
    text = "20 channels each: %s CPU per delivery, workers / %s"
    for what in ("paced", "burst"):
        targets.at_most(text % (what, few),
                        figures.ratio(what + " writer ns", many, few), 1.3)
    targets.tell(text % ("paced", one),
                 figures.ratio("paced writer ns", many, one))
    for each in (many, few, one):
        targets.tell("%s: paced CPU per delivery, workers / floor" % each,
                     figures.ratio("paced writer ns", each, "floor, " + each))
    targets.at_most("an event that nobody reads: ns CPU of a worker",
                    figures.median("nobody ns", "ssemux"), 300)
    targets.at_most("many channels: missing, doubled, out of order",
                    max(value for case in CASES
                        for value in figures.rows["faults", case[0]]), 0)
    rows = [[text] + [figures.median(what, name) for name in names]
            for what, text in UNITS]
    head = ["{:,} subscribers; CPU for each delivery".format(
        options.subscribers)] + [
        name if name.startswith("floor") else
        ("ssemux, " + name if "of" in name else name + ", " + many)
        for name in names]
    return figures.as_dict(), [(head, rows)]


if __name__ == "__main__":
    run(__doc__, measure, peers=False, rounds=3, seconds=2.0,
        subscribers=10000)
