# SPDX-License-Identifier: Apache-2.0
"""A URL that stands for SRV records is as many servers as there are records. The name server is one of
the test's own, which the system's resolver asks in a namespace with another resolv.conf."""
import pathlib
import random
import re
import signal
import socket
import struct
import subprocess
import threading
import unittest

import certificates
import daemon
from test_names import quoted
from test_patience import Steps, epoch, unused_url

NAME = "replicas.example"
RECORD = f"_http._tcp.{NAME}"
URL = f"http+srv://{NAME}"
INSIDE = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0/hosts" /etc/hosts && '
          'mount --bind "$0/resolv.conf" /etc/resolv.conf && exec "$@"']
SRV, NO_SUCH_NAME = 33, 3
HOSTS = ("one.example", "two.example", "three.example")


def setUpModule():
    global folder, whole, inside, server
    inside = pathlib.Path(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(NameServer())
    (inside / "hosts").write_text("".join(f"127.0.0.1 {host}\n" for host in HOSTS))
    (inside / "resolv.conf").write_text(f"nameserver {server.address}\n")
    tried = subprocess.run([*INSIDE, inside, "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        raise unittest.SkipTest(f"no namespace for a resolv.conf: {tried.stderr.strip()}")
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    with daemon.Daemon(folder) as alone:
        whole = epoch(alone.url)


def encoded(name):
    return b"".join(bytes([len(part)]) + part.encode() for part in name.split(".") if part) + b"\0"


class NameServer:
    """Answers with the records of the one name that it knows."""

    def __init__(self):
        self.records = {}  # name: [(priority, port, target)]
        self.n_silent = 0  # questions that get no answer
        self.asked = []
        self.address = f"127.53.{random.randrange(1, 255)}.{random.randrange(1, 255)}"
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __enter__(self):
        try:
            self.socket.bind((self.address, 53))
        except OSError as error:
            self.socket.close()
            raise unittest.SkipTest(f"no name server at port 53: {error}") from None
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *unused):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (self.address, 53))  # which ends it

    def serve(self):
        with self.socket:
            while True:
                question, who = self.socket.recvfrom(65536)
                if not question:
                    return
                if self.n_silent > 0:
                    self.n_silent -= 1
                else:
                    self.socket.sendto(self.answer(question), who)

    def answer(self, question):
        parts, at = [], 12
        while question[at]:
            parts.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        name, kind = ".".join(parts), int.from_bytes(question[at + 1:at + 3], "big")
        self.asked.append(name)
        records = self.records.get(name, []) if kind == SRV else []
        rcode = 0 if name in self.records else NO_SUCH_NAME
        head = question[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, len(records), 0, 0)
        body = b""
        for priority, port, target in records:
            data = struct.pack(">HHH", priority, 0, port) + encoded(target)
            body += struct.pack(">HHHIH", 0xC00C, SRV, 1, 0, len(data)) + data
        return head + question[12:at + 5] + body


class Stream(Steps):
    """A stream in such a namespace, and which server each of its batches is from."""

    def __init__(self, driver, *words):
        driver.write_text(f"#!/bin/sh\nexec {' '.join(map(quoted, [*INSIDE, inside]))} "
                          f"{daemon.BUILD.resolve()}/tests/client_driver \"$@\"\n")
        driver.chmod(0o755)
        self.servers = []
        super().__init__(*words, driver=driver)

    def to_the_end(self):
        while self.take() != "end ok":
            pass

    def note(self, line):
        found = re.match(r"batch ok (http\S+)", line)
        if found:
            self.servers.append(found[1])


class Srv(unittest.TestCase):
    def setUp(self):
        server.records, server.n_silent = {}, 0
        server.asked.clear()

    def serve(self, host, *options):
        """A daemon, and where its records say that it is."""
        one = self.enterContext(daemon.Daemon(folder, *options))
        one.host, one.label = host, f"http://{host}:{one.port}"
        return one

    @staticmethod
    def know(*records, name=RECORD):
        server.records[name] = [(priority, one.port, one.host) for priority, one in records]

    def steps(self, *words):
        folder_of_it = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        return self.enterContext(Stream(folder_of_it / "driver", *words))

    @staticmethod
    def run_inside(*words, program="tests/client_driver"):
        return subprocess.run([*INSIDE, inside, daemon.BUILD.resolve() / program, *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=100)

    def test_all_records_are_asked(self):
        one, two = self.serve(HOSTS[0]), self.serve(HOSTS[1])
        self.know((0, one), (0, two))
        steps = self.steps(URL)
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)
        self.assertEqual(set(steps.servers), {one.label, two.label})
        self.assertEqual(set(server.asked), {RECORD})

    def test_a_name_may_be_the_whole_one_of_the_records(self):
        one, name = self.serve(HOSTS[0]), "_data._tcp.replicas.example"
        self.know((0, one), name=name)
        ended = self.run_inside("info", "--server", f"http+srv://{name}", program="tests/twonmnist")
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertEqual(set(server.asked), {name})

    def test_servers_come_and_go_with_their_records(self):
        one, two, three = (self.serve(host) for host in HOSTS)
        self.know((0, one), (0, two))
        steps = self.steps("connections=1", URL)
        for _ in range(3):
            steps.take()
        self.know((0, two), (0, three))
        one.stop(signal.SIGKILL)
        for _ in range(6):
            steps.take()
        self.know((0, three))
        two.stop(signal.SIGKILL)
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)
        self.assertIn(three.label, steps.servers)

    def test_who_has_the_lower_priority_is_asked_first(self):
        one, two = self.serve(HOSTS[0]), self.serve(HOSTS[1])
        self.know((10, two), (5, one))
        steps = self.steps("connections=1", URL)
        for _ in range(8):
            steps.take()
        # Of a machine that is busy the other one is asked, too: half of them were without priorities.
        self.assertGreaterEqual(steps.servers.count(one.label), 7, steps.servers)
        one.stop(signal.SIGKILL)
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)
        self.assertIn(two.label, steps.servers)

    def test_no_record_is_a_failure_with_its_name(self):
        ended = self.run_inside("epoch", "call_patience_s=2", URL)
        self.assertRegex(ended.stdout, rf"(?m)^split EHOSTUNREACH .*{re.escape(URL)}: "
                         rf"{re.escape(RECORD)}: there is no such SRV record")
        self.assertGreater(len(server.asked), 1)

    def test_a_silent_name_server_is_a_failure_with_the_name(self):
        server.n_silent = 1000
        ended = self.run_inside("epoch", "call_patience_s=0", URL)
        self.assertRegex(ended.stdout, rf"(?m)^split EHOSTUNREACH .*{re.escape(RECORD)}: "
                         "the name server does not answer")

    def test_without_patience_the_records_are_waited_for(self):
        one = self.serve(HOSTS[0])
        self.know((0, one))
        ended = self.run_inside("epoch", "call_patience_s=0", URL)
        self.assertIn("end ok", ended.stdout)

    def test_a_name_server_that_comes_back_is_asked_again(self):
        one = self.serve(HOSTS[0])
        self.know((0, one))
        server.n_silent = 2  # at the first question, and a second after it got no answer
        steps = self.steps(URL)
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)
        self.assertEqual(server.n_silent, 0)

    def test_records_that_vanish_leave_the_servers_that_are_known(self):
        one, two = self.serve(HOSTS[0]), self.serve(HOSTS[1])
        self.know((0, one), (0, two))
        steps = self.steps("connections=1", URL)
        for _ in range(3):
            steps.take()
        server.records = {}
        one.stop(signal.SIGKILL)
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)

    def test_a_list_may_have_both(self):
        one, two = self.serve(HOSTS[0]), self.serve(HOSTS[1])
        self.know((0, one))
        for urls, servers in (((URL, two.url), {one.label, two.url}),
                              ((f"{URL}.nowhere", two.url), {two.url})):
            with self.subTest(urls=urls):
                steps = self.steps(*urls)
                steps.to_the_end()
                self.assertEqual(steps.lines, whole)
                self.assertLessEqual(set(steps.servers), servers)
                self.assertTrue(two.url in steps.servers)

    def test_certificates_are_held_to_the_target(self):
        certificates.need_openssl()
        authority = certificates.Authority(inside)
        for alternative, goes_well in ((f"DNS:{HOSTS[0]}", True), (f"DNS:{NAME}", False)):
            path, key = authority.issue("server", alternative)
            one = self.serve(HOSTS[0], "--tls-certificate", path, "--tls-key", key)
            self.know((0, one), name=f"_https._tcp.{NAME}")
            ended = self.run_inside("epoch", f"ca_file={authority.path}", f"https+srv://{NAME}")
            if goes_well:
                self.assertIn("end ok", ended.stdout)
            else:
                self.assertRegex(ended.stdout, "(?m)^split EACCES .*certificate is not to be trusted")

    def test_a_dead_target_is_said_with_its_port(self):
        port = int(unused_url().rsplit(":", 1)[1])
        server.records[RECORD] = [(0, port, HOSTS[0])]
        ended = self.run_inside("epoch", "call_patience_s=0", URL + "/at/")
        self.assertIn(f"http://{HOSTS[0]}:{port}/at: connection refused", ended.stdout)


if __name__ == "__main__":
    unittest.main()
