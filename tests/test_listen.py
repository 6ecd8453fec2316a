# SPDX-License-Identifier: Apache-2.0
"""Where the daemon listens: ports that are free again at once, one daemon for each address, files
that are left alone, sockets that are passed in."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import unittest

import daemon

GET = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))

    @classmethod
    def setUpClass(cls):
        cls.data = daemon.generate(cls.enterClassContext(daemon.temporary_folder()))

    def refused(self, listen, words, *options):
        """A daemon ends by itself, and says why."""
        ended = subprocess.run([daemon.DAEMON, "--data", self.data, "--listen", listen, *options],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 1, ended.stderr)
        self.assertIn(words, ended.stderr)


class Port(Case):
    def test_it_is_free_again_although_clients_were_connected(self):
        for how in (signal.SIGTERM, signal.SIGKILL):
            with daemon.Daemon(self.data) as server, \
                    socket.create_connection(("127.0.0.1", server.port)) as idle:
                idle.sendall(GET)
                self.assertTrue(idle.recv(1000).startswith(b"HTTP/1.1 200"))
                server.stop(how)
                self.assertEqual(idle.recv(1), b"")  # the server was the first to close
                with daemon.Daemon(self.data, listen=f"127.0.0.1:{server.port}") as again:
                    self.assertEqual(again.get("/healthz").status, 200)

    def test_it_belongs_to_one_daemon(self):
        with daemon.Daemon(self.data) as server:
            self.refused(f"127.0.0.1:{server.port}",
                         f"cannot listen on 127.0.0.1:{server.port}: Address already in use")
            self.refused(f"0.0.0.0:{server.port}", "Address already in use",
                         "--allow-anonymous", "yes")
            self.assertEqual(server.get("/healthz").status, 200)

    def test_all_loops_serve_it(self):
        with daemon.Daemon(self.data, "--threads", 4) as server:
            for _ in range(40):
                self.assertEqual(server.get("/healthz").status, 200)


class UnixSocket(Case):
    def setUp(self):
        super().setUp()
        self.path = self.folder / "socket"
        self.address = f"unix:{self.path}"

    def ask(self):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.path))
            connection.sendall(GET)
            return connection.recv(1000)

    def serving(self):
        return daemon.Daemon(self.data, "--listen", self.address)

    def test_it_is_served_and_gone_after_the_stop(self):
        with self.serving() as server:
            server.wait_for(self.address)
            self.assertTrue(self.ask().startswith(b"HTTP/1.1 200"))
            self.assertEqual(server.get("/healthz").status, 200)
            self.assertEqual(server.stop(), 0)
            self.assertFalse(self.path.exists())

    def test_one_that_a_dead_daemon_left_is_replaced(self):
        with self.serving() as server:
            server.stop(signal.SIGKILL)
        self.assertTrue(self.path.is_socket())
        with self.serving() as server:
            server.wait_for(self.address)
            self.assertTrue(self.ask().startswith(b"HTTP/1.1 200"))

    def test_one_that_is_served_is_left_alone(self):
        with self.serving() as server:
            server.wait_for(self.address)
            self.refused(self.address, f"{self.path}: somebody listens there")
            self.assertTrue(self.ask().startswith(b"HTTP/1.1 200"))

    def test_a_file_in_its_place_is_left_alone(self):
        shutil.copy(self.data / "test.safetensors", self.path)
        before = self.path.read_bytes()
        self.refused(self.address, f"{self.path}: it is a regular file")
        self.assertEqual(self.path.read_bytes(), before)

    def test_a_link_in_its_place_is_left_alone_and_what_it_leads_to(self):
        target = self.folder / "target"
        target.write_text("precious")
        self.path.symlink_to(target)
        self.refused(self.address, f"{self.path}: it is a symbolic link")
        self.assertEqual(target.read_text(), "precious")
        self.assertTrue(self.path.is_symlink())

    def test_a_file_that_took_its_place_meanwhile_is_left_alone(self):
        with self.serving() as server:
            server.wait_for(self.address)
            self.path.unlink()
            self.path.write_text("precious")
            self.assertEqual(server.stop(), 0)
        self.assertEqual(self.path.read_text(), "precious")

    def test_a_daemon_that_cannot_serve_leaves_no_file(self):
        ended = subprocess.run([daemon.DAEMON, "--data", self.folder, "--listen", self.address],
                               capture_output=True, text=True, timeout=60)
        self.assertEqual(ended.returncode, 1)
        self.assertIn("no split", ended.stderr)
        self.assertFalse(self.path.exists())


class SameMoment(Case):
    """The races themselves are in tests/listen_unit.c, more often; here whole daemons meet."""

    N_TIMES = 15

    def one_serves(self, listen):
        """Of two daemons one is refused while the other serves: what the refused one says."""
        both = [subprocess.Popen([daemon.DAEMON, "--data", self.data, "--listen", listen],
                                 stderr=subprocess.PIPE, text=True) for _ in range(2)]
        ends = [next(line for line in process.stderr if "listening on" in line or "error:" in line)
                for process in both]
        for process in both:
            process.terminate()
            process.communicate(timeout=60)
        self.assertEqual(sorted(process.returncode for process in both), [0, 1], ends)
        return next(line for line in ends if "error:" in line)

    def test_one_of_two_gets_a_port(self):
        with daemon.Daemon(self.data) as server:
            port = server.port
        for _ in range(self.N_TIMES):
            self.assertIn("Address already in use", self.one_serves(f"127.0.0.1:{port}"))

    def test_one_of_two_gets_a_socket(self):
        for _ in range(self.N_TIMES):
            with socket.socket(socket.AF_UNIX) as dead:
                dead.bind(str(self.folder / "socket"))
            self.assertIn("somebody listens there", self.one_serves(f"unix:{self.folder}/socket"))


class Passed(Case):
    """Sockets of a service manager. `start` passes them from descriptor 3 on."""

    STARTER = ("import os, sys\n"
               "fds = [int(word) for word in sys.argv[1].split(',')]\n"
               "for i, fd in enumerate(fds):\n"
               "    os.dup2(fd, 100 + i)\n"
               "os.closerange(3, 100)\n"
               "for i in range(len(fds)):\n"
               "    os.dup2(100 + i, 3 + i)\n"
               "    os.close(100 + i)\n"
               "os.environ.update(LISTEN_FDS=sys.argv[2], LISTEN_PID=str(os.getpid()))\n"
               "os.execv(sys.argv[3], sys.argv[3:])\n")

    def start(self, *passed, count=None, options=()):
        fds = [each.fileno() for each in passed]
        return subprocess.Popen(
            ["/usr/bin/python3", "-c", self.STARTER, ",".join(map(str, fds)),
             str(count or len(fds)), daemon.DAEMON, "--data", self.data, *options],
            pass_fds=fds, stderr=subprocess.PIPE, text=True)

    def refused_passed(self, words, *passed, **more):
        with self.start(*passed, **more) as process:
            try:
                said = process.communicate(timeout=60)[1]
            finally:
                process.kill()
        self.assertEqual(process.returncode, 1, said)
        self.assertIn(words, said)

    def test_one_is_served_and_left_open_at_the_end(self):
        with socket.create_server(("127.0.0.1", 0)) as passed:
            with self.start(passed) as process, \
                    socket.create_connection(passed.getsockname()) as connection:
                connection.settimeout(60)
                connection.sendall(GET)
                self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 200"))
                process.terminate()
                said = process.stderr.read()
                self.assertEqual(process.wait(60), 0)
                self.assertIn(f"passed in: 127.0.0.1:{passed.getsockname()[1]}", said)
            passed.setblocking(False)
            self.assertRaises(BlockingIOError, passed.accept)  # still open, and nobody waits

    def test_one_that_other_machines_reach_needs_to_be_allowed(self):
        with socket.create_server(("0.0.0.0", 0)) as passed:
            self.refused_passed("allow_anonymous", passed)
            with self.start(passed, options=("--allow-anonymous", "yes")) as process, \
                    socket.create_connection(("127.0.0.1", passed.getsockname()[1])) as connection:
                connection.settimeout(60)
                connection.sendall(GET)
                self.assertTrue(connection.recv(1000).startswith(b"HTTP/1.1 200"))
                process.terminate()
                process.stderr.read()

    def test_what_is_no_socket_that_listens_is_refused_by_its_descriptor(self):
        with socket.socket() as unbound, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
            self.refused_passed("descriptor 3, which LISTEN_FDS passes: a socket that does not",
                                unbound)
            self.refused_passed("descriptor 3, which LISTEN_FDS passes: a datagram socket",
                                datagrams)
        with open(os.devnull) as null:
            self.refused_passed("descriptor 3, which LISTEN_FDS passes: it is no socket", null)

    def test_all_must_be_right(self):
        with socket.create_server(("127.0.0.1", 0)) as good, socket.socket() as bad:
            self.refused_passed("descriptor 4", good, bad)
            self.refused_passed("descriptor 4, which LISTEN_FDS passes: Bad file descriptor",
                                good, count=2)


if __name__ == "__main__":
    unittest.main()
