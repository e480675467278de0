"""A scripted upstream: it answers with exactly the bytes a test wants and keeps exactly the bytes it was sent.

    with Upstream() as upstream:
        upstream.handler = reply(204)
        ...
        assert upstream.calls[0].head.get("Host") == upstream.authority

A handler is a function of one Exchange. The gateway's own questions (health probes, the replica's reads) are answered
apart (`probe_handler`) and not recorded in `calls`, so that a test sees its own traffic only.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from support.process import free_port, wait_until
from support.wire import CRLF, Closed, Fields, Head, Reader, is_readable


@dataclass
class Exchange:
    """One request as it arrived and the connection to answer it on."""

    head: Head
    reader: Reader
    connection: int  # 0 for the first connection accepted
    body: bytes = b""  # decoded, once read
    raw_body: bytes = b""  # as framed on the wire
    is_aborted: bool = False  # the body ended early
    stop: threading.Event = field(default_factory=threading.Event)
    is_over: bool = False  # the handler closed the connection

    @property
    def method(self) -> str:
        return self.head.start.split(" ")[0]

    @property
    def target(self) -> str:
        return self.head.start.split(" ")[1]

    @property
    def is_gateways_own(self) -> bool:
        return (self.head.get("User-Agent") or "").startswith("hokusai-")

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def read_body(self) -> bytes:
        try:
            if self.head.is_chunked:
                self.raw_body, self.body = self.reader.chunked()
            elif self.head.length:
                self.body = self.raw_body = self.reader.exactly(self.head.length)
        except Closed as closed:
            self.is_aborted = True
            self.raw_body = closed.partial
            raise
        return self.body

    def send(self, data: bytes) -> None:
        self.reader.sock.sendall(data)

    def close(self) -> None:
        self.is_over = True
        with contextlib.suppress(OSError):
            self.reader.sock.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """End the connection with RST instead of FIN."""
        self.is_over = True
        self.reader.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.reader.sock.close()


Handler = Callable[[Exchange], None]


def message(status: int, fields: Iterable[tuple[str, str]] = (), body: bytes = b"", reason: str = "Status") -> bytes:
    """A response with Content-Length, unless the fields frame it themselves or the status allows none."""
    given: Fields = list(fields)
    names = {name.lower() for name, _ in given}
    if status >= 200 and status not in (204, 304) and not names & {"content-length", "transfer-encoding"}:
        given.append(("Content-Length", str(len(body))))
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in given), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def raw(data: bytes, close: bool = False) -> Handler:
    """Read the request, answer these bytes."""

    def handle(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(data)
        if close:
            exchange.close()

    return handle


def reply(status: int = 200, fields: Iterable[tuple[str, str]] = (), body: bytes = b"{}") -> Handler:
    return raw(message(status, fields, b"" if status in (204, 304) else body))


def close_without_answer(exchange: Exchange) -> None:
    exchange.read_body()
    exchange.close()


def reset_without_answer(exchange: Exchange) -> None:
    exchange.read_body()
    exchange.reset()


def reset_after(data: bytes) -> Handler:
    """Read the request, send these bytes, reset once they were taken from our side."""

    def handle(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(data)
        exchange.stop.wait(0.1)  # a reset overtakes bytes the peer has not read
        exchange.reset()

    return handle


def stall_after(data: bytes, release: threading.Event, rest: bytes = b"") -> Handler:
    """Send `data`, then nothing until `release` is set or the upstream stops, then `rest`."""

    def handle(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.send(data)
        while not release.wait(0.05) and not exchange.stop.is_set():
            pass
        exchange.send(rest)

    return handle


def trickle(data: bytes, size: int = 1, gap: float = 0.001) -> Handler:
    """The answer in pieces of `size` bytes, each in a segment of its own."""

    def handle(exchange: Exchange) -> None:
        exchange.read_body()
        for start in range(0, len(data), size):
            exchange.send(data[start : start + size])
            exchange.stop.wait(gap)

    return handle


def answer_before_body(data: bytes) -> Handler:
    """Answer as soon as the head is there and never read the body."""

    def handle(exchange: Exchange) -> None:
        exchange.send(data)
        exchange.reader.sock.shutdown(socket.SHUT_WR)
        exchange.stop.wait(0.5)
        exchange.close()

    return handle


def in_turn(*handlers: Handler) -> Handler:
    """The first handler for the first call, and so on; the last one for ever."""
    remaining = list(handlers)
    lock = threading.Lock()

    def handle(exchange: Exchange) -> None:
        with lock:
            current = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        current(exchange)

    return handle


class Upstream:
    """Listens on a loopback port; one thread per connection."""

    def __init__(self, handler: Handler | None = None, port: int | None = None):
        self.port = port or free_port()
        self.handler: Handler = handler or reply()
        self.probe_handler: Handler = reply(200, [("Content-Type", "application/json")], b"{}")
        self.calls: list[Exchange] = []
        self.connections = 0
        self._stop = threading.Event()
        self._open: set[socket.socket] = set()
        self._waiting: set[socket.socket] = set()  # for bytes that nobody took yet; guarded by _lock, as is _open
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.authority}"

    def __enter__(self) -> Upstream:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen; after stop(), again on the same port."""
        self._stop = threading.Event()
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(512)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        """Refuse new connections and reset the open ones, as a killed server does."""
        self._stop.set()
        if self._listener:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.drop_connections()

    def drop_connections(self) -> None:
        with self._lock:
            for sock in list(self._open):
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def script(self, handler: Handler) -> None:
        """Forget what was recorded and answer by `handler` from here on."""
        self.handler = handler
        self.calls.clear()

    def wait_for_calls(self, count: int, seconds: float = 10.0) -> list[Exchange]:
        wait_until(f"{count} calls at the upstream", lambda: len(self.calls) >= count, seconds)
        return self.calls

    def settle(self, seconds: float = 10.0) -> None:
        """Wait until `calls` holds every call that was sent here, however far its thread has come."""

        def is_settled() -> bool:
            with self._lock:
                return not is_readable([self._listener, *self._waiting])

        wait_until("the upstream to see all it was sent", is_settled, seconds)

    def connection_of(self, target: str) -> int:
        """The number of the connection on which the last call of `target` came."""
        return next(call.connection for call in reversed(self.calls) if call.target == target)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                is_readable([listener], None)
                with self._lock:
                    sock, _ = listener.accept()
                    number = self.connections
                    self.connections += 1
                    self._open.add(sock)
                    self._waiting.add(sock)
            except (OSError, ValueError):
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock, number), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        reader = Reader(sock)
        with contextlib.suppress(Closed, OSError, ValueError):
            while not self._stop.is_set():
                exchange = self._next_exchange(reader, number)
                if exchange.is_gateways_own:
                    self.probe_handler(exchange)
                else:
                    self.handler(exchange)
                if exchange.is_over:
                    break
                with self._lock:
                    self._waiting.add(sock)
        with self._lock:
            self._open.discard(sock)
            self._waiting.discard(sock)
        sock.close()

    def _next_exchange(self, reader: Reader, number: int) -> Exchange:
        """The next request, recorded in the moment its bytes are taken."""
        reader.wait()
        with self._lock:
            self._waiting.discard(reader.sock)
            exchange = Exchange(Head.parse(reader.until(CRLF + CRLF)), reader, number, stop=self._stop)
            if not exchange.is_gateways_own:
                self.calls.append(exchange)
        return exchange


class BlackHole:
    """A port where no connection is established: the accept queue is full, so SYNs are dropped, as by a firewall."""

    def __init__(self, port: int | None = None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> BlackHole:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(0)
        self._sockets.append(listener)
        while True:
            filler = socket.socket()
            filler.setblocking(False)
            self._sockets.append(filler)
            with contextlib.suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
            if not select.select([], [filler], [], 0.2)[1]:
                return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            sock.close()
