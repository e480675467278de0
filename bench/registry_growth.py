"""Our own registry with 1,000, 100,000 and 1,000,000 model versions: how much longer do gets and indexed searches take?

bench/registry_growth.cpp fills a database of each size, then asks all of them the same about models picked at random,
in turns over several rounds. A time is all of an answer but HTTP, in CPU time of the thread, reading the file from
the kernel's cache included, so that other load and the disk matter little. The alias index takes no part; what it
costs is in the first table.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from pathlib import Path

from bench import runner
from bench.proxies import program
from bench.report import Report

SECONDS = 1800
SIZES = (1_000, 100_000, 1_000_000)  # versions; ten of each model
GETS = 1.5
SEARCHES = 3.0

Figures = dict[str, list[float]]  # microseconds of each round, by question


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=9, help="rounds, each of all questions and sizes (default 9)")


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    folders = {size: directory / str(size) for size in SIZES}
    seconds = {size: _fill(folder, size) for size, folder in folders.items()}
    answers = json.loads(_run("ask", str(options.rounds), *map(str, folders.values())))
    figures = {size: answers[str(folder)] for size, folder in folders.items()}
    report.figures.update({str(size): figures[size] | {"seconds_to_fill": seconds[size]} for size in SIZES})
    memory = {size: figures[size].pop("resident_bytes") / 1e6 for size in SIZES}
    index = {size: (figures[size].pop("index_seconds"), figures[size].pop("index_bytes") / 1e6) for size in SIZES}
    files = {size: (folder / "hokusai.db").stat().st_size / 1e6 for size, folder in folders.items()}

    report.table(
        ("versions", "s to fill", "1/s", "file, MB", "memory, MB", "s to load alias index", "its memory, MB"),
        (
            (f"{size:,}", *(f"{x:,.1f}" for x in (took, size / took, files[size], memory[size], *index[size])))
            for size, took in seconds.items()
        ),
    )
    report.table(
        ("µs of CPU time", *(f"{size:,}" for size in SIZES), *(f"{size:,} / {SIZES[0]:,}" for size in SIZES[1:])),
        (_row(question, figures) for question in figures[SIZES[0]]),
    )
    for question in figures[SIZES[0]]:
        ratios = _ratios(question, figures, SIZES[-1])
        report.goal(
            f"{question}, {SIZES[-1]:,} versions / {SIZES[0]:,}",
            statistics.median(ratios),
            at_most=GETS if question.startswith("get") else SEARCHES,
            samples=ratios,
            figure=f"{statistics.median(figures[SIZES[-1]][question]):.1f} µs",
            reference=f"{statistics.median(figures[SIZES[0]][question]):.1f} µs",
        )


def _fill(folder: Path, size: int) -> float:
    started = time.monotonic()
    _run("fill", str(folder), str(size))
    return time.monotonic() - started


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [program("registry_growth"), *arguments], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"registry_growth ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def _ratios(question: str, figures: dict[int, Figures], size: int) -> list[float]:
    """Of each round."""
    return [large / small for large, small in zip(figures[size][question], figures[SIZES[0]][question], strict=True)]


def _row(question: str, figures: dict[int, Figures]) -> tuple[str, ...]:
    times = (f"{statistics.median(figures[size][question]):.1f}" for size in SIZES)
    ratios = (f"{statistics.median(_ratios(question, figures, size)):.2f}" for size in SIZES[1:])
    return question, *times, *ratios


if __name__ == "__main__":
    runner.main()
