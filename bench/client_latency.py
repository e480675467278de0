"""A registry call on a kept connection: direct, through nginx, HAProxy and hokusai.

Real MLflow with two workers; `get_model_version_by_alias` by MLflow's own client with default settings, and the same
call by a bare HTTP client. hokusai checks the key, runs its breaker and its metrics; nginx and HAProxy only forward.
All routes take turns in every round; the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import http.client
import socket
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bench import runner
from bench.proxies import find_tool, missing, start_haproxy, start_nginx_proxy
from bench.report import Report, percentile
from bench.servers import API, Gateway, start_mlflow, stock_client

MODEL, ALIAS = "bench-latency", "champion"
WARM_UP_CALLS = 5
Call = Callable[[], object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each of all routes (default 5)")
    parser.add_argument("--calls", type=int, default=100, help="calls per route and round (default 100)")


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    mlflow = start_mlflow(directory / "mlflow")
    gateway = Gateway(directory / "hokusai", mlflow.url).wait_ready()
    routes = {"direct": mlflow.url}
    for name, start in (("nginx", start_nginx_proxy), ("haproxy", start_haproxy)):
        if find_tool(name):
            routes[name] = start(directory / name, mlflow.port).url
        else:
            report.skip(missing(name))
    routes["hokusai"] = gateway.url

    _fill(stock_client(mlflow.url, gateway.key))
    callers = {
        "stock client": {name: _stock_call(url, gateway.key) for name, url in routes.items()},
        "bare HTTP": {name: _bare_call(url, gateway.headers) for name, url in routes.items()},
    }
    for caller, calls in callers.items():
        _compare(caller, calls, options, report)


def _fill(client) -> None:
    client.create_registered_model(MODEL)
    client.create_model_version(MODEL, source="s3://bench/model", description="what a small model's answer weighs")
    client.set_registered_model_alias(MODEL, ALIAS, "1")


def _compare(caller: str, calls: dict[str, Call], options: argparse.Namespace, report: Report) -> None:
    p50: dict[str, list[float]] = {name: [] for name in calls}
    p99: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(options.rounds):
        for name, call in calls.items():
            took = _timed(call, options.calls)
            p50[name].append(percentile(took, 50))
            p99[name].append(percentile(took, 99))
    median50 = {name: statistics.median(values) for name, values in p50.items()}
    median99 = {name: statistics.median(values) for name, values in p99.items()}
    best = min(value for name, value in median50.items() if name != "hokusai")
    rows = [(name, f"{median50[name]:.2f}", f"{median99[name]:.2f}", f"{median50[name] / best:.2f}") for name in calls]
    report.table((caller, "p50 ms", "p99 ms", "p50 / best other"), rows)
    report.figures[caller] = {
        name: {"p50_ms": round(median50[name], 3), "p99_ms": round(median99[name], 3)} for name in calls
    }
    report.goal(f"{caller}, p50, hokusai / best of the others", median50["hokusai"] / best, at_most=0.4)


def _timed(call: Call, count: int) -> list[float]:
    """Milliseconds of each of `count` calls; servers drop connections idle while others had their turn, so warm up
    first.
    """
    for _ in range(WARM_UP_CALLS):
        call()
    took = []
    for _ in range(count):
        start = time.perf_counter()
        call()
        took.append((time.perf_counter() - start) * 1e3)
    return took


def _stock_call(url: str, key: str) -> Call:
    client = stock_client(url, key)
    return lambda: client.get_model_version_by_alias(MODEL, ALIAS)


def _bare_call(url: str, headers: dict[str, str]) -> Call:
    authority = url.removeprefix("http://")
    connection = http.client.HTTPConnection(authority, timeout=30)

    def exchange() -> http.client.HTTPResponse:
        if connection.sock is None:
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.request("GET", f"{API}/registered-models/alias?name={MODEL}&alias={ALIAS}", headers=headers)
        return connection.getresponse()

    def call() -> None:
        try:
            response = exchange()
        except (http.client.RemoteDisconnected, ConnectionError):
            connection.close()
            response = exchange()
        body = response.read()
        if response.status != 200:
            raise RuntimeError(f"{url} answered {response.status}: {body[:200]!r}")

    return call


if __name__ == "__main__":
    runner.main()
