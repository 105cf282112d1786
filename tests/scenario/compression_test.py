"""Compressed streams of each coding: the very bytes of plain ones, event by
event, whatever happens to a stream; compressed once for all."""
import base64
import gzip
import json
import os
import random
import socket
import subprocess
import unittest
import zlib

import msgpack_wire as wire
import sse_client
import tokens
import zstd
from broker import OUT, SANITIZED, SCALE, BrokerCase, own_kib, wait_for
from revoke_test import control
from sse_client import Ended, takes

SEED = int(os.environ.get("SSEMUX_SEED", "0")) or random.randrange(1, 1 << 30)
SMALL = dict(broker__window="256k", broker__ring="256k",
             publish__max_event="16k")


def order(number):
    """An event as a shop has them, about 300 bytes on the stream."""
    dice = random.Random(number)
    return json.dumps({
        "id": "ord_%d" % dice.randrange(10**6), "total": dice.randrange(10**5),
        "status": dice.choice(["created", "paid", "packed", "shipped"]),
        "customer": {"id": "cus_%d" % dice.randrange(10**5),
                     "country": dice.choice(["DE", "AT", "FR", "PL"])},
        "items": [{"sku": "SKU-%d" % dice.randrange(10**4), "quantity": count}
                  for count in range(2)]}, separators=(",", ":"))


