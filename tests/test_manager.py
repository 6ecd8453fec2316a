# SPDX-License-Identifier: Apache-2.0
"""The daemon under a service manager: what it is told, signals at any moment, descriptors that run
short."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import unittest

import daemon

HEAVY = (b"GET /v1/splits/train/batch.json?indices=0,0,0,0,0,0&as=frames&bins=4096 HTTP/1.1\r\n"
         b"Host: a\r\n\r\n")


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        self.manager = self.enterContext(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
        self.manager.bind(str(self.folder / "notify"))
        self.manager.settimeout(60)
        self.environment = {"NOTIFY_SOCKET": str(self.folder / "notify")}

    @classmethod
    def setUpClass(cls):
        cls.data = daemon.generate(cls.enterClassContext(daemon.temporary_folder()))

    def copy_data(self):
        return pathlib.Path(shutil.copytree(self.data, self.folder / "data"))

    def hear(self):
        return self.manager.recv(4096).decode()

    def serving(self, data, *options, **more):
        return daemon.Daemon(data, *options, environment=self.environment, **more)


class Told(Case):
    def test_of_readiness_and_stopping(self):
        with self.serving(self.data) as server:
            self.assertEqual(self.hear(), f"READY=1\nSTATUS=serving 4 splits of {self.data}")
            self.assertEqual(server.stop(), 0)
            self.assertEqual(self.hear(), "STOPPING=1")

    def test_of_a_reload_from_its_start_to_its_end(self):
        data = self.copy_data()
        with self.serving(data, "--watch-interval-s", 0) as server:
            self.assertRegex(self.hear(), "^READY=1")
            server.process.send_signal(signal.SIGHUP)
            self.assertRegex(self.hear(), r"^RELOADING=1\nMONOTONIC_USEC=\d+$")
            self.assertEqual(self.hear(), f"READY=1\nSTATUS=serving 4 splits of {data}")

    def test_of_what_could_not_be_loaded(self):
        data = self.copy_data()
        with self.serving(data, "--watch-interval-s", 0) as server:
            self.hear()
            (data / "broken.safetensors").write_bytes(b"nonsense")
            server.process.send_signal(signal.SIGHUP)
            self.assertRegex(self.hear(), "^RELOADING=1")
            self.assertRegex(self.hear(), "^READY=1\nSTATUS=serving 4 splits of .*; "
                                          "1 passed over: .*broken.safetensors")
            data.rename(self.folder / "away")
            server.process.send_signal(signal.SIGHUP)
            self.assertRegex(self.hear(), "^RELOADING=1")
            self.assertRegex(self.hear(), "^READY=1\nSTATUS=serving 4 splits of .*; not reloaded: "
                                          ".*No such file")

    def test_that_it_lives_under_load_and_without_a_free_descriptor(self):
        self.environment["WATCHDOG_USEC"] = "300000"
        limited = ("sh", "-c", 'ulimit -n 64; exec "$@"', "sh")
        with self.serving(self.data, "--threads", 2, before=limited) as server:
            self.assertRegex(self.hear(), "^READY=1")
            warning = next(line for line in server.log if "max_connections" in line)
            clamped = re.search(r"max_connections is (\d+) instead of 4096: .* is 64$", warning)
            self.assertTrue(clamped, warning)
            self.assertIn(int(clamped[1]), range(1, 64))
            idle = [socket.socket() for _ in range(80)]
            for each in idle:
                self.addCleanup(each.close)
                each.setblocking(False)
                each.connect_ex(("127.0.0.1", server.port))
            for _ in range(5):
                self.assertRegex(self.hear(),
                                 "^WATCHDOG=1\nSTATUS=serving 4 splits of .*; connections: \\d+$")

    def test_that_too_few_descriptors_are_no_way_to_serve(self):
        ended = subprocess.run(
            ["sh", "-c", 'ulimit -n 30; exec "$@"', "sh", daemon.DAEMON, "--data", self.data,
             "--listen", "127.0.0.1:0", "--threads", "2"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 1)
        self.assertRegex(ended.stderr, r"RLIMIT_NOFILE\) is 30; at least \d+ are needed")


class Hangup(Case):
    def test_none_is_lost_whatever_runs(self):
        """A split that is put in place before a signal is served after it."""
        data = self.copy_data()
        for i in range(12):  # a reload takes its time
            os.link(data / "train.safetensors", data / f"a{i}.safetensors")
        with self.serving(data, "--watch-interval-s", 0) as server:
            for i in range(10):
                server.process.send_signal(signal.SIGHUP)
                os.link(data / "test.safetensors", data / f"b{i}.safetensors")
                server.process.send_signal(signal.SIGHUP)
                daemon.wait_until(
                    lambda i=i: server.get(f"/v1/splits/b{i}").status == 200)  # no later signal

    def test_the_reload_does_not_wait_for_heavy_requests(self):
        with self.serving(self.data, "--threads", 1, "--watch-interval-s", 0) as server:
            waiting = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
            for each in waiting:
                self.addCleanup(each.close)
                each.sendall(HEAVY)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("reloaded")
            waiting[-1].setblocking(False)
            self.assertRaises(BlockingIOError, waiting[-1].recv, 1)
            server.stop(signal.SIGKILL)

    def test_of_tokens_that_could_not_be_read(self):
        tokens = self.folder / "tokens"
        tokens.write_text("")
        with self.serving(self.data, "--watch-interval-s", 0, "--token-file", tokens) as server:
            self.hear()
            for text, said in (("nonsense\n", f"; not reloaded: token_file: {tokens}: line 1: .*$"),
                               ("", "$")):
                tokens.write_text(text)
                server.process.send_signal(signal.SIGHUP)
                self.assertRegex(self.hear(), "^RELOADING=1")
                self.assertRegex(self.hear(), f"^READY=1\nSTATUS=serving 4 splits of {self.data}"
                                              + said)

    def test_what_does_not_load_is_told_once(self):
        data = self.copy_data()
        with self.serving(data, "--watch-interval-s", 1) as server:
            self.hear()
            (data / "broken.safetensors").write_bytes(b"nonsense")
            self.assertRegex(self.hear(), "1 passed over: .*broken")
            os.link(data / "test.safetensors", data / "more.safetensors")
            self.assertRegex(self.hear(), "serving 5 splits of .*1 passed over: .*broken")
            (data / "broken.safetensors").unlink()
            self.assertRegex(self.hear(), "serving 5 splits of [^;]*$")
            server.stop()
            self.assertEqual(len([line for line in server.log if "broken" in line]), 1)

    def test_a_folder_that_is_gone_is_told_once_and_served_on(self):
        data = self.copy_data()
        with self.serving(data, "--watch-interval-s", 1) as server:
            self.hear()
            data.rename(self.folder / "away")
            self.assertRegex(self.hear(), "not reloaded: .*No such file")
            self.assertEqual(server.get("/v1/splits/train/samples/0.bin").status, 200)


class DuringTheStart(Case):
    def start(self, *signals):
        """A daemon for which signals wait already when it begins."""
        def raise_signals():
            signal.pthread_sigmask(signal.SIG_BLOCK, signals)
            for number in signals:
                os.kill(os.getpid(), number)

        self.path = self.folder / "socket"
        ended = subprocess.run(
            [daemon.DAEMON, "--data", self.data, "--listen", f"unix:{self.path}"],
            capture_output=True, text=True, timeout=60, preexec_fn=raise_signals,
            env={**os.environ, **self.environment})
        return ended.returncode, ended.stderr

    def test_a_signal_ends_it_cleanly(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            code, said = self.start(number)
            self.assertEqual(code, 0, said)
            self.assertIn(f"{number.name}: stopping, before anything was served", said)
            self.assertTrue(said.endswith("stopped\n"), said)
            self.assertFalse(self.path.exists())

    def test_a_hangup_does_not_end_it(self):
        code, said = self.start(signal.SIGHUP, signal.SIGTERM)
        self.assertEqual(code, 0, said)
        self.assertIn("SIGTERM: stopping, before anything was served", said)


if __name__ == "__main__":
    unittest.main()
