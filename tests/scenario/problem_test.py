"""Problems: what is refused has its status and its stable code."""
import json
import os
import re
import resource
import signal
import socket
import time
import unittest

import sse_client
from broker import SANITIZED, BrokerCase, wait_for

GOOD = b"GET /healthz HTTP/1.1\r\nHost: h\r\n"


class Problems(BrokerCase):
    def problem(self, body, out):
        """(status, code) of an answer that must be a problem."""
        self.assertEqual(body.headers.get("content-type"),
                         "application/problem+json", out)
        said = json.loads(out)
        self.assertEqual(said["status"], body.status)
        self.assertTrue(said["title"])
        self.assertTrue(said["detail"])
        return body.status, said["code"]

    def get(self, broker, target, method="GET", headers=()):
        return self.problem(*sse_client.fetch(
            broker.port, target, headers, method))

    def raw(self, broker, data):
        return self.problem(*sse_client.fetch(broker.port, "", raw=data))

    def test_what_is_no_good_http(self):
        broker = self.broker(http__max_head="2k", http__max_headers=8,
                             http__head_timeout="1s")
        for status, data in (
                (400, b"GET / HTTP/1.1\r\n\r\n"),
                (408, GOOD),
                (414, b"GET /" + b"a" * 4000),
                (431, GOOD + b"X: y\r\n" * 20 + b"\r\n"),
                (501, GOOD + b"Transfer-Encoding: gzip\r\n\r\n"),
                (505, b"GET / HTTP/2.0\r\nHost: h\r\n\r\n")):
            self.assertEqual(self.raw(broker, data), (status, "bad-request"))

    def test_a_worker_that_stood_still_takes_what_came_in_time(self):
        broker = self.broker(broker__workers=1, http__head_timeout="1s")
        worker = broker.workers()[0]
        with socket.create_connection(("127.0.0.1", broker.port), 20) as late:
            wait_for(lambda: broker.stats()["connections"] == 2, "it")
            os.kill(worker, signal.SIGSTOP)
            stopped = time.monotonic()
            late.sendall(GOOD + b"\r\n")
            wait_for(lambda: time.monotonic() > stopped + 2.5, "a while")
            os.kill(worker, signal.SIGCONT)
            self.assertTrue(late.recv(100).startswith(b"HTTP/1.1 200 "))

    def test_the_time_for_a_head_is_never_shorter(self):
        broker = self.broker(http__head_timeout="1s")
        begun = []
        for _ in range(10):
            before = time.monotonic()
            client = socket.create_connection(("127.0.0.1", broker.port), 20)
            self.clients.append(client)
            client.sendall(GOOD)
            begun.append((client, before))
            wait_for(lambda: time.monotonic() > before + 0.1, "a while")
        for client, before in begun:
            self.assertTrue(client.recv(100).startswith(b"HTTP/1.1 408 "))
            self.assertGreaterEqual(time.monotonic() - before, 1)

    def test_what_a_stream_cannot_be_opened_with(self):
        broker = self.broker(http__max_channels=2)
        for query, code in (
                ("channels=%zz", "query-invalid"),
                ("channels=a&channels=b", "query-duplicate"),
                ("", "channels-missing"),
                ("channels=a*", "channel-invalid"),
                ("channels=a,b,c", "channels-too-many"),
                ("channels=a&format=xml", "format-invalid"),
                ("channels=a&live=perhaps", "live-invalid")):
            self.assertEqual(self.get(broker, "/stream?" + query),
                             (400, code))

    def test_paths_and_methods(self):
        broker = self.broker()
        self.assertEqual(self.get(broker, "/nothing"), (404, "not-found"))
        self.assertEqual(self.get(broker, "/healthz", "DELETE"),
                         (405, "method"))

    def test_a_name_that_somebody_made_point_here(self):
        broker = self.broker(http__hosts="events.example")

        def ask(host, method="GET", path="/stream?channels=a&live=false"):
            body, out = sse_client.fetch(broker.port, "", raw=(
                "%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n"
                "Connection: close\r\n\r\n" % (method, path, host)).encode())
            return body.status if body.status == 200 else \
                self.problem(body, out)
        self.assertEqual(ask("evil.example:8080"), (421, "host-unknown"))
        self.assertEqual(ask("evil.example", "POST", "/publish?channel=a"),
                         (421, "host-unknown"))
        for host in ["events.example", "EVENTS.example:80", "localhost:1",
                     "127.0.0.1", "[::1]:8080"]:
            self.assertEqual(ask(host), 200)

    def test_an_answer_to_head_has_no_body(self):
        broker = self.broker()
        head = sse_client.request_bytes(broker.port, "/nothing",
                                        method="HEAD")
        with socket.create_connection(("127.0.0.1", broker.port), 20) as one:
            one.sendall(head + sse_client.request_bytes(
                broker.port, "/healthz", (("Connection", "close"),)))
            out = b""
            while part := one.recv(65536):
                out += part
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+) ", out),
                         [b"404", b"200"])
        self.assertIn(b"\r\n\r\nHTTP/1.1 200", out)

    def test_a_broker_that_drains_says_so(self):
        """What is half said when it begins to drain is still answered."""
        broker = self.broker(broker__workers=1)
        rows = ((b"/readyz", "not-ready"), (b"/stream?channels=a", "drain"))
        held = []
        for path, code in rows:
            one = socket.create_connection(("127.0.0.1", broker.port), 20)
            self.addCleanup(one.close)
            one.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: h\r\n")
            held.append((one, code))
        wait_for(lambda: broker.stats()["connections"] == 3, "connections")
        broker.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "draining" in broker.log(), "the drain")
        wait_for(lambda: self.refuses(broker), "no more listening")
        for one, code in held:
            one.sendall(b"\r\n")
            body, out = sse_client.Body(), b""
            while not body.ended:
                out += body.feed(one.recv(65536))
            self.assertEqual(self.problem(body, out), (503, code))
            self.assertEqual(body.headers["connection"], "close")
        self.assertEqual(broker.process.wait(30), 0)
        broker.process = None

    def refuses(self, broker):
        """The worker does not take connections any more: one that is made
        stays without an answer."""
        with socket.create_connection(("127.0.0.1", broker.port), 20) as one:
            one.sendall(GOOD + b"\r\n")
            one.settimeout(0.2)
            try:
                return one.recv(100) == b""
            except (TimeoutError, ConnectionError):
                return True

    def test_too_many_connections(self):
        broker = self.broker(broker__workers=1, http__max_connections=1)
        with broker.stream() as held:
            held.start()
            self.assertEqual(self.get(broker, "/stream?channels=a"),
                             (503, "overload"))
            with broker.stream() as extra:
                self.assertEqual(extra.control("bye")["reason"], "overload")

    def test_a_body_that_is_too_large(self):
        broker = self.broker(http__max_body="1k")
        head = b"POST /publish HTTP/1.1\r\nHost: h\r\n"
        for rest in (b"Content-Length: 1025\r\n\r\n",
                     b"Transfer-Encoding: chunked\r\n\r\n401\r\n"):
            self.assertEqual(self.raw(broker, head + rest),
                             (413, "body-too-large"))
        self.assertEqual(self.raw(
            broker, head + b"Content-Length: 5\r\nExpect: gold\r\n\r\n"),
            (417, "bad-request"))

    def test_an_answer_that_does_not_come(self):
        broker = self.broker(broker__workers=1)
        hub = broker.hub()
        os.kill(hub, signal.SIGSTOP)
        try:
            event = b'{"channel":"a","data":"x"}'
            self.assertEqual(self.raw(
                broker, b"POST /publish HTTP/1.1\r\nHost: h\r\n"
                b"Content-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(event), event)),
                (503, "later"))
        finally:
            os.kill(hub, signal.SIGCONT)

    @unittest.skipIf(SANITIZED, "its memory cannot be bounded")
    def test_a_worker_without_memory_refuses_and_goes_on(self):
        broker = self.broker(broker__workers=1, http__max_channels=4096)
        worker = broker.workers()[0]
        before = resource.prlimit(worker, resource.RLIMIT_DATA)
        held = []

        def refused():
            """A stream takes a little for as long as it is open, and a lot
            while it is being opened: that is what there is no room for."""
            try:
                held.append(broker.stream())
                return held[-1].opened() != 200
            except sse_client.Malformed:
                return True  # a problem is no stream
        resource.prlimit(worker, resource.RLIMIT_DATA, (1, before[1]))
        wait_for(refused, "no memory")
        self.assertEqual(self.get(broker, "/stream?channels=a"),
                         (503, "no-memory"))
        resource.prlimit(worker, resource.RLIMIT_DATA, before)
        for stream in held:
            stream.close()
        with broker.stream() as stream:
            stream.start()


if __name__ == "__main__":
    unittest.main()
