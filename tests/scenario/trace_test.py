"""ssemuxctl trace and explain: who got an event, and why others did not."""
import json
import os
import signal
import subprocess
import unittest

import sse_client
import tokens
from broker import BUILD, BrokerCase, wait_for

CONTROL = os.path.join(BUILD, "ssemuxctl")
ME = "127.0.0.1"  # the user of streams without a token


class Trace(BrokerCase):
    SLOW = {"http__send_buffer": "64k", "publish__max_event": "32k",
            "broker__window": "256k", "broker__ring": "256k"}

    def control(self, broker, *arguments):
        return subprocess.run(
            [CONTROL, "-s", broker.socket] + list(arguments),
            capture_output=True, text=True, timeout=60, check=False)

    def ask(self, broker, *arguments, status=0):
        """The answer as JSON, which the plain lines must agree with."""
        def answered():
            """A worker that has just begun may have no link yet."""
            done = self.control(broker, "--json", *arguments)
            self.assertEqual(done.returncode, 0, done.stderr)
            found = json.loads(done.stdout)
            return found if found["late"] == [] else None
        answer = wait_for(answered, "all workers' answers")
        plain = self.control(broker, *arguments)
        self.assertEqual(plain.returncode, status, plain.stderr)
        lines = [line.split("\t") for line in plain.stdout.splitlines()]
        self.assertIn(["cursor", arguments[-1]], lines)
        rows = sorted(line[1:8] for line in lines if line[0] == "stream")
        if status == 0:
            self.assertEqual([row[1] for row in rows], sorted(
                row["stream"] for row in answer["rows"]) if not rows else
                [row[1] for row in rows])
            self.assertEqual(len(rows), len(answer["rows"]))
        self.assertEqual(sum(answer["counts"].values()), answer["streams"])
        return answer

    def verdicts(self, broker, *arguments, status=0):
        """{stream: verdict}, "?" behind those that are probable."""
        answer = self.ask(broker, *arguments, status=status)
        return {row["stream"]: row["verdict"] + "?" * (not row["certain"])
                for row in answer["rows"]}

    def open(self, broker, channels, **options):
        """A stream that is live, and its id."""
        stream = broker.stream(channels, **options)
        self.addCleanup(stream.close)
        return stream, stream.start()[0]["stream"]

    def publish(self, broker, *arguments):
        """The cursor of an event."""
        return broker.pub("-i", *arguments).strip()

    def change(self, broker, stream, headers=(), **body):
        status, said = sse_client.post_json(
            broker.port, "/stream/" + stream, body, headers)
        self.assertEqual(status, 200, said)

    def stall(self, broker, channels):
        """A stream whose socket is full; its id."""
        stream, name = self.open(broker, channels + ",fill",
                                 receive_buffer=4096)

        def full():
            cursor = self.publish(broker, "fill", "x" * 30000)
            return self.verdicts(broker, "explain", ME, cursor)[name] == \
                "lagging"
        wait_for(full, "a full socket")
        return stream, name

    def test_who_got_it_and_why_others_did_not(self):
        broker = self.broker(broker__workers=3, **self.SLOW)
        got = [self.open(broker, each)[1] for each in ("a:b", "a:*", "*")]
        typed = self.open(broker, "a:b", query="&types=none.*")[1]
        keyed = self.open(broker, "a:b", query="&keys=other")[1]
        other = self.open(broker, "a:c")[1]
        slow, lagging = self.stall(broker, "a:b")
        cursor = self.publish(broker, "-t", "t", "-k", "k", "a:b", "data")
        late = self.open(broker, "a:b")[1]
        early = self.open(broker, "a:b", since="-1m")[1]
        expected = dict.fromkeys(got, "written")
        expected.update({typed: "filtered", keyed: "filtered",
                         lagging: "lagging", late: "began-after",
                         early: "written"})
        self.assertEqual(self.verdicts(broker, "trace", cursor), expected)
        expected[other] = "not-subscribed"
        self.assertEqual(self.verdicts(broker, "explain", ME, cursor),
                         expected)
        answer = self.ask(broker, "trace", cursor)
        self.assertEqual(answer["event"], {
            "channel": "a:b", "type": "t", "key": "k", "resync": False,
            "bytes": 4, "stored": True})
        self.assertEqual(answer["counts"]["not-subscribed"], 1)
        self.assertEqual(answer["late"], [])
        row = [each for each in answer["rows"] if each["stream"] == lagging][0]
        self.assertGreaterEqual(row["behindMs"], 0)
        self.assertEqual((row["user"], row["address"]), (ME, ME))

        def read():
            while slow.fill(0):
                pass
            return self.verdicts(broker, "trace", cursor)[lagging] == \
                "written"
        wait_for(read, "a reader that got it")
        self.assertEqual(self.verdicts(broker, "explain", "nobody", cursor),
                         {})

    def test_streams_that_ended_are_remembered(self):
        broker = self.broker(broker__workers=2, **self.SLOW)
        stream, name = self.open(broker, "a")
        filtered, uncertain = self.open(broker, "a", query="&types=t")
        slow, behind = self.stall(broker, "a")
        cursor = self.publish(broker, "-t", "t", "a", "data")
        for each in (stream, filtered):
            self.assertEqual(each.next().id, cursor)
        for each in (stream, filtered, slow):
            each.close()
        wait_for(lambda: broker.stats()["totalConnections"] == 0, "the ends")
        after = self.publish(broker, "a", "data")
        self.assertEqual(self.verdicts(broker, "trace", cursor),
                         {name: "written", uncertain: "written?",
                          behind: "ended-before"})
        self.assertEqual(set(self.verdicts(broker, "trace", after).values()),
                         {"ended-before"})
        row = [each for each in self.ask(broker, "trace", cursor)["rows"]
               if each["stream"] == name][0]
        self.assertEqual(row["reason"], "client")
        self.assertRegex(row["ended"], r"^20\d\d-\d\d-\d\dT")

    def test_no_more_ended_streams_are_remembered_than_it_says(self):
        broker = self.broker(broker__workers=1)
        cursor = self.publish(broker, "a", "data")
        first = self.ask(broker, "trace", cursor)["remembered"]
        for _ in range(1030):
            sse_client.fetch(broker.port, "/stream?channels=a&live=false",
                             (("Accept", "text/event-stream"),))
        cursor = self.publish(broker, "a", "data")
        answer = self.ask(broker, "trace", cursor)
        self.assertEqual(answer["streams"], 1024)
        self.assertEqual(len(answer["rows"]), 1000)
        self.assertEqual(answer["rows"][0]["reason"], "end")
        self.assertGreater(answer["remembered"], first)

    def test_what_was_changed_since_makes_it_probable(self):
        broker = self.broker()
        left = self.open(broker, "a,b")[1]
        renewed = self.open(broker, "a", query="&types=t")[1]
        added = self.open(broker, "b")[1]
        cursor = self.publish(broker, "-t", "t", "a", "data")
        self.assertEqual(
            self.verdicts(broker, "explain", ME, cursor),
            {left: "written", renewed: "written", added: "not-subscribed"})
        self.change(broker, left, unsubscribe=["a"])
        self.change(broker, renewed, types=["u"])
        self.change(broker, added, subscribe=["a"])
        after = self.publish(broker, "-t", "t", "a", "data")
        expected = {left: "not-subscribed", renewed: "filtered",
                    added: "written"}
        self.assertEqual(self.verdicts(broker, "explain", ME, after), expected)
        self.assertEqual(
            self.verdicts(broker, "explain", ME, cursor),
            {left: "not-subscribed?", renewed: "filtered?",
             added: "began-after"})
        # And one that begins in the past has what was before it.
        self.change(broker, added, unsubscribe=["a"])
        self.change(broker, added, subscribe=["a"], since="-1m")
        wait_for(lambda: self.verdicts(broker, "explain", ME, cursor)[
            added].startswith("written"), "the back-fill")

    def test_what_is_let_go_before_a_stream_comes_there_is_said(self):
        broker = self.broker(broker__workers=1, history__max_events=3,
                             **self.SLOW)
        name = self.stall(broker, "a")[1]
        for _ in range(12):  # the stream falls out of the window
            self.publish(broker, "fill", "x" * 30000)
        cursor = self.publish(broker, "a", "data")
        for _ in range(4):
            self.publish(broker, "b", "data")
        wait_for(lambda: "a" not in [row[1] for row in broker.stored()],
                 "the trimming")
        answer = self.ask(broker, "trace", cursor)
        self.assertFalse(answer["event"]["stored"])
        self.assertEqual([row["verdict"] for row in answer["rows"]
                          if row["stream"] == name], ["history-gone"])
        for _ in range(12):  # and the event
            self.publish(broker, "fill", "x" * 30000)
        gone = self.control(broker, "trace", cursor)
        self.assertEqual(gone.returncode, 69)
        self.assertIn("no event of this cursor is kept", gone.stderr)
        self.assertIn("state\tgone\n", gone.stdout)
        self.assertEqual(
            self.verdicts(broker, "explain", ME, cursor, status=69),
            {name: "unknown"})

    def test_what_was_withdrawn_is_not_granted(self):
        key = tokens.Secret()
        broker = self.jwt_broker(key)
        names, streams = {}, {}
        for user, channels in (("u1", "a:b,c"), ("u2", "*"), ("u3", "c")):
            token = key.token(sub=user, ssemux={"subscribe": ["*"]})
            streams[user], names[user] = self.open(
                broker, channels, headers=tokens.bearer(token))
        before = self.publish(broker, "a:b", "data")
        for user in ("u1", "u2"):
            self.assertEqual(streams[user].next().id, before)
        for user in ("u1", "u2"):
            done = self.control(broker, "revoke", user, "a:*")
            self.assertEqual(done.stdout, "1 stream told\n")
        cursor = self.publish(broker, "a:b", "data")
        for user, now, then in (("u1", "not-granted", "not-granted?"),
                                ("u2", "not-granted", "not-granted?"),
                                ("u3", "not-subscribed", "not-subscribed")):
            self.assertEqual(self.verdicts(broker, "explain", user, cursor),
                             {names[user]: now})
            self.assertEqual(self.verdicts(broker, "explain", user, before),
                             {names[user]: then})

    def test_what_is_passed_over_is_conflated(self):
        broker = self.broker(broker__workers=1)
        stream, name = self.open(broker, "a", query="&conflate=500")
        lines = "".join('{"data":%d,"key":"k"}\n' % n for n in range(5))

        def passed_over():
            cursors = broker.pub("-i", "-j", "a", data=lines).split()
            got = [stream.next().id]
            while got[-1] != cursors[-1]:
                got.append(stream.next().id)
            for cursor in cursors:
                self.assertEqual(
                    self.verdicts(broker, "explain", ME, cursor),
                    {name: "written" if cursor in got else "conflated"})
            return len(got) < len(cursors)
        wait_for(passed_over, "an event that is passed over")

    def test_what_came_in_a_snapshot_is_written(self):
        broker = self.broker(start=False)
        broker.config = os.path.join(broker.folder, "conf")
        with open(broker.config, "w", encoding="ascii") as file:
            file.write("[channel last:*]\nkeep = latest\n")
        broker.start()
        old = self.publish(broker, "-k", "k", "last:a", "old")
        cursor = self.publish(broker, "-k", "k", "last:a", "new")
        other = self.publish(broker, "-k", "k", "a", "new")
        stream = broker.stream("last:a,a")
        self.addCleanup(stream.close)
        name = stream.control("connected")["stream"]
        wait_for(lambda: self.verdicts(broker, "explain", ME, cursor) ==
                 {name: "written"}, "the snapshot")
        self.assertEqual(self.verdicts(broker, "explain", ME, other),
                         {name: "began-after"})
        wait_for(lambda: not self.ask(broker, "trace", old)["event"]["stored"],
                 "the trimming")
        self.assertEqual(self.verdicts(broker, "explain", ME, old),
                         {name: "began-after?"})

    def test_workers_that_are_stuck_or_die_are_named(self):
        broker = self.broker(broker__workers=3)
        names = [self.open(broker, "a")[1] for _ in range(9)]
        cursor = self.publish(broker, "a", "data")
        rows = self.ask(broker, "trace", cursor)["rows"]
        self.assertEqual({row["stream"] for row in rows}, set(names))
        worker = broker.workers()[1]
        os.kill(worker, signal.SIGSTOP)
        try:
            done = self.control(broker, "--json", "trace", cursor)
            answer = json.loads(done.stdout)
            self.assertEqual(answer["late"], [2])
            self.assertEqual(
                {row["stream"] for row in answer["rows"]},
                {row["stream"] for row in rows if row["worker"] != 2})
            asking = subprocess.Popen(
                [CONTROL, "-s", broker.socket, "trace", cursor],
                stdout=subprocess.PIPE, text=True)
            wait_for(lambda: broker.stats, "a moment")
        finally:
            broker.kill_worker(worker)
        said = asking.communicate(timeout=60)[0]
        self.assertEqual(asking.returncode, 0)
        self.assertEqual(said.count("stream\t"),
                         sum(row["worker"] != 2 for row in rows))
        broker.workers()
        wait_for(lambda: self.ask(broker, "trace", cursor)["late"] == [],
                 "the next worker")
        self.assertEqual(len(self.ask(broker, "trace", cursor)["rows"]),
                         sum(row["worker"] != 2 for row in rows))

    def test_what_cannot_be_asked_is_refused(self):
        broker = self.broker()
        cursor = self.publish(broker, "a", "data")
        for arguments, status in ((("trace",), 64), (("explain", ME), 64),
                                  (("trace", "x"), 65), (("trace", ""), 65),
                                  (("trace", "9999999999999-0"), 65),
                                  (("explain", "", cursor), 65),
                                  (("trace", "1-0"), 69)):
            done = self.control(broker, *arguments)
            self.assertEqual(done.returncode, status, arguments)
            self.assertNotEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
