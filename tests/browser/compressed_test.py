"""Compressed streams in Chromium, curl and Node: each event is there before the
next one is published."""
import base64
import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../scenario"))

from broker import BrokerCase, die_with_test, wait_for  # noqa: E402
from chromium import Browser  # noqa: E402
from sse_client import DECODERS, Parser  # noqa: E402

EVENTS = ["one", "", "x" * 70000, "two", "\U0001f600" * 2000, "three"]

PAGE = """
window.got = []; window.coding = null; window.read = 0;
window.source = new EventSource(%(target)s);
source.onmessage = (event) => { got.push(JSON.parse(event.data).data); };
fetch(%(target)s).then(async (answer) => {
    coding = answer.headers.get('content-encoding');
    for (const reader = answer.body.getReader();;) {
        const { done, value } = await reader.read();
        if (done) break;
        read += value.length;
    }
});
undefined
"""

NODE = """
const http = require('node:http'), zlib = require('node:zlib');
const got = (name, parse = '') => (text) => {
    const blocks = (parse += text).split('\\n\\n');
    parse = blocks.pop();
    for (const block of blocks) {
        const data = /^id: .*\\ndata: (.*)/.exec(block);
        if (data)
            console.log(JSON.stringify([name, JSON.parse(data[1]).data]));
    }
};
const [, url, coding] = process.argv;
const decoder = {
    gzip: () => zlib.createGunzip({ flush: zlib.constants.Z_SYNC_FLUSH }),
    zstd: zlib.createZstdDecompress, // from Node 22.15 on
}[coding];
http.get(url, { headers: { 'Accept-Encoding': coding } }, (answer) => {
    if (answer.headers['content-encoding'] !== coding) process.exit(1);
    if (decoder)
        answer.pipe(decoder()).setEncoding('utf8').on('data', got('zlib'));
    else
        answer.on('data', (bytes) => console.log(
            JSON.stringify(['bytes', bytes.toString('base64')])));
});
// It asks for gzip, and not for zstd.
fetch(url).then(async (answer) => {
    if (answer.headers.get('content-encoding') !== 'gzip') process.exit(1);
    const take = got('fetch');
    for await (const text of answer.body.pipeThrough(new TextDecoderStream()))
        take(text);
});
"""


class Compressed:
    """What holds for each coding."""

    def setUp(self):
        super().setUp()
        self.running = self.broker(http__compression=self.made,
                                   publish__max_event="128k")
        self.url = "http://127.0.0.1:%d/stream?channels=c" % self.running.port

    def run_it(self, *command):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True,
            preexec_fn=die_with_test)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.kill)
        return process

    def streams(self, count):
        wait_for(lambda: self.running.stats()["streams"] == count and
                 self.running.stats()["streams_behind"] == 0, "the streams")

    def test_chromium_has_each_event_as_it_is_published(self):
        browser = Browser()
        self.addCleanup(browser.close)
        browser.open("http://127.0.0.1:%d/healthz" % self.running.port)
        browser.run(PAGE % {"target": json.dumps("/stream?channels=c")})
        self.streams(2)
        with self.running.publisher() as publisher:
            for number, data in enumerate(EVENTS):
                before = browser.run("read")
                publisher.publish("c", data)
                wait_for(lambda: browser.run("got.length") > number and
                         browser.run("read") > before, "event %d" % number)
        self.assertEqual(browser.run("got"), EVENTS)
        self.assertEqual(browser.run("coding"), self.coding)
        self.assertGreaterEqual(self.running.metric("packs_written_total"),
                                2 * len(EVENTS))

    def test_node_has_each_event_as_it_is_published(self):
        node = self.run_it("node", "-e", NODE, self.url, self.coding)
        decoder, parser = DECODERS[self.coding](), Parser()
        got = {"fetch": [], "zlib": []}

        def take():
            name, data = json.loads(node.stdout.readline())
            if name != "bytes":
                got[name].append(data)
                return
            # This Node is too old for zstd: what it has got is read here.
            got["zlib"] += [
                json.loads(event.data)["data"] for event in parser.feed(
                    decoder.decompress(base64.b64decode(data)))
                if event.name == "message"]
        self.streams(2)
        with self.running.publisher() as publisher:
            for count, data in enumerate(EVENTS, 1):
                publisher.publish("c", data)
                while min(map(len, got.values())) < count:
                    take()
                self.assertEqual(got, dict.fromkeys(got, EVENTS[:count]))

    def test_curl_has_each_event_as_it_is_published(self):
        curl = self.run_it("curl", "-sN", "--compressed", "-D", "-", self.url)
        self.assertIn("Content-Encoding: %s\n" % self.coding,
                      [curl.stdout.readline() for _ in range(12)])
        self.streams(1)
        with self.running.publisher() as publisher:
            for data in EVENTS:
                publisher.publish("c", data)
                line = ""
                while not line.startswith('data: {"channel":"c"'):
                    line = curl.stdout.readline()
                self.assertEqual(json.loads(line[6:])["data"], data)
        # Each was a pack, which is counted when it is out.
        wait_for(lambda: self.running.metric("packs_written_total") ==
                 len(EVENTS), "as many packs as events")
        # One that ends by itself is a whole file to it.
        done = subprocess.run(
            ["curl", "-sS", "--compressed", self.url +
             "&since=-1&live=false"], capture_output=True, timeout=20)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        self.assertEqual(done.stdout.count(b"\nid: "), len(EVENTS))


class Gzip(Compressed, BrokerCase):
    coding = made = "gzip"


class Zstd(Compressed, BrokerCase):
    coding, made = "zstd", "gzip, zstd"  # who takes both gets it


if __name__ == "__main__":
    unittest.main()
