"""Many clients of a registry in one process: `python -m bench.crowd URL CLIENTS SECONDS TOKEN SEED`.

Each has a kept connection and its next call ready when the last is answered. Like MLflow's own client it waits for as
long as a Retry-After says, and connects again when a connection ends. The latencies are of calls that began after the
first fifth of the time. Prints one JSON line.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.servers import API

MODELS = 20
ALIAS = "champion"
SHARES = {"alias": 60, "version": 20, "search": 15, "tag": 5}  # percent
CALL_TIMEOUT = 120.0  # MLflow's client


def model(number: int) -> str:
    return f"crowd-{number}"


@dataclass
class Crowd:
    authority: str
    token: str
    counts_from: float
    ends_at: float
    seen: Counter[str] = field(default_factory=Counter)
    milliseconds: list[float] = field(default_factory=list)

    def note(self, began: float, status: str) -> None:
        self.seen[status] += 1
        if status == "200" and began >= self.counts_from:
            self.milliseconds.append((time.monotonic() - began) * 1e3)

    def next_request(self, choice: random.Random) -> bytes:
        kind = choice.choices(list(SHARES), weights=list(SHARES.values()))[0]
        name = model(choice.randrange(MODELS))
        if kind == "alias":
            return self._request("GET", f"/registered-models/alias?name={name}&alias={ALIAS}")
        if kind == "version":
            return self._request("GET", f"/model-versions/get?name={name}&version=1")
        if kind == "search":
            return self._request("GET", f"/model-versions/search?max_results=5&filter=name%3D%27{name}%27")
        body = {"name": name, "key": f"key-{choice.randrange(5)}", "value": str(choice.random())}
        return self._request("POST", "/registered-models/set-tag", json.dumps(body).encode())

    def _request(self, method: str, path: str, body: bytes = b"") -> bytes:
        fields = [f"Host: {self.authority}", f"Authorization: Bearer {self.token}", "Accept: */*"]
        if body:
            fields += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join([f"{method} {API}{path} HTTP/1.1", *fields, "", ""]).encode() + body


async def client(crowd: Crowd, seed: int) -> None:
    choice = random.Random(seed)
    host, port = crowd.authority.split(":")
    reader = writer = None
    while time.monotonic() < crowd.ends_at:
        request = crowd.next_request(choice)
        began = time.monotonic()
        try:
            if writer is None:
                reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(request)
            status, retry_after = await asyncio.wait_for(answer(reader), CALL_TIMEOUT)
        except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError) as error:
            crowd.note(began, type(error).__name__)
            if writer is not None:
                writer.close()
            writer = None
            await asyncio.sleep(0.1)
            continue
        crowd.note(began, status)
        await asyncio.sleep(min(retry_after, max(0.0, crowd.ends_at - time.monotonic())))


async def answer(reader: asyncio.StreamReader) -> tuple[str, float]:
    """Status and Retry-After."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.split("\r\n")[1:])}
    await reader.readexactly(int(fields["content-length"]))
    return head.split(" ")[1], float(fields.get("retry-after", 0))


async def main() -> None:
    url, clients, seconds, token, seed = sys.argv[1:]
    now = time.monotonic()
    crowd = Crowd(urlsplit(url).netloc, token, now + float(seconds) / 5, now + float(seconds))
    await asyncio.gather(*(client(crowd, int(seed) + number) for number in range(int(clients))))
    print(json.dumps({"seen": crowd.seen, "milliseconds": crowd.milliseconds, "seconds": float(seconds) * 4 / 5}))


if __name__ == "__main__":
    asyncio.run(main())
