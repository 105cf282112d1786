"""Withdrawing: kick, revoke and restore, with live streams, and whatever is
killed meanwhile."""
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
import unittest

import msgpack_wire as wire
import sse_client
import tokens
from broker import BUILD, SCALE, BrokerCase, alive, tagged, wait_for

CONTROL = os.path.join(BUILD, "ssemuxctl")
KILLS = 6 * SCALE


def control(broker, *arguments, timeout=60):
    return subprocess.run([CONTROL, "-s", broker.socket] + list(arguments),
                          capture_output=True, text=True, timeout=timeout)


def next_second():
    """Waits until tokens say another second than they would now."""
    now = int(time.time())
    wait_for(lambda: int(time.time()) > now, "the next second")


class Revoke(BrokerCase):
    def setUp(self):
        super().setUp()
        self.key = tokens.Secret()

    def jwt(self, **settings):
        return self.jwt_broker(self.key, auth__leeway="0s", **settings)

    def token(self, user, *subscribe, **claims):
        return self.key.token(
            sub=user, ssemux={"subscribe": list(subscribe or ["*"]),
                              "publish": ["*"]}, **claims)

    def stream(self, broker, token, channels, **options):
        stream = broker.stream(channels, headers=tokens.bearer(token),
                               **options)
        self.addCleanup(stream.close)
        return stream

    def started(self, broker, token, channels, **options):
        stream = self.stream(broker, token, channels, **options)
        stream.start()
        return stream

    def told(self, broker, *arguments):
        """Runs a command that must be done; the number that it says."""
        done = control(broker, "--json", *arguments)
        self.assertEqual(done.returncode, 0, (arguments, done.stderr))
        answer = json.loads(done.stdout)
        self.assertEqual(answer["command"], arguments[0])
        self.assertEqual(answer["user"], arguments[1])
        return answer.get("streams", answer.get("revocations"))

    def refused(self, broker, token, channels):
        """Is a stream with it refused as it should be: after a revoke of
        these channels, or a kick?"""
        body, out = sse_client.fetch(
            broker.port, "/stream?live=false&channels=" + channels,
            tokens.bearer(token) + (("Accept", "text/event-stream"),))
        if body.status == 200:
            return False
        self.assertIn((body.status, json.loads(out)["code"]),
                      [(403, "channels-refused"), (401, "token-revoked")])
        return True

    def refused_everywhere(self, broker, token, channels):
        """Any worker may take a connection: asks often enough for all."""
        return all(self.refused(broker, token, channels) for _ in range(8))

    def taken_everywhere(self, broker, token, channels):
        return not any(self.refused(broker, token, channels)
                       for _ in range(8))

    # ---- what streams are told

    def test_one_channel_under_a_pattern(self):
        broker = self.jwt(broker__workers=3)
        token = self.token("u1", "org:*")
        streams = [self.started(broker, token, "org:*") for _ in range(6)]
        exact = self.started(broker, token, "org:1:a,org:1:b")
        other = self.started(broker, self.token("u2", "org:*"), "org:*")
        with broker.publisher() as publisher:
            publisher.publish("org:1:a", "before")
            for stream in streams + [exact, other]:
                self.assertEqual(stream.tagged(1)[0]["data"], "before")
            self.assertEqual(self.told(broker, "revoke", "u1", "org:1:a"), 7)
            for number in range(50):
                publisher.publish("org:1:a", "secret")
                publisher.publish("org:1:b", str(number))
        for stream in streams + [exact]:
            said = stream.control("revoked")
            self.assertEqual(said["channels"], ["org:1:a"])
            self.assertEqual(
                [(row["channel"], row["data"]) for row in stream.tagged(50)],
                [("org:1:b", str(number)) for number in range(50)])
        self.assertEqual(
            [row["channel"] for row in other.tagged(100)],
            ["org:1:a", "org:1:b"] * 50)
        # Nor does it come out of the history.
        again = self.stream(broker, token, "org:*", since="-1h")
        _, events = again.start()
        self.assertEqual({tagged(event)["channel"] for event in events},
                         {"org:1:b"})
        self.assertTrue(self.refused_everywhere(broker, token, "org:1:a"))

    def test_it_is_told_before_what_was_published_later(self):
        """Also to who has one half of an event, from the window and from the
        store, held back or not."""
        for query, window in (("", "1m"), ("", "256k"), ("&window=50", "1m"),
                              ("&conflate=50", "1m")):
            with self.subTest(query=query, window=window):
                self.check_told_behind_half_an_event(query, window)

    def check_told_behind_half_an_event(self, query, window):
        broker = self.jwt(broker__workers=1, broker__window=window,
                          http__send_buffer="4k", publish__max_event="50k")
        stream = self.started(broker, self.token("u1", "org:*"), "org:*",
                              query=query, receive_buffer=4096)
        with broker.publisher() as publisher:
            publisher.publish("org:1:b", "x" * 40000)
            wait_for(lambda: broker.metric("streams_behind") == 1,
                     "the socket to be full")
            self.assertEqual(self.told(broker, "revoke", "u1", "org:1:a"), 1)
            for number in range(10):
                publisher.publish("org:1:a", "secret")
                publisher.publish("org:1:b", str(number), key=str(number))
            # The small window is past it now.
            for _ in range(30):
                publisher.publish("org", "x" * 10000)
        names = [(event.name, tagged(event)["data"][:1])
                 if event.id else (event.name, None)
                 for event in (stream.next() for _ in range(12))]
        self.assertEqual(names, [("message", "x"), ("revoked", None)] + [
            ("message", str(number)) for number in range(10)])

    def half_written(self, channel, asked, window="1m"):
        """A stream that has one half of an event on the channel."""
        broker = self.jwt(broker__workers=1, broker__window=window,
                          http__send_buffer="4k", publish__max_event="50k",
                          **{"channel last:*.keep": "latest"})
        token = self.token("u1", "org:*", "last:*")
        in_snapshot = channel.startswith("last:")
        with broker.publisher() as publisher:
            if in_snapshot:
                publisher.publish(channel, "x" * 40000)
            stream = self.stream(broker, token, asked, receive_buffer=4096)
            name = stream.control("connected")["stream"]
            stream.control("snapshot" if in_snapshot else "live")
            if not in_snapshot:
                publisher.publish(channel, "x" * 40000)
            wait_for(lambda: broker.metric("streams_behind") == 1,
                     "the socket to be full")
        return broker, token, stream, name

    def change(self, broker, token, name, **body):
        """Changes the stream, unless it has ended."""
        status, said = sse_client.post_json(
            broker.port, "/stream/" + name, body, tokens.bearer(token))
        self.assertIn(status, (200, 404), said)

    def test_what_was_withdrawn_is_not_finished_however_a_stream_changes(self):
        """Of an event that is half written; from the window and the store."""
        for window in ("1m", "256k"):
            with self.subTest(window=window):
                broker, token, stream, name = self.half_written(
                    "org:1:a", "org:1:a,org:1:b", window)
                self.assertEqual(
                    self.told(broker, "revoke", "u1", "org:1:a"), 1)
                self.change(broker, token, name, subscribe=["org:1:c"])
                with broker.publisher() as publisher:
                    for _ in range(30):  # The small window is past it now.
                        publisher.publish("org", "x" * 10000)
                self.assertEqual(stream.rest(), [])
                self.assertEqual(stream.ended, "cut")
                self.assertEqual(broker.metric("streams_lost_total"), 1)

    def test_another_half_written_event_is_finished_nevertheless(self):
        broker, token, stream, name = self.half_written(
            "org:1:b", "org:1:a,org:1:b")
        self.assertEqual(self.told(broker, "revoke", "u1", "org:1:a"), 1)
        self.change(broker, token, name, subscribe=["org:1:c"])
        self.assertEqual(stream.tagged(1)[0]["channel"], "org:1:b")
        self.assertEqual(stream.control("revoked")["channels"], ["org:1:a"])
        self.assertEqual(stream.control("subscribed")["channels"],
                         ["org:1:c"])

    def test_nor_is_an_event_of_a_snapshot_finished(self):
        for leaves in (False, True):
            broker, token, stream, name = self.half_written(
                "last:a", "last:a,org:1:b")
            if leaves:
                self.change(broker, token, name, unsubscribe=["last:a"])
            self.assertEqual(self.told(broker, "revoke", "u1", "last:a"),
                             0 if leaves else 1)
            self.assertEqual(stream.rest(), [])
            self.assertEqual(stream.ended, "cut")

    def test_who_does_not_read_what_it_is_told_is_told_no_more(self):
        """Nothing grows by it: the stream ends, and its client comes back."""
        broker, token, stream, name = self.half_written("org:1:b", "org:*")
        channels = ["org:%d:%s" % (number, "x" * 180) for number in range(500)]
        told = 0
        with broker.publisher() as publisher:
            for number, channel in enumerate(channels, 1):
                publisher.send([wire.COMMAND, number, "revoke", "u1",
                                channel])
                told += publisher.receive()[2]
        self.assertGreater(told, 65536 // 300)
        self.assertLess(told, 65536 // 180)
        self.assertEqual(stream.rest(), [])
        self.assertEqual(broker.metric("streams"), 0)
        _, events = self.stream(broker, token, "org:*", since="-1h").start()
        self.assertEqual([tagged(each)["channel"] for each in events],
                         ["org:1:b"])

    def test_a_kick_ends_all_streams_of_the_user_and_of_no_other(self):
        broker = self.jwt(broker__workers=3)
        old = self.token("u1")
        streams = [self.started(broker, old, channels)
                   for channels in ("a", "a,b:*", "*") * 4]
        other = self.started(broker, self.token("u11"), "*")
        done = control(broker, "kick", "u1")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "12 streams told\n"))
        for stream in streams:
            self.assertTrue(stream.control("revoked")["channels"])
            self.assertIn("reason", stream.control("bye"))
            self.assertEqual(stream.rest(), [])
        with broker.publisher() as publisher:
            publisher.publish("a", "x")
        self.assertEqual(other.tagged(1)[0]["data"], "x")
        self.assertTrue(self.refused_everywhere(broker, old, "a"))
        next_second()
        self.assertTrue(self.taken_everywhere(broker, self.token("u1"), "a"))
        self.assertTrue(self.refused_everywhere(broker, old, "a"))
        done = control(broker, "kick", "u1")
        self.assertEqual(done.stdout, "0 streams told\n")

    def test_the_token_of_who_was_kicked_is_good_for_nothing(self):
        broker = self.jwt()
        broker.stop()
        broker.start({"stream /s.channels": "user:{sub}",
                      "stream /s.poke": "/poke-me"})
        token = self.key.token(sub="boss", ssemux={
            "subscribe": ["*"], "publish": ["*"], "admin": True})
        requests = (("GET", "/stream?live=false&channels=a", 200),
                    ("GET", "/s?live=false", 200), ("GET", "/stats", 200),
                    ("POST", "/publish?channel=a", 200),
                    ("POST", "/poke-me", 200))

        def ask(method, target):
            raw = sse_client.request_bytes(
                broker.port, target, tokens.bearer(token) + (
                    ("Content-Length", "0"), ("Connection", "close"),
                    ("Sec-Fetch-Site", "same-origin"),
                    ("Accept", "text/event-stream, application/json")),
                method)
            return sse_client.fetch(broker.port, "", raw=raw)
        for method, target, status in requests:
            self.assertEqual(ask(method, target)[0].status, status, target)
        self.told(broker, "revoke", "boss", "*")  # the same as a kick
        for method, target, _ in requests:
            body, out = ask(method, target)
            self.assertEqual((body.status, json.loads(out)["code"]),
                             (401, "token-revoked"), target)
            self.assertEqual(body.headers["www-authenticate"],
                             'Bearer error="invalid_token"')

    def test_a_stream_of_a_later_token_is_left_alone(self):
        broker = self.jwt()
        self.assertEqual(self.told(broker, "revoke", "u", "a:*"), 0)
        next_second()
        stream = self.started(broker, self.token("u"), "a:b")
        with broker.publisher() as publisher:
            publisher.publish("a:b", "x")
        self.assertEqual(stream.tagged(1)[0]["data"], "x")

    def test_a_token_that_does_not_say_when_stays_refused(self):
        broker = self.jwt()
        token = self.token("u", iat=None)
        self.assertTrue(self.taken_everywhere(broker, token, "a"))
        self.told(broker, "kick", "u")
        next_second()
        self.assertTrue(self.refused_everywhere(
            broker, self.token("u", iat=None), "a"))

    def test_what_is_restored_can_be_had_again(self):
        broker = self.jwt()
        token = self.token("u")
        self.told(broker, "revoke", "u", "a:b")
        self.told(broker, "revoke", "u", "c:*")
        self.assertTrue(self.refused_everywhere(broker, token, "a:b"))
        self.assertEqual(self.told(broker, "restore", "u", "a:b"), 1)
        self.assertTrue(self.taken_everywhere(broker, token, "a:b"))
        self.assertTrue(self.refused_everywhere(broker, token, "c:d"))
        done = control(broker, "restore", "u")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "1 revocation taken back\n"))
        self.assertTrue(self.taken_everywhere(broker, token, "c:d"))
        self.assertEqual(self.told(broker, "restore", "u"), 0)

    def test_users_may_have_any_name(self):
        broker = self.jwt()
        for user in ("\u00e4 '\"; %s \\", "x" * 256, "\U0001f600"):
            token = self.token(user)
            stream = self.started(broker, token, "a")
            self.assertEqual(self.told(broker, "kick", user), 1)
            stream.control("revoked")
            self.assertTrue(self.refused_everywhere(broker, token, "a"))
            self.assertEqual(self.told(broker, "restore", user), 1)

    def test_what_is_revoked_cannot_be_published_to_over_http(self):
        broker = self.jwt()
        token = self.token("u")
        self.told(broker, "revoke", "u", "a:*")
        for channel, status in (("a:b", 403), ("b", 200)):
            body, out = sse_client.post(
                broker.port, "/publish?channel=" + channel, b"x",
                tokens.bearer(token) + (("Content-Type", "text/plain"),))
            self.assertEqual(body.status, status, out)
        self.assertEqual([row[1] for row in broker.stored()], ["b"])

    # ---- bounds

    def test_no_more_are_kept_than_allowed_and_it_is_said(self):
        broker = self.jwt(auth__max_revocations=3)
        for number in range(3):
            self.told(broker, "kick", "u%d" % number)
        done = control(broker, "kick", "u3")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("no more revocations", done.stderr)
        self.assertTrue(self.taken_everywhere(broker, self.token("u3"), "a"))
        self.told(broker, "kick", "u1")  # takes no room
        self.told(broker, "restore", "u1")

    def test_many_commands_at_once_are_all_answered(self):
        broker = self.jwt()
        with broker.publisher() as publisher:
            count = 500
            publisher.send_bytes(b"".join(
                wire.pack([wire.COMMAND, number, "kick", "u%d" % number, None])
                for number in range(1, count + 1)))
            for number in range(1, count + 1):
                self.assertEqual(publisher.receive(),
                                 [wire.DONE, number, 0, 0])
        self.assertTrue(self.refused_everywhere(
            broker, self.token("u500"), "a"))

    def test_more_than_a_step_reads_hold_in_a_new_worker(self):
        broker = self.jwt()
        with broker.publisher() as publisher:
            for number in range(1, 1001):
                publisher.send([wire.COMMAND, number, "kick",
                                "u%d" % number, None])
                publisher.receive()
        for pid in broker.workers():
            broker.kill_worker(pid)
        broker.workers()
        for number in (1, 256, 257, 512, 999, 1000):
            self.assertTrue(self.refused_everywhere(
                broker, self.token("u%d" % number, iat=None), "a"))

    def test_a_stuck_worker_is_not_waited_for_for_ever(self):
        broker = self.jwt(broker__workers=1)
        token = self.token("u")
        stream = self.started(broker, token, "a")
        worker = broker.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        try:
            done = control(broker, "kick", "u")
            self.assertEqual(done.returncode, 75, done.stderr)
            self.assertIn("stored", done.stderr)
            with broker.publisher() as publisher:
                publisher.publish("a", "secret")
        finally:
            os.kill(worker, signal.SIGCONT)
        # It takes hold before anything else is handed out.
        stream.control("revoked")
        stream.control("bye")
        self.assertEqual(stream.rest(), [])
        self.assertTrue(self.refused_everywhere(broker, token, "a"))

    # ---- whatever is killed

    def test_it_survives_restarts_and_kills(self):
        broker = self.jwt(broker__workers=2)
        kicked, cut = self.token("kicked"), self.token("cut")
        back = self.token("back")
        for arguments in (["kick", "kicked"], ["revoke", "cut", "a:*"],
                          ["kick", "back"], ["restore", "back"]):
            self.told(broker, *arguments)

        def holds():
            self.assertTrue(self.refused_everywhere(broker, kicked, "x"))
            self.assertTrue(self.refused_everywhere(broker, cut, "a:b"))
            self.assertTrue(self.taken_everywhere(broker, cut, "x"))
            self.assertTrue(self.taken_everywhere(broker, back, "x"))
        holds()
        broker.kill_hub()
        holds()
        self.told(broker, "revoke", "cut", "a:*")  # by the next hub
        for pid in broker.workers():
            broker.kill_worker(pid)
        broker.workers()
        wait_for(lambda: self.serves(broker), "a worker that serves")
        holds()
        broker.kill()
        broker.start()
        holds()
        self.assertEqual(broker.stop(), 0)
        broker.start()
        holds()

    def test_a_new_hub_shows_what_the_old_one_only_stored(self):
        broker = self.jwt()
        token = self.token("u")
        stream = self.started(broker, token, "a")
        hub = broker.hub()
        os.kill(broker.pid, signal.SIGSTOP)  # no other hub for now
        try:
            os.kill(hub, signal.SIGKILL)
            wait_for(lambda: not alive(hub), "the hub's death")
            base = sqlite3.connect(broker.database)
            with base:
                base.execute("INSERT INTO revocation"
                             " (user, pattern, at_ms, restores)"
                             " VALUES ('u', '*', ?, 0)",
                             (int(time.time() * 1000),))
            base.close()
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        stream.control("revoked")
        stream.control("bye")
        self.assertTrue(self.refused_everywhere(broker, token, "a"))

    def serves(self, broker):
        try:
            return sse_client.fetch(broker.port, "/healthz")[0].status == 200
        except (ConnectionError, AssertionError):
            return False

    def test_what_was_told_is_never_forgotten_whoever_is_killed(self):
        broker = self.jwt(broker__workers=2)
        rng = random.Random(5)
        told, over = [], threading.Event()

        def withdraw():
            number = 0
            while not over.is_set():
                user = "u%d" % number
                number += 1
                done = control(broker, "--timeout", "20", "kick", user)
                if done.returncode == 0:
                    told.append(user)
        thread = threading.Thread(target=withdraw)
        thread.start()
        try:
            for _ in range(KILLS):
                before = len(told)
                wait_for(lambda: len(told) >= before + rng.randint(1, 10),
                         "more that are told")
                victims = [broker.hub()] + broker.workers()
                victim = rng.choice(victims)
                os.kill(victim, signal.SIGKILL)
                wait_for(lambda: not alive(victim), "its death")
        finally:
            over.set()
            thread.join()
        broker.hub()
        broker.workers()
        wait_for(lambda: self.serves(broker), "a worker that serves")
        base = sqlite3.connect("file:%s?mode=ro" % broker.database, uri=True)
        stored = {row[0] for row in
                  base.execute("SELECT user FROM revocation")}
        base.close()
        self.assertEqual(set(told) - stored, set())
        for user in told:
            self.assertTrue(self.refused(
                broker, self.token(user, iat=None), "a"), user)

    def test_nothing_is_handed_out_behind_a_kick_whoever_is_killed(self):
        broker = self.jwt(broker__workers=2)
        rng = random.Random(6)
        for number in range(KILLS):
            user = "u%d" % number
            token = self.token(user)
            streams = [self.started(broker, token, "a") for _ in range(4)]
            victim = rng.choice([broker.hub()] + broker.workers())
            killer = threading.Timer(rng.uniform(0, 0.01), os.kill,
                                     (victim, signal.SIGKILL))
            killer.start()
            done = control(broker, "--timeout", "20", "kick", user)
            self.assertEqual(done.returncode, 0, done.stderr)
            broker.pub("a", "secret %d" % number)
            for stream in streams:  # each ends: it was kicked, or cut
                self.assertLessEqual({event.name for event in stream.rest()},
                                     {"revoked", "bye"})
                stream.close()
            killer.join()
            wait_for(lambda: not alive(victim), "its death")
            broker.hub()
            broker.workers()
            wait_for(lambda: self.serves(broker), "a worker that serves")


if __name__ == "__main__":
    unittest.main()
