#!/usr/bin/env python3
"""Smells: words, names and shapes that the house does not want."""
import os
import re

import tree

# In C code outside quotes and comments: what, and what to do instead.
CALLS = [
    (r"\b(atoi|atol|atoll|atof)\s*\(", "use strtol and read where it stopped"),
    (r"\b(strcpy|strcat|strncpy|strncat)\s*\(",
     "use memcpy with a known length, or buf"),
    (r"\bv?sprintf\s*\(", "use snprintf and read its result, or buf_printf"),
    (r"\bgets\s*\(|\bstrtok\s*\(|\balloca\s*\(", "unbounded or not reentrant"),
    (r"\btypedef\s+(struct|union)\b", "the struct is the noun: no typedef"),
    (r"\b(sleep|usleep|nanosleep)\s*\(", "wait for a condition, not for time"),
]

# The bytes of an event stream; only sse.c writes them.
FIELDS = r'"(?:[^"\n]*\\n)?(data|event|id|retry):[^"\n]*'

UNFINISHED = r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b"
VAGUE = re.compile(r"(^|/)(util|utils|common|misc|helpers?)\.(c|h|py|js)$")


def check_c(path, text, complaints):
    bare = tree.bare_code_of(text)
    for pattern, advice in CALLS:
        complaints.each(path, bare, pattern, "%(found)s: " + advice)
    if path.startswith("broker/") and path != "broker/shared/sse.c":
        complaints.each(path, tree.code_of(text), FIELDS,
                        "%(found)s: only sse.c writes a field of the stream")
    if not text.startswith("/*"):
        complaints.add(path, 1, "open the file with a short manual: what it "
                       "is, what it owns")
    if path.endswith(".h"):
        check_parameters(path, bare, complaints)


# Parameters that are a value and no mode.
VALUES = r"(?!duplicate\b)"


def check_parameters(path, bare, complaints):
    """A call with `true` in it says nothing to its reader."""
    for match in re.finditer(r"\b\w+\(([^(){}]*)\)\s*;", bare):
        if re.search(r"\bbool\s+(?!\*)" + VALUES + r"\w+", match.group(1)):
            complaints.add(path, bare.count("\n", 0, match.start()) + 1,
                           "a boolean parameter: use two functions or an enum")


def check_names(complaints):
    """Objects of one name would take each other's place in an archive."""
    places = {}
    for path in tree.c_files(("broker/",)):
        if path.endswith(".c"):
            first = places.setdefault(os.path.basename(path), path)
            if first != path:
                complaints.add(path, 1, "has the name of " + first)


def main():
    complaints = tree.Complaints()
    check_names(complaints)
    for path in tree.files():
        if VAGUE.search(path):
            complaints.add(path, 1, "name the file after what it holds")
        if path.endswith((".png", ".ico")) or "/corpus/" in path:
            continue
        text = tree.text_of(path)
        complaints.each(path, text, UNFINISHED,
                        "%(found)s: finish it, or say in prose what is missing")
        if path.endswith((".c", ".h")) and path.startswith(tree.C_ROOMS):
            check_c(path, text, complaints)
        if path.endswith((".js", ".jsx")) and not text.startswith("/*"):
            complaints.add(path, 1, "open the file with what it is")
    complaints.finish()


if __name__ == "__main__":
    main()
