"""msgpack_wire: a publisher written from the protocol's page alone.

Nothing of ssemux is used: msgpack as its specification says (the part that is
needed), a UNIX socket, and the messages of ssemux-protocol(7).
"""
import socket
import struct
import time

HELLO, PUBLISH, RESYNC, BYE, STATUS, COMMAND = 0, 1, 2, 3, 4, 5
WELCOME, ACK, ERROR, RECEIPT, REPORT, DONE, FAILED = 16, 17, 18, 19, 20, 21, 22
FLAG_JSON, FLAG_TEXT, FLAG_RECEIPT, FLAG_COUNTS = 1, 2, 4, 8


def pack(value):
    """One value as msgpack, in its shortest form."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return pack_int(value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode("utf-8", "surrogateescape")
        return pack_size(len(text), 0xa0, 31, b"\xd9\xda\xdb") + text
    if isinstance(value, (bytes, bytearray)):
        return pack_size(len(value), None, -1, b"\xc4\xc5\xc6") + value
    if isinstance(value, (list, tuple)):
        return pack_size(len(value), 0x90, 15, b"\x00\xdc\xdd") + \
            b"".join(map(pack, value))
    if isinstance(value, dict):
        return pack_size(len(value), 0x80, 15, b"\x00\xde\xdf") + \
            b"".join(pack(k) + pack(v) for k, v in value.items())
    raise TypeError(type(value))


def pack_int(value):
    for low, high, head, form in (
            (0, 0x7f, b"", ">B"), (-32, -1, b"", ">b"),
            (0, 0xff, b"\xcc", ">B"), (0, 0xffff, b"\xcd", ">H"),
            (0, 0xffffffff, b"\xce", ">I"), (0, 2**64 - 1, b"\xcf", ">Q"),
            (-2**7, -1, b"\xd0", ">b"), (-2**15, -1, b"\xd1", ">h"),
            (-2**31, -1, b"\xd2", ">i"), (-2**63, -1, b"\xd3", ">q")):
        if low <= value <= high:
            return head + struct.pack(form, value)
    raise OverflowError(value)


def pack_size(size, fix, fix_max, heads):
    """The head of something with a length or a count."""
    if size <= fix_max:
        return bytes([fix | size])
    if size <= 0xff and heads[0]:
        return heads[0:1] + bytes([size])
    if size <= 0xffff:
        return heads[1:2] + struct.pack(">H", size)
    return heads[2:3] + struct.pack(">I", size)


class Part(Exception):
    """More bytes are needed."""


class Reader:
    """Unpacks values from bytes as they arrive."""

    def __init__(self):
        self.held = b""
        self.at = 0

    def feed(self, data):
        self.held += data

    def next(self):
        """The next value; Part when it is not whole yet."""
        self.at = 0
        value = self.value()
        self.held = self.held[self.at:]
        return value

    def take(self, size):
        if len(self.held) - self.at < size:
            raise Part
        self.at += size
        return self.held[self.at - size:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self):
        head = self.take(1)[0]
        if head <= 0x7f:
            return head
        if head >= 0xe0:
            return head - 0x100
        if head <= 0x8f:
            return self.pairs(head & 0x0f)
        if head <= 0x9f:
            return self.items(head & 0x0f)
        if head <= 0xbf:
            return self.take(head & 0x1f).decode()
        return self.READ[head](self)

    def items(self, count):
        return [self.value() for _ in range(count)]

    def pairs(self, count):
        return {self.value(): self.value() for _ in range(count)}

    READ = {
        0xc0: lambda r: None, 0xc2: lambda r: False, 0xc3: lambda r: True,
        0xc4: lambda r: r.take(r.number(">B")),
        0xc5: lambda r: r.take(r.number(">H")),
        0xc6: lambda r: r.take(r.number(">I")),
        0xca: lambda r: r.number(">f"), 0xcb: lambda r: r.number(">d"),
        0xcc: lambda r: r.number(">B"), 0xcd: lambda r: r.number(">H"),
        0xce: lambda r: r.number(">I"), 0xcf: lambda r: r.number(">Q"),
        0xd0: lambda r: r.number(">b"), 0xd1: lambda r: r.number(">h"),
        0xd2: lambda r: r.number(">i"), 0xd3: lambda r: r.number(">q"),
        0xd9: lambda r: r.take(r.number(">B")).decode(),
        0xda: lambda r: r.take(r.number(">H")).decode(),
        0xdb: lambda r: r.take(r.number(">I")).decode(),
        0xdc: lambda r: r.items(r.number(">H")),
        0xdd: lambda r: r.items(r.number(">I")),
        0xde: lambda r: r.pairs(r.number(">H")),
        0xdf: lambda r: r.pairs(r.number(">I")),
    }


class Closed(Exception):
    """The broker ended the connection."""


class Refused(Exception):
    """An ERROR message: its code, field and text."""

    def __init__(self, seq, code, field, text):
        super().__init__("%s: %s (%s), seq %s" % (code, text, field, seq))
        self.seq, self.code, self.field, self.text = seq, code, field, text


def cursor_text(cursor):
    return "%d-%d" % (cursor >> 20, cursor & 0xfffff)


def cursor_number(text):
    ms, seq = text.split("-")
    return int(ms) << 20 | int(seq)


class Publisher:
    """One connection to the publisher socket."""

    def __init__(self, path, name="test", hello=True, timeout=20):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.reader = Reader()
        self.timeout = timeout
        self.seq = 0
        self.welcome = None
        if hello:
            try:
                self.greet(name)
            except BaseException:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def greet(self, name):
        try:
            self.send([HELLO, 1, name])
        except ConnectionError:
            pass  # refused before a word; its reason may be there to read
        self.welcome = self.receive()
        if self.welcome[0] == ERROR:
            raise Refused(*self.welcome[1:5])
        assert self.welcome[0] == WELCOME, self.welcome
        self.seq = self.welcome[2]

    def close(self):
        self.socket.close()

    def send_bytes(self, data):
        self.socket.sendall(data)

    def send(self, message):
        self.send_bytes(pack(message))

    def receive(self):
        """The next message; Closed at the end of the stream."""
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                return self.reader.next()
            except Part:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError("no message from the broker")
            try:
                data = self.socket.recv(65536)
            except ConnectionError as error:
                raise Closed from error
            if not data:
                raise Closed
            self.reader.feed(data)

    def offer(self, channel, data, kind=None, key=None, flags=0):
        """Sends an event without waiting; its number."""
        self.seq += 1
        self.send([PUBLISH, self.seq, channel, kind, key, data, flags])
        return self.seq

    def offer_many(self, rows):
        """Sends (channel, data) rows, or with kind and key behind, in one
        write; the last number."""
        out = []
        for channel, data, *named in rows:
            self.seq += 1
            kind, key = (named + [None, None])[:2]
            out.append(pack([PUBLISH, self.seq, channel, kind, key, data]))
        self.send_bytes(b"".join(out))
        return self.seq

    def ack(self):
        """The next ACK: (seq, cursor, duplicate)."""
        message = self.receive()
        if message[0] == ERROR:
            raise Refused(*message[1:5])
        assert message[0] == ACK, message
        return tuple(message[1:4])

    def publish(self, channel, data, kind=None, key=None, flags=0):
        """Sends an event and waits for its ack; its cursor."""
        seq = self.offer(channel, data, kind, key, flags)
        acked, cursor, _ = self.ack()
        assert acked == seq, (acked, seq)
        return cursor

    def publish_many(self, rows, window=2000):
        """Publishes rows, as offer_many() takes them, in windows; their
        cursors."""
        rows = list(rows)
        cursors = []
        for start in range(0, len(rows), window):
            part = rows[start:start + window]
            self.offer_many(part)
            cursors += [self.ack()[1] for _ in part]
        return cursors

    def bye(self):
        self.send([BYE])
        try:
            message = self.receive()
        except Closed:
            return
        raise AssertionError("after BYE came %r" % (message,))
