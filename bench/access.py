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
import pathlib
import statistics
import subprocess
import sys
import tempfile

import rounds
from servers import Twonmnistd

TOKEN = "a-token-of-the-benchmark"

# name, connections, path with %d for a number from 0 to the count, further headers
KINDS = [
    ("sample .bin", 32, "/v1/splits/train/samples/%d.bin", 500, ""),
    ("batch of 64", 8, "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size=64", 7, ""),
    ("new connection", 8, "/v1/splits/train/samples/%d.bin", 500, 'wrk.headers["Connection"] = "close"'),
]

SETUP = 'wrk.headers["Authorization"] = "Bearer %s"\n%s'


class Secure(Twonmnistd):
    scheme = "https"


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
    return [Twonmnistd(build, data, name="plain"),
            Twonmnistd(build, data, "--token-file", f"{folder}/one", name="token of 1"),
            Twonmnistd(build, data, "--token-file", f"{folder}/many", name="token of 1000"),
            Secure(build, data, *tls, name="TLS")]


def compare(daemons, kind, seconds):
    name, connections, path, count, headers = kind
    asked = [lambda daemon=daemon: rounds.load(daemon, path, count, connections, seconds,
                                               SETUP % (TOKEN, headers)) for daemon in daemons]
    costs = [[load.cpu_us for load in loads] for loads in rounds.alternate(*asked)]
    for daemon, own in zip(daemons, costs):
        more = [a - b for a, b in zip(own, costs[0])]
        print(f"{name:>16} {daemon.name:>14} {statistics.median(own):10.1f} "
              f"{statistics.median(more):+8.1f} ({min(more):+.1f} to {max(more):+.1f})", flush=True)


def main():
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    seconds = float(sys.argv[3]) if len(sys.argv) == 4 else rounds.SECONDS
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
