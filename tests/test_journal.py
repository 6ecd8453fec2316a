# SPDX-License-Identifier: Apache-2.0
"""The log's entries in systemd's journal: fields, and which message is which. The journal is a
socket of the test's own, put in its place in a mount namespace."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest

import daemon

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
IDS = dict(re.findall(r'X\((\w+), +"([0-9a-f]{32})"',
                      (ROOT / "server/messages.h").read_text(encoding="utf-8")))
PLACE = ('mount -t tmpfs none /run && mkdir -p /run/systemd/journal && '
         'mount --bind "$0" /run/systemd/journal && exec "$@"')


class Journal(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        self.data = daemon.generate(self.folder / "data")
        self.apart = ["unshare", "--mount", "--map-root-user", "sh", "-c", PLACE, self.folder]
        tried = subprocess.run([*self.apart, "true"], capture_output=True, text=True) \
            if shutil.which("unshare") else None
        if tried is None or tried.returncode != 0:
            self.skipTest("no mount namespace can be made here: "
                          + (tried.stderr.strip() if tried else "there is no unshare"))
        self.socket = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.socket.bind(str(self.folder / "socket"))
        self.socket.settimeout(60)

    def start(self, *options):
        self.pipe, end = os.pipe()
        self.addCleanup(os.close, self.pipe)
        state = os.fstat(end)
        process = subprocess.Popen(
            [*self.apart, daemon.DAEMON, "--data", self.data, "--listen", "127.0.0.1:0", *options],
            stderr=end, env={**os.environ, "JOURNAL_STREAM": f"{state.st_dev}:{state.st_ino}"})
        os.close(end)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def hear(self, message):
        """The next entry that is this message."""
        while True:
            text = self.socket.recv(1 << 16).decode()
            fields = dict(line.split("=", 1) for line in text.splitlines())
            self.assertEqual(fields["SYSLOG_IDENTIFIER"], "twonmnistd")
            if fields.get("MESSAGE_ID") == IDS[message]:
                return fields

    def test_of_a_life_from_start_to_stop(self):
        process = self.start("--watch-interval-s", "1")
        loaded = self.hear("LOADED")
        self.assertIn(loaded["SPLIT"], loaded["MESSAGE"])
        self.assertRegex(loaded["REVISION"], "^[0-9a-f]{64}$")
        self.assertEqual(loaded["PRIORITY"], "6")
        self.assertRegex(loaded["CODE_FILE"], r"(^|/)server/reload\.c$")
        self.assertRegex(loaded["CODE_LINE"], r"^\d+$")
        self.assertEqual(loaded["CODE_FUNC"], "reload_log_splits")
        started = self.hear("STARTED")
        self.assertEqual(started["MESSAGE"], "listening on " + started["ADDRESS"])
        (self.data / "broken.safetensors").write_bytes(b"nonsense")
        self.hear("RELOADED")
        self.assertEqual(self.hear("PASSED_OVER")["SPLIT"], "broken")
        os.truncate(self.data / "train.safetensors", 1000)
        damaged = self.hear("DAMAGED")
        self.assertEqual((damaged["SPLIT"], damaged["PRIORITY"]), ("train", "3"))
        self.data.rename(self.folder / "away")
        self.assertIn("No such file", self.hear("NOT_RELOADED")["MESSAGE"])
        process.send_signal(signal.SIGTERM)
        self.hear("STOPPING")
        self.hear("STOPPED")
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertEqual(os.read(self.pipe, 1), b"", "nothing went to standard error")

    def test_of_requests_where_the_access_log_goes_there(self):
        self.start("--access-log", "journal")
        address = self.hear("STARTED")["ADDRESS"]
        with socket.create_connection(("127.0.0.1", int(address.rsplit(":", 1)[1]))) as client:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while client.recv(4096):
                pass
        self.assertIn('"path":"/healthz"', self.hear("ACCESS")["MESSAGE"])

    def test_without_a_journal_lines_go_to_standard_error(self):
        self.socket.close()
        process = self.start("--threads", "x")
        process.wait(timeout=60)
        self.assertRegex(os.read(self.pipe, 4096).decode(), "^<3>threads ")

    def test_no_two_messages_have_one_name(self):
        self.assertGreater(len(IDS), 5)
        self.assertEqual(len(set(IDS.values())), len(IDS))


if __name__ == "__main__":
    unittest.main()
