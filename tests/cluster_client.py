# SPDX-License-Identifier: Apache-2.0
"""A client that trains: for each number that it reads, an epoch in the library's default settings.

    cluster_client.py --size N --seed N [--pace S] [--token TOKEN] [--ca-file FILE] URL...

Writes lines of JSON: {"k"} for each batch; at the end {"revision", "batches", "longest", "retries", "requests",
"bytes"}: digests of all that was in them, the longest wait for one in seconds, requests that had to be made
again, all of them, bytes that arrived; or {"error"}."""
import argparse
import hashlib
import json
import sys
import time

sys.modules["torch"] = None  # not used, and takes seconds to come

import twonmnist  # noqa: E402


def digest(batch):
    """Of every byte of it."""
    whole = hashlib.blake2b(digest_size=8)
    for part in (*batch.inputs, batch.labels, batch.indices, batch.sources):
        whole.update(part.tobytes())
    return whole.hexdigest()


def run(loader, number, pace_s):
    loader.set_epoch(number)
    batches, longest, before = [], 0.0, loader.stats()
    began = time.monotonic()
    for batch in loader:
        longest = max(longest, time.monotonic() - began)
        batches.append(digest(batch))
        print(json.dumps({"k": len(batches) - 1}), flush=True)
        time.sleep(pace_s)  # a model that learns
        began = time.monotonic()
    done = loader.stats().since(before)
    return {"batches": batches, "longest": longest, "retries": done.retries,
            "requests": done.batches + done.retries, "bytes": done.bytes}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pace", type=float, default=0)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--token")
    parser.add_argument("--ca-file")
    parser.add_argument("urls", nargs="+")
    options = parser.parse_args()
    loader = None
    for line in sys.stdin:
        try:
            if loader is None:
                split = twonmnist.Split(options.urls, "train", token=options.token, ca_file=options.ca_file)
                loader = twonmnist.loader(split, options.size, form="packed", with_indices=True,
                                          tensors=False, seed=options.seed)
            said = {"revision": split.revision, **run(loader, int(line), options.pace)}
        except (OSError, ValueError) as error:
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
