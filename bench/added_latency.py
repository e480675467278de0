"""What a proxy adds to the latency of a fast upstream, at half of the load that hokusai can take.

Requests are due at a fixed rate, whether or not earlier ones were answered (bench/open_loop.cpp). The rate is half of
what wrk gets through hokusai at the start. Servers and settings are those of `throughput`; all routes take turns, each
round begins with another, and what is added is the difference to the direct route in the same round.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from bench import runner
from bench.generators import REGISTERED_MODEL, open_loop, write_call, wrk
from bench.proxies import Server, find_tool, missing, pinned, program, start_nginx_static
from bench.report import Report, spread
from bench.servers import Gateway
from bench.throughput import GATEWAY_SETTINGS, PROXIES, processors

PERCENTILES = {"p50": "p50", "p99": "p99", "p999": "p99.9"}
GOAL_MS = 0.3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=5, help="rounds, each of all routes (default 5)")
    parser.add_argument("--seconds", type=int, default=4, help="seconds per route and round (default 4)")
    parser.add_argument("--rate", type=float, help="requests per second (default: half of what hokusai can take)")


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    for tool in ("wrk", "nginx"):
        if not find_tool(tool):
            report.skip(missing(tool))
            return
    program("open_loop")
    ours, theirs = processors(report)
    with pinned(theirs):
        upstream = start_nginx_static(directory / "upstream", REGISTERED_MODEL)
    routes = {"direct": upstream}
    with pinned(ours):
        for name, start in PROXIES.items():
            if find_tool(name):
                routes[name] = start(directory / name, upstream.port)
            else:
                report.skip(missing(name))
        gateway = Gateway(directory / "hokusai", upstream.url, threads=1, env=GATEWAY_SETTINGS)
        gateway.wait_ready()
    routes["hokusai"] = Server(gateway.running, gateway.port)
    with pinned(theirs):
        call = write_call(directory, gateway.key)
        rate = options.rate or _half_of(gateway.url, call)
        runs = _take_turns(routes, rate, call, options)
    _show(report, rate, runs)


def _half_of(url: str, call: Path) -> float:
    return statistics.median(wrk(url, 2, 64, call).rate for _ in range(3)) / 2


def _take_turns(
    routes: dict[str, Server], rate: float, call: Path, options: argparse.Namespace
) -> dict[str, list[dict[str, float]]]:
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in routes}
    order = list(routes)
    for _ in range(options.rounds):
        for name in order:
            runs[name].append(open_loop(routes[name], rate, options.seconds, call))
        order.append(order.pop(0))
    return runs


def _show(report: Report, rate: float, runs: dict[str, list[dict[str, float]]]) -> None:
    rows, figures = [], {}
    for name, own in runs.items():
        added = {
            key: [run[key] - direct[key] for run, direct in zip(own, runs["direct"], strict=True)]
            for key in PERCENTILES
        }
        medians = {key: statistics.median(run[key] for run in own) for key in (*PERCENTILES, "late_p99")}
        shown = [f"{medians[key]:.0f}" for key in (*PERCENTILES, "late_p99")]
        rows.append((name, *shown, *(f"{statistics.median(added[key]):+.0f}" for key in PERCENTILES)))
        figures[name] = {**medians, **{f"added_{key}": statistics.median(added[key]) for key in PERCENTILES}}
    titles = tuple(PERCENTILES.values())
    header = (f"us at {rate:,.0f}/s", *titles, "late p99", *(f"added {title}" for title in titles))
    report.table(header, rows)
    report.figures.update({"requests_per_second": round(rate), "microseconds": figures})

    added = [(run["p99"] - direct["p99"]) / 1e3 for run, direct in zip(runs["hokusai"], runs["direct"], strict=True)]
    report.line(f"added p99 by hokusai, each round: {spread(added)} ms")
    if figures["direct"]["late_p99"] > GOAL_MS * 1e3:
        report.line("the generator was late by more than the goal allows: this machine is too busy to judge it")
    report.goal(
        "added latency p99 at half load, ms",
        statistics.median(added),
        at_most=GOAL_MS,
        samples=added,
        figure=f"{figures['hokusai']['p99']:.0f} us",
        reference=f"direct {figures['direct']['p99']:.0f} us",
    )


if __name__ == "__main__":
    runner.main()
