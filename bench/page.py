"""All results on one page, build/bench/page.md: the goals of every benchmark that has run, from build/bench/*.json."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from bench.report import RESULTS

COLUMNS = ("what", "figure", "reference", "value", "goal", "met", "min..max", "benchmark")


def show(names: Sequence[str]) -> int:
    """Writes the page and prints it. 0 when every benchmark has run and every goal is met, else 1."""
    results = {name: json.loads(path.read_text()) for name in names if (path := RESULTS / f"{name}.json").exists()}
    text = "\n".join(_lines(results, [name for name in names if name not in results])) + "\n"
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "page.md").write_text(text)
    print(text, end="")
    met = [goal["met"] for result in results.values() for goal in result["goals"]]
    return 0 if all(met) and len(results) == len(names) else 1


def _lines(results: dict[str, dict], not_run: Sequence[str]) -> Iterator[str]:
    yield "# Results"
    yield ""
    for machine in _distinct(_machine(result) for result in results.values()):
        yield f"Measured on: {machine}."
    yield ""
    yield from _table(COLUMNS, [_goal_row(name, goal) for name, result in results.items() for goal in result["goals"]])
    yield ""
    runs = [
        (result["command"], result["at"], str(result["machine"]["load_at_start"]), f"{result['seconds']:.0f}")
        for result in results.values()
    ]
    yield from _table(("command", "ended", "load at start", "seconds"), runs)
    yield ""
    for name, result in results.items():
        for reason in result["skipped"]:
            yield f"- SKIPPED in {name}: {reason}"
    for name in not_run:
        yield f"- not measured: `./dev bench {name}`"


def _machine(result: dict) -> str:
    """Without what differs from run to run."""
    return ", ".join(f"{key} {value}" for key, value in result["machine"].items() if key != "load_at_start")


def _distinct(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _goal_row(name: str, goal: dict) -> tuple[str, ...]:
    value = "never" if goal["value"] is None else f"{goal['value']:.4g}"
    met = "yes" if goal["met"] else "**no**"
    return goal["what"], goal["figure"], goal["reference"], value, goal["limit"], met, goal["spread"], name


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Markdown, padded so that it can be read as it is."""
    cells = [list(header), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
