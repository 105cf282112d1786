"""Subscribers at different distances from the head of the log."""
import json
import os
import signal
import unittest

import msgpack_wire as wire
from broker import BrokerCase, pss_kib, tagged, wait_for
from sse_client import Crowd, Ended


def rows(count, size=100, channel="c"):
    return ((channel, "%d " % n + "x" * size) for n in range(count))


def unacknowledged(port):
    """Bytes that the kernel has for the connection that has most of them."""
    with open("/proc/net/tcp") as file:
        lines = [line.split() for line in list(file)[1:]]
    return max(int(each[4].split(":")[0], 16) for each in lines
               if each[1].endswith(":%04X" % port) and each[3] == "01")


class Slow(BrokerCase):
    def test_who_stops_reading_costs_no_more_and_gets_all_in_the_end(self):
        """Two brokers that differ in one thing: whether the subscriber reads.
        The memory of the worker is the same."""
        count, memory = 100000, {}
        for reads in (True, False):
            broker = self.broker(broker__workers=1, broker__window="1m",
                                 broker__ring="1m", http__send_buffer="8k")
            with Crowd(broker.port) as crowd, broker.publisher() as publisher:
                stopped, reader = crowd.add("c"), crowd.add("c")
                crowd.until(lambda: stopped.live and reader.live)
                if not reads:
                    stopped.pause()
                cursors = []
                for _ in range(count // 1000):
                    cursors += publisher.publish_many(rows(1000))
                    crowd.turn()
                # It delays no one: the other has all, while it still sleeps.
                crowd.until(lambda: len(reader.cursors) == count, 120)
                if reads:
                    crowd.until(lambda: len(stopped.cursors) == count, 120)
                else:
                    self.assertLess(len(stopped.cursors), count)
                memory[reads] = pss_kib(broker.workers()[0])
                if not reads:
                    stopped.go_on()
                    crowd.until(lambda: len(stopped.cursors) == count, 120)
                self.assertEqual(stopped.cursors,
                                 list(map(wire.cursor_text, cursors)))
                self.assertEqual(stopped.digest.digest(),
                                 reader.digest.digest())
                self.assertEqual(stopped.drops, 0)
        print("PSS of the worker, KiB: %d while it reads, %d while it does "
              "not" % (memory[True], memory[False]))
        self.assertLess(memory[False], memory[True] + 1024)

    def test_who_stops_until_history_is_gone_gets_a_resync(self):
        """In the same stream; or, when just the event that it had half of is
        gone, in the next one."""
        broker = self.broker(broker__workers=1, broker__window="256k",
                             broker__ring="256k", http__send_buffer="4k",
                             publish__max_event="16k",
                             history__max_events=500)
        stream = broker.stream("c,quiet", receive_buffer=4096)
        stream.start()
        with broker.publisher() as publisher:
            publisher.publish("quiet", "early")
            cursors = [wire.cursor_text(cursor) for cursor in
                       publisher.publish_many(rows(20000))]
        kept = wait_for(lambda: len(broker.stored()) <= 500 and
                        broker.stored(), "the trimming")
        resyncs, ids, streams = [], [], 1
        while not ids or ids[-1] != cursors[-1]:
            try:
                event = stream.next()
            except Ended:
                last, streams = stream.last_id, streams + 1
                stream.close()
                stream = broker.stream("c,quiet", last_id=last)
                continue
            if event.name == "resync":
                resyncs.append(event.data)
            elif event.id is not None:
                ids.append(event.id)
        stream.close()
        self.assertLessEqual(streams, 2)
        self.assertEqual(ids, sorted(set(ids), key=wire.cursor_number))
        self.assertLess(len(ids), len(cursors))
        self.assertTrue(resyncs)
        for data in resyncs:
            self.assertEqual(json.loads(data),
                             {"channels": ["c"], "reason": "history"})
        # All that the store still has came.
        self.assertEqual(ids[-len(kept):], cursors[-len(kept):])

    def test_what_waits_in_the_kernel_is_little(self):
        """Of who does not read, whatever the send buffer holds."""
        waiting = {}
        for unsent in ("32k", "0"):
            broker = self.broker(broker__workers=1, http__send_buffer="1m",
                                 http__send_unsent=unsent)
            stream = broker.stream("c", receive_buffer=4096)
            stream.start()
            with broker.publisher() as publisher:
                publisher.publish_many(rows(4000, 1000))
            wait_for(lambda: broker.stats()["streams_behind"] == 1,
                     "the socket to be full")
            waiting[unsent] = unacknowledged(broker.port)
            stream.close()
        self.assertLess(waiting["32k"], 150000)
        self.assertGreater(waiting["0"], 500000)

    def test_a_long_catch_up_delays_no_live_subscriber(self):
        """The live one has every new event before the other is through with
        the old ones: an order, not a time."""
        broker = self.broker(broker__workers=1, broker__window="1m",
                             broker__ring="1m")
        with broker.publisher() as publisher:
            publisher.publish_many(rows(60000, 500))
            with Crowd(broker.port) as crowd:
                live = crowd.add("c")
                crowd.until(lambda: live.live)
                late = [crowd.add("c", "&since=0-0") for _ in range(4)]
                crowd.until(lambda: all(member.cursors for member in late))
                overtaken = []
                for number in range(20):
                    cursor = wire.cursor_text(
                        publisher.publish("c", "new %d" % number))
                    crowd.until(lambda: live.cursors and
                                live.cursors[-1] == cursor)
                    overtaken.append(all(cursor not in member.cursors[-50:]
                                         for member in late))
                self.assertGreater(overtaken.count(True), 10, overtaken)
                crowd.until(lambda: all(len(member.cursors) == 60020
                                        for member in late), 120)
                for member in late:
                    self.assertEqual(member.cursors[-20:], live.cursors)

    def test_a_worker_that_is_lapped_recovers_from_the_store(self):
        broker = self.broker(broker__workers=1, broker__ring="262144",
                             broker__window="262144",
                             publish__max_event="16k")
        with broker.stream("c") as stream, \
                broker.stream("c", query="&format=raw") as raw, \
                broker.publisher() as publisher:
            stream.start()
            raw.start()
            cursors = []
            for _ in range(3):
                worker = broker.workers()[0]
                os.kill(worker, signal.SIGSTOP)
                try:  # many times the size of the ring
                    cursors += publisher.publish_many(rows(5000, 500))
                finally:
                    os.kill(worker, signal.SIGCONT)
            stream.timeout = raw.timeout = 60
            events = stream.events(len(cursors))
            self.assertEqual([event.id for event in events],
                             list(map(wire.cursor_text, cursors)))
            self.assertEqual(tagged(events[4999])["data"].split()[0], "4999")
            self.assertEqual([event.id for event in raw.events(len(cursors))],
                             list(map(wire.cursor_text, cursors)))

    def test_a_worker_that_stops_does_not_stop_the_hub_or_the_others(self):
        broker = self.broker(broker__workers=2, broker__ring="262144",
                             publish__max_event="16k")
        with Crowd(broker.port) as crowd, broker.publisher() as publisher:
            members = [crowd.add("c") for _ in range(30)]
            crowd.until(lambda: all(member.live for member in members))
            stopped = broker.workers()[0]
            os.kill(stopped, signal.SIGSTOP)
            try:
                publisher.publish_many(rows(3000))
                crowd.until(lambda: sum(len(member.cursors) == 3000
                                        for member in members) >= 5)
                self.assertTrue(any(not member.cursors for member in members))
            finally:
                os.kill(stopped, signal.SIGCONT)
            crowd.until(lambda: all(len(member.cursors) == 3000
                                    for member in members))
            self.assertEqual(
                len({member.digest.digest() for member in members}), 1)

    def test_clients_that_join_and_stop_all_the_time_miss_nothing(self):
        """Cursors at all distances: each reads on where it stopped."""
        broker = self.broker(broker__window="512k", broker__ring="512k")
        with Crowd(broker.port) as crowd, broker.publisher() as publisher:
            first = wire.cursor_text(publisher.publish("a", "begin"))
            members = [crowd.add("*", "&since=" + first) for _ in range(20)]
            total = 0
            for turn in range(60):
                publisher.publish_many(
                    (("a", "b", "a:x")[n % 3], "%d %d " % (turn, n) +
                     "y" * 200) for n in range(200))
                total += 200
                member = members[turn % len(members)]
                crowd.turn()
                if turn % 3 == 0:
                    member.reopen()
                elif member.paused and not member.ended:
                    member.go_on()
                elif turn % 3 == 1:
                    member.pause()
            for member in members:
                if member.paused:
                    member.go_on()
            crowd.until(lambda: all(len(member.cursors) == total
                                    for member in members), 120)
            self.assertEqual(
                len({member.digest.digest() for member in members}), 1)


if __name__ == "__main__":
    unittest.main()
