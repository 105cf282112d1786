"""isolation_watch: what a stream got, against what it must have got.

Log is everything that was published. A stream's rights change while it lasts:
that is a chain of states, and between each two a transition that happens
somewhere between the call of what caused it and its return. judge() follows
the log and the stream's notes through the chain, keeping all the states that
the stream can be in: when none is left, the stream got something that it must
not have, or has not got something that it must.
"""
import bisect
import heapq
import json

import patterns
import msgpack_wire as wire


class Wrong(AssertionError):
    """The broker broke the model."""


class Log:
    """Published events by number, and once sorted, by place."""

    def __init__(self):
        self.channel, self.kind, self.cursor = [], [], []
        self.resyncs = {}      # channel of a resync: number; each has its own
        self.place = {}        # number: place
        self.order = []        # numbers by place
        self.cursors = []      # by place
        self.by_channel = {}   # channel: places
        self.refused = set()   # numbers of those that are not in the log
        self.newest = 0        # cursor of those acknowledged

    def __len__(self):
        return len(self.channel)

    def add(self, channel, kind):
        """An event that is about to be sent; its number. A kind of None is a
        resync."""
        self.channel.append(channel)
        self.kind.append(kind)
        self.cursor.append(None)
        number = len(self.channel) - 1
        if kind is None:
            self.resyncs[channel] = number
        return number

    def saw(self, number, cursor):
        """Someone was told that it has this cursor: all are told the same."""
        if self.cursor[number] is None:
            self.cursor[number] = cursor
        elif self.cursor[number] != cursor:
            raise Wrong("event %d is %s and %s" % (
                number, wire.cursor_text(self.cursor[number]),
                wire.cursor_text(cursor)))

    def sort(self):
        """All are answered: settles the order."""
        for number in self.refused:
            if self.cursor[number] is not None:
                raise Wrong("refused, and sent: " + self.text(number))
        self.order = sorted(set(range(len(self))) - self.refused,
                            key=self.cursor.__getitem__)
        self.cursors = [self.cursor[number] for number in self.order]
        self.place = {number: at for at, number in enumerate(self.order)}
        self.by_channel = {}
        for at, number in enumerate(self.order):
            self.by_channel.setdefault(self.channel[number], []).append(at)

    def behind(self, cursor):
        """The place of the first event after this cursor."""
        return bisect.bisect_right(self.cursors, cursor)

    def text(self, number):
        return "event %d (%s, type %r, %s)" % (
            number, self.channel[number], self.kind[number],
            wire.cursor_text(self.cursor[number]))


class State:
    """What a stream may see for a while."""

    def __init__(self, members, closed, takes=None):
        """takes: function that says of a type whether it is sent."""
        self.members, self.closed, self.takes = members, closed, takes
        self.known = {}

    def sees(self, channel, kind=None):
        """An event of this type; None: a resync, which is of none."""
        key = channel, kind
        if key not in self.known:
            self.known[key] = any(
                patterns.covers(each, channel) for each in self.members) and \
                not any(patterns.covers(each, channel)
                        for each in self.closed) and (
                            kind is None or self.takes is None or
                            self.takes(kind))
        return self.known[key]

    def may_name(self, pattern):
        """In a resync."""
        return patterns.any_within(self.members, pattern) and \
            not patterns.any_within(self.closed, pattern)


class Transition:
    """From one state to the next."""

    def __init__(self, told, needed, returned_n, notes_before):
        self.told = told    # (channels, reason) that `revoked` says; or None
        self.needed = needed             # it must be said
        self.returned_n = returned_n     # first event published afterwards
        self.notes_before = notes_before  # what the client had got before


def revoke(state, pattern, returned_n, notes_before):
    """(transition, state) that a revocation leads to; None: to nothing."""
    gone = [each for each in state.members if patterns.within(pattern, each)]
    left = [each for each in state.members if each not in gone]
    told = set(gone)
    if patterns.any_within(left, pattern):
        told.add(pattern)
    if not told:
        return None
    needed = bool(gone) or not patterns.any_within(state.closed, pattern)
    reason = "kicked" if pattern == "*" else "revoked"
    return (Transition((told, reason), needed, returned_n, notes_before),
            State(left, state.closed + [pattern], state.takes))


def renew(state, rights, takes, returned_n, notes_before):
    """The same for a renewal."""
    left = [each for each in state.members if rights.may(each)]
    gone = set(state.members) - set(left)
    told = (gone, "token") if gone else None
    return (Transition(told, bool(gone), returned_n, notes_before),
            State(left, rights.revoked, takes))


