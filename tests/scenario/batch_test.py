"""What is there is committed together: many publishers, or much of one."""
import os
import re
import signal
import socket
import unittest

import msgpack_wire as wire
from broker import BrokerCase

PUBLISHERS = 50
EVENTS = 300  # of 1,000 bytes each: more than the hub reads at once


def batches(broker):
    return int(re.search(rb"^ssemux_batches_total (\d+)$",
                         broker.get("/metrics")[1], re.M).group(1))


class Batch(BrokerCase):
    def setUp(self):
        super().setUp()
        self.at_rest = self.broker()
        self.hub = self.at_rest.hub()

    def batches_of(self, publish, answer):
        """How many commits it takes to store what came while the hub was not
        looking."""
        before = batches(self.at_rest)
        os.kill(self.hub, signal.SIGSTOP)
        try:
            publish()
        finally:
            os.kill(self.hub, signal.SIGCONT)
        answer()
        return batches(self.at_rest) - before

    def test_publishers_that_wait_share_commits(self):
        publishers = [self.at_rest.publisher("p%d" % n)
                      for n in range(PUBLISHERS)]

        def publish():
            for publisher in publishers:
                publisher.offer("c", "x")

        def answer():
            for publisher in publishers:
                self.assertEqual(publisher.ack()[0], 1)
                publisher.close()
        # Two: the hub may be stopped between its look and its reading.
        self.assertLessEqual(self.batches_of(publish, answer), 2)
        self.assertEqual(len(self.at_rest.stored()), PUBLISHERS)

    def test_much_of_one_publisher_is_one_commit(self):
        with self.at_rest.publisher() as publisher:
            publisher.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF,
                                        180000)  # the kernel doubles it
            data = b"".join(
                wire.pack([wire.PUBLISH, seq, "c", None, None, "x" * 1000])
                for seq in range(1, EVENTS + 1))

            def publish():
                publisher.send_bytes(data)

            def answer():
                for seq in range(1, EVENTS + 1):
                    self.assertEqual(publisher.ack()[0], seq)
            self.assertLessEqual(self.batches_of(publish, answer), 2)
        self.assertEqual(len(self.at_rest.stored()), EVENTS)


if __name__ == "__main__":
    unittest.main()
