"""256 clients of one registry at once: what gets done, directly and through hokusai.

Real MLflow with two workers; look-ups, searches and a few tags by 252 bare clients with kept connections and 4 stock
ones, each with its next call ready when the last is answered. A call counts when MLflow answered it with 200. Both
ways take turns in every round; the figures are medians over the rounds, the ratios those of each round.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench import ROOT, crowd, runner
from bench.process_figures import cpu_seconds
from bench.report import Report, percentile
from bench.servers import Gateway, MlflowServer, start_mlflow, stock_client
from support.process import wait_until

PROCESSES = 2
STOCK_CLIENTS = 4
LIMIT = 'hokusai_mlflow_concurrency_limit{gate="api"}'
REFUSED = "hokusai_mlflow_calls_refused_total"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=4, help="rounds, each of both ways (default 4)")
    parser.add_argument("--seconds", type=float, default=20, help="length of each way in a round (default 20)")
    parser.add_argument("--clients", type=int, default=256, help="clients at once (default 256)")


@dataclass
class Result:
    """One way in one round."""

    goodput: float
    p50: float
    p99: float
    cpu_per_call: float  # of MLflow, milliseconds
    refused: int
    lost: Counter[str]
    stock_calls: int
    stock_errors: list[str]
    limits: list[int] = field(default_factory=list)


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    mlflow = start_mlflow(directory / "mlflow")
    gateway = Gateway(directory / "hokusai", mlflow.url).wait_ready()
    tokens = [gateway.create_key("mlflow:write", name=f"crowd-{number}").secret for number in range(PROCESSES)]
    _fill(mlflow, gateway.key)
    bench = Bench(options, mlflow, gateway, tokens)
    direct, through = [], []
    for number in range(options.rounds):
        direct.append(bench.run(mlflow.url, 1000 * number))
        # The crowd hid MLflow from the probes, too.
        wait_until("hokusai to find MLflow healthy", lambda: gateway.health()["status"] == "healthy", 120)
        through.append(bench.run(gateway.url, 1000 * number))
        report.line(
            f"round {number + 1}: {direct[-1].goodput:.0f}/s direct, {through[-1].goodput:.0f}/s through hokusai"
        )
    _show(report, {"direct": direct, "hokusai": through})
    limits = [limit for result in through for limit in result.limits]
    refusals = {name: int(count) for name, count in gateway.metrics().items() if name.startswith(REFUSED) and count}
    report.line(f"hokusai's limit was {min(limits)} to {max(limits)}, most often {statistics.mode(limits)}")
    report.line(f"refused: {refusals or 'nothing'}")
    report.figures.update(limits=dict(sorted(Counter(limits).items())), refusals=refusals)
    pairs = list(zip(direct, through, strict=True))
    report.goal("goodput, hokusai / direct", statistics.median(b.goodput / a.goodput for a, b in pairs), at_least=1.5)
    report.goal(
        "p99 of answered calls, hokusai / direct", statistics.median(b.p99 / a.p99 for a, b in pairs), at_most=1
    )
    report.goal("calls lost through hokusai", sum(sum(result.lost.values()) for result in through), at_most=0)
    report.goal("errors of stock clients through hokusai", sum(len(b.stock_errors) for b in through), at_most=0)


def _fill(mlflow: MlflowServer, key: str) -> None:
    client = stock_client(mlflow.url, key)
    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it announces each version
    for number in range(crowd.MODELS):
        client.create_registered_model(crowd.model(number))
        client.create_model_version(crowd.model(number), source="s3://bench/model")
        client.set_registered_model_alias(crowd.model(number), crowd.ALIAS, "1")


@dataclass
class Bench:
    options: argparse.Namespace
    mlflow: MlflowServer
    gateway: Gateway
    tokens: list[str]  # one for each process of the crowd

    def run(self, url: str, seed: int) -> Result:
        """The same calls whatever the `url`."""
        seconds = self.options.seconds
        cpu = cpu_seconds(self.mlflow.pid)
        crowds = [self._start_crowd(url, token, seed + 500 * index) for index, token in enumerate(self.tokens)]
        stock = [StockClient(url, self.tokens[0], seconds) for _ in range(STOCK_CLIENTS)]
        limits = []
        while any(process.poll() is None for process in crowds):
            limits.append(int(self.gateway.metrics()[LIMIT]))
            time.sleep(0.5)
        return _result(crowds, stock, cpu_seconds(self.mlflow.pid) - cpu, limits)

    def _start_crowd(self, url: str, token: str, seed: int) -> subprocess.Popen:
        share = (self.options.clients - STOCK_CLIENTS) // len(self.tokens)
        argv = [sys.executable, "-m", "bench.crowd", url, share, self.options.seconds, token, seed]
        return subprocess.Popen([str(argument) for argument in argv], cwd=ROOT, stdout=subprocess.PIPE)


def _result(processes: list[subprocess.Popen], stock: list[StockClient], cpu: float, limits: list[int]) -> Result:
    outputs = [json.loads(process.communicate()[0]) for process in processes]
    for client in stock:
        client.thread.join()
    milliseconds = [value for output in outputs for value in output["milliseconds"]]
    seen = sum((Counter(output["seen"]) for output in outputs), Counter())
    calls = seen.total() + sum(client.calls for client in stock)
    return Result(
        goodput=sum(len(output["milliseconds"]) / output["seconds"] for output in outputs),
        p50=percentile(milliseconds, 50),
        p99=percentile(milliseconds, 99),
        cpu_per_call=cpu / calls * 1e3,
        refused=seen["503"],
        lost=Counter({status: count for status, count in seen.items() if status not in ("200", "503")}),
        stock_calls=sum(client.calls for client in stock),
        stock_errors=[error for client in stock for error in client.errors],
        limits=limits,
    )


class StockClient:
    """MLflow's own client in a thread; what it does counts in neither goodput nor latencies, but must not fail."""

    def __init__(self, url: str, key: str, seconds: float):
        self.calls = 0
        self.errors: list[str] = []
        self._client = stock_client(url, key)
        self._ends_at = time.monotonic() + seconds
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        while time.monotonic() < self._ends_at:
            try:
                self._client.get_model_version_by_alias(crowd.model(self.calls % crowd.MODELS), crowd.ALIAS)
            except Exception as error:  # whatever a training run would die of
                self.errors.append(str(error))
            self.calls += 1


def _show(report: Report, ways: dict[str, list[Result]]) -> None:
    def median(results: list[Result], name: str) -> float:
        return statistics.median(getattr(result, name) for result in results)

    header = ("", "OK/s", "p50 ms", "p99 ms", "MLflow CPU ms/call", "refused", "lost", "stock calls", "stock errors")
    rows = []
    for name, results in ways.items():
        figures = [f"{median(results, figure):.0f}" for figure in ("goodput", "p50", "p99")]
        lost = sum((result.lost for result in results), Counter())
        rows.append(
            (
                name,
                *figures,
                f"{median(results, 'cpu_per_call'):.1f}",
                sum(result.refused for result in results),
                ", ".join(f"{count} x {status}" for status, count in lost.items()) or 0,
                sum(result.stock_calls for result in results),
                sum(len(result.stock_errors) for result in results),
            )
        )
        report.figures[name] = [
            {figure: round(getattr(result, figure), 1) for figure in ("goodput", "p50", "p99", "cpu_per_call")}
            | {"refused": result.refused, "lost": result.lost}
            for result in results
        ]
    report.table(header, rows)


if __name__ == "__main__":
    runner.main()
