# SPDX-License-Identifier: Apache-2.0
"""What is made for each request against what is stored: server CPU for one answer."""
import rounds
from results import Line

STORED = "/v1/splits/train/samples/%d.bin"
STORED_BATCH = "/v1/splits/train/epochs/1/0/batches/%d.safetensors?size=64"
PAIR = "/v1/pairs/nmnist-train/1/%d.bin"
PAIR_BATCH = "/v1/pairs/nmnist-train/1/batches/%d.safetensors?size=64"
# what, path, count, stored path, stored count, connections, aim
KINDS = [
    ("fresh pair", PAIR, 1000000, STORED, 8000, 32, "≥ 0.7"),
    ("batch of 64 fresh pairs", PAIR_BATCH, 15000, STORED_BATCH, 600, 1, "≥ 0.6"),
    ("batch of 64 fresh pairs", PAIR_BATCH, 15000, STORED_BATCH, 600, 8, "≥ 0.6"),
]


def pairs(bench):
    """Fresh pairs against stored samples."""
    with bench.daemon() as server:
        for what, path, count, stored_path, stored_count, connections, aim in KINDS:
            made, stored = rounds.alternate(
                lambda: rounds.load(server, path, count, connections),
                lambda: rounds.load(server, stored_path, stored_count, connections))
            yield Line(f"{what}, {connections} connections: server CPU, stored / fresh", "stored",
                       rounds.ratio([x.cpu_us for x in stored], [x.cpu_us for x in made]), aim,
                       f"{rounds.median(made, 'cpu_us'):.1f} µs")


def texts(bench):
    """Samples as JSON against the same as .bin."""
    with bench.daemon() as server:
        path = "/v1/splits/train/samples/%d.json"
        text, stored = rounds.alternate(lambda: rounds.load(server, path, 8000, 8),
                                        lambda: rounds.load(server, STORED, 8000, 8))
        n_events = sum(len(server.get(STORED % i)) for i in range(100)) // 500
        yield Line("sample as JSON: server CPU, JSON / .bin", "stored",
                   rounds.ratio([x.cpu_us for x in text], [x.cpu_us for x in stored]), "",
                   f"{rounds.median(text, 'cpu_us'):.0f} µs for {n_events:,} events")


ROWS = {"pairs": pairs, "texts": texts}
