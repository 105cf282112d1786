"""Receipts with all counts: how many streams matched, got it, lag, or do not
take it; against a model, and with workers that die or are stuck."""
import os
import random
import signal
import subprocess
import unittest

import msgpack_wire as wire
import sse_client
from broker import BrokerCase, PUBLISH, SCALE, wait_for

CHANNELS = ["a", "b:1", "b:2", "c"]
PATTERNS = CHANNELS + ["b:*", "*"]
TYPES = ["", "order.new", "order.old", "page.view"]
FILTERS = ["", "order.*", "!order.old", "page.view"]


def covers(pattern, channel):
    return (pattern in ("*", channel) or
            pattern.endswith(":*") and channel.startswith(pattern[:-1]))


def passes(types, kind):
    if types == "":
        return True
    if types.startswith("!"):
        return kind != types[1:]
    if types.endswith("*"):
        return kind.startswith(types[:-1])
    return kind == types


class Client:
    """A stream, and what the model says of it."""

    def __init__(self, broker, patterns, types, stalls):
        self.patterns, self.types, self.stalls = patterns, types, stalls
        names = patterns + (["fill"] if stalls else [])
        self.stream = broker.stream(
            ",".join(names), query="&types=" + types if types else "",
            receive_buffer=4096 if stalls else None)
        self.stream.start()

    def fate(self, channel, kind):
        if not any(covers(each, channel) for each in self.patterns):
            return None
        if not passes(self.types, kind):
            return "filtered"
        return "lagging" if self.stalls else "written"


