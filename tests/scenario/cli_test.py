"""ssemux-pub and ssemuxctl, as a person or a script uses them."""
import json
import os
import subprocess
import tempfile
import unittest

from broker import BUILD, PUBLISH, BrokerCase, tagged, wait_for

CURSOR = r"^\d{13}-\d+$"


class Cli(BrokerCase):
    def texts(self, broker, channels="*"):
        """(channel, type, key, data) of all that is stored, as served."""
        with broker.stream(channels, since="0-0") as stream:
            _, events = stream.start()
        return [(row["channel"], row.get("type"), row.get("key"), row["data"])
                for row in map(tagged, events)]

    def test_one_event(self):
        broker = self.broker()
        self.assertEqual(broker.pub("-t", "t", "-k", "k", "c", "data"), "")
        self.assertRegex(broker.pub("-i", "c", '{"a":1}').strip(), CURSOR)
        broker.pub("--text", "c", '{"a":1}')
        broker.pub("--json", "c", "17")
        self.assertEqual(self.texts(broker), [
            ("c", "t", "k", "data"), ("c", None, None, {"a": 1}),
            ("c", None, None, '{"a":1}'), ("c", None, None, 17)])

    def test_a_file_is_one_event_with_every_byte(self):
        broker = self.broker()
        text = "two\nlines, \u00e4 and no end"
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            broker.pub("-f", file.name, "c")
        broker.pub("-f", "-", "c", data=text + "\n")
        self.assertEqual([row[3] for row in self.texts(broker)],
                         [text, text + "\n"])

    def test_lines_are_events_and_cursors_come_in_order(self):
        broker = self.broker()
        lines = ["line %d" % n for n in range(20000)]
        out = broker.pub("-l", "-i", "c", data="\n".join(lines)).split()
        self.assertEqual(len(out), len(lines))
        with broker.stream("c", since="0-0") as stream:
            _, events = stream.start()
        self.assertEqual([event.id for event in events], out)
        self.assertEqual([tagged(event)["data"] for event in events], lines)

    def test_json_lines_say_channel_type_key_and_data(self):
        broker = self.broker()
        rows = [
            {"channel": "a", "type": "t", "key": "k", "data": "text"},
            {"channel": "b", "data": {"x": [1, None]}},
            {"channel": "c", "data": 17}, {"channel": "d", "data": "two\nl"},
        ]
        broker.pub("-j", data="".join(json.dumps(row) + "\n" for row in rows))
        self.assertEqual(self.texts(broker), [
            (row["channel"], row.get("type"), row.get("key"), row["data"])
            for row in rows])

    def test_a_broken_line_stops_with_its_number_and_nothing_is_lost(self):
        broker = self.broker()
        good = '{"channel":"a","data":"%d"}\n'
        for bad in ("{", "17", '{"channel":"no channel","data":"x"}',
                    '{"data":"x"}', '{"channel":"a","data":"x","typ":"y"}'):
            before = len(broker.stored())
            done = broker.pub_done("-j", "-i", data=good % 1 + good % 2 +
                                   bad + "\n" + good % 3)
            self.assertEqual(done.returncode, 65, (bad, done.stderr))
            self.assertRegex(done.stderr, r"\b3\b", bad)
            self.assertEqual(len(done.stdout.split()), 2, bad)
            self.assertEqual(len(broker.stored()), before + 2, bad)

    def test_skip_bad_reports_and_goes_on(self):
        broker = self.broker()
        done = broker.pub_done("-j", "-i", "--skip-bad", data=(
            '{"channel":"a","data":"1"}\nnonsense\n'
            '{"channel":"no channel","data":"2"}\n'
            '{"channel":"a","data":"3"}\n'))
        self.assertEqual([row[3] for row in self.texts(broker)], ["1", "3"])
        self.assertEqual(len(done.stdout.split()), 2)
        self.assertRegex(done.stderr, r"\b2\b[^\n]*\n(.*\n)*.*\b3\b")

    def test_notified_counts_the_clients(self):
        broker = self.broker()
        streams = [broker.stream("c") for _ in range(3)]
        for stream in streams:
            stream.start()
        self.assertRegex(broker.pub("-n", "c", "x"), r"\b3\b")
        self.assertRegex(broker.pub("-n", "nobody", "x"), r"\b0\b")
        for stream in streams:
            stream.close()

    def test_a_resync_reaches_the_subscribers(self):
        broker = self.broker()
        with broker.stream("c") as stream:
            stream.start()
            broker.pub("--resync", "c")
            self.assertEqual(stream.control("resync")["channels"], ["c"])

    def test_what_is_closed_does_not_become_the_brokers_socket(self):
        broker = self.broker()

        def shell(words, closed, program=PUBLISH):
            done = subprocess.run(
                ["sh", "-c", '"$0" -s "$1" %s %s' % (words, closed), program,
                 broker.socket], input=b"a\n\xff\nb\n", capture_output=True,
                timeout=60)
            return done.returncode
        self.assertEqual(shell("-i c x", ">&-"), 74)
        self.assertEqual(shell("-i c x", "0<&-"), 0)
        self.assertEqual(shell("-l --skip-bad c", "2>&-"), 65)
        self.assertEqual(shell("status", ">&-",
                               os.path.join(BUILD, "ssemuxctl")), 74)
        self.assertEqual([row[4] for row in broker.stored()],
                         [b"x", b"x", b"a", b"b"])
        self.assertNotIn("malformed", broker.log())

    def test_exit_statuses(self):
        broker = self.broker(publish__max_event="1k")
        for arguments, status in (
                ((), 64), (("-z", "c", "x"), 64),
                (("no channel", "x"), 65), (("c", "x" * 2000), 65),
                (("-t", "two\nlines", "c", "x"), 65),
                (("--json", "c", "{"), 65),
                (("-f", "/nonexistent/file", "c"), 66)):
            done = broker.pub_done(*arguments)
            self.assertEqual(done.returncode, status,
                             (arguments, done.stderr))
            self.assertTrue(done.stderr, arguments)
        done = subprocess.run(
            [PUBLISH, "-s", os.path.join(broker.folder, "none"), "c", "x"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertEqual(broker.stored(), [])

    def test_a_status_for_people(self):
        broker = self.broker()
        broker.pub("c", "x")
        done = subprocess.run(
            [os.path.join(BUILD, "ssemuxctl"), "-s", broker.socket, "status"],
            capture_output=True, text=True, timeout=20)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(done.stdout)

    def test_it_waits_out_a_hub_that_is_killed(self):
        broker = self.broker()
        process = subprocess.Popen(
            [PUBLISH, "-s", broker.socket, "-l", "-i", "c"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        process.stdin.write("one\n")
        process.stdin.flush()
        wait_for(lambda: len(broker.stored()) == 1, "the first event")
        broker.kill_hub()
        out, _ = process.communicate("two\n", timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertEqual(len(out.split()), 2)
        self.assertEqual([row[4] for row in broker.stored()],
                         [b"one", b"two"])


if __name__ == "__main__":
    unittest.main()
