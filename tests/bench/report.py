"""report: what was to be reached and what was, and tables, for people, for
programs and for RESULTS.md; and the frame in which all of the bench runs."""
import argparse
import atexit
import json
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
import traceback

from rounds import check_descriptors, raise_descriptors
from servers import Failed, check_built

# What the bench is to show, in the order in which it is printed.
POINTS = {
    1: "Rare events: one per wake, paced",
    2: "Busy: as fast as it goes",
    3: "Memory",
    4: "Accepting connections",
    5: "Publishing, durable by commit",
    6: "Subscribers that return at once",
    7: "Many channels",
    8: "Growth",
    9: "Compression",
    10: "Each event once, in order",
}
ONCE = 10

WORDS = """\
CPU is processor time of the server's processes; "/ floor" is that, divided by
what a bare server (one send() per event and subscriber) took in the same run:
below 1 is less. Ratios are medians of rounds in turn; other figures depend on
the machine and on what else it does.
"""


class Targets:
    """What was to be reached, and what was."""

    def __init__(self):
        self.point = min(POINTS)
        self.rows = []

    def about(self, point):
        """What the rows that follow belong to."""
        self.point = point

    def add(self, name, value, sign, bound, reached):
        if value is not None:
            self.rows.append((ONCE if "missing, doubled" in name
                              else self.point, name, value, sign, bound,
                              reached))

    def at_most(self, name, value, bound):
        self.add(name, value, "<=", bound, value is None or value <= bound)

    def at_least(self, name, value, bound):
        self.add(name, value, ">=", bound, value is None or value >= bound)

    def tell(self, name, value):
        """A figure that nothing was asked of."""
        self.add(name, value, "", None, None)

    def of(self, point):
        return [row[1:] for row in self.rows if row[0] == point]

    def show(self):
        print("%-62s %12s   %-13s" % ("", "measured", "to be"))
        for point, title in POINTS.items():
            if self.of(point):
                print("%d. %s" % (point, title))
            for name, value, sign, bound, reached in self.of(point):
                print("   %-59s %12s   %2s %-10s %s" % (
                    name, number(value), sign,
                    "" if bound is None else number(bound),
                    {True: "reached", False: "MISSED", None: ""}[reached]),
                    flush=True)

    def summary(self):
        asked = [row for row in self.rows if row[5] is not None]
        missed = [row[1] for row in asked if not row[5]]
        return "\n".join(["bench: %d of %d targets reached" % (
            len(asked) - len(missed), len(asked))] +
            ["bench: missed: " + name for name in missed])

    def as_dict(self):
        return {name: round(value, 3) for _, name, value, *_ in self.rows}


def number(value):
    if value is None:
        return "-"
    return "{:,.0f}".format(value) if abs(value) >= 100 else "%.3g" % value


def show_table(head, rows):
    """Rows of cells as text, in columns."""
    cells = [head] + [[cell if isinstance(cell, str) else number(cell)
                       for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for row in cells:
        print("  ".join([row[0].ljust(widths[0])] +
                        [cell.rjust(width) for cell, width in
                         zip(row[1:], widths[1:])]), flush=True)


def machine():
    model = platform.processor()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "processors": os.cpu_count(),
            "kernel": platform.release(),
            "load": round(os.getloadavg()[0], 1),
            "time": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())}


def markdown_table(head, rows, left=1):
    """The same for RESULTS.md; so many columns are words."""
    lines = ["| %s |" % " | ".join([head[0]] + list(head[1:])),
             "|" + "---|" * left + "---:|" * (len(head) - left)]
    for row in rows:
        lines.append("| %s |" % " | ".join(
            cell if isinstance(cell, str) else number(cell) for cell in row))
    return "\n".join(lines)


def in_words(machine):
    return "%s, %d processors, Linux %s; load average %.1f; %s" % (
        machine["processor"], machine["processors"], machine["kernel"],
        machine["load"], machine["time"])


ENDING = []  # why, when the bench has been told to end


def bounded(minutes):
    """Ends the program, and with it all it started and wrote, when it is told
    to or has taken too long."""
    folder = tempfile.mkdtemp(prefix="ssemux-bench-")
    tempfile.tempdir = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)

    def end(signum, _):
        # Once: what was started is to be ended in peace.
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        ENDING.append(128 + signum)
        print("\nbench: %s" % (
            "took longer than %d minutes" % minutes
            if signum == signal.SIGALRM else "interrupted"),
            file=sys.stderr, flush=True)
        sys.exit(ENDING[0])
    for each in signals:
        signal.signal(each, end)
    signal.alarm(60 * minutes)


def begin(minutes, subscribers=0):
    """What each part of the bench begins with; returns the machine. So many
    subscribers may be in one process."""
    check_built()
    raise_descriptors()
    bounded(minutes)
    try:
        check_descriptors(subscribers)
    except Failed as failure:
        raise SystemExit("bench: %s" % failure)
    found = machine()
    print(in_words(found), flush=True)
    if found["load"] > found["processors"] / 2:
        print("bench: other work is going on (load average %.1f): times will "
              "be long, and ratios less exact" % found["load"],
              file=sys.stderr, flush=True)
    return found


def guarded(name, function, *arguments):
    """What it returns; None when it failed, which is told."""
    try:
        return function(*arguments)
    except Failed as failure:
        print("bench: %s: %s" % (name, failure), file=sys.stderr)
    except Exception:  # others are still worth measuring
        if ENDING:  # which is why
            raise SystemExit(ENDING[0]) from None
        traceback.print_exc()
    return None


def show(targets, tables, figures):
    print("\n" + WORDS)
    targets.show()
    for head, rows in tables:
        print()
        show_table(head, rows)
    print()
    print(json.dumps({"ratios": targets.as_dict(), "figures": figures,
                      "machine": machine()}), flush=True)
    print(targets.summary(), file=sys.stderr, flush=True)


def run(doc, measure, **defaults):
    """One part of the bench by itself: options with these defaults, then its
    figures."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawTextHelpFormatter)
    for name, value in defaults.items():
        if value is False:
            parser.add_argument("--" + name, action="store_true")
        else:
            parser.add_argument("--" + name, type=type(value), default=value)
    options = parser.parse_args()
    begin(30)
    targets = Targets()
    result = guarded("it failed", measure, options, targets)
    if result is None:
        raise SystemExit(1)
    figures, tables = result
    show(targets, tables, figures)


def git_commit():
    """What is measured, when that is known."""
    folder = os.path.dirname(os.path.abspath(__file__))
    with os.popen("git -C '%s' describe --always --dirty 2>/dev/null" %
                  folder) as out:
        return out.read().strip() or "unknown"
