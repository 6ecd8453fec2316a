# SPDX-License-Identifier: Apache-2.0
"""The servers that are compared: each is started on a free port of the loopback and says what it has
cost its processes so far."""
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

NGINX = """daemon off; worker_processes auto; worker_rlimit_nofile 65536;
pid {work}/pid; error_log {work}/error.log;
events {{ worker_connections 16384; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
       open_file_cache max=20000; default_type application/octet-stream;
       server {{ listen 127.0.0.1:{port} reuseport backlog=4096; root {root}; }} }}
"""
START_S = 60


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def descendants(pid):
    """The process and all below it."""
    found = [pid]
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += descendants(int(child))
    return found


class Server:
    """A running server: url, process, and what its processes have used."""

    def __init__(self, name, command, **how):
        self.name = name
        self.process = subprocess.Popen(command, text=True, **how)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def cpu_s(self):
        """Seconds of processor time, user and system, to the nanosecond."""
        # The clock of another process: clock_getcpuclockid(3).
        return sum(time.clock_gettime(~pid << 3 | 2) for pid in descendants(self.process.pid))

    def private_bytes(self):
        """Memory that is nobody else's, the map of the splits left out."""
        total = 0
        for pid in descendants(self.process.pid):
            for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Dirty", "Swap:")):
                    total += int(line.split()[1]) * 1024
        return total

    def get(self, path):
        with urllib.request.urlopen(self.url + path) as answer:
            return answer.read()

    def wait(self):
        deadline = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return self
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise SystemExit(f"{self.name} does not start") from None
                time.sleep(0.01)


class Twonmnistd(Server):
    """A build of the daemon."""

    scheme = "http"

    def __init__(self, build, data, *options, name="twonmnistd"):
        super().__init__(name, [pathlib.Path(build).resolve() / "twonmnistd", "--data", data, "--listen",
                                "127.0.0.1:0", *options], stderr=subprocess.PIPE)
        for line in self.process.stderr:
            if "listening on" in line:
                self.port = int(line.rsplit(":", 1)[1])
                self.url = f"{self.scheme}://127.0.0.1:{self.port}"
                return
        raise SystemExit(f"{build}: the daemon does not start")

    def wait_until_verified(self):
        """Until no sample has to be held against its checksum any more."""
        while not all(split["scrub"]["verified"] for split in json.loads(self.get("/v1/splits"))["splits"]):
            time.sleep(0.05)
        return self


class Nginx(Server):
    """nginx with the files of a folder, everything in its caches."""

    def __init__(self, root, work):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = pathlib.Path(work) / f"nginx-{self.port}.conf"
        config.write_text(NGINX.format(work=work, root=root, port=self.port))
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        super().__init__("nginx", ["nginx", "-c", config, "-e", f"{work}/error.log", *user],
                         stderr=subprocess.DEVNULL)
        self.wait()


class Bare(Server):
    """bench/bare: pieces of the first bytes of a file behind a fixed head."""

    def __init__(self, build, file, window, n_pieces, piece_bytes):
        super().__init__("bare", [pathlib.Path(build).resolve() / "bench/bare", file,
                                  *map(str, (window, n_pieces, piece_bytes))], stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"
