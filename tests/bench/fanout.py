#!/usr/bin/env python3
"""fanout: what a delivery costs, beside the bare floor and peers, in one run.

	python3 tests/bench/fanout.py [--peers] [--rounds N] [--subscribers N,N]

All servers are up with their crowds, and are measured in turn: paced, at a
fifth of the floor's load, steady (each event when all have the one before) and
in a burst. CPU is that of the server's processes. Prints ratios, a table, and
one line of JSON.
"""
import argparse
import contextlib
import json

from rounds import (Crowd, Failed, Figures, Targets, machine,
                    raise_descriptors, show_table)
from servers import Floor, Ssemux, installed_peers

PACED = 20000  # deliveries per second

UNITS = (("paced ns", "paced %d deliveries/s, ns CPU per delivery" % PACED),
         ("paced writer ns", "... of it the processes that write"),
         ("load20 p50", "at 20 % of the floor's load, p50, us"),
         ("load20 p99", "... p99, us"),
         ("load20 ns", "... ns CPU per delivery"),
         ("steady ns", "steady, ns CPU per delivery"),
         ("steady writer ns", "... of it the processes that write"),
         ("steady rate", "... deliveries/s"),
         ("burst ns", "saturated burst, ns CPU per delivery"),
         ("burst rate", "... deliveries/s"),
         ("connect us", "connecting, us CPU each"),
         ("memory", "userland bytes per idle subscriber"),
         ("faults", "missing, doubled, out of order"))


class Fanout:
    def __init__(self, subscribers, seconds):
        self.subscribers = subscribers
        self.seconds = seconds
        self.figures = Figures()
        self.crowds = {}

    def note(self, what, server, value):
        self.figures.add(what, server.name, value)

    def connect(self, server):
        """A crowd, whose predecessor goes first; what it costs."""
        old = self.crowds.pop(server.name, None)
        if old is not None:
            old.close()
        before = server.memory()
        crowd = Crowd(server, self.subscribers, "-p",
                      2 if self.subscribers >= 5000 else 1)
        self.crowds[server.name] = crowd
        self.note("connect us", server, crowd.cpu_ns / self.subscribers / 1e3)
        if old is None:
            self.note("memory", server,
                      (server.memory() - before) / self.subscribers)

    def do(self, server, name, command):
        row = self.crowds[server.name].do(command)
        self.note(name + " ns", server, row["ns"])
        self.note(name + " writer ns", server, row["delivering_ns"])
        self.note(name + " rate", server, row["rate"])
        self.note(name + " p50", server, row["p50_us"])
        self.note(name + " p99", server, row["p99_us"])
        self.note("faults", server, row["faults"])

    def pace(self, rate, seconds):
        return "paced %.4f %g" % (rate / self.subscribers, seconds)

    def round(self, servers):
        for server in servers:
            self.do(server, "paced", self.pace(PACED, self.seconds))
        for server in servers:
            self.do(server, "steady", "steady 100000 %g" % self.seconds)
        fifth = self.figures.median("steady rate", "floor") / 5
        for server in servers:
            self.do(server, "load20", self.pace(fifth, self.seconds))
        for server in servers:
            # So much that it lasts about as long.
            rate = {"ssemux": 4e6}.get(server.name, 2e5)
            if (self.figures.median("burst rate", server.name) or 0) > rate:
                rate = self.figures.median("burst rate", server.name)
            self.do(server, "burst", "burst %d" % max(
                10, rate * self.seconds / self.subscribers))

    def run(self, servers, rounds):
        servers = list(servers)
        for _ in range(rounds):
            for server in list(servers):
                self.careful(self.connect, server, servers)
        for _ in range(rounds):
            self.round(servers)
        for crowd in self.crowds.values():
            crowd.kill()
        return [server.name for server in servers]

    def careful(self, what, server, servers):
        """A peer that cannot is left out, and that is said."""
        try:
            what(server)
        except Failed as failure:
            if server.name in ("floor", "ssemux"):
                raise
            print("left out: %s" % failure, flush=True)
            servers.remove(server)


def targets_of(figures, count, targets):
    def ratio(what, other="floor"):
        return figures.ratio(what, "ssemux", other)
    at = " at {:,}".format(count)
    targets.at_most("rare events: CPU per delivery / floor" + at,
                    ratio("paced ns"), 1.15)
    targets.at_most("20 % load: p99 / floor" + at, ratio("load20 p99"), 1.3)
    targets.at_least("burst: deliveries/s / Nchan" + at,
                     ratio("burst rate", "nchan"), 10)
    targets.at_most("burst: ns CPU per delivery" + at,
                    figures.median("burst ns", "ssemux"), 500)
    targets.at_least("burst: deliveries/s" + at,
                     figures.median("burst rate", "ssemux"), 1e6)
    if count >= 10000:
        targets.at_most("userland bytes per idle subscriber" + at,
                        figures.median("memory", "ssemux"), 1000)
    targets.at_most("CPU per connect / floor" + at, ratio("connect us"), 1.5)
    targets.at_most("missing, doubled or out of order" + at,
                    max(figures.rows[("faults", "ssemux")]), 0)


def measure(count, options, targets):
    fanout = Fanout(count, options.seconds)
    kinds = [Floor, Ssemux] + (installed_peers() if options.peers else [])
    with contextlib.ExitStack() as stack:
        servers = []
        for kind in kinds:
            server = kind()
            stack.callback(server.stop)
            servers.append(server.start())
        names = fanout.run(servers, options.rounds)
    figures = fanout.figures
    targets_of(figures, count, targets)
    rows = [[text] + [figures.median(what, name) for name in names] +
            [figures.ratio(what, "ssemux", "floor")]
            for what, text in UNITS]
    return figures, ["{:,} subscribers".format(count)] + names + [
        "ssemux/floor"], rows


def add_options(parser):
    parser.add_argument("--peers", action="store_true",
                        help="measure Nchan and Node, too, when installed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0,
                        help="of each measurement")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    add_options(parser)
    parser.add_argument("--subscribers", default="1000,10000")
    options = parser.parse_args()
    raise_descriptors()
    print("events of 200 bytes; %s" % machine(), flush=True)
    targets, tables, out = Targets(), [], {}
    for count in map(int, options.subscribers.split(",")):
        figures, head, rows = measure(count, options, targets)
        tables.append((head, rows))
        out[count] = figures.as_dict()
    targets.show()
    for head, rows in tables:
        print()
        show_table(head, rows)
    print(json.dumps({"ratios": targets.as_dict(), "figures": out,
                      "machine": machine()}))


if __name__ == "__main__":
    main()
