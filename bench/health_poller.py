"""Asks health endpoints at a fixed rate from a process of its own: `python -m bench.health_poller URL RATE`.

Each line on standard input begins a window of that name; the end of input ends the run and prints one JSON array with a
summary of each window. The schedule is open: no request waits for the answer of another, so a stalled server can't hide
its stall. A latency runs from just before the send to the kernel's own time stamp of the arriving answer, so that it
doesn't contain the time this process waits for a processor.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import select
import socket
import struct
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from bench.report import percentile

PATHS = ("/health", "/ready", "/livez")
SO_TIMESTAMPNS = 35  # Linux; Python has no name for it
TIMEOUT_NANOSECONDS = 2_000_000_000
CONNECTIONS = 8  # kept; more are opened while these wait


@dataclass
class Window:
    name: str
    requests: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        figures = {f"p{p:g}_ms": round(percentile(self.milliseconds, p), 3) for p in (50, 99, 99.9)}
        figures["max_ms"] = round(max(self.milliseconds, default=0.0), 3)
        return {"name": self.name, "requests": self.requests, "errors": dict(self.errors), **figures}


class Connection:
    def __init__(self, address: tuple[str, int]):
        self.socket = socket.create_connection(address, timeout=2)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.received = b""
        self.sent_at = 0
        self.path = ""
        self.window: Window | None = None

    def send(self, path: str, window: Window) -> None:
        self.received, self.path, self.window = b"", path, window
        window.requests += 1
        request = f"GET {path} HTTP/1.1\r\nHost: hokusai\r\nAccept: */*\r\n\r\n".encode()
        self.sent_at = time.clock_gettime_ns(time.CLOCK_REALTIME)
        self.socket.send(request)

    def receive(self) -> bool:
        """Whether the answer is complete; raises OSError or ValueError for one that isn't a 200."""
        piece, ancillary, _, _ = self.socket.recvmsg(65536, 64)
        if not piece:
            raise ConnectionError("closed")
        self.received += piece
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not end or len(body) < _content_length(head):
            return False
        if not head.startswith(b"HTTP/1.1 200 "):
            raise ValueError(head.partition(b"\r\n")[0].decode("latin-1"))
        self.window.milliseconds.append((_arrival(ancillary) - self.sent_at) / 1e6)
        return True


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("no Content-Length")


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> int:
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS):
            seconds, nanoseconds = struct.unpack("qq", data)
            return seconds * 1_000_000_000 + nanoseconds
    return time.clock_gettime_ns(time.CLOCK_REALTIME)


class Poller:
    """One thread: an epoll over the connections and standard input, and a tick per request."""

    def __init__(self, address: tuple[str, int], rate: float):
        self.windows = [Window("start")]
        self._address = address
        self._interval = 1.0 / rate
        self._epoll = select.epoll()
        self._epoll.register(sys.stdin.fileno(), select.EPOLLIN)
        self._idle: list[Connection] = []
        self._busy: dict[int, Connection] = {}  # in the order of sending
        self._is_ending = False

    def run(self) -> None:
        paths = itertools.cycle(PATHS)
        for _ in range(CONNECTIONS):
            self._idle.append(self._connect())
        due = time.monotonic()
        while not self._is_ending:
            self._collect(max(0.0, due - time.monotonic()))
            if time.monotonic() >= due:
                due += self._interval
                self._send(next(paths))
        deadline = time.monotonic() + 2
        while self._busy and time.monotonic() < deadline:
            self._collect(0.05)
        for connection in self._busy.values():
            connection.window.errors[f"{connection.path}: no answer"] += 1

    def _connect(self) -> Connection:
        connection = Connection(self._address)
        self._epoll.register(connection.socket.fileno(), select.EPOLLIN)
        return connection

    def _send(self, path: str) -> None:
        window = self.windows[-1]
        try:
            connection = self._idle.pop(0) if self._idle else self._connect()
            connection.send(path, window)
        except OSError as error:
            window.errors[f"{path}: {error}"] += 1
            return
        self._busy[connection.socket.fileno()] = connection

    def _collect(self, wait: float) -> None:
        """Takes in what arrives within `wait` seconds, then gives up on what is overdue."""
        for descriptor, _ in self._epoll.poll(wait):
            if descriptor == sys.stdin.fileno():
                self._command()
            elif descriptor in self._busy:
                self._receive(self._busy[descriptor])
            else:
                self._drop_idle(descriptor)
        oldest = next(iter(self._busy.values()), None)
        if oldest and time.clock_gettime_ns(time.CLOCK_REALTIME) - oldest.sent_at > TIMEOUT_NANOSECONDS:
            oldest.window.errors[f"{oldest.path}: no answer in 2 s"] += 1
            self._drop(oldest)

    def _receive(self, connection: Connection) -> None:
        try:
            if connection.receive():
                if b"\r\nConnection: close\r\n" in connection.received:
                    return self._drop(connection)
                del self._busy[connection.socket.fileno()]
                self._idle.append(connection)
        except (OSError, ValueError) as error:
            connection.window.errors[f"{connection.path}: {error}"] += 1
            self._drop(connection)

    def _drop(self, connection: Connection) -> None:
        self._busy.pop(connection.socket.fileno(), None)
        connection.socket.close()

    def _drop_idle(self, descriptor: int) -> None:
        """The server may close an idle connection at any time; the next request opens another."""
        for connection in [each for each in self._idle if each.socket.fileno() == descriptor]:
            self._idle.remove(connection)
            connection.socket.close()

    def _command(self) -> None:
        text = os.read(sys.stdin.fileno(), 4096).decode()
        self.windows += [Window(name) for name in text.splitlines()]
        self._is_ending = not text


if __name__ == "__main__":
    gc.disable()
    host, _, port = sys.argv[1].removeprefix("http://").partition(":")
    poller = Poller((host, int(port)), float(sys.argv[2]))
    poller.run()
    print(json.dumps([window.summary() for window in poller.windows]))
