# SPDX-License-Identifier: Apache-2.0
"""Descriptions against nginx, which serves the same bytes as a file."""
import rounds
from results import Line
from servers import Nginx

# what, path, name of nginx's file
KINDS = [
    ("a split's description", "/v1/splits/train", "split"),
    ("the list of splits", "/v1/splits", "splits"),
    ("labels as .npy", "/v1/splits/train/labels.npy", "labels"),
    ("labels as JSON", "/v1/splits/train/labels.json", "labels.json"),
    ("the first page of rows", "/v1/splits/train/samples", "page"),
]
CONNECTIONS = 32


def documents(bench):
    """Requests per second for descriptions."""
    root = bench.folder("documents")
    with bench.daemon() as ours, Nginx(root, bench.work) as theirs:
        for what, path, name in KINDS:
            (root / name).write_bytes(ours.get(path))
            a, b = rounds.alternate(lambda: rounds.load(ours, path, 1, CONNECTIONS),
                                    lambda: rounds.load(theirs, f"/{name}", 1, CONNECTIONS))
            yield Line(f"{what}, {CONNECTIONS} connections: requests/s, ours / nginx", "nginx",
                       rounds.ratio([x.per_s for x in a], [x.per_s for x in b]), "≥ 0.9",
                       f"{(root / name).stat().st_size:,} bytes; CPU "
                       f"{rounds.median(a, 'cpu_us'):.1f} µs, nginx {rounds.median(b, 'cpu_us'):.1f}")


ROWS = {"documents": documents}
