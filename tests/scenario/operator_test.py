"""The operator: what whoever runs it does to it, with logs, signals, limits
and folders."""
import fcntl
import os
import re
import resource
import select
import signal
import subprocess
import unittest

from broker import BrokerCase, wait_for
from sse_client import Crowd

F_SETPIPE_SZ = 1031


class Operator(BrokerCase):
    def begin(self, broker, output, **options):
        """Starts it with its standard error there; waits until it serves."""
        ready, signal_ready = os.pipe()
        broker.process = subprocess.Popen(
            broker.command({"broker.ready_fd": signal_ready}),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            pass_fds=[signal_ready], **options)
        os.close(signal_ready)
        try:
            self.assertTrue(select.select([ready], [], [], 30)[0])
            self.assertEqual(os.read(ready, 1), b"\n")
        finally:
            os.close(ready)

    def pipe(self):
        ends = os.pipe()
        for end in ends:
            self.addCleanup(self.close, end)
        return ends

    @staticmethod
    def close(end):
        try:
            os.close(end)
        except OSError:
            pass

    def test_a_log_that_nobody_reads_stops_nothing(self):
        broker = self.broker(start=False, broker__workers=1)
        reader, writer = self.pipe()
        fcntl.fcntl(writer, F_SETPIPE_SZ, 4096)
        self.begin(broker, writer)
        os.set_blocking(writer, False)
        with self.assertRaises(BlockingIOError):
            while True:
                os.write(writer, b"x")
        os.set_blocking(writer, True)
        for _ in range(3):
            broker.kill_hub()
            broker.hub()
            with broker.publisher() as publisher:
                publisher.publish("c", "x")
        os.set_blocking(reader, False)
        os.read(reader, 1 << 16)
        broker.kill_hub()
        said = b""

        def told():
            nonlocal said
            if select.select([reader], [], [], 0)[0]:
                said += os.read(reader, 1 << 16)
            return b"could not be logged" in said
        wait_for(told, "a word of what was lost")
        self.assertRegex(said, rb"warn: [1-9]\d* lines could not be logged")

    def test_a_log_whose_reader_has_gone_stops_nothing(self):
        broker = self.broker(start=False)
        reader, writer = self.pipe()
        self.begin(broker, writer)
        os.close(reader)
        os.close(writer)
        broker.process.send_signal(signal.SIGHUP)  # which is logged
        broker.kill_hub()
        broker.hub()
        with broker.publisher() as publisher:
            publisher.publish("c", "x")

    def test_without_standard_descriptors_nothing_takes_their_place(self):
        broker = self.broker(start=False)
        command = broker.command
        broker.command = lambda settings=None: [
            "sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh"] + command(settings)
        broker.start()
        for pid in [broker.pid, broker.hub()] + broker.workers():
            for fd in range(3):
                self.assertEqual(os.readlink("/proc/%d/fd/%d" % (pid, fd)),
                                 "/dev/null")

    def test_signals_that_mean_nothing_end_nothing(self):
        broker = self.broker()
        for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE,
                       signal.SIGXFSZ):
            broker.process.send_signal(number)
        with broker.stream() as stream, broker.publisher() as publisher:
            stream.start()
            publisher.publish("c", "x")
            self.assertEqual(len(stream.events(1)), 1)

    def test_a_request_to_end_that_goes_to_all_of_a_group_is_one(self):
        """As timeout(1) does it: to the process, and at once to its group. The
        hub outlives the workers all the same, and streams are not hastened.
        Two different ones, as of one there is never more than one waiting."""
        broker = self.broker(start=False, broker__drain_spread="1000s",
                             broker__drain_timeout="2000s")
        with open(broker.log_path, "ab") as log:
            self.begin(broker, log, start_new_session=True)
        with broker.stream() as stream:
            stream.start()
            os.kill(broker.pid, signal.SIGINT)
            os.killpg(broker.pid, signal.SIGTERM)
            wait_for(lambda: "draining" in broker.log(), "the drain")
            with broker.publisher() as publisher:
                publisher.publish("c", "x")
            self.assertEqual(len(stream.events(1)), 1)
            self.assertNotIn("asked to end again", broker.log())
            # What comes after that is a second one.
            broker.process.send_signal(signal.SIGTERM)
            self.assertEqual(stream.control("bye"), {"reason": "drain"})
        self.assertEqual(broker.process.wait(30), 0)
        self.assertNotIn("force", broker.log())
        broker.process = None

    def refused(self, broker, status, said, **options):
        """It does not start, and says why."""
        done = subprocess.run(broker.command(), capture_output=True,
                              text=True, timeout=30, **options)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr, said)

    def test_a_limit_of_file_sizes_is_told(self):
        self.refused(self.broker(start=False), 71, "File too large",
                     preexec_fn=lambda: resource.setrlimit(
                         resource.RLIMIT_FSIZE, (65536, 65536)))

    def test_few_descriptors_are_told_and_served_with(self):
        broker = self.broker(start=False, broker__workers=1)
        with open(broker.log_path, "ab") as log:
            self.begin(broker, log, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_NOFILE, (64, 64)))
        self.assertRegex(broker.log(), "warn: no process may open more than 64")
        with Crowd(broker.port) as crowd:
            members = [crowd.add("c") for _ in range(100)]
            crowd.until(lambda: sum(each.live for each in members) >= 30)
            with broker.publisher() as publisher:
                publisher.publish("c", "x")
            crowd.until(lambda: sum(len(each.cursors) for each in members)
                        >= 30)
        wait_for(lambda: broker.stats()["streams"] == 0, "no streams")

    def test_an_address_that_is_none_is_told(self):
        for address in ("127.0.0.1:65536", "127.0.0.1:99999", "127.0.0.1:+80",
                        "127.0.0.1:4294967376", "127.0.0.1:", "example.com:80",
                        "127.0.0.1", "::1:80", "[127.0.0.1:80"):
            self.refused(self.broker(start=False, http__listen=address), 78,
                         "http.listen: %s: expected ADDRESS:PORT" %
                         re.escape(address))

    def test_what_is_at_the_sockets_place_and_is_none_stays(self):
        broker = self.broker(start=False)
        with open(broker.socket, "w") as file:
            file.write("precious")
        self.refused(broker, 69, "what is there is no socket")
        with open(broker.socket) as file:
            self.assertEqual(file.read(), "precious")

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another")
    def test_a_folder_with_other_things_is_not_given_away(self):
        broker = self.broker(start=False, broker__user="nobody",
                             broker__state_dir="%(folder)s/lib")
        os.chmod(broker.folder, 0o755)
        lib = os.path.join(broker.folder, "lib")
        os.makedirs(os.path.join(lib, "postgresql"))
        self.refused(broker, 73, "holds other things")
        self.assertEqual(os.stat(lib).st_uid, 0)
        os.rmdir(os.path.join(lib, "postgresql"))
        for _ in range(2):
            broker.start()
            self.assertEqual(broker.stop(), 0)
            os.chown(lib, 0, 0)  # with the store in it, it is the broker's
        broker.start()

    @unittest.skipUnless(os.geteuid() == 0, "only root can become another")
    def test_a_store_of_another_user_is_told(self):
        broker = self.broker()
        self.assertEqual(broker.stop(), 0)
        broker.settings["broker.user"] = "nobody"
        self.refused(broker, 74, r"ssemux\.db: unable to open.*: "
                     "Permission denied")
        broker.process = None


if __name__ == "__main__":
    unittest.main()
