"""Bodies: however they come, they are read as one; and never without end."""
import json
import re
import socket
import unittest

from broker import BrokerCase, wait_for

HEAD = (b"POST /publish HTTP/1.1\r\nHost: h\r\n"
        b"Content-Type: application/json\r\n")
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"


def event(data):
    return json.dumps({"channel": "c", "data": data}).encode()


def by_length(body, more=b""):
    return HEAD + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


def by_chunks(body, size, more=b"", extension=b"", trailer=b""):
    out = HEAD + more + CHUNKED
    for at in range(0, len(body), size):
        part = body[at:at + size]
        out += b"%x%b\r\n%b\r\n" % (len(part), extension, part)
    return out + b"0\r\n" + trailer + b"\r\n"


class Bodies(BrokerCase):
    def connect(self, broker):
        one = socket.create_connection(("127.0.0.1", broker.port), 20)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.clients.append(one)
        return one

    def read_status(self, one):
        """The status of one answer, whole; its head."""
        data = b""
        while b"\r\n\r\n" not in data:
            part = one.recv(1)
            self.assertTrue(part, data)
            data += part
        length = re.search(rb"(?i)content-length: (\d+)", data)
        left = int(length.group(1)) if length else 0
        while left > 0:
            part = one.recv(left)
            self.assertTrue(part, data)
            left -= len(part)
        return int(data.split()[1]), data

    def published(self, stream, count):
        return [each["data"] for each in stream.tagged(count)]

    def test_a_body_may_come_in_any_way(self):
        broker = self.broker()
        data = ["length", "one chunk", "bytes", "extended", "length, slowly",
                "chunks, slowly"]
        requests = [
            by_length(event(data[0])),
            by_chunks(event(data[1]), 1000),
            by_chunks(event(data[2]), 1),
            by_chunks(event(data[3]), 7, extension=b';a="b"',
                      trailer=b"X-Sum: 1\r\nY:\r\n"),
            by_length(event(data[4])),
            by_chunks(event(data[5]), 3),
        ]
        with broker.stream("c") as stream:
            stream.start()
            one = self.connect(broker)
            for request in requests[:4]:
                one.sendall(request)
                self.assertEqual(self.read_status(one)[0], 200)
            for request in requests[4:]:
                for at in range(len(request)):
                    one.sendall(request[at:at + 1])
                self.assertEqual(self.read_status(one)[0], 200)
            self.assertEqual(self.published(stream, len(data)), data)

    def test_requests_with_bodies_may_follow_each_other(self):
        broker = self.broker()
        with broker.stream("c") as stream:
            stream.start()
            one = self.connect(broker)
            one.sendall(by_length(event("1")) +
                        b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n" +
                        by_chunks(event("2"), 5) + by_length(event("3")))
            for _ in range(4):
                self.assertEqual(self.read_status(one)[0], 200)
            self.assertEqual(self.published(stream, 3), ["1", "2", "3"])

    def test_a_client_that_waits_to_be_told_is(self):
        broker = self.broker()
        body = event("x")
        one = self.connect(broker)
        request = by_length(body, b"Expect: 100-Continue\r\n")
        one.sendall(request[:-len(body)])
        status, head = self.read_status(one)
        self.assertEqual((status, head), (
            100, b"HTTP/1.1 100 Continue\r\n\r\n"))
        one.sendall(body)
        self.assertEqual(self.read_status(one)[0], 200)
        # Who did not wait is not told.
        one.sendall(request)
        self.assertEqual(self.read_status(one)[0], 200)
        # What is too long need not be sent at all.
        one.sendall(HEAD + b"Expect: 100-continue\r\n"
                    b"Content-Length: 99999999\r\n\r\n")
        self.assertEqual(self.read_status(one)[0], 413)

    def test_a_broken_body_is_the_end_of_the_connection(self):
        broker = self.broker(http__max_body="2k")
        for status, rest in (
                (400, b"5\nhello\r\n0\r\n\r\n"), (400, b"5\r\nhello0\r\n\r\n"),
                (400, b"-5\r\n"), (400, b"x\r\n"), (400, b"000000005\r\n"),
                (400, b"5;" + b"a" * 300 + b"\r\n"),
                (400, b"0\r\n" + b"A: " + b"b" * 5000),
                (400, b"0\r\nno trailer\r\n\r\n"), (413, b"801\r\n"),
                (413, b"ffffffff\r\n"),
                (413, b"800\r\n" + b"a" * 2048 + b"\r\n1\r\na\r\n")):
            one = self.connect(broker)
            one.sendall(HEAD + CHUNKED + rest)
            self.assertEqual(self.read_status(one)[0], status, rest)
            self.assertEqual(one.recv(100), b"")

    def test_bodies_together_are_bounded(self):
        broker = self.broker(broker__workers=1, http__max_bodies="300k")
        held = [self.connect(broker) for _ in range(2)]
        for one in held:
            one.sendall(HEAD + b"Content-Length: 150000\r\n\r\n" +
                        b" " * 120000)
        wait_for(lambda: broker.stats()["bodies_bytes"] >= 240000,
                 "the bodies held")
        late = self.connect(broker)
        late.sendall(HEAD + b"Content-Length: 150000\r\n\r\n" + b" " * 60000)
        status, head = self.read_status(late)
        self.assertEqual(status, 503)
        self.assertIn(b"Retry-After: ", head)
        self.assertEqual(late.recv(100), b"")
        for one in held:
            one.close()

        def taken():
            one = self.connect(broker)
            body = event("x") + b" " * 60000
            one.sendall(by_length(body))
            return self.read_status(one)[0] == 200
        wait_for(taken, "room for a body")
        # But that of the request that asks.
        wait_for(lambda: broker.stats()["bodies_bytes"] <= 2048, "no bodies")

    def test_heads_that_do_not_end_are_bounded_together(self):
        broker = self.broker(broker__workers=1, http__max_bodies="256k")
        held = [self.connect(broker) for _ in range(10)]
        for one in held:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nX: ")
            one.sendall(b"a" * 15000)
        wait_for(lambda: broker.stats()["bodies_bytes"] > 150000, "the heads")
        late = [self.connect(broker) for _ in range(10)]
        for one in late:
            one.sendall(b"GET /healthz HTTP/1.1\r\nHost: h\r\nX: ")
            one.sendall(b"a" * 15000)
        wait_for(lambda: broker.stats()["refused_overload_total"] > 0,
                 "a refusal")
        # Who says all at once is served, and the others when there is room.
        self.assertEqual(broker.get("/healthz")[0].status, 200)
        self.assertLess(broker.stats()["bodies_bytes"], 300000)
        for one in late:
            one.close()
        for one in held:
            one.sendall(b"\r\n\r\n")
            self.assertIn(self.read_status(one)[0], (200, 503))
        for one in held:
            one.close()
        wait_for(lambda: broker.stats()["bodies_bytes"] <= 2048, "no heads")

    def test_a_body_that_dribbles_in_has_a_deadline(self):
        """Each 64 KiB have it anew, and no less does."""
        broker = self.broker(http__head_timeout="1s", http__idle_timeout="1s")
        one = self.connect(broker)
        one.sendall(HEAD + b"Content-Length: 70000\r\n\r\n")
        one.setblocking(False)
        answer = []

        def answered():
            try:
                one.send(b" ")
                answer.append(one.recv(4096))
                return True
            except BlockingIOError:
                return False
        wait_for(answered, "the end of patience", 15)
        self.assertIn(b"HTTP/1.1 408 ", answer[0])

    def test_a_body_that_nobody_asked_for_is_not_read(self):
        broker = self.broker()
        for request in (
                b"GET /healthz HTTP/1.1\r\nHost: h\r\n"
                b"Content-Length: 99999999999\r\n\r\n",
                b"GET /healthz HTTP/1.1\r\nHost: h\r\n" + CHUNKED):
            one = self.connect(broker)
            one.sendall(request)
            status, head = self.read_status(one)
            self.assertEqual(status, 200)
            self.assertIn(b"Connection: close\r\n", head)
            self.assertEqual(one.recv(100), b"")
        one = self.connect(broker)
        one.sendall(b"POST /healthz HTTP/1.1\r\nHost: h\r\n"
                    b"Content-Length: 3\r\n\r\nabc")
        status, head = self.read_status(one)
        self.assertEqual(status, 405)
        self.assertIn(b"Allow: GET, HEAD, OPTIONS\r\n", head)
        self.assertEqual(one.recv(100), b"")

    def test_who_goes_while_the_answer_is_due_is_forgotten(self):
        broker = self.broker()
        with broker.stream("c") as stream:
            stream.start()
            for n in range(20):
                one = self.connect(broker)
                one.sendall(by_length(event(str(n))))
                one.close()
            self.assertEqual(sorted(self.published(stream, 20), key=int),
                             [str(n) for n in range(20)])
        # Who only says no more is not gone.
        one = self.connect(broker)
        one.sendall(by_length(event("x")))
        one.shutdown(socket.SHUT_WR)
        self.assertEqual(self.read_status(one)[0], 200)
        wait_for(lambda: broker.stats()["connections"] <= 2,
                 "no connections left")


if __name__ == "__main__":
    unittest.main()
