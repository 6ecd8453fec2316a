# SPDX-License-Identifier: Apache-2.0
"""What /metrics tells, of a daemon that was asked this and that; who is told."""
import hashlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

import daemon
import prometheus

GOOD, OLD = "a-token-that-alice-has", "a-token-that-was-good"
HEAVY = "/v1/pairs/nmnist-train/7/batches/0.safetensors?size=64"


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.data = daemon.generate(cls.enterClassContext(daemon.temporary_folder()))

    def serving(self, *options, **more):
        """With one loop: what it has answered is counted when it looks at the next request."""
        server = self.enterContext(
            daemon.Daemon(self.data, "--admin-listen", "127.0.0.1:0", "--threads", 1, *options,
                          **more))
        prometheus.find_admin(server)
        return server


class Told(Case):
    def test_every_metric_of_the_table_and_no_other(self):
        server = self.serving()
        server.get("/v1/splits/train/samples/1.bin")
        server.get(HEAVY)
        page = prometheus.scrape(server)
        self.assertEqual(page.types, prometheus.table())
        self.assertEqual({name for name in page.types if not page.samples_of(name)},
                         {"twonmnist_token_requests_total"})
        for name in page.names():
            self.assertIn(name, page.known())

    def test_promtool_finds_nothing_wrong(self):
        promtool = prometheus.promtool(self)
        server = self.serving()
        server.get(HEAVY)
        text = prometheus.fetch(server)
        subprocess.run([promtool, "check", "metrics"], input=text, text=True, check=True)

    def test_requests_by_route_format_and_code(self):
        server = self.serving()
        for path in ["/v1/splits/train/samples/1.bin"] * 3 + ["/v1/splits/train/samples/1.npy",
                     "/v1/splits/train/samples/999999.bin", "/nothing/here", HEAVY]:
            server.get(path)
        server.get("/v1/splits/train/samples/1.bin", If_None_Match="*")
        page = prometheus.scrape(server)
        sample = "/v1/splits/{split}/samples/{i}"
        self.assertEqual(
            page.values("twonmnist_http_requests_total", "route", "format", "code"),
            {(sample, "bin", "200"): 3, (sample, "npy", "200"): 1, (sample, "bin", "404"): 1,
             (sample, "bin", "304"): 1, ("none", "none", "404"): 1,
             ("/v1/pairs/{source}/{seed}/batches/{k}", "safetensors", "200"): 1})
        durations = page.values("twonmnist_http_request_duration_seconds_count", "route")
        self.assertEqual(durations[sample,], 6)
        self.assertEqual(page.value("twonmnist_mixes_total"), 64)
        self.assertEqual(page.value("twonmnist_queue_wait_seconds_count"), 1)
        self.assertGreater(page.value("twonmnist_worker_seconds_total"), 0)
        self.assertEqual(page.value("twonmnist_queue_requests"), 0)

    def test_bytes_are_those_of_the_bodies(self):
        server = self.serving()
        n_bytes = len(server.get("/v1/splits/train/samples/1.bin").body)
        server.get("/v1/splits/train/samples/1.bin", method="HEAD")
        body = b'{"indices": [1]}'
        n_batch = len(server.get("/v1/splits/train/batch.safetensors", "POST", body).body)
        page = prometheus.scrape(server)
        self.assertEqual(page.value("twonmnist_http_sent_bytes_total"), n_bytes + n_batch)
        self.assertEqual(page.value("twonmnist_http_received_bytes_total"), len(body))
        sizes = page.values("twonmnist_http_response_size_bytes_sum", "format")
        self.assertEqual(sizes, {("bin",): n_bytes, ("safetensors",): n_batch})

    def test_splits_and_the_build(self):
        server = self.serving()
        page = prometheus.scrape(server)
        splits = server.get("/v1/splits").json()["splits"]
        self.assertEqual(page.values("twonmnist_split_samples", "split"),
                         {(split["name"],): split["samples"] for split in splits})
        self.assertEqual(set(page.values("twonmnist_split_info", "split", "revision")),
                         {(split["name"], split["revision"]) for split in splits})
        version = subprocess.run([daemon.DAEMON, "--version"], capture_output=True, text=True,
                                 check=True).stdout.split()[1]
        self.assertEqual(page.values("twonmnist_build_info", "version"), {(version,): 1})

    def test_how_far_scrubs_are(self):
        server = self.serving()
        page = daemon.wait_until(
            lambda: min((page := prometheus.scrape(server)).values(
                "twonmnist_split_verified", "split").values()) and page)
        self.assertEqual(page.values("twonmnist_split_scrub_bytes", "split"),
                         page.values("twonmnist_split_scrub_bytes_limit", "split"))
        ended = page.values("twonmnist_split_scrub_timestamp_seconds", "split").values()
        self.assertGreaterEqual(min(ended), page.value("process_start_time_seconds"))
        self.assertGreaterEqual(page.value("twonmnist_scrub_checks_total"),
                                sum(page.values("twonmnist_split_samples", "split").values()))
        self.assertEqual(page.value("twonmnist_scrub_faults_total"), 0)

    def test_the_process(self):
        server = self.serving()
        before = prometheus.scrape(server)
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(10)]
        for each in held:
            self.addCleanup(each.close)
        connections = before.value("twonmnist_connections")
        page = daemon.wait_until(
            lambda: (page := prometheus.scrape(server)).value("twonmnist_connections")
            >= connections + 10 and page)
        fds = len(os.listdir(f"/proc/{server.process.pid}/fd"))
        self.assertAlmostEqual(page.value("process_open_fds"), fds, delta=3)
        self.assertGreater(page.value("process_resident_memory_bytes"), 1 << 20)
        self.assertGreater(page.value("process_max_fds"), 10)
        started = os.stat(f"/proc/{server.process.pid}").st_ctime
        self.assertAlmostEqual(page.value("process_start_time_seconds"), started, delta=30)


