"""The publisher socket: a publisher that knows the protocol's page alone, and
one that means ill."""
import json
import os
import random
import struct
import unittest

import msgpack_wire as wire
from broker import BrokerCase, own_kib, wait_for


class Publisher(BrokerCase):
    def refused(self, publisher, message):
        """Sends it; the refusal, which must leave the connection usable."""
        publisher.send(message)
        with self.assertRaises(wire.Refused) as caught:
            publisher.ack()
        publisher.seq = max(publisher.seq, message[1])
        publisher.publish("still:here", "x")
        return caught.exception

    def ended(self, broker, data, hello=True):
        """Sends bytes that end the connection; the refusal's code."""
        with broker.publisher("ill", hello=hello) as publisher:
            try:
                publisher.send_bytes(data)
            except ConnectionError:
                pass  # refused before all was sent
            message = publisher.receive()
            while message[0] == wire.ACK:
                message = publisher.receive()
            self.assertEqual(message[0], wire.ERROR, message)
            self.assertIsNone(message[1], message)
            self.assertTrue(message[4], "a sentence for people")
            with self.assertRaises(wire.Closed):
                publisher.receive()
            return message[2]

    def test_the_greeting_says_version_limits_and_last_number(self):
        broker = self.broker(publish__max_event="10k")
        with broker.publisher("p") as publisher:
            self.assertEqual(publisher.welcome[:4],
                             [wire.WELCOME, 1, 0, 10240])
            self.assertEqual(publisher.welcome[4], 8192)
            publisher.publish("c", "x")
        with broker.publisher("p") as publisher:
            self.assertEqual(publisher.welcome[2], 1)

    def test_pipelined_events_are_acknowledged_in_order(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            last = publisher.offer_many(("c", str(n)) for n in range(8192))
            acks = [publisher.ack() for _ in range(last)]
            self.assertEqual([ack[0] for ack in acks],
                             list(range(1, last + 1)))
            cursors = [ack[1] for ack in acks]
            self.assertEqual(cursors, sorted(set(cursors)))
            self.assertFalse(any(ack[2] for ack in acks))
        self.assertEqual([row[0] for row in broker.stored()], cursors)

    def test_a_message_may_arrive_byte_by_byte(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            publisher.seq += 1
            for byte in wire.pack([wire.PUBLISH, publisher.seq, "c", None,
                                   "k", {"a": [1, 2]}, 0]):
                publisher.send_bytes(bytes([byte]))
            self.assertEqual(publisher.ack()[0], publisher.seq)

    def test_a_resend_is_recognised_with_its_first_cursor(self):
        broker = self.broker()
        with broker.stream() as stream:
            stream.start()
            with broker.publisher("p") as publisher:
                first = [publisher.publish("c", str(n)) for n in range(10)]
            with broker.publisher("p") as publisher:
                publisher.seq = 4
                acks = []
                for number in range(5, 13):
                    publisher.offer("c", str(number - 1))
                    acks.append(publisher.ack())
            self.assertEqual([ack[1] for ack in acks[:6]], first[4:])
            self.assertEqual([ack[2] for ack in acks],
                             [True] * 6 + [False] * 2)
            self.assertEqual([row["data"] for row in stream.tagged(12)],
                             [str(n) for n in range(12)])
            self.assertTrue(stream.quiet(0))
        self.assertEqual(len(broker.stored()), 12)

    def test_after_a_bye_the_numbers_are_forgotten(self):
        broker = self.broker()
        with broker.publisher("p") as publisher:
            publisher.publish("c", "x")
            publisher.bye()
        with broker.publisher("p") as publisher:
            self.assertEqual(publisher.welcome[2], 0)

    def test_a_second_connection_takes_over_the_id(self):
        broker = self.broker()
        with broker.publisher("p") as old, broker.publisher("other") as other:
            old.publish("c", "x")
            with broker.publisher("p") as new:
                message = old.receive()
                self.assertEqual(message[:3], [wire.ERROR, None, "replaced"])
                self.assertEqual(new.welcome[2], 1)
                new.publish("c", "y")
            other.publish("c", "z")

    def test_refusals_name_the_field_and_store_nothing(self):
        broker = self.broker(publish__max_event="1k")
        publish = wire.PUBLISH
        rows = [
            ([publish, 0, "", None, None, "x"], "channel", "channel"),
            ([publish, 0, "sp ace", None, None, "x"], "channel", "channel"),
            ([publish, 0, "\u00e4", None, None, "x"], "channel", "channel"),
            ([publish, 0, "c" * 201, None, None, "x"], "channel", "channel"),
            ([publish, 0, "a\n", None, None, "x"], "channel", "channel"),
            ([publish, 0, "c", "two\nlines", None, "x"], "type", "type"),
            ([publish, 0, "c", "t\r", None, "x"], "type", "type"),
            ([publish, 0, "c", "t\0", None, "x"], "type", "type"),
            ([publish, 0, "c", "t" * 201, None, "x"], "type", "type"),
            ([publish, 0, "c", None, "k\n", "x"], "key", "key"),
            ([publish, 0, "c", None, "k" * 201, "x"], "key", "key"),
            ([publish, 0, "c", "\udcff", None, "x"], "utf8", "type"),
            ([publish, 0, "c", None, "\udcff", "x"], "utf8", "key"),
            ([publish, 0, "c", None, None, "\udcff"], "utf8", "data"),
            ([publish, 0, "c", None, None, "\udced\udca0\udc80"], "utf8",
             "data"),
            ([publish, 0, "c", None, None, "{", 1], "json", "data"),
            ([publish, 0, "c", None, None, "x" * 1025], "too-large", "data"),
            ([publish, 0, "c", None, None, "x", 3], "flags", "flags"),
            ([publish, 0, "c", None, None, "x", 64], "flags", "flags"),
            ([wire.RESYNC, 0, "no channel"], "channel", "channel"),
        ]
        with broker.publisher() as publisher:
            for message, code, field in rows:
                message[1] = publisher.seq + 1
                refusal = self.refused(publisher, message)
                self.assertEqual((refusal.code, refusal.field, refusal.seq),
                                 (code, field, message[1]), message)
                self.assertTrue(refusal.text)
        stored = broker.stored()
        self.assertEqual({row[1] for row in stored}, {"still:here"})
        self.assertEqual(len(stored), len(rows))

    def test_wrong_types_are_refused_by_field(self):
        broker = self.broker()
        publish = wire.PUBLISH
        with broker.publisher() as publisher:
            for rest, field in (([7, None, None, "x"], "channel"),
                                ([None, None, None, "x"], "channel"),
                                ([b"c", None, None, "x"], "channel"),
                                (["c", 7, None, "x"], "type"),
                                (["c", None, [1], "x"], "key"),
                                (["c", None, None, "x", "f"], "flags")):
                refusal = self.refused(
                    publisher, [publish, publisher.seq + 1] + rest)
                self.assertEqual(refusal.field, field, rest)

    def test_what_cannot_be_a_message_ends_that_connection_alone(self):
        broker = self.broker()
        deep = b"\x91" * 200 + b"\xc0"
        head = b"\x97\x01\x01" + wire.pack("c") + b"\xc0\xc0"
        rows = [
            b"\xc1",                                 # never used
            b"\x00", b"\xa1x", b"\x80", b"\xc0",     # no array
            b"\x90",                                 # no type
            b"\x91\x63", b"\x91\xa1x", b"\x92\xff\x01",  # unknown type
            b"\xdd\xff\xff\xff\xff",                 # 4 billion elements
            head + b"\xdf\xff\xff\xff\xff",          # a map of them
            head + b"\xdb\xff\xff\xff\xff",          # a text of 4 GiB
            head + b"\xc6\xff\xff\xff\xff",
            head + b"\xc9\xff\xff\xff\xff\x01",
            head + deep,
            b"GET / HTTP/1.1\r\n\r\n",
        ]
        with broker.publisher("good") as good:
            for row in rows:
                self.assertIn(self.ended(broker, row),
                              ("malformed", "too-large", "too-deep"), row)
                good.publish("c", "x")
        self.assertEqual(len(broker.stored()), len(rows))

    def test_the_hello_comes_first_and_once(self):
        broker = self.broker()
        hello = wire.pack([wire.HELLO, 1, "x"])
        self.assertEqual(self.ended(broker, wire.pack(
            [wire.PUBLISH, 1, "c", None, None, "x"]), hello=False), "hello")
        self.assertEqual(self.ended(broker, hello), "hello")
        for version in (0, None, "1"):
            self.assertEqual(self.ended(broker, wire.pack(
                [wire.HELLO, version, "x"]), hello=False), "version")
        for name in ("", "with space", "x" * 65, 7, None):
            self.assertEqual(self.ended(broker, wire.pack(
                [wire.HELLO, 1, name]), hello=False), "publisher", name)

    def test_a_later_version_is_answered_with_the_one_spoken_here(self):
        broker = self.broker()
        with broker.publisher(hello=False) as publisher:
            publisher.send([wire.HELLO, 99, "x", "more", {"than": "known"}])
            self.assertEqual(publisher.receive()[:2], [wire.WELCOME, 1])

    def test_a_number_that_does_not_rise_is_refused(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            publisher.publish("c", "x")
            for seq in (0, 1, 2**63, -1, "1", None):
                publisher.send([wire.PUBLISH, seq, "c", None, None, "x"])
                message = publisher.receive()
                self.assertEqual((message[0], message[2], message[3]),
                                 (wire.ERROR, "seq", "seq"), seq)
                if message[1] is None:
                    return  # a number that is none ends the connection
        self.assertEqual(len(broker.stored()), 1)

    def test_garbage_from_a_seed_never_harms_others(self):
        broker = self.broker()
        seed = random.randrange(2**32)
        dice = random.Random(seed)
        sample = b"".join(wire.pack(message) for message in (
            [wire.PUBLISH, 1, "c", "t", "k", {"a": [1, 2.5, b"x"]}, 0],
            [wire.RESYNC, 2, "c"], [wire.STATUS],
            [wire.PUBLISH, 3, "c", None, None, "text", 4]))
        with broker.publisher("good") as good, self.subTest(seed=seed):
            for turn in range(300):
                with broker.publisher("ill:%d" % turn) as ill:
                    data = bytearray(sample)
                    for _ in range(dice.randrange(1, 6)):
                        data[dice.randrange(len(data))] = dice.randrange(256)
                    ill.send_bytes(bytes(data[:dice.randrange(1, len(data))]))
                if turn % 10 == 0:
                    good.publish("good", "x")
            good.publish("good", "x")

    def test_bytes_are_bounded_before_they_are_kept(self):
        broker = self.broker(publish__max_event="1k")
        hub = broker.hub()
        with broker.publisher() as publisher:
            publisher.send_bytes(b"\x97\x01\x01\xa1c\xc0\xc0\xdb" +
                                 struct.pack(">I", 1 << 30))
            message = publisher.receive()
            self.assertEqual(message[2], "too-large")
        self.assertEqual(broker.hub(), hub)

    def test_a_publisher_that_reads_no_acks_stops_nobody(self):
        broker = self.broker()
        with broker.publisher("deaf") as deaf, \
                broker.publisher("good") as good:
            deaf.socket.settimeout(1)
            try:
                for _ in range(100):
                    deaf.offer_many(("c", "x") for _ in range(1000))
            except OSError:
                pass  # the broker reads no more of it, or has ended it
            for _ in range(50):
                good.publish("good", "x")

    def test_answers_that_nobody_reads_are_bounded_and_none_is_lost(self):
        """Of two bytes that ask, each is answered with a thousand."""
        broker = self.broker()
        with broker.publisher("deaf") as deaf, \
                broker.publisher("good") as good:
            good.publish("c", "x")
            before = own_kib(broker.hub())
            deaf.send_bytes(wire.pack([wire.STATUS]) * 20000)
            for _ in range(2):  # when the second is answered, all was read
                good.publish("c", "x")
            self.assertLess(own_kib(broker.hub()) - before, 8192)
            for _ in range(20000):
                self.assertEqual(deaf.receive()[0], wire.REPORT)
            deaf.publish("c", "x")

    def test_publishers_are_bounded(self):
        broker = self.broker(publish__max_publishers=3)
        held = [broker.publisher("p%d" % n) for n in range(3)]
        for publisher in held:
            self.addCleanup(publisher.close)
        with self.assertRaises((wire.Refused, wire.Closed)) as caught:
            broker.publisher("one:more")
        if isinstance(caught.exception, wire.Refused):
            self.assertEqual(caught.exception.code, "busy")
        held.pop().close()

        def another():
            try:
                return broker.publisher("later")
            except (wire.Refused, wire.Closed):
                return None
        wait_for(another, "room for another").close()
        for publisher in held:
            publisher.publish("c", "x")
            publisher.close()

    def test_who_says_no_hello_loses_its_place(self):
        broker = self.broker(publish__max_publishers=2,
                             publish__hello_timeout="1s")
        with broker.publisher("greeted") as greeted:
            silent = broker.publisher("x", hello=False)
            self.addCleanup(silent.close)
            silent.send_bytes(b"\x93\x00")  # not the whole of it
            self.assertEqual(silent.receive()[:3],
                             [wire.ERROR, None, "timeout"])
            with self.assertRaises(wire.Closed):
                silent.receive()
            with broker.publisher("other") as other:
                other.publish("c", "x")
            greeted.publish("c", "x")  # longer ago than the timeout
            self.assertEqual(broker.stats()["publishers_silent_total"], 1)

    def test_who_is_told_to_go_and_does_not_read_loses_its_place(self):
        broker = self.broker(publish__hello_timeout="1s")
        old = broker.publisher("p")
        self.addCleanup(old.close)
        old.socket.settimeout(0.5)
        with self.assertRaises(TimeoutError):
            while True:  # its answers stay unread, until nothing is taken
                old.offer_many(("c", "x") for _ in range(1000))
        self.assertEqual(broker.stats()["publishers"], 1)
        with broker.publisher("p") as new:
            new.publish("c", "x")
            wait_for(lambda: broker.stats()["publishers"] == 1,
                     "the old one's end")
            new.publish("c", "x")

    def test_the_report_is_json(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            publisher.publish("c", "x")
            publisher.send([wire.STATUS])
            message = publisher.receive()
            self.assertEqual(message[0], wire.REPORT)
            report = json.loads(message[1])
            self.assertIn("cursor", report)

    def test_the_socket_has_the_mode_that_was_set(self):
        broker = self.broker(publish__mode="0600")
        self.assertEqual(os.stat(broker.socket).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main()
