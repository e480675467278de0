"""Our own registry with 1,000, 100,000 and 1,000,000 model versions: how much longer do gets and indexed searches take?

bench/registry_growth.cpp fills a database of each size, then asks all of them the same questions about models picked at
random, in turns over several rounds. The time is the thread's CPU time, reading the file from the kernel's cache
included, so that other load and the disk matter little. No answer comes from a cache of our own.
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
    rows = []
    for size in SIZES:
        started = time.monotonic()
        _run("fill", str(directory / str(size)), str(size))
        seconds = time.monotonic() - started
        megabytes = (directory / str(size) / "hokusai.db").stat().st_size / 1e6
        rows.append((size, seconds, megabytes))
    folders = [str(directory / str(size)) for size in SIZES]
    answers = json.loads(_run("ask", str(options.rounds), *folders))
    memory = [answers[folder].pop("resident_bytes") / 1e6 for folder in folders]
    figures = {size: answers[folder] for size, folder in zip(SIZES, folders, strict=True)}

    report.table(
        ("versions", "seconds to fill", "1/s", "file, MB", "memory, MB"),
        (
            (f"{size:,}", f"{seconds:.1f}", f"{size / seconds:,.0f}", f"{megabytes:,.1f}", f"{used:.1f}")
            for (size, seconds, megabytes), used in zip(rows, memory, strict=True)
        ),
    )
    report.table(
        ("microseconds of CPU time", *(f"{size:,}" for size in SIZES), *(f"{size:,} / {SIZES[0]:,}" for size in SIZES[1:])),
        (_row(question, figures) for question in figures[SIZES[0]]),
    )
    report.figures.update(
        {
            str(size): {"seconds_to_fill": seconds, "file_mb": megabytes, "memory_mb": used, "microseconds": figures[size]}
            for (size, seconds, megabytes), used in zip(rows, memory, strict=True)
        }
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
