"""ssemux-pub and ssemuxctl when something is wrong: no broker, a broker that
hangs up, refuses or is silent, broken input, a reader that goes away."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import unittest

from broker import BUILD, PUBLISH, die_with_test, wait_for
from msgpack_wire import (ACK, BYE, ERROR, HELLO, PUBLISH as EVENT, RECEIPT,
                          REPORT, STATUS, WELCOME, Part, Reader, pack)

CONTROL = os.path.join(BUILD, "ssemuxctl")


class FakeBroker:
    """Stores what it is sent, but for what the test makes of it.

    answer(event) gives the messages that answer an event; None hangs up,
    and an empty list says nothing.
    """

    def __init__(self, test, answer=None, welcome=None, report="{}"):
        self.folder = tempfile.mkdtemp(prefix="ssemux-test-")
        test.addCleanup(shutil.rmtree, self.folder, True)
        self.path = os.path.join(self.folder, "pub.sock")
        self.answer = answer or self.ack
        self.welcome = welcome
        self.report = report
        self.heard = []  # events, resent ones too
        self.stored = {}  # number: event
        self.connections = 0
        self.byes = 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(8)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        test.addCleanup(self.finish)

    def stop(self):
        """Takes no more connections."""
        self.listener.shutdown(socket.SHUT_RDWR)

    def finish(self):
        self.stop()
        # Only then may the number of the descriptor go to another.
        self.thread.join(20)
        self.listener.close()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with client:
                try:
                    self.talk(client)
                except ConnectionError:
                    pass

    def talk(self, client):
        reader = Reader()
        while True:
            try:
                message = reader.next()
            except Part:
                data = client.recv(65536)
                if not data:
                    return
                reader.feed(data)
                continue
            answers = self.answers(message)
            if answers is None:
                return
            client.sendall(b"".join(
                each if isinstance(each, bytes) else pack(each)
                for each in answers))

    def answers(self, message):
        if message[0] == HELLO:
            return [self.welcome or
                    [WELCOME, 1, max(self.stored, default=0), 1000, 100]]
        if message[0] == STATUS:
            return [[REPORT, self.report]]
        if message[0] == BYE:
            self.byes += 1
            return None
        self.heard.append(message)
        return self.answer(message)

    def ack(self, message):
        duplicate = message[1] in self.stored
        self.stored.setdefault(message[1], message)
        out = [[ACK, message[1], (1000 + message[1]) << 20, duplicate]]
        if message[0] == EVENT and message[6] & 4 and not duplicate:
            out.append([RECEIPT, message[1], 7])
        return out

    def data(self):
        return [message[5] for _, message in sorted(self.stored.items())]


def run(*arguments, data="", program=PUBLISH, **more):
    return subprocess.run([program] + list(arguments), input=data, text=True,
                          capture_output=True, timeout=60, **more)


class CliFaults(unittest.TestCase):
    def start(self, fake, *arguments, **more):
        process = subprocess.Popen(
            [PUBLISH, "-s", fake.path] + list(arguments), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, preexec_fn=die_with_test, **more)
        self.addCleanup(self.end, process)
        return process

    @staticmethod
    def end(process):
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()

    def test_no_broker_is_69_in_time(self):
        done = run("-s", "/nonexistent/pub.sock", "--timeout", "0.1", "c", "x")
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("/nonexistent/pub.sock: No such file", done.stderr)

    def test_what_can_never_be_published_is_said_without_a_broker(self):
        for arguments, field in (
                (["bad channel", "x"], "channel"),
                (["c" * 201, "x"], "channel"),
                (["-l", "bad channel"], "channel"),
                (["--resync", "bad channel"], "channel"),
                (["-t", "two\nlines", "c", "x"], "type"),
                (["-t", "bye", "c", "x"], "type"),
                (["-k", "k" * 201, "c", "x"], "key"),
                (["-k", b"\xff", "c", "x"], "key")):
            done = run("-s", "/nonexistent/pub.sock", "--timeout", "0",
                       *arguments)
            self.assertEqual(done.returncode, 65, (arguments, done.stderr))
            self.assertIn(": %s: " % field, done.stderr)
        done = run("-s", "/nonexistent/pub.sock", "--timeout", "0",
                   "-f", "/nonexistent/file", "c")
        self.assertEqual(done.returncode, 66, done.stderr)
        self.assertIn("/nonexistent/file: No such file", done.stderr)

    def test_the_socket_may_come_from_the_environment(self):
        fake = FakeBroker(self)
        done = run("c", "x", env={"SSEMUX_SOCKET": fake.path})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(fake.data(), ["x"])
        wait_for(lambda: fake.byes == 1, "its farewell")

    def test_a_broker_that_goes_for_good_is_75(self):
        fake = FakeBroker(self, answer=lambda message: fake.stop())
        done = run("-s", fake.path, "--timeout", "0.2", "-l", "c",
                   data="1\n2\n3\n")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertRegex(done.stderr, r"line 1: this and 2 more are not ack")

    def test_a_silent_broker_is_75(self):
        fake = FakeBroker(self, answer=lambda message: [])
        done = run("-s", fake.path, "--timeout", "0.2", "c", "x")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("acknowledged nothing for 0.2 s", done.stderr)

    def test_a_quiet_input_is_no_silent_broker(self):
        fake = FakeBroker(self)
        process = self.start(fake, "--timeout", "0.1", "-l", "-i", "c")
        with self.assertRaises(subprocess.TimeoutExpired):
            process.wait(0.5)
        out, _ = process.communicate("late\n", timeout=20)
        self.assertEqual((process.returncode, out), (0, "1001-0\n"))

    def test_each_line_is_published_and_answered_at_once(self):
        fake = FakeBroker(self)
        process = self.start(fake, "-l", "-i", "c")
        for number in range(1, 4):
            process.stdin.write("%d\n" % number)
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(),
                             "%d-0\n" % (1000 + number))
        process.communicate(timeout=20)

    def test_hang_ups_are_ridden_out(self):
        def answer(message):
            if len(fake.heard) % 7 == 0:
                fake.ack(message)
                return None  # stored, and not acknowledged
            return fake.ack(message)

        fake = FakeBroker(self, answer)
        lines = ["line %d" % number for number in range(100)]
        done = run("-s", fake.path, "-l", "-i", "c", data="\n".join(lines))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(fake.data(), lines)
        self.assertEqual(done.stdout.split(),
                         ["%d-0" % (1001 + number) for number in range(100)])
        self.assertGreater(fake.connections, 10)

    def refuse_second(self, code):
        def answer(message):
            if message[1] == 2:
                return [[ERROR, 2, code, "channel", "because"]]
            return fake.ack(message)

        fake = FakeBroker(self, answer)
        return fake

    def test_what_the_broker_refuses_is_named_by_its_line(self):
        for code, status in (("not-allowed", 77), ("channel", 65),
                             ("unheard-of", 65)):
            fake = self.refuse_second(code)
            done = run("-s", fake.path, "-l", "-i", "c", data="1\n2\n3\n")
            self.assertEqual(done.returncode, status, done.stderr)
            self.assertIn("line 2: channel: because", done.stderr)
            self.assertEqual(done.stdout.split()[0], "1001-0")

    def test_skip_bad_passes_over_what_the_broker_refuses(self):
        fake = self.refuse_second("channel")
        done = run("-s", fake.path, "-l", "-i", "--skip-bad", "c",
                   data="1\n2\n3\n")
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertEqual(done.stdout, "1001-0\n1003-0\n")

    def test_a_publisher_that_is_not_wanted_gives_up(self):
        for code, status in (("not-allowed", 77), ("version", 76)):
            fake = FakeBroker(self, welcome=[ERROR, None, code, None, "no"])
            done = run("-s", fake.path, "c", "x")
            self.assertEqual(done.returncode, status, done.stderr)

    def test_what_is_no_broker_is_not_waited_for_for_ever(self):
        fake = FakeBroker(self, welcome=b"SSH-2.0-OpenSSH\r\n")
        done = run("-s", fake.path, "--timeout", "0.2", "c", "x")
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("not understood", done.stderr)

    def test_lines_that_are_too_long(self):
        fake = FakeBroker(self)
        long = "x" * 1001
        done = run("-s", fake.path, "-l", "c",
                   data="1\n" + "y" * 1000 + "\n" + long + "\n4\n")
        self.assertEqual(done.returncode, 65)
        self.assertIn("line 3: longer than", done.stderr)
        self.assertEqual(fake.data(), ["1", "y" * 1000])
        fake = FakeBroker(self)
        done = run("-s", fake.path, "-j", "--skip-bad", "c", data=(
            '{"data":"%s"}\n{"data":"%s"}\n{"data":"3"}\n' % (
                long, long * 100)))
        self.assertEqual(done.returncode, 65)
        self.assertIn("line 1: data: larger than", done.stderr)
        self.assertIn("line 2: longer than", done.stderr)
        self.assertEqual(fake.data(), ["3"])

    def test_escapes_do_not_make_a_line_too_long(self):
        fake = FakeBroker(self)
        done = run("-s", fake.path, "-j", "c",
                   data='{"data":"%s"}' % ("\\u0041" * 1000))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(fake.data(), ["A" * 1000])

    def test_numbers_pass_as_they_are_written(self):
        fake = FakeBroker(self)
        text = '{"a":19.990,"b":123456789012345678901234567890,"c":1E+2}'
        done = run("-s", fake.path, "-j", data=(
            '{"channel":"c","data":%s}\n{"channel":"c","data":"%s"}\n' % (
                text, text.replace('"', '\\"'))))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(fake.data(), [text, text])
        self.assertEqual([message[6] for message in fake.heard], [1, 2])

    def test_a_large_input_needs_little_memory(self):
        fake = FakeBroker(self)
        lines = 60000
        process = self.start(fake, "-l", "c")
        for _ in range(lines):
            process.stdin.write("x" * 999 + "\n")
        process.stdin.close()
        process.stdin = None
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
        self.assertEqual(status, 0)
        self.assertEqual(len(fake.stored), lines)
        if "asan" not in BUILD:
            self.assertLess(usage.ru_maxrss, 40 * 1024, "KiB")

    def test_a_reader_that_goes_away_ends_it_like_any_filter(self):
        fake = FakeBroker(self)
        process = self.start(fake, "-l", "-i", "c")
        process.stdin.write("1\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write("2\n")
        process.stdin.flush()
        # subprocess has given SIGPIPE its default disposition back.
        self.assertEqual(process.wait(20), -signal.SIGPIPE)

    def test_output_that_cannot_be_written_is_74(self):
        fake = FakeBroker(self)
        with open("/dev/full", "w") as full:
            done = subprocess.run([PUBLISH, "-s", fake.path, "-i", "c", "x"],
                                  stdout=full, stderr=subprocess.PIPE,
                                  text=True, timeout=60)
        self.assertEqual(done.returncode, 74, done.stderr)
        self.assertEqual(fake.data(), ["x"])

    def test_a_signal_ends_it_and_it_says_what_is_open(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            fake = FakeBroker(self, answer=lambda message: [])
            process = self.start(fake, "-l", "c")
            process.stdin.write("1\n2\n")
            process.stdin.flush()
            wait_for(lambda: len(fake.heard) == 2, "both events")
            process.send_signal(number)
            _, err = process.communicate(timeout=20)
            self.assertEqual(process.returncode, -number, err)
            self.assertIn("line 1: this and 1 more are not", err)

    def test_a_terminal_shows_how_far_it_is(self):
        fake = FakeBroker(self)
        ours, theirs = os.openpty()
        with tempfile.TemporaryFile("w+") as file:
            file.write("line\n" * 500 + "x" * 1001 + "\n")
            file.seek(0)
            process = subprocess.Popen(
                [PUBLISH, "-s", fake.path, "-l", "c"], stdin=file,
                stdout=subprocess.DEVNULL, stderr=theirs,
                preexec_fn=die_with_test)
        os.close(theirs)
        shown = b""
        try:
            while True:
                shown += os.read(ours, 65536)
        except OSError:
            pass  # the other end is closed
        os.close(ours)
        self.assertEqual(process.wait(20), 65)
        self.assertRegex(shown, rb"\[#{30}\] 100%  500 events")
        self.assertIn(b"line 501: longer than", shown)

    def test_wrong_command_lines_are_64_with_a_sentence(self):
        for arguments, sentence in (
                ([], "the channel is missing"),
                (["-l"], "the channel is missing"),
                (["-x", "c"], "unknown option -x"),
                (["--nope", "c"], "unknown option --nope"),
                (["c", "x", "y"], "'y' is too much"),
                (["-l", "c", "x"], "'x' is too much"),
                (["-j", "--json"], "the line says what"),
                (["--json", "--text", "c"], "only one of --json"),
                (["-l", "-j", "c"], "only one of -f, -l"),
                (["--skip-bad", "c"], "--skip-bad goes with"),
                (["--resync", "-k", "k", "c"], "--resync has no"),
                (["--timeout", "soon", "c"], "--timeout is a number"),
                (["--timeout", "-1", "c"], "--timeout is a number"),
                (["c", "-k"], "-k needs a value"),
                (["-s", "/" + "x" * 200, "c"], "too long")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 64, (arguments, done.stderr))
            self.assertIn(sentence, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_help_and_version_are_no_errors(self):
        for program in (PUBLISH, CONTROL):
            done = run("--help", program=program)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith("Usage: "))
            self.assertEqual(run("-h", program=program).stdout, done.stdout)
            done = run("--version", program=program)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, r"^ssemux\S+ \d+\.\d+\.\d+\n$")

    def test_every_option_of_the_help_is_in_the_page_and_back(self):
        for program in (PUBLISH, CONTROL):
            name = os.path.basename(program)
            words = run("--help", program=program).stdout.split()
            options = {word.strip(",") for word in words
                       if word.startswith("--")}
            with open("man/%s.1" % name) as page:
                named = {"--" + row.split("Fl -")[part].split()[0].strip(",")
                         for row in page
                         for part in range(1, row.count("Fl -") + 1)}
            self.assertEqual(options, named)

    def test_status_is_printed_line_by_line_or_as_it_is(self):
        report = '{"cursor":"1-0","workers":[{"alive":true},{"alive":false}],' \
                 '"bad":"\\u001b[31m","none":null,"empty":[],"big":1e300}'
        fake = FakeBroker(self, report=report)
        done = run("-s", fake.path, "status", "--json", program=CONTROL)
        self.assertEqual((done.returncode, done.stdout), (0, report + "\n"))
        done = run("-s", fake.path, "status", program=CONTROL)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = dict(row.split(None, 1) for row in done.stdout.splitlines())
        self.assertEqual(rows, {
            "cursor": "1-0", "workers[1].alive": "yes",
            "workers[2].alive": "no", "bad": "?[31m", "none": "-",
            "empty": "-", "big": "1e+300"})

    def test_ssemuxctl_says_what_went_wrong(self):
        fake = FakeBroker(self, report="nonsense")
        for arguments, status, sentence in (
                (["status"], 76, "no JSON object"),
                (["resync", "no channel"], 65, "a channel is"),
                ([], 64, "the command is missing"),
                (["dance"], 64, "unknown command 'dance'"),
                (["resync"], 64, "needs one channel"),
                (["kick"], 64, "kick needs one user"),
                (["kick", "u", "c"], 64, "'c' is too much"),
                (["revoke", "u"], 64, "needs a user and its channels"),
                (["restore"], 64, "needs a user"),
                (["kick", ""], 65, "a user is"),
                (["kick", "a\nb"], 65, "a user is"),
                (["kick", "u" * 257], 65, "a user is"),
                (["revoke", "u", "a*"], 65, "a prefix that ends in"),
                (["revoke", "u", "c" * 300], 65, "a prefix that ends in"),
                (["restore", "u", ""], 65, "a prefix that ends in"),
                (["status", "x"], 64, "'x' is too much"),
                (["resync", "--json", "c"], 64, "--json does not go with resync")):
            done = run("-s", fake.path, *arguments, program=CONTROL)
            self.assertEqual(done.returncode, status, (arguments, done.stderr))
            self.assertIn(sentence, done.stderr)
        done = run("-s", "/nonexistent", "--timeout", "0.1", "status",
                   program=CONTROL)
        self.assertEqual(done.returncode, 69, done.stderr)
        fake = FakeBroker(self, answer=lambda message: [
            [ERROR, message[1], "not-allowed", "channel", "no"]])
        done = run("-s", fake.path, "resync", "c", program=CONTROL)
        self.assertEqual((done.returncode, done.stderr),
                         (77, "ssemuxctl: no: c\n"))

    @unittest.skipIf(os.geteuid() == 0 and not shutil.which("setpriv"),
                     "root may open every socket")
    def test_a_socket_that_may_not_be_opened_is_77(self):
        fake = FakeBroker(self)
        os.chmod(fake.folder, 0o755)
        os.chmod(fake.path, 0)
        command = [PUBLISH, "-s", fake.path, "c", "x"]
        if os.geteuid() == 0:
            command = ["setpriv", "--reuid=65534", "--clear-groups"] + command
        done = subprocess.run(command, capture_output=True, text=True,
                              timeout=60)
        if "setpriv:" in done.stderr:
            self.skipTest(done.stderr)
        self.assertEqual(done.returncode, 77, done.stderr)
        self.assertIn("Permission denied", done.stderr)


if __name__ == "__main__":
    unittest.main()
