"""isolation_verdict: the whole life of one stream, against the model."""
import msgpack_wire as wire
from isolation_rules import Rights, revoked_by
from isolation_world import now_ms
from isolation_watch import Judge, State, Wrong, renew, revoke


class Renewal:
    """A stream's new token, and when the broker was told of it."""

    kind = "renewal"

    def __init__(self, token):
        self.token = token
        self.called = self.returned = float("inf")
        self.returned_n = None
        self.channels = None    # that the stream has now, as it was answered

    def __repr__(self):
        return "renewal of %s: %s (before %s)" % (
            self.token.issued, self.channels, self.returned_n)


def identity(block, token, revoked):
    """Whom a request speaks for: (token or None, code of the refusal or
    None)."""
    if block.access == "public":
        return None, None
    code = "token-missing" if token is None else next(iter(token.codes), None)
    if code is None and "*" in revoked:
        code = "token-revoked"
    if code is None:
        return token, None
    return None, None if block.access == "optional" else code


def answer_due(rights, asked):
    """What a request that may be made gets: (status, code or (members,
    refused))."""
    members, refused = rights.opening(asked)
    if members:
        return 200, (members, refused)
    if not refused and rights.block.ask:
        return 400, "channels-missing"
    return 403, "channels-refused"


def standings(token, called):
    """What a token may be taken for, since then: codes; None: good."""
    if token is None or not token.good:
        return {"token-missing"} if token is None else set(token.codes)
    ops = token.user.ops
    low = sum(op.returned <= called for op in ops)
    out = {"token-revoked" if "*" in revoked_by(ops[:count], token.issued)
           else None for count in range(low, len(ops) + 1)}
    return out | ({"token-expired"} if token.expires_ms <= now_ms() else set())


def answer(stream):
    """What it got."""
    if stream.status != 200:
        return stream.status, stream.code
    return 200, (stream.connected["channels"], stream.connected["refused"])


def tokens_of(stream):
    """What its token may have been taken for: it may have expired."""
    token = stream.first_token
    if token is None or not token.good or \
            stream.answered_ms < token.expires_ms:
        return [token]
    return [token, token.expired()]


class Opening:
    """How a stream may have been opened."""

    def __init__(self, done, rights, token):
        self.done = done      # its user's ops that were over
        self.rights = rights
        self.token = token    # None: it is nobody's


def openings(stream):
    """Each way that what it was answered allows."""
    user = stream.first_token.user if stream.first_token else None
    ops = user.ops if user else []
    low = sum(op.returned <= stream.sent for op in ops)
    high = sum(op.called < stream.answered for op in ops)
    can, due = [], []
    for count in range(low, high + 1):
        for token in tokens_of(stream):
            revoked = revoked_by(ops[:count], token and token.issued)
            who, code = identity(stream.block, token, revoked)
            rights = Rights(stream.block, who, revoked)
            due.append((401, code) if code else
                       answer_due(rights, stream.asked))
            if due[-1] == answer(stream):
                can.append(Opening(ops[:count], rights, who))
    if not can:
        raise Wrong("answer %r, due %r: %r" % (answer(stream), due, stream))
    return can


def orders(changes):
    """The orders in which these (change, notes before) may have happened: an
    op and a renewal may be under way at the same time."""
    out = [list(changes)]
    for at in range(len(changes) - 1):
        first, second = changes[at][0], changes[at + 1][0]
        if second.called < first.returned:
            swapped = list(changes)
            swapped[at], swapped[at + 1] = swapped[at + 1], swapped[at]
            out.append(swapped)
    return out


def chain(stream, opening, changes):
    """The states and transitions of a stream that was opened so, and whose
    user's rights then changed so."""
    states = [State(stream.connected["channels"], opening.rights.revoked,
                    stream.filter_of(opening.rights))]
    transitions = []
    if opening.token is None:
        if any(change.kind == "renewal" for change, _ in changes):
            raise Wrong("nobody's stream was renewed")
        return states, transitions
    if stream.foreign:
        raise Wrong("the user's own stream is foreign")
    done, issued = list(opening.done), opening.token.issued
    for change, notes_before in changes:
        step = None
        if change.kind == "renewal":
            issued = change.token.issued
            rights = Rights(stream.block, change.token,
                            revoked_by(done, issued))
            step = renew(states[-1], rights, stream.filter_of(rights),
                         change.returned_n, notes_before)
            if set(step[1].members) != change.channels:
                raise Wrong("a renewal leaves %s, the answer is %s" % (
                    step[1].members, change.channels))
        elif change not in done:
            done.append(change)
            if change.kind == "revoke" and (
                    issued is None or issued * 1000 <= change.called_ms):
                step = revoke(states[-1], change.pattern, change.returned_n,
                              notes_before)
        if step is not None:
            transitions.append(step[0])
            states.append(step[1])
    settle_bounds(transitions)
    return states, transitions


