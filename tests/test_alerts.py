# SPDX-License-Identifier: Apache-2.0
"""etc/prometheus-alerts.yml and etc/grafana-dashboard.json: metrics that there are, alerts that fire
when they should, and not over a daemon that is well."""
import json
import os
import pathlib
import re
import subprocess
import unittest

import daemon
import prometheus

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
RULES = ROOT / "etc/prometheus-alerts.yml"
NAMES = re.compile(r"\b((?:twonmnist|process)_\w+)")
CRITICAL, WARNING = "critical", "warning"
RUNS = 'job="twonmnist",instance="a:1"'
MINUTES = 30  # that are played, but:
LONG = {"TwonmnistScrubOverdue": 3 * 24 * 60 + 70}

# Alert -> what makes it fire: metric with its labels -> how it goes on (value, more each minute).
CASES = {
    "TwonmnistDown": (CRITICAL, {"up": (0, 0)}),
    "TwonmnistSplitDamaged": (CRITICAL, {'twonmnist_split_damaged{split="train"}': (1, 0)}),
    "TwonmnistScrubOverdue":
        (WARNING, {'twonmnist_split_scrub_timestamp_seconds{split="train"}': (0, 0)}),
    "TwonmnistSplitsPassedOver": (WARNING, {"twonmnist_splits_passed_over": (2, 0)}),
    "TwonmnistReloadsFail":
        (WARNING, {'twonmnist_reloads_total{result="failure"}': (0, 1)}),
    "TwonmnistServerErrors":
        (CRITICAL, {'twonmnist_http_requests_total{code="500"}': (0, 2),
                    'twonmnist_http_requests_total{code="200"}': (0, 100)}),
    "TwonmnistRefusals":
        (WARNING, {'twonmnist_rejected_total{reason="queue_full"}': (0, 6),
                   'twonmnist_http_requests_total{code="200"}': (0, 100)}),
    "TwonmnistQueueLong":
        (WARNING, {"twonmnist_queue_cost_seconds": (8.1, 0),
                   "twonmnist_queue_cost_seconds_limit": (10, 0)}),
    "TwonmnistConnectionsNearlyAllTaken":
        (WARNING, {"twonmnist_connections": (91, 0), "twonmnist_connections_limit": (100, 0)}),
    "TwonmnistMemoryNearlyAllTaken":
        (WARNING, {"twonmnist_pending_bytes": (91, 0), "twonmnist_pending_bytes_limit": (100, 0)}),
    "TwonmnistDescriptorsNearlyAllTaken":
        (WARNING, {"process_open_fds": (91, 0), "process_max_fds": (100, 0)}),
    "TwonmnistAccessLogDropped":
        (WARNING, {"twonmnist_access_log_dropped_total": (0, 1)}),
    "TwonmnistRestarts": (CRITICAL, {"process_start_time_seconds": (1000, 60)}),
}


def labelled(name):
    """The series of that name and labels, of the server that is played."""
    metric, _, labels = name.partition("{")
    return f'{metric}{{{labels.rstrip("}") + "," if labels else ""}{RUNS}}}'


def quoted(text):
    return json.dumps(text)  # YAML takes it


class Unit:
    """One test of promtool's: series that are played, and what fires at their end."""

    def __init__(self, minutes=MINUTES):
        self.minutes, self.series, self.expected = minutes, [], []

    def play(self, name, value, step=0):
        self.series.append((name, f"{value:g}+{step:g}x{self.minutes}"))

    def play_page(self, page):
        for name, labels, value in page.samples:
            pairs = [*(f"{key}={json.dumps(word)}" for key, word in labels.items()), RUNS]
            self.series.append((f"{name}{{{','.join(pairs)}}}", f"{value:.17g}x{self.minutes}"))

    def text(self):
        lines = ["  - interval: 1m", "    input_series:"]
        for name, values in self.series:
            lines += [f"      - series: {quoted(name)}", f"        values: {quoted(values)}"]
        lines += ["    promql_expr_test:", "      - expr: ALERTS{alertstate=\"firing\"}",
                  f"        eval_time: {self.minutes}m", "        exp_samples:"]
        for labels in self.expected:
            pairs = {"alertstate": "firing", **labels}
            name = "ALERTS{%s}" % ",".join(f"{key}={quoted(word)}" for key, word in pairs.items())
            lines += [f"          - labels: {quoted(name)}", "            value: 1"]
        return "\n".join(lines)


