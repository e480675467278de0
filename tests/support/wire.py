"""HTTP/1.1 as bytes: what a client library would tidy up, tests here must be able to send and see."""

from __future__ import annotations

import contextlib
import select
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

CRLF = b"\r\n"
Fields = list[tuple[str, str]]


class Closed(Exception):
    """The peer closed or reset the connection; `partial` holds what had arrived."""

    def __init__(self, partial: bytes = b"", is_reset: bool = False):
        super().__init__(f"connection {'reset' if is_reset else 'closed'} after {partial[:200]!r}")
        self.partial = partial
        self.is_reset = is_reset


def is_readable(sockets: Iterable[socket.socket], seconds: float | None = 0.0) -> bool:
    """Whether one of them has bytes, an end or a connection to take, within `seconds`; None waits for ever."""
    poll = select.poll()  # unlike select(), for any number of descriptors
    for sock in sockets:
        poll.register(sock, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))


class Reader:
    """Buffered reads from a socket."""

    def __init__(self, sock: socket.socket):
        self.sock = sock
        self.buffer = b""

    def _fill(self) -> None:
        try:
            piece = self.sock.recv(65536)
        except ConnectionError:
            raise Closed(self.buffer, is_reset=True) from None
        if not piece:
            raise Closed(self.buffer)
        self.buffer += piece

    def wait(self) -> None:
        """Until something is there; takes nothing."""
        if not self.buffer:
            is_readable([self.sock], None)

    def until(self, mark: bytes) -> bytes:
        """Everything up to and including `mark`."""
        while mark not in self.buffer:
            self._fill()
        end = self.buffer.index(mark) + len(mark)
        taken, self.buffer = self.buffer[:end], self.buffer[end:]
        return taken

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._fill()
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def some(self) -> bytes:
        """What is there, at least one byte."""
        if not self.buffer:
            self._fill()
        taken, self.buffer = self.buffer, b""
        return taken

    def rest(self) -> bytes:
        """Everything up to the orderly end of the connection."""
        try:
            while True:
                self._fill()
        except Closed as closed:
            if closed.is_reset:
                raise
            taken, self.buffer = self.buffer, b""
            return taken

    def chunked(self) -> tuple[bytes, bytes]:
        """A chunked body as (raw, decoded), trailers included in raw."""
        raw, decoded = b"", b""
        while True:
            line = self.until(CRLF)
            size = int(line.split(b";")[0], 16)
            raw += line
            if size == 0:
                break
            piece = self.exactly(size + 2)
            raw += piece
            decoded += piece[:-2]
        while True:
            line = self.until(CRLF)
            raw += line
            if line == CRLF:
                return raw, decoded


@dataclass
class Head:
    """A start line and its fields, in order, as received."""

    raw: bytes
    start: str
    fields: Fields

    @staticmethod
    def parse(raw: bytes) -> Head:
        start, *lines = raw.decode("latin-1").rstrip("\r\n").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return Head(raw, start, [(name, value.strip()) for name, _, value in pairs])

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        found = self.all(name)
        return found[0] if found else None

    def names(self) -> set[str]:
        return {name.lower() for name, _ in self.fields}

    @property
    def is_chunked(self) -> bool:
        return (self.get("Transfer-Encoding") or "").lower() == "chunked"

    @property
    def length(self) -> int:
        return int(self.get("Content-Length") or 0)


@dataclass
class Response:
    head: Head
    body: bytes = b""
    interim: list[Head] = field(default_factory=list)

    @property
    def status(self) -> int:
        return int(self.head.start.split()[1])

    def get(self, name: str) -> str | None:
        return self.head.get(name)


def request(method: str, target: str, fields: Iterable[tuple[str, str]] = (), body: bytes = b"") -> bytes:
    """A request with Host and, for a body, Content-Length; every other field as given."""
    given = list(fields)
    names = {name.lower() for name, _ in given}
    if "host" not in names:
        given.insert(0, ("Host", "gateway.test"))
    if body and not names & {"content-length", "transfer-encoding"}:
        given.append(("Content-Length", str(len(body))))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def chunked(*pieces: bytes) -> bytes:
    """The pieces in chunked coding."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


class Client:
    """One TCP connection to the server under test."""

    def __init__(self, port: int, timeout: float = 20.0):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = Reader(self.sock)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def end_sending(self) -> None:
        """Tell the server that no more bytes will come; what it sends can still be read."""
        self.sock.shutdown(socket.SHUT_WR)

    def response(self, method: str = "GET") -> Response:
        """The next final response; 1xx ones are kept in `interim`."""
        interim = []
        while True:
            head = Head.parse(self.reader.until(CRLF + CRLF))
            response = Response(head, interim=interim)
            if response.status >= 200:
                break
            interim.append(head)
        if method == "HEAD" or response.status in (204, 304):
            return response
        if head.is_chunked:
            response.body = self.reader.chunked()[1]
        elif head.get("Content-Length") is not None:
            response.body = self.reader.exactly(head.length)
        else:
            response.body = self.reader.rest()
        return response

    def call(self, method: str, target: str, fields: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Response:
        self.send(request(method, target, fields, body))
        return self.response(method)

    def is_closed_by_peer(self, seconds: float = 5.0) -> bool:
        """Whether the server ends the connection within `seconds` without another byte."""
        self.sock.settimeout(seconds)
        try:
            return not self.reader.buffer and self.sock.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


@contextlib.contextmanager
def clients(port: int, count: int) -> Iterator[list[Client]]:
    """Several at once; leaving the block closes them."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Client(port)) for _ in range(count)]


def call(port: int, method: str, target: str, fields: Iterable[tuple[str, str]] = (), body: bytes = b"") -> Response:
    """One request on a connection of its own."""
    with Client(port) as client:
        return client.call(method, target, fields, body)
