"""Questions between workers, as /stats asks them: each is answered, and soon,
whoever is stuck or killed meanwhile."""
import os
import signal
import threading
import time
import unittest

from broker import SCALE, BrokerCase, wait_for
from http_publish_test import post


class Asker(threading.Thread):
    """Asks again and again; how long each answer took."""

    def __init__(self, broker):
        super().__init__(daemon=True)
        self.broker = broker
        self.answers = []
        self.stopping = False
        self.start()

    def run(self):
        while not self.stopping:
            begin = time.monotonic()
            try:
                self.broker.stats()
                self.answers.append(time.monotonic() - begin)
            except (OSError, AssertionError):
                pass  # the worker that was asked died


class Change(threading.Thread):
    """A change of a stream that another worker has."""

    def __init__(self, broker, stream):
        super().__init__(daemon=True)
        self.broker, self.stream = broker, stream
        self.status = None
        self.start()

    def run(self):
        self.status, _, _ = post(self.broker, {"subscribe": ["d"]},
                                 "/stream/" + self.stream)


class Asks(BrokerCase):
    def test_a_worker_that_dies_is_answered_for_at_once(self):
        broker = self.broker(broker__workers=3)
        for turn in range(4):
            with broker.stream("c") as stream:
                connected, _ = stream.start()
                owner = self.owner(broker)
                os.kill(owner, signal.SIGSTOP)
                change = Change(broker, connected["stream"])
                # The question is on its way, or just not.
                for _ in range(turn * 10):
                    broker.get("/healthz")
                self.assertIsNone(change.status)
                begin = time.monotonic()
                os.kill(owner, signal.SIGKILL)
                change.join(20)
                self.assertLess(time.monotonic() - begin, 3)
                # Its worker has gone, or the next one is there.
                self.assertIn(change.status, (404, 503))
            broker.workers()

    @staticmethod
    def owner(broker):
        """The worker that has the one stream."""
        rows = wait_for(lambda: [
            row for row in broker.stats()["workers"] if row["streams"]])
        return broker.workers()[rows[0]["worker"] - 1]

    def test_every_question_is_answered_whatever_is_killed(self):
        broker = self.broker(broker__workers=3)
        askers = [Asker(broker) for _ in range(4)]
        for turn in range(9 * SCALE):
            goal = len(askers[0].answers) + 5
            wait_for(lambda: len(askers[0].answers) >= goal, "answers", 60)
            if turn % 3 == 2:
                broker.kill_hub()
            else:
                broker.kill_worker(broker.workers()[turn % 3])
        for asker in askers:
            asker.stopping = True
        for asker in askers:
            asker.join(30)
            self.assertFalse(asker.is_alive())
            # Nobody was stuck, so nobody was waited for.
            self.assertLess(max(asker.answers), 2.0)
        said = broker.stats()
        self.assertEqual(len(said["workers"]), 3)


if __name__ == "__main__":
    unittest.main()
