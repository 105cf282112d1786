"""sse_client: a strict reader of event streams, independent of the broker.

Parser follows the WHATWG standard, section "Server-sent events"; Body undoes
the chunked coding, gzip and zstd; Stream is one connection that a test waits on;
Crowd holds thousands at once.
"""
import collections
import hashlib
import json
import os
import re
import select
import selectors
import socket
import time
import zlib

import zstd

# Every stream is asked for with this coding.
CODING = os.environ.get("SSEMUX_CODING")


def takes(coding):
    return ("Accept-Encoding", coding)


DECODERS = {"gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
            "zstd": zstd.Decompressor}

Event = collections.namedtuple("Event", "name data id retry raw")
Event.__doc__ = """One dispatched event.

name: "message" when the block had no event field. data: None when the block
had no data field. id: the block's own id field, None without one. raw: the
bytes of the block, comments before it left out.
"""


class Malformed(Exception):
    """The broker sent something that the standards do not allow."""


class Parser:
    """Bytes of an event stream to events."""

    LINE = re.compile(rb"([^\r\n]*)(\r\n|\n|\r)")

    def __init__(self):
        self.held = b""
        self.begun = False
        self.comments = []
        self.reset()

    def reset(self):
        self.data, self.name, self.id, self.retry = [], None, None, None
        self.raw = b""

    def feed(self, data):
        """The events that these bytes complete."""
        self.held += data
        if not self.begun:
            if len(self.held) < 3 and b"\xef\xbb\xbf".startswith(self.held):
                return []
            if self.held.startswith(b"\xef\xbb\xbf"):
                self.held = self.held[3:]
            self.begun = True
        events, at = [], 0
        while True:
            match = self.LINE.match(self.held, at)
            if match is None:
                break
            if match.group(2) == b"\r" and match.end() == len(self.held):
                break  # perhaps the first half of CRLF
            at = match.end()
            event = self.line(match.group(1), match.group(0))
            if event is not None:
                events.append(event)
        self.held = self.held[at:]
        return events

    def line(self, line, raw):
        if line.startswith(b":"):
            self.comments.append(line[1:])
            return None
        self.raw += raw
        if not line:
            return self.dispatch()
        name, _, value = line.partition(b":")
        if value.startswith(b" "):
            value = value[1:]
        value = value.decode("utf-8", "surrogateescape")
        if name == b"data":
            self.data.append(value)
        elif name == b"event":
            self.name = value
        elif name == b"id":
            if "\0" not in value:
                self.id = value
        elif name == b"retry":
            if value.isdigit():
                self.retry = int(value)
        else:
            raise Malformed("field %r" % name)
        return None

    def dispatch(self):
        event = Event(self.name or "message",
                      "\n".join(self.data) if self.data else None,
                      self.id, self.retry, self.raw)
        self.reset()
        return event


class Body:
    """Bytes of a response to the bytes of its body."""

    def __init__(self):
        self.held = b""
        self.status = None
        self.headers = {}
        self.chunked = False
        self.left = 0       # of the current chunk, with its CRLF
        self.ended = False  # the final chunk, or all of Content-Length
        self.length = None
        self.decoder = None

    def feed(self, data):
        """The bytes of the body that these bring."""
        data = self.undo(data)
        return data if self.decoder is None else self.decoder.decompress(data)

    def undo(self, data):
        if self.status is None:
            self.held += data
            end = self.held.find(b"\r\n\r\n")
            if end < 0:
                return b""
            self.head(self.held[:end].decode("latin-1"))
            data, self.held = self.held[end + 4:], b""
        if self.chunked:
            return self.unchunk(data)
        if self.length is not None:
            data = data[:self.length]
            self.length -= len(data)
            self.ended = self.length == 0
        return data

    def head(self, head):
        lines = head.split("\r\n")
        match = re.fullmatch(r"HTTP/1\.1 (\d{3}) [ -~]*", lines[0])
        if match is None:
            raise Malformed("status line %r" % lines[0])
        self.status = int(match.group(1))
        for line in lines[1:]:
            match = re.fullmatch(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+): *(.*?) *",
                                 line)
            if match is None:
                raise Malformed("header %r" % line)
            name = match.group(1).lower()
            self.headers[name] = (self.headers[name] + ", " if name in
                                  self.headers else "") + match.group(2)
        self.chunked = self.headers.get("transfer-encoding") == "chunked"
        if "content-encoding" in self.headers:
            if self.headers["content-encoding"] not in DECODERS:
                raise Malformed("coding %r" % self.headers)
            self.decoder = DECODERS[self.headers["content-encoding"]]()
        if "content-length" in self.headers:
            self.length = int(self.headers["content-length"])
            self.ended = self.length == 0

    def unchunk(self, data):
        self.held += data
        out, at = [], 0
        while not self.ended:
            end = self.held.find(b"\r\n", at)
            if end < 0:
                break
            try:
                size = int(self.held[at:end], 16)
            except ValueError:
                raise Malformed("chunk size %r" % self.held[at:end]) from None
            after = end + 2 + size
            if len(self.held) < after + 2:
                break
            if self.held[after:after + 2] != b"\r\n":
                raise Malformed("chunk without its end")
            out.append(self.held[end + 2:after])
            at = after + 2
            self.ended = size == 0
        self.held = self.held[at:]
        return b"".join(out)


