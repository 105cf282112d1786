#!/usr/bin/env python3
"""bench: figures of one broker on this machine, printed, never asserted.

Prints a table and, last, one line of JSON. `make bench` runs it.
"""
import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../scenario"))

IDLE = 5000


def cpu_s(pids):
    """Processor time that these processes have used, from the scheduler."""
    total = 0
    for pid in pids:
        with open("/proc/%d/schedstat" % pid) as file:
            total += int(file.read().split()[0])
    return total / 1e9


class Bench:
    def __init__(self, build, size):
        self.load = os.path.join(build, "load")
        self.size = size
        self.figures = {}

    def broker(self, **settings):
        from broker import Broker
        return Broker(dict({"history.max_events": "10000000"}, **settings))

    def note(self, name, value, unit):
        self.figures[name] = value
        print("%-46s %12s %s" % (name.replace("_", " "),
                                 "{:,}".format(value), unit), flush=True)

    def with_broker(self, measure, **settings):
        broker = self.broker(**settings)
        try:
            measure(broker.start())
            if broker.stop() != 0:
                raise SystemExit("the broker did not end with 0")
        finally:
            broker.cleanup()

    def accept(self, name, how, publishers, events, **settings):
        def measure(broker):
            before = cpu_s([broker.hub()])
            seconds = float(subprocess.run(
                [self.load, "accept", broker.socket, how, str(publishers),
                 str(events), str(self.size)], check=True,
                capture_output=True, text=True).stdout)
            used = cpu_s([broker.hub()]) - before
            self.note(name + "_per_s", round(events / seconds), "events/s")
            self.note(name + "_hub_cpu", round(used / events * 1e6, 2),
                      "us/event")
        self.with_broker(measure, **settings)

    def start_load(self, *arguments):
        process = subprocess.Popen(
            [self.load] + [str(each) for each in arguments], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if process.stdout.readline() != "ready\n":
            raise SystemExit("the load generator did not start")
        return process

    def deliver(self, name, how, subscribers, events):
        def measure(broker):
            process = self.start_load("deliver", broker.socket, how,
                                      broker.port, subscribers, events,
                                      self.size)
            pids = [broker.hub()] + broker.workers()
            before = cpu_s(pids), cpu_s(pids[1:])
            process.stdin.write("\n")
            process.stdin.flush()
            row = process.stdout.readline().split()
            used = cpu_s(pids) - before[0], cpu_s(pids[1:]) - before[1]
            process.communicate()
            count, seconds = int(row[0]), float(row[1])
            self.note(name + "_per_s", round(count / seconds),
                      "events/s to %d subscribers" % subscribers)
            self.note(name + "_cpu", round(used[0] / count * 1e6, 3),
                      "us/delivery (hub and workers)")
            self.note(name + "_worker_cpu", round(used[1] / count * 1e6, 3),
                      "us/delivery (workers)")
            for fault, value in zip(("missing", "doubled", "out_of_order"),
                                    row[2:]):
                self.note(name + "_" + fault, int(value), "events")
        self.with_broker(measure)

    def idle(self, subscribers):
        from broker import pss_kib

        def measure(broker):
            workers = broker.workers()
            before = sum(map(pss_kib, workers))
            process = self.start_load("idle", broker.port, subscribers)
            after = sum(map(pss_kib, workers))
            process.communicate()
            self.note("idle_subscriber_memory", round(
                (after - before) * 1024 / subscribers),
                "bytes each, PSS of the workers, %d subscribers" % subscribers)
        self.with_broker(measure)


    def stalled(self, subscribers, events):
        """Streams that never read, while very much is published."""
        from broker import own_kib, worker_bound_kib

        def measure(broker):
            worker = broker.workers()[0]
            before = own_kib(worker)
            process = self.start_load("storm", broker.port, subscribers,
                                      "channels=bench", -events)
            opened = own_kib(worker)
            subprocess.run([self.load, "accept", broker.socket, "loop", "1",
                            str(events), str(self.size)], check=True,
                           capture_output=True)
            with broker.stream("bench", since="-1s", timeout=600) as stream:
                stream.start()
            self.note("stalled_worker_memory", own_kib(worker),
                      "KiB, with %d streams that do not read, after %d events"
                      % (subscribers, events))
            self.note("stalled_worker_memory_bound", worker_bound_kib(
                16 << 20, 65536, subscribers + 1), "KiB, see ssemuxd(8)")
            self.note("stalled_worker_memory_before", before, "KiB")
            self.note("stalled_subscriber_memory", round(
                (opened - before) * 1024 / subscribers), "bytes each")
            process.kill()
            process.wait()
        self.with_broker(measure, **{"broker.workers": "1",
                                     "http.send_buffer": "16k"})

    def subscribe(self, broker, channels):
        """A stream on so many channels of its own."""
        import sse_client

        stream = broker.stream("other:%d" % channels)
        name = stream.control("connected")["stream"]
        stream.control("live")
        for start in range(0, channels - 1, 1000):
            data = json.dumps({"subscribe": [
                "other:%d:%d" % (channels, each) for each in range(
                    start, min(start + 1000, channels - 1))]}).encode()
            answer, out = sse_client.fetch(
                broker.port, "", raw=sse_client.request_bytes(
                    broker.port, "/stream/" + name,
                    (("Content-Length", str(len(data))),
                     ("Connection", "close")), "POST") + data)
            if answer.status != 200:
                raise SystemExit(out)
        return stream

    def among(self, channels, subscribers, events):
        """Publishing to one channel, while there are others."""
        def measure(broker):
            others = [self.subscribe(broker, min(4000, channels - at))
                      for at in range(1, channels, 4000)]
            process = self.start_load("idle", broker.port, subscribers)
            pids = broker.workers() + [broker.hub()]
            costs = []
            with broker.stream("hot", timeout=600) as stream:
                stream.start()
                for _ in range(5):
                    before = [cpu_s([pid]) for pid in pids]
                    broker.pub("-l", "hot", data="x\n" * events)
                    stream.tagged(events)
                    costs.append([cpu_s([pid]) - old
                                  for pid, old in zip(pids, before)])
            process.communicate()
            for stream in others:
                stream.close()
            for which, each in zip(("worker", "hub"), zip(*costs)):
                self.note("among_%d_channels_%d_streams_%s_cpu" % (
                    channels, subscribers, which),
                    round(statistics.median(each) / events * 1e9),
                    "ns/event")
        self.with_broker(measure, **{"broker.workers": "1",
                                     "http.max_channels": "4096"})


def machine():
    model = platform.processor()
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "processors": os.cpu_count(),
            "kernel": platform.release()}


