#!/usr/bin/env python3
"""growth: CPU per delivery, memory and latency as subscribers, workers and
channels grow; with the bare floor beside it.

	python3 tests/bench/growth.py [--rounds N] [--seconds S]

Always 20,000 deliveries per second. Draws charts with --charts FOLDER.
"""
import contextlib
import os

import chart
from report import run
from rounds import Crowd, Figures
from servers import Floor, Ssemux

PACED = 20000
SUBSCRIBERS = (100, 1000, 5000, 18000)
WORKERS = (1, 2, 4)
PER_WORKER = 4000
# Channels, and of them for each of 10,000 subscribers: 20 readers of each, but
# of the single one.
CHANNELS = ((1, 1), (500, 1), (10000, 20), (100000, 200))


class Growth:
    def __init__(self, options):
        self.rounds = options.rounds
        self.seconds = options.seconds
        self.figures = Figures()

    def point(self, what, servers, subscribers, channels=1, each=1):
        """Measures both in turn, and notes it as `what`."""
        with contextlib.ExitStack() as stack:
            crowds = []
            for server in servers:
                stack.callback(server.stop)
                server.start()
                before = server.memory()
                crowd = Crowd(server, subscribers, "-p",
                              1 + subscribers // 10000, "-c", channels, "-k",
                              each)
                stack.callback(crowd.kill)
                crowds.append(crowd)
                self.note(what, "memory", server,
                          (server.memory() - before) / subscribers)
                self.note(what, "connect us", server,
                          crowd.cpu_ns / subscribers / 1e3)
            rate = PACED / (subscribers * each / channels)
            for _ in range(self.rounds):
                for crowd in crowds:
                    row = crowd.do("paced %.4f %g" % (rate, max(
                        self.seconds, 2.5 / rate)))
                    self.note(what, "ns", crowd.server, row["delivering_ns"])
                    self.note(what, "all ns", crowd.server, row["ns"])
                    self.note(what, "p50", crowd.server, row["p50_us"])
                    self.note(what, "p99", crowd.server, row["p99_us"])
                    self.note(what, "faults", crowd.server, row["faults"])

    def note(self, what, figure, server, value):
        self.figures.add("%s %s" % (what, figure), server.name, value)

    def run(self):
        for count in SUBSCRIBERS:
            self.point("subscribers %d" % count, [
                Floor(workers=1), Ssemux(workers=1)], count)
        for workers in WORKERS:
            self.point("workers %d" % workers, [
                Floor(workers=workers), Ssemux(workers=workers)],
                workers * PER_WORKER)
        for channels, each in CHANNELS:
            self.point("channels %d" % channels, [Floor(), Ssemux()], 10000,
                       channels, each)

    def series(self, kind, points, figure, name):
        return [(point, self.figures.median("%s %d %s" % (kind, point, figure),
                                            name)) for point in points]


def tables_of(growth):
    tables = []
    for kind, points, names, text in (
            ("subscribers", SUBSCRIBERS, ("floor", "ssemux"),
             "subscribers of one worker"),
            ("workers", WORKERS, ("floor", "ssemux"),
             "workers with %d subscribers each" % PER_WORKER),
            ("channels", [each[0] for each in CHANNELS], ("floor", "ssemux"),
             "channels, 10,000 subscribers with 1, 1, 20 and 200 of them")):
        rows = []
        for figure, label in (("ns", "ns CPU per delivery, who writes"),
                              ("all ns", "ns CPU per delivery, all"),
                              ("p50", "p50, us"), ("p99", "p99, us"),
                              ("memory", "bytes per subscriber"),
                              ("connect us", "us CPU per connect"),
                              ("faults", "missing, doubled, out of order")):
            for name in names:
                rows.append(["%s: %s" % (name, label)] + [
                    value for _, value in growth.series(kind, points, figure,
                                                        name)])
        tables.append(([text] + ["{:,}".format(each) for each in points],
                       rows))
    return tables


def draw(growth, folder):
    """Three charts of subscribers, and one each of workers and channels."""
    def write(name, text):
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)

    def both(kind, points, figure, scale=1):
        return {name: [(x, y / scale) for x, y in growth.series(
            kind, points, figure, name)] for name in ("floor", "ssemux")}
    write("growth-cpu.svg", chart.lines(
        "CPU per delivery, one worker, 20,000 deliveries/s", "subscribers",
        "µs of the process that writes",
        both("subscribers", SUBSCRIBERS, "ns", 1000)))
    latency = {}
    for figure in ("p50", "p99"):
        for name, line in both("subscribers", SUBSCRIBERS, figure,
                               1000).items():
            latency["%s %s" % (name, figure)] = line
    write("growth-latency.svg", chart.lines(
        "From published to read, one worker, 20,000 deliveries/s",
        "subscribers, who all get each event",
        "ms, logarithmic: the median, and 99 of 100 are faster", latency,
        log_y=True))
    write("growth-memory.svg", chart.lines(
        "Userland memory of all processes, one worker", "subscribers",
        "bytes per idle subscriber", {"ssemux": growth.series(
            "subscribers", SUBSCRIBERS[1:], "memory", "ssemux")}))
    write("growth-workers.svg", chart.lines(
        "CPU per delivery, %s subscribers per worker" % format(
            PER_WORKER, ","), "workers", "µs of the processes that write",
        both("workers", WORKERS, "ns", 1000)))
    channels = [each[0] for each in CHANNELS]
    write("growth-channels.svg", chart.lines(
        "10,000 subscribers with 1, 1, 20 and 200 channels each",
        "channels, each with 20 readers; the single one has 10,000",
        "µs CPU per delivery, 20,000 deliveries/s",
        {name: [(x, y / 1000) for x, y in growth.series(
            "channels", channels, figure, whom)] for name, figure, whom in (
                ("floor", "ns", "floor"), ("ssemux: workers", "ns", "ssemux"),
                ("ssemux: all", "all ns", "ssemux"))}))
    write("growth-channels-memory.svg", chart.lines(
        "10,000 subscribers with 1, 1, 20 and 200 channels each", "channels",
        "userland bytes per idle subscriber", {"ssemux": growth.series(
            "channels", channels, "memory", "ssemux")}))


def measure(options, targets):
    targets.about(8)
    growth = Growth(options)
    growth.run()
    if options.charts:
        draw(growth, options.charts)
    kinds = (("subscribers", SUBSCRIBERS), ("workers", WORKERS))
    for kind, points in kinds:
        line = growth.series(kind, points, "ns", "ssemux")
        bare = growth.series(kind, points, "ns", "floor")
        what = "CPU per delivery, %d / %d %s" % (points[-1], points[1], kind)
        targets.tell("growth: " + what, line[-1][1] / line[1][1])
        targets.tell("growth of the floor: " + what, bare[-1][1] / bare[1][1])
    targets.at_most("growth: missing, doubled, out of order", max(
        max(values) for (what, name), values in growth.figures.rows.items()
        if what.endswith("faults") and name == "ssemux"), 0)
    return growth.figures.as_dict(), tables_of(growth)


if __name__ == "__main__":
    run(__doc__, measure, rounds=3, seconds=2.0, charts="")
