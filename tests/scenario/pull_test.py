"""Pages: who asks with Accept: application/json gets the events of a stream
piece by piece, none missing, none twice, and is told what was lost."""
import json
import os
import random
import select
import socket
import sqlite3
import threading
import unittest
import urllib.parse

import msgpack_wire as wire
import sse_client
import tokens
from broker import SCALE, BrokerCase, wait_for
from filter_test import takes
from revoke_test import control

SEED = int(os.environ.get("SSEMUX_SEED", "0")) or random.randrange(1, 1 << 30)
JSON = (("Accept", "application/json"),)
CHANNELS = ["a:1", "a:2", "b:1", "b:2", "c"]


def covers(pattern, channel):
    if pattern.endswith("*"):
        return channel.startswith(pattern[:-1])
    return channel == pattern


class Pull(BrokerCase):
    def publisher(self, broker):
        publisher = broker.publisher("pull")
        self.addCleanup(publisher.close)
        return publisher

    def answer(self, broker, target, headers=()):
        body, out = broker.get(target, JSON + tuple(headers))
        self.assertEqual(body.headers["content-type"],
                         "application/json" if body.status == 200
                         else "application/problem+json", (target, out))
        return body.status, json.loads(out)

    def page(self, broker, target, headers=()):
        status, page = self.answer(broker, target, headers)
        self.assertEqual(status, 200, (target, page))
        self.assertEqual(set(page) - {"reason"},
                         {"events", "cursor", "more", "resync", "refused"})
        self.assertEqual("reason" in page, bool(page["resync"]))
        return page

    def refused(self, broker, target, status, code, headers=()):
        got, said = self.answer(broker, target, headers)
        self.assertEqual((got, said["code"]), (status, code), target)

    def pages(self, broker, target, since, limit):
        """All that there is now, page by page; and where to go on."""
        events, resync, cursor, more = [], [], since, True
        while more:
            page = self.page(broker, "%s&since=%s&limit=%d" % (
                target, urllib.parse.quote(cursor), limit))
            self.assertLessEqual(len(page["events"]), limit)
            if page["more"] and not page["events"]:
                self.assertNotEqual(page["cursor"], cursor)
            events += page["events"]
            resync += page["resync"]
            cursor, more = page["cursor"], page["more"]
        return events, resync, cursor

    # --- what is on a page ---

    def test_a_page_has_the_events_of_a_stream(self):
        broker = self.broker(broker__window_events="64")
        publisher = self.publisher(broker)
        payloads = ["", "text", '{"n":\n [1,\r\n2]}', "[]", b"\xff\x00\x80",
                    "\u00e9\u2028\U0001f680 \"\\\r\nid: 1", "x" * 60000]
        for number in range(210):
            publisher.publish(
                CHANNELS[number % 5], payloads[number % 7],
                [None, "order.\u00e9"][number % 2],
                ["", "ord_42", None][number % 3] or None)
        stream = broker.open("/stream?channels=*&since=-1")
        self.addCleanup(stream.close)
        expected = [dict(json.loads(event.data), cursor=event.id)
                    for event in stream.start()[1]]
        self.assertEqual(len(expected), 210)
        for limit in (1000, 64, 7):  # all of it from the store; its end not
            events, resync, cursor = self.pages(
                broker, "/stream?channels=*", "-1", limit)
            self.assertEqual(events, expected)
            self.assertEqual((resync, cursor), ([], expected[-1]["cursor"]))
        for event in expected:  # JSON stands as it was published
            self.assertEqual(list(event)[-1], "cursor")
        body, out = broker.get("/stream?channels=*&since=-1&limit=3", JSON)
        self.assertIn(b'{"cursor":"%s","channel":"a:1","ts":' %
                      expected[0]["cursor"].encode(), out)
        self.assertIn(payloads[2].encode(), out)
        self.assertEqual(body.headers["cache-control"], "no-store")
        self.assertEqual(body.headers["vary"], "Accept, Origin")

    def test_without_a_start_a_page_says_where_now_is(self):
        broker = self.broker(**{"stream /old.channels": "a",
                                "stream /old.start": "oldest"})
        cursor = broker.pub("-i", "a", "one").strip()
        page = self.page(broker, "/stream?channels=a")
        self.assertEqual(page, {"events": [], "cursor": cursor, "more": False,
                                "resync": [], "refused": []})
        broker.pub("a", "two")
        page = self.page(broker, "/stream?channels=a&since=" + cursor)
        self.assertEqual([each["data"] for each in page["events"]], ["two"])
        page = self.page(broker, "/old")
        self.assertEqual([each["data"] for each in page["events"]],
                         ["one", "two"])

    def test_a_start_is_said_as_for_a_stream(self):
        broker = self.broker()
        cursors = [broker.pub("-i", "a", data).strip() for data in "123"]
        for since, expected in (("-1", "123"), ("-10m", "123"), ("now", ""),
                                ("2020-01-01T00:00:00Z", "123"),
                                (cursors[0], "23"), (cursors[2], "")):
            page = self.page(broker, "/stream?channels=a&since=" + since)
            self.assertEqual("".join(each["data"] for each in page["events"]),
                             expected, since)
        target = "/stream?channels=a&since=-1&lastEventId=" + cursors[0]
        self.assertEqual(len(self.page(broker, target)["events"]), 2)
        page = self.page(broker, target, (("Last-Event-ID", cursors[1]),))
        self.assertEqual(len(page["events"]), 1)

    def test_a_full_page_has_more_only_when_something_is_left(self):
        broker = self.broker(broker__window_events="64")
        broker.pub("-t", "own", "a", "1")
        last = broker.pub("-i", "b", "foreign").strip()
        for _ in range(2):  # from the window, then from the store
            for query in ("channels=a", "channels=*&types=own"):
                page = self.page(
                    broker, "/stream?%s&since=-1&limit=1" % query)
                self.assertEqual((page["cursor"], page["more"]),
                                 (last, False))
            last = broker.pub("-i", "-l", "b", data="x\n" * 90).split()[-1]
        broker.pub("-t", "own", "a", "2")
        page = self.page(broker, "/stream?channels=a&since=-1&limit=1")
        self.assertTrue(page["more"])
        self.assertNotEqual(page["cursor"], last)

    def test_a_page_is_bounded_in_bytes(self):
        broker = self.broker(publish__max_event="200k")
        broker.pub("-l", "a", data="".join(
            "%d %s\n" % (n, "x" * 150000) for n in range(20)))
        first = self.page(broker, "/stream?channels=a&since=-1&limit=1000")
        self.assertTrue(first["more"])
        self.assertIn(len(first["events"]), range(5, 9))
        events, _, _ = self.pages(broker, "/stream?channels=a", "-1", 1000)
        self.assertEqual([int(each["data"].split()[0]) for each in events],
                         list(range(20)))

    def test_what_nobody_wants_is_passed_in_steps(self):
        broker = self.broker(broker__window_events="64")
        broker.pub("-l", "-t", "foreign", "a", data="x\n" * 9000)
        broker.pub("-t", "own", "a", "wanted")
        empty = 0
        cursor, more, events = "-1", True, []
        while more:
            page = self.page(
                broker, "/stream?channels=*&types=own&since=" + cursor)
            empty += not page["events"]
            self.assertNotEqual(page["cursor"], cursor)
            cursor, more = page["cursor"], page["more"]
            events += page["events"]
        self.assertGreater(empty, 2)
        self.assertEqual([each["data"] for each in events], ["wanted"])

    def test_pages_from_anywhere_are_what_was_published(self):
        for seed in range(SEED, SEED + SCALE):
            with self.subTest(seed=seed):
                self.play(seed)

    def play(self, seed):
        dice = random.Random(seed)
        broker = self.broker(broker__workers="2", broker__window_events="64")
        publisher = self.publisher(broker)
        words = ["", "a", "a.b", "b"]
        log = []

        def publish(count):
            for _ in range(count):
                event = (dice.choice(CHANNELS), dice.choice(words),
                         dice.choice(words))
                cursor = publisher.publish(
                    event[0], str(len(log)), event[1] or None,
                    event[2] or None)
                log.append((cursor,) + event)

        publish(150)
        readers = []
        for _ in range(12):
            since = dice.randrange(150)
            readers.append({
                "channels": dice.sample(CHANNELS + ["a:*", "b:*", "*"],
                                        dice.randrange(1, 4)),
                "types": dice.sample(["a*", "b", "!a.b", "*"],
                                     dice.randrange(2)),
                "keys": dice.sample(["a", "a.*", "!b"], dice.randrange(2)),
                "since": since, "got": [],
                "cursor": wire.cursor_text(log[since][0])})
        for turn in range(40):
            last = turn == 39
            publish(dice.choice([0, 1, 5, 30]))
            for reader in readers if last else dice.sample(readers, 4):
                target = "/stream?channels=" + ",".join(reader["channels"])
                for name in ("types", "keys"):
                    if reader[name]:
                        target += "&%s=%s" % (
                            name, urllib.parse.quote(",".join(reader[name])))
                # One page, as a rule; others publish between two of them.
                more = True
                while more:
                    page = self.page(broker, "%s&limit=%d&since=%s" % (
                        target, dice.choice([1, 3, 100]), reader["cursor"]))
                    self.assertEqual(page["resync"], [])
                    reader["got"] += page["events"]
                    reader["cursor"] = page["cursor"]
                    more = page["more"] and last
        for reader in readers:
            expected = [
                number for number, (_, channel, kind, key) in enumerate(log)
                if number > reader["since"] and
                any(covers(each, channel) for each in reader["channels"]) and
                takes(reader["types"], kind) and takes(reader["keys"], key)]
            self.assertEqual([int(each["data"]) for each in reader["got"]],
                             expected, (seed, reader["channels"]))
            self.assertEqual(reader["cursor"], wire.cursor_text(log[-1][0]))
        broker.stop()
        self.brokers.remove(broker)

    # --- what was lost ---

    def test_exactly_the_channels_that_lost_events_are_named(self):
        broker = self.broker(history__max_events="5",
                             broker__window_events="64")
        quiet = broker.pub("-i", "a", "before").strip()
        lost = broker.pub("-i", "b", "first").strip()
        broker.pub("-l", "b", data="".join("b%d\n" % n for n in range(99)))
        broker.pub("-l", "d", data="".join("d%d\n" % n for n in range(99)))
        broker.pub("c", "kept")
        wait_for(lambda: len(broker.stored()) == 5, "old events to be let go")
        for channels, since, named in (
                ("a,b,c,d,e", quiet, ["b", "d"]), ("a,c,e", quiet, []),
                ("b", lost, ["b"]), ("a,e", "-1", []), ("b,d", "-1", []),
                ("*", quiet, ["b", "d"])):
            page = self.page(
                broker, "/stream?channels=%s&since=%s" % (channels, since))
            self.assertEqual(sorted(page["resync"]), named, channels)
            if named:
                self.assertEqual(page["reason"], "history")
            stream = broker.stream(channels, since=since)
            self.addCleanup(stream.close)
            said = [event for event in stream.start()[1]]
            told = [json.loads(event.data)["channels"] for event in said
                    if event.name == "resync"]
            self.assertEqual(sorted(sum(told, [])), named)
            self.assertEqual([event.id for event in said if event.id],
                             [each["cursor"] for each in page["events"]])

    def test_a_cursor_that_means_nothing_is_told(self):
        broker = self.broker()
        broker.pub("a", "one")
        head = self.page(broker, "/stream?channels=a")["cursor"]
        for since in ("garbage", "9999999999999-0", "1-", "-10x",
                      "2100-01-01T00:00:00Z"):
            page = self.page(broker, "/stream?channels=a,b:*&since=" + since)
            self.assertEqual(page, {
                "events": [], "cursor": head, "more": False,
                "resync": ["a", "b:*"], "reason": "cursor", "refused": []})

    def test_what_a_publisher_asks_for_is_told_once(self):
        broker = self.broker(broker__window_events="64")
        start = broker.pub("-i", "a", "one").strip()
        for _ in range(3):
            broker.pub("--resync", "a")
        broker.pub("--resync", "b")
        broker.pub("a", "two")
        for _ in range(2):  # from the window, then from the store
            page = self.page(broker, "/stream?channels=a&since=" + start)
            self.assertEqual([each["data"] for each in page["events"]][0],
                             "two")
            self.assertEqual((page["resync"], page["reason"]),
                             (["a"], "publisher"))
            broker.pub("-l", "a", data="x\n" * 90)

    # --- who may ---

    def jwt(self, **settings):
        self.key = tokens.Secret()
        return self.jwt_broker(self.key, **settings)

    def test_a_page_is_granted_what_a_stream_is(self):
        broker = self.jwt()
        broker.pub("a:1", "yes")
        broker.pub("b:1", "no")
        token = self.key.token(sub="u", ssemux={"subscribe": ["a:*"]})
        bearer = tokens.bearer(token)
        target = "/stream?since=-1&channels="
        self.refused(broker, target + "a:1", 401, "token-missing")
        self.refused(broker, target + "a:1&access_token=x.y.z", 401,
                     "token-invalid")
        self.refused(broker, target + "b:1", 403, "channels-refused", bearer)
        page = self.page(broker, target + "a:1,b:*,*", bearer)
        self.assertEqual([each["data"] for each in page["events"]], ["yes"])
        self.assertEqual(page["refused"], ["b:*", "*"])

    def test_what_was_withdrawn_is_not_on_a_page(self):
        broker = self.jwt(broker__workers="2")
        token = self.key.token(sub="u", ssemux={"subscribe": ["a:*"]})
        publisher = self.publisher(broker)
        for channel in ("a:1", "a:2"):
            publisher.publish(channel, channel)
        target = "/stream?since=-1&channels=a:*"
        bearer = tokens.bearer(token)
        self.assertEqual(len(self.page(broker, target, bearer)["events"]), 2)
        self.assertEqual(control(broker, "revoke", "u", "a:2").returncode, 0)
        for _ in range(8):
            page = self.page(broker, target, bearer)
            self.assertEqual([each["data"] for each in page["events"]],
                             ["a:1"])
        self.refused(broker, "/stream?channels=a:2", 403, "channels-refused",
                     bearer)
        self.assertEqual(control(broker, "kick", "u").returncode, 0)
        for _ in range(8):
            self.refused(broker, target, 401, "token-revoked", bearer)

    def test_bad_requests_are_refused(self):
        broker = self.broker(**{"stream /s.allow": "a",
                                "stream /s.query_limit": "most",
                                "stream /s.format": "raw"})
        for query, code in (
                ("limit=0", "limit-invalid"), ("limit=1001", "limit-invalid"),
                ("limit=", "limit-invalid"), ("limit=-1", "limit-invalid"),
                ("limit=1e2", "limit-invalid"),
                ("limit=99999999999999999999", "limit-invalid"),
                ("limit=1&limit=2", "query-duplicate"),
                ("format=raw", "format-invalid"),
                ("types=a*b", "types-invalid"), ("keys=,", "keys-invalid"),
                ("channels=a", "query-duplicate")):
            self.refused(broker, "/stream?channels=a&" + query, 400, code)
        self.refused(broker, "/stream", 400, "channels-missing")
        self.refused(broker, "/stream?channels=%20", 400, "channel-invalid")
        # A block with another format and another name for the parameter.
        broker.pub("a", "one")
        broker.pub("a", "two")
        page = self.page(broker, "/s?channels=a&since=-1&most=1&limit=x"
                         "&format=tagged")
        self.assertEqual([each["data"] for each in page["events"]], ["one"])
        self.refused(broker, "/s?channels=a&most=x", 400, "limit-invalid")

    def test_history_that_cannot_be_read_is_asked_for_later(self):
        broker = self.broker(broker__window_events="64")
        broker.pub("-l", "a", data="x\n" * 90)
        target = "/stream?channels=a&since=-1"
        base = sqlite3.connect(broker.database, timeout=20)
        base.execute("ALTER TABLE event RENAME TO away")
        try:
            self.refused(broker, target, 503, "store")
        finally:
            base.execute("ALTER TABLE away RENAME TO event")
            base.close()
        self.assertEqual(len(self.page(broker, target)["events"]), 90)

    # --- HTTP ---

    def test_who_names_event_streams_gets_one(self):
        broker = self.broker()
        page, stream = "application/json", "text/event-stream"
        for accept, expected in (
                (None, stream), ("*/*", stream), (stream, stream),
                (page + ", " + stream, stream), ("text/html", stream),
                ("text/html, */*;q=0.8", stream), (page + ";q=0", stream),
                (page + ";q=0.5, " + stream + ";q=0.6", stream),
                (page, page), ("application/*", page),
                (page + ", text/plain, */*", page),
                (page + ", " + stream + ";q=0.9", page),
                ("*/*;q=0.1, application/JSON;q=0.2", page),
                (page + ";charset=utf-8, text/*;q=0.5", page)):
            raw = sse_client.request_bytes(
                broker.port, "/stream?channels=a&live=false",
                (("Accept", accept),) * (accept is not None) +
                (("Connection", "close"),))
            body, _ = sse_client.fetch(broker.port, "", raw=raw)
            self.assertEqual(body.headers["content-type"], expected, accept)
            self.assertEqual(body.headers["vary"], "Accept, Origin")

    def test_one_connection_asks_again_and_again(self):
        broker = self.broker()
        start = broker.pub("-i", "a", "x" * 100).strip()
        with socket.create_connection(("127.0.0.1", broker.port), 20) as one:
            target = "/stream?channels=a&since=-1"
            get = sse_client.request_bytes(broker.port, target, JSON)
            head = sse_client.request_bytes(broker.port, target, JSON, "HEAD")
            last = sse_client.request_bytes(
                broker.port, target, JSON + (("Connection", "close"),))
            one.sendall(get + get + head + last)
            out = b""
            while True:
                data = one.recv(65536)
                if not data:
                    break
                out += data
            self.assertEqual(out.count(b"HTTP/1.1 200 OK"), 4)
            self.assertEqual(out.count(start.encode()), 2 * 3)
            lengths = [line for line in out.split(b"\r\n")
                       if line.startswith(b"Content-Length")]
            self.assertEqual(len(set(lengths)), 1)
            self.assertEqual(broker.stats()["userConnections"], 0)

    def test_a_connection_for_pages_is_one_of_its_address(self):
        broker = self.broker(http__max_per_ip="1")
        target = "/stream?channels=a"
        with socket.create_connection(("127.0.0.1", broker.port), 20) as one:
            body = sse_client.Body()
            one.sendall(sse_client.request_bytes(broker.port, target, JSON))
            while not body.ended:
                body.feed(one.recv(65536))
            self.assertEqual(body.status, 200)
            self.refused(broker, target, 429, "limit-address")

    def test_many_ask_at_once_while_streams_go_on(self):
        broker = self.broker(broker__workers="1", broker__window_events="64")
        broker.pub("-l", "a", data="".join("%d\n" % n for n in range(3000)))
        stream = broker.stream("a")
        self.addCleanup(stream.close)
        stream.start()
        raw = sse_client.request_bytes(
            broker.port, "/stream?channels=a&since=-1&limit=1000",
            JSON + (("Connection", "close"),))
        asking = [socket.create_connection(("127.0.0.1", broker.port), 20)
                  for _ in range(100)]
        for each in asking:
            each.sendall(raw)
        for each in asking[::10]:  # some do not wait for it
            each.close()
        broker.pub("a", "live")
        self.assertEqual(stream.tagged(1)[0]["data"], "live")
        for number, each in enumerate(asking):
            if number % 10 == 0:
                continue
            body, out = sse_client.Body(), b""
            while not body.ended:
                out += body.feed(each.recv(1 << 18))
            self.assertEqual(len(json.loads(out)["events"]), 1000)
            each.close()

    def test_answers_that_nobody_reads_are_bounded(self):
        broker = self.broker(broker__workers="1", http__max_pages="2m",
                             http__send_buffer="4k")
        broker.pub("-l", "a", data=("x" * 60000 + "\n") * 20)
        target = "/stream?channels=a&since=-1&limit=1000"
        raw = sse_client.request_bytes(broker.port, target, JSON)
        idle = []
        for _ in range(2):
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.connect(("127.0.0.1", broker.port))
            one.sendall(raw)
            select.select([one], [], [], 20)
            idle.append(one)
        self.refused(broker, target, 503, "overload")
        body, _ = broker.get(target, JSON)
        self.assertIn("retry-after", body.headers)
        self.assertGreater(broker.stats()["pages_bytes"], 2 << 20)
        for one in idle:
            one.close()
        wait_for(lambda: broker.stats()["pages_bytes"] == 0,
                 "the answers to be dropped")
        self.assertTrue(self.page(broker, target)["more"])

    def test_a_page_of_another_site_may_ask(self):
        broker = self.broker(http__cors_origins="https://a.example")
        body, _ = broker.get("/stream?channels=a",
                             JSON + (("Origin", "https://a.example"),))
        self.assertEqual(body.headers["access-control-allow-origin"],
                         "https://a.example")

    def test_pages_while_workers_are_killed(self):
        broker = self.broker(broker__workers="2")
        publisher = self.publisher(broker)
        cursors = [publisher.publish("a", str(n)) for n in range(50)]
        done = threading.Event()

        def kill():
            for _ in range(3 * SCALE):
                broker.kill_worker(broker.workers()[0])
            done.set()

        thread = threading.Thread(target=kill)
        thread.start()
        try:
            while not done.is_set():
                try:
                    events, resync, cursor = self.pages(
                        broker, "/stream?channels=a", "-1", 9)
                except (ConnectionError, KeyError, ValueError):
                    continue  # what was under way is asked for again
                self.assertEqual([int(each["data"]) for each in events],
                                 list(range(50)))
                self.assertEqual(resync, [])
                self.assertEqual(cursor, wire.cursor_text(cursors[-1]))
        finally:
            thread.join()


if __name__ == "__main__":
    unittest.main()
