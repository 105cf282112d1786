#!/usr/bin/env python3
"""bench: the broker's figures, beside what they are to be held against.

	python3 tests/bench/bench.py [--full] [PART...]
	python3 tests/bench/bench.py --full --results FILE

Runs all parts, or those named, one after the other; each is a program of its
own, too. Prints what was to be reached and what was, as ratios, then tables,
then a line of JSON. With --full longer, with compression and growth; with
--results it writes what it found into FILE, between its marks, and draws
charts beside it.
"""
import argparse
import os
import re
import sys
import textwrap
import time
from types import SimpleNamespace

import catchup
import channels
import compress
import fanout
import growth
import publish
import report
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

# Each part's charts.
CHARTS = {
    "fanout": ["fanout"],
    "growth": ["growth-cpu", "growth-latency", "growth-memory",
               "growth-workers", "growth-channels",
               "growth-channels-memory"],
}

# The most subscribers that one process has, in a part, with all peers.
CROWDED = {"fanout": 10000, "catchup": 10000, "channels": 10000,
           "compress": 5000, "stalled": 5000, "growth": 18000}

# RESULTS.md has a block for each of these, which a run writes anew.
BLOCKS = ["targets", "machine"] + [part[0] for part in PARTS]
MARKS = "<!-- from here: %s -->", "<!-- until here: %s -->"


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
        found = report.guarded(name, module.measure, options, self.targets)
        if found is None:
            self.failed.append(name)
        else:
            self.figures[name], tables = found
            self.parts.append((name, tables))
        print("bench: %s took %d s" % (name, time.monotonic() - start),
              file=sys.stderr, flush=True)


def targets_block(targets):
    """What was to be reached, point by point."""
    rows = []
    for point, title in report.POINTS.items():
        asked = [row for row in targets.of(point) if row[4] is not None]
        for n, (name, value, sign, bound, reached) in enumerate(asked):
            rows.append([
                "**%d. %s**" % (point, title) if n == 0 else "", name,
                report.number(value), "%s %s" % (
                    sign.replace("<=", "≤").replace(">=", "≥"),
                    report.number(bound)),
                "reached" if reached else "**missed**"])
    return report.markdown_table(
        ["point", "figure", "measured", "to be", "result"], rows, left=2)


def machine_block(machine, commit):
    return textwrap.fill(
        "Commit `%s`, %s: %s, %d processors, Linux %s; load average %.1f when "
        "it began, %.1f when it ended." % (
            commit, machine["time"], machine["processor"],
            machine["processors"], machine["kernel"], machine["load"],
            os.getloadavg()[0]), 118)


def part_block(name, tables):
    return "\n\n".join(
        ["![%s](%s.svg)" % (path, path) for path in CHARTS.get(name, [])] +
        [report.markdown_table(head, rows) for head, rows in tables])


def blocks_of(results, machine, commit):
    """What RESULTS.md holds of a run."""
    return dict(
        [(name, part_block(name, tables)) for name, tables in results.parts],
        targets=targets_block(results.targets),
        machine=machine_block(machine, commit))


def pattern_of(block):
    return re.compile("%s.*?%s" % tuple(
        re.escape(mark % block) for mark in MARKS), re.S)


def check_results(path):
    """Ends the bench when what it is to write has no place there."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for block in BLOCKS:
        if not pattern_of(block).search(text):
            raise SystemExit("bench: %s has no marks for %s" % (path, block))


def write_results(path, blocks):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for name, block in blocks.items():
        whole = "%s\n\n%s\n\n%s" % (MARKS[0] % name, block, MARKS[1] % name)
        text = pattern_of(name).sub(lambda _, whole=whole: whole, text)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


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
    if options.results:
        if options.parts or not options.full:
            parser.error("--results takes --full and no parts")
        check_results(options.results)
    parts = list(chosen(options))
    commit = report.git_commit()
    began = report.begin(45, max(CROWDED.get(part[0], 0) for part in parts))
    print("bench: %s; %s" % (
        ", ".join(part[0] for part in parts), "some minutes" if options.parts
        else "twenty minutes or so" if options.full
        else "six minutes or so"), file=sys.stderr, flush=True)
    results = Results()
    for name, module, settings in parts:
        results.run(name, module, settings)
    if options.results and not results.failed:
        write_results(options.results, blocks_of(results, began, commit))
    report.show(results.targets, [
        table for _, tables in results.parts for table in tables],
        results.figures)
    if results.failed:
        raise SystemExit("bench: failed: %s" % ", ".join(results.failed))


if __name__ == "__main__":
    main()
