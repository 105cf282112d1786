"""The JavaScript client in Chromium: pages, tabs that share, kills."""
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../scenario"))

from broker import BrokerCase, wait_for  # noqa: E402
from chromium import Browser  # noqa: E402
from origin import Origin  # noqa: E402

LISTEN = """
(async () => {
    const { connect } = await import('/client/src/index.js');
    window.got = {}; window.resyncs = []; window.errors = [];
    window.connection = connect('/stream', {
        first: 50, longest: 500, linger: 50, ...%(options)s });
    connection.on('error', ({ code }) => errors.push(code));
    window.use = (name) => {
        got[name] = [];
        const handle = connection.channel(name);
        handle.on('event', ({ data }) => got[name].push(data));
        handle.on('resync', ({ channels }) => resyncs.push(...channels));
        return handle;
    };
    await use(%(channel)s).ready();
})()
"""


class Page:
    """One tab that listens to a channel."""

    def __init__(self, browser, site, channel, options):
        self.browser = browser
        self.tab = browser.tab()
        browser.open(site.url("/page"))
        self.run(LISTEN % {"channel": repr(channel), "options": options})

    def run(self, script):
        self.browser.turn_to(self.tab)
        return self.browser.run(script)

    def got(self, channel, count):
        wait_for(lambda: self.run("got[%r].length" % channel) >= count,
                 "%d events in %s" % (count, channel), 60)
        return self.run("got[%r]" % channel)

    def close(self):
        self.browser.close_tab(self.tab)


