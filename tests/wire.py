# SPDX-License-Identifier: Apache-2.0
"""Raw requests over sockets, for tests of what an HTTP library does not send."""
import re
import socket

STALL_S = 30  # no limit on speed: only a daemon that has stopped is this quiet


def connect(server, receive_buffer=None, source=None):
    connection = socket.socket()
    if source:
        connection.bind((source, 0))
    if receive_buffer:  # before connecting, or the window is larger
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(STALL_S)
    connection.connect(("127.0.0.1", server.port))
    return connection


def request(path, *headers, method="GET"):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: test", *headers, "", ""]).encode()


def receive_answer(connection):
    """Status (None: closed without an answer), head and body of the next answer."""
    received = b""
    try:
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            if not piece:
                return None, received, b""
            received += piece
        head, _, body = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.IGNORECASE)
        has_body = not head.startswith(b"HTTP/1.1 304")
        while has_body and length and len(body) < int(length[1]) and (piece := connection.recv(1 << 20)):
            body += piece
    except (ConnectionResetError, BrokenPipeError):
        return None, received, b""
    return int(head.split(b" ")[1]), head, body


def is_closed(connection):
    """Whether the other end closes the connection, after whatever it sends still."""
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except OSError:
        pass
    return True


def ask(server, *pieces):
    """Send bytes on a connection of their own; the first answer, and whether it was the last."""
    with connect(server) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
        except OSError:
            pass
        return receive_answer(connection)
