"""Memory of a worker: bounded, whoever does not read and whatever is
published. make check-long has 5,000 streams and 1,000,000 events."""
import resource
import unittest

import msgpack_wire as wire
from broker import SANITIZED, SCALE, BrokerCase, own_kib, worker_bound_kib
from sse_client import Crowd

STREAMS = 500 * SCALE
EVENTS = 100000 * SCALE
OTHERS = 10000 * SCALE
TURNS = 5
WINDOW, WINDOW_EVENTS = 4 << 20, 8192


def raise_descriptors(wanted):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class MemoryTest(BrokerCase):
    def test_streams_that_never_read_cost_what_they_did_before(self):
        raise_descriptors(STREAMS + 1000)
        broker = self.broker(
            broker__workers=1, broker__window=WINDOW,
            broker__window_events=WINDOW_EVENTS, http__send_buffer="4k",
            history__max_events=10 * EVENTS)
        worker = broker.workers()[0]
        start = own_kib(worker)
        with Crowd(broker.port) as crowd, broker.publisher() as publisher:
            members = []
            while len(members) < STREAMS:
                members += [crowd.add("c") for _ in range(100)]
                crowd.until(lambda: all(each.live for each in members[-100:]))
            for member in members:
                member.pause()
            opened = own_kib(worker)
            cursors, memory = [], []
            for _ in range(2):
                for _ in range(0, EVENTS // 2, 10000):
                    cursors += publisher.publish_many(
                        ("c", "x" * 200) for _ in range(10000))
                # One who reads has the last when the worker has seen all.
                reader = crowd.add("c", last_id=wire.cursor_text(cursors[-2]))
                crowd.until(lambda: reader.live, 600)
                reader.pause()
                memory.append(own_kib(worker))
            half, after = memory
            bound = worker_bound_kib(WINDOW, WINDOW_EVENTS, STREAMS + 2)
            print("Memory of the worker, KiB: %d, %d with %d streams, "
                  "%d after %d events, %d after %d; bound %d" % (
                      start, opened, STREAMS, half, EVENTS // 2, after,
                      EVENTS, bound))
            self.assertGreaterEqual(broker.stats()["streams_behind"], STREAMS)
            if not SANITIZED:  # whose memory is its own
                self.assertLess(after, bound)
                self.assertLess(after, half + 1024)
            # And nothing was lost meanwhile.
            members[0].go_on()
            crowd.until(lambda: len(members[0].cursors) > 3000, 600)
            self.assertEqual(
                members[0].cursors,
                list(map(wire.cursor_text,
                         cursors[:len(members[0].cursors)])))

    def test_idle_streams_cost_the_same_whatever_is_published(self):
        """Neither events of others nor the number of channels adds to what a
        stream takes."""
        raise_descriptors(STREAMS + 1000)
        broker = self.broker(broker__workers=1, broker__window="1m",
                             broker__window_events=4096)
        worker = broker.workers()[0]
        start = own_kib(worker)
        memory = []
        with Crowd(broker.port) as crowd, broker.publisher() as publisher:
            members = [crowd.add("turns")]
            while len(members) < STREAMS:
                members += [crowd.add("mine:%d" % (len(members) + n))
                            for n in range(100)]
                crowd.until(lambda: all(each.live for each in members[-100:]))
            memory.append(own_kib(worker))
            for turn in range(TURNS):
                for at in range(0, OTHERS, 5000):
                    publisher.publish_many(
                        ("other:%d:%d" % (turn, at + n), "x" * 100)
                        for n in range(5000))
                # Who has it is told when the worker has seen all of them.
                publisher.publish("turns", "over")
                crowd.until(lambda: len(members[0].cursors) == turn + 1, 600)
                memory.append(own_kib(worker))
            self.assertFalse(any(each.cursors for each in members[1:]))
            publisher.publish("mine:1", "at last")
            crowd.until(lambda: len(members[1].cursors) == 1)
        print("Memory of the worker, KiB: %d; with %d idle streams %d; after "
              "%d events, each on a channel of its own, %s" % (
                  start, STREAMS, memory[0], OTHERS, memory[1:]))
        if not SANITIZED:
            # What is kept for each event would grow in every turn; what the
            # store's reader takes once, or malloc, does in one.
            self.assertLess(min(after - before for before, after
                                in zip(memory[1:], memory[2:])), 128)
            self.assertLess(memory[-1], memory[1] + 1024)


if __name__ == "__main__":
    unittest.main()
