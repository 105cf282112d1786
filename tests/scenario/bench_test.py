"""Bench: the load generator counts what came, and what did not, exactly."""
import contextlib
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import zlib
from xml.etree import ElementTree

import zstd
from broker import (BUILD, TOP, BrokerCase, die_with_test, free_port,
                    read_text, wait_for)

sys.path.insert(0, os.path.join(TOP, "tests/bench"))
import bench  # noqa: E402

SUBSCRIBERS = 20
HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
        b"Transfer-Encoding: chunked\r\n%s\r\n")
MARK = b"\xef\xbb\xbf"  # of the order of bytes


class GzipPacker:
    def __init__(self):
        self.packer = zlib.compressobj(9, zlib.DEFLATED, 31)

    def compress(self, data):
        return self.packer.compress(data) + self.packer.flush(
            zlib.Z_SYNC_FLUSH)


PACKERS = {None: lambda: None, b"gzip": GzipPacker, b"zstd": zstd.Compressor}


class Unfaithful:
    """A server that keeps event 3 until 11 has come, doubles 5, swaps 7 and 8,
    says that 2 was published long ago and 9 a while from now, and sends a copy
    of 10 as another channel's, and something that is none; in lines of every
    kind, its bytes split anywhere. `load` gets NUMBERS at once."""

    ENDS = (b"\n", b"\r", b"\r\n")
    MARK = re.compile(rb"@(\d+) (\d+) (\d+) ")
    NUMBERS = (1, 2, 4, 4, 3, 6, 6)

    def __init__(self, coding=None):
        self.coding = coding
        self.members = []
        self.lock = threading.Lock()  # who is answered is a member at once
        self.held = {}
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
                    if b"/stream?" in head:
                        # It goes when it has had enough.
                        with contextlib.suppress(OSError):
                            self.tell_load(sock)
                            file.read()
                        return
                    self.begin(sock)
                    continue
                length = re.search(rb"Content-Length: (\d+)", head)
                self.publish(file.read(int(length.group(1))))
                sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    def begin(self, sock):
        packer = PACKERS[self.coding]()
        with self.lock:
            self.answer(sock, packer)
            self.members.append((sock, packer))
            self.send_one(sock, packer, MARK, 1)

    def publish(self, data):
        number, time = map(int, self.MARK.search(data).groups()[1:])
        time = {2: 1, 9: time + 3600 * 10 ** 9}.get(number, time)
        event = self.event(data, 0, number, time)
        if number in (3, 7):
            self.held[number + 1] = event
            return
        for _ in range(2 if number == 5 else 1):
            self.send(event, number)
        if number == 10:
            self.send(self.event(data, 1, number, time), number)
            self.send(b"data: what is this?\n\n", number)
        if number in (8, 11):
            self.send(self.held[8 if number == 8 else 4], number)

    def event(self, data, channel, number, time):
        data = self.MARK.sub(b"@%d %d %d " % (channel, number, time), data)
        # Two lines of data are one event.
        return self.ENDS[number % 3].join([
            b": a comment", b"id: %d" % number, b"event:update",
            b"data:" + data, b"data: " + data, b"", b""])

    def tell_load(self, sock):
        self.answer(sock, None)
        self.send_one(sock, None, b"event: live\ndata: {}\n\n", 1)
        for number in self.NUMBERS:
            self.send_one(sock, None, b"data: %d xxx\n\n" % number, 1)

    def answer(self, sock, packer):
        sock.sendall(HEAD % (b"" if packer is None else
                             b"Content-Encoding: %s\r\n" % self.coding))

    def send(self, event, number):
        with self.lock:
            for sock, packer in self.members:
                self.send_one(sock, packer, event, number)

    def send_one(self, sock, packer, data, number):
        """In chunks and segments of so many bytes."""
        if packer is not None:
            data = packer.compress(data)
        wire = b"".join(b"%x\r\n%s\r\n" % (len(part), part)
                        for part in pieces(data, number + 6))
        for part in pieces(wire, 20 * number + 1):
            sock.sendall(part)


def pieces(data, size):
    return [data[at:at + size] for at in range(0, len(data), size)]


def processes_with(mark):
    """The pids of those that have this in their environment."""
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        with contextlib.suppress(OSError), open(path, "rb") as file:
            if mark in file.read():
                found.append(int(path.split("/")[2]))
    return found


