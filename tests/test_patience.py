# SPDX-License-Identifier: Apache-2.0
"""How long libtwonmnist waits for servers that fail, how often it asks them, and whom it asks instead."""
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import daemon
from fake_server import FakeServer

DRIVER = daemon.BUILD / "tests/client_driver"
COMMAND_LINE = daemon.COMMAND_LINE
PROBLEM = {"Content-Type": "application/problem+json"}


def setUpModule():
    global folder, server, whole
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    whole = epoch(server.url)
    assert len(whole) > 20 and whole[-1] == "end ok", whole


def drive(*words, **environment):
    ended = subprocess.run([DRIVER, *map(str, words)], capture_output=True, text=True, timeout=300,
                           env={**os.environ, **environment})
    assert ended.returncode == 0, (ended.returncode, ended.stderr)
    return ended.stdout.splitlines()


def without_server(line):
    """A batch's line says which server it is from, and maybe at which address, behind "batch ok"."""
    return re.sub(r"^batch ok \S+( \(\S+\))?", "batch ok", line)


def epoch(*words):
    """All batches of an epoch, and how it ended."""
    lines = drive("epoch", *words)
    return [without_server(line) for line in lines[lines.index("stream ok") + 1:-1]]


def unused_url():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def swallow(case, address="127.0.0.1", port=0):
    """From now on connections to the port that is returned come to nothing, and nobody says so."""
    listener = case.enterContext(socket.socket())
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(0)
    for _ in range(4):  # more than it keeps: of the rest the system drops the first packet
        waiting = case.enterContext(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(listener.getsockname())
    with case.assertRaises(TimeoutError):
        socket.create_connection(listener.getsockname(), timeout=0.5)
    return listener.getsockname()[1]


class Steps:
    """A stream of which each batch is taken when the test says so."""

    def __init__(self, *words, driver=DRIVER):
        # A sanitizer keeps what was freed for a while, which would look like memory that grows.
        self.process = subprocess.Popen([driver, "step", *map(str, words)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, "ASAN_OPTIONS": "quarantine_size_mb=1"})
        while self.process.stdout.readline() != "stream ok\n":
            assert self.process.poll() is None, words
        self.lines = []
        self.said = ""

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.kill()
        self.process.communicate()

    def ask(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline().rstrip("\n")
        self.note(line)
        self.lines.append(without_server(line))
        return self.lines[-1]

    def note(self, line):
        """What else there is to see of a batch."""

    def take(self):
        self.ask()
        return self.answer()

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))


