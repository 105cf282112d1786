"""Draining: streams are let go spread over a time, or at once; by a signal and
by ssemuxctl."""
import json
import os
import re
import signal
import subprocess
import unittest

import msgpack_wire as wire
from broker import BUILD, BrokerCase, Broker, wait_for
from sse_client import Crowd

STREAM = (("Accept", "text/event-stream"),)
BYE = re.compile(rb'^event: bye\nretry: [1-9]\d*\ndata: {"reason":"drain"}$|'
                 rb'^retry: [1-9]\d*\nevent: bye\ndata: {"reason":"drain"}$|'
                 rb'^event: bye\ndata: {"reason":"drain"}\nretry: [1-9]\d*$')


class DrainCase(BrokerCase):
    def drain(self, broker):
        broker.process.send_signal(signal.SIGTERM)
        wait_for(lambda: "draining" in broker.log(), "the drain")

    def has_ended(self, broker, seconds=60):
        self.assertEqual(broker.process.wait(seconds), 0)
        broker.process = None

    def ctl(self, broker, *arguments):
        return subprocess.run(
            [os.path.join(BUILD, "ssemuxctl"), "-s", broker.socket] +
            list(arguments), capture_output=True, text=True, timeout=60)

    def was_told(self, member):
        """Its last words were one "bye", with the delay."""
        byes = [block for block in member.controls
                if block.startswith((b"event: bye", b"retry: ")) and
                b"bye" in block]
        self.assertEqual(len(byes), 1, member.controls)
        self.assertRegex(byes[0], BYE)
        self.assertEqual(member.held, b"")


class SpreadTest(DrainCase):
    def test_streams_end_one_after_the_other_and_each_is_told(self):
        broker = self.broker(broker__drain_spread="2s",
                             broker__drain_timeout="60s")
        with Crowd(broker.port) as crowd, broker.publisher() as publisher:
            for _ in range(500):
                crowd.add("c")
            crowd.until(lambda: all(each.live for each in crowd.members))
            cursors = [wire.cursor_text(publisher.publish("c", "before"))]
            self.drain(broker)
            # Who is not let go yet goes on: what is published comes.
            while not all(member.ended for member in crowd.members):
                left = [each for each in crowd.members if not each.ended]
                if len(left) > 20:
                    cursor = wire.cursor_text(publisher.publish("c", "more"))
                    cursors.append(cursor)
                    crowd.until(lambda: any(
                        each.ended or each.cursors[-1:] == [cursor]
                        for each in left))
                crowd.turn(0.05)
            counts = [len(member.cursors) for member in crowd.members]
            for member in crowd.members:
                self.assertEqual(member.cursors,
                                 cursors[:len(member.cursors)])
                self.was_told(member)
            # Spread: no moment saw most of them go.
            most = max(counts.count(count) for count in set(counts))
            self.assertLess(most, 250, counts)
            self.assertGreater(len(set(counts)), 4)
        self.has_ended(broker)

    def test_new_requests_are_refused_meanwhile(self):
        broker = self.broker(broker__workers=1, broker__drain_spread="1000s",
                             broker__drain_timeout="2000s")
        with broker.stream("a") as stream, \
                broker.stream("a") as other:
            stream.start()
            other.start()
            self.drain(broker)
            wait_for(lambda: broker.get("/readyz")[0].status == 503,
                     "not being ready")
            self.assertEqual(json.loads(broker.get("/readyz")[1])["code"],
                             "not-ready")
            self.assertEqual(broker.get("/healthz")[0].status, 200)
            body, out = broker.get("/stream?channels=a")
            self.assertEqual((body.status, json.loads(out)["code"]),
                             (503, "drain"))
            self.assertIn("retry-after", body.headers)
            with broker.stream("a") as refused:
                self.assertEqual(refused.control("bye"), {"reason": "drain"})
            with broker.publisher() as publisher:
                publisher.publish("a", "still")
            self.assertEqual(stream.tagged(1)[0]["data"], "still")
            self.assertEqual(other.tagged(1)[0]["data"], "still")
            broker.process.send_signal(signal.SIGTERM)
            for each in (stream, other):
                self.assertEqual(each.control("bye"), {"reason": "drain"})
                self.assertEqual(each.rest(), [])
        self.has_ended(broker)

    def test_a_second_signal_hastens_and_all_are_still_told(self):
        broker = self.broker(broker__drain_spread="1000s",
                             broker__drain_timeout="2000s")
        with Crowd(broker.port) as crowd, broker.publisher() as publisher:
            for _ in range(100):
                crowd.add("c")
            crowd.until(lambda: all(each.live for each in crowd.members))
            self.drain(broker)
            cursor = wire.cursor_text(publisher.publish("c", "one"))
            crowd.until(lambda: sum(each.cursors == [cursor]
                                    for each in crowd.members) > 90)
            broker.process.send_signal(signal.SIGTERM)
            crowd.until(lambda: all(each.ended for each in crowd.members))
            for member in crowd.members:
                self.was_told(member)
        self.has_ended(broker)

    def test_a_worker_that_is_stuck_is_ended_in_the_end(self):
        for spread, signals in (("1000s", 3), ("0s", 2)):
            broker = self.broker(broker__workers=1,
                                 broker__drain_spread=spread,
                                 broker__drain_timeout="2000s")
            with broker.stream("a") as stream:
                stream.start()
                os.kill(broker.workers()[0], signal.SIGSTOP)
                self.drain(broker)
                for _ in range(signals - 1):
                    self.assertIsNone(broker.process.poll())
                    lines = broker.log().count("\n")
                    broker.process.send_signal(signal.SIGTERM)
                    wait_for(lambda before=lines:
                             broker.log().count("\n") > before, "a word")
                self.has_ended(broker)

    def test_who_did_not_read_is_let_go_too(self):
        broker = self.broker(broker__workers=1, broker__drain_spread="500ms",
                             broker__drain_timeout="60s",
                             http__send_buffer="4k")
        with Crowd(broker.port) as crowd, broker.publisher() as publisher:
            members = [crowd.add("c") for _ in range(50)]
            crowd.until(lambda: all(each.live for each in members))
            for member in members[:40]:
                member.pause()
            publisher.publish_many(("c", "x" * 1000) for _ in range(3000))
            broker.process.send_signal(signal.SIGTERM)
            crowd.until(lambda: all(each.ended for each in members[40:]))
        self.has_ended(broker)

    def test_the_spread_must_fit_into_the_drain(self):
        for spread, timeout, code in (("10s", "10s", 78), ("9s", "10s", 0),
                                      ("0s", "0s", 0)):
            broker = Broker({"broker.drain_spread": spread,
                             "broker.drain_timeout": timeout})
            self.addCleanup(broker.cleanup)
            done = subprocess.run(broker.command() + ["-t"], text=True,
                                  capture_output=True)
            self.assertEqual(done.returncode, code, done.stderr)


