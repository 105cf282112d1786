"""Five thousand connections and their shares."""
import os
import resource
import unittest

from broker import BrokerCase
from sse_client import Crowd

CONNECTIONS = 5000


def streams_of(pid):
    """Sockets that the process holds."""
    count = 0
    for name in os.listdir("/proc/%d/fd" % pid):
        try:
            link = os.readlink("/proc/%d/fd/%s" % (pid, name))
        except FileNotFoundError:
            continue
        count += link.startswith("socket:")
    return count


class Balance(BrokerCase):
    def setUp(self):
        super().setUp()
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = CONNECTIONS + 200
        if hard != resource.RLIM_INFINITY and hard < wanted:
            self.skipTest("only %d descriptors are allowed" % hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

    def test_workers_share_five_thousand_streams_within_a_tenth(self):
        for workers in (2, 4):
            with self.subTest(workers=workers):
                self.check(workers)

    def check(self, workers):
        broker = self.broker(broker__workers=workers)
        idle = [streams_of(pid) for pid in broker.workers()]
        with Crowd(broker.port) as crowd:
            while len(crowd.members) < CONNECTIONS:
                new = [crowd.add("c:%d,all" % n) for n in range(100)]
                crowd.until(lambda: all(member.live for member in new), 120)
            held = [streams_of(pid) - before
                    for pid, before in zip(broker.workers(), idle)]
            print("streams per worker:", held)
            # A worker may have made its link to the hub since.
            self.assertIn(sum(held) - CONNECTIONS, range(workers + 1))
            share = CONNECTIONS / workers
            for count in held:
                self.assertLess(abs(count - share), share / 10)
            self.assertEqual(broker.stats()["streams"], CONNECTIONS)
            with broker.publisher() as publisher:
                publisher.publish("all", "to everybody")
                publisher.publish("c:7", "to some")
            crowd.until(lambda: all(member.cursors for member in
                                    crowd.members), 60)
            crowd.until(lambda: sum(len(member.cursors) == 2 for member in
                                    crowd.members) == CONNECTIONS // 100, 60)
            self.assertEqual(sum(len(member.cursors) for member in
                                 crowd.members), CONNECTIONS * 101 // 100)


if __name__ == "__main__":
    unittest.main()
