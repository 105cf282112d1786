#!/usr/bin/env python3
"""Publishes the package index to a broker of its own while 200 subscribers
listen, leave, return and join late; then holds every byte that each received
against what the index says it should have.

    ./check.py [--events N] [--subscribers N] [--build FOLDER]
"""
import argparse
import collections
import hashlib
import json
import os
import random
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(TOP, "tests/scenario")]

import packages  # noqa: E402

KINDS = ("everything", "prefix", "section", "late", "leaves", "stops")


class Expected:
    """What each subscriber should receive, from the index alone."""

    def __init__(self, events, cursors):
        self.events, self.cursors = events, cursors
        self.known = {}
        self.blocks = {"tagged": self.tagged, "raw": self.raw}

    def tagged(self, event, cursor):
        channel, key, record = event
        return ('id: %s\ndata: {"channel":%s,"type":%s,"key":%s,"ts":%s,'
                '"data":%s}\n\n') % (
            cursor, json.dumps(channel), json.dumps(packages.TYPE),
            json.dumps(key, ensure_ascii=False), cursor.split("-")[0],
            json.dumps(record, ensure_ascii=False))

    def raw(self, event, cursor):
        lines = event[2].replace("\r\n", "\n").replace("\r", "\n").split("\n")
        return "id: %s\nevent: %s\n%s\n" % (
            cursor, packages.TYPE,
            "".join("data: %s\n" % line for line in lines))

    def of(self, patterns, kind, first):
        """(number of events, digest of their blocks) from an event on."""
        what = (patterns, kind, first)
        if what not in self.known:
            count, digest = 0, hashlib.sha256()
            for event, cursor in zip(self.events[first:],
                                     self.cursors[first:]):
                if covered(patterns, event[0]):
                    digest.update(self.blocks[kind](event, cursor).encode())
                    count += 1
            self.known[what] = count, digest.digest()
        return self.known[what]


def covered(patterns, channel):
    return any(pattern in ("*", channel) or
               (pattern.endswith(":*") and channel.startswith(pattern[:-1]))
               for pattern in patterns)


class Subscriber:
    """A member of the crowd, what it asked for and how it behaves."""

    def __init__(self, crowd, kind, patterns, form, late=None):
        self.kind, self.patterns, self.form = kind, patterns, form
        self.first = late[0] if late else 0
        query = "&format=" + form
        if late:
            query += "&since=" + late[1]
        self.member = crowd.add(",".join(patterns), query)

    def behave(self):
        """Something happens to those to whom something happens."""
        if self.kind == "leaves" and self.member.cursors:
            self.member.reopen()
        elif self.kind == "stops" and self.member.paused:
            self.member.go_on()
        elif self.kind == "stops":
            self.member.pause()

    def wrong(self, expected):
        """What is wrong with what it received; None: nothing."""
        count, digest = expected.of(self.patterns, self.form, self.first)
        if len(self.member.cursors) != count:
            return "%d events instead of %d" % (
                len(self.member.cursors), count)
        if self.member.digest.digest() != digest:
            return "other bytes"
        if any(b"event: resync" in block for block in self.member.controls):
            return "a resync"
        return None


