"""A TCP proxy before one server that spoils what the server answers, or refuses, freezes and drops connections.

What clients send passes unchanged. A treatment is a function of a link and a piece of an answer; `treatment` may be
replaced at any time and holds for the next piece. An answer treated with garbage has been made by the server all the
same: a write was carried out, and its client doesn't know.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass

from support.process import free_port

PIECE = 1 << 16
PAGE = b"<!doctype html><title>500</title><h1>Internal Server Error</h1><p>page of the fault proxy</p>"
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@dataclass(eq=False)
class Link:
    """One connection of a client and its counterpart at the server."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    random: random.Random
    begins_answer: bool = True  # whether the next piece of the server does: the first after a request's

    async def forward(self, data: bytes) -> None:
        self.begins_answer = True
        self.server.write(data)
        await self.server.drain()

    async def send(self, data: bytes) -> None:
        self.client.write(data)
        await self.client.drain()

    def reset(self) -> None:
        """End both with RST: a proxy that closes politely would hide from the client that its peer died."""
        for writer in (self.client, self.server):
            with contextlib.suppress(OSError):
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()


Treatment = Callable[[Link, bytes], Awaitable[None]]


async def unchanged(link: Link, data: bytes) -> None:
    await link.send(data)


async def late(link: Link, data: bytes) -> None:
    """Each answer begins 0.2 to 0.7 s late."""
    if link.begins_answer:
        await asyncio.sleep(link.random.uniform(0.2, 0.7))
    await link.send(data)


async def in_crumbs(link: Link, data: bytes) -> None:
    """Each piece in about forty segments."""
    size = max(16, len(data) // 40)
    for start in range(0, len(data), size):
        await link.send(data[start : start + size])
        await asyncio.sleep(0.002)


async def cut_by_half(link: Link, data: bytes) -> None:
    """Every second answer ends with a reset in its first piece, a few longer ones later."""
    if link.random.random() > (0.5 if link.begins_answer else 0.02):
        await link.send(data)
        return
    await link.send(data[: link.random.randrange(len(data))])
    raise ConnectionAbortedError


def garbage(*answers: bytes) -> Treatment:
    """One of these instead of the answer, then an orderly end of the connection. An answer begun goes on."""

    async def replace(link: Link, data: bytes) -> None:
        if not link.begins_answer:
            await link.send(data)
            return
        await link.send(link.random.choice(answers))
        raise EOFError

    return replace


def swapped() -> Treatment:
    """Answers change places between connections. Nothing before a server can mend that: it shows that a client's
    checks see it.
    """
    held: list[tuple[Link, bytes]] = []

    async def swap(link: Link, data: bytes) -> None:
        if not link.begins_answer:
            await link.send(data)
        elif held and held[0][0] is not link:
            other, before = held.pop()
            with contextlib.suppress(OSError):
                await other.send(data)
            await link.send(before)
        else:
            held.append((link, data))

    return swap


error_page = garbage(
    b"HTTP/1.1 500 Internal Server Error\r\nContent-Type: text/html\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(PAGE), PAGE)
)
half_head = garbage(b"HTTP/1.1 200 OK\r\nContent-Ty", b"HTTP/1.1 20", JSON_HEAD, b"H")
wrong_framing = garbage(
    JSON_HEAD + b"Content-Length: 2\r\nContent-Length: 7\r\n\r\n{}     ",
    JSON_HEAD + b"Content-Length: -2\r\n\r\n{}",
    JSON_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    JSON_HEAD + b"this line has no colon\r\nContent-Length: 2\r\n\r\n{}",
    b"220 mail.example ESMTP\r\n",
    bytes(range(256)),
)
half_body = garbage(
    JSON_HEAD + b"Content-Length: 1000\r\n\r\n",
    JSON_HEAD + b'Content-Length: 1000\r\n\r\n{"registered_model": {"name": "',
    JSON_HEAD + b'Transfer-Encoding: chunked\r\n\r\n10\r\n{"run": {"info":\r\n',
    JSON_HEAD + b"Content-Length: 200000\r\n\r\n" + b" " * 100_000,
)


class FaultProxy:
    """One event loop in a thread of its own; listens from the start."""

    def __init__(self, server_port: int, seed: int):
        self.port = free_port()
        self.treatment: Treatment = unchanged
        self._server_port = server_port
        self._random = random.Random(seed)
        self._links: set[Link] = set()
        self._listener: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._flows.set()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self.listen()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def listen(self) -> None:
        self._do(self._listen())

    def refuse(self) -> None:
        """New connections from here on; those there go on."""
        self._do(self._refuse())

    def drop(self) -> None:
        """Reset the connections there are."""
        self._do(self._drop())

    def freeze(self) -> None:
        """Nothing passes on the connections there are until drop()."""
        self._do(self._freeze())

    def _do(self, action: Coroutine[object, object, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(10)

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(self._serve, "127.0.0.1", self.port, backlog=512)

    async def _refuse(self) -> None:
        if self._listener:
            self._listener.close()
            self._listener = None

    async def _drop(self) -> None:
        for link in list(self._links):
            link.reset()
        self._flows.set()

    async def _freeze(self) -> None:
        self._flows.clear()

    async def _serve(self, from_client: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            from_server, server = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            client.transport.abort()
            return
        link = Link(client, server, self._random)
        self._links.add(link)
        pumps = [
            asyncio.ensure_future(self._pump(from_client, link.forward)),
            asyncio.ensure_future(self._pump(from_server, lambda data: self._treat(link, data))),
        ]
        try:
            done, _ = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if any(isinstance(pump.exception(), OSError) for pump in done):
                link.reset()
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            self._links.discard(link)
            client.close()
            server.close()

    async def _pump(self, source: asyncio.StreamReader, take: Callable[[bytes], Awaitable[None]]) -> None:
        while data := await source.read(PIECE):
            await self._flows.wait()
            await take(data)

    async def _treat(self, link: Link, data: bytes) -> None:
        try:
            await self.treatment(link, data)
        finally:
            link.begins_answer = False
