# SPDX-License-Identifier: Apache-2.0
"""A server's name that has several addresses is as many servers, which come and go. The system's
list of hosts is one of the test's own, in a namespace."""
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import time
import unittest

import certificates
import daemon
from test_patience import Steps, epoch, swallow

NAME = "replicas.example"
ADDRESSES = [f"127.0.0.{i}" for i in range(2, 6)]
# `exec` in a mount namespace that has another list of hosts.
INSIDE = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"']


def setUpModule():
    global folder, whole
    tried = subprocess.run([*INSIDE, "/dev/null", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        raise unittest.SkipTest(f"no namespace for a list of hosts: {tried.stderr.strip()}")
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    with daemon.Daemon(folder) as server:
        whole = epoch(server.url)


def free_port():
    """One that is free at each address, and that no system gives to who asks for any."""
    while True:
        port = random.randrange(10000, 30000)
        try:
            with socket.create_server(("", port)):
                return port
        except OSError:
            continue


class Hosts:
    """Which addresses the name has."""

    def __init__(self, case):
        self.path = pathlib.Path(case.enterContext(daemon.temporary_folder()), "hosts")
        self.path.touch()
        self.driver = pathlib.Path(case.enterContext(daemon.temporary_folder()), "driver")

    def set(self, *addresses):
        text = "".join(f"{address} {NAME}\n" for address in addresses)
        with self.path.open("r+") as file:  # the same file: it is mounted
            file.write(text)
            file.truncate()


class Names(unittest.TestCase):
    def setUp(self):
        self.hosts = Hosts(self)
        self.port = free_port()
        self.url = f"http://{NAME}:{self.port}"

    def serve(self, address):
        return self.enterContext(daemon.Daemon(folder, listen=f"{address}:{self.port}"))

    def steps(self, *options):
        return self.enterContext(Inside(self.hosts, *options, self.url))

    def labels(self, *addresses):
        return {f"{self.url} ({address})" for address in addresses}

    def test_all_of_its_addresses_are_asked(self):
        for address in ADDRESSES[:3]:
            self.serve(address)
        self.hosts.set(*ADDRESSES[:3])
        steps = self.steps()
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)
        self.assertEqual(steps.servers - {self.url}, self.labels(*ADDRESSES[:3]))

    def test_one_address_is_the_name_itself(self):
        self.serve(ADDRESSES[0])
        self.hosts.set(ADDRESSES[0])
        steps = self.steps()
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)
        self.assertEqual(steps.servers, {self.url})

    def test_the_others_go_on_where_one_is_gone(self):
        servers = [self.serve(address) for address in ADDRESSES[:3]]
        self.hosts.set(*ADDRESSES[:3])
        steps = self.steps()
        for _ in range(4):
            steps.take()
        servers[1].stop(signal.SIGKILL)
        steps.servers.clear()
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)
        self.assertTrue(steps.servers & self.labels(ADDRESSES[0], ADDRESSES[2]), steps.servers)

    def test_an_address_at_which_nobody_is_costs_nothing(self):
        self.serve(ADDRESSES[1])
        self.hosts.set(*ADDRESSES[:2])
        steps = self.steps("call_patience_s=0")
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)

    def test_an_address_that_swallows_connections_is_left_in_time(self):
        """Whichever the name itself leads to, before it is known that there are others."""
        self.serve(ADDRESSES[1])
        for address in ADDRESSES[0], ADDRESSES[2]:
            swallow(self, address, self.port)
        for addresses in ADDRESSES[:2], ADDRESSES[1:3], ADDRESSES[:3]:
            with self.subTest(addresses=addresses):
                self.hosts.set(*addresses)
                began = time.monotonic()
                steps = self.steps("connect_timeout_ms=120000", "stall_timeout_s=120")
                steps.to_the_end()
                self.assertEqual(steps.lines, whole)
                self.assertLess(time.monotonic() - began, 30)  # a quarter of what any limit says

    def test_a_single_call_leaves_them_too(self):
        self.serve(ADDRESSES[2])
        bad = ADDRESSES[:2] + ADDRESSES[3:]
        for address in bad:
            swallow(self, address, self.port)
        self.hosts.set(*bad[:2], ADDRESSES[2], *bad[2:])
        began = time.monotonic()
        self.assertIn("catalog ok", self.run_inside("catalog", "connect_timeout_ms=120000", self.url))
        self.assertLess(time.monotonic() - began, 30)  # a quarter of that

    def test_addresses_that_lead_nowhere_from_here_are_no_servers(self):
        # However many: of a link without its name; of the other family, to which there is no way.
        for good, *bad in [(ADDRESSES[0], "fe80::1", "fe80::2"),
                           ("::1", "127.255.255.255", "255.255.255.255")]:
            with self.subTest(good=good):
                if not self.is_known(good):
                    self.skipTest(f"the system tells no {good}")
                self.enterContext(daemon.Daemon(folder, listen=f"{bracketed(good)}:{self.port}"))
                self.hosts.set(*bad, good)
                steps = self.steps("call_patience_s=2", "patience_s=2")
                for line in whole:
                    self.assertEqual(steps.take(), line)

    def is_known(self, address):
        self.hosts.set(address)
        code = f"import socket as s; s.getaddrinfo({NAME!r}, 80, flags=s.AI_ADDRCONFIG)"
        return subprocess.run([*INSIDE, self.hosts.path, sys.executable, "-c", code],
                              stderr=subprocess.DEVNULL, check=False).returncode == 0

    def test_replicas_that_move_are_found(self):
        servers = [self.serve(address) for address in ADDRESSES[:2]]
        self.hosts.set(*ADDRESSES[:2])
        steps = self.steps("connections=1")
        for _ in range(3):
            steps.take()
        for address in ADDRESSES[2:]:
            self.serve(address)
        self.hosts.set(*ADDRESSES[2:])
        for server in servers:
            server.stop(signal.SIGKILL)
        steps.servers.clear()
        steps.to_the_end()
        self.assertEqual(steps.lines, whole)
        self.assertTrue(steps.servers & self.labels(*ADDRESSES[2:]), steps.servers)

    def test_messages_name_the_addresses(self):
        self.hosts.set(*ADDRESSES[:2])
        ended = subprocess.run([*INSIDE, self.hosts.path, daemon.COMMAND_LINE, "info", "--server",
                                self.url], capture_output=True, text=True, timeout=100)
        self.assertEqual(ended.returncode, 4, ended.stderr)
        last = ended.stderr.splitlines()[-1]
        for address in ADDRESSES[:2]:
            self.assertIn(f"{self.url} ({address}): connection refused", last)

    def test_the_name_is_what_servers_are_told(self):
        self.hosts.set(*ADDRESSES[:2])
        listeners = [socket.create_server((address, self.port)) for address in ADDRESSES[:2]]
        asking = subprocess.Popen([*INSIDE, self.hosts.path, daemon.COMMAND_LINE, "info", "--server",
                                   self.url], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for listener in listeners:
                with listener, listener.accept()[0] as connection:
                    self.assertIn(f"\r\nHost: {NAME}:{self.port}\r\n".encode(),
                                  connection.recv(4096))
        finally:
            asking.kill()
            asking.wait(timeout=60)


    def test_certificates_are_held_to_the_name(self):
        certificates.need_openssl()
        authority = certificates.Authority(self.hosts.path.parent)
        self.hosts.set(*ADDRESSES[:2])
        options = (f"ca_file={authority.path}", f"https://{NAME}:{self.port}")
        for alternative, goes_well in ((f"DNS:{NAME}", True), (f"IP:{ADDRESSES[0]}", False)):
            path, key = authority.issue("server", alternative)
            files = "--tls-certificate", path, "--tls-key", key
            with daemon.Daemon(folder, *files, listen=f"{ADDRESSES[0]}:{self.port}"), \
                    daemon.Daemon(folder, *files, listen=f"{ADDRESSES[1]}:{self.port}"):
                ended = self.run_inside("epoch", *options)
            if goes_well:
                self.assertIn("end ok", ended)
                for address in ADDRESSES[:2]:
                    self.assertIn(f"batch ok https://{NAME}:{self.port} ({address}) ", ended)
            else:
                self.assertRegex(ended, "(?m)^split EACCES .*certificate is not to be trusted")

    def run_inside(self, *words):
        ended = subprocess.run([*INSIDE, self.hosts.path, daemon.BUILD.resolve() / "tests/client_driver",
                                *words], stdout=subprocess.PIPE, text=True, timeout=100, check=True)
        return ended.stdout


class Inside(Steps):
    """A stream in such a namespace, and which servers its batches are from."""

    def __init__(self, hosts, *words):
        script = hosts.driver
        script.write_text(f"#!/bin/sh\nexec {' '.join(map(quoted, [*INSIDE, hosts.path]))} "
                          f"{daemon.BUILD.resolve()}/tests/client_driver \"$@\"\n")
        script.chmod(0o755)
        self.servers = set()
        super().__init__(*words, driver=script)

    def to_the_end(self):
        while self.take() != "end ok":
            pass

    def note(self, line):
        found = re.match(r"batch ok (http\S+(?: \([^)]*\))?)", line)
        if found:
            self.servers.add(found[1])


def bracketed(address):
    return f"[{address}]" if ":" in address else address


def quoted(word):
    return "'" + str(word).replace("'", "'\\''") + "'"


if __name__ == "__main__":
    unittest.main()
