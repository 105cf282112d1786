"""HTTP: what is served, and what ill-meaning clients get."""
import json
import re
import socket
import time
import unittest

import sse_client
from broker import BrokerCase, wait_for


class Http(BrokerCase):
    def raw(self, broker, data, shut=False):
        """Sends these bytes alone; everything that comes back."""
        with socket.create_connection(("127.0.0.1", broker.port), 20) as one:
            try:
                one.sendall(data)
                if shut:
                    one.shutdown(socket.SHUT_WR)
            except ConnectionError:
                pass
            out = b""
            while True:
                try:
                    part = one.recv(65536)
                except ConnectionError:
                    return out
                if not part:
                    return out
                out += part

    def status(self, broker, data):
        out = self.raw(broker, data)
        match = re.match(rb"HTTP/1\.1 (\d{3}) ", out)
        self.assertIsNotNone(match, (data[:200], out[:200]))
        self.assertEqual(out.count(b"HTTP/1.1 "), 1, "one answer, then close")
        return int(match.group(1))

    def problem(self, broker, target, status, headers=(), method="GET"):
        body, out = sse_client.fetch(broker.port, target, headers, method)
        self.assertEqual(body.status, status, (target, out))
        self.assertEqual(body.headers["content-type"],
                         "application/problem+json")
        said = json.loads(out)
        self.assertEqual(said.get("status", status), status)
        self.assertRegex(said["code"], r"^[a-z][a-z-]+$")
        return said["code"]

    def test_health_and_totals(self):
        broker = self.broker()
        body, _ = broker.get("/healthz")
        self.assertEqual(body.status, 200)
        with broker.stream() as stream:
            stream.start()
            self.assertTrue(broker.stats())

    def test_a_connection_serves_several_requests(self):
        broker = self.broker()
        request = sse_client.request_bytes(broker.port, "/healthz")
        with socket.create_connection(("127.0.0.1", broker.port), 20) as one:
            one.sendall(request * 3)  # pipelined
            out = b""
            while out.count(b"HTTP/1.1 200") < 3:
                part = one.recv(65536)
                self.assertTrue(part, out)
                out += part

    def test_requests_that_are_refused_say_why(self):
        broker = self.broker(http__max_channels=4)
        sse = (("Accept", "text/event-stream"),)
        self.problem(broker, "/nothing", 404)
        self.problem(broker, "/stream", 400, sse)
        self.problem(broker, "/stream?channels=", 400, sse)
        self.problem(broker, "/stream?channels=sp%20ace", 400, sse)
        self.problem(broker, "/stream?channels=a*", 400, sse)
        self.problem(broker, "/stream?channels=a,b,c,d,e", 400, sse)
        self.problem(broker, "/stream?channels=a&format=xml", 400, sse)
        self.problem(broker, "/stream?channels=a&live=perhaps", 400, sse)
        self.problem(broker, "/stream?channels=%zz", 400, sse)
        self.problem(broker, "/healthz", 405, method="DELETE")

    def test_a_time_may_have_a_zone_and_a_plus_that_is_not_escaped(self):
        broker = self.broker()
        broker.pub("a", "x")
        for since in ("2026-01-31T13:00:00+01:00",
                      "2026-01-31T13:00:00%2B01:00"):
            out = broker.get("/stream?channels=a&live=false&since=" + since)[1]
            events = sse_client.Parser().feed(out)
            self.assertEqual([event.name for event in events],
                             ["connected", "message", "live", "bye"], since)

    def test_a_refusal_says_which_entry_it_is(self):
        broker = self.broker(http__max_channels=4)
        for query, said in (
                ("a,b,c*", "entry 3 of channels is "),
                ("a&types=x,y*z", "entry 2 of types is not a type"),
                ("a&keys=!", "entry 1 of keys is not a key"),
                ("a&types=" + ",".join("t%d" % n for n in range(65)),
                 "more than 64 entries in types")):
            _, out = broker.get("/stream?channels=" + query)
            self.assertIn(said, json.loads(out)["detail"])

    def test_head_is_refused_as_get_would_be(self):
        broker = self.broker()
        for target, status in (
                ("/stream?channels=a", 200), ("/stream", 400),
                ("/stream?channels=a*", 400), ("/stream?channels=%zz", 400),
                ("/stream?channels=a&live=perhaps", 400),
                ("/stream?channels=a&types=!", 400)):
            for method in ("GET", "HEAD"):
                out = self.raw(broker, (
                    "%s %s HTTP/1.0\r\n\r\n" % (method, target)).encode(),
                    shut=True)
                head, _, body = out.partition(b"\r\n\r\n")
                self.assertIn(b" %d " % status, head.splitlines()[0], target)
                self.assertEqual(body == b"", method == "HEAD", target)

    def test_a_cursor_that_is_none_gets_a_resync_not_a_refusal(self):
        """Last-Event-ID may be what another server gave: it must not end the
        client's EventSource for ever."""
        broker = self.broker()
        for options in ({"last_id": "nonsense"}, {"since": "yesterday"}):
            with broker.stream("a", **options) as stream:
                self.assertEqual(stream.opened(), 200)
                stream.control("connected")
                said = stream.control("resync")
                self.assertEqual(said["channels"], ["a"])
                self.assertEqual(said["reason"], "cursor")
                stream.control("live")

    def test_a_target_may_be_a_whole_address(self):
        """As a proxy gets it (RFC 9112, 3.2.2): its host counts, not Host."""
        broker = self.broker(http__hosts="h.example")
        for target, host, status in (
                ("http://h.example/healthz", "evil.example", 200),
                ("HTTPS://h.example:8443/healthz?x", "h.example", 200),
                ("http://evil.example/healthz", "h.example", 421),
                ("http://h.example", "h.example", 404),
                ("http://h.example/nothing", "h.example", 404)):
            self.assertEqual(self.status(broker, (
                "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (
                    target, host)).encode()), status, target)
        out = self.raw(broker, b"OPTIONS * HTTP/1.1\r\nHost: h.example\r\n"
                       b"Connection: close\r\n\r\n")
        self.assertRegex(out, rb"^HTTP/1.1 204 ")
        self.assertIn(b"\r\nAllow: GET, HEAD, POST, OPTIONS\r\n", out)

    def test_what_two_parsers_could_read_differently_is_refused(self):
        broker = self.broker()
        good = b"GET /healthz HTTP/1.1\r\nHost: h\r\n"
        body = b"5\r\nhello\r\n0\r\n\r\n"
        rows = [
            good + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
            + body,
            good + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
            + body,
            good + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            good + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            good + b"Content-Length: +5\r\n\r\nhello",
            good + b"Content-Length: 5, 5\r\n\r\nhello",
            good + b"Content-Length: 0x5\r\n\r\nhello",
            good + b"Content-Length: -1\r\n\r\n",
            good + b"Content-Length: 99999999999999999999\r\n\r\n",
            good + b"Transfer-Encoding: gzip, chunked\r\n\r\n" + body,
            good + b"Transfer-Encoding: xchunked\r\n\r\n" + body,
            good + b"Transfer-Encoding: chunked\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n" + body,
            good + b"Transfer-Encoding : chunked\r\n\r\n" + body,
            good + b"X: a\r\n b\r\n\r\n",
            good + b"X : a\r\n\r\n", good + b": a\r\n\r\n",
            good + b"X: a\nY: b\r\n\r\n", good + b"X: a\rY: b\r\n\r\n",
            good + b"X: a\0b\r\n\r\n", good + b"X y: a\r\n\r\n",
            good + b"Host: other\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: h:80:81\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\nHost: [evil.example]\r\n\r\n",
            b"GET ftp://h/healthz HTTP/1.1\r\nHost: h\r\n\r\n",
            b"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n",
            b"GET /healthz HTTP/1.1\r\n\r\n",
            b"GET /healthz HTTP/1.1\nHost: h\n\n",
            b"GET  /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET /heal thz HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET /healthz  HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET healthz HTTP/1.1\r\nHost: h\r\n\r\n",
            b"GET /h\xffz HTTP/1.1\r\nHost: h\r\n\r\n",
            b"G\0T /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"GET /healthz HTTP/2.0\r\nHost: h\r\n\r\n",
            b"GET /healthz HTTP/1.2\r\nHost: h\r\n\r\n",
            b"GET /healthz\r\n\r\n",
        ]
        for row in rows:
            self.assertIn(self.status(broker, row), (400, 501, 505), row)
        self.assertEqual(broker.get("/healthz")[0].status, 200)

    def test_heads_are_bounded(self):
        broker = self.broker(http__max_head="2k", http__max_headers=8)
        good = b"GET /healthz HTTP/1.1\r\nHost: h\r\n"
        self.assertIn(self.status(broker, good + b"X: " + b"a" * 4000),
                      (431,))
        self.assertIn(self.status(
            broker, b"GET /" + b"a" * 4000 + b" HTTP/1.1\r\n"), (414, 431))
        self.assertEqual(self.status(
            broker, good + b"".join(b"X%d: y\r\n" % n for n in range(20)) +
            b"\r\n"), 431)
        # Bytes without end are not read without end.
        self.assertIn(self.status(broker, b"A" * (8 << 20)), (400, 414, 431, 501))

    def test_a_request_that_dribbles_in_has_a_deadline(self):
        broker = self.broker(http__head_timeout="1s", http__idle_timeout="1s")
        with broker.stream() as other:
            other.start()
            slow = socket.create_connection(("127.0.0.1", broker.port), 20)
            slow.setblocking(False)
            started = time.monotonic()

            def closed():
                try:
                    slow.send(b"x")
                    return slow.recv(4096) == b""
                except BlockingIOError:
                    return False
                except ConnectionError:
                    return True
            slow.send(b"GET /healthz HTTP/1.1\r\nHost: h\r\nX: ")
            wait_for(closed, "the end of the slow connection", 15)
            self.assertGreater(time.monotonic() - started, 0.5)
            slow.close()
            # One that says nothing, and one that lingers after an answer.
            for said in (b"", sse_client.request_bytes(broker.port,
                                                       "/healthz")):
                self.raw(broker, said)
            with broker.publisher() as publisher:
                publisher.publish("c", "x")
            self.assertEqual(len(other.events(1)), 1)

    def test_http_1_0_is_answered_until_the_end_of_the_connection(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            publisher.publish("c", "x")
        out = self.raw(broker, b"GET /stream?channels=c&since=0-0&live=false "
                       b"HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n")
        head, _, body = out.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head.lower())
        self.assertRegex(head.lower(), b"connection: close")
        names = [event.name for event in sse_client.Parser().feed(body)]
        self.assertEqual(names[0], "connected")
        self.assertIn("message", names)
        self.assertEqual(names[-1], "bye")

    def test_who_has_said_all_still_gets_what_ends(self):
        """A client that shuts its side down after the request."""
        broker = self.broker(http__send_buffer="4k")
        with broker.publisher() as publisher:
            for _ in range(64):
                publisher.publish("c", "x" * 60000)
        out = self.raw(broker, b"GET /stream?channels=c&since=0-0&live=false "
                       b"HTTP/1.0\r\nAccept: text/event-stream\r\n\r\n",
                       shut=True)
        events = sse_client.Parser().feed(out.partition(b"\r\n\r\n")[2])
        self.assertEqual(sum(event.id is not None for event in events), 64)
        self.assertEqual(events[-1].name, "bye")
        out = self.raw(broker, sse_client.request_bytes(
            broker.port, "/healthz") * 2, shut=True)
        self.assertEqual(out.count(b"HTTP/1.1 200"), 2)
        # A stream without an end of its own ends with its client.
        out = self.raw(broker, b"GET /stream?channels=c HTTP/1.1\r\n"
                       b"Host: h\r\n\r\n", shut=True)
        self.assertIn(b"event: connected", out)
        wait_for(lambda: broker.stats()["streams"] == 0, "no stream")

    def test_a_vanished_client_vanishes_from_the_counts(self):
        broker = self.broker()

        def streams():
            return broker.stats()["streams"]
        with broker.stream() as stream:
            stream.start()
            wait_for(lambda: streams() == 1, "one stream")
        wait_for(lambda: streams() == 0, "no stream")

    def test_connections_are_bounded_and_native_clients_try_again(self):
        broker = self.broker(broker__workers=1, http__max_connections=5)
        held = [broker.stream() for _ in range(5)]
        for stream in held:
            stream.start()
        with broker.stream() as extra:
            try:
                self.assertEqual(extra.opened(), 200)
                first = extra.next()
                self.assertEqual(first.name, "bye")
                self.assertTrue(first.retry)
                extra.rest()
            except sse_client.Ended:
                pass  # not accepted at all: a browser tries again, too
        with broker.publisher() as publisher:
            publisher.publish("c", "x")
        for stream in held:
            self.assertEqual(len(stream.events(1)), 1)
        held.pop().close()

        def room():
            with broker.stream() as again:
                try:
                    again.start()
                    return True
                except (sse_client.Ended, AssertionError):
                    return False
        wait_for(room, "room for another")
        for stream in held:
            stream.close()

    def test_the_page_is_there_when_it_is_on(self):
        broker = self.broker(http__dashboard="on")
        body, page = broker.get("/")
        self.assertEqual(body.status, 200)
        self.assertRegex(body.headers["content-type"], "^text/html")
        self.assertIn(b"EventSource", page)
        broker = self.broker()
        self.problem(broker, "/", 404)


if __name__ == "__main__":
    unittest.main()
