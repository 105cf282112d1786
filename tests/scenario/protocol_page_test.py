"""The conversation that ssemux-protocol(7) shows, byte by byte, is one that
the broker has: behind > what is sent to it, behind < what it answers."""
import re
import socket
import unittest

from broker import BrokerCase
from msgpack_wire import ACK, Reader, pack

PAGE = "man/ssemux-protocol.7"


def conversation():
    """[(direction, bytes)] of the page; messages that follow each other in
    one direction, without a line between them, are one."""
    with open(PAGE) as page:
        text = page.read()
    example = text[text.index(".Sh EXAMPLES"):]
    turns = []
    before = None
    for row in example.splitlines():
        match = re.match(r"([<>])((?: [0-9A-F]{2})+)$", row)
        if match and before == match.group(1):
            turns[-1][1] += bytes.fromhex(match.group(2))
        elif match:
            turns.append([match.group(1), bytes.fromhex(match.group(2))])
        before = match.group(1) if match else None
    return turns


def value_of(data):
    reader = Reader()
    reader.feed(data)
    value = reader.next()
    assert reader.held == b"", "more than one message: %r" % data
    return value


class ProtocolPage(BrokerCase):
    def connect(self, broker):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(20)
        client.connect(broker.socket)
        self.addCleanup(client.close)
        return client

    def test_the_broker_answers_as_the_page_says(self):
        broker = self.broker()
        turns = conversation()
        self.assertGreater(len(turns), 10)
        client = None
        cursors = {}  # as the page says: as the broker does
        for direction, data in turns:
            value = value_of(data)
            if direction == ">":
                if value[0] == 0:  # HELLO: a connection of its own
                    client = self.connect(broker)
                client.sendall(data)
                continue
            received = self.receive(client, len(data))
            if value[0] == ACK:  # its cursor is another
                answer = value_of(received)
                known = cursors.setdefault(value[2], answer[2])
                self.assertEqual(known, answer[2], "a duplicate's cursor")
                value[2] = answer[2]
                data = pack(value)
            self.assertEqual(data, received)
        self.assertEqual(client.recv(1), b"", "BYE ends it")
        self.assertEqual(list(cursors.values()), sorted(cursors.values()))
        self.assertEqual(
            [row[1:] for row in broker.stored()][:2],
            [("orders", "order.updated", "42", b"{}"),
             ("orders", None, None, b'{"total":19.99}')])

    def receive(self, client, size):
        data = b""
        while len(data) < size:
            piece = client.recv(size - len(data))
            self.assertTrue(piece, "hung up after %r" % data)
            data += piece
        return data

    def test_the_page_shows_each_message_once_at_least(self):
        shown = {value_of(data)[0] for _, data in conversation()}
        self.assertEqual(shown, {0, 1, 2, 3, 5, 16, 17, 18, 21})


if __name__ == "__main__":
    unittest.main()
