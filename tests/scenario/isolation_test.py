"""Isolation: users with random overlapping grants, streams that come and go
and change all the time, tokens that are forged, expired, swapped and replayed,
rights that are withdrawn and given back; and random events on channels that
look like each other. An independent model computes who may see what: not one
event too many, not one too few.

	isolation_rules    who may see what
	isolation_world    users, tokens, channels, by lot
	isolation_stream   a stream, and what it got
	isolation_watch    what it got against the log, while its rights change
	isolation_verdict  its whole life, from the answer to the end

SSEMUX_SEED repeats a run, as far as the machine's speed lets it; SSEMUX_EVENTS
says how many events.
"""
import collections
import json
import os
import random
import selectors
import subprocess
import time
import unittest

import isolation_rules as rules
import patterns
import msgpack_wire as wire
import sse_client
from broker import BUILD, SANITIZED, SCALE, BrokerCase
from isolation_rules import Op
from isolation_stream import Stream
from isolation_verdict import Renewal, goal, judge, standings
from isolation_watch import Log, Wrong
from isolation_world import World, now_ms

CONTROL = os.path.join(BUILD, "ssemuxctl")
EVENTS = int(os.environ.get("SSEMUX_EVENTS") or
             (100000 if SCALE > 1 else 30000))
OPEN = 250           # streams, about
UNACKED = 2000       # events that may be under way
SMALL_WINDOW = {"broker__window": "256k", "broker__window_events": 256,
                "publish__max_event": "16k"}
PATIENCE_S = 60 if SANITIZED else 30


class Source:
    """A publisher that does not wait for its answers."""

    def __init__(self, play, name):
        self.play = play
        self.connection = play.broker.publisher(name, timeout=60)
        self.unacked = collections.deque()
        play.selector.register(self.connection.socket, selectors.EVENT_READ,
                               self)

    def message(self, channel, kind, pad):
        log, self.connection.seq = self.play.log, self.connection.seq + 1
        number = log.add(channel, kind)
        self.unacked.append(number)
        if kind is None:
            return wire.pack([wire.RESYNC, self.connection.seq, channel])
        return wire.pack([wire.PUBLISH, self.connection.seq, channel, kind,
                          None, "%d %s" % (number, "x" * pad),
                          wire.FLAG_TEXT])

    def read(self):
        data = self.connection.socket.recv(1 << 16)
        if not data:
            raise Wrong("the publisher's connection has ended")
        self.connection.reader.feed(data)
        log = self.play.log
        while True:
            try:
                message = self.connection.reader.next()
            except wire.Part:
                return False
            assert message[0] == wire.ACK, message
            log.saw(self.unacked.popleft(), message[2])
            log.newest = max(log.newest, message[2])


