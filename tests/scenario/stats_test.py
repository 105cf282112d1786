"""/stats: a caller's own numbers, everything for an administrator; numbers
that fall to zero however a stream ends."""
import json
import os
import socket
import struct
import unittest

import sse_client
import tokens
from broker import BrokerCase, wait_for

TIMESTAMP = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"


class Stats(BrokerCase):
    def jwt(self, **settings):
        self.key = tokens.Secret()
        return self.jwt_broker(self.key, **settings)

    def headers(self, user, admin=False, patterns=("*",)):
        return tokens.bearer(self.key.token(
            sub=user, ssemux={"subscribe": list(patterns), "admin": admin}))

    def open(self, broker, user, channels, **options):
        stream = broker.stream(channels, headers=self.headers(user), **options)
        self.addCleanup(stream.close)
        stream.start()
        return stream

    def stats(self, broker, user, admin=False, target="/stats"):
        return sse_client.fetch_json(broker.port, target,
                                     self.headers(user, admin))

    def all_of(self, broker):
        return self.stats(broker, "root", admin=True)

    def test_a_caller_gets_its_own_numbers_and_no_more(self):
        broker = self.jwt(broker__workers="3")
        for _ in range(5):
            self.open(broker, "u1", "a")
        self.open(broker, "u2", "a")
        said = self.stats(broker, "u1")
        self.assertRegex(said.pop("timestamp"), TIMESTAMP)
        self.assertEqual(said, {"userId": "u1", "userConnections": 5,
                                "totalConnections": 6})
        self.assertEqual(self.stats(broker, "u3")["userConnections"], 0)

    def test_an_administrator_gets_everything_of_all_workers(self):
        broker = self.jwt(broker__workers="3")
        for number in range(9):
            for _ in range(number % 3 + 1):
                self.open(broker, "u%d" % number, "a,c:%d" % number)
        # A worker that has just begun may not be able to ask the others yet.
        wait_for(lambda: self.all_of(broker)["users"] == 9,
                 "the numbers of all")
        said = self.all_of(broker)
        self.assertEqual(said["totalConnections"], 18)
        self.assertEqual(said["users"], 9)
        self.assertEqual(said["channels"], 10)
        self.assertEqual(said["topUsers"][:3], [
            {"user": "u2", "streams": 3}, {"user": "u5", "streams": 3},
            {"user": "u8", "streams": 3}])
        self.assertEqual(said["topChannels"][:2], [
            {"channel": "a", "subscriptions": 18},
            {"channel": "c:2", "subscriptions": 3}])
        self.assertEqual(said["slowest"], [])
        self.assertEqual(sum(row["streams"] for row in said["workers"]), 18)
        self.assertEqual(said["subscriptions"], 36)

    def test_the_slowest_streams_are_named(self):
        broker = self.jwt(broker__workers="2", http__send_buffer="4k")
        slow = self.open(broker, "snail", "a", receive_buffer=2304)
        self.open(broker, "hare", "b")
        broker.pub("-l", "a", data="x" * 2000 + "\n" +
                   ("y" * 2000 + "\n") * 200)

        def named():
            rows = self.all_of(broker)["slowest"]
            return rows if rows and rows[0]["behindMs"] >= 0 else None
        row, = wait_for(named, "a slow stream")
        self.assertEqual((row["user"], row["channels"]), ("snail", 1))
        self.assertIn(row["worker"], (1, 2))
        slow.events(201)
        wait_for(lambda: self.all_of(broker)["slowest"] == [],
                 "nobody to be slow")

    def test_numbers_fall_to_zero_however_a_stream_ends(self):
        broker = self.jwt(broker__workers="2")

        def reset(stream):
            stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))
            stream.close()

        def shut(stream):
            stream.socket.shutdown(socket.SHUT_WR)
            stream.rest()
        for end in (sse_client.Stream.close, reset, shut):
            for _ in range(4):
                end(self.open(broker, "u1", "a,b"))
        killed = [self.open(broker, "u1", "a") for _ in range(8)]
        for pid in broker.workers():
            broker.kill_worker(pid)
        broker.workers()
        for stream in killed:
            stream.rest()

        def empty():
            said = self.all_of(broker)
            return (said["totalConnections"], said["users"], said["channels"],
                    said["subscriptions"], said["streams_behind"]) == \
                (0,) * 5 and self.stats(broker, "u1")["userConnections"] == 0
        wait_for(empty, "all numbers to fall")

    def test_without_a_token_there_is_nothing_but_a_refusal(self):
        broker = self.jwt()
        body, out = broker.get("/stats")
        self.assertEqual((body.status, json.loads(out)["code"]),
                         (401, "token-missing"))

    def test_the_path_of_a_block_tells_its_own_caller(self):
        broker = self.jwt(**{
            "stream /e.stats": "/e/stats", "stream /e.channels": "e",
            "stream /p.stats": "/p/stats", "stream /p.access": "public",
            "stream /p.channels": "p"})
        self.open(broker, "u1", "a")
        said = self.stats(broker, "u1", target="/e/stats")
        self.assertEqual((said["userId"], said["userConnections"]), ("u1", 1))
        body, _ = broker.get("/e/stats")
        self.assertEqual(body.status, 401)
        stream = broker.stream(target="/p")
        self.addCleanup(stream.close)
        stream.start()
        said = sse_client.fetch_json(broker.port, "/p/stats")
        self.assertEqual((said["userId"], said["userConnections"],
                          said["totalConnections"]), ("127.0.0.1", 1, 2))
        self.assertNotIn("workers", said)

    def test_without_a_hub_an_administrator_gets_what_one_worker_knows(self):
        broker = self.broker(broker__workers="1")
        with broker.stream("a") as stream:
            stream.start()
            os.kill(broker.hub(), 19)  # SIGSTOP
            try:
                said = broker.stats()
            finally:
                os.kill(broker.hub(), 18)
            self.assertEqual(said["totalConnections"], 1)


if __name__ == "__main__":
    unittest.main()
