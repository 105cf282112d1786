"""model_stream: what one stream must get, note by note.

Pure. A Course is told what was asked for, and then every event that came; the
first one that is not exactly what must come now is Wrong. Where a stream
stands is `pos`, a cursor: of the events above it, those are due that a member
covers, that lie behind where it begins, and that no member has brought yet.

A stream whose client stopped reading while events that it had not read were
let go is `lossy`: where it stood then is read off what it gets; all else
follows.
"""
import collections
import json

import msgpack_wire as wire
from model_log import block
from model_member import Change, Member
from patterns import covers, takes

UNBOUNDED = 1 << 64


class Wrong(Exception):
    """The broker did what it must not."""


class Course:
    """See above."""

    def __init__(self, log, form="tagged", types=(), keys=(),
                 conflates=False):
        self.log, self.form = log, form
        self.types, self.keys, self.conflates = types, keys, conflates
        self.members = {}
        self.pos = 0
        self.greeted = False
        self.owed_names = set()   # of a resync that must come now
        self.owed_bad = collections.deque()  # lists, of a bad cursor
        self.owes_live = True
        self.owed_snapshot = []   # names of the snapshot that must come, and
        self.snapshot = collections.deque()  # places of what is in it
        self.live_may_come = 0    # before an event above this cursor comes
        self.changes = collections.deque()
        self.stride = 0           # up to here it is looked at in one go
        self.final = None         # its patterns after all changes
        self.windowed = False     # what the store let go of comes as well
        self.lossy = False
        self.excused = set()      # places that may be missing without a word
        self.named = set()        # by resyncs, while it is lossy;
        self.told = set()         # of these, some time ago
        self.bye = None
        self.newest = 0           # cursor of the last event
        self.floor = 0            # a live says no less

    def covered(self, channel):
        return any(covers(each, channel) for each in self.members)

    # ---- what is due

    def asked(self, place):
        """Does it belong to the stream, whatever came before?"""
        row = self.log.rows[place]
        return any(each.wants(row) for each in self.members.values())

    def wanted(self, place):
        """Is it due, if it is there?"""
        row = self.log.rows[place]
        any_wants = False
        for member in self.members.values():
            if member.wants(row):
                if place in member.have or row.cursor <= member.mark:
                    return False
                any_wants = True
        return any_wants and (row.data is None or (
            takes(self.types, row.type) and takes(self.keys, row.key)))

    def later(self, place, end):
        """Does a later event before that place take this one's? Only where the
        stream is conflated."""
        row = self.log.rows[place]
        if not self.conflates or not row.key or row.data is None:
            return False
        return any(self.log.rows[at][1:4:2] == row[1:4:2] and
                   self.log.rows[at].data is not None and self.wanted(at) and
                   (self.lossy or self.comes(at))
                   for at in range(place + 1, end))

    def places(self, end):
        """Those between where the stream stands and this one."""
        begin = self.log.behind(self.pos)
        if not self.lossy and not self.windowed:
            begin = max(begin, self.log.oldest)
        return range(begin, end)

    def comes(self, place):
        """Is it there to be sent?"""
        return (self.windowed and not self.lossy) or \
            place not in self.log.gone

    @property
    def lowest(self):
        """The cursor above which it may still have to read."""
        return min([self.pos] + [each.since for each in self.changes])

    def next_due(self):
        """The place of the next event; None: there is none."""
        for place in self.places(len(self.log)):
            if self.comes(place) and self.wanted(place) and \
                    not self.later(place, len(self.log)):
                return place
        return None

    @property
    def done(self):
        """Has it got everything?"""
        return self.greeted and not self.changes and not self.owes_live and \
            not self.owed_bad and not self.owed_names and \
            not self.owed_snapshot and not self.snapshot and \
            self.next_due() is None

    # ---- going on

    def go(self, place):
        """What lies before this place is done with, itself included when there
        is such an event."""
        lost, gone = set(), set()
        for at in self.places(place):
            if self.comes(at) and self.wanted(at) and \
                    not self.later(at, len(self.log)):
                self.fail("missing: %s" % self.text(at))
            if at in self.log.gone and at not in self.log.superseded and \
                    self.asked(at):
                gone.add(self.log.rows[at].channel)
                if self.wanted(at) and at not in self.excused and \
                        not self.later(at, len(self.log)):
                    lost.add(self.log.rows[at].channel)
        if self.owed_names:
            self.fail("lost without a word on %s" % self.owed_names)
        if self.lossy:
            if lost - self.named:
                self.fail("lost without a word on %s" % (lost - self.named))
            self.log.tally["channel lost by a slow stream"] += len(lost)
            if self.log.rules:  # what is lost lies among what is not
                gone |= {channel for channel, cursor in
                         self.log.horizon.items() if cursor > self.pos}
            if self.named - self.told - gone:
                self.fail("a resync, and nothing was lost on %s" % (
                    self.named - gone))
            self.told = self.named if self.log.rules else set()
            self.named = set(self.told)
        for at in self.places(place):
            self.passes(at)

    def passes(self, place):
        row = self.log.rows[place]
        for member in self.members.values():
            if member.wants(row):
                member.have.add(place)
        self.pos = row.cursor

    def take(self, place):
        self.go(place)
        if self.log.cursors[place] <= self.pos or not self.wanted(place):
            self.fail("not due: %s" % self.text(place))
        # Behind an event that was half written, a window may still have what
        # was said to be lost; else that is gone.
        if not self.lossy and not self.comes(place) and \
                place not in self.excused and not self.log.rules:
            self.fail("it was said to be lost: %s" % self.text(place))
        if self.later(place, self.stride):
            self.fail("of its key it is not the last: %s" % self.text(place))
        self.passes(place)
        self.newest = self.pos
        if self.pos > self.live_may_come:
            self.live_may_come = 0

    # ---- notes

    def note(self, event):
        """An event that came."""
        in_snapshot = self.snapshot and not self.owed_snapshot
        self.log.tally["event" if event.id is not None else
                       "event of a snapshot" if in_snapshot else
                       event.name] += 1
        if self.bye is not None:
            self.fail("after bye: %r" % (event,))
        if not self.greeted and event.name != "connected":
            self.fail("before connected: %r" % (event,))
        if event.id is not None:
            self.on_event(event)
            return
        if in_snapshot:
            row = self.log.rows[self.snapshot.popleft()]
            self.same_bytes(event, block(row, self.form, True))
            return
        handler = getattr(self, "on_" + event.name.replace("-", "_"), None)
        if handler is None or not event.data:
            self.fail("not expected: %r" % (event,))
        handler(json.loads(event.data), event)

    def on_event(self, event):
        cursor = wire.cursor_number(event.id)
        place = self.log.place(cursor)
        if place is None:
            self.fail("never acknowledged: %r" % (event,))
        if cursor <= self.pos:
            self.fail("twice or out of order: %s" % self.text(place))
        self.take(place)
        self.same_bytes(event, block(self.log.rows[place], self.form))

    def same_bytes(self, event, due):
        if event.raw != due:
            self.fail("the bytes %r, due %r" % (event.raw, due))

    def begin(self, members, start, bad=False, silent=False, windowed=False):
        """The connected event came; the log says what is lost at this moment.
        silent: what was let go before is no loss."""
        self.members = {each: Member(each, start) for each in members}
        self.pos = start
        self.greeted = True
        self.floor = self.log.head
        self.windowed = windowed
        self.stride = self.log.behind(self.floor)
        if bad:
            self.owed_bad.append(list(members))
        if silent:
            self.excused = set(self.log.gone)
        elif not windowed:
            self.owed_names = self.log.lost(start, self.covered)

    def begin_snapshot(self, places):
        """It began without a cursor: what channels are like comes first."""
        self.owed_snapshot = [each for each in self.members
                              if self.log.latest(each)]
        self.snapshot.extend(
            each for each in places if self.asked_once(self.log.rows[each]))
        self.log.tally["snapshot of %s" % (
            "something" if self.snapshot else "nothing")] += 1

    def asked_once(self, row):
        return self.covered(row.channel) and takes(self.types, row.type) and \
            takes(self.keys, row.key)

    def on_snapshot(self, body, event):
        if self.owed_bad or not self.owed_snapshot or \
                body != {"channels": self.owed_snapshot}:
            self.fail("%r, due for %s" % (event, self.owed_snapshot))
        self.owed_snapshot = []

    def on_resync(self, body, event):
        channels, reason = body["channels"], body["reason"]
        if reason == "publisher":
            place = self.resync_place(channels)
            self.take(place)
            self.same_bytes(event, block(self.log.rows[place], self.form))
        elif reason == "cursor":
            if not self.owed_bad or channels != self.owed_bad.popleft():
                self.fail("not expected: %r" % (event,))
        elif reason != "history" or len(set(channels)) < len(channels):
            self.fail("not expected: %r" % (event,))
        elif self.lossy:
            self.owed_names -= set(channels)
            self.named |= set(channels)
        elif not set(channels) <= self.owed_names:
            self.fail("a resync of %s, due for %s" % (
                channels, self.owed_names))
        else:
            self.owed_names -= set(channels)

    def resync_place(self, channels):
        """Which of the publishers' resyncs this is: the next one. What has
        been let go meanwhile may have been on its way, unless losses were
        told."""
        for place in self.places(len(self.log)):
            row = self.log.rows[place]
            if row.data is None and channels == [row.channel] and \
                    self.wanted(place) and (self.comes(place) or (
                        self.lossy and not self.named)):
                return place
        return self.fail("no such resync: %s" % channels)

    def on_live(self, body, event):
        cursor = wire.cursor_number(body["cursor"])
        if self.owed_snapshot or self.snapshot:
            self.fail("live before all of the snapshot: %r" % (event,))
        if not self.owes_live and cursor > self.live_may_come:
            self.fail("live is not due: %r" % (event,))
        if cursor < max(self.floor, self.pos):
            self.fail("live up to %s, which is not true" % body["cursor"])
        if cursor > self.log.head:
            self.fail("live up to what is not there: %s" % body["cursor"])
        self.go(self.log.behind(cursor))
        self.owes_live, self.windowed = False, bool(self.log.rules)
        if self.live_may_come < UNBOUNDED:  # else each change may bring one
            self.live_may_come = 0
        self.arrive(cursor)

    def arrive(self, cursor):
        """It has all up to there."""
        self.pos = max(self.pos, cursor)
        for member in self.members.values():
            member.mark = max(member.mark, cursor)
            member.have.clear()

    def on_subscribed(self, body, event):
        if not self.changes:
            self.fail("no change: %r" % (event,))
        if self.owed_bad:
            self.fail("a bad cursor, and no word of it")
        change = self.changes.popleft()
        if body != {"channels": change.added, "refused": change.refused,
                    "unsubscribed": change.removed}:
            self.fail("told %r, due %r" % (body, change))
        for pattern in change.removed:
            del self.members[pattern]
        self.join(change)

    def join(self, change):
        """What was added begins."""
        new = [each for each in dict.fromkeys(change.added)
               if each not in self.members]
        if not new:
            return
        for pattern in new:
            self.members[pattern] = Member(pattern, change.since)
        if not self.lossy:
            self.owed_names |= change.lost
        self.windowed = change.windowed
        self.floor = change.head
        # A stream that has all may not have come to its rest yet.
        self.live_may_come = UNBOUNDED
        if change.at_head:
            self.owes_live = change.since < change.head
            self.pos = max(self.pos, change.head)
        elif change.since < self.pos:
            self.owes_live = True
        self.pos = min(self.pos, change.since)

    def rest(self):
        """It has got everything, and all of it was read."""
        self.arrive(self.log.head)
        self.lossy, self.windowed = False, bool(self.log.rules)
        self.named, self.told = set(), set()

    def expect(self, add, drop, asked, said):
        """A change was asked for, and answered so."""
        now = list(self.members) if self.final is None else self.final
        removed = [each for each in drop if each in now]
        left = [each for each in now if each not in removed]
        new = [each for each in dict.fromkeys(add) if each not in left]
        if set(said["channels"]) != set(left + new) or said["refused"] or \
                said["subscribed"] != add or said["unsubscribed"] != removed:
            self.fail("answered %r, asked for %s without %s" % (
                said, add, drop))
        since, head = asked.start[0], self.log.head
        if asked.silent:
            self.excused |= self.log.gone
        lost = set() if asked.silent or asked.windowed else self.log.lost(
            since, lambda channel: any(covers(each, channel)
                                       for each in new))
        self.final = said["channels"]
        if not add and not removed:
            return
        if asked.bad and add:
            self.owed_bad.append(add)  # comes before "subscribed"
        self.changes.append(Change(
            add, [], removed, since, head,
            self.pos >= head and len(self.changes) == 0, lost,
            asked.windowed))

    def on_bye(self, body, _event):
        self.bye = body["reason"]

    # ---- words

    def text(self, place):
        row = self.log.rows[place]
        return "%s on %s (place %d, %s)" % (
            wire.cursor_text(row.cursor), row.channel, place,
            "let go" if place in self.log.gone else "kept")

    def fail(self, words):
        raise Wrong("%s\n  stream of %s, form %s, types %s %s, at %s%s%s" % (
            words, {each.pattern: wire.cursor_text(each.begin)
                    for each in self.members.values()}, self.form,
            self.types, self.keys, wire.cursor_text(self.pos),
            ", conflated" if self.conflates else "",
            ", lossy" if self.lossy else ""))
