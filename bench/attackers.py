"""One attack on a port, from a process of its own: `python -m bench.attackers NAME PORT`, values in the environment.

It goes on until its standard input ends, then prints one JSON object: connections opened, what the server answered,
and how long those connections lived that the server ended.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.servers import API, ARTIFACTS

TICK_SECONDS = 0.02
OPENED_PER_TICK = 20  # of connections that are held: 1,000 a second
OPENED_PER_SECOND = 20_000  # of connections that are dropped at once
FLOOD_BYTES = 1 << 20
KEY = os.environ.get("ATTACK_KEY", "")


@dataclass(frozen=True)
class Attack:
    """`count` connections that send `opening`, then `drip` once a second; those the server ends are opened again."""

    count: int
    opening: bytes = b""
    drip: bytes = b""
    reads: bool = True
    repeats: bool = False  # `opening` again and again, as fast as it is taken


def head(start: str, *fields: str) -> bytes:
    """Without the empty line that would end it."""
    return "".join(f"{line}\r\n" for line in (start, "Host: h", *fields)).encode()


def large_head() -> bytes:
    """Just below the limits of 64 KiB and 256 fields."""
    return head("GET /mlflow/x HTTP/1.1", *(f"X-{number}: {'y' * 230}" for number in range(250)))


OWN_KEY = f"Authorization: Bearer {KEY}"
SMALL_BODY = head(f"POST {API}/runs/log-batch HTTP/1.1", OWN_KEY, "Content-Length: 60000") + b"\r\n"
UPLOAD = head(f"PUT {ARTIFACTS}/x HTTP/1.1", OWN_KEY, "Content-Length: 1000000000") + b"\r\n"
DOWNLOAD = head(f"GET {ARTIFACTS}/bulk/1000000000 HTTP/1.1", OWN_KEY) + b"\r\n"
HEALTH = head("GET /livez HTTP/1.1") + b"\r\n"

ATTACKS = {
    "slow header": Attack(500, head("GET /mlflow/x HTTP/1.1") + b"X: ", b"y"),
    "slow large header": Attack(500, large_head() + b"X: ", b"y"),
    "slow body": Attack(500, SMALL_BODY, b"y"),
    "stalled body": Attack(500, SMALL_BODY),
    "slow upload": Attack(64, UPLOAD, b"y"),
    "fast upload": Attack(4, UPLOAD + bytes(FLOOD_BYTES), repeats=True),  # all that follows is body
    "fast download": Attack(4, DOWNLOAD),
    "slow read": Attack(16, DOWNLOAD, reads=False),
    "silent": Attack(1000),
    "idle": Attack(1000, HEALTH),
    "pipelining": Attack(8, HEALTH * 2000, repeats=True),
    "large heads": Attack(8, large_head() + b"\r\n", repeats=True),
    "full house": Attack(200, HEALTH),
    "overrun": Attack(400),
}


@dataclass
class Tally:
    opened: int = 0
    refused: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    lives: list[float] = field(default_factory=list)

    def summary(self, still_open: int) -> dict[str, object]:
        return {
            "opened": self.opened,
            "refused": self.refused,
            "answers": " ".join(f"{count} x {answer}" for answer, count in self.answers.items()),
            "ended": len(self.lives),
            "longest_life_seconds": round(max(self.lives), 2) if self.lives else None,
            "not_ended": still_open,
        }


class Connection:
    def __init__(self, port: int, attack: Attack):
        self.socket = socket.socket()
        if not attack.reads:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.opened_at = time.monotonic()
        self.dripped_at = self.opened_at
        self.unsent = memoryview(attack.opening)


class Attacker:
    """One thread, one poll over all connections."""

    def __init__(self, port: int, attack: Attack):
        self.tally = Tally()
        self._port = port
        self._attack = attack
        self._poll = select.poll()
        self._open: dict[int, Connection] = {}
        self._filled_at = 0.0

    def run(self, is_over: Callable[[], bool]) -> dict[str, object]:
        while not is_over():
            self._fill_up()
            for descriptor, events in self._poll.poll(TICK_SECONDS * 1000):
                self._handle(self._open[descriptor], events)
            self._drip()
        return self.tally.summary(len(self._open))

    def _fill_up(self) -> None:
        if time.monotonic() < self._filled_at + TICK_SECONDS:
            return
        self._filled_at = time.monotonic()
        for _ in range(min(OPENED_PER_TICK, self._attack.count - len(self._open))):
            try:
                connection = Connection(self._port, self._attack)
            except OSError:
                self.tally.refused += 1
                return
            self.tally.opened += 1
            self._open[connection.socket.fileno()] = connection
            self._poll.register(connection.socket, self._interest(connection))

    def _interest(self, connection: Connection) -> int:
        reading = select.POLLIN if self._attack.reads else 0
        return reading | (select.POLLOUT if connection.unsent else 0)

    def _handle(self, connection: Connection, events: int) -> None:
        try:
            if events & select.POLLOUT:
                self._send(connection)
            if events & (select.POLLIN | select.POLLERR | select.POLLHUP):
                self._receive(connection)
        except BlockingIOError:
            pass
        except OSError:
            self._end(connection)

    def _send(self, connection: Connection) -> None:
        connection.unsent = connection.unsent[connection.socket.send(connection.unsent) :]
        if not connection.unsent and self._attack.repeats:
            connection.unsent = memoryview(self._attack.opening)
        self._poll.modify(connection.socket, self._interest(connection))

    def _receive(self, connection: Connection) -> None:
        piece = connection.socket.recv(FLOOD_BYTES)
        if not piece:
            raise ConnectionError("ended")
        for start in piece.split(b"HTTP/1.1 ")[1:]:
            self.tally.answers[start[:3].decode()] += 1

    def _end(self, connection: Connection) -> None:
        self.tally.lives.append(time.monotonic() - connection.opened_at)
        del self._open[connection.socket.fileno()]
        self._poll.unregister(connection.socket)
        connection.socket.close()

    def _drip(self) -> None:
        now = time.monotonic()
        for connection in list(self._open.values()) if self._attack.drip else ():
            if now - connection.dripped_at >= 1.0 and not connection.unsent:
                connection.dripped_at = now
                with contextlib.suppress(OSError):
                    connection.socket.send(self._attack.drip)


def flood(port: int, is_over: Callable[[], bool]) -> dict[str, object]:
    """Connections that are reset as soon as they are there: their ports are free again at once."""
    tally = Tally()
    begun = time.monotonic()
    while not is_over():
        allowed = (time.monotonic() - begun) * OPENED_PER_SECOND
        if tally.opened > allowed:
            time.sleep(0.001)
            continue
        for _ in range(100):
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1) as sock:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                tally.opened += 1
            except OSError as error:
                tally.refused += 1
                tally.answers[errno.errorcode.get(error.errno, str(error))] += 1
    return tally.summary(0)


def is_input_over() -> bool:
    return bool(select.select([sys.stdin], [], [], 0)[0])


if __name__ == "__main__":
    name, port = sys.argv[1], int(sys.argv[2])
    done = flood(port, is_input_over) if name == "flood" else Attacker(port, ATTACKS[name]).run(is_input_over)
    print(json.dumps(done))
