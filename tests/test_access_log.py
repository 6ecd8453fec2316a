# SPDX-License-Identifier: Apache-2.0
"""The access log: a line for each request, in whichever format and place; files that are renamed."""
import json
import pathlib
import re
import signal
import socket
import subprocess
import unittest

import daemon

COMMON = re.compile(r'(\S+) - (\S+) \[(\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "(.*)" '
                    r'(\d{3}|-) (\d+) (\d+\.\d{6}) (whole|aborted)')


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = daemon.generate(cls.enterClassContext(daemon.temporary_folder()))

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        self.path = self.folder / "access.log"

    def serving(self, *options):
        """With one loop, so that lines stand in the order of the requests."""
        return self.enterContext(daemon.Daemon(self.data, "--access-log", self.path, "--threads", 1,
                                               *options))

    def lines(self, n, path=None):
        """The lines, once there are so many."""
        path = path or self.path
        return daemon.wait_until(
            lambda: len(found := path.read_text().splitlines()) >= n and found)


class Lines(Case):
    def test_of_json_tell_what_was_asked_and_answered(self):
        server = self.serving()
        body = server.get("/v1/splits/train/samples/1.bin?order=time").body
        server.get("/nothing", method="HEAD")
        server.get("/v1/splits/train/batch.safetensors", "POST", b'{"indices": [1]}')
        found = [json.loads(line) for line in self.lines(3)]
        self.assertEqual([(line["method"], line["path"], line["status"]) for line in found],
                         [("GET", "/v1/splits/train/samples/1.bin?order=time", 200),
                          ("HEAD", "/nothing", 404),
                          ("POST", "/v1/splits/train/batch.safetensors", 200)])
        self.assertEqual([line["bytes"] for line in found[:2]], [len(body), 0])
        for line in found:
            self.assertEqual((line["address"], line["token"], line["aborted"]),
                             ("127.0.0.1", None, False))
            self.assertRegex(line["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
            self.assertGreater(line["duration_s"], 0)

    def test_of_the_common_format_are_read_by_what_reads_it(self):
        server = self.serving("--access-log-format", "common")
        body = server.get("/v1/splits/train/samples/1.bin").body
        line, = self.lines(1)
        address, token, _, request, status, size, _, end = COMMON.fullmatch(line).groups()
        self.assertEqual((address, token, request, status, int(size), end),
                         ("127.0.0.1", "-", "GET /v1/splits/train/samples/1.bin HTTP/1.1", "200",
                          len(body), "whole"))

    def test_cannot_be_forged(self):
        server = self.serving()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b'GET /"\\\x1b[2J\x80 HTTP/1.1\r\nHost: a\r\n\r\n')
            client.recv(1)
        text, = self.lines(1)
        self.assertTrue(text.isascii() and text.isprintable(), text)
        self.assertEqual(json.loads(text)["path"], '/"\\\x1b[2J\x80')

    def test_tell_of_answers_that_were_not_taken_whole(self):
        server = self.serving()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /v1/splits/train/batch.json?indices=0,1,2,3&as=frames HTTP/1.1\r\n"
                           b"Host: a\r\n\r\n")
            client.recv(1)
        line = json.loads(self.lines(1)[0])
        self.assertIs(line["aborted"], True)
        self.assertEqual(line["status"], 200)

    def test_go_to_standard_error(self):
        with daemon.Daemon(self.data, "--access-log", "stderr") as server:
            server.get("/healthz")
            self.assertEqual(json.loads(server.wait_for('{"time"'))["path"], "/healthz")

    def test_none_is_lost_at_the_stop(self):
        server = self.serving()
        for _ in range(50):
            server.get("/healthz")
        server.stop()
        self.assertEqual(len(self.path.read_text().splitlines()), 50)


class Renamed(Case):
    def test_no_line_is_lost_when_a_file_is_rotated(self):
        server = self.serving()
        n = 0
        for i in range(5):
            server.get("/healthz")
            n += 1
            self.path.rename(self.folder / f"access.log.{i}")
            server.process.send_signal(signal.SIGHUP)
            server.get("/readyz")
            n += 1
            daemon.wait_until(self.path.exists)
        server.stop()
        found = [line for path in self.folder.iterdir() for line in path.read_text().splitlines()]
        self.assertEqual(len(found), n)
        for line in found:
            json.loads(line)


class Wrong(Case):
    def test_settings_are_refused_before_anything_is_served(self):
        for options, words in [(("--access-log", "jounral"), "none of off, stderr, journal"),
                               (("--access-log-format", "xml"), "neither json nor common")]:
            for more in ([], ["--check-config"]):
                ended = subprocess.run([daemon.DAEMON, "--data", self.data, *options, *more],
                                       capture_output=True, text=True, timeout=60)
                self.assertNotEqual(ended.returncode, 0)
                self.assertIn(words, ended.stderr)

    def test_a_place_that_cannot_be_written_is_refused(self):
        ended = subprocess.run(
            [daemon.DAEMON, "--data", self.data, "--listen", "127.0.0.1:0", "--access-log",
             self.folder / "none" / "access.log"], capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stderr, "access_log: .*No such file")


if __name__ == "__main__":
    unittest.main()
