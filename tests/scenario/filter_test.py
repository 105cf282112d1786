"""Filters: of its channels a stream gets the events whose types and keys it
asked for, the same ones live, from the window and from the store."""
import itertools
import json
import os
import random
import unittest
import urllib.parse

import msgpack_wire as wire
import sse_client
from broker import SCALE, BrokerCase, tagged

SEED = int(os.environ.get("SSEMUX_SEED", "0")) or random.randrange(1, 1 << 30)
WORDS = ["", "a", "a.b", "a.bc", "b", "ord_4", "ord_42"]
PATTERNS = ["a", "a*", "a.*", "b", "*", "ord_*", "ord_42", "!a", "!a.*",
            "!ord_4", "!*"]


def takes(patterns, word):
    """What a list makes of a type or key; a model of its own."""
    def named(pattern):
        return word.startswith(pattern[:-1]) if pattern.endswith("*") \
            else word == pattern
    if any(named(each[1:]) for each in patterns if each.startswith("!")):
        return False
    positive = [each for each in patterns if not each.startswith("!")]
    return not positive or any(map(named, positive))


class Filter(BrokerCase):
    def post(self, broker, name, **body):
        return sse_client.post_json(broker.port, "/stream/" + name, body)

    def open(self, broker, since, **lists):
        target = "/stream?channels=c:*&since=" + since
        for name, patterns in lists.items():
            if patterns:
                target += "&%s=%s" % (name, urllib.parse.quote(
                    ",".join(patterns)))
        stream = broker.open(target)
        self.addCleanup(stream.close)
        return stream, stream.control("connected")["stream"]

    def lists(self):
        return {"types": self.dice.sample(PATTERNS, self.dice.randrange(4)),
                "keys": self.dice.sample(PATTERNS, self.dice.randrange(4))}

    def publish(self, count):
        for _ in range(count):
            event = (self.dice.choice(WORDS), self.dice.choice(WORDS))
            self.publisher.offer("c:%d" % self.dice.randrange(3),
                                 str(len(self.log)), event[0] or None,
                                 event[1] or None)
            self.log.append(event)
        for _ in range(count):
            self.cursors.append(self.publisher.ack()[1])

    def expected(self, since, until, lists):
        return [number for number in range(since, until)
                if takes(lists["types"], self.log[number][0]) and
                takes(lists["keys"], self.log[number][1])]

    def check(self, stream, since, until, lists):
        expected = self.expected(since, until, lists)
        got = [int(each["data"]) for each in stream.tagged(len(expected))]
        self.assertEqual(got, expected, "seed %d, %r" % (SEED, lists))

    def test_the_same_events_pass_wherever_they_come_from(self):
        for seed in range(SEED, SEED + SCALE):
            self.dice = random.Random(seed)
            self.log, self.cursors = [], []
            broker = self.broker(broker__workers="2",
                                 broker__window_events="64")
            self.publisher = broker.publisher("filter")
            self.addCleanup(self.publisher.close)
            self.publish(300)  # most of it in the store alone
            streams = []
            for since in (0, 100, 290, 300):
                for _ in range(3):
                    lists = self.lists()
                    stream, name = self.open(
                        broker, wire.cursor_text(self.cursors[since - 1])
                        if since else "-1", **lists)
                    self.check(stream, since, 300, lists)
                    streams.append((stream, name, lists))
            for stream, _, _ in streams:
                stream.control("live")
            self.publish(100)
            for stream, _, lists in streams:
                self.check(stream, 300, 400, lists)
            for stream, name, lists in streams:
                lists.update(self.lists())
                status, said = self.post(broker, name, **lists)
                self.assertEqual(status, 200, said)
            self.publish(100)
            for stream, _, lists in streams:
                self.check(stream, 400, 500, lists)
                self.assertFalse(stream.waiting)
            broker.stop()
            self.brokers.remove(broker)

    def test_an_event_without_a_key_comes_unless_a_key_is_named(self):
        broker = self.broker()
        broker.pub("c:1", "bare")
        broker.pub("-k", "k", "c:1", "keyed")
        for keys, expected in (([], ["bare", "keyed"]),
                               (["*"], ["bare", "keyed"]),
                               (["!k"], ["bare"]), (["!x*"], ["bare", "keyed"]),
                               (["k"], ["keyed"]), (["k*"], ["keyed"])):
            stream, _ = self.open(broker, "-1", keys=keys)
            got = [tagged(event)["data"] for event in itertools.takewhile(
                lambda event: event.name != "live", iter(stream.next, None))]
            self.assertEqual(got, expected, keys)

    def test_a_resync_comes_whatever_the_keys(self):
        broker = self.broker()
        stream, _ = self.open(broker, "now", keys=["k"])
        stream.control("live")
        broker.pub("--resync", "c:1")
        self.assertEqual(stream.control("resync")["channels"], ["c:1"])

    def test_bad_keys_are_refused(self):
        broker = self.broker()
        for keys in ["ord*x", "%21", "a,,b", ",".join("t" * 65)]:
            answer, out = broker.get("/stream?channels=a&keys=" + keys)
            self.assertEqual(answer.status, 400, keys)
            self.assertEqual(json.loads(out)["code"], "keys-invalid")
        stream, name = self.open(broker, "now", keys=["k"])
        stream.control("live")
        for body, code in (({"keys": "k"}, "keys-invalid"),
                           ({"keys": None}, "keys-invalid"),
                           ({"keys": ["a", "b*c"]}, "keys-invalid"),
                           ({"types": [1]}, "types-invalid"),
                           ({"types": ["a"] * 65}, "types-invalid")):
            body.setdefault("types", ["x"])
            status, said = self.post(broker, name, **body)
            self.assertEqual((status, said["code"]), (400, code))
        broker.pub("-k", "k", "c:1", "as before")
        self.assertEqual(stream.tagged(1)[0]["data"], "as before")

    def test_a_change_never_takes_what_the_block_leaves_out(self):
        broker = self.broker(**{"stream /s.allow": "c:*",
                                "stream /s.types": "order.*",
                                "stream /s.query_keys": "ids"})
        with broker.open("/s?channels=c:*&types=order.a&ids=x&keys=%21"
                         ) as stream:
            name = stream.control("connected")["stream"]
            stream.control("live")
            status, _ = sse_client.post_json(
                broker.port, "/s/" + name,
                {"types": ["order.b", "secret"], "keys": []})
            self.assertEqual(status, 200)
            for kind in ("secret", "order.a", "order.b"):
                broker.pub("-t", kind, "c:1", kind)
            self.assertEqual(stream.tagged(1)[0]["data"], "order.b")


if __name__ == "__main__":
    unittest.main()
