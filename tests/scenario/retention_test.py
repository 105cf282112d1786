"""History: what is let go, and who is told."""
import json
import os
import resource
import unittest

import msgpack_wire as wire
from broker import BrokerCase, wait_for


class Retention(BrokerCase):
    def small(self, **settings):
        """A broker whose workers keep almost nothing: what they still have is
        delivered, and not lost, though the store has let it go."""
        return self.broker(broker__window=262144, broker__ring=262144,
                           broker__window_events=64, publish__max_event="16k",
                           **settings)

    def kept(self, broker, most):
        """What is stored, once it is so many events at most."""
        def trimmed():
            stored = broker.stored()
            return stored if len(stored) <= most else None
        return wait_for(trimmed, "at most %d events" % most)

    def fill(self, broker):
        """Many events on `busy`, few old ones on `quiet` and `idle`; the
        cursor after the quiet ones, and that after the first busy ones."""
        with broker.publisher() as publisher:
            publisher.publish("idle", "0")
            quiet = publisher.publish("quiet", "1")
            busy = publisher.publish_many(("busy", "%d" % n + "x" * 100)
                                          for n in range(3000))
        return wire.cursor_text(quiet), wire.cursor_text(busy[9])

    def resynced(self, broker, channels, since):
        """Which channels a subscriber with this cursor must load anew."""
        with broker.stream(channels, last_id=since) as stream:
            _, events = stream.start()
        out = []
        for event in events:
            if event.name == "resync":
                said = json.loads(event.data)
                self.assertEqual(said["reason"], "history")
                self.assertIsNone(event.id)
                out += said["channels"]
        return sorted(out)

    def check(self, broker, most):
        quiet, busy = self.fill(broker)
        stored = self.kept(broker, most)
        self.assertEqual({row[1] for row in stored}, {"busy"})
        # Only who lost something is told, and only of that channel.
        self.assertEqual(self.resynced(broker, "busy,quiet", busy), ["busy"])
        self.assertEqual(self.resynced(broker, "quiet", quiet), [])
        self.assertEqual(self.resynced(broker, "quiet,idle", quiet), [])
        self.assertEqual(self.resynced(broker, "quiet", "0-1"), ["quiet"])
        self.assertEqual(self.resynced(broker, "never", "0-1"), [])
        last = wire.cursor_text(stored[-2][0])
        self.assertEqual(self.resynced(broker, "busy,quiet,idle", last), [])
        # What is left is delivered.
        with broker.stream("busy", last_id=busy) as stream:
            _, events = stream.start()
            self.assertEqual([event.id for event in events if event.id],
                             [wire.cursor_text(row[0]) for row in stored])

    def test_by_count(self):
        self.check(self.small(history__max_events=100), 100)

    def test_by_bytes(self):
        self.check(self.small(history__max_bytes="10k"), 100)

    def test_by_age(self):
        broker = self.small(history__max_age="2s")
        quiet, busy = self.fill(broker)
        self.assertEqual(self.kept_by_age(broker), [])
        self.assertEqual(self.resynced(broker, "busy,quiet", quiet), ["busy"])
        self.assertEqual(self.resynced(broker, "busy", busy), ["busy"])
        self.assertEqual(self.resynced(broker, "quiet", quiet), [])

    def kept_by_age(self, broker):
        wait_for(lambda: not broker.stored(), "the age of all", 30)
        return broker.stored()

    def test_a_pattern_is_told_its_channels(self):
        broker = self.small(history__max_events=50)
        with broker.publisher() as publisher:
            first = publisher.publish("a:1", "x")
            publisher.publish("b:1", "x")
            publisher.publish_many(("a:2", "x" * 500) for _ in range(1500))
        self.kept(broker, 50)
        since = wire.cursor_text(first)
        got = self.resynced(broker, "a:*", since)
        self.assertIn(got, (["a:2"], ["a:*"]))
        self.assertEqual(self.resynced(broker, "b:*", since), ["b:1"]
                         if got == ["a:2"] else ["b:*"])
        self.assertEqual(self.resynced(broker, "c:*", since), [])

    def test_what_is_said_to_be_lost_does_not_come_from_the_window(self):
        """Not even behind an event that was half written, and is finished from
        there."""
        broker = self.broker(
            broker__workers=1, broker__window_events=64, http__send_buffer="4k",
            publish__max_event="50k", **{"channel a.max_events": 2})
        with broker.publisher() as publisher:
            since = wire.cursor_text(publisher.publish("c", ""))
            publisher.publish_many(("c", "") for _ in range(100))
            publisher.publish("b", "x" * 40000)
            publisher.publish_many(("a", str(n)) for n in range(10))
        wait_for(lambda: sum(row[1] == "a" for row in broker.stored()) == 2,
                 "old events to be let go")
        with broker.stream("a,b", last_id=since,
                           receive_buffer=4096) as stream:
            wait_for(lambda: broker.metric("streams_behind") == 1,
                     "the socket to be full")
            _, events = stream.start()
        self.assertEqual([json.loads(event.data).get("data", "lost")[:4]
                          for event in events], ["lost", "xxxx", "8", "9"])

    def test_the_loss_is_remembered_over_a_restart(self):
        broker = self.small(history__max_events=50)
        with broker.publisher() as publisher:
            first = publisher.publish("a", "x")
            publisher.publish_many(("a", "x") for _ in range(500))
        self.kept(broker, 50)
        broker.kill()
        broker.start()
        self.assertEqual(self.resynced(broker, "a", wire.cursor_text(first)),
                         ["a"])

    def test_a_resend_is_recognised_though_its_event_is_gone(self):
        broker = self.small(history__max_events=10)
        with broker.publisher("p") as publisher:
            cursors = publisher.publish_many(("a", str(n)) for n in range(500))
        self.kept(broker, 10)
        with broker.publisher("p") as publisher:
            publisher.seq = 399
            publisher.offer("a", "400")
            self.assertEqual(publisher.ack(), (400, cursors[399], True))

    def test_publishing_goes_on_while_much_is_let_go(self):
        """After a start with a lower limit there is much to let go; it is
        done in steps, between which publishers get their acks."""
        broker = self.broker()
        with broker.publisher() as publisher:
            publisher.publish_many(("a", "x" * 50) for _ in range(50000))
        self.assertEqual(broker.stop(), 0)
        broker.start({"history.max_events": "100"})
        with broker.publisher() as publisher:
            publisher.publish("a", "while it trims")
            left = len(broker.stored())
        print("%d events were left when a publisher had its ack" % left)
        self.kept(broker, 100)


