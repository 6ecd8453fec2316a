# SPDX-License-Identifier: Apache-2.0
"""A client of the soak that asks for what it knows, and looks at every byte of every answer."""
import random
import socket

from expected import Wrong

STALL_S = 60
# Of what there is to ask: what is large comes less often than what is not.
WEIGHTS = {"file": 0.2, "batch of frames": 0.5, "frames.json": 0.5, "batch.json": 0.5}


class Line:
    """A connection that is kept as long as the server keeps it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=STALL_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest, self.is_over = b"", False

    def close(self):
        self.socket.close()

    def read_head(self):
        received = self.rest
        while (end := received.find(b"\r\n\r\n")) < 0:
            piece = self.socket.recv(1 << 16)
            if not piece:
                raise Wrong(f"the connection ended in the head of an answer: {received[:200]!r}")
            received += piece
        self.rest = received[end + 4:]
        first, *lines = received[:end].decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        self.is_over = headers.get("connection", "").lower() == "close"
        return int(first.split()[1]), headers

    def read_body(self, length):
        body = bytearray(length)
        body[:len(self.rest)] = self.rest[:length]
        at, self.rest = min(len(self.rest), length), self.rest[length:]
        view = memoryview(body)
        while at < length:
            n = self.socket.recv_into(view[at:])
            if n == 0:
                raise Wrong(f"{at} of {length} bytes came")
            at += n
        return body

    def read(self, has_body=True):
        status, headers = self.read_head()
        return status, headers, self.read_body(int(headers["content-length"]) if has_body else 0)


def learn(port, asks):
    """Look at one answer to each."""
    line = Line(port)
    for ask in asks:
        line.socket.sendall(ask.request())
        ask.learn(*line.read())
    line.close()


def check(ask, variant, answer):
    status, headers, body = answer
    if variant == "unchanged":
        right = status == 304 and headers["etag"] == ask.tag
    elif status != ask.status:
        right = False
    elif variant == "HEAD":
        # The length of some is not known before they are made.
        right = int(headers.get("content-length", len(ask.learned))) == len(ask.learned)
    elif ask.volatile:
        right = ask.check(bytes(body))
    else:
        right = body == ask.learned and headers.get("etag", "") == ask.tag
    if not right:
        raise Wrong(f"{ask.method} {ask.path} ({variant}): {status}, {len(body)} bytes: {bytes(body[:300])!r}")


def variants(rng, ask):
    """How to ask: whole, without the body, or whether it has changed."""
    if ask.volatile or ask.method != "GET" or ask.status == 206 or rng.random() < 0.9:
        return "whole", ask.request()
    if ask.tag and ask.status == 200 and rng.random() < 0.5:
        return "unchanged", ask.request(None, f"If-None-Match: {ask.tag}")
    return "HEAD", ask.request("HEAD")


def one_round(line, rng, kinds, weights):
    """Ask for one thing, or for a few in one piece; how many answers came, and bytes of them."""
    asked, n_bytes = [], 0
    for _ in range(1 if rng.random() < 0.9 else 4):
        ask = rng.choice(kinds[rng.choices(list(kinds), weights)[0]])
        asked.append((ask, *variants(rng, ask)))
    line.socket.sendall(b"".join(request for _, _, request in asked))
    for n, (ask, variant, _) in enumerate(asked, 1):
        answer = line.read(has_body=variant == "whole")
        check(ask, variant, answer)
        n_bytes += len(answer[2])
        if line.is_over:
            break
    return n, n_bytes


def run(port, kinds, seed, ended, counts, wrong):
    """Until `ended` is set; counts[0] and [1] are answers and bytes; what is wrong is put into `wrong`."""
    rng, weights = random.Random(seed), [WEIGHTS.get(kind, 1) for kind in kinds]
    line = Line(port)
    try:
        while not ended.is_set():
            if line.is_over or rng.random() < 0.01:
                line.close()
                line = Line(port)
            n, n_bytes = one_round(line, rng, kinds, weights)
            counts[0] += n
            counts[1] += n_bytes
    except (Wrong, OSError) as error:
        wrong.put(f"honest client {seed}: {error!r}")
    finally:
        line.close()
