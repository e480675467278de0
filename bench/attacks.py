"""Health endpoints at 500 requests a second under attack: slow, silent and greedy clients, floods, a full house.

Each attack has a quiet stretch before it, in the same run. Two kinds of checks are made all the time: on kept
connections, 500 a second, and on a connection of its own each, 20 a second, as balancers do. hokusai has the first
processor for itself, and one worker; attacker, checks and upstream share the last, so none of them takes its time.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import ROOT, runner
from bench.health_under_outage import Poller
from bench.knocker import Knocker
from bench.process_figures import peak_resident_mib, reset_peak, resident_mib
from bench.proxies import pinned
from bench.report import Report
from bench.servers import Gateway
from bench.streaming import start_bulk_upstream
from bench.vitals import descriptors, most_descriptors
from support.process import wait_until

# Short, so that each deadline is seen to end connections within an attack.
DEADLINES = {
    "HOKUSAI_SERVER_HEADER_TIMEOUT": "5s",
    "HOKUSAI_SERVER_BODY_IDLE_TIMEOUT": "5s",
    "HOKUSAI_SERVER_IDLE_TIMEOUT": "8s",
}
# Seconds after which the server ends a connection of that attack; none where the client keeps within all deadlines.
ENDS_AFTER = {
    "slow header": 5,
    "slow large header": 5,
    "stalled body": 5,
    "slow read": 5,
    "silent": 5,
    "idle": 8,
}
OPEN_HOUSE = (
    "slow body",
    "slow upload",
    *ENDS_AFTER,
    "flood",
    "pipelining",
    "large heads",
    "fast upload",
    "fast download",
)
FULL_HOUSE = ("full house", "overrun")
PLACES = {"HOKUSAI_SERVER_MAX_CONNECTIONS": "200"}
QUIET_SECONDS = 5.0
GOAL_MS = 50.0  # a twentieth of the shortest time-out that balancers have by default
GOAL_MIB = 16.0
# A new connection takes the place of the oldest reserved one, so a check fails if 64 others come before it speaks.
GOAL_FAILED = {"overrun": 0.05}  # share of the checks on new connections; none elsewhere


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=12.0, help="how long each attack lasts (default 12)")
    parser.add_argument("--rate", type=float, default=500.0, help="health requests per second (default 500)")
    parser.add_argument("--only", default="", help="a comma-separated choice of attacks")


@dataclass(frozen=True)
class Figures:
    """Of the process under attack."""

    resident_mib: float
    descriptors: int

    def __str__(self) -> str:
        return f"{self.resident_mib:.0f} / {self.descriptors}"


@dataclass(frozen=True)
class Ordeal:
    """What one attack did to the process, and what the attacker saw."""

    name: str
    before: Figures
    peak: Figures
    after: Figures
    attacker: dict[str, object]


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    chosen = {name.strip() for name in options.only.split(",") if name.strip()}
    first, last = min(os.sched_getaffinity(0)), max(os.sched_getaffinity(0))
    with pinned(last):
        upstream = start_bulk_upstream(directory / "upstream")
        for names, env in ((OPEN_HOUSE, {}), (FULL_HOUSE, PLACES)):
            names = [name for name in names if not chosen or name in chosen]
            if names:
                with pinned(first):
                    gateway = Gateway(directory / names[0], upstream.url, threads=1, env={**DEADLINES, **env})
                _besiege(report, gateway.wait_ready(), names, options)
                gateway.stop()


def _besiege(report: Report, gateway: Gateway, names: Sequence[str], options: argparse.Namespace) -> None:
    start = Figures(resident_mib(gateway.pid), most_descriptors(gateway.pid, 1.0))
    with Poller(gateway.url, options.rate) as poller, Knocker(gateway.port) as knocker:
        ordeals = [_suffer(name, gateway, poller, knocker, options.seconds) for name in names]
        kept = {window["name"]: window for window in poller.end()}
        fresh = {window["name"]: window for window in knocker.end()}
    wait_until("descriptors to return", lambda: descriptors(gateway.pid) <= start.descriptors, 30.0)
    _tell_health(report, names, kept, fresh)
    _tell_process(report, ordeals)
    growth = resident_mib(gateway.pid) - start.resident_mib
    report.goal(f"{names[0]} to {names[-1]}: memory that did not return, MiB", growth, at_most=GOAL_MIB)
    report.figures[names[0]] = {
        "kept": kept,
        "fresh": fresh,
        "attacker": {each.name: each.attacker for each in ordeals},
    }


def _suffer(name: str, gateway: Gateway, poller: Poller, knocker: Knocker, seconds: float) -> Ordeal:
    def window(title: str) -> None:
        poller.window(title)
        knocker.window(title)

    window(_quiet(name))
    before = Figures(resident_mib(gateway.pid), most_descriptors(gateway.pid, QUIET_SECONDS))
    reset_peak(gateway.pid)
    argv = [sys.executable, "-m", "bench.attackers", name, str(gateway.port)]
    env = {**os.environ, "ATTACK_KEY": gateway.key, "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, env=env) as attacker:
        try:
            window(name)
            most = most_descriptors(gateway.pid, seconds)
            window(f"after {name}")
            seen = json.loads(attacker.communicate(timeout=30)[0])
        finally:
            attacker.kill()
    peak = Figures(peak_resident_mib(gateway.pid), most)
    time.sleep(2.0)  # the longest that the server waits for the end of a connection it has ended
    return Ordeal(name, before, peak, Figures(resident_mib(gateway.pid), descriptors(gateway.pid)), seen)


def _quiet(name: str) -> str:
    return f"before {name}"


def _tell_health(report: Report, names: Sequence[str], kept: dict[str, dict], fresh: dict[str, dict]) -> None:
    percentiles = ("p50_ms", "p99_ms", "p99.9_ms")
    rows = []
    for name in names:
        quiet, attacked, knocks = kept[_quiet(name)], kept[name], fresh[name]
        ratio = attacked["p99.9_ms"] / max(quiet["p99.9_ms"], 0.001)
        values = [*(quiet[each] for each in percentiles), *(attacked[each] for each in percentiles), f"{ratio:.1f}"]
        rows.append((name, *values, fresh[_quiet(name)]["p99_ms"], knocks["p99_ms"]))
    columns = ("quiet p50 ms", "p99", "p99.9", "attacked p50 ms", "p99", "p99.9", "ratio", "new conn. quiet p99", "p99")
    report.table(("health", *columns), rows)
    for name in names:
        for text, count in [*kept[name]["errors"].items(), *fresh[name]["errors"].items()]:
            report.line(f"{name}: {count} x {text}")
        failed = sum(fresh[name]["errors"].values()) / max(fresh[name]["requests"], 1)
        report.goal(f"{name}: checks that failed on kept connections", sum(kept[name]["errors"].values()), at_most=0)
        report.goal(f"{name}: share that failed on new ones", failed, at_most=GOAL_FAILED.get(name, 0))
        report.goal(f"{name}: health p99.9, ms", kept[name]["p99.9_ms"], at_most=GOAL_MS)


def _tell_process(report: Report, ordeals: Sequence[Ordeal]) -> None:
    rows = [
        (
            each.name,
            each.before,
            each.peak,
            each.after,
            *map(str, each.attacker.values()),
            ENDS_AFTER.get(each.name, ""),
        )
        for each in ordeals
    ]
    report.table(("MiB / descriptors", "before", "peak", "after", *ordeals[0].attacker, "deadline"), rows)
    for each in ordeals:
        if each.name in ENDS_AFTER:
            lived = each.attacker["longest_life_seconds"]
            report.goal(f"{each.name}: ended after, s", lived, at_most=ENDS_AFTER[each.name] + 1.0)


if __name__ == "__main__":
    runner.main()
