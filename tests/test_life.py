# SPDX-License-Identifier: Apache-2.0
"""The daemon's life: starting, refusing to start, reloading, losing a file, stopping."""
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest

import daemon

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


def run(*options):
    """A daemon that is expected to end by itself: exit status, and what it said."""
    ended = subprocess.run([daemon.DAEMON, *map(str, options)], capture_output=True, text=True,
                           timeout=60)
    return ended.returncode, ended.stdout + ended.stderr


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))

    @classmethod
    def setUpClass(cls):
        cls.data = daemon.generate(cls.enterClassContext(daemon.temporary_folder()))

    def copy_data(self):
        return pathlib.Path(shutil.copytree(self.data, self.folder / "data"))


class Start(Case):
    def refused(self, words, *options, status=1):
        code, said = run(*options)
        self.assertEqual(code, status, said)
        self.assertIn(words, said)

    def test_help_and_version_are_no_errors(self):
        self.assertEqual(run("--help")[0], 0)
        self.assertIn("--max-batch-size", run("--help")[1])
        self.assertRegex(run("--version")[1], r"^twonmnistd \d+\.\d+\.\d+\n$")

    def test_the_sample_configuration_is_one(self):
        sample = self.folder / "twonmnistd.conf"
        sample.write_text(run("--sample-config")[1].replace("\n#listen = 127.0.0.1:8642",
                                                            "\nlisten = 127.0.0.1:0"))
        uncommented = self.folder / "all.conf"
        uncommented.write_text("\n".join(
            line.removeprefix("#") if line.startswith("#") and not line.startswith("# ") else line
            for line in sample.read_text().splitlines()))
        with daemon.Daemon(self.data, "--config", uncommented) as server:
            self.assertEqual(server.get("/readyz").status, 200)

    def test_the_configuration_that_is_installed_is_the_sample(self):
        installed = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", ".")) / "etc/twonmnistd.conf"
        self.assertEqual(installed.read_text(), run("--sample-config")[1])

    def test_the_manual_page_has_every_setting_with_its_range(self):
        source = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", "."))
        manual = (source / "doc/twonmnistd.conf.5").read_text()
        settings = re.findall(r"^# \((.*)default (.*)\)\n#(\w+) = ", run("--sample-config")[1], re.M)
        self.assertGreater(len(settings), 15)
        for limits, default, name in settings:
            entry = manual.partition(f"\n.It Ic {name} Pq ")[2].partition("\n")[0]
            self.assertTrue(entry.endswith(f"{limits}default {default}"), name)

    def test_bad_settings_name_the_setting_and_its_range(self):
        self.refused('no setting "colour"', "--colour", "red", status=2)
        self.refused("it goes from 1 to 65536", "--max-batch-size", "0", status=2)
        self.refused("whole number", "--threads", "many", status=2)
        self.refused("--threads takes a value", "--threads", status=2)
        self.refused("--listen takes a value", "--listen", "--threads", "1", status=2)
        self.refused("99999", "--listen", "127.0.0.1:99999", status=2)
        self.refused("not an option", "word", status=2)
        config = self.folder / "bad.conf"
        config.write_text("threads = 1\nmax_batch_size = lots\n")
        self.refused("bad.conf: line 2", "--config", config, status=2)
        self.refused("none.conf", "--config", self.folder / "none.conf", status=2)
        self.refused(f"{self.folder}: Is a directory", "--config", self.folder, status=2)
        config.write_bytes(b"threads = 1\nlog_level = 1\0 = 2\n")
        self.refused("bad.conf: line 2: there is a NUL byte", "--config", config, status=2)

    def test_the_command_line_goes_before_the_file_wherever_it_stands(self):
        config = self.folder / "some.conf"
        config.write_text("listen = 127.0.0.1:99\nlisten = 127.0.0.1:98\nmax_batch_size = 3\n"
                          "max_url_bytes = 300\n")
        with daemon.Daemon(self.data, "--max-batch-size=7", "--config", config) as server:
            limits = server.get("/v1/splits").json()["limits"]
            self.assertEqual((limits["max_batch_size"], limits["max_url_bytes"]), (7, 300))
            self.assertEqual(server.stop(), 0)
            self.assertEqual([line for line in server.log if "listening" in line],
                             [f"twonmnistd: listening on 127.0.0.1:{server.port}"])

    def test_a_configuration_is_checked_without_serving(self):
        """Exit status 0 or 1, which a unit and a script can build on."""
        config = self.folder / "some.conf"
        check = ("--config", config, "--check-config")
        config.write_text("# all is well\nlisten = 127.0.0.1:0\n")
        self.assertEqual(run(*check), (0, "the settings are right\n"))
        for line, told in (("listen = [::1]", "listen: "),
                           ("threads = 257", "threads is 257; it goes from 0 to 256"),
                           ("allow_anonymous = maybe", 'allow_anonymous: "maybe" is neither yes'),
                           ("thread = 1", 'there is no setting "thread"'),
                           ("listen", '"listen" is not "name = value"')):
            config.write_text(f"log_level = 1\n{line}\n")
            code, said = run(*check)
            self.assertEqual(code, 1, said)
            self.assertRegex(said, f"some.conf: line 2: {told}")
        self.refused("none.conf: No such file", "--check-config", "--config",
                     self.folder / "none.conf")
        self.refused("allow_anonymous", "--check-config", "--listen", "0.0.0.0:1")

    def test_bad_data_is_told_by_file(self):
        listen = ("--listen", "127.0.0.1:0")
        self.refused("none: No such file", "--data", self.folder / "none", *listen)
        self.refused("no split", "--data", self.folder, *listen)
        self.refused("Not a directory", "--data", self.data / "test.safetensors", *listen)
        whole = (self.data / "test.safetensors").read_bytes()
        (self.folder / "test.safetensors").write_bytes(whole[:-1])
        self.refused("test.safetensors: tensor", "--data", self.folder, *listen)
        (self.folder / "test.safetensors").write_bytes(b"\0" * 100)
        self.refused("no split can be served", "--data", self.folder, *listen)

    def test_limits_that_contradict_each_other_are_told(self):
        with daemon.Daemon(self.data, "--max-pending-bytes", 2 << 20) as server:
            self.assertTrue(any(f"leave room for {2 << 20}: larger answers" in line
                                for line in server.log), server.log)
        with daemon.Daemon(self.data) as server:
            self.assertFalse(any("leave room" in line for line in server.log), server.log)

    def test_other_machines_are_served_only_when_that_is_asked_for(self):
        self.refused("allow_anonymous", "--data", self.data, "--listen", "0.0.0.0:0")
        self.refused("neither ADDR:PORT", "--data", self.data, "--listen", "8642", status=2)


    @unittest.skipIf(os.geteuid() == 0, "root reads every folder")
    def test_a_folder_that_may_not_be_read_is_told(self):
        data = self.folder / "closed"
        data.mkdir(mode=0)
        self.refused("closed: Permission denied", "--data", data, "--listen", "127.0.0.1:0")

    def test_what_a_file_says_stays_one_line_of_the_log(self):
        data = self.copy_data()
        path = data / "test.safetensors"
        daemon.set_metadata(path, origin="a\nforged\x1b[31m\u009b\u202e\u00e4")
        with daemon.Daemon(data) as server:
            line = next(line for line in server.log if "split test@" in line)
            self.assertTrue(line.endswith(
                "a\\x0aforged\\x1b[31m\\xc2\\x9b\\xe2\\x80\\xae\u00e4"), line)
            self.assertTrue(all(line.startswith("twonmnistd: ") for line in server.log))


