"""steady: publishers that go on while a test kills things."""
import os
import subprocess
import threading

from broker import BUILD, PUBLISH, die_with_test


class Publisher:
    """A program that publishes "1", "2", ... on its channel until finish()."""

    def __init__(self, command, channel):
        self.channel = channel
        self.acked = []     # (number as text, cursor), in order of arrival
        self.bad = []       # results that are no ack
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, preexec_fn=die_with_test)
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.take(line.rstrip("\n"))

    def end_input(self):
        self.process.stdin.close()

    def finish(self, seconds=90):
        """Lets it get all its acks; its exit status and complaints."""
        self.end_input()
        status = self.process.wait(seconds)
        self.reader.join(seconds)
        errors = self.process.stderr.read()
        self.process.stdout.close()
        self.process.stderr.close()
        return status, errors


class Service(Publisher):
    """A service that uses libpub: by its blocking call, or in its own loop."""

    def __init__(self, broker, channel, how, per_second=300):
        super().__init__([os.path.join(BUILD, "steady"), broker.socket,
                          channel, how, str(per_second)], channel)

    def take(self, line):
        number, cursor, rest = line.split(" ", 2)
        if rest in ("0", "1"):
            self.acked.append((number, cursor))
        else:
            self.bad.append(line)


class Lines(Publisher):
    """ssemux-pub -l -i, fed line by line."""

    def __init__(self, broker, channel, per_second=300):
        super().__init__([PUBLISH, "-s", broker.socket, "-l", "-i", channel],
                         channel)
        self.stopping = threading.Event()
        self.feeder = threading.Thread(
            target=self.feed, args=(per_second,), daemon=True)
        self.fed = 0
        self.feeder.start()

    def feed(self, per_second):
        """A pace, not a wait: the broker is to be busy all the time."""
        try:
            while not self.stopping.wait(1 / per_second):
                self.process.stdin.write("%d\n" % (self.fed + 1))
                self.process.stdin.flush()
                self.fed += 1
        except BrokenPipeError:
            pass  # its exit status tells

    def end_input(self):
        self.stopping.set()
        self.feeder.join()
        try:
            super().end_input()
        except BrokenPipeError:
            pass

    def take(self, line):
        self.acked.append((str(len(self.acked) + 1), line))
