"""Cursors: one is good for any set of channels, and one that this log has not
given is told so, with all channels."""
import glob
import json
import os
import random
import sqlite3
import unittest

import msgpack_wire as wire
import sse_client
from broker import SCALE, BrokerCase
from patterns import covers

SEED = int(os.environ.get("SSEMUX_SEED", "0")) or random.randrange(1, 1 << 30)
CHANNELS = ["a:1", "a:2", "b:1", "b:2", "c"]


class Cursor(BrokerCase):
    def told(self, broker, channels, since):
        """What a stream is told of losses, and the data that it gets; a page
        must say the same."""
        with broker.stream(channels, since=since) as stream:
            _, events = stream.start()
        for event in events:
            self.assertEqual(event.id is None, event.name == "resync")
        said = [json.loads(event.data) for event in events if event.id is None]
        data = [json.loads(event.data)["data"] for event in events if event.id]
        page = sse_client.fetch_json(
            broker.port, "/stream?limit=1000&channels=%s&since=%s" %
            (channels, since), [("Accept", "application/json")])
        self.assertEqual([each["data"] for each in page["events"]], data)
        self.assertEqual(page["resync"],
                         sum((each["channels"] for each in said), []))
        self.assertEqual([page["reason"]] if page["resync"] else [],
                         sorted({each["reason"] for each in said}))
        return page["resync"], page.get("reason"), data

    def wipe(self, broker):
        self.assertEqual(broker.stop(), 0)
        for path in glob.glob(broker.database + "*"):
            os.unlink(path)
        broker.start()

    def test_a_cursor_of_one_set_is_good_for_another(self):
        dice = random.Random(SEED)
        broker = self.broker(broker__workers="2", broker__window_events="64")
        log = []
        with broker.publisher() as publisher:
            for number in range(400):
                channel = dice.choice(CHANNELS)
                log.append((channel, publisher.publish(channel, str(number))))
        for _ in range(20 * SCALE):
            patterns = CHANNELS + ["a:*", "b:*", "*"]
            first = dice.sample(patterns, dice.randrange(1, 4))
            second = dice.sample(patterns, dice.randrange(1, 4))
            start = dice.randrange(350)
            with broker.stream(",".join(first), since=wire.cursor_text(
                    log[start][1])) as stream:
                stream.control("connected")
                # As far as it happens to come.
                for _ in range(dice.randrange(1, 20)):
                    event = stream.next()
                    if event.name == "live":
                        break
                cursor = stream.last_id
            if cursor is None:
                continue
            expected = [str(number) for number, (channel, at) in enumerate(log)
                        if at > wire.cursor_number(cursor) and
                        any(covers(each, channel) for each in second)]
            self.assertEqual(self.told(broker, ",".join(second), cursor),
                             ([], None, expected),
                             "seed %d: %r %r" % (SEED, first, second))

    def test_a_cursor_of_another_store_is_told(self):
        broker = self.broker(broker__window_events="64")
        old = broker.pub("-i", "a", "of the old store").strip()
        self.wipe(broker)
        everything = (["a", "b:*"], "cursor", [])
        self.assertEqual(self.told(broker, "a,b:*", old), everything)
        new = broker.pub("-i", "a", "first").strip()
        broker.pub("-l", "a", data="".join("%d\n" % n for n in range(90)))
        rest = [str(n) for n in range(90)]
        self.assertEqual(self.told(broker, "a,b:*", old), everything)
        # Its own are good, and so are times, and the beginning.
        for since in ("-1", "-10m", "2020-01-01T00:00:00Z", "0-0"):
            self.assertEqual(self.told(broker, "a,b:*", since),
                             ([], None, ["first"] + rest), since)
        self.assertEqual(self.told(broker, "a,b:*", new), ([], None, rest))
        self.assertEqual(broker.stop(), 0)
        broker.start()
        self.assertEqual(self.told(broker, "a,b:*", new), ([], None, rest))
        self.assertEqual(self.told(broker, "a,b:*", old), everything)

    def test_a_time_before_the_store_leads_to_a_cursor_of_it(self):
        """A client that was told no other comes back with this one."""
        broker = self.broker()
        broker.pub("a", "0")
        for since in ("-1d", "2026-01-31T12:00:00Z", "-1", "0-0"):
            with broker.stream("a", since=since) as stream:
                begin = stream.control("connected")["cursor"]
            self.assertEqual(self.told(broker, "a", begin), ([], None, ["0"]))

    def test_a_channel_that_is_added_at_such_a_cursor_is_told(self):
        broker = self.broker()
        old = broker.pub("-i", "a", "of the old store").strip()
        self.wipe(broker)
        broker.pub("a", "new")
        with broker.stream("c") as stream:
            name = stream.control("connected")["stream"]
            stream.control("live")
            status, _ = sse_client.post_json(
                broker.port, "/stream/" + name,
                {"subscribe": ["a"], "since": old})
            self.assertEqual(status, 200)
            said = {event.name: json.loads(event.data)
                    for event in (stream.next(), stream.next())}
            self.assertEqual(said["resync"],
                             {"channels": ["a"], "reason": "cursor"})

    def test_a_store_from_before_knows_no_birth(self):
        broker = self.broker()
        cursor = broker.pub("-i", "a", "one").strip()
        broker.pub("a", "two")
        self.assertEqual(broker.stop(), 0)
        base = sqlite3.connect(broker.database)
        base.execute("DROP TABLE birth")
        base.commit()
        base.close()
        broker.start()
        self.assertEqual(self.told(broker, "a", cursor), ([], None, ["two"]))
        self.assertEqual(self.told(broker, "a", "1600000000000-0"),
                         ([], None, ["one", "two"]))

    def test_a_cursor_that_makes_no_sense_is_told(self):
        broker = self.broker()
        broker.pub("a", "one")
        for since in ("garbage", "9999999999999-0", "1-", "-10x", "01-0",
                      "2100-01-01T00:00:00Z", "99999999999999999999-0"):
            self.assertEqual(self.told(broker, "a,b:*", since),
                             (["a", "b:*"], "cursor", []), since)


if __name__ == "__main__":
    unittest.main()
