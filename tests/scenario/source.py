"""source: a publisher that lives through kills of the hub: it resends what was
not acknowledged, and remembers what was."""
import collections

import msgpack_wire as wire
from broker import wait_for

Acked = collections.namedtuple("Acked", "cursor channel kind key data flags")
Acked.__doc__ = """One acknowledged event. data: None for a resync."""


class Source:
    """One publisher with numbers of its own."""

    def __init__(self, broker, name):
        self.broker, self.name = broker, name
        self.unacked = collections.deque()  # messages, in order
        self.acked = []                     # Acked, in the order of acks
        self.seq = 0
        self.connection = None

    def connect(self):
        def connected():
            try:
                return self.broker.publisher(self.name, timeout=30)
            except (OSError, wire.Closed):
                return None
        self.connection = wait_for(connected, "the hub", 30)
        for message in self.unacked:
            self.connection.send(message)

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def push(self, kind, *rest):
        """Notes a message, and sends it when there is a connection."""
        self.seq += 1
        self.unacked.append([kind, self.seq, *rest])
        if self.connection is not None:
            self.connection.send(self.unacked[-1])

    def offer(self, channel, data, kind=None, key=None, flags=0):
        """Sends an event without waiting."""
        self.push(wire.PUBLISH, channel, kind, key, data, flags)

    def offer_resync(self, channel):
        self.push(wire.RESYNC, channel)

    def settle(self):
        """Takes the acks of all that was sent; the connection may fail."""
        while self.unacked:
            seq, cursor, _ = self.connection.ack()
            number, channel, *rest = self.unacked[0][1:]
            assert seq == number, (seq, number)
            kind, key, data, flags = rest or (None, None, None, 0)
            self.acked.append(Acked(cursor, channel, kind, key, data, flags))
            self.unacked.popleft()

    def settle_surely(self):
        """Until all is acknowledged, whatever it takes."""
        while self.unacked:
            try:
                if self.connection is None:
                    self.connect()
                self.settle()
            except (OSError, wire.Closed):
                self.close()
