"""Fairness: whoever has much to catch up on, and however busy a channel is,
somebody else's event comes meanwhile. Orders, not times."""
import re
import unittest

import msgpack_wire as wire
from broker import SCALE, BrokerCase
from sse_client import Crowd

TRIES = 5
STORM = (200 * SCALE, 300)  # streams, events each is behind


def metric(broker, name):
    _, out = broker.get("/metrics")
    return int(re.search(r"^ssemux_%s (\d+)$" % name, out.decode(),
                         re.M).group(1))


class FairnessTest(BrokerCase):
    def small(self, **settings):
        """One worker with little in memory: history is in the store."""
        return self.broker(**dict(dict(
            broker__workers=1, broker__window="512k", broker__ring="512k"),
            **settings))

    def bystander(self, crowd):
        live = crowd.add("quiet")
        crowd.until(lambda: live.live)
        return live

    def gets(self, crowd, publisher, live):
        """The bystander gets what is published now."""
        cursor = wire.cursor_text(publisher.publish("quiet", "x"))
        crowd.until(lambda: live.cursors[-1:] == [cursor])

    def overtakes(self, broker, late, done):
        """Streams have far to go; meanwhile others get what is theirs. This
        test may be slower than the broker: it has some attempts."""
        for _ in range(TRIES):
            overtaken, cursors = self.race(broker, late, done)
            if overtaken:
                return cursors
        self.fail("nobody got anything meanwhile")

    def race(self, broker, late, done):
        """Opens the streams; did a bystander get five events, one after the
        other, and one that was away for a moment what it missed, before any of
        them was done? And what these got."""
        with Crowd(broker.port) as crowd, broker.publisher() as publisher:
            live = self.bystander(crowd)
            members = [crowd.add(channels, query) for channels, query in late]
            # They have begun: the worker knows all of them.
            crowd.until(lambda: all(each.controls for each in members))
            self.gets(crowd, publisher, live)
            self.gets(crowd, publisher, live)
            back = crowd.add("quiet", last_id=live.cursors[0])
            crowd.until(lambda: back.live)
            self.assertEqual(back.cursors, live.cursors[1:])
            for _ in range(3):
                self.gets(crowd, publisher, live)
            overtaken = not any(map(done, members))
            crowd.until(lambda: all(each.live for each in members))
            return overtaken, [each.cursors for each in members]

    def test_all_of_a_long_history(self):
        broker = self.small()
        with broker.publisher() as publisher:
            cursors = list(map(wire.cursor_text, publisher.publish_many(
                ("c:%d" % (n % 7), "x" * 200) for n in range(20000))))
        for got in self.overtakes(
                broker, [("*", "&since=0-0")] * 3,
                lambda member: len(member.cursors) >= len(cursors)):
            self.assertEqual(got[:len(cursors)], cursors)

    def test_a_long_history_that_is_not_for_them(self):
        broker = self.small()
        with broker.publisher() as publisher:
            publisher.publish_many(("c", "x" * 20) for _ in range(60000))
        self.overtakes(broker, [("*", "&types=none&since=0-0")] * 30,
                       lambda member: member.live)
        self.assertGreater(metric(broker, "store_reads_total"),
                           30 * 30000 // 512)

    def test_a_prefix_of_very_many_channels(self):
        broker = self.small()
        with broker.publisher() as publisher:
            publisher.publish_many(("p:%d" % (n % 10000), "x" * 20)
                                   for n in range(30000))
        self.overtakes(broker, [("p:*", "&types=none&since=0-0")] * 40,
                       lambda member: member.live)

    def test_as_many_channels_as_may_be(self):
        broker = self.small()
        with broker.publisher() as publisher:
            publisher.publish_many(("p:%d" % (n % 250), "x" * 20)
                                   for n in range(20000))
        channels = ",".join("p:%d" % n for n in range(256))
        self.overtakes(broker, [(channels, "&types=none&since=0-0")] * 30,
                       lambda member: member.live)

    def test_long_events_that_are_not_for_them(self):
        broker = self.small(publish__max_event="60k")
        with broker.publisher() as publisher:
            publisher.publish_many(("c", "x" * 60000) for _ in range(1000))
        before = metric(broker, "store_reads_total")
        self.overtakes(broker, [("*", "&types=none&since=0-0")] * 40,
                       lambda member: member.live)
        # A step looks at a megabyte, or a little more.
        self.assertGreater(metric(broker, "store_reads_total") - before,
                           40 * 60000 * 1000 // (2 << 20))

    def test_a_busy_channel_and_those_who_do_not_keep_up_with_it(self):
        broker = self.broker(broker__workers=1, http__send_buffer="16k")
        with Crowd(broker.port) as crowd, broker.publisher() as publisher, \
                broker.publisher("other") as other:
            live = self.bystander(crowd)
            busy = [crowd.add("busy") for _ in range(10)]
            crowd.until(lambda: all(each.live for each in busy))
            for member in busy:
                member.pause()
            cursors = []
            for _ in range(10):
                cursors += map(wire.cursor_text, publisher.publish_many(
                    ("busy", "x" * 200) for _ in range(2000)))
                self.gets(crowd, other, live)
            # And when these read on, all of them at once.
            for member in busy:
                member.go_on()
            meanwhile = 0
            while not all(len(each.cursors) == len(cursors)
                          for each in busy):
                self.gets(crowd, other, live)
                meanwhile += 1
            self.assertGreater(meanwhile, 5)
            for member in busy:
                self.assertEqual(member.cursors, cursors)


class StormTest(BrokerCase):
    """Many come back at once, each behind by the same events."""

    def come_back(self, broker, count, fillers):
        with broker.publisher() as publisher:
            first = publisher.publish("c", "first")
            cursors = list(map(wire.cursor_text, publisher.publish_many(
                ("c", "%d" % n) for n in range(STORM[1]))))
            publisher.publish_many(("filler", "x" * 1000)
                                   for _ in range(fillers))
            before = metric(broker, "store_reads_total")
            with Crowd(broker.port) as crowd:
                live = crowd.add("quiet")
                crowd.until(lambda: live.live)
                members = [crowd.add("c", last_id=wire.cursor_text(first))
                           for _ in range(count)]
                meanwhile = 0
                while not all(each.live for each in members):
                    cursor = wire.cursor_text(publisher.publish("quiet", "x"))
                    crowd.until(lambda at=cursor: live.cursors[-1:] == [at])
                    meanwhile += 1
                self.assertGreater(meanwhile, 1)
                publisher.publish("c", "last")
                crowd.until(lambda: all(len(each.cursors) == len(cursors) + 1
                                        for each in members))
                for member in members:
                    self.assertEqual(member.cursors[:-1], cursors)
                    self.assertEqual(member.drops, 0)
        return metric(broker, "store_reads_total") - before

    def test_recent_history_comes_from_memory(self):
        self.assertEqual(self.come_back(self.broker(), STORM[0], 0), 0)

    def test_recent_history_is_in_memory_after_a_restart_too(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            first = publisher.publish("c", "first")
            cursors = list(map(wire.cursor_text, publisher.publish_many(
                ("c", "%d" % n) for n in range(STORM[1]))))
        broker.stop()
        broker.start()
        with Crowd(broker.port) as crowd:
            members = [crowd.add("c", last_id=wire.cursor_text(first))
                       for _ in range(STORM[0])]
            crowd.until(lambda: all(each.live for each in members))
            for member in members:
                self.assertEqual(member.cursors, cursors)
        self.assertEqual(metric(broker, "store_reads_total"), 0)

    def test_what_is_not_comes_from_the_store(self):
        broker = self.broker(broker__window="256k", broker__ring="256k",
                             publish__max_event="16k")
        reads = self.come_back(broker, 50, 2000)
        self.assertGreaterEqual(reads, 50)


if __name__ == "__main__":
    unittest.main()
