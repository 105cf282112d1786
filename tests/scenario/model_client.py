"""model_client: one client of the model's stories: a connection after the
other, each held against its Course."""
import collections
import json

import msgpack_wire as wire
import sse_client
from model_stream import Course, Wrong

Asked = collections.namedtuple("Asked", "how text start silent bad windowed")
Asked.__doc__ = """Where a stream, or what is added to it, begins. how: since,
lastEventId or header; None: not said. start: (least, most) cursor there;
silent, bad, windowed: see model_stream."""


class Client:
    """Its patterns are those that it asks for the next time it connects."""

    def __init__(self, world, patterns, form="tagged", types=(), keys=(),
                 version="1.1", receive_buffer=None, window=None,
                 conflate=None):
        self.world, self.patterns, self.form = world, patterns, form
        self.types, self.keys = types, keys
        self.version, self.receive_buffer = version, receive_buffer
        self.window, self.conflate = window, conflate
        self.course = self.stream = self.name = None
        self.unjudged = collections.deque()  # (course, event)
        self.stalled = False
        self.may_end = 0    # since a process was killed: until something newer
        self.newest = None      # the cursor to come back with

    # ---- connecting

    def query(self, asked, live):
        out = "&format=raw" if self.form == "raw" else ""
        for name, value in (("types", ",".join(self.types)),
                            ("keys", ",".join(self.keys)),
                            ("window", self.window),
                            ("conflate", self.conflate)):
            if value:
                out += "&%s=%s" % (name, value.replace("!", "%21"))
        if asked.how in ("since", "lastEventId"):
            out += "&%s=%s" % (asked.how, asked.text.replace("+", "%2B"))
        if asked.how == "header":  # which beats the query
            out += self.world.dice.choice(["", "&since=-1", "&since=now"])
        return out if live else out + "&live=false"

    def open(self, asked, live=True):
        """Connects, and reads the greeting."""
        self.stream = self.world.broker.stream(
            ",".join(self.patterns), query=self.query(asked, live),
            last_id=asked.text if asked.how == "header" else None,
            version=self.version, receive_buffer=self.receive_buffer,
            headers=self.world.dice.choice(
                [(), (), (sse_client.takes("gzip"),),
                 (sse_client.takes("zstd"),)]),
            timeout=60)
        self.course = Course(self.world.log, self.form, self.types,
                             self.keys, bool(self.conflate))
        self.may_end = 0
        self.greet(asked)

    def greet(self, asked):
        event = self.stream.next()
        if event.name != "connected" or event.id is not None or \
                event.retry is None:
            raise Wrong("instead of a greeting: %r" % (event,))
        body = json.loads(event.data)
        log = self.world.log
        new = (asked.how is None or asked.bad) and \
            any(map(log.latest, self.patterns))
        if (body["cursor"] is None) != new:
            raise Wrong("connected %r, asked for %r" % (body, asked))
        if new:  # its place is known when the snapshot is there
            body["cursor"] = wire.cursor_text(log.head)
        start = wire.cursor_number(body["cursor"])
        if set(body) != {"stream", "channels", "refused", "cursor",
                         "heartbeat"} or body["refused"] or \
                body["channels"] != list(dict.fromkeys(self.patterns)):
            raise Wrong("connected %r" % body)
        if not asked.start[0] <= start <= asked.start[1]:
            raise Wrong("begins at %s, asked for %r" % (body["cursor"], asked))
        self.name, self.newest = body["stream"], body["cursor"]
        self.course.begin(body["channels"], start, asked.bad, asked.silent,
                          self.world.windowed(start))
        if new:
            self.course.begin_snapshot(log.snapshot())

    def resume(self):
        """Comes back with the newest cursor that it knows."""
        self.open(self.world.at_cursor(wire.cursor_number(self.newest),
                                       "header"))

    def cut(self):
        """Closes the connection, wherever that is."""
        if self.stream is None:
            return
        self.collect()
        parser = self.stream.parser
        self.world.log.tally["cut"] += 1
        self.world.log.tally["cut in an event"] += bool(
            parser.raw or parser.held)
        self.stream.close()
        self.stream = None
        self.stalled = False

    def mourn(self, surely):
        """A process was killed, perhaps this stream's: that is known for sure
        when it ends, or when something newer comes."""
        if self.stream is None:
            return
        self.may_end = self.world.log.head + 1
        if surely:
            while not self.stream.ended:
                self.stream.fill(20)
            self.cut()

    # ---- reading

    def collect(self):
        """What was read is to be judged, once the log is known."""
        while self.stream.waiting:
            event = self.stream.next()
            self.unjudged.append((self.course, event))
            if event.id is not None:
                self.newest = event.id
            elif event.name == "live" and self.world.dice.random() < 0.3:
                self.newest = json.loads(event.data)["cursor"]

    def pump(self, most=1 << 18):
        """Reads what is there; with `most`, perhaps a part of an event."""
        if self.stream is not None and not self.stalled:
            self.stream.fill(0, most)
            self.collect()

    def judge(self):
        while self.unjudged:
            course, event = self.unjudged.popleft()
            course.note(event)

    def sync(self):
        """Reads all that is due, and nothing else."""
        self.judge()
        while self.stream is not None and not self.course.done:
            try:
                self.stream.wait(lambda: self.stream.waiting)
            except sse_client.Ended:
                self.ended()
            except TimeoutError:
                self.course.fail("missing: %s" % self.missing())
            else:
                self.collect()
            self.judge()
        if self.stream is not None:
            self.course.rest()
            if self.course.newest >= self.may_end:
                self.may_end = 0
        self.stalled = False

    def missing(self):
        place = self.course.next_due()
        if place is not None:
            return self.course.text(place)
        return "live, a resync or the answer to a change"

    def ended(self):
        """The stream is over; it may be so for good reasons only."""
        if not (self.may_end or self.lost_half()) or \
                self.course.bye not in (None, "drain"):
            self.course.fail("ended (%s), bye %s" % (
                self.stream.ended, self.course.bye))
        self.stream.close()
        self.resume()

    def lost_half(self):
        """Was an event let go, of which one half is here?"""
        self.world.log.tally["half an event lost"] += 1
        parser = self.stream.parser
        at = parser.id and self.world.log.place(wire.cursor_number(parser.id))
        return self.course.lossy and (
            at in self.world.log.gone if at is not None else
            bool(parser.raw or parser.held or self.stream.body.held))

    def finish(self):
        """A stream with live=false is read to its end."""
        self.judge()
        events = self.stream.rest()
        for event in events:
            self.course.note(event)
        self.judge()
        end = "clean" if self.version == "1.1" else "cut"
        if not self.course.done or self.course.bye != "end" or \
                self.stream.ended != end:
            self.course.fail("live=false: ended %s, bye %s, missing %s" % (
                self.stream.ended, self.course.bye, self.missing()))
        self.stream.close()
        self.stream = None

    # ---- changing

    def change(self, add, drop, asked):
        """Changes the live stream; what must come of it is noted."""
        body = {}
        if add:
            body["subscribe"] = add
        if drop:
            body["unsubscribe"] = drop
        if asked.how is not None:
            body["since"] = asked.text
        said = self.world.post("/stream/" + self.name, body)
        self.course.expect(add, drop, asked, said)
        self.patterns = said["channels"] or self.patterns
