"""A balancer's health check on a connection of its own, again and again."""

from __future__ import annotations

import time
from collections import Counter

from bench.background import Background
from bench.report import percentile
from support import wire


class Knocker(Background):
    """20 checks a second, by a thread. Use as a context manager; `window()` and `end()` are those of the poller."""

    def __init__(self, port: int):
        super().__init__()
        self._port = port
        self._windows: list[tuple[str, Counter[str], list[float]]] = []
        self.window("start")

    def window(self, name: str) -> None:
        self._windows.append((name, Counter(), []))

    def end(self) -> list[dict]:
        self.__exit__()
        return [
            {
                "name": name,
                "requests": len(milliseconds) + errors.total(),
                "errors": dict(errors),
                "p99_ms": round(percentile(milliseconds, 99), 3),
            }
            for name, errors, milliseconds in self._windows
        ]

    def _run(self) -> None:
        while not self._stop.wait(0.05):
            _, errors, milliseconds = self._windows[-1]
            begun = time.perf_counter()
            try:
                status = wire.call(self._port, "GET", "/health").status
                if status != 200:
                    raise ValueError(status)
                milliseconds.append((time.perf_counter() - begun) * 1000)
            except (OSError, ValueError, wire.Closed) as error:
                errors[f"new connection: {error!r}"] += 1