class Judge:
    """One stream on its way through the log, under one chain."""

    def __init__(self, log, stream, states, transitions, lossy=False):
        self.log, self.stream, self.lossy = log, stream, lossy
        self.states, self.transitions = states, transitions
        self.returns = [each.returned_n for each in transitions]
        self.before = [each.notes_before for each in transitions]
        self.needed = [each.needed for each in transitions]
        self.floor = 0           # of the states of the next event
        self.last = len(transitions)
        self.now = [0]           # indexes of the states it can be in
        self.lost = {}           # channel: (event that did not come, note)
        self.announced = set()   # what a resync named since

    def due(self, end):
        """Places up to `end` of what at least one of the states sees."""
        start = self.log.behind(self.stream.start)
        rows = []
        for channel, places in self.log.by_channel.items():
            if any(state.sees(channel) for state in self.states):
                rows.append(places[bisect.bisect_left(places, start):
                                   bisect.bisect_left(places, end)])
        return [at for at in heapq.merge(*rows)
                if any(self.sees(state, self.log.order[at])
                       for state in self.states)]

    def sees(self, state, number):
        return state.sees(self.log.channel[number], self.log.kind[number])

    def reach(self):
        """The states, and those behind transitions that need not be told."""
        if self.last == 0:
            return self.now
        out = []
        for state in self.now:
            if state in out:
                continue
            out.append(state)
            while state < self.last and not self.needed[state]:
                state += 1
                out.append(state)
        return sorted(set(out))

    def around(self, start, end):
        return [str(note)[:200]
                for note in self.stream.notes[max(0, start):end]]

    def fail(self, what):
        raise Wrong("%s\n  states: %s\n  can be in: %s\n  after: %s"
                    "\n  then, from note %d: %s" % (
                        what, [(each.members, each.closed)
                               for each in self.states], self.now,
                        self.around(self.at - 5, self.at + 1), self.at + 1,
                        self.around(self.at + 1, self.at + 20)))

    def pass_by(self, number):
        """An event that the stream did not get."""
        channel = self.log.channel[number]
        low = bisect.bisect_right(self.returns, number)
        can = [state for state in self.reach() if state >= low]
        next_states = [state for state in can
                       if not self.sees(self.states[state], number)]
        if self.lossy and can:
            # It was not for the stream, or it was lost: who knows?
            self.now = can
            if not next_states:
                self.lost.setdefault(channel, []).append((number, self.at))
        elif next_states:
            self.now = next_states
        else:
            self.fail("missing: " + self.log.text(number))

    def get(self, number):
        """An event that the stream did get."""
        low = max(self.floor, bisect.bisect_right(self.returns, number))
        high = bisect.bisect_right(self.before, self.at)
        next_states = [state for state in self.reach()
                       if low <= state <= high and
                       self.sees(self.states[state], number)]
        if not next_states:
            self.fail("not to be seen, or not before `revoked`: " +
                      self.log.text(number))
        self.now = next_states
        if self.lossy:
            self.compare(self.log.channel[number])

    def compare(self, channel):
        """What was lost before an event of its channel was announced."""
        lost = self.lost.pop(channel, None)
        if lost and not any(patterns.covers(each, channel)
                            for each in self.announced):
            self.fail("lost without a word on %s: (event, note) %s" % (
                channel, lost))
        self.announced.discard(channel)

    def told(self, channels, reason):
        """`revoked`. What was not sent before the next event may have been
        passed by before or after it."""
        found = [state for state in self.reach() if state < self.last and
                 self.before[state] <= self.at and
                 self.transitions[state].told == (channels, reason)]
        if not found:
            self.fail("revoked %s, %s: not expected" % (channels, reason))
        for state in found:
            self.needed[state] = False
        self.floor = max(self.floor, min(found) + 1)
        self.now = [state for state in self.now if state <= max(found)]

    def resync(self, channels, reason):
        if reason == "history" and not self.lossy:
            self.fail("a resync, and nothing was lost: %s" % channels)
        for each in channels:
            if not any(self.states[state].may_name(each)
                       for state in self.reach()):
                self.fail("a resync names what is not to be seen: " + each)
        self.announced.update(channels)

    def place(self, note):
        """The place up to which the note says that all was sent."""
        if isinstance(note, int):
            return self.log.place[note] + 1
        return self.log.behind(note[1]) if note[0] == "live" else 0

    def run(self, end):
        """Follows the notes, and then the log up to the place `end`."""
        log, self.at = self.log, 0
        due = self.due(max([end] + list(map(self.place, self.stream.notes))))
        next_due = 0
        for self.at, note in enumerate(self.stream.notes):
            if isinstance(note, int):
                place = log.place[note]
                while next_due < len(due) and due[next_due] < place:
                    self.pass_by(log.order[due[next_due]])
                    next_due += 1
                if next_due == len(due) or due[next_due] != place:
                    self.fail("not due, or twice, or out of order: " +
                              log.text(note))
                self.get(note)
                next_due += 1
            elif note[0] == "live":
                place = log.behind(note[1])
                while next_due < len(due) and due[next_due] < place:
                    self.pass_by(log.order[due[next_due]])
                    next_due += 1
            elif note[0] == "revoked":
                self.told(note[1], note[2])
            elif note[0] == "resync":
                self.resync(note[1], note[2])
        self.at = len(self.stream.notes)
        while next_due < len(due) and due[next_due] < end:
            self.pass_by(log.order[due[next_due]])
            next_due += 1
        for channel in list(self.lost):
            if end:
                self.compare(channel)


def json_of(event):
    return json.loads(event.data)
