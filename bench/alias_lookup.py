"""Alias look-ups: hokusai's own registry, and hokusai reading its replica first, against MLflow's server.

The same models, versions and aliases in all three; wrk asks for one alias over and over on kept connections. hokusai
checks the key and counts the call each time. All take turns in every round; the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import http.client
import statistics
from dataclasses import dataclass
from pathlib import Path

from bench import runner
from bench.generators import wrk
from bench.process_figures import cpu_seconds
from bench.report import Report
from bench.servers import API, Gateway, MlflowServer, start_mlflow, stock_client
from support.hokusai import Hokusai
from support.process import wait_until

MODELS, VERSIONS = 50, 4
MODEL, ALIAS = "alias-7", "champion"
TARGET = f"{API}/registered-models/alias?name={MODEL}&alias={ALIAS}"
READ_MAX_AGE = {"HOKUSAI_READ_MAX_AGE": "5s"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each of all servers (default 5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds per server and round (default 4)")
    parser.add_argument("--connections", type=int, default=16, help="kept connections (default 16)")


@dataclass(frozen=True)
class Subject:
    url: str
    pid: int
    call: Path  # what wrk sends


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    mlflow = start_mlflow(directory / "mlflow")
    native = Gateway(directory / "native", None).wait_ready()
    replica = Gateway(directory / "replica", mlflow.url, env=READ_MAX_AGE).wait_ready()
    for url, key in ((mlflow.url, native.key), (native.url, native.key)):
        _fill(url, key)
    wait_until("the replica to hold the alias", lambda: _source(replica) == "replica", 60)
    subjects = {
        "MLflow": _subject(directory, mlflow, mlflow.pid, ""),
        "hokusai, native": _subject(directory, native, native.pid, native.key),
        "hokusai, replica first": _subject(directory, replica, replica.pid, replica.key),
    }
    rates: dict[str, list[float]] = {name: [] for name in subjects}
    per_cpu: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(options.rounds):
        for name, subject in subjects.items():
            cpu = cpu_seconds(subject.pid)
            answered = wrk(subject.url, options.seconds, options.connections, subject.call)
            rates[name].append(answered.rate)
            per_cpu[name].append(answered.count / (cpu_seconds(subject.pid) - cpu))
    _show(report, rates, per_cpu)


def _show(report: Report, rates: dict[str, list[float]], per_cpu: dict[str, list[float]]) -> None:
    base = rates["MLflow"]
    rows = []
    for name, values in rates.items():
        ratio = statistics.median(values) / statistics.median(base)
        rows.append(
            (name, f"{statistics.median(values):.0f}", f"{statistics.median(per_cpu[name]):.0f}", f"{ratio:.0f}")
        )
    report.table(("", "look-ups/s", "per CPU second", "times MLflow"), rows)
    report.figures["look_ups_per_second"] = {name: [round(value) for value in values] for name, values in rates.items()}
    for name in list(rates)[1:]:
        ratios = [value / other for value, other in zip(rates[name], base, strict=True)]
        report.goal(f"alias look-up, {name} / MLflow's server", statistics.median(ratios), at_least=300)


def _fill(url: str, key: str) -> None:
    client = stock_client(url, key)
    for number in range(MODELS):
        client.create_registered_model(f"alias-{number}")
        for _ in range(VERSIONS):
            client.create_model_version(f"alias-{number}", source=f"s3://bench/alias-{number}")
        client.set_registered_model_alias(f"alias-{number}", ALIAS, str(VERSIONS))


def _source(gateway: Gateway) -> str | None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
    connection.request("GET", TARGET, headers=gateway.headers)
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.headers.get("X-Hokusai-Source")


def _subject(directory: Path, server: MlflowServer | Hokusai, pid: int, key: str) -> Subject:
    fields = ["Host: 127.0.0.1", "Accept: */*", "User-Agent: mlflow-python-client/3.17.2", "X-Call: ####"]
    if key:
        fields.append(f"Authorization: Bearer {key}")
    call = directory / f"alias_{server.port}.http"
    call.write_bytes("\r\n".join([f"GET {TARGET} HTTP/1.1", *fields, "", ""]).encode())
    return Subject(server.url, pid, call)


if __name__ == "__main__":
    runner.main()
