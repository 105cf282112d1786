#!/usr/bin/env python3
"""catchup: what it costs when all subscribers return at once, so many events
behind, beside a bare server that writes the same bytes, in one run, in turn.

	python3 tests/bench/catchup.py [--peers] [--rounds N] [--subscribers N]
"""
import contextlib
import re

import servers
from report import run
from rounds import Crowd, Failed, Figures
import msgpack_wire

BEHIND = (100, 1000)
BYTES = 200


def fill(server, events):
    """So many events, with nobody there."""
    crowd = Crowd(server, 0)
    crowd.do("burst %d" % events)
    crowd.kill()


def broker(events):
    server = servers.Ssemux()
    server.start()
    with server.broker.publisher("marker") as publisher:
        cursor = publisher.publish("marker", "before all")
    server.query = "&since=" + msgpack_wire.cursor_text(cursor)
    fill(server, events)
    return server


def floor(events):
    return servers.Floor(history=(events, BYTES)).start()


def nchan(events):
    server = servers.Nchan(first="oldest").start()
    fill(server, events)
    return server


def node(events):
    server = servers.Node(query="&since=0").start()
    fill(server, events)
    return server


def store_reads(server):
    out = server.broker.get("/metrics")[1].decode()
    return int(re.search(r"^ssemux_store_reads_total (\d+)$", out,
                         re.M).group(1))


class Catchup:
    def __init__(self, subscribers):
        self.subscribers = subscribers
        self.figures = Figures()

    def storm(self, server, events):
        crowd = Crowd(server, self.subscribers, "-b", events, "-p", 2,
                      "-s", BYTES)
        ready = crowd.ready
        what = "%d behind" % events
        self.figures.add(what + " us", server.name,
                         crowd.cpu_ns / self.subscribers / 1e3)
        self.figures.add(what + " ns", server.name,
                         crowd.cpu_ns / self.subscribers / events)
        self.figures.add(what + " s", server.name, ready["seconds"])
        self.figures.add("faults", server.name, ready["faults"])
        crowd.close()

    def run(self, events, rounds, peers):
        makers = [floor, broker] + peers
        with contextlib.ExitStack() as stack:
            found = []
            for make in makers:
                server = make(events)
                stack.callback(server.stop)
                found.append(server)
            reads = store_reads(found[1])
            for _ in range(rounds):
                for server in list(found):
                    try:
                        self.storm(server, events)
                    except Failed as failure:
                        if server in found[:2]:
                            raise
                        print("left out: %s" % failure, flush=True)
                        found.remove(server)
            self.figures.add("store reads", "ssemux",
                             store_reads(found[1]) - reads)
        return [server.name for server in found]


def measure(options, targets):
    targets.about(6)
    catchup = Catchup(options.subscribers)
    figures, tables = catchup.figures, []
    makers = {servers.Nchan: nchan, servers.Node: node}
    peers = [makers[peer] for peer in servers.installed_peers()] \
        if options.peers else []
    for events in BEHIND:
        # Peers take a minute for more than some.
        names = catchup.run(events, options.rounds,
                            peers if events <= 100 else [])
        what = "%d behind" % events
        targets.at_most(
            "catch-up, %d behind: CPU per subscriber / bare" % events,
            figures.ratio(what + " us", "ssemux", "floor"), 2)
        tables.append((
            ["{:,} return, {:,} events behind".format(
                options.subscribers, events)] + names + ["ssemux/floor"],
            [[text] + [figures.median(what + unit, name) for name in names] +
             [figures.ratio(what + unit, "ssemux", "floor")]
             for unit, text in ((" us", "us CPU per subscriber"),
                                (" ns", "ns CPU per event"),
                                (" s", "seconds until all have all"))]))
    targets.at_most("catch-up: reads of the store",
                    max(figures.rows["store reads", "ssemux"]), 0)
    targets.at_most("catch-up: missing, doubled, out of order",
                    max(figures.rows["faults", "ssemux"]), 0)
    return figures.as_dict(), tables


if __name__ == "__main__":
    run(__doc__, measure, peers=False, rounds=3, subscribers=10000)
