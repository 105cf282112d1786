"""Limits: connections of an address and of all, streams of a user; over all
workers, and whatever becomes of a worker."""
import json
import re
import resource
import socket
import unittest

import sse_client
import tokens
from broker import BrokerCase, wait_for

STREAM = (("Accept", "text/event-stream"),)


class Client:
    """One connection from an address of this machine's own."""

    def __init__(self, broker, source="127.0.0.1", target="/stream?channels=a",
                 headers=STREAM, before=b"", send=True):
        self.socket = socket.create_connection(
            ("127.0.0.1", broker.port), 20, source_address=(source, 0))
        self.body = sse_client.Body()
        self.out = b""
        if send:
            self.socket.sendall(before + sse_client.request_bytes(
                broker.port, target, headers))

    def read_until(self, condition):
        """Reads until the condition holds, or the end."""
        while not condition():
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return
            if not data:
                return
            self.out += self.body.feed(data)

    def first(self):
        """The first event of the stream, or the problem; its name or code, and
        the rest of it."""
        self.read_until(lambda: self.body.ended or b"\n\n" in self.out)
        if self.body.status is None:
            return "closed", None
        if self.body.status != 200:
            return json.loads(self.out)["code"], self.body
        return self.events()[0].name, self.events()[0]

    def events(self):
        return sse_client.Parser().feed(self.out)

    def ended(self):
        """Reads to the end of the connection."""
        self.read_until(lambda: False)
        return True

    def close(self):
        self.socket.close()


class LimitCase(BrokerCase):
    def client(self, broker, *arguments, **options):
        made = Client(broker, *arguments, **options)
        self.clients.append(made)
        return made

    def hold(self, broker, count, *arguments, **options):
        """So many streams."""
        made = [self.client(broker, *arguments, **options)
                for _ in range(count)]
        for each in made:
            self.assertEqual(each.first()[0], "connected")
        return made

    def refused(self, broker, code, *arguments, **options):
        """A stream is refused for now, and another request, too."""
        stream = self.client(broker, *arguments, **options)
        name, event = stream.first()
        self.assertEqual(name, "bye")
        self.assertEqual(json.loads(event.data), {"reason": code})
        self.assertGreater(event.retry, 0)
        self.assertTrue(stream.ended())
        self.assertEqual(len(stream.events()), 1)
        other = self.client(broker, *arguments,
                            **dict(options, headers=tuple(
                                row for row in options.get("headers", ())
                                if row not in STREAM)))
        said, body = other.first()
        self.assertEqual(said, code)
        self.assertEqual(body.status, 503 if code == "overload" else 429)
        self.assertRegex(body.headers["retry-after"], r"^[1-9]\d*$")
        self.assertTrue(other.ended())

    def room(self, broker, *arguments, **options):
        """Waits until there is room for a stream, and holds it."""
        def try_it():
            one = self.client(broker, *arguments, **options)
            if one.first()[0] == "connected":
                return one
            one.close()
            return None
        return wait_for(try_it, "room for a stream")

    def number(self, broker, name):
        _, out = broker.get("/metrics")
        return int(re.search(r"^ssemux_%s (\d+)$" % name, out.decode(),
                             re.M).group(1))


class Limits(LimitCase):
    def test_connections_of_one_address(self):
        broker = self.broker(http__max_per_ip=4)
        held = self.hold(broker, 4, "127.0.0.2")
        self.refused(broker, "limit-address", "127.0.0.2")
        self.hold(broker, 2, "127.0.0.3")
        self.assertGreaterEqual(self.number(broker, "refused_address_total"),
                                2)
        held.pop().close()
        held.append(self.room(broker, "127.0.0.2"))
        self.refused(broker, "limit-address", "127.0.0.2")

    def test_what_an_operator_asks_is_answered_beyond_a_limit(self):
        broker = self.broker(http__max_per_ip=1)
        self.hold(broker, 1)
        for target in ("/healthz", "/readyz", "/metrics"):
            self.assertEqual(broker.get(target)[0].status, 200)

    def test_counts_fall_when_a_worker_is_killed(self):
        broker = self.broker(http__max_per_ip=4)
        for _ in range(3):
            held = [self.room(broker, "127.0.0.2") for _ in range(4)]
            self.refused(broker, "limit-address", "127.0.0.2")
            for worker in broker.workers():
                broker.kill_worker(worker)
            for each in held:
                self.assertTrue(each.ended())
            wait_for(broker.workers, "the workers")
        for name in ("connections", "streams"):
            wait_for(lambda: self.number(broker, name) <= 1, name)

    def test_a_flood_from_one_address_is_cut_short(self):
        broker = self.broker(http__max_per_ip=4)
        self.hold(broker, 4, "127.0.0.2")
        flood = [self.client(broker, "127.0.0.2", send=False)
                 for _ in range(300)]
        wait_for(lambda: self.number(broker, "refused_address_total") >= 200,
                 "the flood to be cut")
        self.assertLess(self.number(broker, "connections"), 4 + 100)
        self.hold(broker, 2, "127.0.0.3")
        for each in flood:
            each.close()

    def test_connections_of_all(self):
        broker = self.broker(http__max_connections=6)
        held = self.hold(broker, 3, "127.0.0.2")
        held += self.hold(broker, 3, "127.0.0.3")
        self.refused(broker, "overload")
        self.assertGreaterEqual(self.number(broker, "refused_overload_total"),
                                2)
        held.pop().close()
        held.append(self.room(broker))
        self.refused(broker, "overload")
        for worker in broker.workers():
            broker.kill_worker(worker)
        self.room(broker)

    def test_streams_of_one_user(self):
        """Whatever the address, and whichever the token."""
        key = tokens.Secret()
        broker = self.jwt_broker(key, http__max_per_user=2)

        def bearer(user):
            return {"headers": STREAM + tokens.bearer(key.token(
                sub=user, ssemux={"subscribe": ["*"]}))}
        self.hold(broker, 1, "127.0.0.2", **bearer("u1"))
        held = self.hold(broker, 1, "127.0.0.3", **bearer("u1"))
        self.refused(broker, "limit-user", **bearer("u1"))
        self.hold(broker, 2, **bearer("u2"))
        held.pop().close()
        held.append(self.room(broker, **bearer("u1")))
        for worker in broker.workers():
            broker.kill_worker(worker)
        for _ in range(2):
            held.append(self.room(broker, **bearer("u1")))
        self.refused(broker, "limit-user", **bearer("u1"))
        self.assertGreaterEqual(self.number(broker, "refused_user_total"), 2)

    def test_a_worker_without_descriptors_says_so_once(self):
        broker = self.broker(broker__workers=1)
        worker = broker.workers()[0]
        watcher = self.client(broker, send=False)
        watcher.socket.sendall(sse_client.request_bytes(
            broker.port, "/healthz"))
        watcher.read_until(lambda: watcher.body.ended)
        before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        # It keeps what it has, and gets no more.
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (3, before[1]))
        late = self.client(broker)

        def failures():
            watcher.body, watcher.out = sse_client.Body(), b""
            watcher.socket.sendall(sse_client.request_bytes(
                broker.port, "/metrics"))
            watcher.read_until(lambda: watcher.body.ended)
            return int(re.search(rb"^ssemux_accept_failures_total (\d+)$",
                                 watcher.out, re.M).group(1))
        wait_for(lambda: failures() >= 20, "failures to accept")
        resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
        self.assertEqual(late.first()[0], "connected")
        self.assertEqual(len(re.findall("accept: ", broker.log())), 1)


if __name__ == "__main__":
    unittest.main()