class Patience(unittest.TestCase):
    def fake(self, behave, real=None):
        return self.enterContext(FakeServer(behave, real or server))

    def test_requests_that_fail_together_count_once(self):
        first = set()

        def behave(fake, path, n):
            if "/batches/" in path and path not in first:
                first.add(path)
                return 503, {"Retry-After": "0"}, b""
            return fake.real(path)

        self.assertEqual(epoch("backoff_ms=50", self.fake(behave).url), whole)

    def test_retry_after_survives_answers_to_what_was_sent_before(self):
        def is_first(path):
            return "/batches/0." in path

        def behave(fake, path, n):
            if is_first(path) and sum(map(is_first, fake.paths)) == 1:
                return 503, {"Retry-After": "2"}, b""
            if "/batches/" in path:
                fake.closing.wait(0.1)  # these are answered a little later
            return fake.real(path)

        fake = self.fake(behave)
        self.assertEqual(epoch("backoff_ms=1", fake.url), whole)
        refused, again = [at for path, at in zip(fake.paths, fake.times) if is_first(path)]
        self.assertGreaterEqual(again - refused, 1.9)

    def test_cancelling_clears_no_rest(self):
        def behave(fake, path, n):
            if "/batches/" not in path:
                return fake.real(path)
            with fake.lock:
                before = sum("/batches/" in earlier for earlier in fake.paths[:n])
            if "/batches/0." in path and before < 8:
                return None
            return (503, {"Retry-After": "2"}, b"") if before < 8 else fake.real(path)

        fake = self.fake(behave)
        lines = drive("cancel-stream", fake.url)
        self.assertEqual(lines[-1].split(" ")[:2], ["next", "ok"])
        batches = [at for path, at in zip(fake.paths, fake.times) if "/batches/" in path]
        self.assertGreaterEqual(batches[8] - batches[7], 1.8)

    def test_a_lone_daemon_that_comes_back_costs_its_absence_alone(self):
        with daemon.Daemon(folder) as first:
            steps = self.enterContext(Steps(first.url))
            for _ in range(10):
                steps.take()
            memory = steps.memory_kb()
            first.stop(signal.SIGKILL)
            while "waiting for" not in steps.said:  # those that were fetched ahead come first
                steps.ask()
                answered = threading.Thread(target=steps.answer)
                answered.start()
                answered.join(3.5)
                if answered.is_alive():
                    steps.said = steps.process.stderr.readline()
        self.assertRegex(steps.said, rf"^waiting for {first.url} \(.*\), [2-9] s of 300$")
        answered.join(3)  # the daemon is away for more than 5 s in all
        self.assertTrue(answered.is_alive())
        with daemon.Daemon(folder, listen=f"127.0.0.1:{first.port}"):
            back = time.monotonic()
            answered.join(60)
            self.assertLess(time.monotonic() - back, 5)
            while steps.lines[-1:] != ["end ok"]:
                after = steps.memory_kb()
                steps.take()
        self.assertEqual(steps.lines, whole)
        self.assertLess(after, memory + 20000)

    def test_a_busy_server_is_not_hammered_and_given_up_in_time(self):
        fake = self.fake(lambda fake, path, n: (503, {}, b"") if "/batches/" in path
                         else fake.real(path))
        began = time.monotonic()
        lines = epoch("patience_s=3", fake.url)
        took = time.monotonic() - began
        self.assertRegex(lines[-1], "^end EHOSTUNREACH .*503")
        self.assertGreaterEqual(took, 2.9)
        self.assertLess(took, 20)
        batches = [path for path in fake.paths if "/batches/" in path]
        self.assertLessEqual(len(batches), 8 + 8)  # the depth, and tries after 100, 200, 400 … ms

    def test_a_cluster_of_busy_servers_is_not_hammered(self):
        fakes = [self.fake(lambda fake, path, n: (503, {"Retry-After": "1"}, b"")
                           if "/batches/" in path else fake.real(path)) for _ in range(3)]
        lines = epoch("patience_s=3", *(fake.url for fake in fakes))
        self.assertRegex(lines[-1], "^end EHOSTUNREACH .*503")
        for fake in fakes:
            batches = [path for path in fake.paths if "/batches/" in path]
            self.assertLessEqual(len(batches), 8 + 4)

    def test_a_single_call_says_what_it_waits_for_and_gives_up_sooner(self):
        url = unused_url()
        ended = subprocess.run([COMMAND_LINE, "info", "--server", url], capture_output=True,
                               text=True, timeout=100)
        said = ended.stderr.splitlines()
        self.assertEqual(len(said), 2)
        self.assertRegex(said[0], rf"^twonmnist: waiting for {url} \(connection refused\), "
                                  r"[2-9] s of 10$")
        self.assertRegex(said[1], rf"^twonmnist: .*{url}: connection refused$")

    def test_a_stream_goes_on_at_the_same_batch_after_an_error(self):
        broken = threading.Event()
        fake = self.fake(lambda fake, path, n: (503, {}, b"")
                         if "/batches/" in path and broken.is_set() else fake.real(path))
        with Steps("patience_s=0", "connections=1", fake.url) as steps:
            steps.take()
            broken.set()
            while steps.take().startswith("batch ok"):
                pass
            self.assertRegex(steps.lines.pop(), "^batch EHOSTUNREACH")
            broken.clear()
            while steps.lines[-1] != "end ok":
                if steps.take().startswith("batch EHOSTUNREACH"):  # it was asked for ahead
                    steps.lines.pop()
        self.assertEqual(steps.lines, whole)

    def test_a_probing_request_that_ends_otherwise_lets_others_go_on(self):
        def behave(fake, path, n):
            if "/batches/" not in path:
                return fake.real(path)
            with fake.lock:
                before = sum("/batches/" in earlier for earlier in fake.paths[:n])
            if before == 1:  # the probe
                return 200, {"Content-Type": "application/x-safetensors"}, b" " * 1000001
            return (503, {}, b"") if before == 0 else fake.real(path)

        fake = self.fake(behave)
        with Steps("max_answer_mb=1", "connections=1", fake.url) as steps:
            began = time.monotonic()
            while steps.lines[-1:] != ["end ok"]:
                if "EMSGSIZE" in steps.take():
                    steps.lines.pop()
            self.assertLess(time.monotonic() - began, 20)
        self.assertEqual(steps.lines, whole)


