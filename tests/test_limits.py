#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much one address may ask for; and descriptors, when there are not enough."""
import json
import re
import resource
import subprocess
import unittest

import daemon
import wire

WINDOW_S = 10
SAMPLE = "/v1/splits/train/samples/0.bin"


def setUpModule():
    global data
    data = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()), "--count",
                           "60,20", source="synthetic")


def ask(server, path="/v1/splits", source=None, **options):
    with wire.connect(server, source=source) as connection:
        connection.sendall(wire.request(path, **options))
        return wire.receive_answer(connection)


class Rates(unittest.TestCase):
    def refusal(self, answer, policy, quota, unit=""):
        """Check a 429, and return after how many seconds to come back."""
        status, head, body = answer
        self.assertEqual(status, 429, body)
        problem, head = json.loads(body), head.decode()
        self.assertEqual(problem["code"], "rate-limited")
        wait_s = int(re.search(r"\r\nRetry-After: (\d+)", head)[1])
        self.assertGreaterEqual(wait_s, 1)
        self.assertIn(f"\r\nRateLimit-Policy: \"{policy}\";q={quota}{unit};w={WINDOW_S}\r\n", head)
        self.assertIn(f"\r\nRateLimit: \"{policy}\";r=0;t={wait_s}\r\n", head)
        self.assertIn("\r\nCache-Control: no-store\r\n", head)
        return wait_s

    def ask_until_refused(self, server):
        answers = []
        while not answers or answers[-1][0] != 429:
            answers.append(ask(server))
            self.assertLess(len(answers), 1000)
        return answers

    def test_requests_past_the_rate_are_refused_until_it_is_made_up_for(self):
        with daemon.Daemon(data, "--requests-per-second-per-address", 1, "--threads", 2) as server:
            answers = self.ask_until_refused(server)
            self.assertGreaterEqual(len(answers), WINDOW_S + 1)
            for status, head, _ in answers[:-1]:
                self.assertEqual(status, 200)
                self.assertNotIn(b"RateLimit", head)
            wait_s = self.refusal(answers[-1], "requests", WINDOW_S)
            self.assertLessEqual(wait_s, 1)
            self.assertIn(b"requests_per_second_per_address", answers[-1][2])
            self.assertEqual(ask(server, source="127.0.0.2")[0], 200)  # another address
            for _ in range(50):  # neither counted nor refused
                self.assertEqual(ask(server, "/healthz")[0], 200)
            daemon.wait_until(lambda: ask(server)[0] == 200)

    def test_bytes_past_the_rate_are_a_debt(self):
        with daemon.Daemon(data, "--bytes-per-second-per-address", 1000) as server:
            status, _, body = ask(server, "/v1/splits/train.safetensors")  # larger than it may be
            self.assertEqual(status, 200)
            self.assertGreater(len(body), 100 * WINDOW_S * 1000)
            wait_s = self.refusal(ask(server), "bytes", WINDOW_S * 1000, ";qu=\"content-bytes\"")
            owed_s = (len(body) - WINDOW_S * 1000) / 1000
            self.assertTrue(owed_s - 60 < wait_s <= owed_s + 2, (wait_s, owed_s))
            self.refusal(ask(server), "bytes", WINDOW_S * 1000, ";qu=\"content-bytes\"")
            self.assertEqual(ask(server, source="127.0.0.2")[0], 200)

    def test_what_is_not_sent_costs_nothing(self):
        with daemon.Daemon(data, "--bytes-per-second-per-address", 1) as server, \
                wire.connect(server) as connection:
            for _ in range(20):
                connection.sendall(wire.request(SAMPLE, method="HEAD"))
                self.assertIn(b" 200 ", connection.recv(65536).partition(b"\r\n")[0])
            self.assertEqual(ask(server, SAMPLE)[0], 200)
            self.assertEqual(ask(server, SAMPLE)[0], 429)

    def test_without_limits_nobody_is_refused(self):
        with daemon.Daemon(data) as server, wire.connect(server) as connection:
            for _ in range(300):
                connection.sendall(wire.request(SAMPLE))
                self.assertEqual(wire.receive_answer(connection)[0], 200)

    def test_wrong_tokens_count_as_well(self):
        with daemon.temporary_folder() as folder:
            path = f"{folder}/tokens"
            with open(path, "w", encoding="ascii") as file:
                file.write("nobody " + "0" * 64 + "\n")
            with daemon.Daemon(data, "--requests-per-second-per-address", 1, "--token-file",
                               path) as server:
                statuses = {answer[0] for answer in self.ask_until_refused(server)}
                self.assertEqual(statuses, {401, 429})


class Clients(unittest.TestCase):
    def test_a_stream_goes_slower_and_loses_nothing(self):
        with daemon.Daemon(data, "--requests-per-second-per-address", 4) as server:
            while ask(server)[0] == 200:
                pass
            done = subprocess.run([daemon.BUILD / "tests/client_driver", "epoch", server.url],
                                  capture_output=True, text=True, timeout=100)
        steps = [line.split()[:2] for line in done.stdout.splitlines()]
        self.assertNotIn(["end", "EHOSTUNREACH"], steps, done.stdout)
        self.assertIn(["end", "ok"], steps)
        self.assertGreater(steps.count(["batch", "ok"]), 3)
        self.assertGreater(int(done.stdout.split()[-1]), 0)  # tries that were refused


class Told(unittest.TestCase):
    def test_every_limit_is_a_setting_with_a_name_and_a_value(self):
        names = {"max_connections", "max_connections_per_address", "max_batch_size",
                 "max_answer_bytes", "max_pending_bytes", "max_pending_bytes_per_address",
                 "max_body_bytes", "max_url_bytes", "max_header_bytes", "queue_length",
                 "queue_cost_ms", "idle_timeout_s", "request_timeout_s", "least_rate",
                 "requests_per_second_per_address", "bytes_per_second_per_address"}
        with daemon.Daemon(data, "--requests-per-second-per-address", 77) as server:
            limits = server.get("/v1/splits").json()["limits"]
        self.assertLessEqual(names, set(limits))
        self.assertEqual(limits["requests_per_second_per_address"], 77)


class Descriptors(unittest.TestCase):
    def test_fewer_than_connections_are_told_at_the_start(self):
        with daemon.Daemon(data, "--max-connections", 5000,
                           before=("prlimit", "--nofile=100:100")) as server:
            said = [line for line in server.log if "RLIMIT_NOFILE" in line]
            self.assertEqual(len(said), 1, server.log)
            self.assertRegex(said[0], r"max_connections is \d+ instead of 5000")
            limit = server.get("/v1/splits").json()["limits"]["max_connections"]
            self.assertIn(f"max_connections is {limit} ", said[0])

    def test_out_of_them_it_serves_on_and_says_so_once(self):
        with daemon.Daemon(data, "--threads", 1, "--log-level", 3) as server, \
                wire.connect(server) as served:
            def still_serves():
                served.sendall(wire.request(SAMPLE))
                self.assertEqual(wire.receive_answer(served)[0], 200)

            still_serves()
            limits = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (1, limits[1]))
            waiting = [self.enterContext(wire.connect(server)) for _ in range(3)]
            said = server.wait_for("clients have to wait")
            self.assertIn("Too many open files", said)
            for _ in range(20):
                still_serves()
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, limits)
            for connection in waiting:
                connection.sendall(wire.request(SAMPLE))
                self.assertEqual(wire.receive_answer(connection)[0], 200)
            still_serves()
            server.stop()
            self.assertEqual(len([line for line in server.log if "have to wait" in line]), 1)


if __name__ == "__main__":
    unittest.main()
