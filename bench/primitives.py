"""Single operations of the request path: CPU time and allocations of each, and of a password hash beside the key check.

bench/primitives/ repeats each a fixed number of times, in turns over several rounds, on a thread of its own; the time
is that thread's CPU time, so that other load matters little. Allocations are calls of operator new.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from bench import runner
from bench.proxies import program
from bench.report import Report

SECONDS = 300
# What the goals were taken from; these include reading the clock.
PUBLISHED = "gobreaker 134, Resilience4j 51: published, not measured here"
GOALS_NS = {
    "breaker_admit_report": ("breaker: admit and report, ns", 35),
    "breaker_admit_report_2_threads": ("breaker: admit and report, 2 threads, ns", 35),
    "breaker_refusal": ("breaker: refusal, ns", 10),
}
WITHOUT_ALLOCATION = (*GOALS_NS, "breaker_refusal_2_threads", "key_check", "concurrency_limit", "deadline_set_clear")
KEY_CHECKS_PER_SECOND = 400_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=9, help="rounds, each of all operations (default 9)")


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    done = subprocess.run(
        [program("primitives"), str(options.rounds)], capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"primitives ended with {done.returncode}: {done.stderr.strip()}")
    operations = json.loads(done.stdout)
    report.figures.update(operations)
    report.table(("operation", "threads", "ns", "min..max", "allocations", "1/s"), map(_row, operations.items()))
    with_clock = operations["breaker_admit_report_with_clock"]["nanoseconds"]["median"]
    for name, (what, limit) in GOALS_NS.items():
        report.goal(
            what,
            operations[name]["nanoseconds"]["median"],
            at_most=limit,
            samples=_ends(operations[name]["nanoseconds"]),
            figure=f"{with_clock:.0f} with two clock reads" if name == "breaker_admit_report" else "",
            reference=PUBLISHED if name == "breaker_admit_report" else "",
        )
    allocations = max(operations[name]["allocations"] for name in WITHOUT_ALLOCATION)
    report.goal("allocations of breaker, key check, concurrency limit and deadline", allocations, at_most=0)
    _key_goals(report, operations)


def _row(operation: tuple[str, dict]) -> tuple[str, ...]:
    name, figures = operation
    nanoseconds = figures["nanoseconds"]
    return (
        name,
        str(figures["threads"]),
        f"{nanoseconds['median']:,.1f}",
        f"{nanoseconds['min']:,.1f}..{nanoseconds['max']:,.1f}",
        f"{figures['allocations']:g}",
        f"{figures['per_second']['median']:,.0f}",
    )


def _ends(figures: dict[str, float]) -> tuple[float, float]:
    return figures["min"], figures["max"]


def _key_goals(report: Report, operations: dict[str, dict]) -> None:
    """Against CPU time, two processors wholly ours; what passed by the clock meanwhile is in the table."""
    slow = {name: operations[name]["nanoseconds"]["median"] for name in ("bcrypt_cost_12", "scrypt_16_mib")}
    reference = ", ".join(f"{name} {2e9 / each:,.0f}/s" for name, each in slow.items())
    for name, what in (("key_check_2_threads", "known"), ("key_check_unknown_2_threads", "unknown")):
        nanoseconds = operations[name]["nanoseconds"]
        report.goal(
            f"check of a key that is {what}, per second on 2 cores",
            2e9 / nanoseconds["median"],
            at_least=KEY_CHECKS_PER_SECOND,
            samples=[2e9 / each for each in _ends(nanoseconds)],
            figure=f"{nanoseconds['median']:,.0f} ns",
            reference=reference,
        )


if __name__ == "__main__":
    runner.main()
