# SPDX-License-Identifier: Apache-2.0
"""What each form of samples costs the network and the server, against packed events in the same rounds."""
import statistics

import rounds
from results import Line

SIZE = 16
BATCH = f"/v1/splits/train/epochs/1/0/batches/%d.safetensors?size={SIZE}"
N_BATCHES = 30
CONNECTIONS = 2

# What is asked for beside the batch.
FORMS = {
    "sparse, 1 ms": "as=sparse",
    "bits, 1 ms": "as=bits",
    "frames, 1 ms": "as=frames",
    "sparse, windows of 10 ms": "as=sparse&slice=window&timestep=10000",
    "sparse, 16 time bins": "as=sparse&slice=time-bins&bins=16",
    "frames, 16 time bins": "as=frames&slice=time-bins&bins=16",
    "frames u16, 16 by number": "as=frames&slice=number&bins=16&values=u16",
    "bits, 1,000 events each": "as=bits&slice=event-count&events=1000",
    "voxel grid of 10": "as=frames&slice=voxel&bins=10",
    "events, t1=100 ms": "t1=100000",
    "events, merged polarity": "polarity=merge",
    "events, stabilized": "stabilize=yes",
    "events, denoised, 10 ms": "denoise=10000",
    "sparse, denoised, 1 ms": "as=sparse&denoise=10000",
}


def bytes_of(server, path):
    """Of a sample, on the average."""
    return sum(len(server.get(path % i)) for i in range(N_BATCHES)) / (N_BATCHES * SIZE)


def forms(bench):
    """Batches of 16 stored samples, two connections."""
    with bench.daemon() as server:
        packed = bytes_of(server, BATCH)
        for name, query in FORMS.items():
            path = f"{BATCH}&{query}"
            size = bytes_of(server, path)

            def one(asked):
                return lambda: rounds.load(server, asked, N_BATCHES, CONNECTIONS)

            ours, theirs = rounds.alternate(one(path), one(BATCH))
            yield Line(f"{name}: bytes a sample, / packed events", "events", size / packed, "",
                       f"{size / 1e3:,.1f} KB; packed {packed / 1e3:.1f} KB")
            cpu_us = statistics.median(load.cpu_us for load in ours) / SIZE
            yield Line(f"{name}: server CPU, / packed events", "events",
                       rounds.ratio([load.cpu_us for load in ours],
                                    [load.cpu_us for load in theirs]), "",
                       f"{cpu_us:.1f} µs a sample, {1e6 / cpu_us:,.0f} samples/s of a core")


ROWS = {"forms": forms}