def settle_bounds(transitions):
    """Of two that were under way together, in either order: the first has
    happened when the second has, and the other way round."""
    for at in range(1, len(transitions)):
        transitions[at].notes_before = max(transitions[at].notes_before,
                                           transitions[at - 1].notes_before)
    for at in range(len(transitions) - 1, 0, -1):
        transitions[at - 1].returned_n = min(transitions[at - 1].returned_n,
                                             transitions[at].returned_n)


def chains(stream):
    """Every course that its rights may have taken: (opening, states,
    transitions)."""
    out, wrong = [], None
    for opening in openings(stream):
        for changes in orders(stream.changes):
            try:
                out.append((opening,) + chain(stream, opening, changes))
            except Wrong as error:
                wrong = error
    if not out:
        raise Wrong("%s\n  %r" % (wrong, stream)) from wrong
    return out


def check_start(stream):
    """Where it starts is where it asked to."""
    log = stream.log
    if stream.cursor == "-1":
        due = stream.start == 0
    elif stream.cursor is not None and stream.cursor[0].isdigit():
        due = stream.start == wire.cursor_number(stream.cursor)
    else:
        due = stream.start >= stream.acked
    if not due:
        raise Wrong("%r starts at %s, the newest was %s" % (
            stream, stream.connected["cursor"], wire.cursor_text(stream.acked)))
    if stream.cursor == "garbage":
        told = [note for note in stream.notes[:1]
                if not isinstance(note, int)]
        if told != [("resync", stream.connected["channels"], "cursor")]:
            raise Wrong("%r: a bad cursor, and %r" % (stream, told))
    assert stream.start <= log.cursors[-1]


def check_end(stream, opening, final):
    """It ended for a reason that there was."""
    own = opening.token is not None
    if own and stream.overdue:
        raise Wrong("%r got %s" % (stream, stream.overdue))
    if stream.closed:
        return
    if not stream.over:
        if stream.unknown or not final.members:
            raise Wrong("%r has not ended" % stream)
        return
    reasons = {"token-expired"} if own else set()
    if not final.members:
        reasons |= {"revoked", "kicked", "token"}
    if "live=false" in stream.query:
        reasons.add("end")
    expired = own and stream.over_ms >= stream.ends_ms
    # What it was sent last may not fit any more; and of an event that is half
    # sent, the rest may have been let go.
    if stream.cut or stream.play.lossy or (
            stream.slow and (expired or not final.members)):
        reasons.add(None)
    if stream.bye not in reasons:
        raise Wrong("%r ended, notes %s" % (stream, stream.notes[-5:]))


def judge(stream, end, lossy=False):
    """Raises Wrong, unless the stream got exactly what was due. end: the
    place in the log up to which it must have got everything; 0: what it got
    last."""
    if not stream.answered_at_all:
        if not stream.closed and not stream.cut:
            raise Wrong("no answer: %r" % stream)
        return
    openings(stream)
    if stream.status != 200:
        return
    check_start(stream)
    wrong = None
    for opening, states, transitions in chains(stream):
        try:
            Judge(stream.log, stream, states, transitions, lossy).run(
                0 if stream.over else end)
            check_end(stream, opening, states[-1])
            return
        except Wrong as error:
            wrong = wrong or error
    raise Wrong("%s\n  %r" % (wrong, stream)) from wrong


def last_due(log, start, states, transitions):
    """The place behind the last event that is due whenever the rights changed:
    either they all had when it was published, or it may be seen before and
    after. 0: there is none behind `start`."""
    settled = transitions[-1].returned_n if transitions else 0
    last = start

    def due(channel, number):
        return all(state.sees(channel, log.kind[number]) for state in
                   (states[-1:] if number >= settled else states))

    for channel, places in log.by_channel.items():
        if states[-1].sees(channel):
            for at in reversed(places):
                if due(channel, log.order[at]):
                    last = max(last, at + 1)
                    break
    return last if last > start else 0


def goal(stream):
    """The place behind the last event that an open stream must get."""
    _, states, transitions = chains(stream)[0]
    return last_due(stream.log, stream.log.behind(stream.start), states,
                    transitions)
