"""Look-ups of an alias: MLflow's server, hokusai as a registry of its own, and hokusai that reads its replica first.

Real MLflow with two workers on SQLite; the same models in all three. hokusai checks the key; its replica may be as old
as two sweeps. wrk asks for the champion of one model after the other, at once from as many connections as suit MLflow
best; it shares the machine with whom it asks.
All take turns in every round; the figures are medians over the rounds, the ratios those of each round.
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
from support.process import wait_until

MODELS = 1024  # as many as the numbered calls name
FILLERS = 16
MLFLOWS_CONNECTIONS, OUR_CONNECTIONS = (8, 16, 64), (64,)
FROM_INDEX = 'hokusai_registry_calls_total{source="alias_index",outcome="answered"}'
FROM_REPLICA = 'hokusai_replica_answers_total{reason="replica_first"}'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=3, help="rounds, each of all three (default 3)")
    parser.add_argument("--seconds", type=int, default=5, help="seconds per run of wrk (default 5)")


@dataclass
class Contestant:
    group: int  # process group
    url: str
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
    quiet = {"HOKUSAI_LOG_LEVEL": "warn"}
    native = Gateway(directory / "native", None, env=quiet).wait_ready()
    mlflow = start_mlflow(directory / "mlflow")
    for url in (mlflow.url, native.url):
        _fill(url, native.key)
    replica = Gateway(directory / "replica", mlflow.url, env=quiet | {"HOKUSAI_READ_MAX_AGE": "2m"}).wait_ready()
    wait_until("the replica to be filled", lambda: replica.metrics()["hokusai_replica_complete"] == 1, 120)
    contestants = {
        name: Contestant(server.pid, server.url, write_call(directory / name, key, "alias_call.http"), connections)
        for name, server, key, connections in (
            ("mlflow", mlflow, "none", MLFLOWS_CONNECTIONS),
            ("native", native, native.key, OUR_CONNECTIONS),
            ("replica", replica, replica.key, OUR_CONNECTIONS),
        )
    }
    for _ in range(options.rounds):
        for each in contestants.values():
            each.run(options.seconds)
    _show(report, contestants)
    for name, gateway, metric in (("native", native, FROM_INDEX), ("replica", replica, FROM_REPLICA)):
        share = gateway.metrics()[metric] / contestants[name].answered
        report.goal(f"share of the answers from memory, {name}", share, at_least=0.999)


def _fill(url: str, key: str) -> None:
    """MLflow's server may drop a connection, so calls are repeated; wrk finds what is missing in the end."""

    def create(numbers: range) -> None:
        session = requests.Session()
        session.mount("http://", HTTPAdapter(max_retries=Retry(5, allowed_methods=None)))
        session.headers["Authorization"] = f"Bearer {key}"
        for name in (f"fraud-detector-{number:04}" for number in numbers):
            for path, body in (
                ("registered-models/create", {"name": name}),
                ("model-versions/create", {"name": name, "source": f"s3://bench/{name}"}),
                ("registered-models/alias", {"name": name, "alias": "champion", "version": "1"}),
            ):
                session.post(f"{url}{API}/{path}", json=body, timeout=60)

    with ThreadPoolExecutor(FILLERS) as pool:
        list(pool.map(create, (range(first, MODELS + 1, FILLERS) for first in range(1, FILLERS + 1))))


def _show(report: Report, contestants: dict[str, Contestant]) -> None:
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
    report.figures["aliases"] = {
        name: {
            "per_second": round(statistics.median(each.per_second)),
            "per_cpu_second": round(statistics.median(each.per_cpu_second)),
        }
        for name, each in contestants.items()
    }
    mlflow = contestants.pop("mlflow")
    for name, each in contestants.items():
        ratios = [ours / theirs for ours, theirs in zip(each.per_second, mlflow.per_second, strict=True)]
        cpu = [ours / theirs for ours, theirs in zip(each.per_cpu_second, mlflow.per_cpu_second, strict=True)]
        report.line(f"{name}: per CPU second {statistics.median(cpu):,.0f} x")
        report.goal(
            f"alias look-ups per second, {name} / MLflow's server",
            statistics.median(ratios),
            at_least=300,
            samples=ratios,
            figure=f"{statistics.median(each.per_second):,.0f}/s",
            reference=f"MLflow {statistics.median(mlflow.per_second):,.0f}/s",
        )


if __name__ == "__main__":
    runner.main()
