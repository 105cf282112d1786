#!/usr/bin/env python3
"""Library: libssemux-pub shows its public functions alone, to C and to C++.

The names of pub.h, of pub.map, of the shared and of the static library are the
same; nothing else is visible, so that no name of a program can collide. The
header stands alone in C11 and in C++. Needs a build; without one, only the
sources are compared.
"""
import os
import re
import shutil
import subprocess
import tempfile

import tree

BUILD = os.environ.get("SSEMUX_BUILD", "build")
HEADER = "libpub/include/ssemux/pub.h"
MAP = "libpub/pub.map"
# A program that names every function and struct.
USE = """#include <ssemux/pub.h>
#include <ssemux/pub.h>
int main(void) { struct ssemux_pub_options options; struct ssemux_pub_event
event; struct ssemux_pub_result result; options.size = sizeof(options);
event.size = sizeof(event); result.outcome = SSEMUX_PUB_ACKED;
return (int)options.size + (int)event.size + (int)result.outcome; }
"""


def names_of(library, *options):
    """Symbols that the library defines for others."""
    out = subprocess.run(
        ["nm", "--defined-only", "--extern-only"] + list(options) + [library],
        check=True, capture_output=True, text=True).stdout
    return {row.split()[-1].split("@")[0] for row in out.splitlines()
            if re.match(r"[0-9a-f]+ [A-Z] ", row) and " A " not in row}


def compare(complaints, where, found, public):
    for name in sorted(public - found):
        complaints.add(where, 1, "%s is missing" % name)
    for name in sorted(found - public):
        complaints.add(where, 1, "%s is visible, but not in %s" % (
            name, HEADER))


def cplusplus():
    """A compiler of C++, or None."""
    for command in (["clang", "-x", "c++"], ["g++", "-x", "c++"]):
        if shutil.which(command[0]):
            return command
    return None


def check_header(complaints):
    warnings = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                "-Ilibpub/include"]
    for standard, command in (("-std=c11", ["cc"]),
                              ("-std=c++11", cplusplus())):
        if command is None:
            print("library: no C++ compiler here, %s is not tried" % standard)
            continue
        with tempfile.NamedTemporaryFile("w", suffix=".c") as file:
            file.write(USE)
            file.flush()
            done = subprocess.run(command + [standard] + warnings +
                                  [file.name], capture_output=True, text=True)
        if done.returncode != 0:
            complaints.add(HEADER, 1, "not %s: %s" % (
                standard, done.stderr.strip()))


def main():
    complaints = tree.Complaints()
    text = tree.code_of(tree.text_of(HEADER))
    public = set(re.findall(r"\b(ssemux_pub_\w+)\s*\(", text))
    public -= set(re.findall(r"\btypedef\b[^;]*?\b(ssemux_pub_\w+)\(", text))
    compare(complaints, MAP, set(re.findall(
        r"^\s+(ssemux_pub_\w+);", tree.text_of(MAP), re.M)), public)
    check_header(complaints)
    shared = os.path.join(BUILD, "libssemux-pub.so")
    static = os.path.join(BUILD, "libssemux-pub.a")
    if os.path.isfile(shared):
        compare(complaints, shared, names_of(shared, "-D"), public)
    if os.path.isfile(static):
        compare(complaints, static, names_of(static), public)
    complaints.finish()


if __name__ == "__main__":
    main()
