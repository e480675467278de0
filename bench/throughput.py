"""Requests per second and per CPU second: /health against nginx, the gateway against nginx and HAProxy.

Every server under test runs one thread on one processor, wrk and the upstream share another. hokusai checks the key,
runs its breaker and its metrics; nginx and HAProxy only forward. Request logs are off everywhere. All take turns in
every round; the figures are medians over the rounds.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import requests

from bench import runner
from bench.process_figures import cpu_seconds
from bench.proxies import (
    TEMPLATES,
    Server,
    find_tool,
    missing,
    pinned,
    start_haproxy,
    start_nginx_proxy,
    start_nginx_static,
)
from bench.report import Report
from bench.servers import Gateway

REGISTERED_MODEL = (
    '{"registered_model":{"name":"fraud-detector-1","creation_timestamp":1755172800000,'
    '"last_updated_timestamp":1755172860000,"description":"what a small answer of a registry weighs",'
    '"tags":[{"key":"team","value":"risk"}],'
    '"aliases":[{"alias":"champion","version":"12"},{"alias":"challenger","version":"13"}]}}'
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each of all servers (default 5)")
    parser.add_argument("--seconds", type=int, default=3, help="seconds per server and round (default 3)")
    parser.add_argument("--connections", type=int, default=64, help="connections of wrk (default 64)")


@dataclass
class Contestant:
    group: int  # process group
    wrk_arguments: list[str]
    per_second: list[float] = field(default_factory=list)
    per_cpu_second: list[float] = field(default_factory=list)
    busy: list[float] = field(default_factory=list)  # of one processor

    @property
    def rate(self) -> float:
        return statistics.median(self.per_second)

    @property
    def efficiency(self) -> float:
        return statistics.median(self.per_cpu_second)


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    for tool in ("wrk", "nginx"):
        if not find_tool(tool):
            report.skip(missing(tool))
            return
    cpus = sorted(os.sched_getaffinity(0))
    ours, theirs = cpus[0], cpus[-1]
    if ours == theirs:
        report.line("one processor only: wrk and the servers share it, requests per second mean little")
    with pinned(theirs):
        upstream = start_nginx_static(directory / "upstream", REGISTERED_MODEL)
    with pinned(ours):
        quiet = {"HOKUSAI_LOG_LEVEL": "warn"}
        gateway = Gateway(directory / "hokusai", upstream.url, threads=1, env=quiet)
        gateway.wait_ready()
    with pinned(theirs):
        _health(options, report, directory, gateway, ours)
        _gateway(options, report, directory, gateway, upstream, ours)


def _health(options: argparse.Namespace, report: Report, directory: Path, gateway: Gateway, cpu: int) -> None:
    body = gateway.get("/health").text
    with pinned(cpu):
        nginx = start_nginx_static(directory / "static", REGISTERED_MODEL, health=body)
    contestants = {
        "nginx": Contestant(nginx.child.pid, [f"{nginx.url}/health"]),
        "hokusai": Contestant(gateway.pid, [f"{gateway.url}/health"]),
    }
    _compete(contestants, options)
    _show(report, f"/health, {len(body)} bytes", contestants)
    ratio = contestants["hokusai"].efficiency / contestants["nginx"].efficiency
    report.goal("/health, requests per CPU second, hokusai / nginx", ratio, at_least=1.2)


def _gateway(
    options: argparse.Namespace, report: Report, directory: Path, gateway: Gateway, upstream: Server, cpu: int
) -> None:
    script = ["--script", str(TEMPLATES / "registry_calls.lua")]
    contestants = {}
    with pinned(cpu):
        for name, start in (("nginx", start_nginx_proxy), ("haproxy", start_haproxy)):
            if find_tool(name):
                proxy = start(directory / name, upstream.port)
                contestants[name] = Contestant(proxy.child.pid, [*script, proxy.url, "--", gateway.key])
            else:
                report.skip(missing(name))
    contestants["hokusai"] = Contestant(gateway.pid, [*script, gateway.url, "--", gateway.key])
    before = _requests_seen(upstream)
    sent = _compete(contestants, options)
    forwarded = (_requests_seen(upstream) - before) / sent
    _show(report, "gateway", contestants)
    best = max(each.efficiency for name, each in contestants.items() if name != "hokusai")
    ratio = contestants["hokusai"].efficiency / best
    report.goal("gateway, requests per CPU second, hokusai / best of the others", ratio, at_least=1.25)
    report.goal("share of the calls that reached the upstream", forwarded, at_least=0.99)


def _compete(contestants: dict[str, Contestant], options: argparse.Namespace) -> int:
    """Returns how many requests were answered in all."""
    total = 0
    for _ in range(options.rounds):
        for each in contestants.values():
            wall, cpu = time.monotonic(), cpu_seconds(each.group)
            answered, seconds = _wrk(each.wrk_arguments, options)
            wall, cpu = time.monotonic() - wall, cpu_seconds(each.group) - cpu
            each.per_second.append(answered / seconds)
            each.per_cpu_second.append(answered / cpu)
            each.busy.append(cpu / wall)
            total += answered
    return total


def _wrk(arguments: list[str], options: argparse.Namespace) -> tuple[int, float]:
    """(answers, seconds); raises RuntimeError when any of them is no success."""
    argv = [find_tool("wrk"), "--threads", "1", "--connections", str(options.connections)]
    argv += ["--duration", f"{options.seconds}s", *arguments]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=options.seconds + 30, check=True)
    if fault := re.search(r"Non-2xx.*|Socket errors.*", done.stdout):
        raise RuntimeError(f"{arguments}: {fault.group()}")
    count, seconds, unit = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", done.stdout).groups()
    return int(count), float(seconds) * {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}[unit]


def _requests_seen(upstream: Server) -> int:
    """nginx's stub_status, third line: accepts, handled, requests."""
    lines = requests.get(f"{upstream.url}/requests", timeout=5).text.splitlines()
    return int(lines[2].split()[2])


def _show(report: Report, what: str, contestants: dict[str, Contestant]) -> None:
    ours = contestants["hokusai"].efficiency
    rows = [
        (
            name,
            f"{each.rate:,.0f}",
            f"{each.efficiency:,.0f}",
            f"{1e6 / each.efficiency:.1f}",
            f"{statistics.median(each.busy):.0%}",
            f"{ours / each.efficiency:.2f}",
        )
        for name, each in contestants.items()
    ]
    report.table((what, "requests/s", "requests/CPU s", "us/request", "CPU busy", "hokusai / it"), rows)
    report.figures[what.partition(",")[0]] = {
        name: {"requests_per_second": round(each.rate), "requests_per_cpu_second": round(each.efficiency)}
        for name, each in contestants.items()
    }


if __name__ == "__main__":
    runner.main()
