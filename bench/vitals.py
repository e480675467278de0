"""Resident memory and open descriptors of a running hokusai, once a second, and what its log tells."""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bench.background import Background
from bench.process_figures import resident_mib


@dataclass(frozen=True)
class Sample:
    at: float
    resident_mib: float
    descriptors: int


def descriptors(pid: int) -> int:
    """0 when it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


class Vitals(Background):
    """As a context manager; a process that is gone ends the sampling."""

    def __init__(self, pid: int):
        super().__init__()
        self.samples: list[Sample] = []
        self._pid = pid

    def _run(self) -> None:
        with contextlib.suppress(OSError, LookupError):
            while not self._stop.wait(1.0):
                self.samples.append(Sample(time.monotonic(), resident_mib(self._pid), descriptors(self._pid)))


def median_mib(samples: Iterable[Sample], begin: float, end: float) -> float:
    """0 without a sample."""
    return statistics.median([each.resident_mib for each in samples if begin <= each.at < end] or [0.0])


def most_descriptors(pid: int, seconds: float) -> int:
    """Over a while: probes open and close connections of their own."""
    counts = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        counts.append(descriptors(pid))
        time.sleep(0.1)
    return max(counts)


def log_events(log: str) -> Iterator[dict]:
    for line in log.splitlines():
        with contextlib.suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                yield event


@dataclass
class LogFigures:
    transitions: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    reloads: int = 0

    @staticmethod
    def of(log: str) -> LogFigures:
        figures = LogFigures()
        for event in log_events(log):
            name = event.get("event")
            if name == "breaker_changed":
                figures.transitions[f"{event['from']} to {event['to']}"] += 1
            figures.reloads += name == "settings_reloaded"
            if event.get("level") in ("error", "critical"):
                figures.errors[str(name)] += 1
        return figures
