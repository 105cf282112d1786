"""The main job: publish, stream, resume."""
import json
import re
import unittest

import msgpack_wire as wire
from broker import BrokerCase, tagged
from sse_client import Ended

HOSTILE = [
    "a\rb", "a\nb", "a\r\nb", "\r", "\n", "\r\n", "\n\n", "a\n\nid: 9-9\n\n",
    "id: 1-1", "event: bye", "data: x\n\nevent: bye\ndata: {}\n\n",
    ": comment", "retry: 1", "nul\0nul", "\ufeffbom", "bom\ufeff", " space ",
    "\t", "\U0001f600\U00010348", "\u2028\u2029\x85", "\x01\x1f\x7f",
    "\"\\/\b\f", "", "{", "[1", "null", "x" * 65536,
]


class Spine(BrokerCase):
    def test_an_event_reaches_a_live_subscriber_in_both_formats(self):
        broker = self.broker()
        with broker.stream() as one, \
                broker.stream(query="&format=raw") as two, \
                broker.publisher() as publisher:
            one.start()
            two.start()
            cursor = wire.cursor_text(publisher.publish(
                "orders", '{"status":"shipped"}', "order.updated", "ord_42"))
            event = one.next()
            ms = int(cursor.split("-")[0])
            self.assertEqual(event.raw.decode(), (
                'id: %s\ndata: {"channel":"orders","type":"order.updated",'
                '"key":"ord_42","ts":%d,"data":{"status":"shipped"}}\n\n'
            ) % (cursor, ms))
            self.assertEqual(two.next().raw.decode(), (
                'id: %s\nevent: order.updated\ndata: {"status":"shipped"}\n\n'
            ) % cursor)

    def test_the_head_and_the_greeting_are_as_clients_need_them(self):
        broker = self.broker(http__retry="3s", http__heartbeat="7s")
        with broker.stream("a,b:*") as stream:
            self.assertEqual(stream.opened(), 200)
            headers = stream.body.headers
            self.assertRegex(headers["content-type"], "^text/event-stream")
            self.assertEqual(headers["cache-control"],
                             "no-cache, no-transform")
            self.assertEqual(headers["x-accel-buffering"], "no")
            self.assertIn("vary", headers)
            self.assertTrue(stream.body.chunked)
            greeting = stream.next()
            self.assertEqual(greeting.name, "connected")
            self.assertTrue(3000 <= greeting.retry <= 6000, greeting)
            said = json.loads(greeting.data)
            self.assertEqual(said["channels"], ["a", "b:*"])
            self.assertEqual(said["refused"], [])
            self.assertEqual(said["heartbeat"], 7)
            self.assertIn("stream", said)
            self.assertIn("cursor", said)
            live = stream.control("live")
            self.assertIn("cursor", live)

    def test_channels_and_patterns_choose_what_is_received(self):
        broker = self.broker()
        channels = ["a", "a:b", "a:b:c", "ab", "b", "a:bc"]
        covers = {
            "a": ["a"], "a:*": ["a:b", "a:b:c", "a:bc"], "a:b:*": ["a:b:c"],
            "*": channels, "b,a:b": ["a:b", "b"],
            "a:*,a:b,*": channels,  # each once, though covered three times
        }
        streams = {key: broker.stream(key) for key in covers}
        for stream in streams.values():
            stream.start()
        with broker.publisher() as publisher:
            publisher.publish_many((name, name) for name in channels)
            publisher.publish_many((name, "end") for name in channels)
        for key, stream in streams.items():
            got = [row["channel"]
                   for row in stream.tagged(2 * len(covers[key]))]
            self.assertEqual(got, covers[key] * 2, key)
            # And the same from the store.
            with broker.stream(key, since="-1h") as late:
                _, events = late.start()
                self.assertEqual([tagged(event)["channel"]
                                  for event in events], covers[key] * 2, key)
            self.assertTrue(stream.quiet(0))
            stream.close()

    def test_hostile_text_arrives_unchanged_and_forges_nothing(self):
        broker = self.broker(publish__max_event="128k")
        with broker.stream() as stream, \
                broker.stream(query="&format=raw") as raw, \
                broker.publisher() as publisher:
            stream.start()
            raw.start()
            cursors = [wire.cursor_text(publisher.publish(
                "h", text, flags=wire.FLAG_TEXT)) for text in HOSTILE]
            events = stream.events(len(HOSTILE))
            self.assertEqual([event.id for event in events], cursors)
            self.assertEqual([tagged(event)["data"] for event in events],
                             HOSTILE)
            for text, cursor, event in zip(HOSTILE, cursors,
                                           raw.events(len(HOSTILE))):
                self.assertEqual(event.id, cursor)
                self.assertEqual(event.name, "message")
                self.assertEqual(event.data, re.sub("\r\n?", "\n", text))
                self.assertIsNone(event.retry)
            # Nothing else was made of them.
            self.assertTrue(stream.quiet(0) and raw.quiet(0))

    def test_every_kind_of_data_has_its_form(self):
        broker = self.broker()
        rows = [
            ("text", 0, '"text"'), ('{"a": [1]}', 0, '{"a": [1]}'),
            ("[1,2]", 0, "[1,2]"), ("17", 0, '"17"'),
            ("17", wire.FLAG_JSON, "17"),
            ('{"a":1}', wire.FLAG_TEXT, '"{\\"a\\":1}"'),
            (b"\x00\xff\r\n", 0, '"AP8NCg=="'),
            ({"a": [1, -1, None, True, 2**63], "b": {"c": "d"}}, 0,
             '{"a":[1,-1,null,true,9223372036854775808],"b":{"c":"d"}}'),
            (7, 0, "7"), (None, 0, "null"), (False, 0, "false"), ([], 0, "[]"),
            (1.5, 0, "1.5"),
        ]
        with broker.stream() as stream, broker.publisher() as publisher:
            stream.start()
            for data, flags, form in rows:
                publisher.publish("k", data, flags=flags)
                event = stream.next()
                self.assertTrue(event.data.endswith('"data":%s}' % form),
                                (data, event.data))
                json.loads(event.data)

    def test_a_client_resumes_after_the_last_event_it_saw(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            cursors = [wire.cursor_text(cursor) for cursor in
                       publisher.publish_many(("c", str(n))
                                              for n in range(50))]
        for options in ({"last_id": cursors[19]}, {"since": cursors[19]},
                        {"query": "&lastEventId=" + cursors[19]},
                        {"last_id": cursors[19], "since": cursors[40]}):
            with broker.stream("c", **options) as stream:
                _, events = stream.start()
                self.assertEqual([event.id for event in events], cursors[20:])
                self.assertEqual([tagged(event)["data"] for event in events],
                                 [str(n) for n in range(20, 50)])

    def test_since_takes_ages_times_and_now(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            cursor = publisher.publish("c", "x")
        for since, count in (("now", 0), ("-10m", 1), ("-1h", 1),
                             ("2020-01-01T00:00:00Z", 1), ("0-0", 1),
                             ("2020-01-01T00:00:00.000%2B02:00", 1),
                             (wire.cursor_text(cursor), 0),
                             (wire.cursor_text(cursor - 1), 1)):
            with broker.stream("c", since=since) as stream:
                self.assertEqual(len(stream.start()[1]), count, since)

    def test_without_since_a_stream_begins_now(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            publisher.publish("c", "old")
            with broker.stream("c") as stream:
                self.assertEqual(stream.start()[1], [])
                publisher.publish("c", "new")
                self.assertEqual(stream.tagged(1)[0]["data"], "new")

    def test_live_false_ends_cleanly_after_the_catch_up(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            cursors = publisher.publish_many(("c", str(n))
                                             for n in range(3000))
        with broker.stream("c", since="0-0", query="&live=false") as stream:
            connected = stream.control("connected")
            self.assertEqual(connected["channels"], ["c"])
            events = stream.rest()
            self.assertEqual(stream.ended, "clean")
            ids = [event.id for event in events if event.id]
            self.assertEqual(ids, list(map(wire.cursor_text, cursors)))
            self.assertEqual(events[-1].name, "bye")
            self.assertEqual(json.loads(events[-1].data)["reason"], "end")

    def test_bytes_from_the_store_equal_bytes_from_the_ring(self):
        broker = self.broker(publish__max_event="128k")
        streams = [broker.stream(query=query)
                   for query in ("", "&format=raw")]
        for stream in streams:
            stream.start()
        with broker.publisher() as publisher:
            for number, text in enumerate(HOSTILE):
                publisher.publish("h:%d" % (number % 3), text, "t",
                                  "k%d" % number)
                publisher.publish("h", text.encode())
        live = [[event.raw for event in stream.events(2 * len(HOSTILE))]
                for stream in streams]
        for restarted in (False, True):
            if restarted:  # nothing is in any window now
                self.assertEqual(broker.stop(), 0)
                broker.start()
            for number, query in enumerate(("", "&format=raw")):
                with broker.stream(since="0-0", query=query) as late:
                    _, events = late.start()
                    self.assertEqual([event.raw for event in events],
                                     live[number])

    def test_a_resync_tells_subscribers_to_load_anew(self):
        broker = self.broker()
        with broker.stream("a,b") as stream, broker.publisher() as publisher:
            stream.start()
            publisher.seq += 1
            publisher.send([wire.RESYNC, publisher.seq, "a"])
            publisher.ack()
            publisher.seq += 1
            publisher.send([wire.RESYNC, publisher.seq, "other"])
            publisher.ack()
            said = stream.control("resync")
            self.assertEqual(said["channels"], ["a"])
            self.assertEqual(said["reason"], "publisher")
            publisher.publish("b", "after")
            self.assertEqual(stream.tagged(1)[0]["data"], "after")

    def test_a_receipt_counts_the_clients(self):
        broker = self.broker()
        streams = [broker.stream("r") for _ in range(7)]
        streams.append(broker.stream("r:*"))
        for stream in streams:
            stream.start()
        with broker.publisher() as publisher:
            for channel, count in (("r", 7), ("r:x", 1), ("none", 0)):
                seq = publisher.offer(channel, "x", flags=wire.FLAG_RECEIPT)
                self.assertEqual(publisher.ack()[0], seq)
                self.assertEqual(publisher.receive(),
                                 [wire.RECEIPT, seq, count])
        for stream in streams:
            stream.close()

    def test_a_silent_stream_gets_a_comment_and_no_empty_block(self):
        broker = self.broker(http__heartbeat="1s")
        with broker.stream() as stream:
            stream.start()
            while len(stream.parser.comments) < 2:
                self.assertTrue(stream.fill(10), "no heartbeat")
            self.assertEqual(set(stream.parser.comments), {b"hb"})
            self.assertEqual(stream.parser.raw, b"")
            self.assertFalse(stream.waiting)

    def test_a_drained_stream_is_cut_without_a_final_chunk(self):
        broker = self.broker()
        with broker.stream() as stream:
            stream.start()
            self.assertEqual(broker.stop(), 0)
            self.assertEqual(stream.control("bye")["reason"], "drain")
            with self.assertRaises(Ended):
                stream.next()
            self.assertEqual(stream.ended, "cut")
        broker.start()


if __name__ == "__main__":
    unittest.main()
