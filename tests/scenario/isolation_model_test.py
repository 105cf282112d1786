"""The model of isolation_test.py, held against small stories by hand: a judge
that finds nothing wrong is worth nothing."""
import unittest

import isolation_rules as rules
import patterns
from isolation_rules import Block, Op, Rights
from isolation_verdict import last_due
from isolation_watch import Judge, Log, State, Transition, Wrong, renew, revoke


class Told:
    """A stream as the judge sees it."""

    def __init__(self, notes):
        self.notes, self.start = notes, 0


def log_of(*channels):
    log = Log()
    for number, channel in enumerate(channels):
        log.add(channel, "x" if number % 2 else "")
        log.saw(number, (number + 1) << 20)
    log.sort()
    return log


def judge(log, notes, members, steps=(), types=(), end=None, lossy=False):
    """steps: functions of a state that give a transition and the next."""
    def takes(kind):
        return patterns.takes(types, kind)
    states, transitions = [State(members, [], takes)], []
    for step in steps:
        transition, state = step(states[-1])
        transitions.append(transition)
        states.append(state)
    Judge(log, Told(notes), states, transitions, lossy).run(
        len(log) if end is None else end)


class TheJudge(unittest.TestCase):
    def wrong(self, words, *arguments, **options):
        with self.assertRaisesRegex(Wrong, words):
            judge(*arguments, **options)

    def test_takes_what_is_due_and_nothing_else(self):
        log = log_of("a", "b", "a:1", "a")
        judge(log, [0, 3], ["a"])
        judge(log, [2], ["a:*"])
        judge(log, [0, 1, 2, 3], ["*"])
        judge(log, [], ["c"])
        judge(log, [1, 3], ["*"], types=["x"])
        self.wrong("missing: event 0", log, [3], ["a"])
        self.wrong("missing: event 3", log, [0], ["a"])
        self.wrong("not due", log, [0, 1, 3], ["a"])
        self.wrong("not due", log, [0, 2, 3], ["a"])
        self.wrong("not due", log, [0, 0, 3], ["a"])
        self.wrong("not due", log, [0, 1, 3], ["*"], types=["x"])
        self.wrong("missing: event 0", log, [3, 0], ["a"])
        # Of a stream that was closed nothing is known after its last event.
        judge(log, [0], ["a"], end=0)
        self.wrong("missing: event 0", log, [("live", 1 << 20)], ["a"], end=0)

    def test_knows_no_event_after_a_revocation(self):
        log = log_of("a", "b", "a", "b", "a")
        told = ("revoked", {"a"}, "revoked")

        def step(state):
            return revoke(state, "a", returned_n=3, notes_before=1)
        judge(log, [0, 1, 2, told, 3], ["a", "b"], [step])
        judge(log, [0, 1, told, 3], ["a", "b"], [step])
        self.wrong("not to be seen", log, [0, 1, told, 2, 3], ["a", "b"],
                   [step])
        self.wrong("not to be seen.* event 3", log, [0, 1, 2, 3, 4],
                   ["a", "b"], [step])
        self.wrong("missing: event 3", log, [0, 1, 2], ["a", "b"], [step])
        # What was told comes before the first event after it, or never.
        self.wrong("not to be seen", log, [0, 1, 2, 3], ["a", "b"], [step])
        # Nobody is told of what was not asked for yet.
        self.wrong("not expected", log, [told, 1, 3], ["a", "b"], [step])
        self.wrong("missing: event 0", log, [1, told, 3], ["a", "b"], [step])
        self.wrong("not expected", log,
                   [0, 1, ("revoked", {"b"}, "revoked"), 3], ["a", "b"],
                   [step])

    def test_knows_what_is_closed_within_a_pattern(self):
        log = log_of("a:1", "a:2", "a:1", "a:2")

        def step(state):
            return revoke(state, "a:1", returned_n=2, notes_before=0)
        told = ("revoked", {"a:1"}, "revoked")
        judge(log, [0, told, 1, 3], ["a:*"], [step])
        judge(log, [told, 1, 3], ["a:*"], [step])
        self.wrong("not to be seen.* event 2", log, [0, told, 1, 2, 3],
                   ["a:*"], [step])

    def test_knows_what_a_renewal_gives_back(self):
        log = log_of("a:1", "a:2", "a:1", "a:1")
        block = Block("/x", allow=["a:*"])

        class Token:
            claims, subscribe = {}, []

        def close(state):
            return revoke(state, "a:1", returned_n=0, notes_before=0)

        def step(state):
            return renew(state, Rights(block, Token, []), None, 3, 0)
        told = ("revoked", {"a:1"}, "revoked")
        for seen in ([told, 1, 3], [told, 1, 2, 3]):
            judge(log, seen, ["a:*"], [close, step])
        self.wrong("not to be seen.* event 0", log, [0, told, 1, 3], ["a:*"],
                   [close, step])
        self.wrong("missing: event 3", log, [told, 1, 2], ["a:*"],
                   [close, step])

    def test_knows_what_comes_and_goes_at_once(self):
        log = log_of("a", "b", "b", "a", "b")

        def step(state):
            return (Transition(({"a"}, "token"), True, 3, 0),
                    State(["b"], []))
        told = ("revoked", {"a"}, "token")
        for seen in ([0, told, 1, 2, 4], [0, told, 2, 4], [0, told, 4]):
            judge(log, seen, ["a"], [step])
        self.wrong("missing: event 2", log, [0, told, 1, 4], ["a"], [step])
        self.wrong("missing: event 4", log, [0, told, 1, 2], ["a"], [step])
        self.wrong("not to be seen.* event 3", log, [0, told, 1, 2, 3, 4],
                   ["a"], [step])

    def test_knows_what_may_be_lost(self):
        log = log_of("a", "a", "b", "a")
        judge(log, [("resync", ["a"], "history"), 2, 3], ["a", "b"],
              lossy=True)
        self.wrong("without a word", log, [2, 3], ["a", "b"], lossy=True)
        self.wrong("nothing was lost", log,
                   [("resync", ["a"], "history"), 0, 1, 2, 3], ["a", "b"])
        self.wrong("names what is not to be seen", log,
                   [("resync", ["b"], "history"), 0, 1, 3], ["a"], lossy=True)


