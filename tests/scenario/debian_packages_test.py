"""examples/debian-packages with a part of the index."""
import os
import sys
import unittest

from broker import BrokerCase
from sse_client import Crowd

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../../examples/debian-packages"))

import check  # noqa: E402
import packages  # noqa: E402


class DebianPackages(BrokerCase):
    def test_every_subscriber_receives_what_it_should_byte_for_byte(self):
        events = list(packages.events(packages.index_text()))[:4000]
        self.assertGreater(len(events), 100)
        broker = self.broker(publish__max_event="256k", broker__ring="2m",
                             broker__window="2m")
        lines = os.path.join(broker.folder, "lines")
        with open(lines, "w", encoding="utf-8") as file:
            file.writelines(packages.line_of(event) + "\n"
                            for event in events)
        with Crowd(broker.port) as crowd:
            run = check.Check(broker, crowd, events, 200)
            wrong = run.run(lines, os.path.join(broker.folder, "cursors"))
            self.assertEqual(len(run.subscribers), 200)
        self.assertEqual(wrong, [])


if __name__ == "__main__":
    unittest.main()