def request_bytes(port, target, headers=(), method="GET", version="1.1"):
    if CODING and ("Accept", "text/event-stream") in headers:
        headers = list(headers) + [takes(CODING)]
    rows = ["%s %s HTTP/%s" % (method, target, version),
            "Host: 127.0.0.1:%d" % port]
    rows += ["%s: %s" % row for row in headers]
    return ("\r\n".join(rows) + "\r\n\r\n").encode("latin-1")


def fetch(port, target, headers=(), method="GET", timeout=20, raw=None):
    """One request and its whole answer: a Body, and the bytes of the body."""
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(raw or request_bytes(
            port, target, tuple(headers) + (("Connection", "close"),), method))
        body, out = Body(), b""
        deadline = time.monotonic() + timeout
        while not body.ended:
            if time.monotonic() > deadline:
                raise TimeoutError("the answer to %s has no end" % target)
            data = connection.recv(65536)
            if not data:
                break
            out += body.feed(data)
        return body, out


def post(port, target, data, headers=()):
    """A POST of these bytes and its answer, as fetch() has it."""
    rows = tuple(headers) + (("Content-Length", str(len(data))),
                             ("Connection", "close"))
    return fetch(port, target,
                 raw=request_bytes(port, target, rows, "POST") + data)


def post_json(port, target, value, headers=(), patience=20):
    """The status and the JSON of the answer to a POST of JSON. Who is told
    "later", for a worker that has just begun cannot be asked, asks again."""
    deadline = time.monotonic() + patience
    while True:
        answer, out = post(port, target, json.dumps(value).encode(), tuple(
            headers) + (("Content-Type", "application/json"),))
        said = json.loads(out)
        if (answer.status, said.get("code")) != (503, "later") or \
                time.monotonic() > deadline:
            return answer.status, said


def fetch_json(port, target, headers=()):
    body, out = fetch(port, target, headers)
    assert body.status == 200, (body.status, out)
    return json.loads(out)


class Ended(Exception):
    """The stream is over: "clean" with the final chunk, else "cut"."""


class Stream:
    """One event stream; the test pulls events out of it. target: path and
    query, in place of /stream with channels and since."""

    def __init__(self, port, channels="*", since=None, last_id=None, query="",
                 headers=(), timeout=20, receive_buffer=None, target=None,
                 version="1.1"):
        self.timeout = timeout
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                                   receive_buffer)
        self.socket.connect(("127.0.0.1", port))
        self.address = self.socket.getsockname()
        if target is None:
            target = "/stream?channels=" + channels
            if since is not None:
                target += "&since=" + since
        rows = [("Accept", "text/event-stream")] + list(headers)
        if last_id is not None:
            rows.append(("Last-Event-ID", last_id))
        self.socket.sendall(request_bytes(port, target + query, rows,
                                          version=version))
        self.body = Body()
        self.parser = Parser()
        self.waiting = collections.deque()
        self.last_id = last_id
        self.ended = None
        self.received = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def fill(self, seconds, most=1 << 18):
        """Reads once, so many bytes at most, waiting so long at most; False
        when nothing came."""
        if self.ended or not select.select([self.socket], [], [], seconds)[0]:
            return False
        try:
            data = self.socket.recv(most)
        except ConnectionError:
            data = b""
        self.received += len(data)
        if data:
            self.waiting.extend(self.parser.feed(self.body.feed(data)))
            if self.body.ended:
                self.ended = "clean"
        else:
            self.ended = "cut"
        return True

    def opened(self):
        """Waits for the head of the answer; its status."""
        self.wait(lambda: self.body.status is not None)
        return self.body.status

    def wait(self, condition):
        deadline = time.monotonic() + self.timeout
        while not condition():
            if self.ended:
                raise Ended(self.ended)
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the stream stays silent")
            self.fill(left)

    def next(self):
        """The next event of any kind."""
        self.wait(lambda: self.waiting)
        event = self.waiting.popleft()
        if event.id is not None:
            self.last_id = event.id
        return event

    def control(self, name):
        """The next event, which must be this control event; its JSON."""
        event = self.next()
        assert event.name == name, "waited for %s, got %r" % (name, event)
        assert event.id is None, event
        return json.loads(event.data)

    def start(self):
        """Passes connected, and everything up to live; (connected, events)."""
        connected = self.control("connected")
        events = []
        while True:
            event = self.next()
            if event.name == "live":
                return connected, events
            events.append(event)

    def events(self, count):
        """So many published events; anything else is an error."""
        out = []
        while len(out) < count:
            event = self.next()
            assert event.id is not None, event
            out.append(event)
        return out

    def tagged(self, count):
        """So many events of the tagged format, their JSON read."""
        out = []
        for event in self.events(count):
            assert event.name == "message", event
            out.append(json.loads(event.data))
        return out

    def rest(self):
        """Everything up to the end of the stream."""
        out = []
        while True:
            try:
                out.append(self.next())
            except Ended:
                return out

    def quiet(self, seconds):
        """True when no event comes for so long."""
        deadline = time.monotonic() + seconds
        while not self.waiting and not self.ended:
            left = deadline - time.monotonic()
            if left <= 0:
                return True
            self.fill(left)
        return False


