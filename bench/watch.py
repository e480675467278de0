"""Follows the breaker and the health state of a running hokusai from outside, without causing MLflow traffic."""

from __future__ import annotations

import time
from dataclasses import dataclass

import requests

from bench.background import Background
from support.process import wait_until


@dataclass(frozen=True)
class Change:
    at: float  # time.monotonic() when the new value was seen first
    what: str  # "breaker" or "health"
    value: str


class Watch(Background):
    """Asks /health/mlflow and /health ten times a second. Use as a context manager."""

    def __init__(self, url: str):
        super().__init__()
        self.changes: list[Change] = []
        self.errors: list[str] = []
        self._url = url
        self._latest: dict[str, str] = {}

    def latest(self, what: str) -> str | None:
        return self._latest.get(what)

    def wait_for(self, what: str, value: str, seconds: float) -> None:
        wait_until(f"{what} to be {value}", lambda: self.latest(what) == value, seconds)

    def since(self, start: float, what: str) -> list[Change]:
        return [change for change in self.changes if change.what == what and change.at >= start]

    def first(self, start: float, what: str, value: str) -> float | None:
        """Seconds from `start` until `value` was seen."""
        return next((change.at - start for change in self.since(start, what) if change.value == value), None)

    def timeline(self, start: float, what: str) -> str:
        """Such as "+1.3 s OPEN, +31.8 s HALF_OPEN"; times count from `start`."""
        return (
            ", ".join(f"+{change.at - start:.1f} s {change.value}" for change in self.since(start, what)) or "no change"
        )

    def _run(self) -> None:
        session = requests.Session()
        session.trust_env = False
        while not self._stop.wait(0.1):
            self._see(session, "breaker", "/health/mlflow", "circuit_breaker_state")
            self._see(session, "health", "/health", "status")

    def _see(self, session: requests.Session, what: str, path: str, field: str) -> None:
        try:
            value = session.get(self._url + path, timeout=2).json()[field]
        except (requests.RequestException, ValueError, KeyError) as error:
            self.errors.append(f"{path}: {error!r}")
            return
        if value != self._latest.get(what):
            self._latest[what] = value
            self.changes.append(Change(time.monotonic(), what, value))