class Check:
    """The whole run."""

    def __init__(self, broker, crowd, events, subscribers, seed=1):
        self.broker, self.crowd, self.events = broker, crowd, events
        self.dice = random.Random(seed)
        self.sections = collections.Counter(event[0] for event in events)
        self.wanted = subscribers
        self.subscribers = []

    def patterns_of(self, kind):
        if kind == "everything":
            return ("*",)
        if kind == "prefix":
            return (self.dice.choice(("deb:*", "deb:main:*", "deb:contrib:*")),)
        sections = sorted(self.sections)
        return tuple(sorted(set(
            self.dice.choice(sections)
            for _ in range(self.dice.choice((1, 1, 2, 3))))))

    def subscribe(self, kind, late=None):
        # Few want everything: the rest is a matter of patience only.
        patterns = self.patterns_of(kind)
        self.subscribers.append(Subscriber(
            self.crowd, kind, patterns,
            self.dice.choice(("tagged", "raw")), late))

    def kinds(self):
        """A kind for each: everything 2 %, prefix 2 %, the others alike."""
        few = max(1, self.wanted // 50)
        kinds = ["everything"] * few + ["prefix"] * few
        return kinds + [KINDS[2 + n % 4]
                        for n in range(self.wanted - len(kinds))]

    def run(self, lines_path, cursors_path):
        """Publishes the lines; what is wrong, as a list of texts."""
        kinds = self.kinds()
        late = kinds.count("late")
        for kind in kinds:
            if kind != "late":
                self.subscribe(kind)
        self.crowd.until(lambda: all(each.member.live
                                     for each in self.subscribers))
        with open(lines_path) as lines, open(cursors_path, "w") as cursors:
            publisher = subprocess.Popen(
                [os.path.join(self.broker.build, "ssemux-pub"),
                 "-s", self.broker.socket, "-j", "-i"],
                stdin=lines, stdout=cursors)
            self.while_publishing(publisher, cursors_path, late)
            if publisher.wait() != 0:
                return ["ssemux-pub ended with %d" % publisher.returncode]
        return self.verdict(cursors_path)

    def while_publishing(self, publisher, cursors_path, late):
        turns = 0
        while publisher.poll() is None or late:
            self.crowd.turn(0.05)
            turns += 1
            if turns % 5 == 0:
                self.dice.choice(self.subscribers).behave()
            if late and turns % 3 == 0:
                late -= self.join_late(cursors_path)

    def join_late(self, cursors_path):
        """One more, with the cursor of an event already acknowledged."""
        with open(cursors_path) as file:
            acked = file.read().split("\n")[:-1]
        if not acked:
            return 0
        at = self.dice.randrange(len(acked))
        self.subscribe("late", (at + 1, acked[at]))
        return 1

    def verdict(self, cursors_path):
        with open(cursors_path) as file:
            expected = Expected(self.events, file.read().split())
        if len(expected.cursors) != len(self.events):
            return ["%d of %d events were acknowledged" % (
                len(expected.cursors), len(self.events))]
        for each in self.subscribers:
            if each.member.paused and not each.member.ended:
                each.member.go_on()
        wanted = [expected.of(each.patterns, each.form, each.first)[0]
                  for each in self.subscribers]
        try:
            self.crowd.until(lambda: all(
                len(each.member.cursors) >= count for each, count in
                zip(self.subscribers, wanted)), 300)
        except TimeoutError:
            pass  # told below, for each
        return ["%s %s %s: %s" % (each.kind, each.form,
                                  ",".join(each.patterns), wrong)
                for each in self.subscribers
                for wrong in [each.wrong(expected)] if wrong]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=0)
    parser.add_argument("--subscribers", type=int, default=200)
    parser.add_argument("--build", default=os.path.join(TOP, "build"))
    options = parser.parse_args()
    os.environ["SSEMUX_BUILD"] = options.build
    from broker import Broker
    from sse_client import Crowd

    events = list(packages.events(packages.index_text()))
    if options.events:
        events = events[:options.events]
    # This loop may be busy for long before it sends a request.
    broker = Broker({"publish.max_event": "256k", "http.head_timeout": "120s"})
    try:
        return run(broker.start(), Crowd, events, options)
    finally:
        broker.cleanup()


def run(broker, crowd_class, events, options):
    lines_path = os.path.join(broker.folder, "lines")
    with open(lines_path, "w", encoding="utf-8") as file:
        file.writelines(packages.line_of(event) + "\n" for event in events)
    print("%d packages in %d sections, %.1f MB" % (
        len(events), len({event[0] for event in events}),
        os.path.getsize(lines_path) / 1e6), flush=True)
    started = time.monotonic()
    with crowd_class(broker.port) as crowd:
        check = Check(broker, crowd, events, options.subscribers)
        wrong = check.run(lines_path, os.path.join(broker.folder, "cursors"))
        counts = collections.Counter(each.kind for each in check.subscribers)
        print("subscribers: " + ", ".join(
            "%d %s" % (counts[kind], kind) for kind in KINDS))
        print("%d events delivered in %.1f s; each cursor and byte held "
              "against the index" % (
                  sum(len(each.member.cursors) for each in check.subscribers),
                  time.monotonic() - started))
    for text in wrong[:20]:
        print("WRONG: " + text)
    status = broker.stop()
    print("all as it should be" if not wrong and status == 0 else
          "%d wrong, the broker ended with %d" % (len(wrong), status))
    return 1 if wrong or status else 0


if __name__ == "__main__":
    sys.exit(main())
