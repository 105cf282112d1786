"""model_world: a broker that many stories share, the log of it, its publishers
and its clients. What the broker decides by its own pace is waited for here, so
that all that clients see is determined: history that is over the limits has
been let go before anybody asks for it; and nobody but who has stopped reading
is so far behind that it could concern him.
"""
import collections
import sqlite3
import time

import msgpack_wire as wire
import sse_client
from broker import wait_for
from model_client import Asked, Client
from model_log import Log
from model_stream import Wrong
from source import Acked, Source

Mode = collections.namedtuple(
    "Mode", "limit window kills workers send_buffer rules", defaults=((),))
Mode.__doc__ = """limit: of the history, in events; window: of a worker. With a
limit below the window, or with rules for channels (see Log), what the store
has let go of may still be there."""

KEEP = {0: {"keep": "none"}, "latest": {"keep": "latest"}}

NOW = Asked(None, None, (0, 0), False, False, False)


class World:
    def __init__(self, case, dice, mode):
        self.case, self.dice, self.mode = case, dice, mode
        self.broker = case.broker(
            broker__ring="256k", broker__window="256k",
            broker__window_events=mode.window, broker__workers=mode.workers,
            http__send_buffer=mode.send_buffer, publish__max_event="48k",
            http__compression="gzip, zstd",
            http__retry="100ms", history__max_events=mode.limit,
            **{"channel %s:*.%s" % (name, key): value
               for name, rule in mode.rules
               for key, value in KEEP.get(rule, {
                   "max_events": rule}).items()})
        self.log = Log(mode.limit, mode.rules)
        self.volatile = mode.limit < mode.window or bool(mode.rules)
        # So many events later, nothing that was live is there any more.
        self.reach = min(mode.limit, mode.window) if self.volatile else \
            mode.limit
        self.sources = [Source(self.broker, "p%d" % n) for n in range(2)]
        for source in self.sources:
            source.connect()
        self.clients = []
        self.under_way = False  # events were sent and not acknowledged
        self.base = None
        self.open_base()

    def open_base(self):
        if self.base is not None:
            self.base.close()
        self.base = sqlite3.connect(
            "file:%s?mode=ro" % self.broker.database, uri=True)
        self.birth, = self.base.execute("SELECT cursor FROM birth").fetchone()

    def end(self):
        """The stories are over; the broker ends as it should."""
        self.base.close()
        for source in self.sources:
            source.close()
        self.broker.stop()
        self.case.assertNotRegex(self.broker.log(), self.case.BAD)
        self.case.brokers.remove(self.broker)
        self.broker.cleanup()

    # ---- the log

    def offer(self, rows):
        """Sends (source, channel, data, type, key, flags), and waits for
        nothing. data: None for a resync."""
        self.make_safe(len(rows))
        self.under_way = True
        for source, channel, data, kind, key, flags in rows:
            try:
                if data is None:
                    source.offer_resync(channel)
                else:
                    source.offer(channel, data, kind, key, flags)
            except OSError:
                source.close()  # and it is sent again

    def make_safe(self, count):
        """Who reads has all that this many more events may push out; who has
        stopped reading may lose it, from now on."""
        if self.under_way:
            raise AssertionError("a burst in a burst")
        first = len(self.log) + count - self.reach
        for client in self.clients:
            if client.stream is None or \
                    self.log.behind(client.course.lowest) >= first:
                continue
            if client.stalled:
                client.course.lossy = True
            else:
                client.sync()

    def settle(self):
        """All is acknowledged and, as far as it is over the limit, let go."""
        for source in self.sources:
            source.settle_surely()
        self.log.add([each for source in self.sources
                      for each in self.take_acked(source)])
        self.under_way = False
        for client in self.clients:
            if not client.course.lossy:
                client.judge()  # what came before anything is let go
        self.trimmed()
        for client in self.clients:
            client.judge()  # perhaps the stream's process ended in the burst

    @staticmethod
    def take_acked(source):
        acked, source.acked = source.acked, []
        return acked

    def publish(self, rows):
        """So many at once at most as the history holds."""
        for start in range(0, len(rows), self.reach):
            self.offer(rows[start:start + self.reach])
            self.settle()

    def trimmed(self):
        """What is stored is exactly what must be."""
        self.log.trim()
        self.wait_for_store(self.log.kept())

    def wait_for_store(self, due):
        def same():
            found = [row[0] for row in self.base.execute(
                "SELECT cursor FROM event ORDER BY cursor")]
            return found == due
        try:
            wait_for(same, "what is to be stored")
        except TimeoutError as error:
            raise Wrong("stored %s, due %s" % (self.base.execute(
                "SELECT cursor FROM event ORDER BY cursor").fetchall(),
                due)) from error

    def learn(self, channel):
        """A resync that another program published; its place in the log is
        found in the store."""
        rows = wait_for(lambda: self.base.execute(
            "SELECT cursor FROM event WHERE cursor > ?",
            (self.log.head,)).fetchall(), "the resync in the store")
        self.log.add([Acked(cursor, channel, None, None, None, 0)
                      for cursor, in rows])
        self.trimmed()

    # ---- where streams begin

    def floor(self):
        """The cursor from which on the windows have everything."""
        first = len(self.log) - self.mode.window
        return self.log.cursors[first - 1] if first > 0 else 0

    def windowed(self, cursor):
        return self.volatile and cursor >= self.floor()

    def at_cursor(self, cursor, how="since"):
        bad = cursor > self.log.head
        start = self.log.head if bad else cursor
        return Asked(how, wire.cursor_text(cursor), (start, start), False,
                     bad, self.windowed(start))

    def now(self, how=None):
        end = 1 << 63 if self.under_way else self.log.head
        return Asked(how, how and "now", (self.log.head, end), False, False,
                     self.windowed(self.log.head))

    def oldest(self, how="since"):
        return Asked(how, "-1", (0, 0), True, False, self.windowed(0))

    def garbage(self, how="since"):
        text = self.dice.choice(["x", "-", "9999999999999-0", "1-2-3",
                                 "-10y", "0"])
        return Asked(how, text, (self.log.head,) * 2, False, True, False)

    def ago(self, how="since"):
        """A time, as a duration or in words: so exact as a clock may be."""
        seconds = self.dice.choice([0, 1, 2, 5, 600])
        now = time.time()
        low = min(int((now - seconds - 1) * 1000) << 20, self.log.head)
        high = int((now - seconds + 30) * 1000) << 20
        text = "-%ds" % seconds
        if self.dice.random() < 0.5:
            text = time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                 time.gmtime(now - seconds))
        # A time before the store was made stands for that.
        high = max(min(high, self.log.head), self.birth)
        return Asked(how, text, (max(low, 0), high), False, False, False)

    def long_ago(self, how="since"):
        """Before all that there is here."""
        return Asked(how, "-1d", (0, 1 << 62), False, False,
                     self.windowed(0))

    # ---- what clients do

    def client(self, *arguments, **options):
        made = Client(self, *arguments, **options)
        self.clients.append(made)
        return made

    def leave(self, client):
        client.cut()
        client.judge()
        self.clients.remove(client)

    def post(self, target, body):
        status, said = sse_client.post_json(self.broker.port, target, body)
        if status != 200:
            raise Wrong("POST %s %r: %d, %r" % (target, body, status, said))
        return said

    # ---- kills

    def mourn(self, surely):
        for client in self.clients:
            client.mourn(surely)

    def kill_worker(self):
        self.broker.kill_worker(self.dice.choice(self.broker.workers()))
        self.broker.workers()
        self.mourn(surely=False)

    def kill_hub(self):
        self.broker.kill_hub()
        self.broker.hub()

    def restart(self, gently):
        for source in self.sources:
            source.close()
        if gently:
            self.case.assertEqual(self.broker.stop(), 0)
        else:
            self.broker.kill()
        self.mourn(surely=True)
        self.broker.start()
        self.open_base()
