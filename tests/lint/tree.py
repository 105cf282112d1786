"""tree: what every house rule needs: the files, their code, how to complain."""
import os
import re
import subprocess
import sys

C_ROOMS = ("broker/", "libpub/", "protocol/", "publisher-cli/")


def files():
    """Every file that is or would be in a commit."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard"], check=True,
            capture_output=True, text=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        listed = [os.path.join(folder, name)[2:]
                  for folder, _, names in os.walk(".") for name in names
                  if not folder.startswith(("./build", "./.git"))]
    return sorted(path for path in set(listed) if os.path.isfile(path))


def c_files(rooms=C_ROOMS):
    """Sources and headers of these rooms."""
    return [path for path in files()
            if path.startswith(rooms) and path.endswith((".c", ".h"))]


def js_files():
    """Sources, types and tests of the JavaScript client, and of examples."""
    return [path for path in files()
            if path.endswith((".js", ".jsx", ".ts"))]


def text_of(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


TOKEN = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'
                   r"'(?:\\.|[^'\\\n])*'", re.S)


def code_of(text):
    """The text of a C file with comments blanked out, its lines kept."""
    def blank(match):
        found = match.group(0)
        if found.startswith(("//", "/*")):
            return re.sub(r"[^\n]", " ", found)
        return found
    return TOKEN.sub(blank, text)


def bare_code_of(text):
    """The same with what stands in quotes blanked out, too."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return TOKEN.sub(blank, text)


class Complaints:
    """What a rule found; the exit status of its program."""

    def __init__(self):
        self.count = 0

    def add(self, path, line, what):
        print("%s:%d: %s" % (path, line, what))
        self.count += 1

    def each(self, path, text, pattern, what):
        """One complaint for each place where the pattern matches."""
        for match in re.finditer(pattern, text, re.M):
            self.add(path, text.count("\n", 0, match.start()) + 1,
                     what % {"found": match.group(0).strip()})

    def finish(self):
        sys.exit(1 if self.count else 0)
