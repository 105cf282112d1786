#!/usr/bin/env python3
"""Turns the machine's package index into lines for `ssemux-pub -j`.

    ./packages.py | ssemux-pub -s SOCKET -j

Each package becomes one event: the channel is its section ("deb:main:libs",
"deb:contrib:games"), the key its name, the data its whole record.
"""
import json
import re
import subprocess
import sys

SECTION = re.compile(r"^Section: *(\S+)", re.M)
NAME = re.compile(r"^Package: *(\S+)", re.M)
TYPE = "package.available"


def index_text():
    """What apt knows; on a machine without lists, what is installed."""
    for command in (["apt-cache", "dumpavail"],
                    ["dpkg-query", "--print-avail"],
                    ["cat", "/var/lib/dpkg/status"]):
        try:
            out = subprocess.run(command, capture_output=True, check=False)
        except FileNotFoundError:
            continue
        text = out.stdout.decode("utf-8", "replace")
        if text.count("\n\n") > 100:
            return text
    raise SystemExit("packages: this machine has no package index")


def channel_of(section):
    """The channel of a section; outside of main it says its area."""
    area, _, name = section.rpartition("/")
    return re.sub(r"[^A-Za-z0-9_.:~@-]", "_", "deb:%s:%s" % (
        area or "main", name))[:200]


def events(text):
    """(channel, key, record) of each package, in the order of the index."""
    for record in text.split("\n\n"):
        name = NAME.search(record)
        if name is None:
            continue
        section = SECTION.search(record)
        yield (channel_of(section.group(1) if section else "unknown"),
               name.group(1), record.strip("\n"))


def line_of(event):
    channel, key, record = event
    return json.dumps({"channel": channel, "type": TYPE, "key": key,
                       "data": record}, ensure_ascii=False)


def main():
    out = open(sys.stdout.fileno(), "w", encoding="utf-8", closefd=False)
    for event in events(index_text()):
        out.write(line_of(event) + "\n")
    out.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:
        sys.exit(141)
