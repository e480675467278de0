"""Large bodies that are the same everywhere: numbered blocks, sent, received and hashed one at a time."""

from __future__ import annotations

import hashlib
import http.client
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = 1 << 20
TIMEOUT_SECONDS = 130  # per read or write; MLflow answers an upload after it has stored it


@dataclass(frozen=True)
class Transfer:
    sha256: str
    seconds: float
    answer: bytes = b""


def blocks(total: int) -> Iterator[memoryview]:
    """`total` bytes, in blocks of 1 MiB that differ in their first 8 bytes. A view is valid until the next one."""
    block = bytearray(random.Random(1).randbytes(BLOCK))
    for number, start in enumerate(range(0, total, BLOCK)):
        block[:8] = number.to_bytes(8, "big")
        yield memoryview(block)[: min(BLOCK, total - start)]


def upload(url: str, path: str, headers: dict[str, str], total: int) -> Transfer:
    """PUTs `total` bytes; raises RuntimeError unless the answer is 200."""
    connection = _connection(url)
    digest = hashlib.sha256()
    start = time.monotonic()
    connection.putrequest("PUT", path)
    for name, value in {**headers, "Content-Type": "application/octet-stream", "Content-Length": str(total)}.items():
        connection.putheader(name, value)
    connection.endheaders()
    for block in blocks(total):
        digest.update(block)
        connection.sock.sendall(block)
    response = connection.getresponse()
    answer = response.read()
    connection.close()
    _require_200(f"PUT {url}{path}", response.status, answer)
    return Transfer(digest.hexdigest(), time.monotonic() - start, answer)


def download(url: str, path: str, headers: dict[str, str], total: int) -> Transfer:
    """GETs `total` bytes; raises RuntimeError for another status or length."""
    connection = _connection(url)
    digest = hashlib.sha256()
    buffer = memoryview(bytearray(BLOCK))
    received = 0
    start = time.monotonic()
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    if response.status != 200:
        _require_200(f"GET {url}{path}", response.status, response.read())
    while count := response.readinto(buffer):
        digest.update(buffer[:count])
        received += count
    connection.close()
    if received != total:
        raise RuntimeError(f"GET {url}{path}: {received} bytes instead of {total}")
    return Transfer(digest.hexdigest(), time.monotonic() - start)


def _connection(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(url.removeprefix("http://"), timeout=TIMEOUT_SECONDS)


def _require_200(what: str, status: int, answer: bytes) -> None:
    if status != 200:
        raise RuntimeError(f"{what} answered {status}: {answer[:300]!r}")
