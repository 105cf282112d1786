"""Streams: what a [stream] block of the configuration says is what comes."""
import json
import unittest

from broker import BrokerCase, tagged, wait_for


class Streams(BrokerCase):
    def streaming(self, path, **keys):
        """A broker with one more stream, with these keys of its block."""
        rows = {"stream %s.%s" % (path, key): value
                for key, value in keys.items()}
        return self.broker(**rows)

    def refused(self, broker, target, status, code):
        body, out = broker.get(target, [("Accept", "text/event-stream")])
        self.assertEqual(body.status, status, (target, out))
        self.assertEqual(json.loads(out)["code"], code)

    def test_fixed_channels_need_no_query(self):
        broker = self.streaming("/news", channels="news, alerts:*")
        with broker.open("/news") as stream:
            connected, _ = stream.start()
            self.assertEqual(connected["channels"], ["news", "alerts:*"])
            for channel in ["news", "other", "alerts:fire"]:
                broker.pub(channel, channel)
            self.assertEqual([each["data"] for each in stream.tagged(2)],
                             ["news", "alerts:fire"])

    def test_what_is_not_allowed_is_refused_by_name(self):
        broker = self.streaming("/s", allow="page:*", default="page:home")
        with broker.open("/s?channels=org:1,page:a,page:*,*") as stream:
            connected, _ = stream.start()
            self.assertEqual(connected["channels"], ["page:a", "page:*"])
            self.assertEqual(connected["refused"], ["org:1", "*"])
            broker.pub("org:1", "no")
            broker.pub("page:x", "yes")
            self.assertEqual(stream.tagged(1)[0]["data"], "yes")
        with broker.open("/s") as stream:
            self.assertEqual(stream.start()[0]["channels"], ["page:home"])
        self.refused(broker, "/s?channels=org:1,*", 403, "channels-refused")
        self.refused(broker, "/s?channels=pages", 403, "channels-refused")

    def test_the_stream_that_is_there_by_itself_gives_all(self):
        broker = self.broker()
        with broker.open("/stream?channels=*") as stream:
            self.assertEqual(stream.start()[0]["channels"], ["*"])
        self.refused(broker, "/stream", 400, "channels-missing")

    def test_a_block_for_stream_replaces_it(self):
        broker = self.streaming("/stream", allow="a")
        self.refused(broker, "/stream?channels=b", 403, "channels-refused")
        with broker.open("/stream?channels=a") as stream:
            self.assertEqual(stream.start()[0]["channels"], ["a"])

    def test_parameters_have_the_names_of_the_block(self):
        broker = self.streaming(
            "/s", allow="*", query_channels="topics", query_since="offset",
            query_format="as", query_live="follow")
        broker.pub("a", "one")
        with broker.open("/s?topics=a&offset=-1&as=raw&follow=false"
                         "&channels=b&since=now&format=x&live=x") as stream:
            _, events = stream.start()
            self.assertEqual([event.data for event in events], ["one"])
            self.assertEqual([event.name for event in stream.rest()], ["bye"])
            self.assertEqual(stream.ended, "clean")
        self.refused(broker, "/s?topics=a&topics=b", 400, "query-duplicate")

    def test_a_parameter_without_a_name_is_not_taken(self):
        broker = self.streaming("/s", channels="a", format="raw",
                                query_channels="", query_since="",
                                query_types="", query_format="", query_live="")
        with broker.open("/s?channels=%21&since=x&types=%21&format=x&live=x"
                         ) as stream:
            self.assertEqual(stream.start()[0]["channels"], ["a"])
            broker.pub("-t", "t", "a", "text")
            event = stream.events(1)[0]
            self.assertEqual((event.name, event.data), ("t", "text"))

    def test_bad_types_and_formats_are_refused(self):
        broker = self.broker()
        for types in ["order*x", "%21", "a,,b", ",".join("t" * 65)]:
            self.refused(broker, "/stream?channels=a&types=" + types, 400,
                         "types-invalid")
        for form in ["", "xml", "envelope", "RAW"]:
            self.refused(broker, "/stream?channels=a&format=" + form, 400,
                         "format-invalid")

    def test_an_envelope_has_its_own_fields(self):
        broker = self.streaming("/s", channels="*", format="envelope",
                                envelope="type:channel.last, event:data, k:key",
                                name_events="on")
        with broker.open("/s") as stream:
            stream.start()
            broker.pub("-t", "changed", "user:u1:orders", '{"n":1}')
            broker.pub("-k", "key", "plain", "text")
            first, second = stream.events(2)
            self.assertEqual(first.name, "changed")
            self.assertEqual(first.data, '{"type":"orders","event":{"n":1}}')
            self.assertEqual(second.name, "message")
            self.assertEqual(second.data,
                             '{"type":"plain","event":"text","k":"key"}')
        with broker.open("/s?format=tagged") as stream:
            stream.start()
            broker.pub("-t", "changed", "plain", "text")
            self.assertEqual(stream.events(1)[0].name, "changed")

    def test_notices_are_worded_by_the_block(self):
        broker = self.streaming(
            "/s", channels="a:*, b", greeting="data hello {channels} {refused}",
            live='event caught {"at":{cursor},"every":{heartbeat}}',
            heartbeat='event ping {"ts":{ts},"to":{stream}}',
            heartbeat_interval="1s")
        with broker.open("/s?channels=c") as stream:
            hello = stream.next()
            self.assertEqual(hello.name, "message")
            self.assertEqual(hello.data, 'hello ["a:*","b"] ["c"]')
            self.assertIsNotNone(hello.retry)
            caught = json.loads(stream.next().data)
            self.assertEqual(caught["every"], 1)
            self.assertRegex(caught["at"], r"^[0-9]+-[0-9]+$")
            for _ in range(2):
                ping = stream.next()
                self.assertEqual(ping.name, "ping")
                self.assertIsNone(ping.id)
                said = json.loads(ping.data)
                self.assertGreater(said["ts"], 1500000000000)
                self.assertIsInstance(said["to"], str)
            self.assertEqual(stream.parser.comments, [])

    def test_a_stream_may_say_nothing_by_itself(self):
        broker = self.streaming("/s", channels="a", greeting="none",
                                live="none", heartbeat="none", start="oldest",
                                heartbeat_interval="1s", format="raw")
        broker.pub("a", "before")
        with broker.open("/s") as stream:
            self.assertEqual(stream.next().data, "before")
            broker.pub("a", "after")
            event = stream.next()
            self.assertEqual(event.data, "after")
            self.assertTrue(stream.quiet(2.5))
            self.assertEqual(stream.parser.comments, [])

    def test_without_a_greeting_the_first_event_has_the_delay(self):
        broker = self.streaming("/s", channels="a", greeting="none",
                                live="none")
        with broker.open("/s") as stream:
            stream.opened()
            broker.pub("a", "x")
            self.assertIsNotNone(stream.next().retry)
            broker.pub("a", "y")
            self.assertIsNone(stream.next().retry)

    def test_an_event_as_heartbeat_comes_also_between_events(self):
        broker = self.streaming("/s", channels="a", heartbeat="data ping",
                                heartbeat_interval="1s", format="raw")
        with broker.open("/s") as stream, broker.publisher() as publisher:
            stream.start()
            seen = []
            while "ping" not in seen or seen[-1] == "ping":
                publisher.publish("a", "busy")
                seen.append(stream.next().data)
            self.assertGreater(seen.count("busy"), 5)

    def test_oldest_is_all_there_is_and_no_loss(self):
        broker = self.broker(
            history__max_events=500, broker__window=262144,
            broker__ring=262144, broker__window_events=64,
            publish__max_event="16k",
            **{"stream /s.allow": "*", "stream /s.start": "oldest"})
        with broker.publisher() as publisher:
            publisher.publish_many(("a", str(n)) for n in range(3000))
        wait_for(lambda: len(broker.stored()) < 2000, "the end of some")
        for target in ["/s?channels=a", "/stream?channels=a&since=-1"]:
            with broker.open(target) as stream:
                _, events = stream.start()
                self.assertTrue(all(event.id for event in events), target)
                self.assertEqual(tagged(events[-1])["data"], "2999")
                self.assertLess(len(events), 3000)

    def test_shapes_of_several_streams_stay_apart(self):
        broker = self.broker(**{
            "stream /a.channels": "c", "stream /a.format": "envelope",
            "stream /a.envelope": "one:data", "stream /b.channels": "c",
            "stream /b.format": "envelope", "stream /b.envelope": "two:data",
            "stream /c.channels": "c", "stream /c.format": "raw"})
        streams = [broker.open(path) for path in
                   ["/a", "/b", "/c", "/a", "/stream?channels=c"]]
        for stream in streams:
            stream.start()
        broker.pub("c", '{"n":1}')
        seen = [stream.events(1)[0].data for stream in streams]
        self.assertEqual(seen[:4], ['{"one":{"n":1}}', '{"two":{"n":1}}',
                                    '{"n":1}', '{"one":{"n":1}}'])
        self.assertEqual(json.loads(seen[4])["data"], {"n": 1})
        for stream in streams:
            stream.close()


if __name__ == "__main__":
    unittest.main()
