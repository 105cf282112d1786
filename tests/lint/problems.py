#!/usr/bin/env python3
"""Problems: each code of problem.def is documented, and met by a scenario.

The table of ssemux-http(7) has the code, status and sentence of every row and
no others; and every code stands, in quotes, in a tests/scenario/*_test.py.
"""
import glob
import re

import tree

ROWS = "broker/worker/http/problem.def"
PAGE = "man/ssemux-http.7"


def in_code():
    """{(code, status, sentence): line}"""
    code = tree.code_of(tree.text_of(ROWS))
    rows = {}
    for match in re.finditer(r'^PROBLEM\(\w+,\s*(\d+),\s*"([^"]*)",'
                             r'\s*((?:"[^"]*"\s*)+)\)', code, re.M):
        sentence = "".join(re.findall(r'"([^"]*)"', match.group(3)))
        rows[match.group(2), match.group(1), sentence] = code.count(
            "\n", 0, match.start()) + 1
    return rows


def in_page():
    """The same of each ".It Li code Ta status Ta sentence"."""
    text = tree.text_of(PAGE)
    rows = {}
    for match in re.finditer(r"^\.It Li (\S+) Ta (\d{3}) Ta (.+)$", text,
                             re.M):
        rows[match.groups()] = text.count("\n", 0, match.start()) + 1
    return rows


def main():
    complaints = tree.Complaints()
    code, page = in_code(), in_page()
    tests = "".join(tree.text_of(path) for path in
                    glob.glob("tests/scenario/*_test.py"))
    if not code:
        complaints.add(ROWS, 1, "no rows were found")
    for row, line in code.items():
        if row not in page:
            complaints.add(ROWS, line, "%s misses: .It Li %s Ta %s Ta %s" % (
                (PAGE,) + row))
        if '"%s"' % row[0] not in tests:
            complaints.add(ROWS, line, "no scenario names \"%s\"" % row[0])
    for row, line in page.items():
        if row not in code:
            complaints.add(PAGE, line, "not in %s: %s %s %s" % (
                (ROWS,) + row))
    complaints.finish()


if __name__ == "__main__":
    main()
