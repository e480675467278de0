"""One page of plain text per benchmark, ending in a JSON line that is also kept in build/bench/NAME.json."""

from __future__ import annotations

import datetime
import json
import shlex
import time
from collections.abc import Iterable, Sequence

from bench import ROOT
from bench.machine import machine

RESULTS = ROOT / "build" / "bench"


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that at least `percent` % of `values` do not exceed (nearest rank); 0 when there are none."""
    ordered = sorted(values)
    if not ordered:
        return 0.0
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def spread(values: Sequence[float], style: str = ".4g") -> str:
    """Such as "1.21..1.30"."""
    return f"{min(values):{style}}..{max(values):{style}}"


class CannotMeasure(Exception):
    """What a benchmark needs is not there; the message says how to get it."""


class Report:
    """Prints as it goes; `finish()` gives the exit code: 0 when every goal was met, else 1."""

    def __init__(self, name: str, title: str, arguments: Sequence[str] = ()):
        self.figures: dict[str, object] = {}
        self._name = name
        self._command = shlex.join(["./dev", "bench", name, *arguments])
        self._machine = machine()
        self._goals: list[dict[str, object]] = []
        self._skipped: list[str] = []
        self._last_line = ""
        self._started = time.monotonic()
        self._file = RESULTS / f"{name}.json"
        self._file.unlink(missing_ok=True)
        self.line(f"{name}: {title}")
        self.line(", ".join(f"{key} {value}" for key, value in self._machine.items()))

    def line(self, text: str = "") -> None:
        """Two empty lines in a row become one."""
        if text or self._last_line:
            print(text, flush=True)
        self._last_line = text

    def skip(self, reason: str) -> None:
        self._skipped.append(reason)
        self.line(f"SKIPPED: {reason}")

    def table(self, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Left-aligned first column, right-aligned others."""
        cells = [[str(cell) for cell in row] for row in [header, *rows]]
        widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
        self.line()
        for row in cells:
            padded = (cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
            self.line("  ".join([row[0].ljust(widths[0]), *padded]).rstrip())
        self.line()

    def goal(
        self,
        what: str,
        value: float | None,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        samples: Sequence[float] = (),
        figure: str = "",
        reference: str = "",
    ) -> None:
        """Exactly one of the two limits is given; both include their limit. None stands for "never" and misses the
        goal. `samples` give the spread over the rounds; `figure` and `reference` are what a ratio is made of.
        """
        limit, sign = (at_most, "<=") if at_most is not None else (at_least, ">=")
        assert limit is not None
        met = value is not None and (value <= limit if sign == "<=" else value >= limit)
        shown = "never" if value is None else f"{value:.4g}"
        self._goals.append(
            {
                "what": what,
                "value": value,
                "limit": f"{sign} {limit:g}",
                "met": met,
                "spread": spread(samples, ".3g") if samples else "",
                "figure": figure,
                "reference": reference,
            }
        )
        self.line(f"{'met   ' if met else 'MISSED'}  {what}: {shown} (goal {sign} {limit:g})")

    def finish(self) -> int:
        document = {
            "bench": self._name,
            "command": self._command,
            "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "machine": self._machine,
            "seconds": round(time.monotonic() - self._started, 1),
            "figures": self.figures,
            "goals": self._goals,
            "skipped": self._skipped,
        }
        text = json.dumps(document)
        RESULTS.mkdir(parents=True, exist_ok=True)
        self._file.write_text(text + "\n")
        self.line()
        self.line(text)
        return 0 if all(goal["met"] for goal in self._goals) else 1
