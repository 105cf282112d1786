"""Birth and death: restarts, signals, readiness, clocks, configuration."""
import json
import os
import pwd
import re
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest

import msgpack_wire as wire
from broker import BUILD, SANITIZED, TOP, BrokerCase, alive, children, wait_for
from sse_client import Ended


class Restart(BrokerCase):
    def test_titles_say_who_is_who(self):
        broker = self.broker(broker__workers=3)
        broker.workers()
        with open("/proc/%d/cmdline" % broker.pid) as file:
            self.assertRegex(file.read(), r"^ssemuxd: supervisor")
        self.assertEqual(sorted(children(broker.pid).values()),
                         ["ssemuxd: hub"] + ["ssemuxd: worker %d" % n
                                             for n in (1, 2, 3)])

    def test_cursors_stay_valid_over_restarts_and_ids_rise(self):
        broker = self.broker()
        cursors = []
        for number in range(4):
            with broker.publisher() as publisher:
                cursors += publisher.publish_many(
                    ("c", str(number * 10 + n)) for n in range(10))
            if number % 2:
                broker.kill()
            else:
                self.assertEqual(broker.stop(), 0)
            broker.start()
        self.assertEqual(cursors, sorted(set(cursors)))
        with broker.stream("c", since=wire.cursor_text(cursors[4])) as stream:
            _, events = stream.start()
            self.assertEqual([event.id for event in events],
                             list(map(wire.cursor_text, cursors[5:])))

    def test_ids_rise_when_the_clock_was_set_back(self):
        """The store's last event lies an hour ahead, as it does when the
        clock is set back by an hour between two runs."""
        broker = self.broker()
        with broker.publisher() as publisher:
            publisher.publish("c", "before")
        self.assertEqual(broker.stop(), 0)
        ahead = int((time.time() + 3600) * 1000) << 20 | 1048570
        base = sqlite3.connect(broker.database)
        base.execute("UPDATE event SET cursor = ?", (ahead,))
        base.execute("UPDATE run SET first_cursor = ?", (ahead,))
        base.execute("UPDATE state SET last_cursor = ?", (ahead,))
        base.commit()
        base.close()
        broker.start()
        with broker.publisher() as publisher:
            cursors = publisher.publish_many(("c", str(n)) for n in range(20))
        self.assertGreater(cursors[0], ahead)
        self.assertEqual(cursors, sorted(set(cursors)))
        # Over the end of the sequence within a millisecond, too.
        self.assertGreater(cursors[-1] >> 20, ahead >> 20)
        broker.kill_hub()
        with broker.publisher() as publisher:
            self.assertGreater(publisher.publish("c", "later"), cursors[-1])
        with broker.stream("c", since="0-0") as stream:
            self.assertEqual(len(stream.start()[1]), 22)

    def test_no_event_is_older_than_its_store(self):
        """The clock is set back by an hour after the store was made."""
        broker = self.broker()
        self.assertEqual(broker.stop(), 0)
        ahead = int((time.time() + 3600) * 1000) << 20
        base = sqlite3.connect(broker.database)
        base.execute("UPDATE birth SET cursor = ?", (ahead,))
        base.commit()
        base.close()
        broker.start()
        with broker.publisher() as publisher:
            first = publisher.publish("c", "first")
            publisher.publish("c", "second")
        self.assertGreater(first, ahead)
        with broker.stream("c", since=wire.cursor_text(first)) as stream:
            self.assertEqual([json.loads(event.data)["data"]
                              for event in stream.start()[1]], ["second"])

    def test_killing_the_supervisor_ends_all_at_once(self):
        broker = self.broker()
        for _ in range(5):
            family = [broker.hub()] + broker.workers()
            with broker.stream() as stream:
                stream.start()
                broker.process.kill()
                broker.process.wait()
                wait_for(lambda: not any(map(alive, family)),
                         "the end of hub and workers", 5)
                with self.assertRaises(Ended):
                    stream.next()
            broker.start()  # every socket is free at once
        with broker.publisher() as publisher:
            publisher.publish("c", "x")

    def test_a_second_broker_on_the_same_socket_does_not_start(self):
        broker = self.broker()
        done = subprocess.run(broker.command(), capture_output=True, text=True,
                              timeout=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ssemuxd:", done.stderr)
        with broker.publisher() as publisher:
            publisher.publish("c", "x")

    def test_sigterm_ends_streams_so_that_they_can_go_on(self):
        """Who has read all gets a bye; who has not is cut where it stands.
        Either finds the rest after the start."""
        broker = self.broker()
        streams = [broker.stream() for _ in range(20)]
        for stream in streams:
            stream.start()
        with broker.publisher() as publisher:
            cursors = [wire.cursor_text(cursor) for cursor in
                       publisher.publish_many(("c", "x" * 1000)
                                              for n in range(2000))]
        readers = streams[::2]
        got = {stream: stream.events(2000) for stream in readers}
        self.assertEqual(broker.stop(), 0)
        for stream in readers:
            self.assertEqual(stream.control("bye")["reason"], "drain")
        broker.start()
        for stream in streams:
            ids = [event.id for event in got.get(stream, []) + stream.rest()
                   if event.id]
            self.assertEqual(stream.ended, "cut")
            with broker.stream(last_id=stream.last_id,
                               since="0-0") as again:
                ids += [event.id for event in again.start()[1]]
            self.assertEqual(ids, cursors)
            stream.close()

    def test_sigterm_does_not_wait_for_who_does_not_read(self):
        broker = self.broker(broker__drain_timeout="1s")
        with broker.stream(receive_buffer=4096) as deaf:
            deaf.opened()
            with broker.publisher() as publisher:
                publisher.publish_many(("c", "x" * 10000)
                                       for n in range(1000))
            self.assertEqual(broker.stop(15), 0)
        broker.start()

    def test_sigint_ends_it_as_well(self):
        broker = self.broker()
        broker.process.send_signal(signal.SIGINT)
        self.assertEqual(broker.process.wait(20), 0)
        broker.start()

    def test_readiness_and_the_end_are_told_to_the_service_manager(self):
        broker = self.broker(start=False)
        folder = tempfile.mkdtemp(prefix="ssemux-test-")
        self.addCleanup(os.rmdir, folder)
        path = os.path.join(folder, "notify")
        self.addCleanup(os.unlink, path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(20)
            os.environ["NOTIFY_SOCKET"] = path
            try:
                broker.start()
            finally:
                del os.environ["NOTIFY_SOCKET"]
            said = manager.recv(4096).decode()
            self.assertIn("READY=1", said.split("\n"))
            self.assertEqual(broker.stop(), 0)
            self.assertIn("STOPPING=1", manager.recv(4096).decode())
        broker.start()

    def test_readiness_means_that_both_sockets_are_served(self):
        broker = self.broker(start=False)
        for _ in range(5):
            broker.start()
            with broker.publisher() as publisher, broker.stream() as stream:
                stream.start()
                publisher.publish("c", "x")
                stream.events(1)
            broker.kill()
        broker.start()

    def test_a_stale_socket_file_is_replaced(self):
        broker = self.broker(start=False)
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(broker.socket)
        broker.start()
        broker.publisher().close()


class Confinement(BrokerCase):
    def status(self, pid, thread=None):
        with open("/proc/%d/task/%d/status" % (pid, thread or pid)) as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file
                        if ":\t" in line)

    def threads(self, pid):
        return list(map(int, os.listdir("/proc/%d/task" % pid)))

    def test_hub_and_workers_can_gain_no_rights_and_call_few_things(self):
        broker = self.broker()
        hub = broker.hub()
        # One for checkpoints, which is confined as the other is.
        wait_for(lambda: len(self.threads(hub)) == 2, "the hub's thread")
        for pid in [hub] + broker.workers():
            for thread in self.threads(pid):
                status = self.status(pid, thread)
                self.assertEqual(status["NoNewPrivs"], "1")
                # Sanitizers make calls of their own: no filter with them.
                self.assertEqual(status["Seccomp"],
                                 "0" if SANITIZED else "2")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another")
    def test_started_as_root_they_become_another_user(self):
        nobody = pwd.getpwnam("nobody")
        broker = self.broker(start=False, broker__user="nobody",
                             broker__state_dir="%(folder)s/state")
        os.chmod(broker.folder, 0o755)
        broker.start()
        with broker.stream() as stream, broker.publisher() as publisher:
            stream.start()
            for _ in range(3):
                for pid in [broker.hub()] + broker.workers():
                    status = self.status(pid)
                    self.assertEqual(status["Uid"].split(),
                                     [str(nobody.pw_uid)] * 4)
                    self.assertEqual(status["Groups"].strip(), "")
                    self.assertEqual(int(status["CapEff"], 16), 0)
                publisher.publish("c", "x")
                self.assertEqual(len(stream.events(1)), 1)
                publisher.close()
                broker.kill_hub()
                publisher = broker.publisher()
            # Back from the store, read by a worker without rights.
            with broker.stream(since="0-0") as late:
                self.assertEqual(len(late.start()[1]), 3)
            publisher.close()

    def test_it_listens_on_every_address_that_was_named(self):
        broker = self.broker(start=False)
        broker.start({"http.listen": "127.0.0.1:%d, [::1]:%d, 127.0.0.2:%d" % (
            (broker.port,) * 3)})
        for address in ("127.0.0.1", "::1", "127.0.0.2"):
            with socket.create_connection((address, broker.port), 20) as one:
                one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b" 200 ", one.recv(4096))

    def test_durability_fsync_keeps_all_promises_too(self):
        broker = self.broker(history__durability="fsync")
        with broker.publisher() as publisher:
            cursors = publisher.publish_many(("c", str(n)) for n in range(500))
        broker.kill()
        broker.start()
        self.assertEqual([row[0] for row in broker.stored()], cursors)


