#!/usr/bin/env python3
"""Tracked: no file names a path of one machine or the address of a registry."""
import re

import tree

RULES = [
    (r"(?<![\w.])/(wo" r"rk|ro" r"ot)/|(?<![\w.])/home/\w+",
     "%(found)s: a path of one machine"),
    (r'"resol' r'ved"\s*:\s*"(?!\.)', "a lock file without addresses, please: npm "
     "config set omit-lockfile-registry-resolved true"),
    (r"registry\.npmjs|deb\.debian\.org|archive\.ubuntu\.com|pypi\.org",
     "%(found)s: package sources are the machine's business"),
]


def main():
    complaints = tree.Complaints()
    for path in tree.files():
        if path == "tests/lint/tracked.py" or "/corpus/" in path:
            continue
        text = tree.text_of(path)
        for pattern, what in RULES:
            complaints.each(path, text, pattern, what)
        if re.search(r"[ \t]+$", text, re.M) and path.endswith(
                (".c", ".h", ".js", ".ts", ".py", ".sh", ".html",
                 "Makefile")):
            complaints.each(path, text, r"[ \t]+$", "white space at the end")
    complaints.finish()


if __name__ == "__main__":
    main()
