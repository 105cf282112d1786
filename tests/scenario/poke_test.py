"""POST /poke: the caller's own streams are told, and counted rightly over all
workers, also when one has just died."""
import http.client
import os
import signal
import unittest

import sse_client
import tokens
from broker import SCALE, BrokerCase, wait_for
from http_publish_test import post

PATH = "/api/v1/replicache/"


class Poke(BrokerCase):
    def setUp(self):
        super().setUp()
        self.key = tokens.Secret()

    def jwt(self, **settings):
        broker = self.jwt_broker(self.key, start=False, **settings)
        for key, value in (("channels", "user:{sub}"), ("format", "raw"),
                           ("name_events", "off"), ("heartbeat", "data ping"),
                           ("greeting", "data connected"), ("live", "none"),
                           ("poke", PATH + "poke-user")):
            broker.settings["stream %sstream.%s" % (PATH, key)] = value
        return broker.start()

    def bearer(self, user, **claims):
        claims.setdefault("sub", user)
        return ("Authorization", "Bearer " + self.key.token(**claims))

    def connect(self, broker, user, query="", **options):
        return broker.open(PATH + "stream" + query,
                           headers=[self.bearer(user)], **options)

    def open(self, broker, user):
        """A stream of the user; it is open, but may still catch up."""
        stream = self.connect(broker, user)
        self.assertEqual(stream.next().data, "connected")
        return stream

    def assert_poked(self, stream):
        event = stream.next()
        self.assertEqual((event.name, event.data), ("message", "sync"))

    def poke(self, broker, user, path="/poke", **claims):
        return post(broker, b"", path, dict([self.bearer(user, **claims)]))

    def notified(self, broker, user, path=PATH + "poke-user"):
        status, answer, _ = self.poke(broker, user, path)
        self.assertEqual(status, 200, answer)
        return answer["clientsNotified"]

    def test_the_answer_is_what_clients_know(self):
        broker = self.jwt(broker__workers=3)
        streams = [self.open(broker, "user123") for _ in range(2)]
        other = self.open(broker, "user124")
        for path in (PATH + "poke-user", "/poke"):
            status, answer, headers = self.poke(broker, "user123", path)
            self.assertEqual(status, 200)
            self.assertEqual(headers["content-type"], "application/json")
            self.assertEqual(list(answer), ["success", "userId",
                                            "clientsNotified", "message",
                                            "timestamp"])
            self.assertRegex(answer.pop("timestamp"),
                             r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertEqual(answer, {
                "success": True, "userId": "user123", "clientsNotified": 2,
                "message": "User-specific sync triggered"})
            for stream in streams:
                self.assert_poked(stream)
        self.assertEqual(self.notified(broker, "user124"), 1)
        self.assert_poked(other)
        self.assertEqual(self.notified(broker, "nobody-here"), 0)
        for stream in streams + [other]:
            self.assertTrue(stream.quiet(0))
            stream.close()

    def test_a_block_says_what_is_sent_and_where(self):
        broker = self.jwt(**{
            "stream /s.channels": "room:{rooms}",
            "stream /s.poke": "/go", "stream /s.poke_channel": "room:{rooms}",
            "stream /s.poke_type": "moved", "stream /s.poke_data": '{"n":1}'})
        status, answer, _ = self.poke(broker, "u", "/go", rooms=["a", "b"])
        self.assertEqual((status, answer["clientsNotified"]), (200, 0))
        self.assertEqual([row[1:] for row in broker.stored()],
                         [("room:" + room, "moved", None, b'{"n":1}')
                          for room in "ab"])

    def test_who_may_not(self):
        broker = self.jwt(http__publish_timeout="1s")
        status, answer, _ = post(broker, b"", "/poke", {})
        self.assertEqual((status, answer["code"]), (401, "token-missing"))
        status, answer, _ = self.poke(broker, "u", PATH + "poke-user",
                                      exp=1000)
        self.assertEqual((status, answer["code"]), (401, "token-expired"))
        headers = dict([self.bearer("u")], Origin="https://evil.example")
        for path in ("/poke", PATH + "poke-user", "/publish?channel=user:u"):
            status, answer, _ = post(broker, b"", path, headers)
            self.assertEqual((status, answer["code"]),
                             (403, "origin-not-allowed"))
        headers["Origin"] = "http://127.0.0.1:%d" % broker.port
        self.assertEqual(post(broker, b"", "/poke", headers)[0], 200)

    def test_who_has_no_name_has_no_channel(self):
        broker = self.broker()
        status, answer, _ = post(broker, b"", "/poke", {})
        self.assertEqual((status, answer["code"]), (403, "nobody"))

    def test_what_a_token_may_publish(self):
        broker = self.jwt()
        headers = dict([self.bearer("u", ssemux={"publish": ["a:*", "b"]})],
                       **{"Content-Type": "application/json"})
        rows = [("a:1", None), ("b", None), ("b:1", "not-allowed"),
                ("user:u", "not-allowed"), ("a", "not-allowed")]
        status, answer, _ = post(
            broker, [{"channel": name, "data": 1} for name, _ in rows],
            headers=headers)
        self.assertEqual(status, 422)
        self.assertEqual([each.get("code") for each in answer["results"]],
                         [code for _, code in rows])
        status, answer, _ = post(broker, {"channel": "c", "data": 1},
                                 headers=headers)
        self.assertEqual((status, answer["code"]), (403, "not-allowed"))
        self.assertEqual([row[1] for row in broker.stored()], ["a:1", "b"])

    def test_streams_that_were_opened_just_now_count(self):
        broker = self.jwt(broker__workers=3)
        for turn in range(10 * SCALE):
            user = "u%d" % turn
            streams = [self.open(broker, user) for _ in range(12)]
            self.assertEqual(self.notified(broker, user), 12)
            for stream in streams:
                self.assert_poked(stream)
                stream.close()

    def test_streams_that_come_back_count_when_they_get_it(self):
        broker = self.jwt(broker__workers=2)
        stream = self.open(broker, "u")
        self.assertEqual(self.notified(broker, "u"), 1)
        self.assert_poked(stream)
        last = stream.last_id
        stream.close()
        self.wait_alone(broker)
        self.assertEqual(self.notified(broker, "u"), 0)
        with self.connect(broker, "u", last_id=last) as stream:
            self.assertEqual(stream.next().data, "connected")
            self.assertEqual(self.notified(broker, "u"), 1)
            self.assert_poked(stream)
            self.assert_poked(stream)

    def test_streams_that_have_recent_events_before_them_count(self):
        broker = self.jwt(broker__workers=2)
        with broker.publisher() as publisher:
            for _ in range(5000):
                publisher.offer("user:u", "x")
            for _ in range(5000):
                publisher.ack()
        streams = [self.connect(broker, "u", "?since=-10m")
                   for _ in range(10)]
        for stream in streams:
            self.assertEqual(stream.next().data, "connected")
        self.assertEqual(self.notified(broker, "u"), 10)
        for stream in streams:
            self.assertEqual({event.data for event in stream.events(5000)},
                             {"x"})
            self.assert_poked(stream)
            stream.close()

    def wait_alone(self, broker):
        """Waits until no stream is open."""
        wait_for(lambda: b"\nssemux_streams 0\n" in broker.get(
            "/metrics", [self.bearer("u")])[1], "no stream")

    def poked(self, streams):
        """How many of the streams got a poke; those that ended do not count
        unless they got it before."""
        count = 0
        for stream in streams:
            try:
                self.assert_poked(stream)
                count += 1
            except sse_client.Ended:
                pass
        return count

    def test_just_after_a_worker_died_the_count_is_true(self):
        broker = self.jwt(broker__workers=3)
        for turn in range(6 * SCALE):
            user = "u%d" % turn
            streams = [self.open(broker, user) for _ in range(30)]
            os.kill(broker.workers()[turn % 3], signal.SIGKILL)
            count = self.poke_anywhere(broker, user)
            self.assertEqual(self.poked(streams), count)
            self.assertLess(count, 30)
            for stream in streams:
                stream.close()
            broker.workers()

    def poke_anywhere(self, broker, user):
        """A connection may reach the worker that has just died."""
        while True:
            try:
                return self.notified(broker, user)
            except (OSError, http.client.HTTPException):
                pass

    def test_who_does_not_read_is_not_waited_for(self):
        broker = self.jwt(broker__workers=1, http__send_buffer="4k")
        stuck = self.connect(broker, "u", receive_buffer=2048)
        reads = self.open(broker, "u")
        publisher = broker.publisher()
        for _ in range(100):
            publisher.publish("user:u", "x" * 60000)
        for _ in range(100):
            reads.next()
        self.assertEqual(self.notified(broker, "u"), 1)
        self.assert_poked(reads)
        for stream in (stuck, reads, publisher):
            stream.close()

    def test_a_key_is_of_its_user(self):
        broker = self.jwt()
        results = []
        for user in ("u1", "u2", "u1"):
            headers = dict(
                [self.bearer(user, ssemux={"publish": ["*"]})],
                **{"Content-Type": "application/json",
                   "Idempotency-Key": "same"})
            results.append(post(broker, {"channel": "c", "data": user},
                                headers=headers)[1])
        self.assertEqual([each["duplicate"] for each in results],
                         [False, False, True])
        self.assertEqual([row[4] for row in broker.stored()], [b"u1", b"u2"])


if __name__ == "__main__":
    unittest.main()
