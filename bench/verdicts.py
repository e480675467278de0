"""What one call of a soak got, and whether that was right at its time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import requests

from bench.fault_proxy import PAGE
from bench.faults import Episode
from bench.watch import Change

# Route classes. Those of the first group need no MLflow.
ALWAYS = ("health", "metrics", "admin")
MLFLOW = ("registry read", "registry write", "run tracking", "artifact", "large stream", "stock client")
# The longest a call may take, whatever its answer: the gateway's own limits (60 s for a read, 110 s for a write, from
# the last byte sent) and some for the way; MLflow's client goes on asking for four minutes.
LIMIT_SECONDS = {"metrics": 2.0, "admin": 5.0, "registry read": 65.0, "stock client": 240.0}
WRITE_LIMIT_SECONDS = 115.0
PROMPT_SECONDS = 2.0  # for a refusal while the breaker is OPEN
MARGIN_SECONDS = 0.3  # the breaker's state is seen ten times a second


class Answer(StrEnum):
    RIGHT = "right"  # what was asked for, checked
    REFUSED = "503"  # TEMPORARILY_UNAVAILABLE in MLflow's JSON, Retry-After 15 to 30
    UNKNOWN = "504"  # DEADLINE_EXCEEDED in MLflow's JSON, to a write
    CUT = "cut"  # the body ended early, and the client could tell
    RELAYED = "relayed"  # the fault proxy's error page, byte for byte
    CLOSED = "closed"  # the connection ended without an answer
    WRONG = "wrong"  # another answer than the one asked for
    FAILED = "failed"  # anything else


EXCUSABLE = frozenset({Answer.REFUSED, Answer.UNKNOWN, Answer.CUT, Answer.RELAYED})


@dataclass(slots=True)
class Call:
    route: str
    begin: float
    end: float
    answer: Answer
    detail: str = ""

    @property
    def seconds(self) -> float:
        return self.end - self.begin


def classify(response: requests.Response, is_write: bool) -> Answer:
    """An answer that is not the one asked for."""
    if response.status_code == 500 and response.content == PAGE:
        return Answer.RELAYED
    try:
        code = response.json()["error_code"]
    except (ValueError, KeyError, TypeError):
        return Answer.FAILED
    wait = response.headers.get("Retry-After", "")
    if (response.status_code, code) == (503, "TEMPORARILY_UNAVAILABLE") and wait.isdigit() and 15 <= int(wait) <= 30:
        return Answer.REFUSED
    if (response.status_code, code) == (504, "DEADLINE_EXCEEDED") and is_write:
        return Answer.UNKNOWN
    return Answer.FAILED


class Judge:
    """Knows the faults and when the breaker was OPEN."""

    def __init__(self, episodes: Sequence[Episode], changes: Iterable[Change]):
        self._episodes = [each for each in episodes if not each.fault.answers]
        self._open: list[tuple[float, float]] = []
        since = None
        for change in [each for each in changes if each.what == "breaker"] + [Change(float("inf"), "breaker", "")]:
            if since is not None:
                self._open.append((since + MARGIN_SECONDS, change.at - MARGIN_SECONDS))
            since = change.at if change.value == "OPEN" else None

    def complaint(self, call: Call) -> str:
        """Empty when the call was answered as it may be."""
        limit = LIMIT_SECONDS.get(call.route, WRITE_LIMIT_SECONDS)
        if call.seconds > limit:
            return f"took {call.seconds:.1f} s"
        if call.answer is Answer.RIGHT:
            return ""
        if call.answer not in EXCUSABLE or call.route in ALWAYS:
            return call.answer
        if not any(each.overlaps(call.begin, call.end) for each in self._episodes):
            return f"{call.answer} though MLflow was there"
        is_open = any(since <= call.begin <= until for since, until in self._open)
        is_late = call.seconds > PROMPT_SECONDS and call.route != "stock client"
        if call.answer is Answer.REFUSED and is_open and is_late:
            return f"503 after {call.seconds:.1f} s though the breaker was OPEN"
        return ""


@dataclass
class Ledger:
    """What became of each write of one caller, by its answer."""

    acknowledged: set[Hashable] = field(default_factory=set)
    refused: set[Hashable] = field(default_factory=set)

    def note(self, write: Hashable, answer: Answer) -> None:
        """Any other answer leaves open whether the write was carried out."""
        if answer is Answer.RIGHT:
            self.acknowledged.add(write)
        elif answer is Answer.REFUSED:
            self.refused.add(write)

    def compare(self, stored: Counter[Hashable]) -> dict[str, list[str]]:
        return {
            "missing": sorted(str(write) for write in self.acknowledged if not stored[write]),
            "stored twice": sorted(str(write) for write, count in stored.items() if count > 1),
            "stored though refused": sorted(str(write) for write in self.refused if stored[write]),
        }
