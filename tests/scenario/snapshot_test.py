"""Snapshot, then live: who is new on a channel that keeps the latest of each
key gets these, and then what is new, none missing and none twice."""
import json
import random
import threading
import unittest

import sse_client
from broker import SCALE, BrokerCase, wait_for

LATEST = {"channel last:*.keep": "latest"}


class Snapshot(BrokerCase):
    def start(self, **settings):
        return self.broker(**LATEST, **settings)

    def fill(self, broker, channel="last:1", keys=3, values=4):
        broker.pub("-j", data="".join(
            json.dumps({"channel": channel, "key": "k%d" % key,
                        "data": "%d" % value}) + "\n"
            for value in range(values) for key in range(keys)))

    def open(self, broker, channels, **options):
        stream = broker.stream(channels, **options)
        self.addCleanup(stream.close)
        return stream

    def begin(self, stream, patterns):
        """The stream's first words, which name no cursor."""
        self.assertIsNone(stream.control("connected")["cursor"])
        self.assertEqual(stream.control("snapshot"), {"channels": patterns})

    def snap(self, stream, count):
        """So many events of a snapshot."""
        out = []
        for _ in range(count):
            event = stream.next()
            said = json.loads(event.data)
            self.assertEqual((event.name, event.id), ("message", None))
            self.assertIs(said["snapshot"], True)
            out.append((said["channel"], said.get("key", ""), said["data"]))
        return out

    def live(self, stream, count):
        out = []
        for each in stream.tagged(count):
            self.assertNotIn("snapshot", each)
            out.append((each["channel"], each.get("key", ""), each["data"]))
        return out

    def post(self, broker, stream_id, body):
        status, said = sse_client.post_json(
            broker.port, "/stream/" + stream_id, body)
        self.assertEqual(status, 200, said)
        return said

    THREE = [("last:1", "k%d" % key, "3") for key in range(3)]

    def test_a_new_subscriber_gets_the_latest_then_what_is_new(self):
        broker = self.start()
        self.fill(broker)
        broker.pub("last:1", "no key")
        broker.pub("last:1", "no key, again")
        broker.pub("--resync", "last:1")
        broker.pub("other", "not this")
        due = self.THREE + [("last:1", "", "no key, again")]
        for asked in ("last:1", "last:*", "*", "last:1,last:*,other"):
            stream = self.open(broker, asked)
            self.begin(stream, [each for each in asked.split(",")
                                if each != "other"])
            self.assertEqual(self.snap(stream, 4), due)
            stream.control("live")
            new = (due[0][0], due[0][1], "new for " + asked)
            broker.pub("-k", new[1], new[0], new[2])
            self.assertEqual(self.live(stream, 1), [new])
            self.assertTrue(stream.quiet(0.05))
            # In the order of the log, whatever the key is.
            due = due[1:] + [new] if new[1] else due
        self.assertIn("ssemux_snapshots_total 4",
                      broker.get("/metrics")[1].decode())

    def test_who_comes_back_or_says_where_to_start_gets_none(self):
        broker = self.start()
        self.fill(broker)
        stream = self.open(broker, "last:1")
        self.begin(stream, ["last:1"])
        self.snap(stream, 3)
        cursor = stream.control("live")["cursor"]
        broker.pub("-k", "k0", "last:1", "a")
        broker.pub("-k", "k0", "last:1", "b")
        broker.kill()
        broker.start()
        for since in ({"since": cursor}, {"last_id": cursor}):
            stream = self.open(broker, "last:1", **since)
            self.assertEqual(stream.control("connected")["cursor"], cursor)
            # What the hub handed out anew may be all of it.
            self.assertEqual(self.live(stream, 1)[-1][2], "b")
            stream.control("live")
        stream = self.open(broker, "last:1", since="now")
        stream.control("connected")
        stream.control("live")
        stream = self.open(broker, "last:1", since="-1")
        stream.control("connected")
        self.assertEqual([each[2] for each in self.live(stream, 3)],
                         ["3", "3", "b"])

    def test_whose_cursor_means_nothing_gets_one(self):
        broker = self.start()
        self.fill(broker)
        stream = self.open(broker, "last:1,other", since="garbage")
        self.assertIsNone(stream.control("connected")["cursor"])
        self.assertEqual(stream.control("resync"), {
            "channels": ["last:1", "other"], "reason": "cursor"})
        self.assertEqual(stream.control("snapshot"), {"channels": ["last:1"]})
        self.assertEqual(self.snap(stream, 3), self.THREE)
        stream.control("live")

    def test_without_such_a_channel_nothing_is_said(self):
        broker = self.start()
        self.fill(broker)
        stream = self.open(broker, "other,plain:*")
        self.assertIsNotNone(stream.control("connected")["cursor"])
        stream.control("live")
        stream = self.open(broker, "last:2:*")
        self.begin(stream, ["last:2:*"])  # and it is empty
        stream.control("live")

    def test_a_channel_that_is_added_brings_one(self):
        broker = self.start(broker__workers="1")
        self.fill(broker)
        self.fill(broker, "last:2")
        stream = self.open(broker, "last:2")
        name = stream.control("connected")["stream"]
        stream.control("snapshot")
        self.snap(stream, 3)
        stream.control("live")
        self.post(broker, name, {"subscribe": ["last:*", "last:2", "other"]})
        stream.control("subscribed")
        # Of last:2 it has all.
        self.assertEqual(stream.control("snapshot"), {"channels": ["last:*"]})
        self.assertEqual(self.snap(stream, 3), self.THREE)
        stream.control("live")
        self.post(broker, name, {"subscribe": ["last:1"]})
        stream.control("subscribed")
        broker.pub("-k", "k1", "last:1", "4")
        self.assertEqual(self.live(stream, 1), [("last:1", "k1", "4")])
        since = broker.pub("-i", "-k", "x", "late", "1").strip()
        broker.pub("-k", "k1", "last:3", "5")
        self.assertEqual(self.live(stream, 1), [("last:3", "k1", "5")])
        self.post(broker, name, {"unsubscribe": ["last:*", "last:1"]})
        stream.control("subscribed")
        self.post(broker, name, {"subscribe": ["last:3"], "since": since})
        stream.control("subscribed")
        self.assertEqual(self.live(stream, 1), [("last:3", "k1", "5")])

    def test_raw_and_envelope_and_the_end_of_a_pull(self):
        broker = self.start(**{
            "stream /raw.format": "raw", "stream /raw.allow": "*",
            "stream /mine.format": "envelope", "stream /mine.allow": "*",
            "stream /mine.envelope": "k:key, s:snapshot, d:data",
            "stream /mine.greeting": 'data {"at":{cursor}}',
            "stream /mine.live": "data live"})
        self.fill(broker)
        with broker.open("/raw?channels=last:1&live=false") as stream:
            said = [(event.name, event.data, event.id)
                    for event in stream.rest()][1:]
            self.assertEqual(stream.ended, "clean")
        self.assertEqual([each[:2] for each in said[1:4]],
                         [("message", "3")] * 3)
        self.assertEqual([each[0] for each in said[:1] + said[4:]],
                         ["snapshot", "live", "bye"])
        self.assertEqual({each[2] for each in said}, {None})
        with broker.open("/mine?channels=last:*") as stream:
            self.assertEqual(stream.next().data, '{"at":null}')
            stream.control("snapshot")
            self.assertEqual([stream.next().data for _ in range(4)], [
                '{"k":"k%d","s":true,"d":"3"}' % key for key in range(3)] +
                ["live"])
            broker.pub("-k", "k2", "last:1", "4")
            self.assertEqual(stream.next().data, '{"k":"k2","d":"4"}')

    def test_filters_hold_for_it_too(self):
        broker = self.start()
        for n in range(4):
            broker.pub("-k", "k%d" % n, "-t", "even" if n % 2 == 0 else "odd",
                       "last:1", str(n))
        stream = self.open(broker, "last:1", query="&types=even")
        self.begin(stream, ["last:1"])
        self.assertEqual([each[2] for each in self.snap(stream, 2)],
                         ["0", "2"])
        stream.control("live")

    # --- while events come in as fast as they can ---

    def write(self, broker, channels, keys, stop):
        """Counts up each key of each channel, and the channel `plain`; says
        in self.model what the last values are."""
        dice = random.Random(keys)
        counts = {}
        with broker.publisher("writer") as publisher:
            while not stop.is_set():
                if counts.get(("plain", ""), 0) > self.most:
                    self.enough.set()
                    stop.wait()
                    break
                for _ in range(200):
                    place = ("plain", "") if dice.random() < 0.1 else (
                        dice.choice(channels), "k%d" % dice.randrange(keys))
                    counts[place] = counts.get(place, 0) + 1
                    publisher.offer(place[0], json.dumps(counts[place]),
                                    key=place[1] or None)
                for _ in range(200):
                    publisher.ack()
            self.model = {place: count for place, count in counts.items()
                          if place[0] != "plain"}
            publisher.publish("end", "the end")

    most = 10000

    def follow(self, stream, state, seen, until="end", most=None):
        """Takes what comes, and checks it, up to an event on that channel."""
        count = 0
        while most is None or count < most:
            event = stream.next()
            self.assertNotIn(event.name, ("resync", "bye"), event)
            if event.name != "message":
                continue
            said = json.loads(event.data)
            if said["channel"] == until:
                return True
            count += 1
            place = (said["channel"], said.get("key", ""))
            said["data"] = int(said["data"])
            if said["channel"] == "plain":
                # From wherever it began, each one.
                self.assertEqual(said["data"],
                                 state.get(place, said["data"] - 1) + 1)
            elif said.get("snapshot"):
                self.assertIsNone(event.id)
                self.assertNotIn(place, state, "twice, or after a live one")
            elif place in state and not self.skips:
                # It has all, or the snapshot had left out what came since.
                self.assertEqual(said["data"], state[place] + 1)
            elif place in state:
                self.assertGreater(said["data"], state[place])
            state[place] = said["data"]
            seen[0] += said.get("snapshot", False)
        return False

    def busy(self, broker, keys, read):
        """Runs read() while events come in."""
        stop, self.enough = threading.Event(), threading.Event()
        writer = threading.Thread(target=self.write, args=(
            broker, ["last:1", "last:2:x"], keys, stop))
        writer.start()
        try:
            wait_for(lambda: len(broker.stored()) > keys, "many events")
            states = read(stop)
        finally:
            stop.set()
            writer.join()
        for stream, state, seen, covers in states:
            self.follow(stream, state, seen)
            mine = {place: value for place, value in state.items()
                    if place[0] != "plain"}
            self.assertEqual(mine, {
                place: value for place, value in self.model.items()
                if covers(place[0])})

    def test_while_events_come_at_full_speed(self):
        self.skips = False
        broker = self.start(broker__window="64m",
                            broker__window_events="1048576")

        def read(_):
            states = []
            for n in range(8 * SCALE):
                asked, covers = (
                    ("*", lambda _: True),
                    ("last:*,plain,end", lambda _: True),
                    ("last:2:*,end,plain", lambda at: at == "last:2:x"),
                    ("last:1,end", lambda at: at == "last:1"))[n % 4]
                stream = self.open(broker, asked)
                state, seen = {}, [0]
                self.follow(stream, state, seen, most=3000)
                states.append((stream, state, seen, covers))
            return states
        self.busy(broker, 1000, read)

    def test_a_slow_reader_of_a_large_one(self):
        """Most of what it is to get is superseded before it reads it."""
        self.skips = True
        broker = self.start(broker__workers="1", broker__window="256k",
                            broker__ring="256k", publish__max_event="4k",
                            http__send_buffer="16k")
        self.most = 5000

        def read(_):
            states = []
            for asked in ("last:*,end", "*"):
                stream = self.open(broker, asked, receive_buffer=16384,
                                   timeout=60)
                state, seen = {}, [0]
                self.follow(stream, state, seen, most=100)
                states.append((stream, state, seen, lambda _: True))
            # The rest of its snapshot is superseded while it looks away.
            self.enough.wait(60)
            self.all = [seen for _, _, seen, _ in states]
            return states
        self.busy(broker, 5000, read)
        keys = len(self.model)
        print("of %d keys, %s came as they were at first" % (keys, self.all))
        for (seen,) in self.all:
            self.assertLess(seen, keys)

    def test_who_drops_in_the_middle_begins_anew(self):
        self.skips = True
        broker = self.start(http__send_buffer="4k")

        def read(_):
            states = []
            for n in range(6):
                stream = self.open(broker, "last:*,end", receive_buffer=4096)
                self.follow(stream, {}, [0], most=50 + 100 * n)
                self.assertIsNone(stream.last_id)
                if n == 0:
                    broker.kill_worker(broker.workers()[0])
                stream.close()
                stream, state, seen = self.open(broker, "last:*,end"), {}, [0]
                # It has begun before the last event is published.
                self.follow(stream, state, seen, most=1)
                states.append((stream, state, seen, lambda _: True))
            return states
        self.busy(broker, 2000, read)

    def test_a_hub_that_is_killed_and_a_restart(self):
        self.skips = True
        broker = self.start()
        self.fill(broker, keys=500, values=3)
        broker.kill_hub()
        broker.pub("-k", "k0", "last:1", "after the hub")
        broker.kill()
        broker.start()
        stream = self.open(broker, "*")
        self.begin(stream, ["*"])
        got = {key: value for _, key, value in self.snap(stream, 500)}
        stream.control("live")
        self.assertEqual(got, dict({"k%d" % n: "2" for n in range(500)},
                                   k0="after the hub"))


if __name__ == "__main__":
    unittest.main()
