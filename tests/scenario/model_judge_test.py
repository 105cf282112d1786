"""The model of model_test.py, held against small stories by hand: a judge that
finds nothing wrong is worth nothing."""
import json
import unittest

import msgpack_wire as wire
from model_log import Log, block
from model_stream import Course, Wrong
from model_world import Asked, Mode, World
from source import Acked
from sse_client import Event, Parser


def log_of(*channels, limit=100):
    """Cursors 1-0, 2-0 and so on; a ! before the name: a resync."""
    log = Log(limit)
    log.add([Acked((place + 1) << 20, name.strip("!"), "t", None,
                   None if name[0] == "!" else "%d" % place, 0)
             for place, name in enumerate(channels)])
    log.trim()
    return log


def control(name, **body):
    return Event(name, json.dumps(body), None, None, b"")


def live(cursor):
    return control("live", cursor="%d-0" % cursor)


def resync(*channels, reason="history"):
    return control("resync", channels=list(channels), reason=reason)


def event(log, place, form="tagged"):
    return Parser().feed(block(log.rows[place], form))[0]


def course_of(log, *members, start=0, types=(), **options):
    course = Course(log, types=types)
    course.greeted = True
    course.begin(members, start << 20, **options)
    return course


class Judge(unittest.TestCase):
    def play(self, course, *notes):
        """Numbers are places of events."""
        for note in notes:
            course.note(event(course.log, note) if isinstance(note, int)
                        else note)
        return course

    def wrong(self, words, course, *notes):
        with self.assertRaisesRegex(Wrong, words):
            self.play(course, *notes)

    def test_takes_what_is_due_and_nothing_else(self):
        log = log_of("a", "b", "a:1", "a")
        self.assertTrue(self.play(course_of(log, "a"), 0, 3, live(4)).done)
        self.assertTrue(self.play(course_of(log, "a:*"), 2, live(4)).done)
        self.assertTrue(self.play(course_of(log, "*", start=2), 2, 3,
                                  live(4)).done)
        self.assertFalse(self.play(course_of(log, "a"), 0, 3).done)
        self.assertFalse(self.play(course_of(log, "a"), 0).done)
        for notes in ((3,), (0, live(4)), (live(4),)):
            self.wrong("missing: 1-0|missing: 4-0", course_of(log, "a"),
                       *notes)
        self.wrong("not due", course_of(log, "a"), 0, 1)
        self.wrong("twice", course_of(log, "a"), 0, 0)
        self.wrong("twice", course_of(log, "*"), 0, 1, 0)
        self.wrong("twice", course_of(log, "a", start=1), 0)
        self.wrong("not true|missing", course_of(log, "a"), 0, 3, live(3))
        self.wrong("not there", course_of(log, "a"), 0, 3, live(5))
        self.wrong("not due", course_of(log, "b"), 1, live(4), live(4))
        self.wrong("never acknowledged", course_of(log, "a"),
                   event(log, 0)._replace(id="9-0"))
        self.wrong("bytes", course_of(log, "a"), event(log, 0, "raw"))
        self.wrong("not due", course_of(log, "a", types=["x"]), 0)
        self.wrong("not expected", course_of(log, "a"), control("x", y=1))
        self.wrong("before connected", Course(log), event(log, 0))
        self.wrong("after bye", course_of(log, "a"), 0, 3, live(4),
                   control("bye", reason="end"), 3)

    def test_knows_the_publishers_resync(self):
        log = log_of("a", "!a", "b", "!a")
        told = resync("a", reason="publisher")
        told = told._replace(raw=block(log.rows[1], "tagged"))
        for types in ((), ("x",)):
            course = course_of(log, "a", types=types)
            notes = (told, told, live(4))
            self.play(course, *(notes if types else (0,) + notes))
        self.wrong("missing: 2-0", course_of(log, "a"), 0, live(4))
        self.wrong("no such resync", course_of(log, "a"), 0, told, told, told)
        self.wrong("missing: 1-0", course_of(log, "a"), told)
        self.wrong("no such resync", course_of(log, "b"), told)

    def test_knows_what_was_let_go(self):
        log = log_of("a", "b", "c", "a", "b", "c", limit=3)
        self.play(course_of(log, "a", "b"), resync("a", "b"), 3, 4, live(6))
        self.play(course_of(log, "a", "b"), resync("a"), resync("b"), 3)
        self.play(course_of(log, "a", "b", start=1), resync("b"), 3, 4)
        self.play(course_of(log, "a", start=1), 3, live(6))
        self.play(course_of(log, "a", silent=True), 3, live(6))
        self.play(course_of(log, "a", windowed=True), 0, 3, live(6))
        self.wrong("missing", course_of(log, "a", windowed=True), 3)
        self.wrong("without a word", course_of(log, "a", "b"), resync("b"), 3)
        self.wrong("without a word", course_of(log, "a"), 3)
        self.wrong("due for", course_of(log, "a", start=1), resync("a"))
        self.wrong("due for", course_of(log, "a"), resync("a", "c"))
        self.wrong("due for", course_of(log, "a"), resync("a"), resync("a"))
        self.wrong("not expected", course_of(log, "a"), resync("a", "a"))
        self.wrong("due for", course_of(log, "a", silent=True), resync("a"))
        self.wrong("not expected", course_of(log, "a"),
                   resync("a", reason="cursor"))
        self.play(course_of(log, "a", start=6, bad=True),
                  resync("a", reason="cursor"), live(6))

    def test_knows_what_a_snapshot_has(self):
        log = Log(100, {"latest": "latest"})
        log.add([Acked((place + 1) << 20, channel, kind, key, "x", 0)
                 for place, (channel, kind, key) in enumerate([
                     ("latest:a", "t", "k"), ("latest:a", "u", "l"),
                     ("a", "t", "k"), ("latest:a", "t", "k"),
                     ("latest:b", "t", "")])])
        log.trim()

        def begun(*notes, types=(), members=("latest:*", "a")):
            course = course_of(log, *members, start=5, types=types)
            course.begin_snapshot(log.snapshot())
            return (course,) + tuple(
                Parser().feed(block(log.rows[note], "tagged", True))[0]
                if isinstance(note, int) else note for note in notes)
        named = control("snapshot", channels=["latest:*"])
        self.play(*begun(named, 1, 3, 4, live(5)))
        self.play(*begun(named, 3, 4, live(5), types=["t"]))
        self.play(*begun(control("snapshot", channels=["*"]), 1, 3, 4, live(5),
                         members=["*"]))
        self.wrong("bytes", *begun(named, 0))
        self.wrong("bytes", *begun(named, 3))
        self.wrong("bytes", *begun(named, 1, 2))
        self.wrong("bytes", *begun(named, 1, 3, live(5)))
        self.wrong("live before", *begun(live(5)))
        self.wrong("due for", *begun(control("snapshot", channels=["a"])))
        self.assertFalse(self.play(*begun(named, 1)).done)
        with self.assertRaises(Wrong):
            self.play(*begun(named, 1, 3, 4, named))

    def test_knows_filters_and_conflation(self):
        log = Log(100)
        log.add([Acked((place + 1) << 20, "a", kind, key, "x", 0)
                 for place, (kind, key) in enumerate([
                     ("t", "k"), ("t", "l"), ("u", "k"), ("t", "k"),
                     ("t", ""), ("u", "l")])])
        self.play(course_of(log, "a", types=["t"]), 0, 1, 3, 4, live(6))
        course = course_of(log, "a")
        course.keys = ("k", )
        self.play(course, 0, 2, 3, live(6))

        def conflated(*notes, stride=6, types=()):
            course = course_of(log, "a", types=types)
            course.conflates, course.stride = True, stride
            return (course,) + notes
        self.play(*conflated(3, 4, 5, live(6)))
        self.play(*conflated(1, 3, 4, live(6), types=["t"]))
        self.play(*conflated(0, 1, 3, 4, 5, live(6), stride=0))
        self.play(*conflated(1, 2, 4, 5, live(6), stride=0)[:3])
        self.wrong("not the last", *conflated(0))
        self.wrong("missing: 4-0", *conflated(2, 4, stride=0))
        self.wrong("missing: 5-0", *conflated(3, 5))
        self.wrong("missing: 6-0", *conflated(3, 4, live(6)))
        self.wrong("missing: 2-0", *conflated(3, 4, types=["t"]))

    def test_knows_what_a_slow_stream_may_lose(self):
        def slow(*members, start=0):
            log = log_of("a", "b", "a", "b", "a", "c", "a")
            course = course_of(log, *members, start=start)
            self.play(course, *([0] if start == 0 else []))
            log.limit = 3
            log.trim()
            course.lossy, course.owes_live = True, False
            return course
        self.play(slow("a", "b"), resync("a", "b"), 4, 6)
        self.play(slow("a", "b"), 1, resync("a", "b"), 4, 6)
        self.play(slow("a", "b"), 1, 2, 3, 4, 6)
        self.play(slow("a", "b"), 1, 2, resync("b"), 4, 6)
        self.wrong("without a word on {'b'}", slow("a", "b"), 1, 2, 4)
        self.wrong("without a word", slow("a", "b"), resync("a"), 4)
        self.wrong("nothing was lost on {'b'}", slow("a", "b"), 1, 2, 3,
                   resync("b"), 4)
        self.wrong("nothing was lost on {'c'}", slow("a", "b", "c"),
                   resync("a", "b", "c"), 4)
        self.wrong("missing: 5-0", slow("a", "b"), resync("a", "b"), 6)

    def changed(self, course, add, drop, since, said, **options):
        asked = Asked("since", "", (since << 20,) * 2, False, False,
                      False)._replace(**options)
        course.expect(add, drop, asked, {
            "channels": said, "refused": [], "subscribed": add,
            "unsubscribed": drop})
        return control("subscribed", channels=add, refused=[],
                       unsubscribed=drop)

    def test_knows_what_a_change_brings(self):
        def begun():
            course = course_of(log_of("a", "b", "a:1", "b", "a"), "a")
            self.play(course, 0, 4, live(5))
            course.rest()
            return course

        def add(*notes, pattern="b", since=1):
            course = begun()
            told = self.changed(course, [pattern], [], since, ["a", pattern])
            return (course, told) + notes
        self.play(*add(1, 3, live(5)))
        self.play(*add(3, live(5), since=3))
        self.play(*add(since=5))
        self.play(*add(live(5), since=5))
        self.play(*add(1, 2, 3, live(5), pattern="*", since=0))
        self.wrong("missing: 2-0", *add(3))
        self.wrong("missing: 4-0", *add(1, live(5)))
        self.wrong("not due", *add(0, pattern="*", since=0))
        self.wrong("not due", *add(1, 3, 4))
        self.wrong("twice", *add(1, 3, 1))
        self.wrong("missing: 2-0", *add(live(5)))
        self.assertFalse(self.play(*add(1, 3)).done)
        self.wrong("no change", begun(), add()[1])
        course = begun()
        told = self.changed(course, [], ["a"], 0, [])
        self.assertFalse(course.done)
        self.wrong("told", course, control(
            "subscribed", channels=["a"], refused=[], unsubscribed=[]))
        # What was left and is asked for again comes again.
        course = begun()
        told = self.changed(course, ["a"], ["a"], 1, ["a"])
        self.play(course, told, 4, live(5))
        with self.assertRaisesRegex(Wrong, "answered"):
            self.changed(begun(), ["b"], [], 0, ["a"])

    def test_knows_what_an_added_channel_lost(self):
        log = log_of("a", "b", "b", "a", "b", limit=2)

        def add(*notes, **options):
            course = course_of(log, "a", start=1)
            self.play(course, 3, live(5))
            course.rest()
            return (course, self.changed(course, ["b"], [], 1, ["a", "b"],
                                         **options)) + notes
        self.play(*add(resync("b"), 4, live(5)))
        self.play(*add(4, live(5), silent=True))
        self.play(*add(1, 2, 4, live(5), windowed=True))
        self.wrong("without a word", *add(4))
        self.wrong("due for", *add(resync("a", "b")))
        self.wrong("due for", *add(resync("b"), silent=True))