class Member:
    """One of a crowd: counts its events and keeps a digest of their bytes."""

    def __init__(self, crowd, target, last_id=None, headers=()):
        self.crowd = crowd
        self.target = target
        self.headers = list(headers)
        self.last_id = last_id
        self.cursors = []
        self.digest = hashlib.sha256()
        self.controls = []
        self.drops = 0
        self.ended = False
        self.paused = False
        self.open()

    def open(self):
        """Connects, from the last event on when there was one."""
        self.held = b""
        self.body = Body()
        self.ended = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        try:
            self.socket.connect(("127.0.0.1", self.crowd.port))
        except BlockingIOError:
            pass
        headers = [("Accept", "text/event-stream")] + self.headers
        if self.last_id is not None:
            headers.append(("Last-Event-ID", self.last_id))
        self.request = request_bytes(self.crowd.port, self.target, headers)
        self.crowd.selector.register(
            self.socket, selectors.EVENT_WRITE, self)

    def close(self):
        if not self.paused:
            self.crowd.selector.unregister(self.socket)
        self.paused = False
        self.socket.close()

    def reopen(self):
        self.close()
        self.open()

    def pause(self):
        """Stops reading, and stays connected."""
        self.crowd.selector.unregister(self.socket)
        self.paused = True

    def go_on(self):
        self.crowd.selector.register(self.socket, selectors.EVENT_READ, self)
        self.paused = False

    def ready(self, mask):
        if mask & selectors.EVENT_WRITE:
            self.socket.sendall(self.request)
            self.crowd.selector.modify(self.socket, selectors.EVENT_READ, self)
            return
        try:
            data = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except ConnectionError:
            data = b""
        if not data:
            self.drop()
            return
        self.take(self.body.feed(data))
        if self.body.ended:
            self.drop()

    def drop(self):
        self.drops += 1
        self.ended = True
        self.crowd.selector.unregister(self.socket)
        self.paused = True

    def take(self, data):
        blocks = (self.held + data).split(b"\n\n")
        self.held = blocks.pop()
        for block in blocks:
            while block.startswith(b":"):
                block = block.partition(b"\n")[2]
            if block.startswith(b"id: "):
                self.last_id = block[4:block.index(b"\n")].decode()
                self.cursors.append(self.last_id)
                self.digest.update(block + b"\n\n")
            else:
                self.controls.append(block)

    @property
    def live(self):
        return any(block.startswith(b"event: live")
                   for block in self.controls)


class Crowd:
    """Many streams, read by one loop that the test turns."""

    def __init__(self, port):
        self.port = port
        self.selector = selectors.DefaultSelector()
        self.members = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for member in self.members:
            member.close()
        self.selector.close()

    def add(self, channels="*", query="", last_id=None, headers=()):
        member = Member(self, "/stream?channels=" + channels + query, last_id,
                        headers)
        self.members.append(member)
        return member

    def turn(self, seconds=0.0):
        for key, mask in self.selector.select(seconds):
            key.data.ready(mask)

    def until(self, condition, seconds=60):
        """Reads until the condition holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError("the crowd waited %d s" % seconds)
            self.turn(0.1)
