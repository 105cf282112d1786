"""Everything at once, against a model: publishing, stalls, partial writes,
disconnects, kills and retention in random order. The model knows every
acknowledged event; what each client got must be exactly its events, in order,
and whatever is missing must have been announced by a resync of that channel,
and no resync may come for a channel that lost nothing."""
import collections
import json
import os
import random
import unittest

import msgpack_wire as wire
from broker import SCALE, BrokerCase, tagged, wait_for
from patterns import covers
from source import Source
from sse_client import Ended

CHANNELS = ["g:%d" % n for n in range(6)] + ["h:a", "h:b:c", "solo"]
COVERS = ["*", "g:*", "h:*", "h:b:*"] + CHANNELS

Got = collections.namedtuple("Got", "cursor channel data")
Resync = collections.namedtuple("Resync", "channels")


class Publisher(Source):
    """Bursts on all channels."""

    def __init__(self, broker, dice):
        super().__init__(broker, "chaos")
        self.dice = dice

    def data(self):
        size = self.dice.choice([0, 20, 200, 200, 200, 3000, 15000])
        return "%d %s" % (self.seq, "x\ny" * (size // 3))

    def burst(self, count):
        try:
            if self.connection is None:
                self.connect()
            for _ in range(count):
                self.offer(self.dice.choice(CHANNELS), self.data(),
                           flags=wire.FLAG_TEXT)
            self.settle()
        except (OSError, wire.Closed):
            self.close()

    def finish(self):
        """A last event on every channel, and all are acknowledged, whatever
        it takes; the cursors of the last ones."""
        self.close()
        for channel in CHANNELS:
            self.offer(channel, "the last", flags=wire.FLAG_TEXT)
        self.settle_surely()
        return {event.channel: event.cursor
                for event in self.acked[-len(CHANNELS):]}


class Client:
    """A stream that is resumed whenever it ends; it notes what it gets."""

    def __init__(self, broker, dice):
        self.broker, self.dice = broker, dice
        self.patterns = dice.sample(COVERS, dice.choice([1, 1, 2, 4]))
        self.raw = dice.random() < 0.4
        self.receive_buffer = dice.choice([2304, 8192, None])
        self.stalled = False
        self.notes = []
        self.start = None  # cursor, as a number, from which events are due
        self.last = None   # text of the newest cursor
        self.stream = None

    def open(self):
        query = "&format=raw" if self.raw else ""
        try:
            self.stream = self.broker.stream(
                ",".join(self.patterns), query=query, last_id=self.last,
                receive_buffer=self.receive_buffer)
        except OSError:
            self.stream = None

    def drop(self):
        if self.stream is not None:
            self.stream.close()
            self.stream = None

    def pump(self, reads=5, seconds=0):
        """Reads so often at most, waiting so long for each."""
        if self.stalled:
            return
        if self.stream is None:
            self.open()
            return
        for _ in range(reads):
            if not self.stream.fill(seconds):
                break
        try:
            while self.stream.waiting:
                self.note(self.stream.next())
            if self.stream.ended:
                raise Ended
        except Ended:
            self.drop()

    def note(self, event):
        if event.id is not None:
            self.last = event.id
            cursor = wire.cursor_number(event.id)
            if self.raw:
                self.notes.append(Got(cursor, None, event.data))
            else:
                row = tagged(event)
                self.notes.append(Got(cursor, row["channel"], row["data"]))
        elif event.name == "connected":
            if self.start is None:
                self.last = json.loads(event.data)["cursor"]
                self.start = wire.cursor_number(self.last)
        elif event.name == "resync":
            body = json.loads(event.data)
            assert body["reason"] == "history", event
            self.notes.append(Resync(body["channels"]))

    def newest(self):
        return next((each.cursor for each in reversed(self.notes)
                     if isinstance(each, Got)), 0)


class Model:
    """What a client must have got, from what was acknowledged."""

    def __init__(self, acked):
        self.by_cursor = {event.cursor: event for event in acked}
        self.cursors = [event.cursor for event in acked]
        assert self.cursors == sorted(self.by_cursor), "acks out of order"

    def check(self, client):
        due = [event for event in self.by_cursor.values()
               if event.cursor > client.start and
               any(covers(pattern, event.channel)
                   for pattern in client.patterns)]
        due.sort()
        at, lost, announced = 0, collections.Counter(), set()
        for note in client.notes:
            if isinstance(note, Resync):
                announced.update(note.channels)
                continue
            while at < len(due) and due[at].cursor < note.cursor:
                lost[due[at].channel] += 1
                at += 1
            assert at < len(due) and due[at].cursor == note.cursor, \
                "not due, or twice, or out of order: %r" % (note,)
            event = due[at]
            at += 1
            assert note.data == event.data, (note, event)
            if not client.raw:
                assert note.channel == event.channel, (note, event)
            self.compare(event.channel, lost, announced)
        assert at == len(due), "missing at the end: %r" % (due[at:][:3],)
        assert not announced, "resync without a loss: %r" % announced

    def compare(self, channel, lost, announced):
        """At an event of a channel: lost before it is what was announced."""
        assert (lost[channel] > 0) == (channel in announced), \
            "%s: %d lost, resync %s" % (
                channel, lost[channel], channel in announced)
        lost[channel] = 0
        announced.discard(channel)


class Chaos(BrokerCase):
    def act(self, broker, source, clients, dice):
        """One thing that happens."""
        client = dice.choice(clients)
        what = dice.random()
        if what < 0.45:
            source.burst(dice.choice([1, 1, 5, 40, 150]))
        elif what < 0.70:
            client.stalled = not client.stalled
        elif what < 0.80:
            client.drop()
        elif what < 0.82:
            broker.kill_worker(dice.choice(broker.workers()))
        elif what < 0.84:
            broker.kill_hub()
        elif what < 0.845:
            broker.kill()
            broker.start()
        for each in clients:
            each.pump()

    def storm(self, seed, acts, **settings):
        print("seed", seed)
        dice = random.Random(seed)
        broker = self.broker(
            broker__ring="256k", broker__window="256k",
            broker__window_events=256, publish__max_event="16k",
            http__send_buffer="4k", **settings)
        source = Publisher(broker, dice)
        clients = [Client(broker, dice) for _ in range(10)]
        for client in clients:
            wait_for(lambda c=client: c.pump() or c.start is not None,
                     "a stream")
        for _ in range(acts):
            self.act(broker, source, clients, dice)
        self.read_up_to(source.finish(), clients)
        model = Model(source.acked)
        for number, client in enumerate(clients):
            with self.subTest(client=number, patterns=client.patterns):
                model.check(client)
        return clients

    def read_up_to(self, last, clients):
        """Everybody reads on, up to the last event that is theirs."""
        for client in clients:
            client.stalled = False
        for client in clients:
            goal = max(cursor for channel, cursor in last.items()
                       if any(covers(pattern, channel)
                              for pattern in client.patterns))
            wait_for(lambda c=client, g=goal: c.pump(100, 0.1) or c.newest() >= g,
                     "the last event of %s" % client.patterns, 60)

    def seed(self):
        return int(os.environ.get("SSEMUX_SEED") or random.randrange(2**32))

    def test_with_all_history(self):
        for _ in range(SCALE):
            clients = self.storm(self.seed(), 120)
            self.assertFalse([note for client in clients
                              for note in client.notes
                              if isinstance(note, Resync)])

    def test_with_little_history(self):
        for _ in range(SCALE):
            self.storm(self.seed(), 120, history__max_events=300)


if __name__ == "__main__":
    unittest.main()
