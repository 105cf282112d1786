"""Storms: crowds that come at once, that come back, and that are let go."""
import json
import random
import re
import time
import unittest

import sse_client
from broker import BrokerCase, wait_for
from sse_client import Crowd

STREAM = (("Accept", "text/event-stream"),)


def metric(broker, name):
    _, out = broker.get("/metrics")
    return int(re.search(r"^ssemux_%s (\d+)$" % name, out.decode(),
                         re.M).group(1))


def bye_of(member):
    """(reason, retry) of the "bye" that a member of a crowd got; or None."""
    for block in member.controls:
        match = re.search(rb'^event: bye\ndata: {"reason":"([a-z-]+)"}$',
                          block, re.M)
        if match:
            return (match.group(1).decode(),
                    int(re.search(rb"^retry: (\d+)$", block, re.M).group(1)))
    return None


class Returning:
    """Clients of a crowd that come back, as a browser does, when they were
    told to."""

    def __init__(self, crowd):
        self.crowd = crowd
        self.due = {}
        self.retries = []

    def turn(self):
        now = time.monotonic()
        for member in self.crowd.members:
            if member in self.due:
                if self.due[member] <= now:
                    del self.due[member]
                    member.controls.clear()
                    member.reopen()
            elif member.ended:
                reason, retry = bye_of(member)
                assert reason == "busy", reason
                self.retries.append(retry)
                self.due[member] = now + retry / 1000
        self.crowd.turn(0.01)

    def until_all_are_live(self, seconds=60):
        deadline = time.monotonic() + seconds
        while not all(member.live for member in self.crowd.members):
            if time.monotonic() > deadline:
                raise TimeoutError("not all got in")
            self.turn()


class AdmissionTest(BrokerCase):
    def test_all_of_a_crowd_get_in_in_the_end_and_miss_nothing(self):
        broker = self.broker(http__admit_rate=40, http__admit_burst=10,
                             http__retry="50ms")
        with broker.publisher() as publisher:
            first = publisher.publish("c", "first")
            publisher.publish_many(("c", "%d" % n) for n in range(200))
        with Crowd(broker.port) as crowd:
            for _ in range(120):
                crowd.add("c", last_id="%d-%d" % (first >> 20,
                                                  first & 0xFFFFF))
            returning = Returning(crowd)
            returning.until_all_are_live()
            self.assertGreater(len(returning.retries), 20)
            self.assertEqual(metric(broker, "refused_busy_total"),
                             len(returning.retries))
            self.assertEqual(len(set(member.digest.digest()
                                     for member in crowd.members)), 1)
            self.assertEqual({len(member.cursors)
                              for member in crowd.members}, {200})

    def refused(self, broker, count):
        """The delays that so many are told, who come one after the other."""
        delays = []
        while len(delays) < count:
            with broker.stream("a") as stream:
                event = stream.next()
            if event.name == "bye":  # else a second has passed
                self.assertEqual(json.loads(event.data), {"reason": "busy"})
                delays.append(event.retry)
        return delays

    def test_the_delay_grows_with_those_who_wait_and_is_bounded(self):
        broker = self.broker(broker__workers=1, http__admit_rate=1,
                             http__admit_burst=1, http__retry="1ms",
                             http__retry_max="100s")
        with broker.stream("a") as stream:
            self.assertLessEqual(stream.next().retry, 2)
            retries = self.refused(broker, 40)
            # Each has its own place, whatever the clock says meanwhile: it
            # goes on by a second for each, less the time that passes.
            self.assertEqual(len(set(retries)), len(retries))
            self.assertGreater(retries[-1], retries[0])
        broker.stop()
        broker.start({"http.retry_max": "2s"})
        with broker.stream("a") as stream:
            stream.start()
            bounded = self.refused(broker, 40)
            self.assertLessEqual(max(bounded), 2000)
            self.assertGreater(len(set(bounded)), 5)

    def test_who_is_no_event_source_gets_503_with_retry_after(self):
        broker = self.broker(broker__workers=1, http__admit_rate=1,
                             http__admit_burst=1, http__retry="0s")
        with broker.stream("a") as stream:
            stream.start()

            def refused():
                body, out = broker.get("/stream?channels=a&live=false")
                if body.status == 200:  # a second has passed
                    return None
                self.assertEqual(body.status, 503)
                self.assertEqual(json.loads(out)["code"], "busy")
                self.assertRegex(body.headers["retry-after"], r"^[1-9]\d*$")
                return body
            wait_for(refused, "a refusal")
            # What begins no stream needs no token.
            for target in ("/stats", "/healthz", "/metrics"):
                self.assertEqual(broker.get(target)[0].status, 200)
            head, _ = sse_client.fetch(broker.port, "/stream?channels=a",
                                       STREAM, "HEAD")
            self.assertEqual(head.status, 200)

    def test_a_refusal_is_cheap_tokens_are_not_even_looked_at(self):
        broker = self.broker(start=False, broker__workers=1,
                             http__admit_rate=1, http__admit_burst=1,
                             auth__mode="jwt",
                             auth__jwt_key_file="%(folder)s/secret")
        with open(broker.folder + "/secret", "w") as file:
            file.write("%064x" % random.getrandbits(256))
        broker.start()
        codes = []
        for _ in range(20):
            _, out = broker.get("/stream?channels=a",
                                (("Authorization", "Bearer no.good.token"),))
            codes.append(json.loads(out)["code"])
        self.assertEqual(set(codes), {"token-invalid", "busy"})
        self.assertEqual(metric(broker, "tokens_refused_total"),
                         codes.count("token-invalid"))


if __name__ == "__main__":
    unittest.main()
