"""Processes killed at random moments under continuous publishing: every
acknowledged event is delivered and stored exactly once, in order."""
import os
import random
import signal
import sqlite3
import threading
import unittest

import msgpack_wire as wire
import steady
from broker import SCALE, BrokerCase, alive, tagged, wait_for
from sse_client import Crowd, Ended


class Reader(threading.Thread):
    """Reads one stream to the end of the test, from its last event on again
    whenever it drops."""

    def __init__(self, broker, channels, query=""):
        super().__init__(daemon=True)
        self.broker, self.channels, self.query = broker, channels, query
        self.events = []
        self.drops = 0
        self.error = None
        self.stopping = False
        self.stream = broker.stream(channels, query=query)
        self.stream.start()
        self.start()

    def run(self):
        try:
            while not self.stopping:
                self.read()
        except Exception as error:  # told by check(), in the test's thread
            self.error = error

    def read(self):
        try:
            while not self.stopping:
                if not self.stream.waiting and not self.stream.fill(0.1) and \
                        not self.stream.ended:
                    continue
                event = self.stream.next()
                if event.id is not None:
                    self.events.append(event)
                elif event.name == "resync":
                    raise AssertionError("a resync: %r" % (event,))
        except Ended:
            self.drops += 1
            last = self.stream.last_id
            self.stream.close()
            self.reconnect(last)

    def reconnect(self, last):
        def connect():
            try:
                self.stream = self.broker.stream(
                    self.channels, query=self.query, last_id=last)
                self.stream.opened()
                return True
            except (OSError, Ended):
                return False
        if not self.stopping:
            wait_for(connect, "a new connection")

    def finish(self, last):
        """Waits until the event with this cursor has come."""
        wait_for(lambda: self.error or
                 (self.events and self.events[-1].id == last),
                 "event %s of %s; the newest is %s" % (
                     last, self.channels,
                     self.events[-1].id if self.events else "none"), 60)
        self.stopping = True
        self.join(20)
        self.stream.close()
        if self.error:
            raise self.error


class Burst:
    """A publisher that always has a whole window on its way, so that a kill
    finds the hub amid a transaction, between it and the ring, or among the
    acks; and that resends as the protocol says."""

    WINDOW = 8192

    def __init__(self, broker):
        self.broker = broker
        self.cursors = []       # of event n + 1, as acknowledged first
        self.given = 0          # events that were ever sent
        self.recognised = 0     # resends that the broker had already
        self.rounds = 0         # of those, how often there were any

    def connect(self):
        def connected():
            try:
                return self.broker.publisher("burst")
            except (OSError, wire.Closed, wire.Refused):
                return None
        return wait_for(connected, "a connection")

    def run(self, new, before_sending=lambda: None):
        """Sends what has no ack and so many new events; reads acks until all
        are there or the connection ends."""
        known = self.recognised
        with self.connect() as publisher:
            self.given = max(self.given, len(self.cursors) + new)
            messages = b"".join(
                wire.pack([wire.PUBLISH, n, "burst", None, None, str(n)])
                for n in range(len(self.cursors) + 1, self.given + 1))
            before_sending()
            try:
                publisher.send_bytes(messages)
                while len(self.cursors) < self.given:
                    self.take(*publisher.ack())
            except (wire.Closed, ConnectionError):
                pass
        self.rounds += self.recognised > known

    def take(self, seq, cursor, duplicate):
        assert seq == len(self.cursors) + 1, (seq, len(self.cursors))
        self.cursors.append(cursor)
        self.recognised += duplicate


