#!/usr/bin/env python3
"""Length: functions of 60 lines and files of 400 at most; -s prints figures."""
import re
import subprocess
import sys

import tree

FUNCTION_MAX, FILE_MAX = 60, 400


def functions():
    """(lines, path, line, name) of each function."""
    paths = [path for path in tree.c_files() if path.endswith(".c")]
    if not paths:
        return []
    out = subprocess.run(
        ["ctags", "--fields=+ne", "--kinds-C=f", "-o", "-"] + paths,
        check=True, capture_output=True, text=True).stdout
    found = []
    for row in out.splitlines():
        line = re.search(r"\tline:(\d+)", row)
        end = re.search(r"\tend:(\d+)", row)
        if not row.startswith("!") and line and end:
            name, path = row.split("\t")[:2]
            # The line of the type above the name counts, too.
            found.append((int(end.group(1)) - int(line.group(1)) + 2, path,
                          int(line.group(1)), name))
    return found


def main():
    complaints = tree.Complaints()
    found = functions()
    for lines, path, line, name in found:
        if lines > FUNCTION_MAX:
            complaints.add(path, line, "%s has %d lines: past %d it is two "
                           "functions" % (name, lines, FUNCTION_MAX))
    for path in tree.c_files() + tree.js_files():
        lines = tree.text_of(path).count("\n")
        if lines > FILE_MAX:
            complaints.add(path, lines, "%d lines: past %d it is two rooms" % (
                lines, FILE_MAX))
    if "-s" in sys.argv and found:
        lengths = sorted(row[0] for row in found)
        print("%d functions: median %d lines, 90 %% within %d, longest %d" % (
            len(lengths), lengths[len(lengths) // 2],
            lengths[len(lengths) * 9 // 10], lengths[-1]))
    complaints.finish()


if __name__ == "__main__":
    main()
