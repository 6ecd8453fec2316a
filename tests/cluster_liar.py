# SPDX-License-Identifier: Apache-2.0
"""A server that gives what another one at its address gives, but for a bit in each batch.

    cluster_liar.py ADDRESS PORT PORT-OF-THE-OTHER"""
import http.client
import http.server
import sys

ADDRESS, PORT, REAL = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
DROPPED = {"connection", "date", "transfer-encoding", "content-length"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asking = http.client.HTTPConnection(ADDRESS, REAL)
        asking.request("GET", self.path, headers={"Host": "liar"})
        answer = asking.getresponse()
        body = answer.read()
        asking.close()
        if "/batches/" in self.path:
            body = body[:-1] + bytes([body[-1] ^ 1])
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in DROPPED:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *unused):
        pass


server = http.server.ThreadingHTTPServer((ADDRESS, PORT), Handler)
print("listening", flush=True)
server.serve_forever()
