"""model_draw: what a story is drawn from: names, patterns, data, filters, and
places to begin at."""
import msgpack_wire as wire

TYPES = ["", "", "order", "order.updated", "order.created", "page"]
FILTERS = [()] * 5 + [("order.*",), ("!page",), ("order.*", "!order.created"),
                      ("page", "order"), ("order",)]
KEYS = [()] * 6 + [("k1",), ("!k1",), ("k*", "!k2"), ("*",)]
NAMES = ["a", "a:1", "a:10", "a:1:x", "ab:1", "b", "a:", "a:2", "a@1"]
PATTERNS = ["*", "a:*", "a:1:*", "b:*"] + NAMES
# The first segment of these says what is kept of them.
RULED = ["%s/%s" % (rule, name) for rule in ("few", "none", "latest")
         for name in ("a", "a:1", "b")]
RULED_PATTERNS = ["few/*", "few/a:*", "none/*", "latest/*"] + RULED


class Draw:
    """Channels have names of the story's own, so that many stories share a
    broker; some streams take all channels, those of others as well."""

    def __init__(self, world, dice, name):
        self.world, self.dice, self.name = world, dice, name
        self.count = 0          # of data, no two of which are alike
        self.begin = world.log.head

    def own(self, pattern):
        rule, slash, name = pattern.rpartition("/")
        return (rule + ":" if slash else "") + self.name + ":" + name

    def names(self):
        return NAMES + RULED * bool(self.world.log.rules)

    def data(self):
        """(data, flags), with a number that no other has."""
        self.count += 1
        text = "%d %s" % (self.count, "x" * self.dice.choice(
            [0, 10, 100, 300, 700]))
        return self.dice.choice([
            (text, 0), (text, 0), (text, wire.FLAG_TEXT),
            (text.replace(" ", " é\"\\\r\n\t\r\n\n\r"), wire.FLAG_TEXT),
            ('{"n":%d, "t":[1,"%s"]}' % (self.count, text), 0),
            ('{"n":%d}' % self.count, wire.FLAG_TEXT),
            ('[%d,\n "%s"]' % (self.count, text), wire.FLAG_JSON),
            (text.encode() + b"\0\xff\n", 0),
            ({"n": self.count, "t": text, "l": [None, True, -3]}, 0),
            (self.count, 0), ("", 0)])

    def row(self, channel=None, size=0):
        data, flags = self.data()
        if size:
            data, flags = "%d " % self.count + "y" * size, 0
        return (self.dice.choice(self.world.sources),
                channel or self.own(self.dice.choice(self.names())), data,
                self.dice.choice(TYPES) or None,
                self.dice.choice(["", "", "k1", "k2", "k3"]) or None, flags)

    def rows(self, count, size=0):
        return [self.row(size=size and self.dice.choice([10, size]))
                for _ in range(count)]

    def patterns(self):
        able = PATTERNS + RULED_PATTERNS * bool(self.world.log.rules)
        chosen = self.dice.sample(able, self.dice.choice([1, 1, 2, 3, 5]))
        out = [self.own(each) for each in chosen]
        if self.dice.random() < 0.1:
            out.insert(self.dice.randrange(len(out) + 1), "*")
        # Where the last word is let go at once, nobody may hear it.
        return out + [self.own("word")] * bool(self.world.log.rules)

    def cursor(self):
        """One that was given, or lies between two, of this story mostly."""
        log = self.world.log
        if not log.rows:
            return 0
        if self.dice.random() < 0.05 and not log.rules:  # never given
            return log.head + self.dice.choice([1, 1000 << 20])
        first = log.behind(self.begin) if self.dice.random() < 0.8 else \
            max(0, len(log) - 2 * self.world.reach)
        at = self.dice.choice([
            self.dice.randrange(first, len(log) + 1), len(log),
            min(len(log), max(first, log.oldest))])
        cursor = log.cursors[at - 1] if at else 0
        return cursor - self.dice.choice([0, 0, 0, 1]) if cursor else 0

    def where(self, how):
        """Where a stream begins, or what is added to one."""
        world, what = self.world, self.dice.random()
        if world.under_way:
            return world.now(how) if what < 0.5 else \
                world.at_cursor(world.log.head, how)
        if what < 0.6:
            return world.at_cursor(self.cursor(), how)
        return self.dice.choice([world.oldest, world.now, world.long_ago] + [
            world.garbage] * (not world.log.rules))(how)

    def start_anew(self):
        """Perhaps knowing nothing: then what is the latest comes first."""
        world = self.world
        if not world.log.rules or world.under_way or \
                self.dice.random() < 0.6:
            return self.start()
        return self.dice.choice([world.now, world.garbage])()

    def start(self):
        if self.dice.random() < 0.25:
            return self.world.now("since" if self.world.log.rules else None)
        how = self.dice.choice(["since", "since", "header", "lastEventId"])
        if self.dice.random() < 0.1 and not self.world.under_way:
            return self.world.ago(how)
        return self.where(how)
