"""A broker that is left alone: old times, and descriptors that run out."""
import resource
import socket
import time
import unittest

import msgpack_wire as wire
from broker import BrokerCase, wait_for


class Quiet(BrokerCase):
    def start_names(self, broker, since):
        """Control events up to `live`, without it, for this beginning."""
        with broker.stream("c", since=since) as stream:
            _, events = stream.start()
            return [event.name for event in events]

    def test_a_time_after_the_last_event_misses_nothing(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            cursor = publisher.publish("c", "x")
        wait_for(lambda: time.time() * 1000 > (cursor >> 20) + 2500,
                 "the event's age")
        iso = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(
            time.time() - 1))
        for since in ("-1s", "-2s", "-0s", iso):
            self.assertEqual(self.start_names(broker, since), [], since)
        self.assertEqual(self.start_names(broker, "-1h"), ["message"])

    def test_a_cursor_or_time_that_cannot_have_been_is_told_so(self):
        broker = self.broker()
        with broker.publisher() as publisher:
            cursor = publisher.publish("c", "x")
        ahead = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(
            time.time() + 3600))
        for since in (wire.cursor_text(cursor + 1), ahead):
            self.assertEqual(self.start_names(broker, since), ["resync"],
                             since)

    def test_an_empty_log_has_no_past_to_miss(self):
        broker = self.broker()
        self.assertEqual(self.start_names(broker, "-10m"), [])

    def test_a_hub_without_descriptors_waits_for_one(self):
        broker = self.broker()
        hub = broker.hub()
        limits = resource.prlimit(hub, resource.RLIMIT_NOFILE)
        resource.prlimit(hub, resource.RLIMIT_NOFILE, (30, limits[1]))
        idle = []
        try:
            for _ in range(40):
                idle.append(socket.socket(socket.AF_UNIX))
                idle[-1].connect(broker.socket)
            wait_for(lambda: broker.metric("accept_failures_total") > 2,
                     "more failures than one")
            self.assertEqual(broker.log().count("accept a publisher"), 1)
        finally:
            for each in idle:
                each.close()
        with broker.publisher() as publisher:
            publisher.publish("c", "x")


if __name__ == "__main__":
    unittest.main()
