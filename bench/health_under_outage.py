"""Health endpoints at 500 requests a second while MLflow is killed, hung and unreachable.

No MLflow traffic passes at any time: the breaker has to find out by itself. Every answer of /health, /ready and /livez
must be a 200, /health must turn `degraded` during each fault and `healthy` after it. The last fault happens while
nobody asks anything at all.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import requests

from bench import ROOT, runner
from bench.report import Report
from bench.servers import Gateway, MlflowServer, start_mlflow
from bench.watch import Watch
from support.upstream import BlackHole

RETURN_SECONDS = 60.0  # at most from MLflow's first answer to `healthy`


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each fault lasts (default 20)")
    parser.add_argument("--rate", type=float, default=500.0, help="requests per second in total (default 500)")


class Poller:
    """The polling process, as a context manager; `window()` names what its next requests are counted under."""

    def __init__(self, url: str, rate: float):
        argv = [sys.executable, "-m", "bench.health_poller", url, str(rate)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, start_new_session=True)

    def __enter__(self) -> Poller:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def window(self, name: str) -> None:
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()

    def end(self) -> list[dict]:
        """A summary of each window. The process also ends when ours does, since its input does."""
        output, _ = self._process.communicate(timeout=20)
        return json.loads(output)[1:]


@dataclass(frozen=True)
class Fault:
    name: str
    begin: Callable[[], object]
    end: Callable[[], object]


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    mlflow = start_mlflow(directory / "mlflow")
    gateway = Gateway(directory / "hokusai", mlflow.url).wait_ready()
    hole = contextlib.ExitStack()

    def vanish() -> None:
        mlflow.kill()
        hole.enter_context(BlackHole(mlflow.port))

    def come_back() -> None:
        hole.close()
        mlflow.start()

    faults = [
        Fault("killed", mlflow.kill, mlflow.start),
        Fault("hung", mlflow.stop, mlflow.cont),
        Fault("black hole", vanish, come_back),
    ]
    with Watch(gateway.url) as watch, Poller(gateway.url, options.rate) as poller:
        watch.wait_for("health", "healthy", 20)
        poller.window("up")
        time.sleep(options.seconds)
        for fault in faults:
            _suffer(report, fault, mlflow, poller, watch, options.seconds)
        _latencies(report, poller.end(), watch)
    _unwatched(report, gateway, mlflow, options.seconds)


def _suffer(report: Report, fault: Fault, mlflow: MlflowServer, poller: Poller, watch: Watch, seconds: float) -> None:
    poller.window(fault.name)
    start = time.monotonic()
    fault.begin()
    time.sleep(max(0.0, start + seconds - time.monotonic()))
    poller.window(f"{fault.name}: return")
    fault.end()
    mlflow.wait_ready()
    back = time.monotonic()
    with contextlib.suppress(TimeoutError):
        watch.wait_for("health", "healthy", RETURN_SECONDS)
        watch.wait_for("breaker", "CLOSED", RETURN_SECONDS)
    turned = watch.first(start, "health", "degraded")
    returned = watch.first(start + (turned or 0.0), "health", "healthy")
    returned_after = None if turned is None or returned is None else start + turned + returned - back
    report.line()
    report.line(f"{fault.name}: begins at 0, ends at {seconds:.1f} s, MLflow answers at {back - start:.1f} s")
    report.line(f"  health   {watch.timeline(start, 'health')}")
    report.line(f"  breaker  {watch.timeline(start, 'breaker')}")
    report.goal(f"{fault.name}: seconds until health is degraded", turned, at_most=seconds)
    report.goal(f"{fault.name}: seconds from MLflow's answer to healthy", returned_after, at_most=RETURN_SECONDS)
    report.figures[fault.name] = {
        "degraded_after_seconds": turned and round(turned, 2),
        "healthy_after_seconds": returned_after and round(returned_after, 2),
        "health": watch.timeline(start, "health"),
        "breaker": watch.timeline(start, "breaker"),
    }


def _latencies(report: Report, windows: list[dict], watch: Watch) -> None:
    fields = ("p50_ms", "p99_ms", "p99.9_ms", "max_ms")
    rows = [
        (each["name"], each["requests"], sum(each["errors"].values()), *(each[f] for f in fields)) for each in windows
    ]
    report.table(("window", "requests", "errors", "p50 ms", "p99 ms", "p99.9 ms", "max ms"), rows)
    for each in windows:
        for text, count in each["errors"].items():
            report.line(f"{each['name']}: {count} x {text}")
    report.figures["windows"] = windows
    report.goal("health requests that failed", sum(row[2] for row in rows), at_most=0)
    report.goal("failed looks at the state", len(watch.errors), at_most=0)


def _unwatched(report: Report, gateway: Gateway, mlflow: MlflowServer, seconds: float) -> None:
    """Killed and brought back while nobody asks; one look each time must show the truth at once."""
    mlflow.kill()
    time.sleep(seconds)
    during = _look(gateway)
    mlflow.start().wait_ready()
    time.sleep(seconds)
    after = _look(gateway)
    report.line()
    report.line(f"unwatched: first look {seconds:g} s after the kill {during}, {seconds:g} s after the return {after}")
    report.figures["unwatched"] = {"during": during, "after": after}
    report.goal(
        "unwatched: looks that were wrong", (during[0] != "degraded") + (after != ("healthy", "CLOSED")), at_most=0
    )


def _look(gateway: Gateway) -> tuple[str, str]:
    health = requests.get(f"{gateway.url}/health", timeout=2).json()["status"]
    return health, requests.get(f"{gateway.url}/health/mlflow", timeout=2).json()["circuit_breaker_state"]


if __name__ == "__main__":
    runner.main()
