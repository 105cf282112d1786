"""Streams that gather events of a window: all come, in order, with few writes;
and what else happens to a stream meanwhile."""
import json
import os
import random
import subprocess
import time
import unittest

import msgpack_wire as wire
import sse_client
import tokens
from broker import BUILD, BrokerCase, tagged, wait_for


CONTROL = os.path.join(BUILD, "ssemuxctl")


class Window(BrokerCase):
    def open(self, broker, target, **options):
        stream = broker.open(target, **options)
        self.addCleanup(stream.close)
        return stream

    def held(self, broker, count):
        row = b"\nssemux_streams_held %d\n" % count
        wait_for(lambda: row in broker.get("/metrics")[1],
                 "%d streams that hold events back" % count)

    def within_a_minute(self):
        """Windows of 60 s begin together: waits for the next one when this one
        is about to end."""
        wait_for(lambda: 60 - time.monotonic() % 60 > 15, "the next window")

    def test_what_falls_into_a_window_is_written_at_once(self):
        broker = self.broker(broker__workers=1)
        stream = self.open(broker, "/stream?channels=*&window=200ms")
        stream.start()
        begin = time.monotonic()
        with broker.publisher() as publisher:
            cursors = [publisher.publish("a:%d" % (n % 7), "%d" % n, key="k")
                       for n in range(300)]
        events = stream.events(300)
        self.assertEqual([event.id for event in events],
                         list(map(wire.cursor_text, cursors)))
        self.assertEqual([tagged(event)["data"] for event in events],
                         ["%d" % n for n in range(300)])
        windows = (time.monotonic() - begin) / 0.2 + 2
        self.assertLessEqual(broker.stats()["writes_total"], windows)
        self.held(broker, 0)

    def test_who_has_no_window_does_not_wait(self):
        self.within_a_minute()
        broker = self.broker(broker__workers=1)
        gathering = [self.open(broker, "/stream?channels=a&window=1m")
                     for _ in range(3)]
        plain = self.open(broker, "/stream?channels=*")
        other = self.open(broker, "/stream?channels=b&window=60000")
        for stream in gathering + [plain, other]:
            stream.start()
        broker.pub("a", "one")
        self.assertEqual(plain.tagged(1)[0]["data"], "one")
        self.held(broker, 3)
        self.assertEqual(broker.stats()["streams_behind"], 0)
        self.assertTrue(other.quiet(0.1))

    def test_the_end_of_the_broker_is_the_end_of_the_window(self):
        self.within_a_minute()
        broker = self.broker(broker__workers=2)
        streams = [self.open(broker, "/stream?channels=a&window=60s&format=%s"
                             % name) for name in ("raw", "tagged") * 4]
        for stream in streams:
            stream.start()
        ids = [broker.pub("-i", "a", "%d" % n).strip() for n in range(9)]
        self.held(broker, 8)
        self.assertEqual(broker.stop(), 0)
        for stream in streams:
            rest = stream.rest()
            self.assertEqual([event.name for event in rest],
                             ["message"] * 9 + ["bye"])
            self.assertEqual([event.id for event in rest[:-1]], ids)
        broker.start()

    def test_what_lies_in_the_past_is_not_held_back(self):
        broker = self.broker()
        for n in range(5):
            broker.pub("a", "%d" % n)
        late = self.open(broker, "/stream?channels=a&since=-1m&window=60s")
        self.assertEqual([event.name for event in late.start()[1]],
                         ["message"] * 5)
        ends = self.open(broker, "/stream?channels=a&since=-1&window=60s"
                         "&live=false")
        self.assertEqual(len(ends.start()[1]), 5)
        self.assertEqual([event.name for event in ends.rest()], ["bye"])
        self.assertEqual(ends.ended, "clean")

    def test_signs_of_life_and_control_events_do_not_wait(self):
        self.within_a_minute()
        broker = self.broker(**{
            "stream /s.allow": "*", "stream /s.window": "60s",
            "stream /s.heartbeat": 'event beat {"cursor":{cursor}}',
            "stream /s.heartbeat_interval": "1s"})
        stream = self.open(broker, "/s?channels=a")
        connected = stream.start()[0]
        first = broker.pub("-i", "a", "one").strip()
        broker.pub("b", "before")
        self.held(broker, 1)
        stream.waiting.clear()
        beat = stream.control("beat")
        self.assertLess(wire.cursor_number(beat["cursor"]),
                        wire.cursor_number(first))
        sse_client.post_json(broker.port, "/s/" + connected["stream"],
                             {"subscribe": ["b"], "since": "-1m"})
        said = stream.next()
        while said.name == "beat":
            said = stream.next()
        self.assertEqual(said.name, "subscribed")
        broker.stop()
        rest = [event for event in stream.rest() if event.name != "beat"]
        self.assertEqual([tagged(event)["data"] for event in rest
                          if event.id], ["one", "before"])
        self.assertEqual(rest[-1].name, "bye")
        broker.start()

    def test_what_is_withdrawn_meanwhile_does_not_come(self):
        self.within_a_minute()
        key = tokens.Secret()
        broker = self.jwt_broker(key)
        stream = self.open(
            broker, "/stream?channels=a,b&window=60s",
            headers=tokens.bearer(key.token(
                sub="ada", ssemux={"subscribe": ["a", "b"]})))
        stream.start()
        for name in ("a", "b", "a"):
            broker.pub(name, name)
        self.held(broker, 1)
        subprocess.run([CONTROL, "-s", broker.socket, "revoke", "ada", "a"],
                       check=True, timeout=60)
        self.assertEqual(stream.control("revoked")["channels"], ["a"])
        broker.stop()
        self.assertEqual([tagged(event)["data"] for event in stream.rest()
                          if event.id], ["b"])
        broker.start()

    def test_the_block_says_how_long_and_the_query_otherwise(self):
        self.within_a_minute()
        broker = self.broker(**{
            "stream /s.allow": "*", "stream /s.window": "60s",
            "stream /s.query_window": "gather"})
        held = self.open(broker, "/s?channels=a&window=0")
        at_once = self.open(broker, "/s?channels=a&gather=0")
        held.start()
        at_once.start()
        broker.pub("a", "one")
        self.assertEqual(at_once.tagged(1)[0]["data"], "one")
        self.held(broker, 1)
        for text in ("", "x", "-1", "61s", "60001", "2m", "1h", "5 ms", "1.5s",
                     "99999999999999999999"):
            body, out = broker.get(
                "/s?channels=a&gather=" + text.replace(" ", "%20"))
            self.assertEqual(body.status, 400, text)
            self.assertEqual(json.loads(out)["code"], "window-invalid")

    def test_a_cut_at_any_moment_loses_and_doubles_nothing(self):
        broker = self.broker(broker__workers=2, http__send_buffer="8k")
        dice = random.Random(7)
        target = "/stream?channels=a:*&window=%dms"
        stream = self.open(broker, target % 20)
        stream.start()
        cursors, ids = [], []
        with broker.publisher() as publisher:
            for _ in range(60):
                cursors += publisher.publish_many(
                    ("a:%d" % dice.randrange(3),
                     "x" * dice.choice([10, 10, 2000]))
                    for _ in range(dice.randrange(20)))
                for _ in range(dice.randrange(4)):
                    stream.fill(0.01)
                if dice.random() < 0.5:
                    continue
                while stream.waiting:
                    event = stream.next()
                    ids += [event.id] if event.id else []
                last = stream.last_id
                stream.close()
                if dice.random() < 0.2:
                    broker.kill_worker(dice.choice(broker.workers()))
                    broker.workers()
                stream = self.open(broker, target % dice.choice([1, 20, 300]),
                                   **({"last_id": last} if last else {}))
                if not last:
                    ids, cursors = [], []
                    stream.start()
        while len(ids) < len(cursors):
            event = stream.next()
            ids += [event.id] if event.id else []
        self.assertEqual(ids, list(map(wire.cursor_text, cursors)))


if __name__ == "__main__":
    unittest.main()