class Change(Case):
    def revision(self, server, name="test"):
        return {row["name"]: row["revision"]
                for row in server.get("/v1/splits").json()["splits"]}[name]

    def replace_test_split(self, data):
        """Put another split in place of `test`, as the generator does it: by renaming."""
        os.link(data / "train.safetensors", data / "new")
        os.replace(data / "new", data / "test.safetensors")

    def test_a_replaced_split_is_noticed(self):
        data = self.copy_data()
        with daemon.Daemon(data, "--watch-interval-s", 1) as server:
            before = self.revision(server)
            self.replace_test_split(data)
            server.wait_for("reloaded")
            self.assertNotEqual(self.revision(server), before)

    def test_a_hangup_reloads_and_what_cannot_be_listed_leaves_the_old_splits(self):
        data = self.copy_data()
        with daemon.Daemon(data, "--watch-interval-s", 0) as server:
            before = self.revision(server)
            data.rename(self.folder / "away")
            server.process.send_signal(signal.SIGHUP)
            self.assertIn("No such file", server.wait_for("not reloaded"))
            self.assertEqual(self.revision(server), before)
            (self.folder / "away").rename(data)
            self.replace_test_split(data)
            server.process.send_signal(signal.SIGHUP)
            server.wait_for("reloaded")
            self.assertEqual(self.revision(server), self.revision(server, "train"))

    def test_a_file_cut_short_damages_its_split_alone(self):
        data = self.copy_data()
        with daemon.Daemon(data, "--watch-interval-s", 0) as server:
            n = server.get("/v1/splits/test").json()["samples"]
            os.truncate(data / "test.safetensors", 4096)
            last = f"/v1/splits/test/samples/{n - 1}.npy"
            self.assertEqual(server.get(last).json()["code"], "split-damaged")
            self.assertEqual(server.get("/v1/splits/test").status, 500)
            self.assertEqual(server.get("/readyz").status, 500)
            self.assertEqual(server.get("/v1/splits/train/samples/0.npy").status, 200)


