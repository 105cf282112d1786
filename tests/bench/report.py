"""report: what was to be reached and what was, and tables, for people, for
programs and for RESULTS.md."""
import argparse
import json
import os
import platform
import signal
import sys
import time

from rounds import raise_descriptors
from servers import check_built


class Targets:
    """What was to be reached, and what was."""

    def __init__(self):
        self.rows = []

    def at_most(self, name, value, bound):
        if value is not None:
            self.rows.append((name, value, "<=", bound, value <= bound))

    def at_least(self, name, value, bound):
        if value is not None:
            self.rows.append((name, value, ">=", bound, value >= bound))

    def tell(self, name, value):
        """A figure that nothing was asked of."""
        if value is not None:
            self.rows.append((name, value, "", None, None))

    def show(self):
        for name, value, sign, bound, reached in self.rows:
            print("%-62s %12s   %2s %-10s %s" % (
                name, number(value), sign,
                "" if bound is None else number(bound),
                {True: "reached", False: "MISSED", None: ""}[reached]),
                flush=True)

    def as_dict(self):
        return {name: round(value, 3) for name, value, *_ in self.rows}


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


def markdown_table(head, rows):
    """The same for RESULTS.md."""
    lines = ["| %s |" % " | ".join([head[0]] + list(head[1:])),
             "|---|" + "---:|" * (len(head) - 1)]
    for row in rows:
        lines.append("| %s |" % " | ".join(
            cell if isinstance(cell, str) else number(cell) for cell in row))
    return "\n".join(lines)


def bounded(minutes):
    """Ends the program, and with it all it started, when it is told to or has
    taken too long."""
    def end(signum, _):
        sys.exit("bench: took longer than %d minutes" % minutes
                 if signum == signal.SIGALRM else 128 + signum)
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(each, end)
    signal.alarm(60 * minutes)


def show(targets, tables, figures):
    targets.show()
    for head, rows in tables:
        print()
        show_table(head, rows)
    print()
    print(json.dumps({"ratios": targets.as_dict(), "figures": figures,
                      "machine": machine()}))


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
    check_built()
    raise_descriptors()
    bounded(30)
    print(machine(), flush=True)
    targets = Targets()
    figures, tables = measure(options, targets)
    show(targets, tables, figures)


def git_commit():
    """What is measured, when that is known."""
    folder = os.path.dirname(os.path.abspath(__file__))
    with os.popen("git -C '%s' describe --always --dirty 2>/dev/null" %
                  folder) as out:
        return out.read().strip() or "unknown"
