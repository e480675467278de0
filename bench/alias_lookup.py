"""Look-ups of an alias: MLflow's server, and hokusai as a registry of its own with the same models.

Real MLflow with two workers on SQLite; hokusai checks the key and has no MLflow. wrk asks for the champion of one
model after the other, at once from as many connections as suit MLflow best; it shares the machine with whom it asks.
Both take turns in every round; the figures are medians over the rounds, the ratios those of each round.
"""

from __future__ import annotations

import argparse
import statistics
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from bench import runner
from bench.generators import write_call, wrk
from bench.process_figures import cpu_seconds
from bench.proxies import find_tool, missing
from bench.report import Report, spread
from bench.servers import API, Gateway, start_mlflow

MODELS = 1024  # as many as the numbered calls name
FILLERS = 16
CONNECTIONS = {"MLflow": (8, 16, 64), "hokusai": (64,)}
FROM_MEMORY = 'hokusai_registry_calls_total{source="alias_index",outcome="answered"}'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each of both servers (default 3)")
    parser.add_argument("--seconds", type=int, default=5, help="seconds per run of wrk (default 5)")


@dataclass
class Contestant:
    group: int  # process group
    url: str
    key: str
    call: Path
    connections: tuple[int, ...]
    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    answered: int = 0

    def run(self, seconds: int) -> None:
        """One round: the best of all numbers of connections counts."""
        rates, efficiencies = [], []
        for connections in self.connections:
            cpu = cpu_seconds(self.group)
            answered = wrk(self.url, seconds, connections, self.call)
            rates.append(answered.rate)
            efficiencies.append(answered.count / (cpu_seconds(self.group) - cpu))
            self.answered += answered.count
        self.per_second.append(max(rates))
        self.per_cpu_second.append(max(efficiencies))


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    if not find_tool("wrk"):
        report.skip(missing("wrk"))
        return
    mlflow = start_mlflow(directory / "mlflow")
    hokusai = Gateway(directory / "hokusai", None, env={"HOKUSAI_LOG_LEVEL": "warn"}).wait_ready()
    call = write_call(directory, hokusai.key, "alias_call.http")
    contestants = {
        name: Contestant(server.pid, server.url, hokusai.key, call, CONNECTIONS[name])
        for name, server in (("MLflow", mlflow), ("hokusai", hokusai))
    }
    for each in contestants.values():
        _fill(each)
    for _ in range(options.rounds):
        for each in contestants.values():
            each.run(options.seconds)
    _show(report, contestants, hokusai.metrics()[FROM_MEMORY])


def _fill(contestant: Contestant) -> None:
    """MLflow's server may drop a connection, so calls are repeated; wrk finds what is missing in the end."""

    def create(numbers: range) -> None:
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=Retry(5, allowed_methods=None)))
        session.headers["Authorization"] = f"Bearer {contestant.key}"
        for name in (f"fraud-detector-{number:04}" for number in numbers):
            for path, body in (
                ("registered-models/create", {"name": name}),
                ("model-versions/create", {"name": name, "source": f"s3://bench/{name}"}),
                ("registered-models/alias", {"name": name, "alias": "champion", "version": "1"}),
            ):
                session.post(f"{contestant.url}{API}/{path}", json=body, timeout=60)

    with ThreadPoolExecutor(FILLERS) as pool:
        list(pool.map(create, (range(first, MODELS + 1, FILLERS) for first in range(1, FILLERS + 1))))


def _show(report: Report, contestants: dict[str, Contestant], from_memory: float) -> None:
    mlflow, hokusai = contestants["MLflow"], contestants["hokusai"]
    ratios = {
        figure: [ours / theirs for ours, theirs in zip(getattr(hokusai, figure), getattr(mlflow, figure), strict=True)]
        for figure in ("per_second", "per_cpu_second")
    }
    report.table(
        ("aliases", "look-ups/s", "min..max", "look-ups/CPU s", "min..max"),
        [
            (
                name,
                f"{statistics.median(each.per_second):,.0f}",
                spread(each.per_second, ",.0f"),
                f"{statistics.median(each.per_cpu_second):,.0f}",
                spread(each.per_cpu_second, ",.0f"),
            )
            for name, each in contestants.items()
        ],
    )
    report.line(f"per CPU second: {statistics.median(ratios['per_cpu_second']):,.0f} x")
    report.figures["aliases"] = {
        name: {
            "per_second": round(statistics.median(each.per_second)),
            "per_cpu_second": round(statistics.median(each.per_cpu_second)),
        }
        for name, each in contestants.items()
    }
    report.goal(
        "alias look-ups per second, hokusai / MLflow",
        statistics.median(ratios["per_second"]),
        at_least=300,
        samples=ratios["per_second"],
        figure=f"{statistics.median(hokusai.per_second):,.0f}/s",
        reference=f"MLflow {statistics.median(mlflow.per_second):,.0f}/s",
    )
    report.goal("share of hokusai's answers from memory", from_memory / hokusai.answered, at_least=0.999)


if __name__ == "__main__":
    runner.main()
