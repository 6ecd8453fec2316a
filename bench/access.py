#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tokens and TLS cost the daemon per request.

    bench/access.py BUILD DATA [SECONDS]

BUILD is a build folder, DATA holds splits (twonmnist-generate splits). Needs wrk and openssl (Debian: wrk,
openssl). Daemons that differ in who they ask take turns, five rounds of SECONDS (default 2) each, over
connections that stay; shown are the medians of their own CPU time per request, user and system, and of
the difference to the plain one in the same round, with its spread. The last row is new connections, one
request each: whole handshakes."""
import hashlib
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

ROUNDS = 5
TICK = os.sysconf("SC_CLK_TCK")
TOKEN = "a-token-of-the-benchmark"

# name, connections, path with %d for a number from 0 to the count, further headers
KINDS = [
    ("sample .bin", 32, "/v1/splits/train/samples/%d.bin", 500, ""),
    ("batch of 64", 8, "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size=64", 7, ""),
    ("new connection", 8, "/v1/splits/train/samples/%d.bin", 500, 'wrk.headers["Connection"] = "close"'),
]

SCRIPT = """wrk.headers["Authorization"] = "Bearer %s"
%s
local i = 0
request = function()
    i = (i * 7919 + 12345) %% %d
    return wrk.format("GET", string.format("%s", i))
end
"""


class Asked:
    """A running daemon, and how it is asked."""

    def __init__(self, name, build, data, *options):
        self.name = name
        self.process = subprocess.Popen([pathlib.Path(build) / "twonmnistd", "--data", data, "--listen",
                                         "127.0.0.1:0", *options], stderr=subprocess.PIPE, text=True)
        scheme = "https" if "--tls-certificate" in options else "http"
        for line in self.process.stderr:
            if "listening on" in line:
                self.url = f"{scheme}://{line.split()[-1]}"
                return
        raise SystemExit(f"{name} does not start")

    def cpu_s(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def measure(self, script, connections, seconds):
        """CPU µs per request of one round."""
        before = self.cpu_s()
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script, self.url],
                             check=True, capture_output=True, text=True).stdout
        if "Non-2xx" in out:
            raise SystemExit(f"{self.name}: {out}")
        return (self.cpu_s() - before) * 1e6 / int(re.search(r"(\d+) requests in", out).group(1))


def write_tokens(path, n):
    """The one that is used, last."""
    lines = [f"other {i:064x}" for i in range(n - 1)]
    lines.append(f"bench {hashlib.sha256(TOKEN.encode()).hexdigest()}")
    pathlib.Path(path).write_text("\n".join(lines), encoding="ascii")


def start(build, data, folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-subj", "/CN=bench", "-days", "2", "-keyout", f"{folder}/key.pem", "-out",
                    f"{folder}/certificate.pem"], check=True, capture_output=True)
    write_tokens(f"{folder}/one", 1)
    write_tokens(f"{folder}/many", 1000)
    tls = ("--tls-certificate", f"{folder}/certificate.pem", "--tls-key", f"{folder}/key.pem")
    return [Asked("plain", build, data),
            Asked("token of 1", build, data, "--token-file", f"{folder}/one"),
            Asked("token of 1000", build, data, "--token-file", f"{folder}/many"),
            Asked("TLS", build, data, *tls)]


def compare(daemons, kind, seconds):
    name, connections, path, count, headers = kind
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(SCRIPT % (TOKEN, headers, count, path))
        script.flush()
        rounds = [[daemon.measure(script.name, connections, seconds) for daemon in daemons]
                  for _ in range(ROUNDS)]
    for i, daemon in enumerate(daemons):
        more = [costs[i] - costs[0] for costs in rounds]
        print(f"{name:>16} {daemon.name:>14} {statistics.median(costs[i] for costs in rounds):10.1f} "
              f"{statistics.median(more):+8.1f} ({min(more):+.1f} to {max(more):+.1f})", flush=True)


def main():
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    seconds = int(sys.argv[3]) if len(sys.argv) == 4 else 2
    with tempfile.TemporaryDirectory() as folder:
        daemons = start(sys.argv[1], sys.argv[2], folder)
        try:
            print(f"{'':16} {'':14} {'CPU us':>10} {'more':>8}")
            for kind in KINDS:
                compare(daemons, kind, seconds)
        finally:
            for daemon in daemons:
                daemon.process.terminate()
                daemon.process.wait()


if __name__ == "__main__":
    main()
