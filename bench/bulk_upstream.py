"""A fast scripted upstream in a process of its own: `python -m bench.bulk_upstream PORT`.

PUT of an artifact answers the SHA-256 and the length of what arrived; GET of .../bulk/BYTES sends that many bytes of
`bulk.blocks()`. Anything else gets the empty answer a gateway's probe is content with.
"""

from __future__ import annotations

import hashlib
import json
import socket
import socketserver
import sys

from bench.bulk import BLOCK, blocks


class Connection(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = memoryview(bytearray(BLOCK))
        self._rest = b""
        while head := self._head():
            lines = head.decode("latin-1").split("\r\n")
            method, target, _ = lines[0].split(" ")
            fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
            if method == "PUT":
                self._receive(int(fields["content-length"]))
            elif "/bulk/" in target:
                self._send(int(target.rpartition("/")[2]))
            else:
                self._answer(b"{}")

    def _head(self) -> bytes:
        """Up to the empty line, without it; empty at the end of the connection."""
        while b"\r\n\r\n" not in self._rest:
            piece = self.request.recv(65536)
            if not piece:
                return b""
            self._rest += piece
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return head

    def _receive(self, total: int) -> None:
        digest = hashlib.sha256(self._rest)
        left = total - len(self._rest)
        self._rest = b""
        while left:
            count = self.request.recv_into(self._buffer, min(left, BLOCK))
            if count == 0:
                raise ConnectionError("the body ended early")
            digest.update(self._buffer[:count])
            left -= count
        self._answer(json.dumps({"sha256": digest.hexdigest(), "bytes": total}).encode())

    def _send(self, total: int) -> None:
        self.request.sendall(self._response("application/octet-stream", total))
        for block in blocks(total):
            self.request.sendall(block)

    def _answer(self, body: bytes) -> None:
        self.request.sendall(self._response("application/json", len(body)) + body)

    def _response(self, content_type: str, length: int) -> bytes:
        return f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n".encode()


class Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    with Listener(("127.0.0.1", int(sys.argv[1])), Connection) as listener:
        listener.serve_forever()
