# SPDX-License-Identifier: Apache-2.0
"""Programs in a terminal that a test looks at, types into, and makes larger and smaller."""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

# Makes the terminal the session's, so that Ctrl-C is a signal, which whoever runs the tests may have
# ignored; and becomes the program.
TAKE = ("import fcntl, os, signal, sys, termios; fcntl.ioctl(1, termios.TIOCSCTTY, 0);"
        "[signal.signal(n, signal.SIG_DFL) for n in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)];"
        "os.execvp(sys.argv[1], sys.argv[1:])")
DEADLINE_S = 120  # no limit on speed: what has not ended by then never does
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """`with Terminal(words) as terminal:` runs a program in one, as its session's leader."""

    def __init__(self, words, columns=80, rows=24, stdin=None, pass_fds=(),
                 **environment):
        self.words, self.size = list(map(str, words)), (columns, rows)
        self.stdin, self.pass_fds = stdin, pass_fds
        kept = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "LC_ALL", "LANG")}
        self.environment = {**kept, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8", **environment}
        self.output = ""
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def __enter__(self):
        self.master, slave = pty.openpty()
        self.resize(*self.size)
        self.process = subprocess.Popen(
            [sys.executable, "-ISc", TAKE, *self.words],
            stdin=slave if self.stdin is None else self.stdin, stdout=slave, stderr=slave,
            env=self.environment, start_new_session=True, pass_fds=self.pass_fds)
        os.close(slave)
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=60)
        self.hang_up()

    def hang_up(self):
        if self.master is not None:
            os.close(self.master)
            self.master = None

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self):
        """(whether it echoes, whether lines are edited)"""
        flags = termios.tcgetattr(self.master)[3]
        return bool(flags & termios.ECHO), bool(flags & termios.ICANON)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def read_some(self, timeout_s):
        """False at the end of its output."""
        if not select.select([self.master], [], [], timeout_s)[0]:
            return True
        try:
            got = os.read(self.master, 1 << 16)
        except OSError:  # the last of its programs is gone
            got = b""
        self.output += self.decoder.decode(got)
        return bool(got)

    def wait_for(self, pattern, at=0, seen=str):
        """Read until the output from `at` on, as seen(), has a match, and return the match."""
        deadline = time.monotonic() + 60
        while True:
            found = re.search(pattern, seen(self.output[at:]), re.DOTALL)
            if found:
                return found
            if time.monotonic() > deadline or not self.read_some(1):
                raise AssertionError(f"no {pattern!r} in {self.output[-2000:]!r}")

    def wait(self):
        """Read to the end; returns the exit status, and all that it wrote."""
        deadline = time.monotonic() + DEADLINE_S
        while self.read_some(60):
            if time.monotonic() > deadline:
                raise AssertionError(f"it goes on and on: {self.output[-2000:]!r}")
        return self.process.wait(timeout=60), self.output


def plain(text):
    """What is seen of a text: no control sequences."""
    return CONTROL.sub("", text)


def frames(output):
    """The pictures of an animation, as lines of text without control sequences."""
    return [plain(frame).replace("\r", "").split("\n") for frame in output.split("\x1b[H")[1:]]