class Ending:
    """A stream whose process ends when it has sent these notes."""

    def __init__(self, *notes):
        self.notes, self.waiting, self.ended = notes, [], None
        self.parser = Parser()

    def fill(self, _timeout):
        self.waiting, self.ended = list(self.notes), "cut"

    def next(self):
        return self.waiting.pop(0)

    def close(self):
        pass


class Sender:
    """A publisher; what it offers is acknowledged with the next cursors."""

    def __init__(self, log):
        self.log, self.acked = log, []

    def offer(self, channel, data, kind, key, flags):
        cursor = (len(self.log) + len(self.acked) + 1) << 20
        self.acked.append(Acked(cursor, channel, kind, key, data, flags))

    def settle_surely(self):
        pass


class NoBroker(World):
    def __init__(self, log):
        self.log, self.mode = log, Mode(log.limit, log.limit, True, 1, "4k")
        self.volatile, self.reach, self.under_way = False, log.limit, False
        self.clients, self.sources = [], [Sender(log)]

    def wait_for_store(self, due):
        pass


class Burst(unittest.TestCase):
    def burst(self, start, *notes):
        """Of four events, all of which are kept, a stream has got so many
        before its client stopped reading. Two more come, and its process is
        killed meanwhile; then these notes are read, or places."""
        log = log_of("a", "b", "a", "b", limit=4)
        world = NoBroker(log)
        client = world.client(["*"])
        client.course, client.stalled = course_of(log, "*", start=start), True
        client.stream = Ending(*(event(log, note) if isinstance(note, int)
                                 else note for note in notes))
        world.offer([(world.sources[0], "a", "x", None, None, 0)] * 2)
        client.mourn(surely=True)
        world.settle()

    def wrong(self, words, *arguments):
        with self.assertRaisesRegex(Wrong, words):
            self.burst(*arguments)

    def test_takes_what_is_lost_in_its_midst_for_lost(self):
        self.burst(0, resync("a", "b"), 2, 3)
        self.burst(0, 0, resync("b"), 2, 3)
        self.burst(0, 0, 1, 2, 3)
        self.burst(2, 2, 3)
        self.wrong("without a word", 0, resync("a"), 2)
        self.wrong("nothing was lost", 0, resync("a", "b", "c"), 2)
        self.wrong("nothing was lost", 0, 0, resync("a", "b"), 2)
        self.wrong("missing", 0, resync("a", "b"), 3)
        self.wrong("due for", 2, resync("a"))


