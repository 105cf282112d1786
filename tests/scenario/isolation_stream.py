"""isolation_stream: one stream of a crowd, which notes what it gets.

A note is the number of an event, or ("live", cursor), ("revoked", channels,
reason), ("resync", channels, reason). What can be judged at once is: an event
is what was published, and none is newer than the stream's token.
"""
import json
import socket
import time
import urllib.parse

import patterns
import msgpack_wire as wire
import sse_client
from broker import SANITIZED
from isolation_watch import Wrong

SLACK_MS = 3000 if SANITIZED else 1500


class Stream:
    def __init__(self, play, block, token, asked=(), types=(), query="",
                 headers=(), cursor=None, patience=None):
        """token: isolation_world.Token; None: none. cursor: text where it is
        to start. patience: bytes of its receive buffer."""
        self.play, self.block, self.token = play, block, token
        self.first_token = token
        self.log = play.log
        self.asked, self.types = list(asked), list(types)
        self.cursor, self.query = cursor, query
        self.changes = []      # (Op or Renewal, notes before it)
        self.notes = []
        self.start = None      # cursor, as a number
        self.connected = None  # its JSON
        self.status = None
        self.code = None       # of a refusal
        self.bye = None        # its reason
        self.live = False
        self.over = False      # nothing will come any more
        self.closed = False    # by us
        self.stalled = False
        self.slow = bool(patience)  # it was, once
        self.cut = False       # its worker may have been killed
        self.ends_ms = None    # with its token
        self.overdue = None    # an event that is younger than its token
        self.unknown = False   # the broker says that it has ended
        self.foreign = False   # the broker says that it is not the user's
        self.parser, self.body = sse_client.Parser(), sse_client.Body()
        self.text = b""        # of a refusal
        self.connect(query, headers, patience)

    def connect(self, query, headers, patience):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if patience:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   patience)
        self.socket.connect(("127.0.0.1", self.play.broker.port))
        rows = [("Accept", "text/event-stream")] + list(headers)
        parameters = []
        if self.asked and self.block.ask:
            parameters.append((self.block.ask, ",".join(self.asked)))
        if self.types:
            parameters.append(("types", ",".join(self.types)))
        if self.cursor is not None:
            place = self.play.dice.choice(["header", "lastEventId", "since"])
            if place == "header":
                rows.append(("Last-Event-ID", self.cursor))
            else:
                parameters.append((place, self.cursor))
        if self.token is not None:
            place = self.play.dice.choice(["header", "header", "query"])
            if place == "header":
                rows.append(("Authorization", "Bearer " + self.token.text))
            else:
                parameters.append(("access_token", self.token.text))
        target = self.block.path + "?" + urllib.parse.urlencode(
            parameters, safe="*:,@/") + query
        self.acked = self.log.newest
        self.sent = time.monotonic()
        self.answered = float("inf")
        self.socket.sendall(sse_client.request_bytes(
            self.play.broker.port, target, rows))
        self.socket.setblocking(False)

    def __repr__(self):
        token = self.token and (self.token.user.name, self.token.issued,
                                self.token.subscribe, self.token.codes)
        return "stream %s of %s, asked %s, types %s, from %s: %s %s, bye %s" \
            ", changes %s" % (
                self.block.path, token, self.asked, self.types, self.cursor,
                self.status, self.connected or self.code, self.bye,
                [(change, before) for change, before in self.changes])

    @property
    def user(self):
        """Whose it is, unless the token was not taken; None: nobody's."""
        if self.token is None or not self.token.good or \
                self.block.access == "public":
            return None
        return self.token.user

    @property
    def answered_at_all(self):
        """With a stream that has begun, or with a whole refusal."""
        return self.connected is not None or self.code is not None

    @property
    def open(self):
        return self.connected is not None and not self.over

    def filter_of(self, rights):
        """A function that says of a type whether it is sent."""
        def takes(kind):
            return patterns.takes(rights.types, kind, self.block.types) and \
                patterns.takes(self.types, kind)
        return takes

    # ---- reading

    def read(self):
        """What is there, at most so much; True when the stream is over."""
        try:
            data = self.socket.recv(1 << 17)
        except BlockingIOError:
            return False
        except ConnectionError:
            data = b""
        if not data:
            self.over = True
            self.over_ms = time.time() * 1000
            return True
        out = self.body.feed(data)
        if self.status is None and self.body.status is not None:
            self.status = self.body.status
            self.answered = time.monotonic()
            self.answered_ms = time.time() * 1000
        if self.status != 200:
            self.text += out
            if self.body.ended:
                self.code = json.loads(self.text)["code"]
                self.over = True
            return self.over
        for event in self.parser.feed(out):
            self.take(event)
        if self.body.ended:
            self.over, self.over_ms = True, time.time() * 1000
        return self.over

    def take(self, event):
        if self.bye is not None:
            raise Wrong("after bye: %r" % (event,))
        if event.id is not None:
            self.take_event(event)
        else:
            getattr(self, "on_" + event.name.replace("-", "_"))(
                json.loads(event.data))

    def take_event(self, event):
        cursor = wire.cursor_number(event.id)
        form = self.block.form
        if form == "raw":
            row = {"data": event.data}
        else:
            row = json.loads(event.data)
        number = int(row["data"].split(" ", 1)[0])
        kind, channel = self.log.kind[number], self.log.channel[number]
        self.log.saw(number, cursor)
        if form == "raw":
            fair = event.name == (kind or "message")
        else:
            fair = row["channel"] == channel and (row.get("type") or "") == \
                kind and event.name == "message"
        if not fair or kind is None:
            raise Wrong("%r is not %s" % (event, self.log.text(number)))
        if self.user is not None and cursor >> 20 > self.ends_ms + SLACK_MS:
            self.overdue = "%s, %d ms after its token" % (
                self.log.text(number), (cursor >> 20) - self.ends_ms)
        self.notes.append(number)

    def on_connected(self, body):
        if self.connected is not None:
            raise Wrong("connected twice")
        self.connected = body
        self.start = wire.cursor_number(body["cursor"])
        if self.user is not None:
            self.ends_ms = self.token.lasts_ms(self.answered_ms)
        if set(body) != {"stream", "channels", "refused", "cursor",
                         "heartbeat"}:
            raise Wrong("connected %r" % body)

    def on_live(self, body):
        if self.live:
            raise Wrong("live twice: %r" % self)
        self.live = True
        self.notes.append(("live", wire.cursor_number(body["cursor"])))

    def on_resync(self, body):
        channels, reason = body["channels"], body["reason"]
        if reason == "publisher":
            self.notes += [self.log.resyncs[each] for each in channels]
        else:
            self.notes.append(("resync", channels, reason))

    def on_revoked(self, body):
        self.notes.append(("revoked", set(body["channels"]), body["reason"]))

    def on_token_expiring(self, _):
        if self.user is None:
            raise Wrong("no token expires: %r" % self)

    def on_bye(self, body):
        self.bye = body["reason"]
        if self.bye == "token-expired" and \
                time.time() * 1000 < self.token.exp_ms:
            raise Wrong("%r ended before its token" % self)

    # ---- what must have been

    def close(self):
        """The client has had enough."""
        self.closed = self.over = True

    def close_socket(self):
        self.socket.close()

    def newest(self):
        """The cursor that a client would come back with; None."""
        for note in reversed(self.notes):
            if isinstance(note, int) and self.log.kind[note] is not None:
                return wire.cursor_text(self.log.cursor[note])
        return self.connected["cursor"] if self.connected else None
