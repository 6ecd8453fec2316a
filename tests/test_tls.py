#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS: what is spoken, by whom, with which certificate; and handshakes that never end."""
import hashlib
import os
import signal
import socket
import ssl
import struct
import subprocess
import time
import unittest

import certificates
import daemon
import wire

N_STALLED = 40
TOKEN = "somebody-knows-this-token"
HELLO = bytes([22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3])  # the beginning of a handshake


def setUpModule():
    global folder, data, authority, other
    certificates.need_openssl()
    folder = unittest.enterModuleContext(daemon.temporary_folder())
    data = daemon.generate(f"{folder}/data", "--count", "120,30", source="synthetic")
    authority, other = certificates.Authority(folder), certificates.Authority(folder, "other")
    for name in "server", "next":
        authority.issue(name)
    for name in "client", "nobody":
        (authority if name == "client" else other).issue(name, purpose="clientAuth")


def file(name):
    return f"{folder}/{name}"


def use(certificate, key=None):
    """Options that serve it."""
    return ("--tls-certificate", file(f"{certificate}.pem"),
            "--tls-key", file(f"{key or certificate}.key"))


def cpu_s(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def shake_hands(server, context=None, **options):
    context = context or authority.context()
    return context.wrap_socket(wire.connect(server, **options), server_hostname="127.0.0.1")


def ask(connection, path, *headers, method="GET"):
    connection.sendall(wire.request(path, *headers, method=method))
    return wire.receive_answer(connection)


class Spoken(unittest.TestCase):
    """One daemon, over TLS and over its Unix socket."""

    @classmethod
    def setUpClass(cls):
        cls.socket_path = file("socket")
        cls.server = cls.enterClassContext(daemon.Daemon(
            data, *use("server"), "--threads", 2, "--listen", f"unix:{cls.socket_path}"))
        cls.server.port = int(cls.server.log[-1].rpartition(":")[2])
        cls.server.wait_for("listening on unix:")

    def ask_plainly(self, path):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(wire.STALL_S)
            connection.connect(self.socket_path)
            return ask(connection, path)

    def test_answers_are_the_same_with_and_without_it(self):
        paths = ["/healthz", "/v1/splits", "/v1/splits/train.safetensors",
                 "/v1/splits/train/samples/3.bin", "/v1/splits/train/samples/3.png",
                 "/v1/splits/train/batch.safetensors?indices=1,2,3",  # few parts
                 "/v1/splits/train/epochs/1/2/batches/0.safetensors?size=64",  # many
                 "/v1/pairs/nmnist-train/5/batches/0.safetensors?size=40",  # by a worker
                 "/v1/nothing"]
        with shake_hands(self.server) as connection:
            for path in paths:
                got, expected = ask(connection, path), self.ask_plainly(path)
                self.assertEqual(got[0], expected[0], path)
                self.assertEqual(got[2], expected[2], path)

    def test_it_is_1_2_or_1_3(self):
        for version, words in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"),
                               (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = authority.context()
            context.minimum_version = context.maximum_version = version
            with shake_hands(self.server, context) as connection:
                self.assertEqual(connection.version(), words)
                self.assertEqual(ask(connection, "/healthz")[0], 200)
        old = authority.context()
        old.set_ciphers("DEFAULT:@SECLEVEL=0")
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with wire.connect(self.server) as connection:
            self.assertRaises((ssl.SSLError, OSError), old.wrap_socket, connection,
                              server_hostname="127.0.0.1")

    def test_a_request_without_it_is_told_so(self):
        status, head, body = wire.ask(self.server, wire.request("/v1/splits", "Cookie: " + "a" * 9000))
        self.assertEqual(status, 400, body)
        self.assertIn(b"application/problem+json", head)
        self.assertIn(b"https", body)
        with wire.connect(self.server) as connection:
            connection.sendall(wire.request("/"))
            self.assertTrue(wire.is_closed(connection))

    def test_what_is_neither_is_closed(self):
        for garbage in b"\0" * 100, b"\x16\x03\x01\x40\xff" + b"x" * 0x40FF, bytes(range(256)) * 12:
            with wire.connect(self.server) as connection:
                connection.sendall(garbage)
                self.assertTrue(wire.is_closed(connection))
        with shake_hands(self.server) as connection:
            self.assertEqual(ask(connection, "/healthz")[0], 200)

    def test_an_answer_past_the_library_is_encrypted(self):
        with shake_hands(self.server) as connection:
            status, _, body = ask(connection, "/healthz?" + "&" * 70)
            self.assertEqual(status, 400)
            self.assertIn(b"bad-parameter", body)
            self.assertEqual(connection.recv(1), b"")  # a close_notify, or Python would raise

    def test_an_end_is_announced(self):
        with shake_hands(self.server) as connection:
            self.assertEqual(ask(connection, "/healthz", "Connection: close")[0], 200)
            self.assertEqual(connection.recv(1), b"")


class Handshakes(unittest.TestCase):
    def stalled(self, server, n=N_STALLED):
        connections = [self.enterContext(wire.connect(server)) for _ in range(n)]
        for i, connection in enumerate(connections):
            connection.sendall(HELLO[:i % len(HELLO)])
        return connections

    def test_those_that_never_end_are_cut_off_and_cost_nothing_until_then(self):
        with daemon.Daemon(data, *use("server"), "--threads", 1, "--request-timeout-s",
                           2) as server:
            connections = self.stalled(server)
            with shake_hands(server) as served:
                self.assertEqual(ask(served, "/healthz")[0], 200)
                before = cpu_s(server.process)
                for connection in connections:
                    self.assertTrue(wire.is_closed(connection))
                # A loop that asked them again and again would have used all of the two seconds.
                self.assertLess(cpu_s(server.process) - before, 0.6)
                self.assertEqual(ask(served, "/healthz")[0], 200)

    def test_a_byte_now_and_then_does_not_keep_one(self):
        with daemon.Daemon(data, *use("server"), "--request-timeout-s", 1) as server, \
                wire.connect(server) as connection:
            connection.settimeout(0.2)
            begun = time.monotonic()
            for byte in HELLO + bytes(500):
                try:
                    connection.sendall(bytes([byte]))
                    if connection.recv(1) == b"":
                        break
                except TimeoutError:
                    pass
                except OSError:
                    break
            self.assertLess(time.monotonic() - begun, wire.STALL_S)

    def test_a_stop_does_not_wait_for_them(self):
        server = daemon.Daemon(data, *use("server"), "--threads", 1)
        with server:
            self.stalled(server)
            with shake_hands(server) as served:
                self.assertEqual(ask(served, "/healthz")[0], 200)
                self.assertEqual(server.stop(), 0)

    def test_one_after_the_other_leaves_nothing_behind(self):
        with daemon.Daemon(data, *use("server"), "--threads", 1) as server:
            def descriptors():
                return len(os.listdir(f"/proc/{server.process.pid}/fd"))

            with shake_hands(server) as connection:
                self.assertEqual(ask(connection, "/healthz")[0], 200)
                before = descriptors()
                for _ in range(3):
                    for stalled in self.stalled(server):
                        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                           struct.pack("ii", 1, 0))  # a reset
                        stalled.close()
                daemon.wait_until(lambda: descriptors() <= before)
                self.assertEqual(ask(connection, "/healthz")[0], 200)

    def test_a_connection_that_rests_is_closed(self):
        with daemon.Daemon(data, *use("server"), "--idle-timeout-s", 1) as server, \
                shake_hands(server) as connection:
            self.assertEqual(connection.recv(1), b"")

    def test_an_address_has_as_many_as_it_may(self):
        with daemon.Daemon(data, *use("server"), "--max-connections-per-address", 2) as server, \
                wire.connect(server) as stalled, shake_hands(server) as served:
            stalled.sendall(HELLO)
            self.assertEqual(ask(served, "/healthz")[0], 200)
            self.assertRaises(OSError, shake_hands, server)
            with shake_hands(server, source="127.0.0.2") as another:
                self.assertEqual(ask(another, "/healthz")[0], 200)


class Certificates(unittest.TestCase):
    def setUp(self):
        self.live = file("live.pem"), file("live.key")

    def put(self, name, key=None):
        for i, ending in enumerate(("pem", "key")):
            with open(file(f"{key if key and i else name}.{ending}"), "rb") as source:
                content = source.read()
            with open(f"{self.live[i]}.new", "wb") as target:
                target.write(content)
            os.rename(f"{self.live[i]}.new", self.live[i])

    def served(self, server):
        with shake_hands(server) as connection:
            return dict(part[0] for part in connection.getpeercert()["subject"])["commonName"]

    def reload(self, server, words):
        server.process.send_signal(signal.SIGHUP)
        return server.wait_for(words)

    def test_a_hangup_brings_the_new_one_and_no_connection_ends(self):
        self.put("server")
        with daemon.Daemon(data, *use("live"), "--threads", 2) as server, \
                shake_hands(server) as before, wire.connect(server) as half:
            half.sendall(HELLO[:5])
            self.assertEqual(self.served(server), "server")
            for name in ("next", "server") * 5:
                self.put(name)
                self.reload(server, f"certificate of CN={name}")
                self.assertEqual(self.served(server), name)
                self.assertEqual(ask(before, "/v1/splits/train.safetensors")[0], 200)

    def test_one_that_cannot_be_used_is_refused_and_the_one_before_stays(self):
        self.put("server")
        with daemon.Daemon(data, *use("live"), "--threads", 1) as server:
            self.put("next", key="server")
            line = self.reload(server, "is used on")
            self.assertIn("is not the key of the certificate", line)
            self.assertEqual(self.served(server), "server")
            with open(self.live[0], "w", encoding="ascii") as broken:
                broken.write("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
            line = self.reload(server, "is used on")
            self.assertIn("no certificate in PEM", line)
            os.unlink(self.live[1])
            self.put("next")
            self.reload(server, "certificate of CN=next")
            self.assertEqual(self.served(server), "next")

    def test_one_that_has_expired_is_told(self):
        authority.issue("old", days=-1)
        with daemon.Daemon(data, *use("old"), "--threads", 1) as server:
            self.assertTrue([line for line in server.log if "expired since" in line], server.log)

    def refused(self, words, *options):
        for check in ((), ("--check-config",)):
            said = subprocess.run([daemon.DAEMON, "--data", data, "--listen", "127.0.0.1:0",
                                   *options, *check], capture_output=True, text=True, timeout=60)
            self.assertEqual(said.returncode, 1, said.stderr)
            self.assertIn(words, said.stderr)

    def test_what_does_not_fit_is_told_at_the_start_and_by_check_config(self):
        certificate, key = use("server")[:2], use("server")[2:]
        self.refused("its tls_key is missing", *certificate)
        self.refused("its tls_certificate is missing", *key)
        self.refused("tls_certificate is missing", "--tls-client-ca", file("ca.pem"))
        self.refused("is not the key of the certificate", *use("server", "next"))
        self.refused("none.pem: No such file", "--tls-certificate", file("none.pem"), *key)
        self.refused("server.key: no certificate in PEM", "--tls-certificate", file("server.key"),
                     *key)
        self.refused("server.pem: no private key in PEM", *certificate, "--tls-key",
                     file("server.pem"))
        subprocess.run(["openssl", "ec", "-in", file("server.key"), "-out", file("locked.key"),
                        "-aes128", "-passout", "pass:secret"], check=True, capture_output=True)
        self.refused("needs a password", *use("server", "locked"))
        self.refused("tls_client_ca", *certificate, *key, "--tls-client-ca", file("server.key"))

    def test_check_config_takes_what_is_right(self):
        said = subprocess.run([daemon.DAEMON, "--check-config", *use("server"), "--tls-client-ca",
                               file("ca.pem")], capture_output=True, text=True, timeout=60)
        self.assertEqual(said.returncode, 0, said.stderr)


class Clients(unittest.TestCase):
    """With tls_client_ca every client has to have a certificate."""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(daemon.Daemon(
            data, *use("server"), "--tls-client-ca", file("ca.pem"), "--threads", 1))

    def alert(self, client, version):
        context = authority.context(client)
        context.minimum_version = context.maximum_version = version
        with self.assertRaises(ssl.SSLError) as raised:
            with shake_hands(self.server, context) as connection:
                connection.recv(1)
        return str(raised.exception).lower().replace("_", " ")

    def test_one_of_the_authority_is_served(self):
        with shake_hands(self.server, authority.context((file("client.pem"), file("client.key")))) \
                as connection:
            self.assertEqual(ask(connection, "/v1/splits")[0], 200)

    def test_all_others_are_told_why_not(self):
        foreign = file("nobody.pem"), file("nobody.key")
        no_client = file("server.pem"), file("server.key")
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            self.assertIn("alert unknown ca", self.alert(foreign, version))
            self.assertIn("alert bad certificate", self.alert(no_client, version))
        self.assertIn("certificate required", self.alert(None, ssl.TLSVersion.TLSv1_3))
        self.assertIn("alert", self.alert(None, ssl.TLSVersion.TLSv1_2))


class Library(unittest.TestCase):
    """The C library and the command line against the real daemon."""

    @classmethod
    def setUpClass(cls):
        cls.tokens = file("tokens")
        cls.let_in(TOKEN)
        cls.server = cls.enterClassContext(daemon.Daemon(
            data, *use("server"), "--token-file", cls.tokens, "--threads", 1))
        cls.url = cls.server.url.replace("http:", "https:")
        with open(file("token"), "w", encoding="ascii") as words:
            words.write(TOKEN + "\n")

    @classmethod
    def let_in(cls, *tokens):
        with open(cls.tokens, "w", encoding="ascii") as lines:
            for token in tokens:
                lines.write(f"somebody {hashlib.sha256(token.encode()).hexdigest()}\n")

    def reload(self):
        self.server.process.send_signal(signal.SIGHUP)
        self.server.wait_for("tokens in")

    def drive(self, *options, url=None):
        """The last step of `get`: its name, "ok" or an error's name, and words."""
        done = subprocess.run([daemon.BUILD / "tests/client_driver", "get", "call_patience_s=3",
                               *options, url or self.url], capture_output=True, text=True,
                              timeout=60)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertNotIn(TOKEN, done.stdout)
        return (done.stdout.splitlines()[-1] + "  ").split(" ", 2)

    def refused(self, code, words, *options, url=None):
        _, name, text = self.drive(*options, url=url)
        self.assertEqual(name, code, text)
        self.assertIn(words, text)
        self.assertIn(url or self.url, text)

    CA = property(lambda self: f"ca_file={authority.path}")

    def test_with_authority_and_token_it_is_served(self):
        self.assertEqual(self.drive(self.CA, f"token={TOKEN}")[:2], ["samples", "ok"])
        self.assertEqual(self.drive(self.CA, f"token_file={file('token')}")[:2],
                         ["samples", "ok"])

    def test_a_certificate_that_is_not_to_be_trusted_is_told_at_once(self):
        self.refused("EACCES", "certificate", f"token={TOKEN}")
        self.refused("EACCES", "certificate", f"ca_file={other.path}", f"token={TOKEN}")
        authority.issue("elsewhere", alternative="DNS:elsewhere.example")
        authority.issue("past", days=-1)
        for name, words in (("elsewhere", "subject name"), ("past", "expired")):
            with daemon.Daemon(data, *use(name), "--threads", 1) as server:
                self.refused("EACCES", words, self.CA,
                             url=server.url.replace("http:", "https:"))

    def test_a_token_that_is_missing_or_wrong_is_told_with_its_status(self):
        self.refused("EACCES", "HTTP status 401: a bearer token is wanted", self.CA)
        self.refused("EACCES", "HTTP status 401: the bearer token is not known", self.CA,
                     f"token={TOKEN}x")

    def test_http_where_it_should_be_https_is_told_so(self):
        self.refused("EINVAL", "speaks TLS", url=self.server.url)

    def test_a_url_with_a_password_is_not_taken_nor_repeated(self):
        for user in f"somebody:{TOKEN}@", f":{TOKEN}@", "somebody@":
            _, name, text = self.drive(url=self.url.replace("//", f"//{user}"))
            self.assertEqual(name, "EINVAL")
            self.assertIn("no user or password", text)

    def test_a_token_that_is_taken_back_ends_a_stream(self):
        with subprocess.Popen([daemon.BUILD / "tests/client_driver", "step", self.CA,
                               f"token={TOKEN}", self.url], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as driver:
            try:
                def step():
                    driver.stdin.write("\n")
                    driver.stdin.flush()
                    return driver.stdout.readline()

                while driver.stdout.readline() != "stream ok\n":
                    self.assertIsNone(driver.poll())
                self.assertTrue(step().startswith(f"batch ok {self.url} "))
                self.let_in("somebody-elses-token")
                self.reload()
                said = step()
                while said.startswith("batch ok"):  # those under way
                    said = step()
                self.assertTrue(said.startswith("batch EACCES "), said)
                self.assertIn(f"{self.url}: HTTP status 401", said)
                self.let_in(TOKEN)  # and a new one goes on where it was
                self.reload()
                self.assertTrue(step().startswith("batch ok"))
            finally:
                driver.kill()
                self.let_in(TOKEN)
                self.reload()

    def test_a_certificate_is_shown_to_who_asks(self):
        with daemon.Daemon(data, *use("server"), "--tls-client-ca", file("ca.pem"), "--threads",
                           1) as server:
            url = server.url.replace("http:", "https:")

            def shows(name):
                return (self.CA, f"certificate_file={file(name)}.pem", f"key_file={file(name)}.key")

            self.assertEqual(self.drive(*shows("client"), url=url)[1], "ok")
            self.refused("EACCES", "wants another certificate", *shows("nobody"), url=url)
            self.refused("EACCES", "wants another certificate", self.CA, url=url)
            self.refused("EINVAL", "certificate", self.CA, f"certificate_file={file('none.pem')}",
                         url=url)

    def run_line(self, *words, url=None):
        return subprocess.run([daemon.COMMAND_LINE, "info", "--server", url or self.url,
                               *words], capture_output=True, text=True, timeout=60)

    def test_the_command_line_does_the_same(self):
        ca = "--ca-file", str(authority.path)
        done = self.run_line(*ca, "--token-file", file("token"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("train", done.stdout)
        for words, said in (((), "certificate"), (ca, "HTTP status 401")):
            done = self.run_line(*words)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(said, done.stderr)
        with daemon.Daemon(data, *use("server"), "--tls-client-ca", file("ca.pem"), "--threads",
                           1) as server:
            url = server.url.replace("http:", "https:")
            done = self.run_line(*ca, "--certificate-file", file("client.pem"), "--key-file",
                                 file("client.key"), url=url)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_no_log_has_a_token(self):
        self.drive(self.CA, f"token={TOKEN}")
        self.drive(self.CA, f"token={TOKEN}x")
        self.server.process.send_signal(signal.SIGHUP)
        self.server.wait_for("tokens in")
        self.assertFalse([line for line in self.server.log if TOKEN in line])


if __name__ == "__main__":
    unittest.main()
