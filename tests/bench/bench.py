#!/usr/bin/env python3
"""bench: the broker's figures, beside what they are to be held against.

	python3 tests/bench/bench.py [--full] [--results FILE] [PART...]

Runs all parts, or those named, one after the other; each is a program of its
own, too. Prints what was to be reached and what was, as ratios, then tables,
then a line of JSON. With --full longer, with compression and growth; with
--results it writes all of that into FILE, between its two marks, and draws
charts beside it.
"""
import argparse
import os
import re
import sys
import textwrap
import time
import traceback
from types import SimpleNamespace

import catchup
import channels
import compress
import fanout
import growth
import publish
import report
import rounds
import servers
import stalled

# Name, module, and its options: short, and full. Together the short ones take
# about five minutes, the full ones less than twenty.
PARTS = (
    ("fanout", fanout,
     dict(subscribers="1000,10000", peers=True, rounds=3, seconds=1.0),
     dict(rounds=4, seconds=1.2)),
    ("publish", publish, dict(rounds=3, scale=0.5), dict(rounds=5, scale=1.0)),
    ("catchup", catchup, dict(subscribers=10000, peers=False, rounds=2),
     dict(peers=True, rounds=3)),
    ("channels", channels,
     dict(subscribers=10000, peers=False, rounds=3, seconds=1.0),
     dict(peers=True, rounds=4, seconds=2.0)),
    ("compress", compress, None, dict(rounds=3, seconds=1.0)),
    ("stalled", stalled, dict(subscribers=5000, events=300000),
     dict(events=1000000)),
    ("growth", growth, None, dict(rounds=3, seconds=1.5)),
)

# What RESULTS.md says above a part's tables, and its charts.
TITLES = {
    "fanout": ("Deliveries", ["fanout.svg"]),
    "publish": ("Publishing", []),
    "catchup": ("Subscribers that return", []),
    "channels": ("Many channels", []),
    "compress": ("Compression", []),
    "stalled": ("Subscribers that never read", []),
    "growth": ("Growth", ["growth-cpu.svg", "growth-latency.svg",
                          "growth-memory.svg", "growth-workers.svg",
                          "growth-channels.svg",
                          "growth-channels-memory.svg"]),
}

MARKS = ("<!-- from here: make bench-full -->",
         "<!-- until here: make bench-full -->")


def chosen(options):
    """(name, module, options) of the parts to run."""
    for name, module, short, full in PARTS:
        if options.parts and name not in options.parts:
            continue
        if short is None and not (options.full or options.parts):
            continue
        settings = dict(short or {}, **(full if options.full or short is None
                                        else {}))
        charts = os.path.dirname(os.path.abspath(options.results)) \
            if options.results else ""
        yield name, module, SimpleNamespace(charts=charts, **settings)


class Results:
    def __init__(self):
        self.targets = report.Targets()
        self.parts = []
        self.figures = {}
        self.failed = []

    def run(self, name, module, options):
        start = time.monotonic()
        print("bench: %s ..." % name, file=sys.stderr, flush=True)
        try:
            self.figures[name], tables = module.measure(options, self.targets)
            self.parts.append((name, tables))
        except servers.Failed as failure:
            print("bench: %s: %s" % (name, failure), file=sys.stderr)
            self.failed.append(name)
        except Exception:  # the others are still worth measuring
            traceback.print_exc()
            self.failed.append(name)
        print("bench: %s took %d s" % (name, time.monotonic() - start),
              file=sys.stderr, flush=True)


def markdown(results, machine, commit):
    """What RESULTS.md holds of a run."""
    out = [textwrap.fill(
        "Commit `%s`, %s: %s, %d processors, Linux %s; load average %.1f when "
        "it began, %.1f when it ended." % (
            commit, machine["time"], machine["processor"],
            machine["processors"], machine["kernel"], machine["load"],
            os.getloadavg()[0]), 118), "", report.markdown_table(
                ["ratio or figure", "measured", "to be", ""],
                [[name, report.number(value),
                  "" if bound is None else "%s %s" % (
                      sign.replace("<=", "≤").replace(">=", "≥"),
                      report.number(bound)),
                  {True: "reached", False: "**missed**", None: ""}[reached]]
                 for name, value, sign, bound, reached in
                 results.targets.rows])]
    for name, tables in results.parts:
        title, charts = TITLES[name]
        out += ["", "## " + title]
        for path in charts:
            out += ["", "![%s](%s)" % (path[:-len(".svg")], path)]
        for head, rows in tables:
            out += ["", report.markdown_table(head, rows)]
    return "\n".join(out)


def write_results(path, text):
    with open(path, encoding="utf-8") as file:
        old = file.read()
    pattern = re.escape(MARKS[0]) + ".*?" + re.escape(MARKS[1])
    if not re.search(pattern, old, re.S):
        raise SystemExit("bench: %s has no marks to write between" % path)
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(pattern, lambda _: "%s\n\n%s\n\n%s" % (
            MARKS[0], text, MARKS[1]), old, flags=re.S))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--results")
    parser.add_argument("parts", nargs="*", metavar="PART",
                        help=", ".join(part[0] for part in PARTS))
    options = parser.parse_args()
    unknown = set(options.parts) - {part[0] for part in PARTS}
    if unknown:
        parser.error("no such part: %s" % ", ".join(sorted(unknown)))
    servers.check_built()
    rounds.raise_descriptors()
    report.bounded(45)
    began, commit = report.machine(), report.git_commit()
    print(began, flush=True)
    results = Results()
    for name, module, settings in chosen(options):
        results.run(name, module, settings)
    if options.results and not results.failed:
        write_results(options.results, markdown(results, began, commit))
    print()
    report.show(results.targets, [
        table for _, tables in results.parts for table in tables],
        results.figures)
    if results.failed:
        raise SystemExit("bench: failed: %s" % ", ".join(results.failed))


if __name__ == "__main__":
    main()
