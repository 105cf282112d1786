"""rounds: one crowd, what it measures, and figures of several rounds: medians,
and ratios of what was measured right after one another."""
import json
import resource
import select
import statistics
import subprocess

from servers import Failed, cpu_ns, program, wait_for
from broker import die_with_test

COMMAND_S = 180  # no command takes longer


class Crowd:
    """Subscribers of a server, all connected, and its publisher."""

    def __init__(self, server, subscribers, *arguments):
        check_descriptors(subscribers // server.workers)
        self.server = server
        self.subscribers = subscribers
        before = cpu_ns(server.pids())
        self.process = subprocess.Popen(
            [program("crowd")] + server.crowd() +
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


def raise_descriptors(wanted=20000):
    """So many may be open, or as many as the system lets be; the programs that
    are started inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def check_descriptors(subscribers):
    """One process may have to hold them all."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if subscribers + 1000 > limit:
        raise Failed(
            "{:,} subscribers in one process need a limit of {:,} open files, "
            "which is {:,}: raise it (ulimit -Hn), or ask for less (--help)"
            .format(subscribers, subscribers + 1000, limit))