class Counted(Case):
    def test_what_is_refused_because_the_queue_is_full(self):
        server = self.serving("--queue-length", 1)
        heavy = (b"GET /v1/splits/train/batch.json?indices=0,0,0,0,0,0&as=frames&bins=4096 HTTP/1.1"
                 b"\r\nHost: a\r\n\r\n")
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(6)]
        for each in held:
            self.addCleanup(each.close)
            each.sendall(heavy)
        page = daemon.wait_until(
            lambda: (page := prometheus.scrape(server)).values(
                "twonmnist_rejected_total", "reason")["queue_full",] >= 1 and page)
        self.assertLessEqual(page.value("twonmnist_queue_requests"), 1)
        self.assertGreater(page.value("twonmnist_http_requests_in_flight"), 0)
        for each in held:
            each.close()
        daemon.wait_until(
            lambda: prometheus.scrape(server).value("twonmnist_queue_requests") == 0)

    def test_clients_that_leave_before_the_answer_is_whole(self):
        server = self.serving()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"GET /v1/splits HTTP/1.1\r\nHost: ")
        aborted = daemon.wait_until(lambda: prometheus.scrape(server).values(
            "twonmnist_http_requests_aborted_total", "phase")["arriving",])
        self.assertEqual(aborted, 1)
        self.assertEqual(prometheus.scrape(server).value("twonmnist_http_requests_in_flight"), 1)

    def test_reloads_and_damage(self):
        folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        data = shutil.copytree(self.data, folder / "data")
        with daemon.Daemon(data, "--admin-listen", "127.0.0.1:0", "--watch-interval-s", 1) as server:
            prometheus.find_admin(server)
            (data / "broken.safetensors").write_bytes(b"nonsense")
            page = daemon.wait_until(
                lambda: (page := prometheus.scrape(server)).value("twonmnist_splits_passed_over")
                and page.values("twonmnist_reloads_total", "result")["success",]  # counted behind it
                and page)
            self.assertEqual(page.values("twonmnist_reloads_total", "result")["success",], 1)
            self.assertEqual(page.values("twonmnist_split_damaged", "split")["test",], 0)
            os.truncate(data / "test.safetensors", 100)
            daemon.wait_until(lambda: prometheus.scrape(server).values(
                "twonmnist_split_damaged", "split")["test",] == 1)