class Reserve(BrokerCase):
    FILE_MAX = 8 << 20  # less than the reserve

    def limit_files(self, most):
        """Of this process, and of those that it starts."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, before[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_FSIZE, before)
        return before

    def refused(self, broker):
        try:
            with broker.publisher() as publisher:
                publisher.publish("c", "x")
            return None
        except (wire.Refused, wire.Closed) as error:
            return getattr(error, "code", "closed")

    def test_without_room_for_it_events_are_refused_until_there_is(self):
        broker = self.broker(start=False, broker__ring=262144,
                             broker__window=262144, broker__window_events=64,
                             publish__max_event="16k")
        before = self.limit_files(self.FILE_MAX)
        broker.start()
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        self.assertEqual(self.refused(broker), "store")
        self.assertEqual(broker.stats()["store_full"], 1)
        self.assertEqual(broker.stored(), [])
        resource.prlimit(broker.hub(), resource.RLIMIT_FSIZE, before)
        wait_for(lambda: self.refused(broker) is None, "room")
        self.assertEqual(broker.stats()["store_full"], 0)
        self.assertEqual(os.path.getsize(broker.database + "-reserve"),
                         16 << 20)

    def test_it_can_be_done_without(self):
        broker = self.broker()
        self.assertEqual(broker.stop(), 0)
        broker.start({"history.reserve": "0"})
        self.assertFalse(os.path.exists(broker.database + "-reserve"))
        self.assertIsNone(self.refused(broker))


if __name__ == "__main__":
    unittest.main()
