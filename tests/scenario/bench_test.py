"""Bench: the load generator counts what came, and what did not, exactly."""
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import zlib
from xml.etree import ElementTree

from broker import (BUILD, TOP, BrokerCase, die_with_test, free_port,
                    wait_for)

SUBSCRIBERS = 20
HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n%s\r\n")
MARK = b"\xef\xbb\xbf"  # of the order of bytes


class Unfaithful:
    """A server that loses event 3, doubles 5, and swaps 7 and 8; in lines of
    every kind, its bytes split anywhere."""

    ENDS = (b"\n", b"\r", b"\r\n")

    def __init__(self, gzip=False):
        self.gzip = gzip
        self.members = []
        self.held = b""
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                sock = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.talk, args=(sock,),
                             daemon=True).start()

    def talk(self, sock):
        with sock, sock.makefile("rb") as file:
            while True:
                head = b"".join(iter(file.readline, b"\r\n"))
                if not head:
                    return
                if head.startswith(b"GET"):
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.begin(sock)
                    continue
                length = re.search(rb"Content-Length: (\d+)", head)
                self.publish(file.read(int(length.group(1))))
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def begin(self, sock):
        packer = zlib.compressobj(9, zlib.DEFLATED, 31) if self.gzip else None
        sock.sendall(HEAD % (b"Content-Encoding: gzip\r\n" if packer else b""))
        self.members.append((sock, packer))
        self.send_one(sock, packer, MARK, 1)

    def publish(self, data):
        number = int(data.split(b"@")[1].split()[1])
        end = self.ENDS[number % 3]
        # Two lines of data are one event.
        event = end.join([b": a comment", b"id: %d" % number,
                          b"event:update", b"data:" + data, b"data: " + data,
                          b"", b""])
        if number == 7:
            self.held = event
        elif number == 8:
            self.send(event, number)
            self.send(self.held, number)
        elif number != 3:
            for _ in range(2 if number == 5 else 1):
                self.send(event, number)

    def send(self, event, number):
        for sock, packer in list(self.members):
            self.send_one(sock, packer, event, number)

    def send_one(self, sock, packer, data, number):
        """In chunks and segments of so many bytes."""
        if packer is not None:
            data = packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
        wire = b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                        for part in pieces(data, number + 6))
        for part in pieces(wire, 20 * number + 1):
            sock.sendall(part)


def pieces(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


class BenchTest(BrokerCase):
    def crowd(self, *arguments):
        process = subprocess.Popen(
            [os.path.join(BUILD, "crowd"), "-n", str(SUBSCRIBERS), "-p", "2"] +
            list(arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, preexec_fn=die_with_test)
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        self.assertTrue(process.stdout.readline(), "the crowd did not start")
        return process

    def do(self, process, command):
        process.stdin.write(command + "\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline())

    def assert_counts(self, row, events, readers=SUBSCRIBERS, **faults):
        wanted = dict({"missing": 0, "doubled": 0, "swapped": 0, "strays": 0},
                      events=events, expected=events * readers,
                      deliveries=events * readers, **faults)
        self.assertEqual({name: row[name] for name in wanted}, wanted)
        self.assertGreaterEqual(row["max_us"], row["p50_us"])
        self.assertGreater(row["p50_us"], 0)

    def test_what_is_lost_doubled_or_swapped_is_noticed(self):
        for gzip, options in ((False, []), (True, []), (True, ["-j"])):
            with self.subTest(gzip=gzip, options=options):
                self.notices(Unfaithful(gzip), options)

    def notices(self, server, options):
        self.addCleanup(server.listener.close)
        url = "http://127.0.0.1:%d/" % server.port
        crowd = self.crowd("-u", url, "-P", url, "-g", "2", *options)
        row = self.do(crowd, "burst 10")
        self.assertEqual(
            {name: row[name] for name in ("events", "deliveries", "missing",
                                          "doubled", "swapped", "strays")},
            {"events": 10, "deliveries": 9 * SUBSCRIBERS,
             "missing": SUBSCRIBERS, "doubled": SUBSCRIBERS,
             "swapped": SUBSCRIBERS, "strays": 0})
        # What was lost is not counted again.
        self.assert_counts(self.do(crowd, "burst 10"), 10)

    def test_the_floor_delivers_all(self):
        port = free_port()
        with tempfile.TemporaryDirectory() as folder:
            door = os.path.join(folder, "door")
            floor = subprocess.Popen(
                [os.path.join(BUILD, "floor"), str(port), door, "2", "8"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                preexec_fn=die_with_test)
            self.addCleanup(floor.communicate)
            self.addCleanup(floor.kill)
            self.assertEqual(len(floor.stdout.readline().split()), 2)
            crowd = self.crowd("-u", "http://127.0.0.1:%d/" % port,
                               "-P", "floor:%s,2" % door)
            self.assert_counts(self.do(crowd, "burst 100"), 100)
            self.assert_counts(self.do(crowd, "steady 10 60"), 10)

    def test_the_broker_delivers_all_in_every_way(self):
        broker = self.broker()
        crowd = self.crowd(
            "-l", "-c", "40", "-k", "4", "-u", "http://127.0.0.1:%d"
            "/stream?format=raw&channels=%%s" % broker.port,
            "-P", "ssemux:" + broker.socket)
        for command, events in (("burst 200", 200), ("steady 20 60", 20),
                                ("paced 100 0.2", 20)):
            with self.subTest(command):
                self.assert_counts(self.do(crowd, command), events, 2)
        row = self.do(crowd, "nobody 10")
        self.assertEqual((row["deliveries"], row["strays"]), (0, 0))
        wait_for(lambda: len(broker.stored()) == 250)
        # Who comes later has what was before.
        late = self.crowd(
            "-b", "5", "-c", "40", "-k", "4", "-u", "http://127.0.0.1:%d"
            "/stream?since=0-0&channels=%%s" % broker.port)
        for each in (late, crowd):
            each.kill()
            each.wait()

    def test_the_bench_prints_ratios_and_draws(self):
        with tempfile.TemporaryDirectory() as folder:
            out = subprocess.run(
                [sys.executable, os.path.join(TOP, "tests/bench/fanout.py"),
                 "--subscribers", "20", "--rounds", "1", "--seconds",
                 "0.1", "--charts", folder], check=True, text=True,
                capture_output=True, timeout=120,
                preexec_fn=die_with_test).stdout
            chart = ElementTree.parse(os.path.join(folder, "fanout.svg"))
        ratios = json.loads(out.splitlines()[-1])["ratios"]
        self.assertGreater(
            ratios["rare events: CPU per delivery / floor at 20"], 0)
        self.assertEqual(ratios["missing, doubled or out of order at 20"], 0)
        self.assertIn("paced, 20", [each.text for each in chart.iter()])


if __name__ == "__main__":
    unittest.main()