def raise_descriptors(wanted):
    """So many may be open; the programs that are started inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--size", type=int, default=128,
                        help="bytes of data of each event")
    parser.add_argument("--scale", type=float, default=1.0,
                        help="of the number of events")
    options = parser.parse_args()
    os.environ["SSEMUX_BUILD"] = os.path.abspath(options.build)
    raise_descriptors(11000)
    bench = Bench(options.build, options.size)

    def count(events):
        return max(1000, int(events * options.scale))
    print("events of %d bytes; %s" % (options.size, machine()))
    bench.accept("accepted_1_blocking", "send", 1, count(20000))
    bench.accept("accepted_1_blocking_fsync", "send", 1, count(2000),
                 **{"history.durability": "fsync"})
    bench.accept("accepted_1_pipelined", "loop", 1, count(400000))
    bench.accept("accepted_8_pipelined", "loop", 8, count(400000))
    # Each event when all have the one before, a write of its own; and as
    # fast as it goes, when a write carries what has come meanwhile.
    bench.deliver("delivered_singly", "each", 1000, count(2000))
    bench.deliver("delivered_in_bulk", "loop", 1000, count(20000))
    bench.idle(IDLE)
    bench.stalled(IDLE, count(1000000))
    # What an event costs whose channel is one of many.
    for channels, subscribers in ((1, 1), (1000, 1), (100000, 1), (1, 10000)):
        bench.among(channels, subscribers, count(10000))
    print(json.dumps(dict(bench.figures, bytes=options.size, **machine())))


if __name__ == "__main__":
    main()
