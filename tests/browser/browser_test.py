"""Chromium's own EventSource, and the live page."""
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../scenario"))

import msgpack_wire as wire  # noqa: E402
from broker import OUT, BrokerCase, wait_for  # noqa: E402
from chromium import Browser  # noqa: E402

HOSTILE = [
    "plain", "a\rb", "a\nb", "a\r\nb", "\r", "\n", "\r\n", "\n\n", "",
    "nul\0nul", "\0", "\ufeffbom", "\ufeff", "id: 1-1", "event: bye",
    "data: x", "retry: 1", ":hb", "x\n\nevent: bye\ndata: {}\n\n",
    "x\rid: 7\r\rdata: y\r\r", " leading and trailing ", "\t",
    "\U0001f600\U00010348", "\u2028\u2029\x85\xa0", "\x01\x08\x0c\x1f\x7f",
    "\"\\/</script>", "x" * 65536, "\U0001f600" * 16384, "\r\n" * 32768,
]

LISTEN = """
window.got = []; window.opens = 0; window.controls = [];
window.source = new EventSource(%s);
source.onopen = () => { opens++; };
source.onmessage = (event) => {
    got.push([event.lastEventId, event.data]);
};
for (const name of ["connected", "live", "resync", "bye"])
    source.addEventListener(name, () => { controls.push(name); });
undefined
"""


class Page(BrokerCase):
    def setUp(self):
        super().setUp()
        self.browser = Browser()
        self.addCleanup(self.browser.close)

    def listen(self, broker, target):
        """Opens an EventSource in a page of the same origin."""
        self.browser.open("http://127.0.0.1:%d/healthz" % broker.port)
        self.browser.run(LISTEN % json.dumps(target))
        wait_for(lambda: "live" in self.browser.run("controls"), "live")

    def got(self, count):
        wait_for(lambda: self.browser.run("got.length") >= count,
                 "%d events" % count, 60)
        return self.browser.run("got")

    def test_event_source_receives_hostile_text_unchanged(self):
        broker = self.broker(publish__max_event="128k")
        self.listen(broker, "/stream?channels=h")
        with broker.publisher() as publisher:
            cursors = [wire.cursor_text(publisher.publish(
                "h", text, "t", "k", wire.FLAG_TEXT)) for text in HOSTILE]
        got = self.got(len(HOSTILE))
        self.assertEqual([row[0] for row in got], cursors)
        rows = [json.loads(row[1]) for row in got]
        self.assertEqual([row["data"] for row in rows], HOSTILE)
        self.assertEqual({(row["channel"], row["type"], row["key"])
                          for row in rows}, {("h", "t", "k")})
        self.assertEqual(self.browser.run("controls"), ["connected", "live"])
        self.assertEqual(self.browser.run("opens"), 1)

    def test_event_source_resumes_by_itself_when_its_worker_dies(self):
        broker = self.broker(broker__workers=1, http__retry="50ms")
        self.listen(broker, "/stream?channels=c")
        dice = random.Random(1)
        total = 0
        with broker.publisher() as publisher:
            for turn in range(5):
                count = dice.randrange(50, 300)
                publisher.publish_many(("c", str(total + n))
                                       for n in range(count))
                total += count
                if turn % 2:
                    self.got(total)
                broker.kill_worker(broker.workers()[0])
                publisher.publish("c", str(total))
                total += 1
                wait_for(lambda: self.browser.run("opens") >= turn + 2,
                         "the browser's return")
        got = self.got(total)
        self.assertEqual([json.loads(row[1])["data"] for row in got],
                         [str(n) for n in range(total)])
        self.assertNotIn("resync", self.browser.run("controls"))

    def test_event_source_returns_after_a_drain_and_a_start(self):
        broker = self.broker(http__retry="50ms")
        self.listen(broker, "/stream?channels=c")
        with broker.publisher() as publisher:
            publisher.publish("c", "before")
        self.got(1)
        self.assertEqual(broker.stop(), 0)
        broker.start()
        with broker.publisher() as publisher:
            publisher.publish("c", "after")
        self.assertEqual([json.loads(row[1])["data"] for row in self.got(2)],
                         ["before", "after"])

    def test_the_live_page_shows_events_as_text(self):
        broker = self.broker(http__dashboard="on")
        self.browser.open("http://127.0.0.1:%d/" % broker.port)

        def text():
            return self.browser.run("document.body.innerText")
        with broker.publisher() as publisher:
            # Until the page listens, events pass it by.
            wait_for(lambda: publisher.publish("orders:42", "hello page",
                                               "order.updated", "ord_1") and
                     "hello page" in text(), "an event on the page")
            publisher.publish("evil", "<img src=x onerror=window.evil=1>"
                              "<b id=forged>bold</b>", "<i>", "</td>")
            publisher.publish("json", '{"status":"shipped","n":[1,2,3]}')
        wait_for(lambda: "shipped" in text(), "the last event")
        self.assertIn("<b id=forged>", text())
        self.assertFalse(self.browser.run(
            "!!document.getElementById('forged') || !!window.evil"))
        self.assertIn("orders:42", text())
        self.assertIn("order.updated", text())
        self.browser.screenshot(os.path.join(OUT, "live-page.png"))


if __name__ == "__main__":
    unittest.main()
