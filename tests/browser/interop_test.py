"""Other people's clients, in Chromium and in Node, through whatever happens to
a stream: each gets every event exactly once, in order."""
import json
import os
import secrets
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../scenario"))

from broker import BrokerCase, TOP, die_with_test, wait_for  # noqa: E402
from chromium import Browser  # noqa: E402
from origin import Origin  # noqa: E402

CLIENT = os.path.join(TOP, "client")
SECONDS = 90  # one of them waits up to 16 s after some failures


class Node:
    """The clients of Node, in a process of their own."""

    def __init__(self, plan):
        self.process = subprocess.Popen(
            ["node", os.path.join(CLIENT, "test/interop/node.js"),
             json.dumps(plan)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, preexec_fn=die_with_test)

    def records(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(20)


def bundle():
    """The clients of browsers, as one script."""
    return subprocess.run(
        ["node_modules/.bin/esbuild", "test/interop/page.js", "--bundle",
         "--format=esm", "--log-level=warning", "--external:node:crypto"],
        cwd=CLIENT, stdout=subprocess.PIPE, check=True, text=True).stdout


class Interop(BrokerCase):
    def begin(self, plan=None, **settings):
        self.running = self.broker(http__retry="50ms", **settings)
        self.site = Origin(self.running)
        self.addCleanup(self.site.close)
        self.browser = Browser()
        self.addCleanup(self.browser.close)
        self.browser.open(self.site.url("/page"))
        self.browser.run("import(URL.createObjectURL(new Blob([%s], "
                         "{ type: 'text/javascript' }))).then(() => 0)"
                         % json.dumps(bundle()))
        plan = dict(plan or {}, url=self.site.url("/stream?channels=c"))
        self.browser.run("start(%s)" % json.dumps(plan))
        self.node = Node(plan)
        self.addCleanup(self.node.close)
        self.expected = []
        self.until(lambda each: "connected" in each["heard"], "a greeting")
        self.assertEqual(len(self.records()), 6)

    def records(self):
        """What each client has heard."""
        page = json.loads(self.browser.run("JSON.stringify(records)"))
        return dict(page, **self.node.records())

    def until(self, true, what, meanwhile=lambda: None):
        """Waits until it is true of each client."""
        def whole():
            meanwhile()
            return all(map(true, self.records().values()))
        try:
            wait_for(whole, what, SECONDS)
        except TimeoutError:
            self.fail("%s: %s" % (what, {
                name: (each["heard"], each["got"][-3:], len(each["got"]))
                for name, each in self.records().items()
                if not true(each)}))

    def publish(self, count=20):
        more = range(len(self.expected), len(self.expected) + count)
        with self.running.publisher() as publisher:
            publisher.publish_many(("c", str(n)) for n in more)
        self.expected += [str(n) for n in more]

    def all_of_it(self):
        """Each client has had every event once, in order, and no resync."""
        self.until(lambda each: len(each["got"]) >= len(self.expected),
                   "%d events" % len(self.expected))
        for name, each in self.records().items():
            self.assertEqual(each["got"], self.expected, name)
            self.assertNotIn("resync", each["heard"], name)

    def test_each_event_once_through_drops_kills_and_a_drain(self):
        self.begin()
        self.publish()
        self.all_of_it()
        self.site.cut()
        self.publish()
        self.all_of_it()
        for pid in self.running.workers():
            self.running.kill_worker(pid)
            self.publish()
        self.all_of_it()
        self.publish()  # some of it on its way when the end comes
        self.assertEqual(self.running.stop(), 0)
        self.running.start()
        self.publish()
        self.all_of_it()
        self.until(lambda each: each["heard"].get("bye"), "a goodbye")

    def test_each_event_once_through_drops_and_kills_compressed(self):
        # Each in the coding that it asks for.
        self.begin(http__compression="gzip, zstd")
        self.publish()
        self.all_of_it()
        # They all take it.
        text = self.running.metric("packed_text_bytes_total")
        with self.running.stream("c", since="-1") as plain:
            self.assertEqual(text, 6 * sum(
                len(event.raw) for event in plain.start()[1]))
        self.site.cut()
        self.publish()
        for pid in self.running.workers():
            self.running.kill_worker(pid)
            self.publish()
        self.all_of_it()

    def test_each_event_once_through_tokens_that_expire(self):
        secret = secrets.token_hex(32)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "key")
        with open(path, "w") as file:
            file.write(secret)
        self.begin({"secret": secret, "lives": [4, 4, 3600]},
                   auth__mode="jwt", auth__jwt_key_file=path,
                   auth__leeway=0, auth__cookie="session")
        # The first is not renewed in time, the second is, the third lasts.
        self.until(lambda each: each["heard"]["connected"] == 3,
                   "streams by three tokens", lambda: self.publish(1))
        self.publish()
        self.all_of_it()
        late = [name for name, each in self.records().items()
                if "401" in each["heard"]]
        self.assertEqual(late, ["native", "polyfill", "fetchEventSource",
                                "eventsource", "parser"])


if __name__ == "__main__":
    unittest.main()