def noise(size, dice=random):
    """What cannot be compressed much."""
    return base64.b64encode(dice.randbytes(size * 3 // 4)).decode()


def cut(raw):
    """The chunks of an answer."""
    at, out = raw.index(b"\r\n\r\n") + 4, []
    while at < len(raw):
        end = raw.index(b"\r\n", at)
        size = int(raw[at:end], 16)
        out.append(raw[end + 2:end + 2 + size])
        at = end + 4 + size
    return out


class Compression:
    """What holds for each coding."""

    def packing(self, **settings):
        return self.broker(http__compression=self.coding, **settings)

    def open(self, broker, channels="c", **options):
        stream = broker.stream(channels, **dict(
            dict(headers=[takes(self.coding)]), **options))
        self.addCleanup(stream.close)
        return stream

    def both(self, broker, channels="c", headers=(), **options):
        """The same stream, plain and compressed."""
        plain = self.open(broker, channels, headers=list(headers), **options)
        return plain, self.open(
            broker, channels, headers=list(headers) + [takes(self.coding)], **options)

    def same(self, plain, packed, last):
        """Both get the same events, byte for byte, up to this cursor."""
        seen = []
        for stream in (plain, packed):
            raws, event = [], None
            while event is None or event.id != last:
                event = stream.next()
                if event.id is not None or event.name in ("message", "resync"):
                    raws.append(event.raw)
            seen.append(raws)
        self.assertEqual(seen[0], seen[1])
        self.assertNotIn("content-encoding", plain.body.headers)
        self.assertEqual(packed.body.headers["content-encoding"], self.coding)
        return seen[0]

    # ---- as they appear

    def test_each_event_comes_out_before_the_next(self):
        broker = self.packing()
        stream = self.open(broker)
        stream.start()
        self.assertEqual(
            (stream.body.headers["content-encoding"],
             stream.body.headers["vary"], stream.body.headers["cache-control"]),
            (self.coding, "Accept, Accept-Encoding, Origin",
             "no-cache, no-transform"))
        with broker.publisher() as publisher:
            for data in ["", "x", order(1), order(2), noise(60000), "x" * 65536,
                         order(3), noise(40000)] + [order(9)] * 20:
                publisher.publish("c", data)
                self.assertEqual(stream.tagged(1)[0]["data"], json.loads(data)
                                 if data.startswith("{") else data)

    def test_signs_of_life_and_goodbyes_come_through(self):
        broker = self.packing(http__heartbeat="1s", http__max_connections=1)
        stream = self.open(broker)
        stream.start()
        stream.wait(lambda: stream.parser.comments)
        self.assertEqual(stream.parser.comments[0], b"hb")
        with broker.publisher() as publisher:
            publisher.publish("c", order(1))
            self.assertEqual(len(stream.events(1)), 1)
        # Who gets no stream is told so as it is.
        with self.open(broker) as refused:
            self.assertEqual(refused.control("bye"), {"reason": "overload"})
            self.assertNotIn("content-encoding", refused.body.headers)
        self.assertEqual(broker.stop(), 0)
        self.assertEqual(stream.control("bye"), {"reason": "drain"})
        broker.start()

    def test_a_stream_that_ends_by_itself_is_a_whole_file(self):
        broker = self.packing(**SMALL, **{"channel c:keep.keep": "latest"})
        with broker.publisher() as publisher:
            for start in range(0, 3000, 1000):
                publisher.publish_many(
                    ("c:%d" % (n % 3), order(n))
                    for n in range(start, start + 1000))
            publisher.publish_many(
                ("c:keep", order(n), None, "k%d" % (n % 90))
                for n in range(200))
        target = "/stream?channels=c:*&live=false&since="
        for since in ("-1", "now", "-10m", "&"):
            for minor in "01":
                bodies = []
                for headers in ((), (takes(self.coding),)):
                    body, text = self.whole(broker, target + since, headers,
                                            minor)
                    bodies.append(text)
                    self.assertEqual("content-encoding" in body.headers,
                                     bool(headers))
                plain, packed = bodies[0], self.decompress(bodies[1])
                self.assertEqual(*[[block for block in text.split(b"\n\n")
                                    if b"event: " not in block]
                                   for text in (plain, packed)])
                self.assertIn(b"event: bye", packed)
                if since == "-1":
                    self.assertLess(len(bodies[1]), len(plain) * 0.4)

    def whole(self, broker, target, headers, minor):
        """All that comes, with chunks undone, and nothing else."""
        body, out = sse_client.Body(), b""
        with socket.create_connection(("127.0.0.1", broker.port), 20) as one:
            one.sendall(sse_client.request_bytes(
                broker.port, target,
                (("Accept", "text/event-stream"),) + headers,
                version="1." + minor))
            while True:
                data = one.recv(1 << 16)
                if not data:
                    break
                out += body.undo(data)
        self.assertEqual(body.ended, minor == "1")
        return body, out

    # ---- the same bytes

    def test_the_same_from_everywhere(self):
        """Live, from the window and from the store, for channels that are
        shared, nested and secret, in both formats and both versions."""
        broker = self.packing(
            broker__workers=1, **SMALL, **{"channel c:4.secret": "on"})
        kinds = [dict(channels=channels, query=query, version=version)
                 for channels in ("c:*", "c:1,c:2,c:3", "c:4,c:5", "*")
                 for query in ("", "&format=raw", "&types=a,b&window=5")
                 for version in ("1.0", "1.1")]
        live = [self.both(broker, **kind) for kind in kinds]
        for pair in live:
            for stream in pair:
                stream.start()
        dice = random.Random(SEED)
        print("seed %d" % SEED)
        cursors = []
        with broker.publisher() as publisher:
            def publish(count):
                cursors.extend(publisher.publish_many(
                    ("c:%d" % dice.randrange(8), dice.choice(
                        [order(n), noise(dice.randrange(1, 900)), "poke"]),
                     dice.choice("abc")) for n in range(count)))
            for count in [1, 1, 2, 60, 64, 65] + [500] * 5:
                publish(count)
            # Each gets the last, whatever its channels and types.
            cursors += publisher.publish_many(
                ("c:%d" % n, "end", "a") for n in range(1, 6))
        ends = {"c:*": -1, "c:1,c:2,c:3": -3, "c:4,c:5": -1, "*": -1}
        for kind, pair in zip(kinds, live):
            last = wire.cursor_text(cursors[ends[kind["channels"]]])
            self.same(*pair, last)
            since = ["-1"] + [wire.cursor_text(cursors[at]) for at in
                              (3, len(cursors) // 2, -40)]
            for cursor in since:
                again = self.both(broker, since=cursor, **kind)
                self.same(*again, last)
                for stream in again:
                    stream.close()
        self.assertGreater(broker.metric("store_reads_total"), 0)

    def test_who_reads_slowly_gets_the_same(self):
        """A pack is cut wherever the socket is full."""
        broker = self.packing(
            broker__workers=1, http__send_buffer="4k", **SMALL)
        pairs = [self.both(broker, "c", receive_buffer=4096, query=query)
                 for query in ("", "&format=raw", "&conflate=1")]
        for pair in pairs:
            for stream in pair:
                stream.start()
        dice = random.Random(SEED)
        with broker.publisher() as publisher:
            for turn in range(40 * SCALE):
                publisher.publish_many(
                    ("c", dice.choice([order(n), noise(700), noise(5000)]))
                    for n in range(30))
                for stream in pairs[turn % 3]:
                    stream.fill(0.01, dice.randrange(1, 20000))
            publisher.publish("c", noise(15000))
            last = wire.cursor_text(publisher.publish("c", "end"))
        for pair in pairs:
            self.assertEqual(len(self.same(*pair, last)), 1200 * SCALE + 2)

    def test_the_same_after_kills(self):
        broker = self.packing(broker__workers=2)
        got, last = [], None
        with broker.publisher() as publisher:
            stream = self.open(broker)
            stream.start()
            cursors = []
            for turn in range(6 * SCALE):
                cursors += publisher.publish_many(
                    ("c", order(n)) for n in range(200))
                if turn % 2 == 0:
                    for pid in broker.workers():
                        broker.kill_worker(pid)
                try:
                    while True:
                        event = stream.next()
                        if event.id is not None:
                            got.append(event)
                        if event.id == wire.cursor_text(cursors[-1]):
                            break
                except Ended:
                    last = got[-1].id if got else "0-0"
                    stream.close()
                    stream = self.open(broker, last_id=last)
                    cursors += publisher.publish_many([("c", "more")])
            while got[-1].id != wire.cursor_text(cursors[-1]):
                event = stream.next()
                got += [event] if event.id is not None else []
        self.assertEqual([event.id for event in got],
                         list(map(wire.cursor_text, cursors)))

    def test_channels_change_under_way(self):
        broker = self.packing()
        stream = self.open(broker, "a", receive_buffer=4096)
        name = stream.control("connected")["stream"]
        with broker.publisher() as publisher:
            for turn in range(20):
                leaves, enters = "ab"[turn % 2], "ab"[(turn + 1) % 2]
                publisher.publish_many(
                    ("ab"[n % 2], noise(1000)) for n in range(60))
                status, _ = sse_client.post_json(
                    broker.port, "/stream/" + name, {
                        "subscribe": [enters], "unsubscribe": [leaves]})
                self.assertEqual(status, 200)
            last = wire.cursor_text(publisher.publish("a", "end"))
        now, before, changes, event = "a", -1, 0, None
        while event is None or event.id != last:
            event = stream.next()
            if event.name == "subscribed":
                now, changes = "ba"[changes % 2], changes + 1
            elif event.id is not None:
                self.assertEqual(json.loads(event.data)["channel"], now)
                cursor = wire.cursor_number(event.id)
                self.assertGreater(cursor, before)
                before = cursor
        self.assertEqual(changes, 20)

    # ---- once for all

    def test_what_lies_far_apart_goes_out_together(self):
        """Of many channels, a stream has a few: its events are one pack, which
        is nobody else's, and not one for each stretch of the window."""
        broker = self.packing(
            broker__workers=1, **{"channel c:3.secret": "on"})
        with broker.publisher() as publisher:
            cursors = publisher.publish_many(
                ("c:%d" % (n % 40), order(n)) for n in range(2000))
        last = wire.cursor_text(cursors[1967])
        pair = self.both(broker, "c:7", since="-1")
        self.assertEqual(len(self.same(*pair, last)), 50)
        self.assertLessEqual(broker.metric("packs_written_total"), 2)
        self.saves(broker, 0.6)
        # Each of these is of use for what comes behind it.
        live = self.both(broker, "c:7")
        for stream in live:
            stream.start()
        with broker.publisher() as publisher:
            for turn in range(10 * SCALE):
                publisher.publish_many(
                    ("c:%d" % (n % 40), order(n)) for n in range(400))
                last = wire.cursor_text(publisher.publish("c:7", order(turn)))
                self.same(*live, last)
        # Among them secrets, and a dense stretch: the same bytes.
        with broker.publisher() as publisher:
            cursors += publisher.publish_many(
                ("c:%d" % (7 if n % 500 < 70 else n % 40), order(n))
                for n in range(2000))
            last = wire.cursor_text(publisher.publish("c:7", "end"))
        for channels in ("c:7", "c:3,c:7", "c:3,c:4,c:7"):
            pair = self.both(broker, channels, since="-1")
            self.assertGreater(len(self.same(*pair, last)), 300)

    def test_what_many_get_is_compressed_once(self):
        broker = self.packing(broker__workers=1)
        streams = [self.open(broker) for _ in range(50)]
        for stream in streams:
            stream.start()
        with broker.publisher() as publisher:
            for turn in range(20):
                publisher.publish("c", order(turn))
                for stream in streams:
                    stream.events(1)
            made = broker.metric("packs_made_total")
            self.assertEqual(broker.metric("packs_written_total"), 1000)
            self.assertLessEqual(made, 20 + 1)
            # Each stands behind its like, but for the first.
            self.saves(broker, 0.6)
            publisher.publish_many(("c", order(n)) for n in range(2000))
            for stream in streams:
                stream.events(2000)
            self.saves(broker, 0.75)

    def sizes(self, text, **settings):
        """The bytes that one event has on a stream, and as they went out."""
        broker = self.packing(broker__workers=1, **settings)
        stream = self.open(broker)
        stream.start()
        broker.pub("-f", "-", "c", data=text)
        self.assertEqual(len(stream.events(1)), 1)
        return (broker.metric("packed_text_bytes_total"),
                broker.metric("packed_bytes_total"))

    def test_what_is_short_goes_out_as_it_is(self):
        text = json.dumps(["again and again"] * 20)
        plain, out = self.sizes(text, http__compression_min="1k")
        self.assertGreater(out, plain)
        plain, out = self.sizes(text, http__compression_min="300")
        self.assertLess(out, plain / 2)

    def test_a_higher_level_saves_more(self):
        text = json.dumps([order(n) for n in range(200)])
        sizes = [self.sizes(text, http__compression_level=level)
                 for level in (1, 9)]
        self.assertEqual(sizes[0][0], sizes[1][0])
        self.assertLess(sizes[1][1], 0.95 * sizes[0][1])

    def saves(self, broker, part):
        text = broker.metric("packed_text_bytes_total")
        out = broker.metric("packed_bytes_total")
        print("%d bytes of events went out as %d: %.1f %% less" % (
            text, out, 100 - 100 * out / text))
        self.assertLess(out, text * (1 - part))

    def test_a_crowd_of_different_channels_costs_a_few_packs_each(self):
        """Every stream has channels of its own, and all have some in common:
        what is made is bounded by what is published."""
        broker = self.packing(broker__workers=1)
        streams = [self.open(broker, "all,c:%d,c:%d" % (n, (n + 1) % 40))
                   for n in range(40)]
        for stream in streams:
            stream.start()
        with broker.publisher() as publisher:
            for turn in range(5):
                publisher.publish_many(
                    ("c:%d" % (n % 40) if n % 4 else "all", order(n))
                    for n in range(200))
            last = wire.cursor_text(publisher.publish("all", "end"))
        for stream in streams:
            while stream.next().id != last:
                pass
        self.assertLess(broker.metric("packs_made_total"), 2 * 1001)

    def test_a_crowd_that_returns_shares_what_it_is_behind_by(self):
        broker = self.packing(broker__workers=1)
        with broker.publisher() as publisher:
            publisher.publish_many(("c", order(n)) for n in range(2000))
        with sse_client.Crowd(broker.port) as crowd:
            for _ in range(100):
                crowd.add("c", "&since=-1", headers=[takes(self.coding)])
            crowd.until(lambda: all(each.live for each in crowd.members))
            self.assertEqual({len(each.cursors) for each in crowd.members},
                             {2000})
        # A few begin with events one by one; which nobody has to.
        self.assertLess(broker.metric("packs_written_total"), 100 * 2000 // 8)
        self.assertLess(broker.metric("packs_made_total"), 2000 * 3 // 2)

    def test_a_stream_has_no_compressor_of_its_own(self):
        """Hundreds more take what plain ones take, and little else."""
        broker = self.packing(broker__workers=1)
        worker = broker.workers()[0]
        with sse_client.Crowd(broker.port) as crowd, \
                broker.publisher() as publisher:
            def add(count, headers):
                members = [crowd.add("c", headers=headers)
                           for _ in range(count)]
                crowd.until(lambda: all(each.live for each in members))
                for turn in range(4):
                    last = publisher.publish_many(
                        ("c", order(n)) for n in range(turn * 30 + 1))[-1]
                    crowd.until(lambda: all(
                        each.cursors[-1:] == [wire.cursor_text(last)]
                        for each in members))
                return own_kib(worker)
            add(5, [takes(self.coding)])
            before = add(300, [])
            plain = add(300, []) - before
            packed = add(300, [takes(self.coding)]) - plain - before
        print("KiB of 300 streams: %d plain, %d packed" % (plain, packed))
        if not SANITIZED:  # whose memory is its own
            self.assertLess(packed, plain + 300)

    # ---- secrets

    def chunks(self, broker, rows):
        """The chunks that bring these, once in a burst and once one by one, to
        who is there."""
        stream, raw = self.open(broker, "guess,secret:*"), []
        undo = stream.body.undo
        stream.body.undo = lambda data: raw.append(data) or undo(data)
        stream.start()
        with broker.publisher() as publisher:
            publisher.publish_many(rows)
            stream.events(len(rows))
            for row in rows:
                publisher.publish(*row)
                stream.events(1)
        return cut(b"".join(raw))[3:]  # without head, greeting and "live"

    def test_a_secret_is_compressed_alone(self):
        """Nor does it tell who publishes a guess beside it, by a length,
        whether that is right."""
        secret, guess = "token=Zq8vLw2nT5yB" * 4, "token=Zq8" * 4
        rows = [("guess", guess), ("secret:1", secret), ("secret:1", secret),
                ("secret:2", secret), ("guess", guess), ("guess", secret)]
        texts = [self.alone(chunk) for chunk in
                 self.chunks(self.packing(), rows)]
        self.assertTrue(any(text is None or text.count(b"\nid: ") > 0
                            for text in texts), "it would not be seen")
        broker = self.packing(**{"channel secret:*.secret": "on"})
        live = self.chunks(broker, rows)
        for text in map(self.alone, live):
            self.assertFalse(text is not None and b'"secret:' in text and
                             text.count(b"id: ") > 1, text)
        kept = [text for text in map(self.alone, live)
                if text is not None and b'"secret:' in text]
        self.assertEqual(len(kept), 6)
        # Nor is a secret of use for what comes after it: whose own text it
        # stands behind is all that makes a chunk depend on another.
        after = [at + 1 for at, chunk in enumerate(live[:-1])
                 if b'"secret:' in (self.alone(chunk) or b"")]
        for at in after:
            self.assertIsNotNone(self.alone(live[at]))

    def test_a_secret_is_alone_in_the_past_too(self):
        broker = self.packing(**SMALL, **{"channel secret:*.secret": "on",
                                       "channel secret:*.keep": "latest"})
        with broker.publisher() as publisher:
            publisher.publish_many(
                ("secret:1" if n % 3 == 0 else "guess", order(5), None,
                 "k%d" % n) for n in range(3000))
        for since in ("&since=-1", ""):
            with socket.create_connection(("127.0.0.1", broker.port), 20) as \
                    one:
                one.sendall(sse_client.request_bytes(
                    broker.port, "/stream?channels=guess,secret:*&live=false" +
                    since, (("Accept", "text/event-stream"),
                             takes(self.coding))))
                raw = b"".join(iter(lambda: one.recv(1 << 16), b""))
            secrets = 0
            for chunk in cut(raw):
                text = self.alone(chunk) or b""
                if b'"secret:' in text:
                    self.assertEqual(text.count(b"data: "), 1, text)
                    secrets += 1
            self.assertGreater(secrets, 990)

    def test_what_was_withdrawn_is_not_even_finished(self):
        """Of a pack that is half written, some may be of that channel: the
        stream ends, and its client comes back without it."""
        key = tokens.Secret()
        broker = self.broker(
            start=False, auth__mode="jwt", http__compression=self.coding,
            broker__workers=1, http__send_buffer="4k")
        broker.settings["auth.jwt_key_file"] = key.write(
            os.path.join(broker.folder, "key"))
        broker.start()
        bearer = list(tokens.bearer(key.token(
            sub="u1", ssemux={"subscribe": ["*"]})))
        plain, packed = self.both(
            broker, "a,b", headers=bearer, receive_buffer=4096)
        plain.start()
        packed.start()
        with broker.publisher() as publisher:
            cursors = publisher.publish_many(
                ("ab"[n % 2], noise(3000)) for n in range(300))
        wait_for(lambda: broker.metric("streams_behind") == 2, "full sockets")
        done = control(broker, "revoke", "u1", "a")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("revoked", [event.name for event in packed.rest()])
        self.assertEqual(packed.ended, "cut")
        with self.open(broker, "a,b", headers=bearer + [takes(self.coding)],
                       last_id=packed.last_id or "-1") as again:
            self.assertEqual(again.control("connected")["refused"], ["a"])
            event = again.next()
            while event.name == "message":
                self.assertEqual(json.loads(event.data)["channel"], "b")
                event = again.next()
            self.assertEqual(again.last_id, wire.cursor_text(cursors[-1]))


class Gzip(Compression, BrokerCase):
    coding = "gzip"
    decompress = staticmethod(gzip.decompress)

    def alone(self, chunk):
        """What is in a chunk, when it stands alone."""
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(chunk)
        except zlib.error:
            return None  # it refers to what was before it


class Zstd(Compression, BrokerCase):
    coding = "zstd"
    decompress = staticmethod(zstd.decompress)

    def alone(self, chunk):
        try:
            return zstd.Decompressor().decompress(zstd.HEAD + chunk)
        except zstd.Broken:
            return None

    def test_what_repeats_itself_is_right_wherever_it_stands(self):
        """Of which a compressor takes for granted what comes right before: in
        streams that share it, that is something else each time."""
        broker = self.packing(broker__workers=1)
        streams = [self.open(broker, channels) for channels in
                   ("a,b", "a,c", "b,c", "a,b,c", "*")]
        for stream in streams:
            stream.start()
        dice = random.Random(SEED)
        print("seed %d" % SEED)
        rows = []
        for _ in range(600 * SCALE):
            period = "".join(dice.choices("abcdefghij", k=dice.randrange(1, 9)))
            rows.append((dice.choice("abc"), period * dice.randrange(1, 60)))
        with broker.publisher() as publisher:
            for row in rows[:300]:
                publisher.publish(*row)
            publisher.publish_many(rows[300:])
        for stream, channels in zip(streams, ("ab", "ac", "bc", "abc", "abc")):
            self.assertEqual(
                [(event["channel"], event["data"]) for event in stream.tagged(
                    sum(row[0] in channels for row in rows))],
                [row for row in rows if row[0] in channels])


class Both(BrokerCase):
    """Which coding a stream has, and that several go side by side."""

    def coding_of(self, broker, accepted, method="GET"):
        headers = [("Accept", "text/event-stream"), takes(accepted)]
        if method == "HEAD":
            body, _ = sse_client.fetch(broker.port, "/stream?channels=c",
                                       headers, "HEAD")
            return body.headers.get("content-encoding")
        with broker.stream("c", headers=[takes(accepted)]) as stream:
            stream.start()
            return stream.body.headers.get("content-encoding")

    def test_it_is_a_matter_of_asking_and_of_the_configuration(self):
        offers = ("off", "gzip", "zstd", "gzip, zstd")
        brokers = [self.broker(http__compression=each) for each in offers]
        for accepted, wanted in [
                ("gzip, deflate, br", "-g-g"), ("gzip, deflate, br, zstd", "-gzz"),
                ("zstd", "--zz"), ("*", "-gzg"), ("x-gzip", "-g-g"),
                ("gzip;q=0", "----"), ("gzip;q=0, *", "--zz"), ("br", "----"),
                ("identity, gzip;q=0.5", "----"), ("zstd;q=0.9, gzip", "-gzg"),
                ("zstd, gzip;q=0.9", "-gzz"), ("zstd;q=0, *", "-g-g"),
                ("*, zstd", "-gzz"), ("gzip, *", "-gzg"), ("", "----"),
                ("zstd;q=0.4, identity;q=0.5, gzip;q=0.5", "-g-g")]:
            for method in ("GET", "HEAD"):
                self.assertEqual("".join(
                    (self.coding_of(broker, accepted, method) or "-")[0]
                    for broker in brokers), wanted, (accepted, method))

    def test_streams_of_all_codings_get_the_same(self):
        broker = self.broker(http__compression="zstd,gzip", broker__workers=1)
        codings = ("identity", "gzip", "zstd") * 5
        streams = [broker.stream("c", headers=[takes(coding)])
                   for coding in codings]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.start()
        with broker.publisher() as publisher:
            for number in range(200):
                publisher.publish("c", order(number))
            publisher.publish_many(("c", order(n)) for n in range(800))
        seen = [[event.raw for event in stream.events(1000)]
                for stream in streams]
        for raws in seen:
            self.assertEqual(raws, seen[0])
        # Each is made once for all who take it, and not for the others.
        made = broker.metric("packs_made_total")
        self.assertLess(made, 2 * 1000)
        self.assertEqual(
            {stream.body.headers.get("content-encoding") for stream in streams},
            {None, "gzip", "zstd"})

    def test_each_coding_and_format_has_its_own_context(self):
        """One is not compressed worse because there are others."""
        broker = self.broker(http__compression="gzip, zstd",
                             broker__workers=1)
        streams = [broker.stream("c", query=query, headers=[takes(coding)])
                   for query in ("", "&format=raw")
                   for coding in ("gzip", "zstd") for _ in range(2)]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.start()
        with broker.publisher() as publisher:
            for number in range(50):
                publisher.publish("c", order(number))
                for stream in streams:
                    stream.events(1)
        self.assertEqual(broker.metric("packs_written_total"), 50 * 8)
        self.assertLessEqual(broker.metric("packs_made_total"), 51 * 4)
        self.assertLess(broker.metric("packed_bytes_total"),
                        0.4 * broker.metric("packed_text_bytes_total"))


class Without(BrokerCase):
    """A broker that was built without zstd."""

    PROGRAM = os.path.join(OUT, "without-zstd", "ssemuxd")

    def test_it_says_so_when_it_is_configured(self):
        for setting in ("zstd", "gzip, zstd"):
            done = subprocess.run(
                [self.PROGRAM, "-t", "-o", "http.compression=" + setting],
                capture_output=True, text=True, timeout=20)
            self.assertEqual((done.returncode, done.stdout), (78, ""))
            self.assertIn('got "%s", expected off or gzip, as this ssemuxd was '
                          "built without zstd" % setting, done.stderr)

    def test_it_does_without(self):
        broker = self.broker(start=False, http__compression="gzip")
        broker.program = self.PROGRAM
        broker.start()
        with broker.stream("c", headers=[takes("gzip, zstd")]) as stream, \
                broker.publisher() as publisher:
            stream.start()
            self.assertEqual(stream.body.headers["content-encoding"], "gzip")
            publisher.publish_many(("c", order(n)) for n in range(100))
            self.assertEqual([event["data"] for event in stream.tagged(100)],
                             [json.loads(order(n)) for n in range(100)])
        with open("/proc/%d/maps" % broker.pid) as maps:
            self.assertNotIn("libzstd", maps.read())


if __name__ == "__main__":
    unittest.main()