class Client(BrokerCase):
    def setUp(self):
        super().setUp()
        self.running = self.broker(http__retry="50ms")
        self.site = Origin(self.running)
        self.addCleanup(self.site.close)
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def page(self, channel="c", options="{}"):
        return Page(self.browser, self.site, channel, options)

    def publish(self, *numbers, channel="c"):
        with self.running.publisher() as publisher:
            publisher.publish_many((channel, str(n)) for n in numbers)

    def connections(self, count):
        wait_for(lambda: self.running.stats()["totalConnections"] == count,
                 "%d connections" % count)

    def test_a_page_survives_killed_workers_and_cut_wires(self):
        page = self.page()
        expected = []
        for turn in range(4):
            more = [str(turn * 100 + n) for n in range(100)]
            expected += more
            self.publish(*more)
            if turn % 2:
                self.site.cut()
            else:
                for pid in self.running.workers():
                    self.running.kill_worker(pid)
        self.assertEqual(page.got("c", 400), expected)
        self.assertEqual(page.run("resyncs"), [])
        self.connections(1)

    def test_compressed_streams_are_the_same_by_each_transport(self):
        """Through kills, too; with nothing but that coding on offer."""
        for transport in ("fetch", "eventsource"):
            for coding in ("gzip", "zstd"):
                with self.subTest(transport=transport, coding=coding):
                    self.compressed(transport, coding)

    def compressed(self, transport, coding):
        self.running = self.broker(http__retry="50ms", http__compression=coding)
        self.site.close()
        self.site = Origin(self.running)
        self.addCleanup(self.site.close)
        page = self.page(options="{ transport: '%s' }" % transport)
        for number in range(5):
            self.publish(number)
            page.got("c", number + 1)  # before the next is there
        for turn in range(2):
            self.publish(*range(5 + turn * 300, 5 + turn * 300 + 300))
            for pid in self.running.workers():
                self.running.kill_worker(pid)
        self.publish(605)
        self.assertEqual(page.got("c", 606), [str(n) for n in range(606)])
        self.assertEqual(page.run("resyncs"), [])
        # All of it was compressed, for there is no other reader.
        self.assertGreater(self.running.metric("packed_bytes_total"), 0)
        self.assertEqual(
            page.run("fetch('/stream?channels=c').then((answer) => "
                     "answer.headers.get('content-encoding'))"), coding)
        page.close()

    def test_a_second_channel_comes_on_the_same_connection(self):
        page = self.page()
        page.run("use('d').ready()")
        self.publish(1, channel="c")
        self.publish(2, channel="d")
        self.assertEqual(page.got("c", 1), ["1"])
        self.assertEqual(page.got("d", 1), ["2"])
        self.connections(1)

    def test_a_hot_reload_makes_no_second_connection(self):
        page = self.page()
        again = """(async () => {
            const { connect } = await import('/client/src/index.js?%d');
            const again = connect('/stream');
            await again.channel('c').ready();
            return again === connection;
        })()"""
        for turn in range(3):
            self.assertTrue(page.run(again % turn))
        self.connections(1)

    def test_the_own_event_source_as_transport(self):
        page = self.page(options="{ transport: 'eventsource' }")
        self.publish(1)
        self.assertEqual(page.got("c", 1), ["1"])
        self.site.cut()
        self.publish(2)
        self.assertEqual(page.got("c", 2), ["1", "2"])
        page.run("use('d').ready()")
        self.publish(3, channel="d")
        self.assertEqual(page.got("d", 1), ["3"])
        self.connections(1)

    def shared(self, options):
        """Tabs share; each may be closed; the others lose nothing."""
        pages = [self.page(options=options) for _ in range(3)]
        self.connections(1)
        expected, first = [], 0
        while len(pages) > 1:
            before = [str(first + n) for n in range(50)]
            during = [str(first + 50 + n) for n in range(50)]
            first += 100
            self.publish(*before)
            for page in pages:
                page.got("c", len(expected) + 50)
            pages.pop(0).close()  # who came first leads
            self.publish(*during)
            expected += before + during
            for page in pages:
                self.assertEqual(page.got("c", len(expected)), expected)
                self.assertEqual(page.run("resyncs"), [])
            self.connections(1)
        # What is wanted now is what the one that is left wants.
        late = self.page("d", options)
        self.connections(1)
        self.publish("x", channel="d")
        self.assertEqual(late.got("d", 1), ["x"])
        self.assertEqual(pages[0].got("c", len(expected)), expected)
        pages[0].close()
        late.close()
        self.connections(0)

    def test_tabs_share_and_a_leader_that_closes_is_followed(self):
        self.shared("{ shared: true }")

    def test_tabs_share_a_shared_worker(self):
        self.shared("{ shared: 'worker' }")

    def test_more_tabs_share_than_a_browser_has_connections(self):
        pages = [self.page(options="{ shared: true }") for _ in range(8)]
        self.publish(1)
        for page in pages:
            self.assertEqual(page.got("c", 1), ["1"])
        self.connections(1)

    def test_a_shared_leader_survives_killed_workers(self):
        pages = [self.page(options="{ shared: true }") for _ in range(2)]
        for turn in range(3):
            self.publish(*range(turn * 50, turn * 50 + 50))
            for pid in self.running.workers():
                self.running.kill_worker(pid)
        for page in pages:
            self.assertEqual(page.got("c", 150),
                             [str(n) for n in range(150)])
            self.assertEqual(page.run("resyncs"), [])

    def test_the_parser_agrees_with_the_browser(self):
        """Hostile bytes of a stream, to Chromium's parser and to ours."""
        page = self.page()
        self.assertEqual(page.run("""(async () => {
            const { createParser } = await import('/client/src/parser.js');
            const words = ['data', 'id', 'event', ':', ': ', ' ', '\\r', '\\n',
                '\\r\\n', '\\n\\n', '\\r\\r', '\\0', '\\ufeff', '1', 'é', '😀'];
            let seed = 7;
            const pick = () => words[(seed = seed * 48271 % 2147483647) %
                words.length];
            const text = Array.from({ length: 20000 }, pick).join('') +
                '\\n\\nevent:message\\nid:end\\ndata:end\\n\\n';
            const bytes = new TextEncoder().encode(text);
            const ours = [];
            const parser = createParser({ message: ({ name, data, id }) =>
                name === 'message' && ours.push([data, id]) });
            for (let at = 0; at < bytes.length; at += 7)
                parser.feed(bytes.slice(at, at + 7));
            const theirs = [];
            const url = URL.createObjectURL(new Blob([bytes],
                { type: 'text/event-stream' }));
            const source = new EventSource(url);
            await new Promise((done) => {
                source.onmessage = ({ data, lastEventId }) => {
                    theirs.push([data, lastEventId]);
                    if (data === 'end' && lastEventId === 'end')
                        done();
                };
                source.onerror = done;
            });
            source.close();
            return theirs.length > 100 &&
                JSON.stringify(ours) === JSON.stringify(theirs) ||
                [theirs.length, ours.length];
        })()"""), True)


if __name__ == "__main__":
    unittest.main()
