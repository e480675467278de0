"""Bodies pass in fixed memory, both ways. HOKUSAI_STREAM_MB sets the size (5120 for the full proof)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable

import pytest

from support import wire
from support.hokusai import Hokusai
from support.process import wait_until
from support.upstream import Exchange, Upstream, message

MEGABYTE = 1 << 20
SIZE = int(os.environ.get("HOKUSAI_STREAM_MB", "64")) * MEGABYTE
PIECE = os.urandom(MEGABYTE)  # one piece again and again, each with its number in front, so that order shows in the sum
ALLOWED_GROWTH = 16 * MEGABYTE
PATH = "/api/2.0/mlflow-artifacts/artifacts/big.bin"

pytestmark = pytest.mark.timeout(60 + SIZE // MEGABYTE)


def piece(number: int) -> bytes:
    return number.to_bytes(8, "big") + PIECE[8:]


def checksum_of_all() -> str:
    digest = hashlib.sha256()
    for number in range(SIZE // MEGABYTE):
        digest.update(piece(number))
    return digest.hexdigest()


class Sink:
    """Reads a body without keeping it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def read(self, reader: wire.Reader, length: int, on_piece: Callable[[], None] = lambda: None) -> str:
        left = length
        while left:
            data = reader.some()
            assert len(data) <= left, "more bytes than announced"
            self.digest.update(data)
            left -= len(data)
            on_piece()
        return self.digest.hexdigest()


@pytest.fixture
def gateway(serve: Callable[..., Hokusai], upstream: Upstream) -> Hokusai:
    gateway = serve(mlflow=upstream.url, auth="off").wait_ready()
    for _ in range(20):
        wire.call(gateway.port, "PUT", PATH, body=b"warm")
    return gateway


def test_upload_streams_in_fixed_memory(gateway: Hokusai, upstream: Upstream) -> None:
    before, received = gateway.resident_bytes(), []

    def take(exchange: Exchange) -> None:
        received.append(Sink().read(exchange.reader, exchange.head.length))
        exchange.send(message(200, [], b"{}"))

    upstream.script(take)
    peak = before
    with wire.Client(gateway.port) as client:
        client.send(wire.request("PUT", PATH, [("Content-Length", str(SIZE))]))
        for number in range(SIZE // MEGABYTE):
            client.send(piece(number))
            peak = max(peak, gateway.resident_bytes())
        assert client.response("PUT").status == 200

    assert received == [checksum_of_all()]
    assert peak - before < ALLOWED_GROWTH, f"grew by {(peak - before) / MEGABYTE:.1f} MB"


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunked"])
def test_download_streams_in_fixed_memory(gateway: Hokusai, upstream: Upstream, is_chunked: bool) -> None:
    before = peak = gateway.resident_bytes()

    def give(exchange: Exchange) -> None:
        framing = ("Transfer-Encoding", "chunked") if is_chunked else ("Content-Length", str(SIZE))
        exchange.send(message(200, [framing]))
        for number in range(SIZE // MEGABYTE):
            data = piece(number)
            exchange.send(b"%x\r\n%s\r\n" % (len(data), data) if is_chunked else data)
        if is_chunked:
            exchange.send(b"0\r\n\r\n")

    def watch() -> None:
        nonlocal peak
        peak = max(peak, gateway.resident_bytes())

    upstream.script(give)
    with wire.Client(gateway.port) as client:
        client.send(wire.request("GET", PATH))
        head = wire.Head.parse(client.reader.until(b"\r\n\r\n"))
        body = Chunks(client.reader) if head.is_chunked else client.reader
        received = Sink().read(body, SIZE, watch)

    assert received == checksum_of_all()
    assert peak - before < ALLOWED_GROWTH, f"grew by {(peak - before) / MEGABYTE:.1f} MB"


def test_slow_reader_slows_the_upstream_down_instead_of_filling_memory(gateway: Hokusai, upstream: Upstream) -> None:
    before, sent = gateway.resident_bytes(), [0]

    def give(exchange: Exchange) -> None:
        exchange.send(message(200, [("Content-Length", str(512 * MEGABYTE))]))
        for _ in range(512):
            exchange.send(PIECE)
            sent[0] += MEGABYTE

    upstream.script(give)
    with wire.Client(gateway.port) as client:
        client.send(wire.request("GET", PATH))
        client.reader.exactly(1000)
        seen = [-1]

        def is_stuck() -> bool:
            stuck = sent[0] == seen[0]
            seen[0] = sent[0]
            return stuck

        wait_until("the upstream to be stuck", is_stuck, 20, every=0.5)
        grown = gateway.resident_bytes() - before

    assert sent[0] < 128 * MEGABYTE, "sockets hold some megabytes, nothing else should"
    assert grown < ALLOWED_GROWTH, f"grew by {grown / MEGABYTE:.1f} MB"


class Chunks(wire.Reader):
    """The content of a chunked body, piece by piece."""

    def __init__(self, reader: wire.Reader):
        super().__init__(reader.sock)
        self.buffer = reader.buffer
        self._left = 0

    def some(self) -> bytes:
        if self._left == 0:
            self._left = int(self.until(b"\r\n").split(b";")[0], 16)
        if not self.buffer:
            self._fill()
        taken, self.buffer = self.buffer[: self._left], self.buffer[self._left :]
        self._left -= len(taken)
        if self._left == 0:
            assert self.exactly(2) == b"\r\n"
        return taken