class Play:
    """The crowd, and what happens to it."""

    def __init__(self, case, seed, lossy, **settings):
        self.dice = random.Random(seed)
        self.broker = case.broker(start=False, broker__workers=3, **settings)
        self.world = World(self.dice, self.broker.folder)
        self.broker.start(self.world.settings())
        self.log = Log()
        self.selector = selectors.DefaultSelector()
        case.addCleanup(self.selector.close)
        self.sources = [Source(self, "a"), Source(self, "b")]
        self.streams = []       # all there ever were
        self.open = []          # those that are not over
        self.commands = []      # (process, Op, user) under way
        self.count = collections.Counter()
        self.lossy = lossy      # history is let go
        self.late = None        # who did not get its last events in time
        case.addCleanup(self.end)

    def end(self):
        for stream in self.open:
            stream.socket.close()
        for source in self.sources:
            source.connection.close()
        for process, _, _ in self.commands:
            process.kill()
            process.communicate()

    # ---- turning the wheel

    def pump(self, seconds=0.0):
        """Reads what there is; False when nothing came."""
        ready = self.selector.select(seconds)
        for key, _ in ready:
            if key.data.read():
                self.settle(key.data)
        self.reap()
        return bool(ready)

    def settle(self, stream):
        """It is over, and not read any more."""
        if not stream.stalled:
            self.selector.unregister(stream.socket)
        stream.close_socket()
        self.open.remove(stream)
        if stream.user is not None:
            stream.user.streams.discard(stream)

    def until(self, condition, what, seconds=PATIENCE_S):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise Wrong("%s did not come about in %d s" % (what, seconds))
            self.pump(0.05)

    def publish(self, count):
        """A burst, in one write."""
        dice = self.dice
        source = dice.choice(self.sources)
        self.until(lambda: len(source.unacked) < UNACKED, "acks")
        out = []
        for _ in range(count):
            if dice.random() < 0.002:
                out.append(source.message(self.world.resync_channel(), None,
                                          0))
            else:
                channel, kind = self.world.event()
                out.append(source.message(
                    channel, kind, dice.choice([0, 0, 0, 0, 10, 300])))
        source.connection.send_bytes(b"".join(out))

    def probe(self, pattern):
        """Events right where something is withdrawn, or given back."""
        source = self.sources[0]
        for channel in self.world.hit(pattern, 3):
            source.connection.send_bytes(source.message(channel, "", 0))
            source.connection.send_bytes(
                source.message(channel, "order.probe", 0))

    def post(self, target, token, data=None):
        """A POST request to its end: (status, JSON)."""
        rows = [("Authorization", "Bearer " + token.text)] if token else []
        rows.append(("Connection", "close"))
        if data is not None:
            data = json.dumps(data).encode()
            rows += [("Content-Type", "application/json"),
                     ("Content-Length", str(len(data)))]
        body, text = sse_client.fetch(
            self.broker.port, target, timeout=60,
            raw=sse_client.request_bytes(self.broker.port, target, rows,
                                         "POST") + (data or b""))
        self.reap()
        return body.status, json.loads(text)

    def offer(self):
        """A list of events over HTTP, some of which the token allows."""
        dice, log = self.dice, self.log
        touched = [each for each in self.world.users if each.ops]
        user = dice.choice(touched if touched and dice.random() < 0.5 else
                           self.world.users)
        token = self.token(user)
        rows = [(self.world.offer(token), self.world.event()[1])
                for _ in range(dice.choice([1, 2, 4]))]
        numbers = [log.add(*row) for row in rows]
        called = time.monotonic()
        status, answer = self.post("/publish", token, [
            {"channel": channel, "type": kind, "data": "%d " % number}
            for number, (channel, kind) in zip(numbers, rows)])
        due = standings(token, called)
        if status == 401 and answer["code"] in due:
            log.refused.update(numbers)
            self.count["published in vain"] += 1
            return
        if status not in (200, 422) or None not in due:
            raise Wrong("published, due %s: %d %r" % (due, status, answer))
        for number, (channel, kind), got in zip(numbers, rows,
                                                answer["results"]):
            if ("cursor" in got) not in self.may_publish(
                    user, token, channel, called) or \
                    got.get("code", "not-allowed") != "not-allowed":
                raise Wrong("%s published %s with %s: %r" % (
                    user.name, channel, token.publish, got))
            self.count["published" if "cursor" in got else "not-allowed"] += 1
            if "cursor" in got:
                log.saw(number, wire.cursor_number(got["cursor"]))
                log.newest = max(log.newest, log.cursor[number])
            else:
                log.refused.add(number)

    def may_publish(self, user, token, channel, called):
        """What may be the answer: a revocation may be under way."""
        low = sum(op.returned <= called for op in user.ops)
        return {any(patterns.covers(each, channel)
                    for each in token.publish) and
                not any(patterns.covers(each, channel) for each in
                        rules.revoked_by(user.ops[:count], token.issued))
                for count in range(low, len(user.ops) + 1)}

    # ---- streams

    def token(self, user):
        dice = self.dice
        fate = dice.random()
        if fate < 0.08:
            self.count["forged"] += 1
            return self.world.forge(user)
        if fate < 0.11:
            return None
        if fate < 0.2:
            return self.world.issue(user, dice.choice([1, 2, 4]))
        fresh = [each for each in user.wallet
                 if each.expires_ms > now_ms() + 10000]
        if fresh and fate < 0.8:
            return dice.choice(fresh)
        return self.world.issue(user)

    def start(self, user=None, token=None, cursor=None):
        dice = self.dice
        user = user or dice.choice(self.world.users)
        token = token or self.token(user)
        block = dice.choice(self.world.blocks)
        if cursor is None and dice.random() < 0.25:
            cursor = self.cursor()
        types = dice.choice(self.world.asked_types) \
            if dice.random() < 0.15 else []
        asked = self.world.ask(
            block, token if token is not None and token.good else None)
        stream = Stream(
            self, block, token, asked, types,
            query=dice.choice([""] * 19 + ["&live=false"]), cursor=cursor,
            patience=dice.choice([None] * 9 + [4096]))
        stream.slow |= self.lossy  # where the broker's buffers are small, too
        self.count["streams"] += 1
        self.streams.append(stream)
        self.open.append(stream)
        if stream.user is not None:
            stream.user.streams.add(stream)
            stream.changes += [(op, 0) for _, op, owner in self.commands
                               if owner is stream.user]
        self.selector.register(stream.socket, selectors.EVENT_READ, stream)

    def cursor(self):
        """Somebody's, or nobody's."""
        dice = self.dice
        last = len(self.log) if self.lossy else 2000
        known = [each for each in self.log.cursor[-last:] if each]
        cursor = dice.choice(known) if known else None
        if dice.random() < 0.02:
            # What went before the oldest event is no loss: nobody can know
            # how much it is.
            return dice.choice(["garbage", "garbage" if self.lossy else "-1"])
        return wire.cursor_text(cursor) if cursor is not None else None

    def close(self, stream):
        self.settle(stream)
        stream.close()

    def some(self, condition=lambda stream: True):
        """One of the open streams; None."""
        for _ in range(10):
            stream = self.dice.choice(self.open) if self.open else None
            if stream is not None and condition(stream):
                return stream
        return None

    def drop(self):
        stream = self.some()
        if stream is not None:
            self.close(stream)

    def change(self):
        """The client comes back for other channels, where it was."""
        stream = self.some(lambda each: each.connected is not None)
        if stream is None:
            return
        self.close(stream)
        user = stream.first_token.user if stream.first_token else None
        token = stream.token if self.dice.random() < 0.5 else None
        self.count["resumed"] += 1
        self.start(user, token, stream.newest())

    def stall(self):
        stream = self.some(lambda each: not each.stalled)
        if stream is not None:
            stream.stalled = stream.slow = True
            self.selector.unregister(stream.socket)

    def go_on(self):
        for stream in self.open:
            if stream.stalled and self.dice.random() < 0.5:
                self.wake(stream)

    def wake(self, stream):
        stream.stalled = False
        self.selector.register(stream.socket, selectors.EVENT_READ, stream)

    # ---- rights

    def renew(self):
        """A new token for a live stream: a good one, or a bad one."""
        dice = self.dice
        stream = self.some(lambda each: each.open and each.user is not None
                           and each.bye is None and
                           (each.changes or dice.random() < 0.3))
        if stream is None:
            return
        user = stream.user
        fate = dice.random()
        if fate < 0.5:
            token = self.world.issue_anew(user)
        elif fate < 0.65:
            token = dice.choice(user.wallet)
        elif fate < 0.85:
            token = self.world.issue(dice.choice(self.world.users), back=5)
        else:
            token = self.world.forge(user)
        if token.expires_ms > now_ms() + 3000 or not token.good:
            self.bring(stream, token)

    def bring(self, stream, token):
        change, before = Renewal(token), len(stream.notes)
        change.called = time.monotonic()
        target = "%s/%s" % (stream.block.path, stream.connected["stream"])
        if self.dice.random() < 0.3:
            request = (target, None, {"token": token.text})
        else:
            request = (target, token)
        status, answer = self.post(*request)
        while (status, answer.get("code")) == (503, "later"):
            # Its worker could not be asked, or has answered a hub that is gone.
            status, answer = self.post(*request)
        change.returned = time.monotonic()
        self.count["renewed %d" % status] += 1
        got = (status, answer.get("code"))
        if got == (404, "stream-unknown"):
            stream.unknown = True  # of which its own notes must tell
            return
        due = standings(token, change.called)
        if status == 401 and answer["code"] in due:
            return
        if None not in due:
            raise Wrong("renewal of %r, due %s: %r" % (stream, due, got))
        if token.user is not stream.user or got == (403, "stream-foreign"):
            stream.foreign |= token.user is stream.user
            if got != (403, "stream-foreign"):
                raise Wrong("renewal of %r with the token of %s: %r" % (
                    stream, token.user.name, got))
            return
        if got == (403, "channels-refused"):
            change.channels = set()  # the judge knows
        elif status == 200:
            change.channels = set(answer["channels"])
        else:
            raise Wrong("renewal of %r: %r" % (stream, got))
        change.returned_n = len(self.log)
        stream.changes.append((change, before))
        stream.token = token
        stream.ends_ms = token.lasts_ms(now_ms())

    def withdraw(self):
        """ssemuxctl revoke, kick or restore; goes on while it works."""
        dice = self.dice
        live = [each for each in self.world.users if each.streams]
        user = dice.choice(live if live and dice.random() < 0.8 else
                           self.world.users)
        if user.busy or user.newest * 1000 > now_ms():
            return
        fate = dice.random()
        if fate < 0.1:
            self.command(user, Op("revoke", "*"), ["kick", user.name])
        elif fate < 0.6 or not user.ops:
            pattern = self.pattern_of(user)
            self.command(user, Op("revoke", pattern),
                         ["revoke", user.name, pattern])
        else:
            pattern = dice.choice(user.ops).pattern
            self.command(user, Op("restore", pattern),
                         ["restore", user.name, pattern])

    def pattern_of(self, user):
        """Something that one of the user's streams has, or about that."""
        dice = self.dice
        streams = [each for each in user.streams if each.open]
        if streams:
            # In the order of their opening: a set has none.
            streams.sort(key=lambda each: each.sent)
            base = dice.choice(dice.choice(streams).connected["channels"])
            part = self.world.hit(base, 1)
            if part and dice.random() < 0.4:
                return part[0]
        else:
            base = self.world.pattern()
        return self.world.vary(base) if base != "*" else self.world.pattern()

    def command(self, user, op, words):
        self.count[words[0]] += 1
        user.busy = True
        user.ops.append(op)
        self.probe(op.pattern)
        op.called, op.called_ms = time.monotonic(), int(now_ms())
        for stream in user.streams:
            stream.changes.append((op, len(stream.notes)))
        process = subprocess.Popen(
            [CONTROL, "-s", self.broker.socket, "--"] + words,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        self.commands.append((process, op, user))

    def reap(self):
        """Notes the commands that have returned."""
        for row in list(self.commands):
            process, op, user = row
            if process.poll() is None:
                continue
            self.commands.remove(row)
            text = process.stdout.read()
            process.stdout.close()
            if process.returncode != 0:
                raise Wrong("%s: %d, %r" % (process.args, process.returncode,
                                            text))
            op.returned, op.returned_ms = time.monotonic(), now_ms()
            op.returned_n = len(self.log)
            user.busy = False
            self.probe(op.pattern)

    # ---- the play

    ACTS = (["start"] * 6 + ["drop"] * 3 + ["change"] * 4 +
            ["stall"] + ["go_on"] * 2 + ["renew"] * 6 +
            ["withdraw"] * 3 + ["offer"] * 3)
    KILL = 0.001

    def kill(self):
        """A worker: its streams are cut, all that was withdrawn stays so."""
        self.count["kill"] += 1
        for stream in self.open:
            stream.cut = True
        self.broker.kill_worker(self.dice.choice(self.broker.workers()))

    def act(self):
        if self.dice.random() < self.KILL:
            self.kill()
        name = self.dice.choice(self.ACTS)
        if name == "start" and len(self.open) > OPEN * 1.2:
            name = "drop"
        if name == "drop" and len(self.open) < OPEN * 0.8:
            name = "start"
        getattr(self, name)()

    def run(self, events):
        while len(self.open) < OPEN:
            self.start()
            self.pump()
        while len(self.log) < events:
            self.publish(self.dice.choice([1, 10, 30, 60]))
            for _ in range(self.dice.choice([1, 2, 4])):
                self.act()
            for _ in range(20):
                if not self.pump():
                    break

    def finish(self):
        """A last event on every channel; all read up to it."""
        for stream in self.open:
            if stream.stalled:
                self.wake(stream)
        self.until(lambda: not self.commands, "the commands' end")
        self.until(lambda: all(each.connected for each in self.open),
                   "all streams' opening")
        first = len(self.log)
        for kind in ["order.last", "sync", ""]:
            for start in range(0, len(self.world.channels), 100):
                source = self.sources[0]
                source.connection.send_bytes(b"".join(
                    source.message(channel, kind, 0) for channel in
                    self.world.channels[start:start + 100]))
                self.pump()
        self.until(lambda: not any(each.unacked for each in self.sources),
                   "the last acks")
        self.log.sort()
        goals = {stream: goal(stream) for stream in self.open}
        if self.lossy:  # what is older may not come
            goals = {stream: place for stream, place in goals.items()
                     if place > self.log.place[first]}
        try:
            self.until(lambda: all(map(self.arrived, goals,
                                       goals.values())), "the last events")
        except Wrong as error:
            missing = [each for each in goals
                       if not self.arrived(each, goals[each])]
            self.late = Wrong("%s, for %r" % (error, missing[0]))
        self.count["events"] = len(self.log)

    def arrived(self, stream, place):
        if stream.over or place == 0:
            return True
        last = next((note for note in reversed(stream.notes)
                     if isinstance(note, int)), None)
        return last is not None and self.log.place[last] + 1 >= place

    def judge(self):
        for stream in self.streams:
            judge(stream, len(self.log), self.lossy)
            self.count["resyncs"] += sum(
                not isinstance(note, int) and note[0] == "resync" and
                note[2] == "history" for note in stream.notes)
            self.count["delivered"] += sum(
                isinstance(note, int) for note in stream.notes)
            self.count["answered %s" % stream.status] += 1
            self.count["bye %s" % stream.bye] += 1
        if self.late is not None:  # the judge has better words for most
            raise self.late
        return self.count


class Isolation(BrokerCase):
    def play(self, events, lossy=False, **settings):
        seed = int(os.environ.get("SSEMUX_SEED") or random.randrange(2**32))
        print("seed", seed, flush=True)
        play = Play(self, seed, lossy, **settings)
        try:
            play.run(events)
            play.finish()
            return play.judge()
        except Exception as error:
            raise AssertionError("SSEMUX_SEED=%d SSEMUX_EVENTS=%d: %s" % (
                seed, EVENTS, error)) from error
        finally:
            print(dict(sorted(play.count.items())), flush=True)

    def test_everybody_gets_exactly_what_they_may_see(self):
        # The window is small, so that much is read from the store.
        count = self.play(EVENTS, **SMALL_WINDOW)
        for each in ["forged", "resumed", "kick", "revoke", "restore",
                     "renewed 200", "renewed 401", "renewed 403",
                     "answered 401", "answered 403", "bye token-expired",
                     "bye kicked"]:
            self.assertGreater(count[each], 0, each)

    def test_what_is_lost_is_named_to_those_alone_who_might_see_it(self):
        count = self.play(
            EVENTS // 2, lossy=True, history__max_events=3000,
            broker__ring="256k", http__send_buffer="4k", **SMALL_WINDOW)
        self.assertGreater(count["resyncs"], 0)


if __name__ == "__main__":
    unittest.main()
