"""CORS: which pages of other sites may use the broker, and what they see."""
import json
import unittest

import sse_client
import tokens
from broker import BrokerCase

GOOD = "https://app.example"
ALSO = "http://localhost:5173"
BAD = "https://evil.example"


class Cors(BrokerCase):
    def allowing(self, **settings):
        return self.broker(http__cors_origins="%s, %s" % (GOOD, ALSO),
                           **settings)

    def ask(self, broker, target, origin=None, method="GET", headers=()):
        rows = tuple(headers) + ((("Origin", origin),) if origin else ())
        return sse_client.fetch(broker.port, target, rows, method)

    def preflight(self, broker, target, origin, method="POST"):
        return self.ask(broker, target, origin, "OPTIONS", (
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", "authorization")))

    def assert_allowed(self, headers, origin):
        self.assertEqual(headers.get("access-control-allow-origin"), origin)
        self.assertEqual(headers.get("access-control-allow-credentials"),
                         "true")
        self.assertIn("Retry-After",
                      headers["access-control-expose-headers"])
        self.assertRegex(headers["vary"], r"\bOrigin\b")

    def assert_silent(self, headers):
        self.assertEqual([name for name in headers
                          if name.startswith("access-control-")], [])
        self.assertRegex(headers["vary"], r"\bOrigin\b")

    def stream_headers(self, broker, origin, channels="a"):
        with broker.stream(channels, headers=(("Origin", origin),)) as stream:
            stream.start()
            return stream.body.headers

    def test_every_answer_to_a_site_that_is_named_says_so(self):
        broker = self.allowing()
        for origin in (GOOD, ALSO):
            for target, status in (("/stats", 200), ("/nothing", 404),
                                   ("/stream", 400)):
                body, _ = self.ask(broker, target, origin)
                self.assertEqual(body.status, status)
                self.assert_allowed(body.headers, origin)
            self.assert_allowed(self.stream_headers(broker, origin), origin)
            body, _ = self.ask(broker, "/stats", origin, "DELETE")
            self.assertEqual(body.status, 405)
            self.assert_allowed(body.headers, origin)

    def test_so_do_refusals_that_are_not_for_ever(self):
        broker = self.allowing(broker__workers=1, http__max_connections=1)
        with broker.stream("a") as held:
            held.start()
            with broker.stream("a", headers=(("Origin", GOOD),)) as stream:
                self.assertEqual(stream.control("bye")["reason"], "overload")
                self.assert_allowed(stream.body.headers, GOOD)
            body, _ = self.ask(broker, "/stream?channels=a", GOOD)
            self.assertEqual(body.status, 503)
            self.assert_allowed(body.headers, GOOD)

    def test_other_sites_see_nothing(self):
        broker = self.allowing()
        for origin in (BAD, "null", GOOD + ".evil.example", GOOD + ":8443",
                       "http://app.example", GOOD.upper(), "*", GOOD + "/",
                       GOOD + ", " + ALSO):
            body, _ = self.ask(broker, "/stats", origin)
            self.assert_silent(body.headers)
            self.assert_silent(self.stream_headers(broker, origin))
            body, out = self.preflight(broker, "/stats", origin)
            self.assertEqual(body.status, 403)
            self.assertEqual(json.loads(out)["code"], "origin-not-allowed")
            self.assert_silent(body.headers)
        body, _ = self.ask(broker, "/stats", headers=(
            ("Origin", GOOD), ("Origin", BAD)))
        self.assert_silent(body.headers)
        self.assert_silent(self.ask(broker, "/stats")[0].headers)

    def test_nobody_is_named_unless_somebody_is(self):
        broker = self.broker()
        self.assert_silent(self.ask(broker, "/stats", GOOD)[0].headers)
        self.assertEqual(self.preflight(broker, "/stats", GOOD)[0].status, 403)

    def test_a_preflight_is_answered(self):
        broker = self.allowing()
        body, out = self.preflight(broker, "/stream", GOOD)
        self.assertEqual((body.status, out), (204, b""))
        self.assert_allowed(body.headers, GOOD)
        self.assertNotIn("content-length", body.headers)
        methods = body.headers["access-control-allow-methods"].split(", ")
        self.assertIn("GET", methods)
        for name in ("Authorization", "Content-Type", "Last-Event-ID",
                     "Idempotency-Key", "Cache-Control"):
            self.assertIn(name, body.headers["access-control-allow-headers"])
        self.assertGreater(int(body.headers["access-control-max-age"]), 0)
        body, _ = self.preflight(broker, "/nothing", GOOD)
        self.assertEqual(body.status, 404)
        self.assert_allowed(body.headers, GOOD)

    def test_options_without_a_page_say_what_there_is(self):
        broker = self.broker()
        body, out = self.ask(broker, "/stats", method="OPTIONS")
        self.assertEqual((body.status, out), (204, b""))
        self.assertEqual(body.headers["allow"], "GET, HEAD, OPTIONS")
        body, _ = self.ask(broker, "/stats", method="PUT")
        self.assertEqual(body.status, 405)
        self.assertEqual(body.headers["allow"], "GET, HEAD, OPTIONS")

    def test_a_star_lets_all_see_what_nobody_must_be_known_for(self):
        broker = self.broker(http__cors_origins="*")
        body, _ = self.ask(broker, "/stats", BAD)
        self.assertEqual(body.headers["access-control-allow-origin"], "*")
        self.assertNotIn("access-control-allow-credentials", body.headers)
        self.assertEqual(self.preflight(broker, "/stats", BAD)[0].status, 204)

    def post(self, broker, origin=None, headers=()):
        """The status and code of a POST that publishes."""
        if origin is not None:
            headers = (("Origin", origin),) + tuple(headers)
        status, said = sse_client.post_json(
            broker.port, "/publish", {"channel": "a", "data": "x"}, headers)
        return status, said.get("code")

    def test_a_page_of_elsewhere_changes_nothing(self):
        broker = self.allowing()
        own = "http://127.0.0.1:%d" % broker.port
        for origin in (None, own, GOOD, ALSO):
            self.assertEqual(self.post(broker, origin)[0], 200, origin)
        for origin in (BAD, "null", "http://127.0.0.1", "", own + "1"):
            self.assertEqual(self.post(broker, origin),
                             (403, "origin-not-allowed"), origin)
        _, out = broker.get("/metrics")
        self.assertIn(b"\nssemux_refused_origin_total 5\n", out)
        self.assertEqual(len(broker.stored()), 4)
        broker = self.broker(http__cors_origins="*")
        self.assertEqual(self.post(broker, BAD)[0], 200)

    def test_who_has_no_token_is_told_so_across_sites(self):
        broker = self.jwt_broker(
            tokens.Secret(), http__cors_origins="%s, %s" % (GOOD, ALSO))
        for headers in ((), tokens.bearer("no token")):
            for target in ("/stream?channels=a", "/stats"):
                body, _ = self.ask(broker, target, GOOD, headers=headers)
                self.assertEqual(body.status, 401)
                self.assert_allowed(body.headers, GOOD)
                body, _ = self.ask(broker, target, BAD, headers=headers)
                self.assert_silent(body.headers)
        # A preflight brings no token.
        self.assertEqual(self.preflight(
            broker, "/stream", GOOD, "GET")[0].status, 204)

    def test_a_stream_is_not_kept_back_on_its_way(self):
        broker = self.allowing()
        for headers in (self.stream_headers(broker, GOOD),
                        self.stream_headers(broker, BAD)):
            self.assertEqual(headers["content-type"], "text/event-stream")
            self.assertEqual(headers["cache-control"],
                             "no-cache, no-transform")
            self.assertEqual(headers["x-accel-buffering"], "no")
            self.assertRegex(headers["vary"], r"\bAccept\b.*\bOrigin\b")


if __name__ == "__main__":
    unittest.main()