class Names(unittest.TestCase):
    def test_of_rules_and_dashboard_are_those_of_the_daemon(self):
        known = prometheus.series(prometheus.table())
        for path in (RULES, ROOT / "etc/grafana-dashboard.json"):
            found = set(NAMES.findall(path.read_text(encoding="utf-8")))
            self.assertGreater(len(found), 10)
            self.assertEqual(found - known, set(), path)

    def test_the_dashboard_shows_every_metric(self):
        text = (ROOT / "etc/grafana-dashboard.json").read_text(encoding="utf-8")
        shown = set(NAMES.findall(text))
        for name, kind in prometheus.table().items():
            self.assertTrue(shown & prometheus.series({name: kind}), name)

    def test_the_dashboard_is_one(self):
        board = json.loads((ROOT / "etc/grafana-dashboard.json").read_text(encoding="utf-8"))
        panels = board["panels"]
        self.assertEqual(len({panel["id"] for panel in panels}), len(panels))
        taken = set()
        for panel in panels:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24)
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(taken & cells, panel["title"])
            taken |= cells
            for target in panel.get("targets", []):
                self.assertIn('job="$job",instance=~"$instance"', target["expr"])


class Rules(unittest.TestCase):
    def setUp(self):
        self.promtool = prometheus.promtool(self)
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))

    def run_tool(self, *arguments):
        ended = subprocess.run([self.promtool, *arguments], capture_output=True, text=True)
        self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
        return ended.stdout

    def check(self, *units):
        path = self.folder / "unit.yml"
        path.write_text("\n".join([f"rule_files: [{quoted(str(RULES.resolve()))}]", "tests:",
                                   *(unit.text() for unit in units), ""]))
        self.run_tool("test", "rules", path)

    def test_are_right(self):
        self.assertIn(f"{len(CASES)} rules found", self.run_tool("check", "rules", RULES))

    def test_each_fires_alone(self):
        units = []
        for alert, (severity, series) in CASES.items():
            unit = Unit(LONG.get(alert, MINUTES))
            kept = "" if "sum by" in self.expression(alert) else next(iter(series))
            for name, (value, step) in series.items():
                unit.play(labelled(name), value, step)
            own = dict(re.findall(r'(\w+)="([^"]*)"', kept))
            unit.expected = [{"alertname": alert, "severity": severity, "job": "twonmnist",
                              "instance": "a:1", **own}]
            units.append(unit)
        self.check(*units)

    def expression(self, alert):
        text = RULES.read_text(encoding="utf-8")
        return text.split(f"- alert: {alert}\n")[1].split("labels:")[0]

    def test_a_split_that_is_damaged_fires_and_a_daemon_that_is_well_does_not(self):
        """Over what the daemon itself tells, before and after."""
        data = daemon.generate(self.folder / "data")
        with daemon.Daemon(data, "--admin-listen", "127.0.0.1:0", "--watch-interval-s", 1) as server:
            prometheus.find_admin(server)
            server.get("/v1/splits/train/samples/1.bin")
            well, ill = Unit(), Unit()
            well.play_page(prometheus.scrape(server))
            os.truncate(data / "train.safetensors", 1000)
            page = daemon.wait_until(
                lambda: (page := prometheus.scrape(server)).value("twonmnist_splits_passed_over")
                and page)
            self.assertEqual(page.values("twonmnist_split_damaged", "split")["train",], 1)
        for unit in (well, ill):
            unit.play(f"up{{{RUNS}}}", 1)
        ill.play_page(page)
        server = {"job": "twonmnist", "instance": "a:1"}
        ill.expected = [
            {"alertname": "TwonmnistSplitDamaged", "severity": CRITICAL, "split": "train", **server},
            {"alertname": "TwonmnistSplitsPassedOver", "severity": WARNING, **server}]
        self.check(well, ill)


if __name__ == "__main__":
    unittest.main()
