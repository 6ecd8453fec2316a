# SPDX-License-Identifier: Apache-2.0
"""Scrapes of the daemon's metrics, taken apart; and Prometheus' own tool, where there is one."""
import os
import re
import shutil
import subprocess
import urllib.request

import daemon

SAMPLE = re.compile(r'(\w+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("",), "gauge": ("",)}


def table():
    """Name -> type, of the daemon's own table."""
    printed = subprocess.run([daemon.DAEMON, "--reference"], check=True, capture_output=True,
                             text=True).stdout
    section = printed.split(".Sh METRICS\n")[1].split(".Sh ")[0]
    return dict(re.findall(r"^\.It Li (\w+)(?:\{.*\})?\n(\w+); ", section, re.MULTILINE))


def series(types):
    """The names that samples of these metrics have."""
    return {name + suffix for name, kind in types.items() for suffix in SUFFIXES[kind]}


def promtool(case):
    """Its path; skips the test where there is none."""
    path = os.environ.get("TWONMNIST_PROMTOOL") or shutil.which("promtool")
    if not path:
        case.skipTest("there is no promtool (Debian: prometheus)")
    return path


def find_admin(server):
    server.admin = "http://127.0.0.1:" + server.wait_for("health and metrics on").rsplit(":", 1)[1]


class Page:
    def __init__(self, text):
        self.types, self.samples = {}, []
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                name, kind = line.split()[2:]
                self.types[name] = kind
            elif not line.startswith("#"):
                name, labels, value = SAMPLE.fullmatch(line).groups()
                self.samples.append((name, dict(LABEL.findall(labels or "")), float(value)))

    def names(self):
        return {name for name, _, _ in self.samples}

    def known(self):
        return series(self.types)

    def samples_of(self, metric):
        names = series({metric: self.types[metric]})
        return [sample for sample in self.samples if sample[0] in names]

    def values(self, name, *labels):
        """Values of the labels -> value."""
        return {tuple(own[label] for label in labels): value
                for other, own, value in self.samples if other == name}

    def value(self, name):
        return self.values(name)[()]


def fetch(server):
    with urllib.request.urlopen(server.admin + "/metrics", timeout=60) as answer:
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return answer.read().decode()


def scrape(server):
    return Page(fetch(server))
