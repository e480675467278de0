"""Requests per CPU second: /health against nginx, the gateway against nginx and HAProxy.

Every server under test has one worker thread and one processor to itself; wrk and the upstream share another. hokusai
checks the key, runs its breaker and its metrics, and tells the upstream who called; nginx and HAProxy only forward, and
once more with the two header fields a gateway adds at least. No logs, and kept upstream connections enough for all.
All take turns, each round begins with another; ratios are of the same round. With --syscalls also system calls per
request, counted in runs of their own because tracing slows the server down.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from bench import runner, syscalls
from bench.generators import REGISTERED_MODEL, write_call, wrk
from bench.process_figures import cpu_seconds
from bench.proxies import (
    Server,
    find_tool,
    missing,
    pinned,
    start_haproxy,
    start_nginx_proxy,
    start_nginx_static,
)
from bench.report import Report, spread
from bench.servers import Gateway

PROXIES = {"nginx": start_nginx_proxy, "haproxy": start_haproxy}
# Logs off, and no queue before a fast upstream: what nginx and HAProxy are given too.
GATEWAY_SETTINGS = {
    "HOKUSAI_LOG_LEVEL": "warn",
    "HOKUSAI_MLFLOW_CONCURRENCY": "256",
    "HOKUSAI_MLFLOW_MIN_CONCURRENCY": "256",  # a fixed limit: the others have none
    "HOKUSAI_MLFLOW_MAX_IDLE_CONNECTIONS": "256",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each of all servers (default 5)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds per server and round (default 3)")
    parser.add_argument("--connections", type=int, default=64, help="connections of wrk (default 64)")
    parser.add_argument("--syscalls", action="store_true", help="count system calls per request too (needs strace)")


@dataclass
class Contestant:
    group: int  # process group
    url: str
    call: Path | None = None  # the request to send, instead of a GET of `url`
    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)  # of one processor
    calls: dict[str, float] = field(default_factory=dict)  # system calls per request, by name

    @property
    def efficiency(self) -> float:
        return statistics.median(self.per_cpu_second)

    def ratios(self, other: Contestant) -> list[float]:
        """How much more each CPU second answers than `other`'s in the same round."""
        return [ours / theirs for ours, theirs in zip(self.per_cpu_second, other.per_cpu_second, strict=True)]


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    for tool in ("wrk", "nginx"):
        if not find_tool(tool):
            report.skip(missing(tool))
            return
    if options.syscalls and not find_tool("strace"):
        report.skip(missing("strace"))
        options.syscalls = False
    ours, theirs = processors(report)
    with pinned(theirs):
        upstream = start_nginx_static(directory / "upstream", REGISTERED_MODEL)
    with pinned(ours):
        gateway = Gateway(directory / "hokusai", upstream.url, threads=1, env=GATEWAY_SETTINGS)
        gateway.wait_ready()
    _health(options, report, directory, gateway, (ours, theirs))
    _gateway(options, report, directory, gateway, upstream, (ours, theirs))


