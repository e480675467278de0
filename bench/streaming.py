"""5 GiB to and from a fast upstream, 300 MiB to and from MLflow: same bytes, bounded memory.

Both ends hash what they send or receive. Memory is hokusai's peak resident set during the transfers less its resident
set when idle.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from bench import ROOT, bulk, runner
from bench.process_figures import peak_resident_mib, reset_peak, resident_mib
from bench.proxies import Server, started
from bench.report import Report
from bench.servers import ARTIFACTS, Gateway, start_mlflow
from support.process import free_port

MIB = 1 << 20
DIRECT_MIB = 1024  # what the upstream and the hashing do without a gateway is known well enough by this much
GOAL_MIB = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--gib", type=float, default=5.0, help="size with the fast upstream (default 5)")
    parser.add_argument("--mlflow-mib", type=int, default=300, help="size with MLflow (default 300; 0 leaves it out)")


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    upstream = start_bulk_upstream(directory / "upstream")
    total = int(options.gib * 1024) * MIB
    sample = min(total, DIRECT_MIB * MIB)
    rows = _both_ways("direct to the fast upstream", upstream.url, {}, sample, f"bulk/{sample}")
    gateway = Gateway(directory / "fast", upstream.url).wait_ready()
    rows += _through(report, "fast upstream", gateway, total, f"bulk/{total}")
    if options.mlflow_mib:
        mlflow = start_mlflow(directory / "mlflow")
        gateway = Gateway(directory / "slow", mlflow.url).wait_ready()
        rows += _through(report, "MLflow", gateway, options.mlflow_mib * MIB, "bulk.bin")
    report.table(("transfer", "MiB", "seconds", "MiB/s", "SHA-256"), rows)
    report.figures["transfers"] = [
        dict(zip(("what", "mib", "seconds", "mib_per_second"), row, strict=False)) for row in rows
    ]


def start_bulk_upstream(directory: Path) -> Server:
    port = free_port()
    argv = [sys.executable, "-m", "bench.bulk_upstream", str(port)]
    return started(argv, directory, port, {**os.environ, "PYTHONPATH": str(ROOT)})


def _through(report: Report, what: str, gateway: Gateway, total: int, name: str) -> list[tuple]:
    idle = resident_mib(gateway.pid)
    reset_peak(gateway.pid)
    rows = _both_ways(f"hokusai to {what}", gateway.url, gateway.headers, total, name)
    growth = peak_resident_mib(gateway.pid) - idle
    report.line(f"{what}: hokusai idle {idle:.1f} MiB, peak {idle + growth:.1f} MiB")
    report.figures[f"{what} memory"] = {"idle_mib": round(idle, 1), "growth_mib": round(growth, 1)}
    report.goal(f"{what}: peak memory growth in MiB", growth, at_most=GOAL_MIB)
    gateway.stop()
    return rows


def _both_ways(what: str, url: str, headers: dict[str, str], total: int, name: str) -> list[tuple]:
    """Raises RuntimeError when any end saw other bytes."""
    path = f"{ARTIFACTS}/bench/{name}"
    up = bulk.upload(url, path, headers, total)
    seen = json.loads(up.answer or b"{}").get("sha256", up.sha256)  # MLflow doesn't tell; its download does
    down = bulk.download(url, path, headers, total)
    if not up.sha256 == seen == down.sha256:
        raise RuntimeError(f"{what}: sent {up.sha256}, upstream got {seen}, came back {down.sha256}")
    return [_row(f"{what}, up", total, up), _row(f"{what}, down", total, down)]


def _row(what: str, total: int, transfer: bulk.Transfer) -> tuple:
    mib = total // MIB
    return what, mib, round(transfer.seconds, 2), round(mib / transfer.seconds), f"{transfer.sha256[:12]}… same"


if __name__ == "__main__":
    runner.main()
