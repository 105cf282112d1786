"""Streams that end with their tokens, and new tokens on live streams."""
import datetime
import json
import time
import unittest

import sse_client
import tokens
from broker import BrokerCase, tagged, wait_for

JSON = (("Content-Type", "application/json"),)


class Lifetime(BrokerCase):
    def jwt(self, **settings):
        self.key = tokens.Secret()
        return self.jwt_broker(self.key, **settings)

    def token(self, user, patterns, expires_in=3600, **claims):
        return self.key.token(sub=user, expires_in=expires_in,
                              ssemux={"subscribe": patterns}, **claims)

    def open(self, broker, token, channels):
        stream = broker.stream(channels, headers=tokens.bearer(token))
        self.addCleanup(stream.close)
        connected, events = stream.start()
        self.assertEqual(events, [])
        return stream, connected

    def post(self, broker, path, token=None, body=None):
        """(status, JSON of the answer) of a POST."""
        headers = tokens.bearer(token) if token is not None else ()
        data = b""
        if body is not None:
            data = body if isinstance(body, bytes) else \
                json.dumps(body).encode()
            headers += JSON
        answer, out = sse_client.post(broker.port, path, data, headers)
        return answer.status, json.loads(out)

    def problem(self, *arguments, **options):
        status, said = self.post(*arguments, **options)
        self.assertEqual(said["status"], status)
        return status, said["code"]

    def test_the_end_of_a_token_is_announced_and_ends_the_stream(self):
        broker = self.jwt(auth__expiring_notice="2s")
        expires = int(time.time()) + 4
        stream, _ = self.open(
            broker, self.token("u1", ["a"], exp=expires), "a")
        broker.pub("a", "before")
        self.assertEqual(stream.tagged(1)[0]["data"], "before")
        said = stream.control("token-expiring")
        self.assertGreaterEqual(time.time(), expires - 2)
        self.assertLess(time.time(), expires)
        at = datetime.datetime.fromisoformat(
            said["expires"].replace("Z", "+00:00")).timestamp()
        self.assertEqual(at, expires)
        self.assertIn(said["seconds"], (1, 2))
        self.assertEqual(stream.control("bye")["reason"], "token-expired")
        self.assertGreaterEqual(time.time(), expires)
        self.assertLess(time.time(), expires + 1.5)
        self.assertEqual(stream.rest(), [])
        self.assertEqual(stream.ended, "cut")

    def test_a_token_that_lasts_for_ever_announces_nothing(self):
        broker = self.jwt(auth__expiring_notice="1h")
        stream, _ = self.open(broker, self.token("u1", ["a"], exp=None), "a")
        self.assertTrue(stream.quiet(1.2))

    def test_a_new_token_lets_the_stream_live_on_whichever_worker_has_it(self):
        broker = self.jwt(broker__workers="3", auth__expiring_notice="1s")
        expires = int(time.time()) + 3
        stream, connected = self.open(
            broker, self.token("u1", ["a", "b"], exp=expires), "a,b")
        path = "/stream/" + connected["stream"]
        stream.control("token-expiring")
        for _ in range(12):  # some reach another worker than the stream's
            status, said = self.post(
                broker, path, self.token("u1", ["a", "b"], expires_in=60))
            self.assertEqual(status, 200, said)
            self.assertEqual(said["stream"], connected["stream"])
            self.assertEqual(sorted(said["channels"]), ["a", "b"])
        while time.time() < expires + 1:
            stream.fill(0.1)
        broker.pub("a", "after")
        self.assertEqual(tagged(stream.next())["data"], "after")

    def test_the_token_may_be_in_the_body(self):
        broker = self.jwt()
        token = self.token("u1", ["a"])
        stream, connected = self.open(broker, token, "a")
        status, said = self.post(
            broker, "/stream/" + connected["stream"],
            body={"token": self.token("u1", ["a"], expires_in=7200)})
        self.assertEqual(status, 200, said)
        self.assertGreater(said["expires"], datetime.datetime.utcfromtimestamp(
            time.time() + 7000).isoformat())
        for bad in (b"[]", b"{", b'{"token":"x","token":"y"}'):
            self.assertEqual(self.problem(
                broker, "/stream/" + connected["stream"], body=bad),
                (400, "body-invalid"))

    def test_what_the_new_token_does_not_grant_is_taken_away(self):
        broker = self.jwt()
        stream, connected = self.open(
            broker, self.token("u1", ["a", "b:*"]), "a,b:*")
        path = "/stream/" + connected["stream"]
        status, said = self.post(broker, path, self.token("u1", ["b:*"]))
        self.assertEqual((status, said["channels"]), (200, ["b:*"]))
        self.assertEqual(stream.control("revoked"),
                         {"channels": ["a"], "reason": "token"})
        broker.pub("a", "not for u1")
        broker.pub("b:1", "for u1")
        self.assertEqual(tagged(stream.next())["data"], "for u1")
        self.assertEqual(self.problem(broker, path, self.token("u1", ["c"])),
                         (403, "channels-refused"))
        self.assertEqual(stream.control("revoked")["channels"], ["b:*"])
        self.assertEqual(stream.control("bye")["reason"], "token")
        self.assertEqual(stream.rest(), [])

    def test_a_token_of_any_bytes_is_no_good_on_whichever_worker(self):
        broker = self.jwt(broker__workers="3")
        _, connected = self.open(broker, self.token("u1", ["a"]), "a")
        for _ in range(12):
            body, out = sse_client.fetch(broker.port, "", raw=(
                b"POST /stream/%s HTTP/1.1\r\nHost: h\r\n"
                b"Authorization: Bearer \xff.\xfe.a\r\n"
                b"Content-Length: 0\r\nConnection: close\r\n\r\n" %
                connected["stream"].encode()))
            self.assertEqual((body.status, json.loads(out)["code"]),
                             (401, "token-invalid"))

    def test_only_its_own_user_changes_a_stream(self):
        broker = self.jwt(broker__workers="3")
        stream, connected = self.open(broker, self.token("u1", ["a"]), "a")
        path = "/stream/" + connected["stream"]
        other = connected["stream"][:-1] + \
            ("A" if connected["stream"][-1] != "A" else "B")
        for _ in range(6):
            self.assertEqual(
                self.problem(broker, path, self.token("u2", ["a"])),
                (403, "stream-foreign"))
            self.assertEqual(self.problem(broker, path),
                             (403, "stream-foreign"))
            self.assertEqual(
                self.problem(broker, path,
                             self.token("u1", ["a"], expires_in=-60)),
                (401, "token-expired"))
            self.assertEqual(self.problem(broker, path, "a.b.c"),
                             (401, "token-invalid"))
            self.assertEqual(
                self.problem(broker, "/stream/" + other,
                             self.token("u1", ["a"])),
                (404, "stream-unknown"))
        self.assertEqual(
            self.problem(broker, "/stream/__" + other[2:],
                         self.token("u1", ["a"])), (404, "stream-unknown"))
        stream.close()

        def gone():
            return self.problem(broker, path, self.token("u1", ["a"])) == (
                404, "stream-unknown")
        wait_for(gone, "the stream's end")

    def test_a_stream_of_a_dead_worker_is_unknown(self):
        broker = self.jwt(broker__workers="2")
        streams = [self.open(broker, self.token("u1", ["a"]), "a")
                   for _ in range(6)]
        # An id begins with its worker's number: AA, AB.
        first = "AB".index(streams[0][1]["stream"][1])
        broker.kill_worker(broker.workers()[first])
        broker.workers()
        found = []
        for _, connected in streams:
            def answer(name=connected["stream"]):
                """Of a worker; there is none while the next one begins."""
                status, _ = self.post(broker, "/stream/" + name,
                                      self.token("u1", ["a"]))
                return status != 503 and status
            found.append(wait_for(answer, "an answer"))
        self.assertEqual(set(found) - {200, 404}, set(), found)
        self.assertEqual(found[0], 404)

    def test_with_mode_none_there_is_nothing_to_renew(self):
        broker = self.broker()
        with broker.stream("a") as stream:
            connected, _ = stream.start()
            status, said = self.post(
                broker, "/stream/" + connected["stream"])
            self.assertEqual((status, said["expires"]), (200, None))


if __name__ == "__main__":
    unittest.main()