def without_blocks(text):
    for name in bench.BLOCKS:
        text = bench.pattern_of(name).sub("", text)
    return text


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
        wanted = dict({"missing": 0, "doubled": 0, "swapped": 0, "late": 0,
                       "strays": 0, "untimely": 0},
                      faults=sum(faults.values()), events=events, expected=events * readers,
                      deliveries=events * readers, **faults)
        self.assertEqual({name: row[name] for name in wanted}, wanted)
        self.assertGreaterEqual(row["max_us"], row["p50_us"])
        self.assertGreater(row["p50_us"], 0)

    def test_what_is_lost_doubled_or_swapped_is_noticed(self):
        for coding, options in ((None, []), (b"gzip", []), (b"zstd", []),
                                (b"gzip", ["-j"])):
            with self.subTest(coding=coding, options=options):
                self.notices(Unfaithful(coding), options)

    def notices(self, server, options):
        self.addCleanup(server.listener.close)
        url = "http://127.0.0.1:%d/" % server.port
        crowd = self.crowd("-u", url, "-P", url, "-g", "2", *options)
        row = self.do(crowd, "burst 10")
        self.assertEqual(
            {name: row[name] for name in (
                "events", "deliveries", "missing", "doubled", "swapped",
                "late", "strays", "untimely", "faults")},
            {"events": 10, "deliveries": 9 * SUBSCRIBERS,
             "missing": SUBSCRIBERS, "doubled": SUBSCRIBERS,
             "swapped": SUBSCRIBERS, "late": 0, "strays": 2 * SUBSCRIBERS,
             "untimely": 2 * SUBSCRIBERS, "faults": 7 * SUBSCRIBERS})
        self.assertLess(row["max_us"], 600e6)
        # What was lost is not counted again, nor in the place of another.
        self.assert_counts(self.do(crowd, "burst 10"), 10, late=SUBSCRIBERS)

    def test_the_other_load_generator_notices_it_too(self):
        server = Unfaithful()
        self.addCleanup(server.listener.close)
        out = subprocess.run(
            [os.path.join(BUILD, "load"), "storm", str(server.port), "3",
             "channels=bench", "6"], check=True, text=True,
            capture_output=True, timeout=120, preexec_fn=die_with_test).stdout
        events, _, missing, doubled, swapped = out.split()
        # The last of them may come when it has ended.
        self.assertIn(int(events), (18, 19, 20, 21))
        self.assertEqual([missing, swapped], ["3", "3"])
        self.assertEqual(int(doubled), int(events) - 15)

    def test_what_is_no_stream_is_told(self):
        for answer, told in (
                (b"HTTP/1.1 403 Forbidden\r\n\r\nnot for you", "403"),
                (b"SSH-2.0\r\n", "no HTTP"),
                (HEAD % b"" + b"oops\r\n", "no HTTP"),
                (HEAD % b"" + b"0\r\n\r\n", "ended a stream"),
                (HEAD % b"", "ended a stream")):
            with self.subTest(answer=answer):
                self.assertIn(told, self.told(answer))

    def told(self, answer):
        """What the crowd says when it is answered so."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            crowd = subprocess.Popen(
                [os.path.join(BUILD, "crowd"), "-l", "-n", "1", "-u",
                 "http://127.0.0.1:%d/" % listener.getsockname()[1]],
                stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                preexec_fn=die_with_test)
            self.addCleanup(crowd.kill)
            with listener.accept()[0] as sock:
                sock.recv(65536)
                sock.sendall(answer)
            _, said = crowd.communicate(timeout=120)
        self.assertEqual(crowd.returncode, 1)
        return said

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

    def test_an_interrupted_bench_leaves_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            process = subprocess.Popen(
                [sys.executable, os.path.join(TOP, "tests/bench/fanout.py"),
                 "--subscribers", "20", "--seconds", "60"],
                env=dict(os.environ, TMPDIR=folder), text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                start_new_session=True, preexec_fn=die_with_test)
            self.addCleanup(process.kill)
            mark = ("TMPDIR=%s\0" % folder).encode()
            wait_for(lambda: len(processes_with(mark)) >= 8, seconds=120)
            # As a terminal does.
            os.killpg(process.pid, signal.SIGINT)
            said, _ = process.communicate(timeout=120)
            self.assertEqual(process.returncode, 128 + signal.SIGINT, said)
            self.assertIn("bench: interrupted\n", said)
            self.assertNotIn("Traceback", said)
            wait_for(lambda: not processes_with(mark))
            self.assertEqual(os.listdir(folder), [])

    def test_results_are_written_between_their_marks(self):
        results = os.path.join(TOP, "tests/bench/RESULTS.md")
        bench.check_results(results)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "RESULTS.md")
            shutil.copy(results, path)
            bench.write_results(path, {
                name: "this is %s \\1" % name for name in bench.BLOCKS})
            before, after = read_text(results), read_text(path)
            for name in bench.BLOCKS:
                self.assertIn("this is %s \\1\n" % name, after)
            # All else is as it was.
            self.assertEqual([without_blocks(before)], [without_blocks(after)])
            with open(path, "w", encoding="utf-8") as file:
                file.write(after.replace("until here: publish", ""))
            with self.assertRaisesRegex(SystemExit, "no marks for publish"):
                bench.check_results(path)

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
