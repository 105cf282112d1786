"""chromium: a headless browser, spoken to over a pipe.

Chromium's DevTools protocol, JSON messages that end with NUL, on descriptors 3
(to it) and 4 (from it). Nothing but the browser itself is needed.
"""
import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

from broker import die_with_test

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
    "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--disable-default-apps", "--disable-extensions", "--no-proxy-server",
    "--window-size=1000,700", "--remote-debugging-pipe", "about:blank",
]


class Browser:
    """One browser with a profile of its own, and its pages."""

    def __init__(self, timeout=60):
        self.timeout = timeout
        self.profile = tempfile.mkdtemp(prefix="ssemux-chromium-")
        hears, self.to = os.pipe()
        self.from_, says = os.pipe()
        self.log = open(os.path.join(self.profile, "log"), "wb")
        self.process = subprocess.Popen(
            ["/bin/bash", "-c",
             'exec "$@" 3<&%d 4>&%d' % (hears, says), "bash",
             shutil.which("chromium") or "chromium",
             "--user-data-dir=" + self.profile] + FLAGS,
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            pass_fds=[hears, says], preexec_fn=die_with_test,
            start_new_session=True)
        os.close(hears)
        os.close(says)
        self.held = b""
        self.number = 0
        self.session = None
        self.tab()

    def tab(self):
        """Opens another page, which is the one that is driven from now on."""
        self.session = None
        target = self.ask("Target.createTarget",
                          url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target,
                                flatten=True)["sessionId"]
        self.ask("Page.enable")
        # Else open() may take the end of this for the end of the next.
        while self.run("document.readyState") != "complete":
            pass
        return target, self.session

    def turn_to(self, tab):
        """Drives this page from now on."""
        self.session = tab[1]

    def close_tab(self, tab):
        """Closes the page, as a person does; another one must be driven."""
        self.session = None
        self.ask("Target.closeTarget", targetId=tab[0])

    def close(self):
        # All of its processes: they would write into the profile again.
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self.to)
        os.close(self.from_)
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def ask(self, method, **parameters):
        """Sends a command; its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.hear()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError("%s: %s" % (method, answer["error"]))
                return answer["result"]

    def hear(self):
        """The next message."""
        deadline = time.monotonic() + self.timeout
        while b"\0" not in self.held:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.from_], [], [], left)[0]:
                raise TimeoutError("the browser says nothing")
            data = os.read(self.from_, 1 << 20)
            if not data:
                with open(self.log.name, errors="replace") as log:
                    raise RuntimeError("the browser has ended:\n" +
                                       log.read()[-2000:])
            self.held += data
        message, _, self.held = self.held.partition(b"\0")
        return json.loads(message)

    def open(self, url):
        """Goes to the page and waits until it stands."""
        failed = self.ask("Page.navigate", url=url).get("errorText")
        if failed:
            raise RuntimeError("%s: %s" % (url, failed))
        while self.hear().get("method") != "Page.domContentEventFired":
            pass

    def run(self, script):
        """Evaluates an expression, awaits it when it is a promise."""
        answer = self.ask("Runtime.evaluate", expression=script,
                          awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def screenshot(self, path):
        data = self.ask("Page.captureScreenshot", format="png")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
