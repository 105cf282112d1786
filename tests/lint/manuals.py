#!/usr/bin/env python3
"""Manuals: what is installed has its page, and the pages have no lint.

Programs have a page; every public function stands in ssemux_pub(3). Settings
and refusals have rules of their own beside this one.
"""
import os
import re
import subprocess

import tree

PAGES = {
    "broker/main.c": ["man/ssemuxd.8", "man/ssemuxd.conf.5",
                      "man/ssemux-http.7", "man/ssemux-protocol.7"],
    "publisher-cli/ssemux-pub.c": ["man/ssemux-pub.1"],
    "publisher-cli/ssemuxctl.c": ["man/ssemuxctl.1"],
    "libpub/include/ssemux/pub.h": ["man/ssemux_pub.3"],
}


def check_pages(complaints):
    for source, pages in PAGES.items():
        for page in pages:
            if os.path.isfile(source) and not os.path.isfile(page):
                complaints.add(source, 1, "%s is missing" % page)


def check_syntax(complaints):
    for page in [path for path in tree.files()
                 if re.match(r"man/.*\.[1-8]$", path)]:
        out = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page],
                             capture_output=True, text=True)
        for row in out.stdout.splitlines():
            match = re.match(r"mandoc: (.*?):(\d+):\d+: (.*)", row)
            if match:
                complaints.add(match.group(1), int(match.group(2)),
                               match.group(3))


def words_of(page):
    """The page as text, so that a name is found however it is marked up."""
    out = subprocess.run(["mandoc", "-T", "ascii", page], capture_output=True,
                         text=True).stdout
    return re.sub(r".\x08", "", out)


def check_names(complaints, source, pattern, page, what):
    """Every name that the pattern finds in the source stands in the page."""
    if not (os.path.isfile(source) and os.path.isfile(page)):
        return
    text, words = tree.text_of(source), words_of(page)
    for match in re.finditer(pattern, text, re.M):
        name = match.group(1)
        if not re.search(r"(?<![\w-])" + re.escape(name) + r"(?![\w-])",
                         words):
            complaints.add(source, text.count("\n", 0, match.start(1)) + 1,
                           "%s %s is not in %s" % (what, name, page))


def main():
    complaints = tree.Complaints()
    check_pages(complaints)
    check_syntax(complaints)
    check_names(complaints, "libpub/pub.map", r"^\s+(ssemux_pub_\w+);",
                "man/ssemux_pub.3", "function")
    complaints.finish()


if __name__ == "__main__":
    main()
