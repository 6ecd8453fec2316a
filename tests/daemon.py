# SPDX-License-Identifier: Apache-2.0
"""Splits for tests, and a real daemon that serves them on a free port until the test ends."""
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request

BUILD = pathlib.Path(os.environ.get("TWONMNIST_BUILD", "build"))
SHARED = pathlib.Path(os.environ.get("TWONMNIST_SHARED", "../shared"))
GENERATE = BUILD / "twonmnist-generate"
DAEMON = BUILD / "twonmnistd"
COMMAND_LINE = BUILD / "tests/twonmnist"


def generate(out, *options, source=None):
    """Write splits into the folder `out`: of the real recordings, or of synthetic ones."""
    real = SHARED / "nmnist-small"
    words = list(map(str, options))
    if source is None and not real.exists():
        source, words = "synthetic", ["--count", "300,60", "--seed", "5", *words]
    subprocess.run([GENERATE, "splits", "--from", source or real, "--out", out, "--allow-partial",
                    *words], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return pathlib.Path(out)


def set_header(path, change):
    """Let `change` change the header of a split's file, as parsed; its place in the file stays."""
    with open(path, "r+b") as file:
        n = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(n))
        change(header)
        text = json.dumps(header, ensure_ascii=False).encode().ljust(n)
        assert len(text) == n, "there is no room for it"
        file.seek(8)
        file.write(text)


def set_metadata(path, **values):
    """Change what a split's file says of itself."""
    set_header(path, lambda header: header["__metadata__"].update(values))


def wait_until(condition):
    """Ask until the answer is true, and return it; a minute at most."""
    deadline = time.monotonic() + 60
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise AssertionError("waited for a minute")
        time.sleep(0.01)
    return answer


def need_shared():
    """Skip, saying so, where the real recordings are not."""
    if not (SHARED / "golden").is_dir():
        raise unittest.SkipTest(f"the real recordings are not at {SHARED}")


class Answer:
    """Status, headers and body of an HTTP answer."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Daemon:
    """`with Daemon(folder) as daemon:` serves the folder; `daemon.get("/v1/splits")` asks it.
    `before`: words that start it, as "sh -c ..." does."""

    def __init__(self, data, *options, environment=None, listen="127.0.0.1:0", before=()):
        self.command = [*before, DAEMON, "--data", data, "--listen", listen, *map(str, options)]
        self.environment = {**os.environ, **(environment or {})}
        self.log = []

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stderr=subprocess.PIPE, text=True,
                                        env=self.environment)
        self.wait_for("listening on")
        self.port = int(self.log[-1].rsplit(":", 1)[1])
        self.url = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *unused):
        self.stop()

    def wait_until_verified(self):
        """Until all data was held against its checksums: the list of splits says how far that is."""
        wait_until(lambda: all(split["scrub"]["verified"]
                               for split in self.get("/v1/splits").json()["splits"]))
        return self

    def wait_for(self, words):
        """Read the log until a line has these words."""
        for line in self.process.stderr:
            self.log.append(line.rstrip("\n"))
            if words in line:
                return self.log[-1]
        raise AssertionError("the daemon ended: " + " / ".join(self.log))

    def stop(self, how=signal.SIGTERM):
        """Ask it to end, and return its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        if not self.process.stderr.closed:
            self.log += self.process.stderr.read().splitlines()
            self.process.stderr.close()
        return self.process.wait(timeout=60)

    def get(self, path, method="GET", body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.url + path, data=body, method=method,
                                         headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as answer:
            with answer:
                return Answer(answer.code, answer.headers, answer.read())


def temporary_folder():
    return tempfile.TemporaryDirectory(prefix="twonmnist-test-")
