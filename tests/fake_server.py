# SPDX-License-Identifier: Apache-2.0
"""HTTP servers that misbehave as a test tells them to, in front of a real daemon."""
import base64
import http.server
import ssl
import threading
import time

from safetensors_reader import crc32c

PASSED_ON = ("Content-Type", "Repr-Digest", "Retry-After", "Twonmnist-Labels",
             "Twonmnist-Revision", "Twonmnist-Sources")


def digest_of(body):
    """The Repr-Digest of an answer that a test made up."""
    return f"crc32c=:{base64.b64encode(crc32c(body).to_bytes(4, 'big')).decode()}:"


class FakeServer:
    """`behave(fake, path, n)` says what becomes of request n (from 0): (status, headers, body);
    None for no answer at all until the server closes; or what fake.real(path) answers."""

    def __init__(self, behave, real=None, certificate=None):
        self.behave, self.daemon = behave, real
        self.paths, self.headers, self.times = [], [], []
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.listener.daemon_threads = True
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.listener.socket = context.wrap_socket(self.listener.socket, server_side=True,
                                                       do_handshake_on_connect=False)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.listener.server_address[1]}"
        threading.Thread(target=self.listener.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.closing.set()
        self.listener.shutdown()
        self.listener.server_close()

    def real(self, path):
        answer = self.daemon.get(path)
        headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
        return answer.status, headers, answer.body

    def note(self, handler):
        with self.lock:
            self.paths.append(handler.path)
            self.headers.append(handler.headers)
            self.times.append(time.monotonic())
            return len(self.paths) - 1

    def handler(fake):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                answer = fake.behave(fake, self.path, fake.note(self))
                self.close_connection = answer is None
                if answer is None:
                    fake.closing.wait()
                else:
                    self.write(*answer)

            def write(self, status, headers, body):
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *unused):
                pass

            def handle(self):
                try:
                    super().handle()
                except OSError:  # the client was content with less
                    pass

        return Handler