class TheRules(unittest.TestCase):
    def test_patterns_within_patterns(self):
        for wide, narrow in [("*", "*"), ("*", "a:*"), ("a:*", "a:*"),
                             ("a:*", "a:b:*"), ("a:*", "a:b"), ("a", "a"),
                             ("a:*", "a:")]:
            self.assertTrue(patterns.within(wide, narrow), (wide, narrow))
        for wide, narrow in [("a:*", "*"), ("a:*", "a"), ("a:b:*", "a:*"),
                             ("org:1:*", "org:10:*"), ("a", "a:*"),
                             ("a:b", "a:b:*"), ("user:u1", "user:u10")]:
            self.assertFalse(patterns.within(wide, narrow), (wide, narrow))

    def test_no_value_widens_a_template(self):
        self.assertEqual(rules.fill("user:{sub}", {"sub": "*"}), ["user:~2A"])
        self.assertEqual(rules.fill("o:{o}:*", {"o": ["1:*", 2, True, ""]}),
                         ["o:1~3A~2A:*", "o:2:*"])
        self.assertEqual(rules.fill("t:{t.id}:{r}", {"t": {"id": "a"},
                                                     "r": ["x", "y"]}),
                         ["t:a:x", "t:a:y"])
        self.assertEqual(rules.fill("o:{o}", {}), [])

    def test_types_with_claims(self):
        templates = ["{sees}.*", "!order.debug"]

        def takes(sees, kind):
            return patterns.takes(rules.fill_types(templates, {"sees": sees}),
                               kind, templates)
        self.assertTrue(takes(["order", "page"], "page.created"))
        self.assertFalse(takes(["order", "page"], "pages.created"))
        self.assertFalse(takes("order", "order.debug"))
        self.assertFalse(takes("*", "order.created"))
        self.assertFalse(takes([], "order.created"))
        self.assertTrue(patterns.takes(["!x"], "", ["!x"]))

    def test_what_is_revoked_and_restored(self):
        def op(kind, pattern, at_ms):
            made = Op(kind, pattern)
            made.called_ms = at_ms
            return made
        ops = [op("revoke", "a:*", 5000), op("revoke", "b", 7000)]
        self.assertEqual(rules.revoked_by(ops, 5), ["a:*", "b"])
        self.assertEqual(rules.revoked_by(ops, 6), ["b"])
        self.assertEqual(rules.revoked_by(ops, 8), [])
        self.assertEqual(rules.revoked_by(ops, None), ["a:*", "b"])
        self.assertEqual(rules.revoked_by(ops + [op("restore", "*", 9000)],
                                          None), [])
        self.assertEqual(rules.revoked_by(ops + [op("restore", "a", 9000)],
                                          None), ["a:*", "b"])


    def test_waits_for_nothing_that_may_have_been_closed(self):
        log = log_of("a:1", "b", "a:1", "b", "a:2")
        open_state = State(["a:*"], [])
        shut, closed = revoke(open_state, "a:1", 1, 0)

        def wait(*renewed_before):
            states, transitions = [open_state, closed], [shut]
            for number in renewed_before:
                transitions.append(Transition(None, False, number, 0))
                states.append(open_state)
            return last_due(log, 0, states, transitions)
        self.assertEqual(5, wait())
        self.assertEqual(5, wait(4))
        log = log_of("a:1", "b", "a:1", "b")
        self.assertEqual(0, wait())
        self.assertEqual(3, wait(2))  # it was given back before event 2
        self.assertEqual(0, wait(3))  # or perhaps later


if __name__ == "__main__":
    unittest.main()
