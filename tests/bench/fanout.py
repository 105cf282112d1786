#!/usr/bin/env python3
"""fanout: what a delivery costs, beside the bare floor and peers, in one run.

	python3 tests/bench/fanout.py [--peers] [--rounds N] [--subscribers N,N]

All servers are up with their crowds, and are measured in turn: paced, at a
fifth of the floor's load, steady (each event when all have the one before) and
in a burst. CPU is that of the server's processes. Prints ratios, a table, and
one line of JSON.
"""
import contextlib
import os

import chart
from report import run
from rounds import Crowd, Failed, Figures
from servers import Floor, Ssemux, installed_peers

PACED = 20000  # deliveries per second
TOGETHER = (8, 64)  # events that share a write of the floor, in bursts
LATENCIES = 3  # measurements of latency in each round: they vary most

GATHERED = ["floor, %d together" % count for count in TOGETHER]
# Deliveries per second to begin with.
FIRST_BURST = {"ssemux": 2e6, GATHERED[0]: 5e5, GATHERED[1]: 2e6}

UNITS = (("paced ns", "paced, {:,} deliveries/s, ns CPU per delivery"
          .format(PACED)),
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
        self.left_out = set()

    def note(self, what, server, value):
        self.figures.add(what, server.name, value)

    def connect(self, server):
        """A crowd, whose predecessor goes first; what it costs."""
        if server.name in self.left_out:
            return
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
        if server.name not in self.crowds:
            return
        try:
            row = self.crowds[server.name].do(command)
        except Failed as failure:
            self.leave_out(server, failure)
            return
        self.note(name + " ns", server, row["ns"])
        self.note(name + " writer ns", server, row["delivering_ns"])
        self.note(name + " rate", server, row["rate"])
        self.note(name + " p50", server, row["p50_us"])
        self.note(name + " p99", server, row["p99_us"])
        self.note("faults", server, row["faults"])

    def pace(self, rate, seconds):
        return "paced %.4f %g" % (rate / self.subscribers, seconds)

    def round(self, servers):
        singly = [each for each in servers if each.name not in GATHERED]
        for server in singly:
            self.do(server, "paced", self.pace(PACED, self.seconds))
        for server in singly:
            self.do(server, "steady", "steady 100000 %g" % self.seconds)
        fifth = self.figures.median("steady rate", "floor") / 5
        for n in range(LATENCIES):
            for server in singly[:None if n == 0 else 2]:
                self.do(server, "load20", self.pace(
                    fifth, max(self.seconds, 2.5 * self.subscribers / fifth)))
        for server in servers:
            # So much that it lasts about as long.
            rate = self.figures.median("burst rate", server.name) or \
                FIRST_BURST.get(server.name, 1e5)
            self.do(server, "burst", "burst %d" % max(
                10, rate * self.seconds / self.subscribers))

    def run(self, servers, rounds):
        for _ in range(rounds):
            for server in servers:
                try:
                    self.connect(server)
                except Failed as failure:
                    self.leave_out(server, failure)
        for _ in range(rounds):
            self.round(servers)
        for crowd in self.crowds.values():
            crowd.kill()
        return [server.name for server in servers
                if server.name in self.crowds]

    def leave_out(self, server, failure):
        """A peer that cannot go on is left out, and that is said."""
        if server.name in ("floor", "ssemux"):
            raise failure
        print("left out: %s" % failure, flush=True)
        self.left_out.add(server.name)
        self.crowds.pop(server.name, None)


def targets_of(figures, count, targets):
    def ratio(what, other="floor"):
        return figures.ratio(what, "ssemux", other)
    at = " at {:,}".format(count)
    targets.about(1)
    targets.at_most("rare events: CPU per delivery / floor" + at,
                    ratio("paced ns"), 1.15)
    targets.at_most("20 % load: p99 / floor" + at, ratio("load20 p99"), 1.3)
    targets.about(2)
    targets.at_least("burst: deliveries/s / Nchan" + at,
                     ratio("burst rate", "nchan"), 10)
    targets.at_most("burst: ns CPU per delivery" + at,
                    figures.median("burst ns", "ssemux"), 500)
    targets.at_least("burst: deliveries/s" + at,
                     figures.median("burst rate", "ssemux"), 1e6)
    if count >= 10000:
        targets.about(3)
        targets.at_most("userland bytes per idle subscriber" + at,
                        figures.median("memory", "ssemux"), 1000)
    targets.about(4)
    targets.at_most("CPU per connect / floor" + at, ratio("connect us"), 1.5)
    targets.at_most("missing, doubled or out of order" + at,
                    max(figures.rows[("faults", "ssemux")]), 0)


def measure_at(count, options, targets):
    fanout = Fanout(count, options.seconds)
    made = [Floor(), Ssemux()]
    if options.peers:
        made += [peer() for peer in installed_peers()]
        made += [Floor(together) for together in TOGETHER]
    with contextlib.ExitStack() as stack:
        for server in made:
            stack.callback(server.stop)
        for server in made:
            server.start()
        names = fanout.run(made, options.rounds)
    figures = fanout.figures
    targets_of(figures, count, targets)
    rows = [[text] + [figures.median(what, name) for name in names] +
            [figures.ratio(what, "ssemux", "floor")]
            for what, text in UNITS]
    return figures, (["{:,} subscribers".format(count)] + names + [
        "ssemux/floor"], rows)


def draw(all_figures, folder):
    """One chart: what a delivery costs."""
    series = {name: [] for name in ("floor", "ssemux", "nchan", "node")}
    groups = []
    for what in ("paced", "steady", "burst"):
        for count, figures in all_figures.items():
            groups.append("%s, %s" % (what, format(count, ",")))
            for name, line in series.items():
                value = figures.median(what + " ns", name)
                line.append(None if value is None else value / 1000)
    with open(os.path.join(folder, "fanout.svg"), "w") as file:
        file.write(chart.bars(
            "What a delivery costs, by load and number of subscribers",
            "µs CPU of all of the server's processes, logarithmic: less is "
            "better", groups,
            {name: line for name, line in series.items() if any(line)},
            log_y=True))


def measure(options, targets):
    found, tables = {}, []
    for count in map(int, options.subscribers.split(",")):
        found[count], table = measure_at(count, options, targets)
        tables.append(table)
    if options.charts:
        draw(found, options.charts)
    return {count: figures.as_dict()
            for count, figures in found.items()}, tables


if __name__ == "__main__":
    run(__doc__, measure, peers=False, rounds=3, seconds=2.0,
        subscribers="1000,10000", charts="")
