"""model_play: one short story, drawn from a seed: events come, streams are
opened, changed, cut, stalled and resumed, history is let go, and processes are
killed."""
import os
import subprocess

import msgpack_wire as wire
from broker import BUILD
from model_draw import FILTERS, KEYS, NAMES, Draw
from model_pages import Pages
from model_world import NOW
from patterns import takes

class Play(Draw):
    """One story, of the steps below."""

    def __init__(self, world, dice, name):
        super().__init__(world, dice, name)
        world.dice = dice
        self.done = []  # what happened, for who reads the failure

    def some(self, streaming=True):
        """A client of which this may be asked; None."""
        able = [each for each in self.world.clients
                if (each.stream is not None) == streaming]
        return self.dice.choice(able) if able else None

    # ---- steps

    def do_publish(self):
        count = self.dice.choice([1, 1, 2, 5, 20])
        self.world.publish(self.rows(count))
        return count

    def do_flood(self):
        """So much that history is let go."""
        world = self.world
        count = self.dice.randrange(1, world.reach + 20)
        size = 0 if world.volatile else \
            self.dice.choice([0, 900, 3000])
        world.publish(self.rows(count, size))
        return count

    def do_large(self):
        if self.world.volatile:
            return self.do_publish()
        self.world.publish([self.row(size=self.dice.choice(
            [5000, 12000, 40000])) for _ in range(self.dice.choice([1, 3]))])
        return "large"

    def do_resync(self):
        channel = self.own(self.dice.choice(NAMES))
        if self.dice.random() < 0.9:
            self.world.publish([(self.world.sources[0], channel, None, None,
                                 None, 0)])
        else:
            self.world.make_safe(1)
            subprocess.run([os.path.join(BUILD, "ssemuxctl"), "-s",
                            self.world.broker.socket, "resync", channel],
                           check=True, timeout=60)
            self.world.learn(channel)
        return channel

    def do_resend(self):
        """What was acknowledged is sent again: nothing comes of it."""
        world, source = self.world, self.dice.choice(self.world.sources)
        if not source.seq:
            return None
        head = world.base.execute("SELECT max(cursor) FROM event").fetchone()
        with world.broker.publisher(source.name) as again:
            first = max(1, source.seq - self.dice.randrange(5))
            for seq in range(first, source.seq + 1):
                again.send([wire.PUBLISH, seq, self.own("a"), None, None,
                            "again"])
            for seq in range(first, source.seq + 1):
                acked, _, duplicate = again.ack()
                assert (acked, duplicate) == (seq, True)
        assert head == world.base.execute(
            "SELECT max(cursor) FROM event").fetchone()
        return source.seq - first + 1

    def do_open(self):
        world = self.world
        if len(world.clients) >= 4:
            return self.do_leave()
        client = world.client(
            self.patterns(), self.dice.choice(["tagged", "tagged", "raw"]),
            self.dice.choice(FILTERS), self.dice.choice(KEYS),
            self.dice.choice(["1.1", "1.1", "1.1", "1.0"]),
            self.dice.choice([None, 4096, 2304]),
            self.dice.choice([None] * 6 + ["5ms", "20"]),
            self.dice.choice([None] * 6 + ["5", "15ms"]))
        asked = self.start_anew()
        client.open(asked)
        if client.course.owed_snapshot:
            client.sync()  # before anything is superseded
        return client.patterns, asked

    def do_pages(self):
        """The same as pages of JSON, asked for one after the other."""
        reader = Pages(self.world, self.patterns(),
                       self.dice.choice(FILTERS), self.dice.choice(KEYS))
        asked = self.start()
        if self.world.under_way:
            return None
        return reader.patterns, asked, reader.read(
            asked, self.dice.choice([1, 2, 7, 100, 1000]))

    def do_ending(self):
        """A stream that ends by itself."""
        client = self.world.client(
            self.patterns(), self.dice.choice(["tagged", "raw"]),
            self.dice.choice(FILTERS), self.dice.choice(KEYS),
            self.dice.choice(["1.1", "1.0"]),
            conflate=self.dice.choice([None, None, "10s"]))
        asked = self.start_anew()
        client.open(asked, live=False)
        client.finish()
        self.world.clients.remove(client)
        return client.patterns, asked

    def do_leave(self):
        client = self.some()
        if client is None:
            return None
        if self.dice.random() < 0.5:
            client.sync()
        self.world.leave(client)
        return client.patterns

    def do_change(self, slow=None):
        client = slow or self.some()
        if client is None or client.may_end or client.course.changes:
            return None
        world, course = self.world, client.course
        behind = world.log.behind(course.lowest) < world.log.oldest
        if client.stalled and world.volatile:
            return None
        if world.volatile or (
                behind and not course.lossy) or (
                    not slow and self.dice.random() < 0.5):
            # Losses are told once to who has got everything.
            if client.stalled:
                return None
            client.sync()
        now = list(client.course.members)
        add = self.patterns() if self.dice.random() < 0.8 else []
        drop = self.dice.sample(now, self.dice.randrange(len(now) + 1)) + \
            self.dice.choice([[], [], [self.own("none")]])
        if self.dice.random() < 0.5:
            drop = []
        if world.log.rules:
            drop = [each for each in drop if each != self.own("word")]
        if not add and not drop:
            return None
        asked = world.now("since" if world.log.rules else None) \
            if self.dice.random() < 0.3 else self.where("since")
        if not add:
            asked = NOW
        client.change(add, drop, asked)
        return add, drop, asked

    def do_cut(self):
        """At the end, somewhere, or in the midst of an event; and then it
        comes back, perhaps with other channels."""
        client = self.some()
        if client is None:
            return None
        for _ in range(self.dice.randrange(4)):
            client.pump(self.dice.choice([1, 7, 50, 300, 1 << 18]))
        client.cut()
        client.judge()
        if self.dice.random() < 0.3:
            client.patterns = self.patterns()
        return client.patterns

    def do_resume(self):
        client = self.some(streaming=False)
        if client is None:
            return None
        client.resume()
        return client.patterns, client.newest

    def do_stall(self):
        client = self.some()
        if client is not None:
            client.stalled = True
        return client and client.patterns

    def do_crawl(self):
        """A slow reader gets other channels, from the past too, while it has
        not got what it had before."""
        client = self.some()
        if client is None or not client.receive_buffer:
            return self.do_open()
        self.sync(client)
        client.stalled = True
        world = self.world
        if client.course.members:
            self.last_word(client)
        world.publish(self.rows(self.dice.randrange(
            world.reach // 2, world.reach), 3000 * (
                not world.volatile)))
        return self.do_change(client)

    def do_lag(self):
        """One stream loses something, is told, and loses something again."""
        client, world = self.some(), self.world
        if client is None or not client.receive_buffer or client.conflate or \
                world.mode.kills or world.log.rules:
            return self.do_open()
        for _ in range(self.dice.choice([1, 2, 3])):
            self.sync(client)
            if not client.course.members:
                return None
            client.stalled = True
            world.publish(self.rows(world.reach + 10, 3000 * (
                not world.volatile)))
            self.sync(client)
        return client.patterns

    def do_chatter(self):
        """So many changes of a stream that is not read that no word more fits
        into its connection."""
        client = self.some()
        if client is None or client.may_end or client.course.changes or \
                not client.receive_buffer:
            return None
        self.sync(client)
        client.stalled = True
        many = [self.own("m:%d" % n + "x" * 150) for n in range(12)]
        for number in range(self.dice.randrange(20)):
            client.change(*((many, []) if number % 2 == 0 else (
                [], many)), self.world.now("since"))
        return client.patterns

    def do_sync(self):
        client = self.some()
        if client is not None:
            self.sync(client)
        return client and client.patterns

    def sync(self, client):
        """Reads all. Who may have lost something gets one event more, that it
        may tell."""
        if client.stalled and client.course.lossy:
            self.last_word(client)
        client.sync()

    def last_word(self, client):
        """An event that comes to this client, whatever it has not got."""
        course = client.course
        patterns = course.final or list(course.members)
        if not patterns:
            return
        kind = next(each for each in ("order.x", "order", "page", "y")
                    if takes(course.types, each))
        key = next(each for each in ("", "k1", "k2")
                   if takes(course.keys, each))
        channel = self.own("word") if self.world.log.rules else patterns[-1]
        if channel.endswith("*"):
            channel = channel[:-1] + "last" if channel != "*" else "last"
        self.count += 1
        self.world.publish([(self.world.sources[0], channel,
                             "%d last" % self.count, kind, key or None,
                             0)])

    def do_meanwhile(self):
        """Something happens while events are on their way."""
        world = self.world
        client = self.some()
        world.offer(self.rows(self.dice.randrange(1, world.reach // 2)))
        what = self.dice.choice(["open", "cut", "pump", "resume"] + [
            "hub", "supervisor"] * world.mode.kills)
        if what == "open" and len(world.clients) < 4:
            self.do_open()
        elif what == "cut" and client is not None:
            client.pump(100)
            client.cut()
        elif what == "pump" and client is not None:
            client.pump()
        elif what == "hub":
            world.kill_hub()
        elif what == "supervisor":
            world.restart(gently=False)
        world.settle()
        return what

    def do_kill(self):
        what = self.dice.choice(["worker", "worker", "hub", "stop",
                                 "supervisor"])
        if what == "worker":
            self.world.kill_worker()
        elif what == "hub":
            self.world.kill_hub()
        else:
            self.world.restart(gently=what == "stop")
        return what

    STEPS = (("publish", 8), ("flood", 2), ("large", 1), ("resync", 1),
             ("resend", 1), ("open", 5), ("pages", 2), ("ending", 2),
             ("leave", 1), ("change", 6), ("cut", 2), ("resume", 4),
             ("stall", 2), ("crawl", 2), ("lag", 1), ("chatter", 1),
             ("sync", 3), ("meanwhile", 2))

    def run(self):
        names = [name for name, _ in self.STEPS]
        weights = [weight for _, weight in self.STEPS]
        if self.world.mode.kills:
            names.append("kill")
            weights.append(1)
        for _ in range(self.dice.randrange(6, 18)):
            name = self.dice.choices(names, weights)[0]
            self.done.append(name)
            self.done[-1] = name, getattr(self, "do_" + name)()
        self.finish()

    def finish(self):
        """Everybody comes back and gets all; and then one event more, behind
        which nothing can hide."""
        self.done.append("finish")
        for client in self.world.clients:
            if client.stream is None:
                client.resume()
        for client in list(self.world.clients):
            self.sync(client)
            self.last_word(client)
        for client in list(self.world.clients):
            client.sync()
            self.world.leave(client)
