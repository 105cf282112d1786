"""model_pages: what a client gets that asks for pages of JSON, one after the
other, from some cursor to the end: exactly what a stream would bring."""
import json

import msgpack_wire as wire
import sse_client
from model_log import tagged_object
from model_stream import Course, Wrong


def page_object(row):
    """The object of an event in a page."""
    return b'{"cursor":"%s",' % wire.cursor_text(row.cursor).encode() + \
        tagged_object(row)[1:]


class Pages:
    def __init__(self, world, patterns, types, keys):
        self.world, self.patterns = world, patterns
        self.course = Course(world.log, "tagged", types, keys)

    def get(self, how, text, limit):
        query = "/stream?channels=%s&limit=%d" % (",".join(self.patterns),
                                                  limit)
        headers = [("Accept", "application/json")]
        for name, value in (("types", self.course.types),
                            ("keys", self.course.keys)):
            if value:
                query += "&%s=%s" % (name, ",".join(value).replace("!", "%21"))
        if how == "header":
            headers.append(("Last-Event-ID", text))
        elif how is not None:
            query += "&%s=%s" % (how, text)
        body, out = sse_client.fetch(self.world.broker.port, query, headers)
        if body.status != 200:
            raise Wrong("page %s: %d %r" % (query, body.status, out))
        return json.loads(out), out

    def read(self, asked, limit):
        """All of it; how many pages that was."""
        page, out = self.get(asked.how, asked.text, limit)
        # Where a time leads is known by what comes of it only.
        low, high = asked.start
        start = low if self.world.log.behind(low) == \
            self.world.log.behind(min(high, self.world.log.head)) or \
            asked.text == "-1d" else None
        if start is None:
            return 0
        self.course.begin(self.patterns, start, asked.bad, asked.silent,
                          self.world.windowed(start))
        count = 1
        while True:
            self.check(page, out, limit, asked if count == 1 else None)
            if not page["more"]:
                break
            page, out = self.get("since", page["cursor"], limit)
            count += 1
        if not self.course.next_due() is None:
            self.course.fail("missing: %s" % self.course.text(
                self.course.next_due()))
        return count

    def check(self, page, out, limit, asked):
        """One page, which begins where the course is."""
        course, log = self.course, self.world.log
        log.tally["page"] += 1
        log.tally["event of a page"] += len(page["events"])
        begin, end = course.pos, wire.cursor_number(page["cursor"])
        lost = set() if course.windowed or (asked and asked.silent) else \
            log.lost(begin, course.covered)
        if asked is None and self.world.windowed(begin):
            lost = set()
        course.owed_names = set()
        objects, resyncs = [], set()
        for event in page["events"]:
            place = log.place(wire.cursor_number(event["cursor"]))
            resyncs |= self.skip_resyncs(place)
            course.take(place)
            objects.append(page_object(log.rows[place]))
        resyncs |= self.skip_resyncs(log.behind(end))
        if end < course.pos:
            course.fail("a page up to %s" % page["cursor"])
        course.go(log.behind(end))
        course.pos = end
        if not out.startswith(b'{"events":[' + b",".join(objects) + b"]"):
            course.fail("the page %r, due %r" % (out, objects))
        self.check_words(page, limit, asked, lost, resyncs)

    def skip_resyncs(self, end):
        """The publishers' resyncs before this place are named."""
        found = set()
        while True:
            place = self.course.next_due()
            if place is None or place >= end or \
                    self.course.log.rows[place].data is not None:
                return found
            self.course.take(place)
            found.add(self.course.log.rows[place].channel)

    def check_words(self, page, limit, asked, lost, resyncs):
        fail = self.course.fail
        if len(page["events"]) > limit or page["refused"]:
            fail("more than was asked for: %r" % page)
        if asked is not None and asked.bad:
            due, reason = set(self.patterns), "cursor"
        else:
            due = lost | resyncs
            reason = "history" if lost else "publisher" if resyncs else None
        if set(page["resync"]) != due or page.get("reason") != reason or \
                len(page["resync"]) != len(due):
            fail("resync of %s (%s), due %s (%s)" % (
                page["resync"], page.get("reason"), due, reason))
