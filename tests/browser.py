# SPDX-License-Identifier: Apache-2.0
"""A real browser, driven by the DevTools protocol over its WebSocket; nothing but Python's own library.

    with Browser() as browser:
        page = browser.page(width=390, dark=True)
        page.go(url)
        page.wait("document.querySelector('h1')")
"""
import base64
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE_S = 60


def program():
    """Where the browser is; skips, saying so, where there is none."""
    found = os.environ.get("TWONMNIST_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise unittest.SkipTest("there is no Chromium (Debian: apt install chromium)")
    return found


class Socket:
    """A WebSocket of messages of text (RFC 6455), as far as a browser on this machine needs it."""

    def __init__(self, host, port, path):
        self.socket = socket.create_connection((host, port), timeout=PATIENCE_S)
        self.left = b""
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\n"
                             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
                             "Sec-WebSocket-Version: 13\r\n\r\n").encode())
        while b"\r\n\r\n" not in self.left:
            self.left += self.socket.recv(4096)
        head, _, self.left = self.left.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise ConnectionError(head.decode())

    def close(self):
        self.socket.close()

    def send(self, text):
        data = text.encode()
        size = len(data)
        head = bytes([0x81]) + (bytes([0x80 | size]) if size < 126 else
                                bytes([0xfe]) + size.to_bytes(2, "big") if size < 65536 else
                                bytes([0xff]) + size.to_bytes(8, "big"))
        self.socket.sendall(head + bytes(4) + data)  # masked with zeros

    def _take(self, n):
        while len(self.left) < n:
            more = self.socket.recv(1 << 20)
            if not more:
                raise ConnectionError("the browser has gone")
            self.left += more
        taken, self.left = self.left[:n], self.left[n:]
        return taken

    def receive(self):
        text = b""
        while True:
            first, size = self._take(2)
            size &= 127
            if size > 125:
                size = int.from_bytes(self._take(2 if size == 126 else 8), "big")
            data = self._take(size)
            if first & 15 in (0, 1):
                text += data
                if first & 128:
                    return text.decode()


class Page:
    """A tab. What it did wrong stands in `faults`: errors of scripts, of the console, of requests;
    whom it asked, in `requests`."""

    def __init__(self, browser, target, session):
        self.browser, self.target, self.session = browser, target, session
        self.faults, self.requests = [], []

    def call(self, method, **arguments):
        return self.browser.call(method, arguments, self.session)

    def take(self, method, event):
        """Keep what an event tells that is not to happen."""
        if method == "Runtime.exceptionThrown":
            details = event["exceptionDetails"]
            self.faults.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and event["type"] in ("error", "warning"):
            self.faults.append(" ".join(str(a.get("value", a.get("description"))) for a in event["args"]))
        elif method == "Log.entryAdded" and event["entry"]["level"] in ("error", "warning"):
            self.faults.append(event["entry"]["text"] + " " + event["entry"].get("url", ""))
        elif method == "Network.requestWillBeSent":
            self.requests.append(event["request"]["url"])

    def run(self, script):
        """The value of a JavaScript expression, awaited."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']['exception'].get('description')}")
        return answer["result"].get("value")

    def wait(self, script):
        """Until the expression is true."""
        deadline = time.monotonic() + PATIENCE_S
        while not self.run(f"Boolean({script})"):
            if time.monotonic() > deadline:
                raise AssertionError(f"waited in vain for {script}; faults: {self.faults}; "
                                     + str(self.run("document.body.innerText"))[:600])
            time.sleep(0.02)

    def wait_moved(self, script):
        """Until the page itself, not the address bar alone, has gone to a `hash` of which this is true, and
        shows all that is there."""
        self.wait(f"window.movedTo && (({{movedTo: hash}}) => {script})(window)"
                  " && !document.querySelector('.quiet') && !document.querySelector('[aria-busy]')")

    def go(self, url):
        """Open a URL, anew also where only what is behind its '#' differs, and wait until it is shown."""
        self.call("Page.navigate", url="about:blank")
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && !document.querySelector('.quiet')"
                  " && !document.querySelector('[aria-busy]') && document.querySelector('h1') !== null")

    def look(self, width=1280, height=900, dark=False, still=True):
        """How large it is, and what the person likes; `still`: less motion."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"}])

    def close(self):
        self.browser.call("Target.closeTarget", {"targetId": self.target})
        del self.browser.pages[self.session]

    def key(self, key, modifiers=0):
        """Press a key as a person does; modifiers: 8 is Shift."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else None)
        codes = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
                 "ArrowDown": 40, "Home": 36, "End": 35, "Escape": 27}
        event = {"key": key, "modifiers": modifiers,
                 "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()) if len(key) == 1 else 0)}
        self.call("Input.dispatchKeyEvent", type="keyDown", **event, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def screenshot(self, path, whole=True):
        options = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            options = {"captureBeyondViewport": True,
                       "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}
        picture = self.call("Page.captureScreenshot", format="png", **options)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(picture))


class Browser:
    """Chromium without a window, in a profile of its own, until the `with` ends."""

    def __init__(self, *options):
        self.program, self.options = program(), options
        self.pages, self.last = {}, 0

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="twonmnist-browser-", ignore_cleanup_errors=True)
        own = ["--no-sandbox"] if os.getuid() == 0 else []  # its sandbox refuses root
        self.process = subprocess.Popen(
            [self.program, "--headless=new", "--remote-debugging-port=0", f"--user-data-dir={self.folder.name}",
             "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking", "--no-first-run",
             "--disable-component-update", "--disable-sync", "--force-color-profile=srgb", "--hide-scrollbars",
             *own, *self.options, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        port, path = self._wait_for_port()
        self.socket = Socket("127.0.0.1", port, path)
        return self

    def __exit__(self, *unused):
        try:
            self.call("Browser.close", {})
        except OSError:
            pass
        self.socket.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def _wait_for_port(self):
        told = pathlib.Path(self.folder.name) / "DevToolsActivePort"
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self.process.poll() is None:
            lines = told.read_text().split("\n") if told.exists() else []
            if len(lines) > 1:
                return int(lines[0]), lines[1]
            time.sleep(0.05)
        self.process.kill()
        raise unittest.SkipTest(f"{self.program} does not start here")

    def call(self, method, arguments, session=None):
        self.last += 1
        number = self.last
        self.socket.send(json.dumps({"id": number, "method": method, "params": arguments,
                                     **({"sessionId": session} if session else {})}))
        while True:
            message = json.loads(self.socket.receive())
            if message.get("id") == number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message["result"]
            if page := self.pages.get(message.get("sessionId")):
                page.take(message["method"], message["params"])

    def page(self, **look):
        """A new tab."""
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        page = self.pages[session] = Page(self, target, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.call("Page.addScriptToEvaluateOnNewDocument", source="addEventListener('hashchange', () => { window.movedTo = location.hash; })")
        page.look(**look)
        return page
