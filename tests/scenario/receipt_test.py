"""Receipts: how many clients an event was handed to, said once and rightly."""
import os
import signal
import time
import unittest

import msgpack_wire as wire
from broker import BrokerCase, wait_for


class Receipts(BrokerCase):
    def counts(self, publisher, last):
        """Reads up to the receipt of event `last`: {seq: clients}. Each comes
        after the event's ack, and in order."""
        acked, out = 0, {}
        while last not in out:
            message = publisher.receive()
            if message[0] == wire.ACK:
                acked = message[1]
            else:
                self.assertEqual(message[0], wire.RECEIPT, message)
                self.assertLessEqual(message[1], acked)
                self.assertGreater(message[1], max(out, default=0))
                out[message[1]] = message[2]
        return out

    def offer_many(self, publisher, channels):
        out = []
        for channel in channels:
            publisher.seq += 1
            out.append(wire.pack([wire.PUBLISH, publisher.seq, channel, None,
                                  None, "x", wire.FLAG_RECEIPT]))
        publisher.send_bytes(b"".join(out))

    def test_each_of_many_pipelined_events_is_counted(self):
        broker = self.broker()
        with broker.stream("a") as first, broker.stream("a,b") as second, \
                broker.publisher() as publisher:
            first.start()
            second.start()
            self.offer_many(publisher, ["a", "b", "c"] * 1000)
            counts = self.counts(publisher, 3000)
        self.assertEqual(list(counts.values()), [2, 1, 0] * 1000)

    def test_counts_begin_anew_with_a_new_hub(self):
        broker = self.broker()
        with broker.stream("a") as stream:
            stream.start()
            for name in ("first", "second", "third"):
                publisher = wait_for(lambda: self.connect(broker, name))
                with publisher:
                    self.offer_many(publisher, ["a", "quiet"] * 64)
                    counts = self.counts(publisher, 128)
                self.assertEqual(list(counts.values()), [1, 0] * 64)
                broker.kill_hub()
                broker.hub()

    @staticmethod
    def connect(broker, name):
        try:
            return broker.publisher(name)
        except (OSError, wire.Closed):
            return None

    def test_a_stuck_worker_is_waited_for_a_second_and_no_longer(self):
        broker = self.broker(broker__workers=1)
        worker = broker.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        try:
            with broker.publisher("asks") as asks, \
                    broker.publisher("others") as others:
                begin = time.monotonic()
                self.offer_many(asks, ["a"])
                # What others publish meanwhile does not put it off.
                asks.ack()
                asks.socket.setblocking(False)
                while not self.has_answer(asks):
                    others.publish("b", "x")
                    self.assertLess(time.monotonic() - begin, 10)
                self.assertGreater(time.monotonic() - begin, 0.5)
        finally:
            os.kill(worker, signal.SIGCONT)

    def has_answer(self, publisher):
        try:
            data = publisher.socket.recv(65536)
        except BlockingIOError:
            return False
        publisher.reader.feed(data)
        message = publisher.reader.next()
        self.assertEqual(message[:2], [wire.RECEIPT, 1])
        return True

    def test_who_asks_too_much_waits_and_others_do_not(self):
        broker = self.broker(broker__workers=1)
        worker = broker.workers()[0]
        with broker.stream("a") as stream, \
                broker.publisher("asks") as asks, \
                broker.publisher("others") as others:
            stream.start()
            os.kill(worker, signal.SIGSTOP)
            try:
                self.offer_many(asks, ["a"] * 1000)
                asks.ack()
                for _ in range(20):
                    others.publish("b", "x")
            finally:
                os.kill(worker, signal.SIGCONT)
            counts = self.counts(asks, 1000)
        self.assertEqual(set(counts.values()), {1})

    def test_a_dead_worker_is_not_waited_for(self):
        broker = self.broker(broker__workers=2)
        worker = broker.workers()[0]
        os.kill(worker, signal.SIGSTOP)
        with broker.publisher() as publisher:
            self.offer_many(publisher, ["a"])
            publisher.ack()
            broker.kill_worker(worker)
            self.assertEqual(publisher.receive()[:2], [wire.RECEIPT, 1])


if __name__ == "__main__":
    unittest.main()
