"""Channels with rules of their own: what is kept, and who is told of the rest.

A model of what was published says what each subscriber must get: the events
that are left, in order, and a resync for just the channels that lost some.
"""
import json
import os
import random
import unittest

import msgpack_wire as wire
from broker import SCALE, BrokerCase, wait_for

SEED = int(os.environ.get("SSEMUX_SEED", "0")) or random.randrange(1, 1 << 30)

RULES = {
    "channel none:*.keep": "none",
    "channel none:but:all.keep": "all",
    "channel last:*.keep": "latest",
    "channel last:*.max_events": 1000,
    "channel few:*.max_events": 7,
    "channel small.max_bytes": "1k",
}
CHANNELS = ["none:1", "none:2", "none:but:all", "last:1", "last:2", "few:1",
            "few:2", "small", "plain:1", "plain:2"]
SETS = ["*", "none:*", "last:*", "few:*", "plain:*", "small,plain:1,last:1",
        "none:1", "none:*,few:2", "none:but:all,plain:2", "last:2"]


class Keep(BrokerCase):
    def start(self, rules=RULES, **settings):
        """A broker whose workers keep next to nothing."""
        return self.broker(broker__window=262144, broker__ring=262144,
                           broker__window_events=64, publish__max_event="16k",
                           **rules, **settings)

    # --- the model ---

    def publish(self, publisher, channel, key="", size=10):
        publisher.offer(channel, "x" * size, key=key)
        self.offered.append((channel, key, size))

    def settle(self, publisher):
        for channel, key, size in self.offered:
            cursor = publisher.ack()[1]
            self.log.append((cursor, channel, key, len(channel) + len(key) +
                             size))
        self.offered = []

    def begin(self):
        self.log, self.offered = [], []

    def kept(self, plain):
        """What must be left: by the rules, and of the rest the newest."""
        left, shared = [], []
        for channel in {row[1] for row in self.log}:
            rows = [row for row in self.log if row[1] == channel]
            if channel in ("none:1", "none:2"):
                continue
            if channel.startswith("last:"):
                left += {row[2]: row for row in rows}.values()
            elif channel.startswith("few:"):
                left += rows[-7:]
            elif channel == "small":
                while sum(row[3] for row in rows) > 1024:
                    rows.pop(0)
                left += rows
            else:
                shared += rows
        return sorted(left + sorted(shared)[-plain:])

    def horizon(self, channel, left):
        """The newest event of the channel that was lost; one that another
        took the place of was not."""
        if channel.startswith("last:"):
            return 0
        there = {row[0] for row in left}
        return max([0] + [row[0] for row in self.log
                          if row[1] == channel and row[0] not in there])

    def covered(self, asked):
        return [channel for channel in sorted({row[1] for row in self.log})
                if any(pattern == channel or pattern[-1] == "*" and
                       channel.startswith(pattern[:-1])
                       for pattern in asked.split(","))]

    def read(self, broker, asked, since):
        """(channels of resync, events) of a stream with this cursor."""
        with broker.stream(asked, last_id=wire.cursor_text(since)) as stream:
            _, events = stream.start()
        told = []
        for event in events:
            if event.name == "resync":
                self.assertEqual(json.loads(event.data)["reason"], "history")
                told += json.loads(event.data)["channels"]
        return sorted(told), [wire.cursor_number(event.id)
                              for event in events if event.id]

    def check(self, broker, asked, since, left):
        told, got = self.read(broker, asked, since)
        channels = self.covered(asked)
        self.assertEqual(told, [
            channel for channel in channels
            if self.horizon(channel, left) > since], (asked, since))
        self.assertEqual(got, [row[0] for row in left if row[0] > since and
                               row[1] in channels], (asked, since))

    def stored(self, broker, left):
        """Once the store has what it must have."""
        wanted = [(row[0], row[1]) for row in left]
        wait_for(lambda: [row[:2] for row in broker.stored()] == wanted,
                 "the store to keep what it must (seed %d)" % SEED)

    # --- tests ---

    def test_everybody_is_told_what_it_lost_and_nothing_else(self):
        dice = random.Random(SEED)
        print("SSEMUX_SEED=%d" % SEED)
        for _ in range(SCALE):
            self.check_all(dice)

    def check_all(self, dice):
        self.begin()
        plain = 90
        broker = self.start(history__max_events=plain)
        for round_ in range(4):
            with broker.publisher("p%d" % round_) as publisher:
                for _ in range(dice.randrange(20, 300)):
                    self.publish(publisher, dice.choice(CHANNELS),
                                 dice.choice(["", "1", "2", "3"]),
                                 dice.randrange(200))
                self.settle(publisher)
                # What the workers still have is not lost.
                for _ in range(70):
                    self.publish(publisher, "filler")
                self.settle(publisher)
            left = self.kept(plain)
            self.stored(broker, left)
            for _ in range(12):
                since = dice.choice(self.log[:-70])[0] if \
                    dice.random() < 0.9 else self.log[0][0] - 1
                self.check(broker, dice.choice(SETS), since, left)
            if round_ == 1:
                broker.kill_hub()
            elif round_ == 2:
                broker.kill()
                broker.start()

    def test_what_is_not_kept_comes_live_and_to_who_is_just_behind(self):
        broker = self.broker(**{"channel now:*.keep": "none"})
        first = broker.pub("-i", "now:1", "0").strip()
        with broker.stream("now:*") as stream:
            stream.start()
            broker.pub("-l", "now:1", data="1\n2\n3\n")
            self.assertEqual([each["data"] for each in stream.tagged(3)],
                             ["1", "2", "3"])
        wait_for(lambda: not broker.stored(), "all to be let go")
        # The worker has them yet.
        with broker.stream("now:*", last_id=first) as stream:
            _, events = stream.start()
        self.assertEqual([event.name for event in events],
                         ["message"] * 3)
        broker.kill()
        broker.start()
        with broker.stream("now:*,other", last_id=first) as stream:
            _, events = stream.start()
        self.assertEqual([(event.name, json.loads(event.data)["channels"])
                          for event in events], [("resync", ["now:1"])])

    def test_what_was_said_to_be_lost_does_not_come_after_all(self):
        """A worker has it yet when a subscriber comes so far."""
        broker = self.start({"channel now:*.keep": "none"})
        with broker.publisher() as publisher:
            first = publisher.publish("plain", "0")
            publisher.publish_many(("plain", "x") for _ in range(540))
            lost = publisher.publish("now:1", "lost")
            last = publisher.publish_many(("plain", "x") for _ in range(10))
        wait_for(lambda: len(broker.stored()) == 551, "it to be let go")
        told, got = self.read(broker, "now:1,plain", first)
        self.assertEqual(told, ["now:1"])
        self.assertEqual((len(got), got[-1]), (550, last[-1]))
        self.assertNotIn(lost, got)

    def test_what_is_lost_behind_a_half_written_event_is_told(self):
        """A stream that stopped in the midst of an event goes on in the store,
        and what it does not find there lies right behind that event."""
        broker = self.start({"channel now:*.keep": "none"},
                            broker__workers=1, http__send_buffer="4k")
        with broker.stream("plain,now:*", receive_buffer=4096) as slow, \
                broker.stream("done") as done, \
                broker.publisher() as publisher:
            slow.start()
            done.start()
            cursors = publisher.publish_many(
                (name, "x" * size) for _ in range(100)
                for name, size in (("plain", 3000), ("now:1", 9)))
            publisher.publish("done", "")
            done.events(1)  # the window is past the slow one
            wait_for(lambda: "now:1" not in [
                row[1] for row in broker.stored()], "it to be let go")
            self.check_told_in_time(slow, list(map(wire.cursor_text,
                                                   cursors)))

    def check_told_in_time(self, stream, cursors):
        """Every other one may be missing, once that was said."""
        got, told = [], []
        while cursors[-2] not in got:
            event = stream.next()
            if event.name == "resync":
                self.assertEqual(json.loads(event.data)["channels"], ["now:1"])
                told.append(len(got))
            else:
                got.append(event.id)
        self.assertEqual([each for each in got if each in cursors[::2]],
                         cursors[::2])
        self.assertLess(len(got), len(cursors) - 1)
        self.assertTrue(told, "not told")
        self.assertEqual(got[:told[0]], cursors[:told[0]])

    def test_a_quiet_channel_outlives_a_busy_one(self):
        broker = self.start({"channel quiet:*.max_events": 1000},
                            history__max_events=100)
        quiet = broker.pub("-i", "quiet:1", "still here").strip()
        lost = broker.pub("-i", "plain", "not any more").strip()
        broker.pub("-l", "busy", data="".join("%d\n" % n
                                              for n in range(3000)))
        wait_for(lambda: len(broker.stored()) == 101, "old events to go")
        for since, asked, told in (("0-1", "quiet:*", []),
                                   ("0-1", "quiet:*,plain", ["plain"]),
                                   (quiet, "plain,quiet:1", ["plain"]),
                                   (lost, "plain,quiet:1", [])):
            with broker.stream(asked, last_id=since) as stream:
                _, events = stream.start()
            self.assertEqual(
                [json.loads(event.data)["channels"] for event in events
                 if event.name == "resync"], [told] if told else [])
            self.assertEqual([event.id for event in events if event.id],
                             [quiet] if since == "0-1" else [])

    def test_an_age_of_its_own(self):
        broker = self.start({"channel young.max_age": "1s"})
        since = broker.pub("-i", "old", "stays").strip()
        gone = broker.pub("-i", "young", "goes").strip()
        broker.pub("-l", "old", data="x\n" * 70)
        wait_for(lambda: len(broker.stored()) == 71, "the young to go")
        number = wire.cursor_number(gone)
        self.assertEqual(self.read(broker, "*", number - 1)[0], ["young"])
        self.assertEqual(self.read(broker, "old", number - 1)[0], [])
        self.assertEqual(self.read(broker, "*", number)[0], [])
        self.assertLess(wire.cursor_number(since), number)

    def test_other_rules_after_a_restart(self):
        broker = self.start({"channel c:*.keep": "all"})
        first = broker.pub("-i", "c:1", "0").strip()
        for n in range(30):
            broker.pub("-k", "k%d" % (n % 3), "c:1", str(n))
        some = ["0", "27", "28", "29"]
        for keep, left, names in (("latest", some, ["message"] * 3),
                                  ("all", some, ["message"] * 3),
                                  ("latest", some, ["message"] * 3),
                                  # The hub hands them out anew, then they go.
                                  ("none", [], ["message"] * 3),
                                  ("latest", [], ["resync"])):
            self.assertEqual(broker.stop(), 0)
            broker.start({"channel c:*.keep": keep})
            wait_for(lambda: [row[4].decode() for row in broker.stored()] ==
                     left, "what %s keeps" % keep)
            with broker.stream("c:1,d", last_id=first) as stream:
                _, events = stream.start()
            self.assertEqual([event.name for event in events],
                             names)
        broker.pub("-k", "k", "c:1", "a")
        broker.pub("-k", "k", "c:1", "b")
        self.assertEqual([row[4] for row in broker.stored()], [b"b"])


if __name__ == "__main__":
    unittest.main()
