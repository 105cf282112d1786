"""Channels of live streams change: none missing, none twice, none out of
order, whatever the stream is doing just then."""
import collections
import json
import os
import random
import signal
import unittest

import msgpack_wire as wire
import sse_client
from broker import SCALE, BrokerCase, tagged, wait_for
from patterns import covers

SEED = int(os.environ.get("SSEMUX_SEED", "0")) or random.randrange(1, 1 << 30)
CHANNELS = ["a:%d" % n for n in range(4)] + ["b:%d" % n for n in range(3)]
PATTERNS = ["a:*", "b:*", "*"] + CHANNELS


class Change(BrokerCase):
    def post(self, broker, stream_id, body):
        return sse_client.post_json(broker.port, "/stream/" + stream_id, body)

    def changed(self, broker, stream_id, **body):
        status, said = self.post(broker, stream_id, body)
        self.assertEqual(status, 200, said)
        return said

    def open(self, broker, channels, **options):
        stream = broker.stream(channels, **options)
        self.addCleanup(stream.close)
        name = stream.control("connected")["stream"]
        return stream, name

    def test_a_stream_whose_worker_cannot_be_asked_is_not_unknown(self):
        broker = self.broker(broker__workers="2")
        stream, name = self.open(broker, "a")
        stream.control("live")
        owner = broker.workers()["AB".index(name[1])]
        os.kill(owner, signal.SIGSTOP)
        try:
            # The next hub has no link to the worker that is stopped.
            broker.kill_hub()
            status, said = sse_client.post_json(
                broker.port, "/stream/" + name, {}, patience=0)
            self.assertEqual((status, said["code"]), (503, "later"))
        finally:
            os.kill(owner, signal.SIGCONT)
        wait_for(lambda: self.post(broker, name, {})[0] == 200,
                 "its worker's answer")
        broker.pub("a", "still there")
        self.assertEqual(stream.tagged(1)[0]["data"], "still there")

    def test_a_channel_is_added_and_another_left(self):
        broker = self.broker(broker__workers="3")
        stream, name = self.open(broker, "a")
        stream.control("live")
        for _ in range(6):  # from whichever worker the request reaches
            said = self.changed(broker, name, subscribe=["b"],
                                unsubscribe=["a", "nothing"])
            self.assertEqual(said["channels"], ["b"])
            self.assertEqual(said["subscribed"], ["b"])
            self.assertEqual(said["unsubscribed"], ["a"])
            self.assertEqual(stream.control("subscribed"), {
                "channels": ["b"], "refused": [], "unsubscribed": ["a"]})
            broker.pub("a", "not this")
            broker.pub("b", "this")
            self.assertEqual(stream.tagged(1)[0]["data"], "this")
            self.changed(broker, name, subscribe=["a"], unsubscribe=["b"])
            stream.control("subscribed")

    def test_an_added_channel_begins_where_it_is_told_to(self):
        broker = self.broker()
        cursors = [broker.pub("-i", name, name + str(n)).strip()
                   for n in range(6) for name in ("a", "b")]
        stream, name = self.open(broker, "a", since=cursors[4])
        self.assertEqual([each["data"] for each in stream.tagged(3)],
                         ["a3", "a4", "a5"])
        stream.control("live")
        self.changed(broker, name, subscribe=["b"], since=cursors[1])
        self.assertEqual(stream.control("subscribed")["channels"], ["b"])
        self.assertEqual([each["data"] for each in stream.tagged(5)],
                         ["b1", "b2", "b3", "b4", "b5"])
        stream.control("live")
        for name in ("a", "b"):
            broker.pub(name, name + "6")
        self.assertEqual([each["data"] for each in stream.tagged(2)],
                         ["a6", "b6"])

    def test_what_another_pattern_brings_already_comes_once(self):
        broker = self.broker()
        broker.pub("a:1", "old")
        stream, name = self.open(broker, "a:*", since="-1m")
        self.assertEqual(stream.tagged(1)[0]["data"], "old")
        stream.control("live")
        self.changed(broker, name, subscribe=["a:1", "*"], since="-1m")
        stream.control("subscribed")
        stream.control("live")
        broker.pub("a:1", "new")
        self.assertEqual(stream.tagged(1)[0]["data"], "new")
        self.assertTrue(stream.quiet(0.3))

    def test_an_added_channel_that_lost_history_is_named(self):
        broker = self.broker(history__max_events="5",
                             broker__window_events="64")
        first = broker.pub("-i", "a", "first").strip()
        broker.pub("-l", "b", data="".join("b%d\n" % n for n in range(200)))
        wait_for(lambda: len(broker.stored()) == 5, "old events to be let go")
        stream, name = self.open(broker, "c")
        stream.control("live")
        self.changed(broker, name, subscribe=["a", "b", "d"], since=first)
        stream.control("subscribed")
        self.assertEqual(stream.control("resync"),
                         {"channels": ["b"], "reason": "history"})
        self.assertEqual([each["data"] for each in stream.tagged(5)],
                         ["b195", "b196", "b197", "b198", "b199"])
        stream.control("live")
        self.changed(broker, name, subscribe=["e"], since="garbage")
        said = [stream.next(), stream.next()]
        self.assertEqual(sorted(each.name for each in said),
                         ["resync", "subscribed"])
        self.assertEqual(json.loads([each for each in said if each.name ==
                                     "resync"][0].data),
                         {"channels": ["e"], "reason": "cursor"})

    def test_all_channels_changed_at_once_are_judged_anew(self):
        """What the stream was told of the channels that it leaves says nothing
        about those that it gets."""
        broker = self.broker(history__max_events="5",
                             broker__window_events="64")
        first = broker.pub("-i", "a", "first").strip()
        broker.pub("-l", "a", data="".join("a%d\n" % n for n in range(100)))
        broker.pub("-l", "b", data="".join("b%d\n" % n for n in range(100)))
        kept = ["b95", "b96", "b97", "b98", "b99"]
        wait_for(lambda: len(broker.stored()) == 5, "old events to be let go")
        stream, name = self.open(broker, "a", since=first)
        self.assertEqual(stream.control("resync")["channels"], ["a"])
        stream.control("live")
        for since, resync in ((first, True), ("-1", False), (first, True)):
            self.changed(broker, name, unsubscribe=["a", "b"],
                         subscribe=["b"], since=since)
            stream.control("subscribed")
            if resync:
                self.assertEqual(stream.control("resync"),
                                 {"channels": ["b"], "reason": "history"})
            self.assertEqual([each["data"] for each in stream.tagged(5)],
                             kept)
            stream.control("live")

    def test_a_stream_may_be_without_channels_for_a_while(self):
        broker = self.broker()
        stream, name = self.open(broker, "a")
        stream.control("live")
        self.assertEqual(self.changed(
            broker, name, unsubscribe=["a"])["channels"], [])
        stream.control("subscribed")
        broker.pub("a", "nobody's")
        self.changed(broker, name, subscribe=["a"], since="-1m")
        stream.control("subscribed")
        self.assertEqual(stream.tagged(1)[0]["data"], "nobody's")

    def test_bad_changes_change_nothing(self):
        broker = self.broker(http__max_channels="3")
        stream, name = self.open(broker, "a,b")
        stream.control("live")
        for body, code in (
                ({"subscribe": ["c", "bad channel"]}, "channel-invalid"),
                ({"subscribe": "c"}, "channel-invalid"),
                ({"unsubscribe": [1]}, "channel-invalid"),
                ({"subscribe": ["c"], "since": 5}, "body-invalid"),
                ({"subscribe": ["c"], "token": 5}, "body-invalid"),
                ({"subscribe": ["c", "d"], "unsubscribe": ["a"]},
                 "channels-too-many")):
            status, said = self.post(broker, name, body)
            self.assertEqual((status, said["code"]), (400, code))
        self.assertEqual(sorted(self.changed(broker, name)["channels"]),
                         ["a", "b"])
        self.assertTrue(stream.quiet(0.2))

    # --- against a model ---

    def publish(self, count):
        for _ in range(count):
            channel = self.dice.choice(CHANNELS)
            data = "%d %s" % (len(self.log), "x" * self.dice.choice(
                [0, 50, 500, 500, 12000]))
            self.publisher.offer(channel, data)
            self.log.append(channel)
        for _ in range(count):
            self.cursors.append(self.publisher.ack()[1])

    def change(self, broker, member):
        """One change, at any moment; the model of it is noted."""
        head = len(self.log)
        if member["marks"] and self.dice.random() < 0.4:
            # What it has not got yet may come or not: read it first.
            self.settle(member)
            pattern = self.dice.choice(sorted(member["marks"]))
            self.changed(broker, member["name"], unsubscribe=[pattern])
            del member["marks"][pattern]
            return
        pattern = self.dice.choice(PATTERNS)
        if pattern in member["marks"]:
            return
        body = {"subscribe": [pattern]}
        if self.dice.random() < 0.7:
            since = self.dice.randrange(head + 1)
            body["since"] = wire.cursor_text(
                self.cursors[since - 1]) if since else "-1"
        else:
            since = head
        for at in range(since, head):
            if covers(pattern, self.log[at]) and \
                    not self.has(member, at):
                member["due"][at] += 1
        member["marks"][pattern] = since
        self.changed(broker, member["name"], **body)

    def has(self, member, at):
        """Does one of its channels bring it this event?"""
        return any(begin <= at and covers(pattern, self.log[at])
                   for pattern, begin in member["marks"].items())

    def settle(self, member):
        """Reads until it has all that is due, and checks that it is no more
        than that. What it left and then asks for again comes again."""
        due, got = member["due"], member["got"]
        while sum(got.values()) < sum(due.values()):
            event = member["stream"].next()
            self.assertNotEqual(event.name, "resync", event)
            if event.id is None:
                continue
            number = int(tagged(event)["data"].split()[0])
            self.assertEqual(wire.cursor_number(event.id),
                             self.cursors[number])
            got[number] += 1
            self.assertLessEqual(got[number], due[number],
                                 "seed %d, event %d" % (self.seed, number))

    def test_who_does_not_read_what_it_is_told_is_changed_later(self):
        """Nothing grows by it, neither what is to be said nor the snapshots
        that are to come."""
        long = ["a:%d:%s" % (number, "x" * 150) for number in range(100)]
        for names, most in ((long, 4), (["last:a"], 16)):
            broker = self.broker(
                broker__workers="1", http__send_buffer="4k",
                publish__max_event="50k", **{"channel last:*.keep": "latest"})
            stream, name = self.open(broker, "b", receive_buffer=4096)
            stream.control("live")
            broker.pub("b", "x" * 40000)
            wait_for(lambda: broker.metric("streams_behind") == 1,
                     "the socket to be full")
            done = 0
            while True:
                status, said = sse_client.post_json(
                    broker.port, "/stream/" + name,
                    {"subscribe": names, "unsubscribe": names}, patience=0)
                if status != 200:
                    break
                done += 1
                self.assertLessEqual(done, most)
            self.assertGreater(done, 1)
            self.assertEqual((status, said["code"]), (503, "later"))
            stream.tagged(1)
            for _ in range(done):
                self.assertEqual(stream.control("subscribed")["channels"],
                                 names)
            self.changed(broker, name, unsubscribe=names)

    def test_any_change_at_any_moment(self):
        for seed in range(SEED, SEED + SCALE):
            with self.subTest(seed=seed):
                self.play(seed)

    def play(self, seed):
        self.dice, self.seed = random.Random(seed), seed
        broker = self.broker(
            broker__workers="2", broker__window_events="64",
            http__send_buffer="4k")
        self.publisher = broker.publisher("model")
        self.log, self.cursors = [], []
        members = []
        for _ in range(8):
            stream, name = self.open(broker, "none", receive_buffer=16384)
            self.changed(broker, name, unsubscribe=["none"])
            members.append({"stream": stream, "name": name, "marks": {},
                            "due": collections.Counter(),
                            "got": collections.Counter()})
        for _ in range(150):
            before = len(self.log)
            self.publish(self.dice.choice([1, 1, 5, 40]))
            for member in members:
                for at in range(before, len(self.log)):
                    member["due"][at] += self.has(member, at)
            for member in self.dice.sample(members, 3):
                self.change(broker, member)
            if self.dice.random() < 0.3:
                self.settle(self.dice.choice(members))
        for member in members:
            self.settle(member)
            self.assertTrue(member["stream"].quiet(0.1) or all(
                each.id is None for each in member["stream"].waiting))
        broker.stop()
        self.brokers.remove(broker)


if __name__ == "__main__":
    unittest.main()
