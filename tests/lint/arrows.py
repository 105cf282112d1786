#!/usr/bin/env python3
"""Arrows point down: who may include whom, and which file may see what library.

main -> supervisor -> { hub | worker } -> shared -> protocol
publisher-cli -> libpub (its public header only) -> protocol

Within the worker:  answers -> stream -> access -> cursor, and http and courier
below all of them; the worker's own files stand beside its rooms.
"""
import os
import re

import tree

# A room sees itself and these.
MAY_SEE = {
    "main": {"supervisor", "shared", "protocol"},
    "supervisor": {"supervisor", "hub", "worker", "shared", "protocol"},
    "hub": {"hub", "shared", "protocol"},
    "worker": {"worker", "shared", "protocol"},
    "shared": {"shared", "protocol"},
    "protocol": {"protocol"},
    "libpub": {"libpub", "ssemux/pub.h", "protocol"},
    "publisher-cli": {"publisher-cli", "ssemux/pub.h"},
    "example": {"ssemux/pub.h"},
}

# A room of the worker sees itself and these of its rooms; "" is the worker's own
# files: worker, connection, subscriber and what binds the rooms together.
WORKER_MAY_SEE = {
    "": {"", "answers", "stream", "access", "cursor", "courier", "http"},
    "answers": {"", "stream", "access", "cursor", "courier", "http"},
    "stream": {"", "access", "cursor", "courier", "http"},
    "access": {"", "cursor", "http"},
    "cursor": {""},
    "courier": {""},
    "http": set(),
}

# Files that own a descriptor or a timer, and so may see the event loop.
LOOPS = {
    "broker/hub/hub.c", "broker/hub/hub_state.h", "broker/hub/publisher.c",
    "broker/hub/commit.c", "broker/hub/peers.c",
    "broker/hub/publisher_state.h",
    "broker/worker/worker.c", "broker/worker/worker_state.c",
    "broker/worker/worker_state.h",
    "broker/worker/cursor/hold.c", "broker/worker/cursor/hold.h",
    "broker/worker/access/lifetime.c", "broker/worker/access/permit.h",
    "broker/worker/accept.c", "broker/worker/connection.c",
    "broker/worker/drain.c",
    "broker/worker/connection.h", "broker/worker/courier/courier.c",
    "broker/worker/courier/courier_asks.c", "broker/worker/courier/courier_state.h",
}


def named(*names):
    """Files whose name begins with one of these words."""
    return lambda path: os.path.basename(path).startswith(names)


# Library headers and the words of their names; who may use them.
LIBRARIES = [
    ("msgpack", r"<msgpack", r"\bmsgpack_\w+",
     lambda path: path.startswith("protocol/message")),
    ("SQLite", r"<sqlite3", r"\bsqlite3_?\w*", named("store")),
    ("libev", r"<ev\.h", r"\bev_(io|timer|signal|child|async|run|loop)\w*",
     lambda path: path in LOOPS),
    ("atomics", r"<stdatomic", r"\batomic_\w+|\b_Atomic\b",
     named("ring", "board", "bell", "metrics", "vault",
           "census", "uring")),
    ("io_uring", r"<linux/io_uring", r"\b(io_uring|IORING)_\w+",
     named("uring", "sandbox")),
    ("seccomp and landlock", r"<(seccomp|linux/(seccomp|landlock))",
     r"\bseccomp_\w+", named("sandbox")),
    ("OpenSSL", r"<openssl/", r"\bEVP_\w+", named("auth", "tls", "digest")),
    ("zlib", r"<zlib", r"\bz_stream\b|\b(de|in)flate[A-Z]\w*",
     named("gzip")),
    ("ISA-L", r"<isa-l", r"\bisal_\w+", named("gzip_quick")),
    ("libzstd", r"<zstd", r"\bZSTD_(compress|decompress|[CD]Ctx|create|free|"
     r"isError)\w*", lambda path: os.path.basename(path) in (
         "zstd.c", "zstd_check.c")),
    ("jansson", r"<jansson", r"\bjson_(t|loads|loadb|dumps)\b",
     named("auth", "json_line", "report", "change", "summary", "trace")),
]


def room_of(path):
    parts = path.split("/")
    if path.startswith("broker/"):
        return parts[1] if len(parts) > 2 else "main"
    if path.startswith("libpub/example"):
        return "example"
    return parts[0]


def seen_by(include):
    """The room that an include line reaches into; None: not ours."""
    if include.startswith("<"):
        name = include.strip("<>")
        return "ssemux/pub.h" if name.startswith("ssemux/") else None
    name = include.strip('"')
    parts = name.split("/")
    if name.startswith("broker/") and len(parts) > 2:
        return parts[1]
    return parts[0] if len(parts) > 1 else "(no folder: %s)" % name


def worker_room(path):
    """The room within the worker that a file is in; None: not in the worker."""
    parts = path.split("/")
    if parts[:2] != ["broker", "worker"]:
        return None
    return parts[2] if len(parts) > 3 else ""


def check_worker_arrow(path, included, line, complaints):
    room, seen = worker_room(path), worker_room(included.strip('"'))
    if room is None or seen is None or seen == room:
        return
    if seen not in WORKER_MAY_SEE.get(room, set()):
        complaints.add(
            path, line, "in the worker, %s may not include %s: see "
            "WORKER_MAY_SEE in tests/lint/arrows.py" %
            (room or "its own file", included))


def check_arrows(path, code, complaints):
    room = room_of(path)
    for match in re.finditer(r'^\s*#\s*include\s+(<[^>]+>|"[^"]+")', code,
                             re.M):
        seen = seen_by(match.group(1))
        line = code.count("\n", 0, match.start(1)) + 1
        check_worker_arrow(path, match.group(1), line, complaints)
        if seen is not None and seen not in MAY_SEE.get(room, set()):
            complaints.add(
                path, line,
                "%s may not include %s (of %s): move what is needed down, "
                "or pass it as an argument" % (room, match.group(1), seen))


def check_libraries(path, text, complaints):
    code, bare = tree.code_of(text), tree.bare_code_of(text)
    for library, header, words, allowed in LIBRARIES:
        if allowed(path):
            continue
        complaints.each(path, code, r"^\s*#\s*include\s+" + header + r"[^\n]*",
                        "%(found)s: " + library + " belongs to other files; "
                        "see LIBRARIES in tests/lint/arrows.py")
        complaints.each(path, bare, words, "%(found)s: " + library +
                        " belongs to other files")


def main():
    complaints = tree.Complaints()
    for path in tree.c_files():
        text = tree.text_of(path)
        check_arrows(path, tree.code_of(text), complaints)
        check_libraries(path, text, complaints)
    complaints.finish()


if __name__ == "__main__":
    main()
