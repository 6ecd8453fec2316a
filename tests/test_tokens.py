#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bearer tokens: who is served, who is not and what he is told; the file, and its reload."""
import datetime
import hashlib
import os
import pathlib
import pty
import signal
import socket
import subprocess
import termios
import unittest

import daemon
import wire

ALICE, BOB, OLD = "alice-knows-this-token", "Bob/knows+this.token~==", "this-was-good-for-a-while"
OPEN = ["/healthz", "/readyz", "/healthz.json"]


def setUpModule():
    global folder, data
    folder = pathlib.Path(unittest.enterModuleContext(daemon.temporary_folder()))
    data = daemon.generate(folder / "data", "--count", "60,20", source="synthetic")


def line(name, token, *more):
    return " ".join([name, hashlib.sha256(token.encode()).hexdigest(), *more])


def write(*lines, name="tokens"):
    path = folder / name
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


class Served(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        path = write("# who may", "", line("alice", ALICE), line("bob", BOB, "2999-12-31") + " # B",
                     line("old", OLD, "2020-02-29T12:00:00Z"), name="served")
        cls.server = cls.enterClassContext(daemon.Daemon(data, "--token-file", path))

    def refused(self, code, path="/v1/splits", method="GET", body=None, **headers):
        answer = self.server.get(path, method=method, body=body, **headers)
        self.assertEqual(answer.status, 401)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertTrue(answer.headers["WWW-Authenticate"].startswith("Bearer realm="))
        if method != "HEAD":
            self.assertEqual(answer.json()["code"], code)
        return answer

    def test_who_has_one_is(self):
        for token in ALICE, BOB:
            self.assertEqual(self.server.get("/v1/splits", **bearer(token)).status, 200)
        self.assertEqual(self.server.get("/v1/splits", Authorization=f"bearer   {ALICE} ").status,
                         200)

    def test_a_cache_may_not_give_what_one_got_to_others(self):
        """RFC 9111, 3.5: "public" would allow it."""
        revision = self.server.get("/v1/splits/train", **bearer(ALICE)).json()["revision"]
        for path, kept in ((f"/v1/splits/train@{revision}/samples/0.bin", "max-age=31536000, immutable"),
                           ("/v1/splits/train/samples/0.bin", "no-cache")):
            answer = self.server.get(path, **bearer(ALICE))
            self.assertEqual(answer.headers["Cache-Control"], kept)
            self.assertIn("Authorization", answer.headers["Vary"].split(", "))

    def test_who_has_none_is_not_whatever_he_asks_for(self):
        challenge = self.refused("token-missing").headers["WWW-Authenticate"]
        self.assertNotIn("error", challenge)
        for path in ("/v1", "/nothing", "/v1/splits/train/samples/0.bin", "/v1/splits/none",
                     "/healthz/", "/healthzz", "/healthz.x/../v1/splits", "//healthz",
                     "/v1/splits/healthz", "/metrics"):
            self.refused("token-missing", path)
        self.refused("token-missing", method="HEAD")
        self.refused("token-missing", Authorization="Basic YWxpY2U6eA==")
        self.refused("token-missing", Authorization=f"Bearerx {ALICE}")

    def test_who_has_another_is_not_and_is_told(self):
        for value in ("Bearer x", f"Bearer {ALICE}x", f"Bearer {ALICE[:-1]}",
                      f"Bearer {ALICE.upper()}", "Bearer", "Bearer =", f"Bearer {ALICE} {ALICE}",
                      f"Bearer {ALICE}, Bearer {ALICE}", f"Bearer \"{ALICE}\"",
                      f"Bearer {line('alice', ALICE).split()[1]}", "Bearer " + "a" * 5000):
            answer = self.refused("token-wrong", Authorization=value)
            self.assertIn('error="invalid_token"', answer.headers["WWW-Authenticate"])
            self.assertNotIn(ALICE, answer.body.decode())

    def test_two_are_none(self):
        with wire.connect(self.server) as connection:
            connection.sendall(wire.request("/v1/splits", f"Authorization: Bearer {ALICE}",
                                            f"Authorization: Bearer {BOB}"))
            self.assertEqual(wire.receive_answer(connection)[0], 401)

    def test_one_that_has_expired_is_told_so(self):
        answer = self.refused("token-expired", **bearer(OLD))
        self.assertIn("expired", answer.json()["detail"])
        self.assertIn("expired", answer.headers["WWW-Authenticate"])

    def test_health_is_open(self):
        for path in OPEN:
            self.assertEqual(self.server.get(path).status, 200, path)
            self.assertEqual(self.server.get(path, **bearer("wrong")).status, 200, path)

    def test_a_refusal_keeps_the_connection_and_reads_the_body_without_keeping_it(self):
        with wire.connect(self.server) as connection:
            for _ in range(3):
                body = b'{"indices": [1]}' + b" " * 100000
                connection.sendall(wire.request(
                    "/v1/splits/train/batch.json", f"Content-Length: {len(body)}", method="POST")
                    + body)
                self.assertEqual(wire.receive_answer(connection)[0], 401)
            connection.sendall(wire.request("/v1/splits", f"Authorization: Bearer {ALICE}"))
            self.assertEqual(wire.receive_answer(connection)[0], 200)


class Reloaded(unittest.TestCase):
    def reload(self, server, words):
        server.process.send_signal(signal.SIGHUP)
        return server.wait_for(words)

    def status(self, server, token):
        return server.get("/v1/splits", **bearer(token)).status

    def test_a_hangup_lets_in_and_shuts_out(self):
        path = write(line("alice", ALICE))
        with daemon.Daemon(data, "--token-file", path) as server, \
                wire.connect(server) as connection:
            def ask():
                connection.sendall(wire.request("/v1/splits", f"Authorization: Bearer {ALICE}"))
                return wire.receive_answer(connection)[0]

            self.assertEqual((ask(), self.status(server, BOB)), (200, 401))
            write(line("bob", BOB))
            self.reload(server, "1 tokens in")
            self.assertEqual((ask(), self.status(server, BOB)), (401, 200))
            write()
            self.reload(server, "0 tokens in")
            self.assertEqual((ask(), self.status(server, BOB)), (401, 401))
            write(line("alice", ALICE), line("alice", BOB))  # one name, while a token is replaced
            self.reload(server, "2 tokens in")
            self.assertEqual((ask(), self.status(server, BOB)), (200, 200))

    def test_a_file_that_is_wrong_is_named_and_the_tokens_from_before_stay(self):
        path = write(line("alice", ALICE))
        with daemon.Daemon(data, "--token-file", path) as server:
            write(line("alice", ALICE), "bob zzz")
            said = self.reload(server, "the tokens from before are used on")
            self.assertIn(f"{path}: line 2", said)
            self.assertEqual(self.status(server, ALICE), 200)
            path.unlink()
            said = self.reload(server, "the tokens from before are used on")
            self.assertIn(f"{path}: No such file", said)
            self.assertEqual(self.status(server, ALICE), 200)

    def test_one_ends_when_its_time_comes(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        soon = (now + datetime.timedelta(seconds=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
        path = write(line("alice", ALICE, soon), line("bob", BOB, now.strftime("%Y-%m-%d")))
        with daemon.Daemon(data, "--token-file", path) as server:
            daemon.wait_until(lambda: self.status(server, ALICE) == 401)
            self.assertGreaterEqual(datetime.datetime.now(datetime.timezone.utc).timestamp(),
                                    int(now.timestamp()) + 3)


class Started(unittest.TestCase):
    def refused(self, words, *options):
        for check in ((), ("--check-config",)):
            said = subprocess.run([daemon.DAEMON, "--data", data, "--listen", "127.0.0.1:0",
                                   *options, *check], capture_output=True, text=True, timeout=60)
            self.assertEqual(said.returncode, 1, said.stderr)
            self.assertIn(words, said.stderr)

    def test_a_file_that_is_wrong_is_told_with_its_line(self):
        for lines, words in (
                (["alice"], "line 1: it is not"),
                (["# x", "", line("alice", ALICE, "2027-01-31", "more")], "line 3: it is not"),
                ([line("al ice", ALICE)], "line 1: the hash has 3 characters"),
                ([line("al\u00e4", ALICE)], "byte 0xc3"),
                ([line("a" * 64, ALICE)], "64 characters, not 1 to 63"),
                ([line("alice", ALICE)[:-1]], "the hash has 63 characters"),
                ([line("alice", ALICE)[:-1] + "g"], "the first 63 are hexadecimal"),
                ([line("alice", ALICE, "tomorrow")], "\"tomorrow\" is no time of expiry"),
                ([line("alice", ALICE, "2027-02-30")], "no time of expiry"),
                ([line("alice", ALICE, "2027-1-1")], "no time of expiry"),
                ([line("alice", ALICE), line("bob", ALICE).upper()], "line 2: alice has this hash"),
                ([line("alice", ALICE) + "\0x"], "line 1: there is a NUL"),
        ):
            path = write(*lines, name="wrong")
            self.refused(words, "--token-file", path)
            self.refused(f"token_file: {path}: ", "--token-file", path)
        self.refused("none: No such file", "--token-file", folder / "none")

    def test_beyond_this_machine_somebody_is_asked_or_it_is_allowed(self):
        self.refused("allow_anonymous", "--listen", "0.0.0.0:0")
        path = write(line("alice", ALICE), name="beyond")
        for options in (("--token-file", path), ("--allow-anonymous", "yes")):
            said = subprocess.run([daemon.DAEMON, "--check-config", "--listen", "0.0.0.0:1",
                                   *options], capture_output=True, text=True, timeout=60)
            self.assertEqual(said.returncode, 0, said.stderr)

    def test_one_that_is_allowed_to_all_asks_for_tokens_where_there_are_some(self):
        path = write(line("alice", ALICE), name="both")
        with daemon.Daemon(data, "--token-file", path, "--allow-anonymous", "yes") as server:
            self.assertEqual(server.get("/v1/splits").status, 401)

    def test_a_unix_socket_asks_as_well(self):
        path, name = write(line("alice", ALICE), name="unix"), folder / "socket"
        with daemon.Daemon(data, "--token-file", path, "--listen", f"unix:{name}") as server:
            server.wait_for("listening on unix:")
            for headers, status in (((), 401), ((f"Authorization: Bearer {ALICE}",), 200)):
                with socket.socket(socket.AF_UNIX) as connection:
                    connection.settimeout(wire.STALL_S)
                    connection.connect(str(name))
                    connection.sendall(wire.request("/v1/splits", *headers))
                    self.assertEqual(wire.receive_answer(connection)[0], status)


class Hashed(unittest.TestCase):
    def run_with(self, text, *options):
        return subprocess.run([daemon.DAEMON, *options], input=text, capture_output=True, text=True,
                              timeout=60)

    def test_a_token_becomes_the_line_that_lets_it_in(self):
        said = self.run_with(ALICE + "\nrest", "--hash-token=alice")
        self.assertEqual((said.returncode, said.stdout), (0, line("alice", ALICE) + "\n"))
        said = self.run_with(ALICE, "--hash-token")
        self.assertEqual(said.stdout.split()[1], line("alice", ALICE).split()[1])
        path = folder / "hashed"
        path.write_text(said.stdout, encoding="ascii")
        with daemon.Daemon(data, "--token-file", path) as server:
            self.assertEqual(server.get("/v1/splits", **bearer(ALICE)).status, 200)

    def test_what_is_none_is_refused_and_not_repeated(self):
        for text, words in (("", "empty"), ("\n" + ALICE, "empty"), ("short", "5 characters"),
                            ("with blanks in it, twice", "0x20"), ("b" * 5000, "4096"),
                            ("=" * 20, "characters")):
            said = self.run_with(text, "--hash-token")
            self.assertEqual(said.returncode, 2)
            self.assertIn(words, said.stderr)
            self.assertFalse(text.strip() and text.strip() in said.stderr)
        self.assertIn("the name", self.run_with(ALICE, "--hash-token=al ice").stderr)

    def typed(self, text):
        master, slave = pty.openpty()
        try:
            before = termios.tcgetattr(slave)
            with subprocess.Popen([daemon.DAEMON, "--hash-token=alice"], stdin=slave,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
                self.assertEqual(process.stderr.read(7), b"Token: ")
                os.write(master, text)
                try:
                    out, _ = process.communicate(timeout=60)
                finally:
                    process.kill()
            self.assertEqual(termios.tcgetattr(slave), before)  # the echo is back
            os.set_blocking(master, False)
            try:
                echoed = os.read(master, 10000)
            except BlockingIOError:
                echoed = b""
            return process.returncode, out.decode(), echoed
        finally:
            os.close(master)
            os.close(slave)

    def test_a_terminal_does_not_show_it(self):
        status, out, echoed = self.typed(ALICE.encode() + b"\n")
        self.assertEqual((status, out), (0, line("alice", ALICE) + "\n"))
        self.assertNotIn(b"alice", echoed)

    def test_an_interrupt_gives_the_echo_back(self):
        self.assertEqual(self.typed(b"half of a tok\x03")[:2], (2, ""))


if __name__ == "__main__":
    unittest.main()