class Counts(BrokerCase):
    SLOW = {"http__send_buffer": "128k", "publish__max_event": "32k"}

    def count(self, publisher, channel, kind=None, data="x"):
        """Publishes one event; the counts of its receipt."""
        seq = publisher.offer(channel, data, kind, flags=wire.FLAG_COUNTS)
        self.assertEqual(publisher.ack()[0], seq)
        message = publisher.receive()
        self.assertEqual(message[:2], [wire.RECEIPT, seq])
        names = ("written", "matched", "lagging", "filtered", "late")
        counts = dict(zip(names, message[2:], strict=True))
        self.assertEqual(counts["matched"], counts["written"] +
                         counts["lagging"] + counts["filtered"])
        return counts

    def fill(self, publisher, channel, clients):
        """Until so many do not get what is published there any more."""
        wait_for(lambda: self.count(publisher, channel, "page.view",
                                    "x" * 30000)["lagging"] == clients,
                 "full sockets")

    def test_all_counts_are_those_of_a_model(self):
        for seed in range(SCALE):
            with self.subTest(seed=seed):
                self.run_model(random.Random(seed))

    def run_model(self, rng):
        broker = self.broker(broker__workers=3, **self.SLOW)
        clients = [Client(broker,
                          rng.sample(PATTERNS[:-1], rng.randint(1, 3)),
                          rng.choice(FILTERS[::3] if stalls else FILTERS),
                          stalls)
                   for stalls in [False] * 30 + [True] * 8]
        with broker.publisher() as publisher:
            self.fill(publisher, "fill", 8)
            for _ in range(100):
                channel, kind = rng.choice(CHANNELS), rng.choice(TYPES)
                counts = self.count(publisher, channel, kind)
                fates = [each.fate(channel, kind) for each in clients]
                self.assertEqual(
                    {name: fates.count(name) for name in (
                        "written", "lagging", "filtered")},
                    {name: counts[name] for name in (
                        "written", "lagging", "filtered")},
                    (channel, kind))
                self.assertEqual(counts["late"], 0)
                if rng.random() < 0.1:
                    gone = clients.pop(rng.randrange(len(clients)))
                    streams = broker.stats()["totalConnections"]
                    gone.stream.close()
                    wait_for(lambda: broker.stats()["totalConnections"] ==
                             streams - 1, "the end of a stream")
        for client in clients:
            client.stream.close()

    def test_who_lags_and_reads_on_is_counted_as_written(self):
        broker = self.broker(**self.SLOW)
        with broker.stream("a,fill", receive_buffer=4096) as stream, \
                broker.publisher() as publisher:
            stream.start()
            self.fill(publisher, "fill", 1)
            counts = self.count(publisher, "a")
            self.assertEqual((counts["matched"], counts["lagging"]), (1, 1))

            def got():
                while stream.fill(0):
                    pass
                return self.count(publisher, "a")["written"] == 1
            wait_for(got, "a reader that is at the head")

    def workers_streams(self, broker):
        """How many streams each worker has."""
        return [row["streams"] for row in broker.stats()["workers"]]

    def test_a_worker_that_dies_takes_its_streams_out_of_the_counts(self):
        broker = self.broker(broker__workers=3)
        streams = [broker.stream("a") for _ in range(12)]
        for stream in streams:
            stream.start()
        before = self.workers_streams(broker)
        self.assertEqual(sum(before), 12)
        worker = broker.workers()[1]
        with broker.publisher() as publisher:
            os.kill(worker, signal.SIGSTOP)
            seq = publisher.offer("a", "x", flags=wire.FLAG_COUNTS)
            publisher.ack()
            broker.kill_worker(worker)
            left = 12 - before[1]
            self.assertEqual(publisher.receive(),
                             [wire.RECEIPT, seq, left, left, 0, 0, 0])
            # And those that it had counted itself.
            broker.workers()
            self.assertEqual(self.count(publisher, "a")["matched"], left)
        for stream in streams:
            stream.close()

    def test_a_worker_that_is_stuck_is_late(self):
        broker = self.broker(broker__workers=2)
        streams = [broker.stream("a") for _ in range(8)]
        for stream in streams:
            stream.start()
        before = self.workers_streams(broker)
        worker = broker.workers()[0]
        with broker.publisher() as publisher:
            os.kill(worker, signal.SIGSTOP)
            try:
                counts = self.count(publisher, "a")
            finally:
                os.kill(worker, signal.SIGCONT)
            self.assertEqual(
                counts, {"written": before[1], "matched": before[1],
                         "lagging": 0, "filtered": 0, "late": 1})
        for stream in streams:
            stream.close()

    def while_open(self, query, offer):
        """Receipts that are held open by a worker that is stuck, of what is
        offered meanwhile: [(written, lagging, filtered)]. There is one stream,
        on the other worker."""
        broker = self.broker(broker__workers=2)
        with broker.stream("a", query=query) as stream, \
                broker.publisher() as publisher:
            connected, _ = stream.start()
            stuck = broker.workers()[self.workers_streams(broker).index(0)]
            os.kill(stuck, signal.SIGSTOP)
            try:
                offer(broker, publisher, connected["stream"])
                out = []
                while len(out) < publisher.seq:
                    message = publisher.receive()
                    if message[0] == wire.RECEIPT:
                        self.assertEqual(message[6], 1)
                        out.append((message[2], message[4], message[5]))
            finally:
                os.kill(stuck, signal.SIGCONT)
        return out

    def test_what_is_passed_over_while_the_receipt_is_open_is_filtered(self):
        def offer(_, publisher, __):
            for _ in range(3):
                publisher.offer("a", "x", key="k", flags=wire.FLAG_COUNTS)
        for _ in range(10):
            counts = self.while_open("&conflate=100", offer)
            self.assertEqual(counts[2], (1, 0, 0))
            self.assertLessEqual(set(counts), {(1, 0, 0), (0, 0, 1)})
            if (0, 0, 1) in counts:
                return
        self.fail("nothing was passed over")

    def test_a_channel_that_is_left_is_not_counted_and_one_added_is(self):
        broker = self.broker(**self.SLOW)
        with broker.stream("a,fill", receive_buffer=4096) as stream, \
                broker.publisher() as publisher:
            connected, _ = stream.start()
            self.fill(publisher, "fill", 1)
            self.assertEqual(self.count(publisher, "a")["lagging"], 1)
            status, _ = sse_client.post_json(
                broker.port, "/stream/" + connected["stream"],
                {"unsubscribe": ["a"], "subscribe": ["b"]})
            self.assertEqual(status, 200)
            self.assertEqual(self.count(publisher, "a")["matched"], 0)
            self.assertEqual(self.count(publisher, "b")["lagging"], 1)

    def test_one_client_that_asks_less_gets_what_it_always_got(self):
        broker = self.broker()
        with broker.stream("a") as stream, broker.publisher() as publisher:
            stream.start()
            seq = publisher.offer("a", "x", flags=wire.FLAG_RECEIPT)
            publisher.ack()
            # Byte by byte: no element more.
            self.assertEqual(publisher.receive(), [wire.RECEIPT, seq, 1])
            publisher.offer("a", "x", flags=16)
            with self.assertRaises(wire.Refused) as caught:
                publisher.ack()
            self.assertEqual(caught.exception.code, "flags")

    def test_ssemux_pub_prints_them(self):
        broker = self.broker()
        with broker.stream("a") as stream, \
                broker.stream("a", query="&types=x") as other:
            stream.start()
            other.start()
            lines = broker.pub("-N", "-l", "a", data="1\n2\n").splitlines()
            row = "%s matched=2 written=1 lagging=0 filtered=1 late=0"
            self.assertEqual(lines, [row % event.id
                                     for event in stream.events(2)])
        self.assertEqual(broker.pub_done("-n", "-N", "a").returncode, 64)
        self.assertIn("--receipts", subprocess.run(
            [PUBLISH, "--help"], capture_output=True, text=True,
            check=True).stdout)


if __name__ == "__main__":
    unittest.main()
