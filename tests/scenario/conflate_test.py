"""Conflated streams: of each key the last comes, everything without a key
comes, in order, whatever happens to the stream."""
import collections
import json
import os
import random
import time
import unittest

import msgpack_wire as wire
import sse_client
from broker import SCALE, BrokerCase, tagged, wait_for

SEED = int(os.environ.get("SSEMUX_SEED", "0")) or random.randrange(1, 1 << 30)

Row = collections.namedtuple("Row", "id channel key kind")


def last_of_each(rows):
    """What is left of these when of each key only the last comes."""
    newest = {(row.channel, row.key): row.id for row in rows if row.key}
    return [row.id for row in rows
            if not row.key or newest[row.channel, row.key] == row.id]


class Conflate(BrokerCase):
    def open(self, broker, target, **options):
        stream = broker.open(target, **options)
        self.addCleanup(stream.close)
        return stream

    def publish(self, publisher, log, channel, key=None, data="x", kind=None):
        log.append((publisher.offer(channel, data, kind, key), channel, key,
                    kind))

    def settle(self, publisher, log):
        """Waits for the acknowledgements: the rows as they are in the log."""
        rows = []
        for seq, channel, key, kind in log:
            acked, cursor, _ = publisher.ack()
            assert acked == seq
            rows.append(Row(wire.cursor_text(cursor), channel, key, kind))
        del log[:]
        return rows

    def some(self, publisher, count, channels=("a",), keys=10, data="x",
             seed=1):
        dice, log = random.Random(seed), []
        for n in range(count):
            self.publish(publisher, log, dice.choice(channels),
                         dice.choice([None] + ["k%d" % k
                                               for k in range(keys)] * 9),
                         "%d %s" % (n, data))
        return self.settle(publisher, log)

    def passed_over(self, broker, count):
        row = b"\nssemux_conflated_total %d\n" % count
        wait_for(lambda: row in broker.get("/metrics")[1],
                 "%d events that were passed over" % count)

    def test_of_what_falls_into_an_interval_each_keys_last_comes(self):
        """Exactly: the end of the broker ends the interval for all. Once more
        when it has ended by itself just then."""
        while not self.all_in_one_interval():
            pass

    def all_in_one_interval(self):
        broker = self.broker(**{
            "stream /e.allow": "*", "stream /e.format": "envelope",
            "stream /e.envelope": "c:channel, k:key, d:data",
            "stream /e.conflate": "60s"})
        streams = [
            self.open(broker, target) for target in
            ("/stream?channels=a,b&conflate=60s",
             "/stream?channels=*&conflate=60000&format=raw",
             "/stream?channels=a,b&conflate=60s&window=1s",
             "/e?channels=b,a")]
        every = self.open(broker, "/e?channels=*&conflate=0")
        for stream in streams + [every]:
            stream.start()
        with broker.publisher() as publisher:
            begin = time.monotonic()
            rows = self.some(publisher, 900, ("a", "b"))
        self.assertEqual([event.id for event in every.events(900)],
                         [row.id for row in rows])
        broker.stop()
        self.brokers.remove(broker)
        if int(begin / 60) != int(time.monotonic() / 60):
            return False
        for stream in streams:
            rest = stream.rest()
            self.assertEqual([event.id for event in rest[:-1]],
                             last_of_each(rows))
            self.assertEqual(rest[-1].name, "bye")
        return True

    def test_who_catches_up_gets_the_latest_too(self):
        for settings in ({}, {"broker__window_events": 64}):
            broker = self.broker(**settings)
            with broker.publisher() as publisher:
                rows = self.some(publisher, 6000, ("a", "b", "c"))
                wanted = [row for row in rows if row.channel != "c"]
                for channels in ("a,b", "a,b,no:*,neither"):
                    stream = self.open(broker, "/stream?channels=" + channels +
                                       "&since=-1&live=false&conflate=1")
                    got = [event.id for event in stream.rest() if event.id]
                    self.check(wanted, got)
                    self.assertLess(len(got), len(last_of_each(wanted)) + 80)
                    if not settings:
                        self.assertEqual(got, last_of_each(wanted))
            self.passed_over(broker, 2 * (len(wanted) - len(got)))

    def test_more_keys_than_fit_into_a_write_all_come(self):
        for settings in ({}, {"broker__window_events": 64}):
            broker = self.broker(http__send_buffer="1m", **settings)
            with broker.publisher() as publisher:
                log = []
                for n in range(6000):
                    self.publish(publisher, log, "a", "k%d" % (n % 5500))
                rows = self.settle(publisher, log)
            stream = self.open(broker, "/stream?channels=a&since=-1"
                               "&live=false&conflate=1s")
            ids = [event.id for event in stream.rest() if event.id]
            self.check(rows, ids)
            if not settings:
                self.assertEqual(ids, last_of_each(rows))

    def check(self, rows, ids):
        """Ascending, none twice, none that is not there; everything without a
        key; of each key the last."""
        self.assertEqual(ids, sorted(set(ids), key=wire.cursor_number))
        got = set(ids)
        self.assertLessEqual(got, {row.id for row in rows})
        for row in rows:
            if not row.key:
                self.assertIn(row.id, got, row)
        newest = {(row.channel, row.key): row.id for row in rows if row.key}
        self.assertLessEqual(set(newest.values()), got)

    def test_who_lags_is_brought_to_the_latest(self):
        for settings in ({}, {"broker__window_events": 64}):
            broker = self.broker(broker__workers=1, http__send_buffer="8k",
                                 **settings)
            stream = self.open(broker, "/stream?channels=a&conflate=10",
                               receive_buffer=4096)
            stream.start()
            with broker.publisher() as publisher:
                rows = []
                for part in range(20):
                    rows += self.some(publisher, 500, keys=10,
                                      data="y" * 500, seed=part)
            ids = []
            while not ids or ids[-1] != rows[-1].id:
                event = stream.next()
                ids.append(event.id)
                self.assertEqual(tagged(event)["channel"], "a")
                self.assertTrue(tagged(event)["data"].endswith("y" * 500))
            self.check(rows, ids)
            keyless = sum(not row.key for row in rows)
            self.assertLess(len(ids) - keyless, 3000)

    def test_what_a_filter_lets_pass_is_what_counts(self):
        for settings in ({}, {"broker__window_events": 64}):
            broker = self.broker(**settings)
            with broker.publisher() as publisher:
                log = []
                for n in range(400):
                    self.publish(publisher, log, "a", "k%d" % (n % 4), "x",
                                 "t.yes" if n % 8 < 4 or n < 200 else "t.no")
                rows = self.settle(publisher, log)
            stream = self.open(broker, "/stream?channels=a&types=t.yes"
                               "&since=-1&live=false&conflate=1s")
            self.assertEqual(
                [event.id for event in stream.rest() if event.id],
                last_of_each([row for row in rows if row.kind == "t.yes"]))

    def test_an_added_channel_begins_with_the_latest(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            rows = self.some(publisher, 300, ("a", "b"))
            stream = self.open(broker,
                               "/stream?channels=a&since=-1&conflate=20")
            connected, events = stream.start()
            self.assertEqual([event.id for event in events], last_of_each(
                [row for row in rows if row.channel == "a"]))
            sse_client.post_json(
                broker.port, "/stream/" + connected["stream"],
                {"subscribe": ["b"], "since": "-1"})
            stream.control("subscribed")
            old = last_of_each([row for row in rows if row.channel == "b"])
            self.assertEqual([event.id for event in stream.events(len(old))],
                             old)
            stream.control("live")
            self.some(publisher, 50, ("a",))
            rows = self.some(publisher, 50, ("b",), keys=1)
        while stream.next().id != rows[-1].id:
            pass

    def test_a_channel_may_be_conflated_for_everybody(self):
        while not self.mixed_in_one_interval():
            pass

    def mixed_in_one_interval(self):
        """What comes on other channels waits when something waits already,
        and does not otherwise."""
        broker = self.broker(**{
            "channel price:*.conflate": "60s", "channel price:x.keep": "all"})
        begin = time.monotonic()
        mixed = self.open(broker, "/stream?channels=price:*,chat")
        every = self.open(broker, "/stream?channels=*&window=1ms")
        plain = self.open(broker, "/stream?channels=chat,price:x")
        for stream in (mixed, every, plain):
            stream.start()
        with broker.publisher() as publisher:
            first = self.some(publisher, 5, ("chat",), keys=1)
            ids = [row.id for row in first]
            self.assertEqual([event.id for event in mixed.events(5)], ids)
            rows = self.some(publisher, 200, ("price:a", "price:b", "chat"),
                             keys=3)
            rows += self.some(publisher, 10, ("price:x",), keys=1)
        chat = [row.id for row in rows if row.channel in ("chat", "price:x")]
        self.assertEqual([event.id for event in plain.events(5 + len(chat))],
                         ids + chat)
        broker.stop()
        self.brokers.remove(broker)
        if int(begin / 60) != int(time.monotonic() / 60):
            return False
        left = set(last_of_each(rows))
        wanted = [row.id for row in rows if row.id in left or
                  row.channel in ("chat", "price:x")]
        self.assertEqual([event.id for event in every.rest() if event.id],
                         ids + wanted)
        self.assertEqual([event.id for event in mixed.rest() if event.id],
                         wanted)
        return True

    def test_who_returns_gets_the_latest_of_such_a_channel(self):
        broker = self.broker(**{"channel a.conflate": "1s"})
        with broker.publisher() as publisher:
            rows = self.some(publisher, 500, ("a", "b"))
        stream = self.open(broker, "/stream?channels=a,b&since=-1&live=false")
        left = set(last_of_each(rows))
        self.assertEqual([event.id for event in stream.rest() if event.id],
                         [row.id for row in rows
                          if row.id in left or row.channel == "b"])

    def test_a_resync_always_comes(self):
        broker = self.broker()
        stream = self.open(broker, "/stream?channels=a&conflate=100ms")
        stream.start()
        broker.pub("-k", "k", "a", "old")
        broker.pub("--resync", "a")
        broker.pub("-k", "k", "a", "new")
        names = [stream.next()]
        while not names[-1].data.endswith('"new"}'):
            names.append(stream.next())
        self.assertEqual([event.name for event in names].count("resync"), 1)

    def test_times_that_are_none_are_refused(self):
        broker = self.broker()
        for text in ("", "x", "61s", "-5"):
            body, out = broker.get("/stream?channels=a&conflate=" + text)
            self.assertEqual((body.status, json.loads(out)["code"]),
                             (400, "conflate-invalid"))

    # --- against a model ---

    def test_whatever_happens_each_keys_last_comes(self):
        for seed in range(SEED, SEED + SCALE):
            with self.subTest(seed=seed):
                self.play(random.Random(seed))

    def play(self, dice):
        """Publishes at random rates to streams that stall, are cut and come
        back by their last id, to other workers and after kills."""
        broker = self.broker(broker__workers=2, http__send_buffer="8k",
                             broker__window_events=256,
                             **{"channel b.conflate": "100ms"})
        interval = [20, 200, 0]
        rows, members = [], []
        for n in range(9):
            members.append({
                "ms": interval[n % 3], "ids": [], "opened": 0,
                "channels": dice.choice([["a:1"], ["a:*"], ["a:*", "b"]]),
                "format": dice.choice(["tagged", "raw"])})
            self.reopen(broker, members[-1])
            members[-1]["stream"].start()
        begin = time.monotonic()
        with broker.publisher() as publisher:
            for _ in range(120):
                log = []
                for _ in range(dice.choice([1, 1, 10, 100])):
                    self.publish(
                        publisher, log, dice.choice(["a:1", "a:2", "b"]),
                        dice.choice([None, "p", "q", "r", "s"]),
                        "z" * dice.choice([10, 10, 100, 3000]))
                rows += self.settle(publisher, log)
                for member in dice.sample(members, 4):
                    self.read(member, 0.002)
                if dice.random() < 0.15:
                    self.reopen(broker, dice.choice(members))
                if dice.random() < 0.02:
                    broker.kill_worker(dice.choice(broker.workers()))
                    broker.workers()
        ends = {}
        for channel in ("a:1", "a:2", "b"):
            with broker.publisher("end") as publisher:
                row = Row(wire.cursor_text(publisher.publish(channel, "end")),
                          channel, None, None)
            rows.append(row)
            ends[channel] = row.id
        for member in members:
            # Without an interval of its own, "b" alone is conflated.
            wanted = [row if member["ms"] or row.channel == "b" else
                      row._replace(key=None) for row in rows if any(
                row.channel == channel or channel.endswith("*") and
                row.channel.startswith(channel[:-1])
                for channel in member["channels"])]
            while not member["ids"] or member["ids"][-1] != wanted[-1].id:
                self.read(member, 5)
                if member["stream"].ended and not member["stream"].waiting:
                    self.reopen(broker, member)
            self.check(wanted, member["ids"])
            # Of a key, one in each interval; besides, coming back may bring
            # what an interval would still have held.
            most = (time.monotonic() - begin) * 1000 / (
                member["ms"] or 100) + 2 + \
                2 * member["opened"]
            counts = collections.Counter(
                (row.channel, row.key) for row in wanted
                if row.key and row.id in set(member["ids"]))
            self.assertLessEqual(max(counts.values(), default=0), most)
        broker.stop()
        self.brokers.remove(broker)

    def reopen(self, broker, member):
        options = {}
        if "stream" in member:
            self.drink(member)
            member["stream"].close()
            options = {"last_id": member["ids"][-1]} if member["ids"] else {}
        since = "" if options else "&since=-1"
        member["opened"] += 1
        member["stream"] = self.open(
            broker, "/stream?channels=%s&conflate=%d&format=%s%s" % (
                ",".join(member["channels"]), member["ms"], member["format"],
                since), receive_buffer=16384, **options)

    def read(self, member, seconds):
        member["stream"].fill(seconds)
        self.drink(member)

    def drink(self, member):
        while member["stream"].waiting:
            event = member["stream"].next()
            self.assertNotEqual(event.name, "resync")
            if event.id:
                member["ids"].append(event.id)


if __name__ == "__main__":
    unittest.main()