class Kill(BrokerCase):
    def publishers(self, broker):
        return [steady.Service(broker, "svc:loop", "loop"),
                steady.Service(broker, "svc:send", "send"),
                steady.Lines(broker, "lines")]

    def readers(self, broker):
        return [Reader(broker, "*"), Reader(broker, "svc:*"),
                Reader(broker, "lines", "&format=raw"), Reader(broker, "*")]

    def progress(self, publishers, count):
        """Waits for so many more acks of each."""
        goals = [len(each.acked) + count for each in publishers]
        wait_for(lambda: all(
            len(each.acked) >= goal or each.process.poll() is not None
            for each, goal in zip(publishers, goals)),
            "further acks: have %s, want %s" % (
                [len(each.acked) for each in publishers], goals), 60)
        for each in publishers:
            self.assertIsNone(each.process.poll(), each.channel)

    def check(self, broker, publishers, readers):
        """Everything acknowledged was stored and delivered once, in order."""
        for each in publishers:
            status, errors = each.finish()
            self.assertEqual((status, each.bad), (0, []), errors)
            self.assertEqual([row[0] for row in each.acked],
                             [str(n + 1) for n in range(len(each.acked))])
        stored = broker.stored()
        for reader in readers:
            covered = [row for row in stored if reader.channels == "*" or
                       row[1] == reader.channels or
                       row[1].startswith(reader.channels.rstrip("*"))]
            reader.finish(wire.cursor_text(covered[-1][0]))
            got = [event.id for event in reader.events]
            first = got.index(wire.cursor_text(covered[0][0])) if got else 0
            self.assertEqual(
                got[first:], [wire.cursor_text(row[0]) for row in covered])
        for each in publishers:
            rows = [row for row in stored if row[1] == each.channel]
            self.assertEqual(
                [(row[4].decode(), wire.cursor_text(row[0])) for row in rows],
                each.acked)
        for event, row in zip(readers[0].events, stored):
            self.assertEqual(tagged(event)["data"], row[4].decode())

    def test_hub_killed_under_publishing_costs_no_stream_and_no_event(self):
        broker = self.broker()
        readers = self.readers(broker)
        publishers = self.publishers(broker)
        seed = random.randrange(2**32)
        print("seed", seed)
        dice = random.Random(seed)
        self.progress(publishers, 10)
        for _ in range(20 * SCALE):
            broker.kill_hub()
            self.progress(publishers, dice.randrange(1, 120))
        self.check(broker, publishers, readers)
        self.assertEqual([reader.drops for reader in readers],
                         [0] * len(readers))

    def test_hub_killed_amid_large_batches(self):
        """Until enough kills have struck between a commit and its acks."""
        broker = self.broker()
        seed = random.randrange(2**32)
        print("seed", seed)
        dice = random.Random(seed)
        burst = Burst(broker)
        with Crowd(broker.port) as crowd:
            members = [crowd.add("*"), crowd.add("burst", "&format=raw")]
            crowd.until(lambda: all(member.live for member in members))
            # Kills that strike before the first ack are too early, those
            # after the last too late: the machine is slower or faster now.
            kills, span = 0, 0.02
            while (kills < 20 or burst.rounds < 2) and kills < 500:
                hub, before = broker.hub(), len(burst.cursors)
                killer = threading.Timer(dice.uniform(0, span), os.kill,
                                         (hub, signal.SIGKILL))
                burst.run(Burst.WINDOW, killer.start)
                killer.join()
                wait_for(lambda: not alive(hub), "the hub's death")
                kills += 1
                crowd.turn()
                if len(burst.cursors) == before:
                    span *= 1.2
                elif len(burst.cursors) == burst.given:
                    span *= 0.9
            burst.run(0)
            print("%d kills, %d of them between commit and ack; %d events" % (
                kills, burst.rounds, burst.given))
            self.assertGreaterEqual(burst.rounds, 2)
            ids = list(map(wire.cursor_text, burst.cursors))
            for member in members:
                crowd.until(lambda: member.ended or
                            len(member.cursors) >= len(ids))
                self.assertEqual((member.drops, member.cursors), (0, ids))
        self.assertEqual([(row[0], row[4].decode())
                          for row in broker.stored()],
                         list(zip(burst.cursors,
                                  map(str, range(1, burst.given + 1)))))

    def test_hub_killed_between_commit_and_ring_delivers_all_the_same(self):
        """The moment is too short to hit, so it is made: with the supervisor
        stopped, the killed hub's last transaction is written for it."""
        broker = self.broker()
        with broker.stream() as stream, \
                broker.stream("c", query="&format=raw") as raw:
            stream.start()
            raw.start()
            with broker.publisher() as publisher:
                last = publisher.publish("c", "1")
            for turn in range(3):
                os.kill(broker.pid, signal.SIGSTOP)
                try:
                    broker.kill_hub()
                    cursors = [last + 1, last + 2, last + 3]
                    self.commit(broker, cursors)
                finally:
                    os.kill(broker.pid, signal.SIGCONT)
                with broker.publisher("p%d" % turn) as publisher:
                    last = publisher.publish("c", "after")
                for one in (stream, raw):
                    ids = [event.id for event in one.events(
                        5 if turn == 0 else 4)][-4:]
                    self.assertEqual(ids, list(map(
                        wire.cursor_text, cursors + [last])))

    def commit(self, broker, cursors):
        base = sqlite3.connect(broker.database)
        with base:
            base.executemany(
                "INSERT INTO event SELECT ?, id, 0, NULL, NULL, ? FROM channel"
                " WHERE name = 'c'", [(cursor, b"x") for cursor in cursors])
            base.execute(
                "UPDATE state SET last_cursor = ?, events = events + ?,"
                " bytes = bytes + ?",
                (cursors[-1], len(cursors), 2 * len(cursors)))
        base.close()

    def test_worker_killed_drops_its_own_subscribers_only(self):
        broker = self.broker()
        readers = [Reader(broker, "*") for _ in range(8)]
        publishers = self.publishers(broker)
        dice = random.Random(random.randrange(2**32))
        self.progress(publishers, 10)
        for _ in range(20 * SCALE):
            owned = wait_for(lambda: self.owners(broker, readers),
                             "a stream for each reader")
            before = [reader.drops for reader in readers]
            victim = dice.choice(broker.workers())
            broker.kill_worker(victim)
            self.progress(publishers, dice.randrange(20, 100))
            wait_for(lambda: all(
                reader.drops > drops or owner != victim for
                reader, drops, owner in zip(readers, before, owned)),
                "the drops of its subscribers")
            for reader, drops, owner in zip(readers, before, owned):
                if owner != victim:
                    self.assertEqual(reader.drops, drops)
            broker.workers()
        self.check(broker, publishers, readers)
        self.assertGreater(sum(reader.drops for reader in readers), 0)

    def owners(self, broker, readers):
        """Which worker holds the stream of each reader; None while one has
        no stream that was accepted."""
        inodes = {}
        for pid in broker.workers():
            for name in os.listdir("/proc/%d/fd" % pid):
                try:
                    link = os.readlink("/proc/%d/fd/%s" % (pid, name))
                except FileNotFoundError:
                    continue
                inodes[link] = pid
        with open("/proc/net/tcp") as table:
            rows = [line.split() for line in table]
        # Of this broker, and established: another one's connection, or one
        # that has ended, may have had the same port at the far end.
        near = ":%04X" % broker.port
        rows = [row for row in rows
                if row[1].endswith(near) and row[3] == "01"]
        own_port = ":%04X" % broker.port
        held = {row[2][-5:]: inodes.get("socket:[%s]" % row[9])
                for row in rows if row[1].endswith(own_port)}
        out = [held.get(":%04X" % reader.stream.address[1])
               for reader in readers]
        return None if None in out else out

    def test_all_killed_and_started_again_loses_nothing(self):
        broker = self.broker()
        readers = self.readers(broker)
        publishers = self.publishers(broker)
        for _ in range(5 * SCALE):
            self.progress(publishers, 60)
            broker.kill()
            broker.start()
        self.progress(publishers, 60)
        self.check(broker, publishers, readers)

    def test_hub_and_workers_killed_together(self):
        broker = self.broker()
        readers = self.readers(broker)
        publishers = self.publishers(broker)
        for _ in range(5 * SCALE):
            self.progress(publishers, 40)
            victims = [broker.hub()] + broker.workers()
            for pid in victims:
                os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not any(map(alive, victims)), "their end")
        self.progress(publishers, 40)
        self.check(broker, publishers, readers)


if __name__ == "__main__":
    unittest.main()