class Where(Case):
    def test_no_metrics_on_the_main_address_and_no_data_on_the_other(self):
        server = self.serving()
        self.assertEqual(server.get("/metrics").status, 404)
        for path in ("/healthz", "/readyz"):
            self.assertEqual(server.get(path).status, 200)
            with urllib.request.urlopen(server.admin + path, timeout=60) as answer:
                self.assertEqual(answer.status, 200)
        for path in ("/v1/splits", "/v1/splits/train/samples/0.bin", "/"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(server.admin + path, timeout=60)
            with refused.exception as answer:
                self.assertEqual(answer.code, 404)
                self.assertIn(b"/metrics", answer.read())

    def test_they_are_told_when_no_other_connection_has_room(self):
        server = self.serving("--max-connections", 2)
        held = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(4)]
        for each in held:
            self.addCleanup(each.close)
        daemon.wait_until(lambda: prometheus.scrape(server).values(
            "twonmnist_accept_pauses_total", "reason")["max_connections",] >= 1)

    def test_they_are_told_at_a_passed_socket_of_that_name(self):
        main, admin = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        self.addCleanup(main.close)
        self.addCleanup(admin.close)
        script = ('exec 3<&%d 4<&%d; LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=main:admin exec "$@"'
                  % (main.fileno(), admin.fileno()))
        process = subprocess.Popen(
            ["bash", "-c", script, "bash", daemon.DAEMON, "--data", self.data],
            stderr=subprocess.DEVNULL, pass_fds=[main.fileno(), admin.fileno()])
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        url = "http://127.0.0.1:%d"
        with urllib.request.urlopen(url % admin.getsockname()[1] + "/metrics", timeout=60) as answer:
            self.assertIn(b"twonmnist_build_info", answer.read())
        with urllib.request.urlopen(url % main.getsockname()[1] + "/v1/splits", timeout=60) as answer:
            self.assertEqual(answer.status, 200)

    def test_a_wrong_address_is_refused(self):
        checked = subprocess.run(
            [daemon.DAEMON, "--admin-listen", "nowhere", "--check-config"], capture_output=True,
            text=True)
        self.assertNotEqual(checked.returncode, 0)
        self.assertIn("admin_listen", checked.stderr)


class Token(Case):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        self.tokens = self.folder / "tokens"
        self.tokens.write_text("".join(
            f"{name} {hashlib.sha256(token.encode()).hexdigest()}{more}\n"
            for name, token, more in [("alice", GOOD, ""), ("old", OLD, " 2020-01-01")]))
        self.log = self.folder / "access.log"
        self.server = self.serving("--token-file", self.tokens, "--access-log", self.log)

    def get(self, path, token):
        return self.server.get(path, Authorization=f"Bearer {token}")

    def test_who_shows_one_is_told_on_the_main_address(self):
        answer = self.get("/metrics", GOOD)
        self.assertEqual(answer.status, 200)
        self.assertIn(b"twonmnist_build_info", answer.body)
        for token in (OLD, "not-known-to-anybody"):
            self.assertEqual(self.get("/metrics", token).status, 401)
        self.assertEqual(self.server.get("/metrics").status, 401)

    def test_nobody_is_asked_for_one_at_the_other(self):
        self.assertGreater(len(prometheus.scrape(self.server).samples), 10)

    def test_requests_are_counted_and_logged_by_its_name(self):
        for token in (GOOD, GOOD, OLD):
            self.get("/v1/splits", token)
        self.server.get("/v1/splits")
        page = prometheus.scrape(self.server)
        self.assertEqual(page.values("twonmnist_token_requests_total", "token"), {("alice",): 2})
        self.assertEqual(page.values("twonmnist_rejected_total", "reason")["token",], 2)
        lines = daemon.wait_until(
            lambda: len(found := self.log.read_text().splitlines()) >= 4 and found)
        self.assertEqual([(line["token"], line["status"]) for line in map(json.loads, lines[:4])],
                         [("alice", 200), ("alice", 200), ("old", 401), (None, 401)])
        self.assertNotIn(GOOD, self.log.read_text())

    def test_what_the_rate_refuses_is_counted(self):
        server = self.serving("--requests-per-second-per-address", 1)
        statuses = [server.get("/v1/splits").status for _ in range(30)]
        refused = statuses.count(429)
        self.assertGreater(refused, 0)
        page = prometheus.scrape(server)
        self.assertEqual(page.values("twonmnist_rejected_total", "reason")["rate",], refused)


if __name__ == "__main__":
    unittest.main()