class CommandTest(DrainCase):
    def test_ssemuxctl_drains_the_broker(self):
        for arguments, said in (
                ((), "draining, with 3 streams\n"),
                (("--json",), '{"command":"drain","streams":3}\n')):
            broker = self.broker()
            with Crowd(broker.port) as crowd:
                members = [crowd.add("c") for _ in range(3)]
                crowd.until(lambda: all(each.live for each in members))
                done = self.ctl(broker, "drain", *arguments)
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (0, said, ""))
                crowd.until(lambda: all(each.ended for each in members))
                for member in members:
                    self.was_told(member)
            self.has_ended(broker)
            self.assertIn("hub: info: told to drain by a publisher",
                          broker.log())
            # Nobody is there any more, and the next one is not asked.
            done = self.ctl(broker, "--timeout", "1", "drain")
            self.assertEqual(done.returncode, 69, done.stderr)

    def test_asking_twice_ends_nothing_by_force(self):
        broker = self.broker(broker__drain_spread="1000s",
                             broker__drain_timeout="2000s")
        with broker.stream("a") as stream:
            stream.start()
            for _ in range(3):
                done = self.ctl(broker, "drain")
                self.assertEqual(done.returncode, 0, done.stderr)
            with broker.publisher() as publisher:
                publisher.publish("a", "still")
            self.assertEqual(stream.tagged(1)[0]["data"], "still")
            broker.process.send_signal(signal.SIGTERM)
            self.assertEqual(stream.control("bye"), {"reason": "drain"})
        self.has_ended(broker)

    def test_a_wrong_command_line_is_told(self):
        broker = self.broker()
        self.assertEqual(self.ctl(broker, "drain", "now").returncode, 64)
        self.assertEqual(broker.get("/readyz")[0].status, 200)


if __name__ == "__main__":
    unittest.main()