def processors(report: Report) -> tuple[int, int]:
    """One for the server under test, one for the generator and the upstream."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) == 1:
        report.line("one processor only: the generator and the servers share it, so only CPU time compares")
    return cpus[0], cpus[-1]


def _health(
    options: argparse.Namespace, report: Report, directory: Path, gateway: Gateway, cpus: tuple[int, int]
) -> None:
    body = gateway.get("/health").text
    with pinned(cpus[0]):
        nginx = start_nginx_static(directory / "static", REGISTERED_MODEL, health=body)
    contestants = {
        "nginx": Contestant(nginx.child.pid, f"{nginx.url}/health"),
        "hokusai": Contestant(gateway.pid, f"{gateway.url}/health"),
    }
    with pinned(cpus[1]):
        _compete(contestants, options)
    _show(report, f"/health, {len(body)} bytes", contestants)
    _goal(report, "/health", contestants, "nginx", 1.2)


def _gateway(
    options: argparse.Namespace,
    report: Report,
    directory: Path,
    gateway: Gateway,
    upstream: Server,
    cpus: tuple[int, int],
) -> None:
    call = write_call(directory, gateway.key)
    contestants = {}
    for name, start in PROXIES.items():
        if not find_tool(name):
            report.skip(missing(name))
            continue
        for label, adds_headers in ((name, False), (f"{name}+headers", True)):
            with pinned(cpus[0]):
                proxy = start(directory / label, upstream.port, adds_headers)
            contestants[label] = Contestant(proxy.child.pid, proxy.url, call)
    contestants["hokusai"] = Contestant(gateway.pid, gateway.url, call)
    before = _requests_seen(upstream)
    with pinned(cpus[1]):
        sent = _compete(contestants, options)
    forwarded = (_requests_seen(upstream) - before) / sent
    _show(report, "gateway", contestants)
    best = max((name for name in PROXIES if name in contestants), key=lambda name: contestants[name].efficiency)
    _goal(report, "gateway with auth, breaker and metrics", contestants, best, 1.25)
    report.goal("share of the gateway's calls that reached the upstream", forwarded, at_least=0.99)


def _compete(contestants: dict[str, Contestant], options: argparse.Namespace) -> int:
    """Returns how many requests were answered in all."""
    total = 0
    order = list(contestants.values())
    for _ in range(options.rounds):
        for each in order:
            total += _run(each, options)
        order.append(order.pop(0))
    if options.syscalls:
        for each in order:
            total += _trace(each, options)
    return total


def _run(each: Contestant, options: argparse.Namespace) -> int:
    wall, cpu = time.monotonic(), cpu_seconds(each.group)
    answered = wrk(each.url, options.seconds, options.connections, each.call)
    wall, cpu = time.monotonic() - wall, cpu_seconds(each.group) - cpu
    each.per_second.append(answered.rate)
    each.per_cpu_second.append(answered.count / cpu)
    each.busy.append(cpu / wall)
    return answered.count


def _trace(each: Contestant, options: argparse.Namespace) -> int:
    answered = []

    def run(seconds: int) -> int:
        answered.append(wrk(each.url, seconds, options.connections, each.call).count)
        return answered[-1]

    each.calls = syscalls.per_request(each.group, run)
    return sum(answered)


def _requests_seen(upstream: Server) -> int:
    """nginx's stub_status, third line: accepts, handled, requests."""
    lines = requests.get(f"{upstream.url}/requests", timeout=5).text.splitlines()
    return int(lines[2].split()[2])


def _show(report: Report, what: str, contestants: dict[str, Contestant]) -> None:
    hokusai = contestants["hokusai"]
    rows = [
        (
            name,
            f"{statistics.median(each.per_second):,.0f}",
            f"{each.efficiency:,.0f}",
            spread(each.per_cpu_second, ",.0f"),
            f"{1e6 / each.efficiency:.1f}",
            f"{statistics.median(each.busy):.0%}",
            f"{sum(each.calls.values()):.1f}" if each.calls else "-",
            f"{statistics.median(hokusai.ratios(each)):.2f}",
        )
        for name, each in contestants.items()
    ]
    header = ("requests/s", "requests/CPU s", "min..max", "us/request", "CPU busy", "syscalls", "hokusai / it")
    report.table((what, *header), rows)
    for name, each in contestants.items():
        if each.calls:
            report.line(f"{name}: " + ", ".join(f"{call} {n:.2f}" for call, n in each.calls.items() if n >= 0.05))
    report.figures[what.partition(",")[0]] = {
        name: {
            "requests_per_second": round(statistics.median(each.per_second)),
            "requests_per_cpu_second": round(each.efficiency),
            "syscalls_per_request": {call: round(count, 2) for call, count in each.calls.items()},
        }
        for name, each in contestants.items()
    }


def _goal(report: Report, what: str, contestants: dict[str, Contestant], rival: str, at_least: float) -> None:
    ratios = contestants["hokusai"].ratios(contestants[rival])
    report.goal(
        f"{what}: requests per CPU second, hokusai / {rival}",
        statistics.median(ratios),
        at_least=at_least,
        samples=ratios,
        figure=f"{contestants['hokusai'].efficiency:,.0f} requests/CPU s",
        reference=f"{rival} {contestants[rival].efficiency:,.0f}",
    )


if __name__ == "__main__":
    runner.main()
