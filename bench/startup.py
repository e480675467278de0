"""Start to ready with new and with existing data, and resident memory when idle.

The upstream is a scripted one, so that only hokusai's own start is timed: from the start of the process to its line on
standard output, and to the first 200 of /readyz. Beside it, once, MLflow's own server with two workers.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
import time
from pathlib import Path

from bench import runner
from bench.process_figures import resident_mib
from bench.report import CannotMeasure, Report, spread
from bench.servers import require_binary, start_mlflow
from bench.streaming import start_bulk_upstream
from support.hokusai import SERVING, environment
from support.process import Child, free_port

IDLE_SECONDS = 3.0
START_SECONDS = 20.0
GOAL_MS = 150
GOAL_MIB = 25
MLFLOW_MEMORY = "MLflow 2,700 with two workers after load: not measured here"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=10, help="pairs of starts (default 10)")


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    upstream = start_bulk_upstream(directory / "upstream")
    runs: dict[str, list[tuple[float, float]]] = {"first start": [], "second start": []}
    memory = []
    for number in range(options.rounds):
        for took in runs.values():
            child, line, ready = _start(directory / str(number), upstream.url)
            took.append((line, ready))
            if number == 0:
                time.sleep(IDLE_SECONDS)
                memory.append(resident_mib(child.pid))
            child.terminate()
    rows = []
    for what, took in runs.items():
        line, ready = (statistics.median(values) for values in zip(*took, strict=True))
        rows.append((what, f"{line:.0f}", f"{ready:.0f}", spread([ready for _, ready in took], ".0f")))
        report.figures[what] = {"line_ms": round(line, 1), "ready_ms": round(ready, 1)}
    report.table((f"median of {options.rounds}", "line ms", "/readyz ms", "min..max"), rows)
    report.figures["idle_mib"] = round(max(memory), 1)
    mlflow = _mlflow_ms(report, directory)
    for what, took in runs.items():
        report.goal(
            f"{what}: ms to /readyz",
            report.figures[what]["ready_ms"],
            at_most=GOAL_MS,
            samples=[ready for _, ready in took],
            reference=f"MLflow {mlflow:,.0f}" if mlflow else "",
        )
    report.goal(f"resident MiB after {IDLE_SECONDS:g} s idle", max(memory), at_most=GOAL_MIB, reference=MLFLOW_MEMORY)


def _mlflow_ms(report: Report, directory: Path) -> float | None:
    """From the start of MLflow's server to its first answer; None without MLflow."""
    start = time.monotonic()
    try:
        start_mlflow(directory / "mlflow")
    except CannotMeasure as error:
        report.skip(str(error))
        return None
    took = (time.monotonic() - start) * 1e3
    report.line(f"MLflow's server with two workers: {took:,.0f} ms to its first answer")
    report.figures["MLflow"] = {"ready_ms": round(took)}
    return took


def _start(folder: Path, mlflow: str) -> tuple[Child, float, float]:
    """The process and the milliseconds until its line and until /readyz answered 200."""
    port = free_port()
    argv = [str(require_binary()), "serve", "--listen", f"127.0.0.1:{port}", "--data", str(folder / "data")]
    argv += ["--mlflow", mlflow, "--auth", "required"]
    start = time.monotonic()
    child = Child(argv, folder / "log", environment())
    line = _until(child, start, "the serving line", lambda: SERVING.search(child.output()) is not None)
    ready = _until(child, start, "/readyz", lambda: _is_ready(port))
    return child, line, ready


def _until(child: Child, start: float, what: str, probe) -> float:
    """Milliseconds from `start`; looks far more often than wait_until() does."""
    while not probe():
        if child.returncode is not None or time.monotonic() > start + START_SECONDS:
            raise RuntimeError(f"{child.argv[0]} did not get to {what}:\n{child.output()[-2000:]}")
        time.sleep(0.0005)
    return (time.monotonic() - start) * 1e3


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    runner.main()
