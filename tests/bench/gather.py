#!/usr/bin/env python3
"""gather: what writing events by themselves costs a worker, and what it costs
to gather or conflate them.

Streams of one channel, or each of a channel of its own, while events of 8 keys
are published steadily; prints CPU of the worker, writes and events written.
"""
import argparse
import os
import re
import selectors
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../scenario"))
from report import begin  # noqa: E402
from servers import cpu_ns  # noqa: E402
from broker import Broker  # noqa: E402
from sse_client import request_bytes  # noqa: E402


class Readers:
    """Streams that read and look at nothing."""

    def __init__(self, port, targets):
        self.selector = selectors.DefaultSelector()
        self.room = bytearray(1 << 18)
        for target in targets:
            sock = socket.create_connection(("127.0.0.1", port))
            sock.sendall(request_bytes(port, target))
            sock.setblocking(False)
            self.selector.register(sock, selectors.EVENT_READ)

    def read(self, seconds):
        for key, _ in self.selector.select(max(seconds, 0)):
            key.fileobj.recv_into(self.room)

    def close(self):
        for key in list(self.selector.get_map().values()):
            key.fileobj.close()


def metric(broker, name):
    return int(re.search(rb"^ssemux_%s (\d+)$" % name.encode(),
                         broker.get("/metrics")[1], re.M).group(1))


def measure(query, arguments):
    broker = Broker({"broker.workers": "1"}).start()
    names = ["c:%d" % (n if arguments.own else 0)
             for n in range(arguments.streams)]
    readers = Readers(broker.port, [
        "/stream?channels=%s%s" % (name, query) for name in names])
    while metric(broker, "streams") < arguments.streams:
        readers.read(0.1)
    for _ in range(20):
        readers.read(0.05)
    worker, publisher = broker.workers()[0], broker.publisher()
    before = (cpu_ns([worker]) / 1e9, metric(broker, "writes_total"),
              metric(broker, "deliveries_total"))
    begin, sent = time.monotonic(), 0
    while sent < arguments.rate * arguments.seconds:
        due = int((time.monotonic() - begin) * arguments.rate)
        for _ in range(min(due - sent, 200)):
            publisher.offer(names[sent * 7 % len(names)], "x" * 100, None,
                            "k%d" % (sent % 8))
            sent += 1
            publisher.ack()
        readers.read(0.002)
    elapsed = time.monotonic() - begin
    used = cpu_ns([worker]) / 1e9 - before[0]
    print("%-14s %8.0f writes/s %8.0f events/s written, CPU of the worker "
          "%5.1f %%, %7.1f us per event published" % (
              query or "plain",
              (metric(broker, "writes_total") - before[1]) / elapsed,
              (metric(broker, "deliveries_total") - before[2]) / elapsed,
              100 * used / elapsed, 1e6 * used / sent), flush=True)
    publisher.close()
    readers.close()
    broker.stop()
    broker.cleanup()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--own", action="store_true",
                        help="each stream has a channel of its own")
    arguments = parser.parse_args()
    begin(30, arguments.streams)
    for query in ("", "&window=50", "&conflate=50", "&conflate=500"):
        measure(query, arguments)


if __name__ == "__main__":
    main()
