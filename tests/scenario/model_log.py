"""model_log: the log as it must be: every acknowledged event in its order, the
bytes that each format makes of it, and what the store has let go of.

Pure; written from ssemux-http(7), ssemux-protocol(7) and ssemuxd.conf(5).
"""
import base64
import bisect
import collections
import json
import re

import msgpack_wire as wire

Row = collections.namedtuple("Row", "cursor channel type key data flags")
Row.__doc__ = """One event of the log. type, key: "" for none. data: what was
published; None: it is a publisher's resync."""


def row_of(acked):
    return Row(acked.cursor, acked.channel, acked.kind or "", acked.key or "",
               acked.data, acked.flags)


# ---- bytes

def text_of(value):
    """JSON as the broker writes it, of a text or of what msgpack brought."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_json(row):
    """Do the data stand as JSON in the tagged format?"""
    if not isinstance(row.data, str):
        return not isinstance(row.data, bytes)
    if row.flags & wire.FLAG_JSON:
        return True
    if row.flags & wire.FLAG_TEXT:
        return False
    try:
        return isinstance(json.loads(row.data), (dict, list))
    except ValueError:
        return False


def verbatim(row):
    """The data as they are passed on, in bytes."""
    if isinstance(row.data, bytes):
        return row.data
    if isinstance(row.data, str):
        return row.data.encode()
    return text_of(row.data).encode()


def lines(data):
    """What stands behind `data: `: each line of the data in one of its own."""
    return re.sub(rb"\r\n|\r|\n", b"\ndata: ", data)


def tagged_value(row):
    """The data as a member of the tagged format."""
    if is_json(row):
        return verbatim(row)
    if isinstance(row.data, bytes):
        return b'"' + base64.b64encode(row.data) + b'"'
    return text_of(row.data).encode()


def tagged_object(row, snapshot=False):
    """The whole object of the tagged format."""
    out = b'{"channel":' + text_of(row.channel).encode()
    for name, value in ((b"type", row.type), (b"key", row.key)):
        if value:
            out += b',"' + name + b'":' + text_of(value).encode()
    return out + b',"ts":%d' % (row.cursor >> 20) + \
        b',"snapshot":true' * snapshot + b',"data":' + tagged_value(row) + b"}"


def block(row, form, snapshot=False):
    """The bytes of the event's block. snapshot: it has no id then."""
    if row.data is None:
        return b'event: resync\ndata: {"channels":["%s"],' \
            b'"reason":"publisher"}\n\n' % row.channel.encode()
    head = b"" if snapshot else \
        b"id: " + wire.cursor_text(row.cursor).encode() + b"\n"
    if form == "raw":
        name = b"event: %s\n" % row.type.encode() if row.type else b""
        return head + name + b"data: " + lines(verbatim(row)) + b"\n\n"
    return head + b"data: " + lines(tagged_object(row, snapshot)) + b"\n\n"


# ---- the log

class Log:
    """Rows in order; a place is an index into them."""

    def __init__(self, limit, rules=()):
        self.limit = limit      # history.max_events
        self.rules = dict(rules)  # first segment: all that is kept of a
                                  # channel: a number of events, or "latest"
        self.ruled = 0          # places below have been looked at for these
        self.superseded = set()  # places that are gone, and no loss
        self.newest = {}        # channel: places; channel, key: place
        self.rows = []
        self.cursors = []
        self.gone = set()       # places that the store has let go of
        self.oldest = 0         # all places below are gone
        self.horizon = {}       # channel: cursor of the last that went
        self.tally = collections.Counter()  # of what came of it

    def __len__(self):
        return len(self.rows)

    @property
    def head(self):
        return self.cursors[-1] if self.cursors else 0

    def add(self, acked):
        """More events, of one publisher or of several at once."""
        new = sorted(map(row_of, acked))
        assert not new or new[0].cursor > self.head, "an ack out of order"
        self.rows += new
        self.cursors += [row.cursor for row in new]
        assert len(set(self.cursors[-len(new):])) == len(new) or not new

    def behind(self, cursor):
        """The place of the first event above this cursor."""
        return bisect.bisect_right(self.cursors, cursor)

    def place(self, cursor):
        """The place of the event with this cursor; None."""
        at = bisect.bisect_left(self.cursors, cursor)
        return at if at < len(self.rows) and self.cursors[at] == cursor \
            else None

    def trim(self):
        """Lets go of what is over the limit."""
        while len(self.rows) - self.oldest > self.limit:
            self.let_go(self.oldest)
            self.oldest += 1

        for place in range(self.ruled, len(self.rows)):
            self.keep(place)
        self.ruled = len(self.rows)

    def keep(self, place):
        """The rules of the event's channel."""
        row = self.rows[place]
        rule = self.rules.get(row.channel.split(":")[0])
        if rule == "latest":
            older = self.newest.get((row.channel, row.key))
            if older is not None:
                self.gone.add(older)
                self.superseded.add(older)
            self.newest[row.channel, row.key] = place
        elif rule is not None:
            kept = self.newest.setdefault(row.channel, [])
            kept.append(place)
            while len(kept) > rule:
                self.let_go(kept.pop(0))

    def latest(self, pattern):
        """Do channels under this pattern keep the latest of each key?"""
        return any(rule == "latest" and (
            pattern == "*" or pattern.startswith(name + ":"))
                   for name, rule in self.rules.items())

    def snapshot(self):
        """Places of the latest events, in order."""
        return sorted(place for place in self.newest.values()
                      if not isinstance(place, list))

    def let_go(self, place):
        row = self.rows[place]
        self.gone.add(place)
        self.horizon[row.channel] = max(self.horizon.get(row.channel, 0),
                                        row.cursor)

    def kept(self):
        """Cursors of what is in the store."""
        return [self.cursors[place]
                for place in range(self.oldest, len(self.rows))
                if place not in self.gone]

    def lost(self, cursor, covered):
        """Channels, of those that are covered, that lost events after this
        cursor."""
        return {channel for channel, horizon in self.horizon.items()
                if horizon > cursor and covered(channel)}