class TheLog(unittest.TestCase):
    def test_bytes(self):
        def both(data, flags=0, kind="t", key="k"):
            log = Log(9)
            log.add([Acked((7 << 20) + 1, "a:b", kind, key, data, flags)])
            return (block(log.rows[0], "tagged").decode(),
                    block(log.rows[0], "raw").decode("latin-1"))
        head = 'id: 7-1\ndata: {"channel":"a:b","type":"t","key":"k","ts":7,' \
            '"data":'
        raw = "id: 7-1\nevent: t\ndata: "
        self.assertEqual(both("x\r\ny\n\"z"), (
            head + '"x\\r\\ny\\n\\"z"}\n\n',
            raw + 'x\ndata: y\ndata: "z\n\n'))
        self.assertEqual(both('{"a":\n1}'), (
            head + '{"a":\ndata: 1}}\n\n', raw + '{"a":\ndata: 1}\n\n'))
        self.assertEqual(both('{"a":1}', wire.FLAG_TEXT)[0],
                         head + '"{\\"a\\":1}"}\n\n')
        self.assertEqual(both("1", wire.FLAG_JSON)[0], head + "1}\n\n")
        self.assertEqual(both("1")[0], head + '"1"}\n\n')
        self.assertEqual(both(b"\0\xff"), (
            head + '"AP8="}\n\n', raw + "\0\xff\n\n"))
        self.assertEqual(both({"a": [None, 1]}), (
            head + '{"a":[null,1]}}\n\n', raw + '{"a":[null,1]}\n\n'))
        self.assertEqual(both("", kind=None, key=None), (
            'id: 7-1\ndata: {"channel":"a:b","ts":7,"data":""}\n\n',
            "id: 7-1\ndata: \n\n"))
        self.assertEqual(both(None)[1], 'event: resync\ndata: {"channels":'
                         '["a:b"],"reason":"publisher"}\n\n')

    def test_what_is_let_go(self):
        log = log_of("a", "b", "a", "c", limit=2)
        self.assertEqual(log.kept(), [3 << 20, 4 << 20])
        self.assertEqual(log.horizon, {"a": 1 << 20, "b": 2 << 20})
        everything = dict.fromkeys("abc", True).__contains__
        self.assertEqual(log.lost(0, everything), {"a", "b"})
        self.assertEqual(log.lost(1 << 20, everything), {"b"})
        self.assertEqual(log.lost(2 << 20, everything), set())
        self.assertEqual(log.lost(0, "a".__eq__), {"a"})

    def test_rules_of_channels(self):
        log = Log(100, {"few": 2, "none": 0, "latest": "latest"})
        log.add([Acked((place + 1) << 20, channel, None, key, "x", 0)
                 for place, (channel, key) in enumerate([
                     ("few:a", ""), ("few:b", ""), ("few:a", ""),
                     ("none:a", ""), ("latest:a", "k"), ("latest:a", ""),
                     ("latest:a", "k"), ("latest:b", "k"), ("few:a", ""),
                     ("latest:a", "")])])
        log.trim()
        log.trim()
        self.assertEqual([cursor >> 20 for cursor in log.kept()],
                         [2, 3, 7, 8, 9, 10])
        self.assertEqual(log.horizon, {"few:a": 1 << 20, "none:a": 4 << 20})
        self.assertEqual(log.superseded, {4, 5})


if __name__ == "__main__":
    unittest.main()