class OtherServers(unittest.TestCase):
    def fake(self, behave):
        return self.enterContext(FakeServer(behave, server))

    def test_a_server_that_hangs_is_left_for_others_in_time(self):
        fake = self.fake(lambda fake, path, n: None if "/batches/" in path else fake.real(path))
        began = time.monotonic()
        self.assertEqual(epoch(fake.url, server.url), whole)
        self.assertLess(time.monotonic() - began, 12)  # less than one stall_timeout_s
        self.assertLess(sum("/batches/" in path for path in fake.paths), len(whole) // 2)

    def test_ways_that_swallow_connections_are_left_for_others_in_time(self):
        """As the addresses of nodes that are away: no connection, and no refusal."""
        for n in 1, 2:
            with self.subTest(n=n):
                ways = [f"http://127.0.0.1:{swallow(self)}" for _ in range(n)]
                began = time.monotonic()
                self.assertEqual(epoch("connect_timeout_ms=120000", "stall_timeout_s=120",
                                       *ways, server.url), whole)
                self.assertLess(time.monotonic() - began, 60)  # half of what any limit says

    def test_a_daemon_that_is_stopped_is_asked_whether_it_is_back_not_for_batches(self):
        with daemon.Daemon(folder) as other:
            steps = self.enterContext(Steps(server.url, other.url))
            for _ in range(4):
                steps.take()
            other.process.send_signal(signal.SIGSTOP)
            try:
                began = time.monotonic()
                while steps.take() != "end ok":
                    pass
                self.assertLess(time.monotonic() - began, 12)
            finally:
                other.process.send_signal(signal.SIGCONT)
        self.assertEqual(steps.lines, whole)

    def test_a_silent_server_is_probed_by_readyz(self):
        hang = threading.Event()
        fake = self.fake(lambda fake, path, n: None if hang.is_set() else fake.real(path))

        def be_slower(fake, path, n):  # or it may happen that nobody asks the other
            fake.closing.wait(0.2)
            return fake.real(path)

        with Steps(fake.url, self.fake(be_slower).url) as steps:
            for _ in range(3):
                steps.take()
            hang.set()
            while "/readyz" not in fake.paths and steps.take() != "end ok":
                time.sleep(0.02)  # a model that trains
            self.assertIn("/readyz", fake.paths)
            hang.clear()
            while steps.lines[-1:] != ["end ok"]:
                steps.take()
        self.assertEqual(steps.lines, whole)

    def test_a_slow_server_is_asked_for_little(self):
        def slowly(fake, path, n):
            began = time.monotonic()
            answer = fake.real(path)
            time.sleep(0.1 + 10 * (time.monotonic() - began))  # however busy the machine is
            return answer

        slow, fast = self.fake(slowly), self.fake(lambda fake, path, n: fake.real(path))
        self.assertEqual(epoch(slow.url, fast.url), whole)
        batches = [sum("/batches/" in path for path in fake.paths) for fake in (slow, fast)]
        self.assertLess(batches[0], batches[1] / 2)

    def test_a_damaged_split_concerns_that_split_alone(self):
        damaged = b'{"code": "split-damaged", "detail": "split train is damaged"}'
        fake = self.fake(lambda fake, path, n: (500, PROBLEM, damaged)
                         if "/batches/" in path or path == "/readyz" else fake.real(path))
        as_fast = self.fake(lambda fake, path, n: fake.real(path))
        self.assertEqual(epoch(fake.url, as_fast.url), whole)
        began = time.monotonic()
        self.assertRegex(epoch(fake.url)[-1], "^end EBADMSG .*is damaged")
        self.assertLess(time.monotonic() - began, 20)


class Transport(unittest.TestCase):
    def fake(self, behave):
        return self.enterContext(FakeServer(behave, server))

    def test_a_byte_now_and_then_is_a_stall(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            driver = subprocess.Popen([DRIVER, "get", "stall_timeout_s=1", "call_patience_s=0",
                                       url], stdout=subprocess.PIPE, text=True)
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n")
                deadline = time.monotonic() + 30
                try:
                    while driver.poll() is None and time.monotonic() < deadline:
                        connection.sendall(b" ")
                        try:
                            driver.wait(timeout=0.1)
                        except subprocess.TimeoutExpired:
                            pass
                except OSError:
                    pass
            self.assertLess(time.monotonic(), deadline)
            self.assertIn("split ETIMEDOUT", driver.communicate()[0])

    def test_a_certificate_that_is_not_trusted_is_not_tried_again(self):
        if not shutil.which("openssl"):
            self.skipTest("there is no openssl command to make a certificate")
        key, certificate = folder / "server.key", folder / "server.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        fake = self.enterContext(FakeServer(lambda fake, path, n: fake.real(path), server,
                                            certificate=(certificate, key)))
        began = time.monotonic()
        line = drive("get", "call_patience_s=60", fake.url)[-1]
        self.assertLess(time.monotonic() - began, 30)
        self.assertRegex(line, f"^split EACCES .*{fake.url}: .*certificate is not to be trusted")

    def test_a_redirect_is_named_with_where_it_leads(self):
        fake = self.fake(lambda fake, path, n: (301, {"Location": "https://login.example/"}, b""))
        line = drive("get", fake.url)[-1]
        self.assertRegex(line, "^split EPROTO .*301.*https://login.example/.*not followed")

    def test_proxies_of_the_environment_are_obeyed_when_asked_alone(self):
        dead = {"http_proxy": unused_url(), "no_proxy": ""}
        self.assertEqual(drive("get", server.url, **dead)[-1].split()[:2], ["samples", "ok"])
        quick = ("get", "call_patience_s=0")
        line = drive(*quick, "proxy=environment", server.url, **dead)[-1]
        self.assertEqual(line.split()[:2], ["split", "EHOSTUNREACH"])
        seen = []

        def behave(fake, path, n):
            seen.append(path)
            return fake.real(path.removeprefix(server.url))

        proxy = self.fake(behave)
        for words in ({"proxy": proxy.url}, {"proxy": "environment"}):
            seen.clear()
            lines = drive(*quick, f"proxy={words['proxy']}", server.url,
                          **{"http_proxy": proxy.url, "no_proxy": ""})
            self.assertEqual(lines[-1].split()[:2], ["samples", "ok"])
            self.assertEqual([path.startswith(server.url + "/v1/") for path in seen], [True, True])


if __name__ == "__main__":
    unittest.main()
