"""Events to many streams: written together or one by one, they are the same."""
import unittest

from broker import BrokerCase
from sse_client import Crowd

STREAMS = 100
EVENTS = 50


class Volley(BrokerCase):
    def deliver(self, **settings):
        """What each of many streams gets of events that come one by one;
        and the broker."""
        broker = self.broker(broker__workers=1, **settings)
        with Crowd(broker.port) as crowd, broker.publisher() as publisher:
            streams = [crowd.add("c") for _ in range(STREAMS)]
            crowd.until(lambda: all(each.live for each in streams))
            for number in range(1, EVENTS + 1):
                publisher.publish_many([("c", "event %d" % number)])
                crowd.until(lambda: all(len(each.cursors) == number
                                        for each in streams))
            return broker, [len(each.cursors) for each in streams]

    def test_what_goes_out_together_is_what_goes_out_alone(self):
        together, got = self.deliver(broker__log_level="debug")
        self.assertEqual(got, [EVENTS] * STREAMS)
        alone, got = self.deliver(broker__io_uring="off")
        self.assertEqual(got, [EVENTS] * STREAMS)
        for broker in (together, alone):
            self.assertEqual(broker.stats()["writes_total"], STREAMS * EVENTS)
        self.assertEqual(alone.stats()["volleys_total"], 0)
        # A kernel that has none, or does not allow it, says so.
        self.assertEqual(together.stats()["volleys_total"] > 0,
                         "io_uring: " not in together.log())


if __name__ == "__main__":
    unittest.main()
