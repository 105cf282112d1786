"""rounds: one crowd, what it measures, and figures of several rounds: medians,
and ratios of what was measured right after one another."""
import json
import os
import platform
import resource
import select
import statistics
import subprocess
import time

from servers import BUILD, cpu_ns, die_with_test, wait_for

COMMAND_S = 180  # no command takes longer


class Failed(Exception):
    """A server or a crowd that could not go on."""


class Crowd:
    """Subscribers of a server, all connected, and its publisher."""

    def __init__(self, server, subscribers, *arguments, command=None):
        self.server = server
        self.subscribers = subscribers
        before = cpu_ns(server.pids())
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "crowd")] + (command or server.crowd()) +
            ["-n", str(subscribers)] + [str(each) for each in arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=die_with_test)
        self.ready = self.line()
        self.cpu_ns = cpu_ns(server.pids()) - before

    def line(self):
        if not select.select([self.process.stdout], [], [], COMMAND_S)[0]:
            raise Failed("%s: no answer in %d s" % (self.server.name,
                                                    COMMAND_S))
        line = self.process.stdout.readline()
        if not line:
            raise Failed("%s: its crowd has ended" % self.server.name)
        return json.loads(line)

    def do(self, command):
        """A command's report, with the server's processor time."""
        pids, writers = self.server.pids(), self.server.delivering()
        before = cpu_ns(pids), cpu_ns(writers)
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        row = self.line()
        row["cpu_ns"] = cpu_ns(pids) - before[0]
        row["delivering_cpu_ns"] = cpu_ns(writers) - before[1]
        row["faults"] = (row["missing"] + row["doubled"] + row["swapped"] +
                         row["strays"])
        count = max(1, row["deliveries"])
        row["ns"] = row["cpu_ns"] / count
        row["delivering_ns"] = row["delivering_cpu_ns"] / count
        row["rate"] = row["deliveries"] / row["seconds"]
        return row

    def close(self):
        """Ends it, and waits until the server has seen that."""
        sockets = self.server.sockets()
        self.kill()
        wait_for(lambda: self.server.sockets() <= sockets - self.subscribers,
                 "the end of %d streams" % self.subscribers, 60)

    def kill(self):
        self.process.kill()
        self.process.communicate()


class Figures:
    """(what, of whom) -> the values of all rounds, in their order."""

    def __init__(self):
        self.rows = {}

    def add(self, what, whom, value):
        self.rows.setdefault((what, whom), []).append(value)

    def median(self, what, whom):
        values = self.rows.get((what, whom))
        return statistics.median(values) if values else None

    def ratio(self, what, one, other):
        """The median of the rounds' ratios; None: one is not there."""
        pairs = [a / b for a, b in zip(self.rows.get((what, one), []),
                                       self.rows.get((what, other), [])) if b]
        return statistics.median(pairs) if pairs else None

    def as_dict(self):
        return {"%s %s" % key: round(statistics.median(values), 3)
                for key, values in self.rows.items()}


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


def raise_descriptors(wanted=20000):
    """So many may be open; the programs that are started inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise SystemExit("bench: needs a limit of %d open files (ulimit -Hn "
                         "says %d)" % (wanted, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
