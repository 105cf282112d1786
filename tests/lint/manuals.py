#!/usr/bin/env python3
"""Manuals: every promise of the code has its line in a page, and back.

Programs have a page; pages have no lint; every setting of config.def stands in
ssemuxd.conf(5) and no other does; every refusal in ssemux-protocol(7); every
public function in ssemux_pub(3).
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


def check_settings_exist(complaints):
    page, rows = "man/ssemuxd.conf.5", "broker/shared/config.def"
    if not (os.path.isfile(page) and os.path.isfile(rows)):
        return
    known = set(re.findall(r"^SETTING\(\w+, (\w+)", tree.text_of(rows), re.M))
    text = tree.text_of(page)
    for match in re.finditer(r"^\.It (?:Ic|Cm|Va|Li) (\w+)(?= =|$| Ns)", text,
                             re.M):
        if match.group(1) not in known:
            complaints.add(page, text.count("\n", 0, match.start()) + 1,
                           "there is no setting %s" % match.group(1))


def main():
    complaints = tree.Complaints()
    check_pages(complaints)
    check_syntax(complaints)
    check_names(complaints, "broker/shared/config.def",
                r"^SETTING\(\w+, (\w+)", "man/ssemuxd.conf.5", "setting")
    check_names(complaints, "protocol/refusal.def",
                r'^REFUSAL\(\w+, "([\w-]+)"', "man/ssemux-protocol.7",
                "refusal")
    check_names(complaints, "libpub/include/ssemux/pub.h",
                r"^\s*\S.*?\b(ssemux_pub_\w+)\($", "man/ssemux_pub.3",
                "function")
    check_names(complaints, "libpub/pub.map", r"^\s+(ssemux_pub_\w+);",
                "man/ssemux_pub.3", "function")
    check_settings_exist(complaints)
    complaints.finish()


if __name__ == "__main__":
    main()
