#!/usr/bin/env python3
"""stalled: memory of a worker whose streams never read, while very much is
published, and the bound that ssemuxd(8) says.

	python3 tests/bench/stalled.py [--events N] [--subscribers N]
"""
import subprocess

from report import run
from rounds import Figures
from servers import Broker, Failed, output_of, program
from broker import die_with_test, own_kib, worker_bound_kib

BYTES = 128


def hold(broker, subscribers, events, figures):
    """Opens the streams, publishes, and looks at the worker."""
    load = program("load")
    worker = broker.workers()[0]
    before = own_kib(worker)
    process = subprocess.Popen(
        [load, "storm", str(broker.port), str(subscribers), "channels=bench",
         str(-events)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True, preexec_fn=die_with_test)
    try:
        if process.stdout.readline() != "ready\n":
            raise Failed("the load generator did not start")
        opened = own_kib(worker)
        output_of(load, "accept", broker.socket, "loop", 1, events, BYTES,
                  seconds=300)
        # The worker has seen all of it.
        with broker.stream("bench", since="-1s", timeout=300) as stream:
            stream.start()
        figures.add("KiB", "with all of it", own_kib(worker))
    finally:
        process.kill()
        process.wait()
    figures.add("KiB", "before", before)
    figures.add("KiB", "bound", worker_bound_kib(16 << 20, 65536,
                                                 subscribers + 1))
    figures.add("bytes", "each stream",
                (opened - before) * 1024 / subscribers)


def measure(options, targets):
    targets.about(3)
    figures = Figures()
    broker = Broker({"broker.workers": "1", "http.send_buffer": "16k",
                     "history.max_events": "10000000"})
    try:
        hold(broker.start(), options.subscribers, options.events, figures)
        broker.stop()
    finally:
        broker.cleanup()
    used = figures.median("KiB", "with all of it")
    bound = figures.median("KiB", "bound")
    targets.at_most("streams that never read: memory of a worker / its bound",
                    used / bound, 1)
    rows = [["a worker, before, KiB", figures.median("KiB", "before")],
            ["each stream, before anything is published, bytes",
             figures.median("bytes", "each stream")],
            ["the worker, after all of it, KiB", used],
            ["the bound, see ssemuxd(8), KiB", bound]]
    return figures.as_dict(), [(["{:,} streams that never read, {:,} events"
                                 .format(options.subscribers, options.events),
                                 "ssemux"], rows)]


if __name__ == "__main__":
    run(__doc__, measure, subscribers=5000, events=1000000)
