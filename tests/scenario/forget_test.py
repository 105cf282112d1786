"""What the hub forgets, and what it must not: publishers and old events."""
import sqlite3
import threading
import unittest

import msgpack_wire as wire
from broker import BrokerCase, wait_for


class Forget(BrokerCase):
    def query(self, broker, text):
        base = sqlite3.connect("file:%s?mode=ro" % broker.database, uri=True)
        try:
            return base.execute(text).fetchall()
        finally:
            base.close()

    def test_a_silent_publisher_is_known_as_long_as_it_is_connected(self):
        broker = self.broker(history__max_age="1s")
        with broker.publisher("silent") as silent:
            silent.publish("c", "x")
            with broker.publisher("gone") as gone:
                gone.publish("c", "x")
            # Both are old; one round of the hub looks at both.
            wait_for(lambda: ("gone",) not in self.query(
                broker, "SELECT name FROM publisher"), "forgetting")
            silent.publish("c", "y")
        with broker.publisher("silent") as silent:
            self.assertEqual(silent.welcome[2], 2)

    def test_a_new_publisher_never_gets_the_numbers_of_a_connected_one(self):
        broker = self.broker(history__max_age="1s")
        with broker.publisher("first") as first:
            first.publish("c", "x")
            with broker.publisher("gone") as gone:
                gone.publish("c", "x")
            wait_for(lambda: ("gone",) not in self.query(
                broker, "SELECT name FROM publisher"), "forgetting")
            with broker.publisher("second") as second:
                for number in range(10):
                    first.publish("c", str(number))
                    second.publish("c", str(number))

    def test_history_stays_short_however_fast_events_come_in(self):
        broker = self.broker(history__max_events=1000)
        count, each = 40, 8000
        rows = b"".join(wire.pack([wire.PUBLISH, number + 1, "c", None, None,
                                   "x"]) for number in range(each))
        publishers = [broker.publisher("p%d" % n) for n in range(count)]
        writers = [threading.Thread(target=publisher.send_bytes, args=(rows,))
                   for publisher in publishers]
        readers = [threading.Thread(target=self.drop_acks, args=(publisher,))
                   for publisher in publishers]
        for thread in writers + readers:
            thread.start()

        def accepted():
            stats = broker.stats()
            # It may be over its bound for as long as one turn lasts.
            self.assertLessEqual(stats["store_events"], 1000 + 2 * 8192)
            return stats["events_accepted_total"] == count * each
        wait_for(accepted, "all events", 60)
        for publisher in publishers:
            publisher.socket.shutdown(2)
            publisher.close()
        for thread in writers + readers:
            thread.join()
        wait_for(lambda: broker.stats()["store_events"] == 1000, "the end")

    @staticmethod
    def drop_acks(publisher):
        try:
            while publisher.socket.recv(1 << 20):
                pass
        except OSError:
            pass


if __name__ == "__main__":
    unittest.main()