class Stop(Case):
    def test_terminate_and_interrupt_end_it_cleanly(self):
        for how in (signal.SIGTERM, signal.SIGINT):
            with daemon.Daemon(self.data) as server:
                self.assertEqual(server.get("/healthz").status, 200)
                self.assertEqual(server.stop(how), 0)
                self.assertEqual(server.log[-1], "twonmnistd: stopped")

    def test_no_signal_ends_it_otherwise_at_the_very_end(self):
        """Held up there by a log that nobody reads."""
        for how in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
            with daemon.Daemon(self.data) as server:
                with socket.create_connection(("127.0.0.1", server.port)) as connection:
                    connection.sendall(b"GET /healthz HTTP/1.1\r\n")
                    server.process.terminate()
                    server.wait_for("stopping")
                    own = f"/proc/{server.process.pid}"
                    log = os.open(f"{own}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
                    with self.assertRaises(BlockingIOError):
                        while True:
                            os.write(log, b"x")
                    os.close(log)
                daemon.wait_until(lambda: len(os.listdir(f"{own}/task")) == 1)
                server.process.send_signal(how)
                self.assertEqual(server.stop(), 0, how)

    def test_running_requests_are_ended_and_nobody_else_gets_in(self):
        with daemon.Daemon(self.data) as server, \
                socket.create_connection(("127.0.0.1", server.port)) as connection, \
                socket.create_connection(("127.0.0.1", server.port)) as idle:
            connection.settimeout(60)
            size = server.get("/v1/splits/train.safetensors", "HEAD").headers["Content-Length"]
            connection.sendall(b"GET /v1/splits/train.safetensors HTTP/1.1\r\nHost: a\r\n\r\n")
            received = connection.recv(1000)
            server.process.terminate()
            server.wait_for("stopping")
            while piece := connection.recv(1 << 20):
                received += piece
            self.assertEqual(len(received.partition(b"\r\n\r\n")[2]), int(size))
            self.assertEqual(server.stop(), 0)
            self.assertRaises(OSError, socket.create_connection, ("127.0.0.1", server.port))
            self.assertEqual(idle.recv(10), b"")

    def stop_and_ask(self, connection, server):
        """Ask when the server stops already."""
        server.process.terminate()
        server.wait_for("stopping")
        connection.sendall(HEALTH)
        received = b""
        while piece := connection.recv(1000):
            received += piece
        return received

    def test_who_has_just_come_or_had_an_answer_is_answered_still(self):
        """The server gives a second to what may be on its way; the test is quicker in one of its
        tries."""
        for asks_before in (False, True):
            for _ in range(20):
                with daemon.Daemon(self.data, "--threads", 1) as server, \
                        socket.create_connection(("127.0.0.1", server.port)) as connection:
                    begin = time.monotonic()
                    if asks_before:
                        connection.sendall(HEALTH)
                        self.assertTrue(connection.recv(1000))
                    else:
                        server.get("/healthz")  # who came later is in
                    try:
                        answer = self.stop_and_ask(connection, server)
                    except OSError:
                        answer = b""
                    took = time.monotonic() - begin
                    self.assertEqual(server.stop(), 0)
                if answer or took < 0.5:
                    break
            self.assertRegex(answer, b"(?s)^HTTP/1.1 200 .*}")

    def test_a_request_that_never_ends_is_given_up_after_the_time_out(self):
        with daemon.Daemon(self.data, "--stop-timeout-s", 0) as server, \
                socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.sendall(b"GET /v1/splits/train.safetensors HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.recv(1000)
            self.assertEqual(server.stop(), 0)

    def test_heavy_requests_in_the_pool_are_answered_before_the_end(self):
        request = (b"GET /v1/pairs/nmnist-train/1/batches/0.safetensors?size=256&as=frames "
                   b"HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        with daemon.Daemon(self.data, "--threads", 1) as server:
            readers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(2)]
            for reader in readers:
                reader.sendall(request)
            self.assertTrue(readers[0].recv(10))
            server.process.terminate()
            for reader in readers:
                while reader.recv(1 << 20):
                    pass
                reader.close()
            self.assertEqual(server.stop(), 0)


if __name__ == "__main__":
    unittest.main()