class Configuration(BrokerCase):
    def run_daemon(self, *arguments):
        return subprocess.run(
            [os.path.join(BUILD, "ssemuxd")] + list(arguments),
            capture_output=True, text=True, timeout=20)

    def checked(self, text):
        """ssemuxd -t on this file; (status, what it says, path)."""
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(text)
            file.flush()
            done = self.run_daemon("-t", "-c", file.name)
            return done.returncode, done.stdout + done.stderr, file.name

    def test_a_good_file_is_good(self):
        status, said, _ = self.checked(
            "# comment\n[broker]\nworkers = 3\n\n; other\n[http]\n"
            "  listen = 127.0.0.1:0\n[history]\nmax_age = 2d\n")
        self.assertEqual(status, 0, said)

    def test_the_file_that_is_shipped_is_good_and_shows_the_defaults(self):
        with open(os.path.join(TOP, "packaging/ssemuxd.conf")) as file:
            text = file.read()
        for each in (text, text.replace("\n;;", "\n")):
            status, said, _ = self.checked(each)
            self.assertEqual(status, 0, said)
        with open(os.path.join(TOP, "broker/shared/config.def")) as file:
            rows = dict(re.findall(r'^SETTING\(\w+, (\w+), \w+,\s+"(.*?)"',
                                   file.read(), re.M))
        shown = re.findall(r"^;;(\w+) = (.*)", text, re.M)
        self.assertEqual([(key, rows[key]) for key, _ in shown
                          if key != "mode"],
                         [row for row in shown if row[0] != "mode"])

    def test_faults_name_file_line_key_and_what_was_expected(self):
        for text, line, words in (
                ("[broker]\nworkers = many\n", 2, ["workers"]),
                ("[broker]\nworkers = 0\n", 2, ["workers", "1"]),
                ("[broker]\nwokers = 1\n", 2, ["wokers"]),
                ("[brokre]\n", 1, ["brokre"]),
                ("[broker]\nworkers = 1\n\nworkers = 2\n", 4, ["workers"]),
                ("workers = 1\n", 1, ["workers"]),
                ("[history]\nmax_age = 5 parsecs\n", 2, ["max_age"]),
                ("[history]\ndurability = maybe\n", 2,
                 ["durability", "commit", "fsync"]),
                ("[http]\ndashboard = perhaps\n", 2, ["dashboard", "on"]),
                ("[publish]\nmode = 999\n", 2, ["mode"]),
                ("[broker]\nnonsense\n", 2, []),
                ("[broker\n", 1, [])):
            status, said, path = self.checked(text)
            self.assertEqual(status, 78, (text, said))
            self.assertIn("%s:%d" % (path, line), said, text)
            for word in words:
                self.assertIn(word, said, text)

    def test_an_override_replaces_and_a_bad_one_is_named(self):
        done = self.run_daemon("-t", "-o", "broker.workers=lots")
        self.assertEqual(done.returncode, 78)
        self.assertIn("broker.workers", done.stderr)
        done = self.run_daemon("-t", "-c", "/nonexistent/file")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nonexistent/file", done.stderr)
        self.assertEqual(self.run_daemon("-x").returncode, 64)

    def test_without_authority_only_loopback_is_bound(self):
        broker = self.broker(start=False)
        done = subprocess.run(
            broker.command({"http.listen": "0.0.0.0:0"}),
            capture_output=True, text=True, timeout=20)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("none_beyond_loopback", done.stderr)
        for address in ("0.0.0.0:80", "[::]:80", "*:80", "127.0.0.1",
                        "example.org:80", "127.0.0.1:http"):
            done = self.run_daemon("-t", "-o", "http.listen=" + address)
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertIn("http.listen: " + address, done.stderr)
        done = self.run_daemon("-t", "-o", "http.listen=0.0.0.0:0",
                               "-o", "auth.none_beyond_loopback=on")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_help_lists_every_setting(self):
        done = self.run_daemon("-h")
        self.assertEqual(done.returncode, 0)
        self.assertIn("state_dir", done.stdout)
        self.assertIn("max_age", done.stdout)


if __name__ == "__main__":
    unittest.main()
