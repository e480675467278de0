"""How long the replica takes to find what was written behind its back: sweeps of 1,000 and 10,000 models.

A real MLflow whose database is filled directly (three versions and one alias a model), and hokusai in front of it with
a replica that is swept again as soon as it may. Each size has a server of its own. Timed are the first sweep, which
fills the replica, those that find nothing new, and a change made straight at MLflow until hokusai tells of it.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import time
from pathlib import Path

import requests

from bench import runner
from bench.report import Report
from bench.servers import API, Gateway, MlflowServer, start_mlflow
from support.process import wait_until

VERSIONS, ALIAS = 3, "champion"
SWEEPS = "hokusai_replica_sweeps_total"
LAST_SWEEP = "hokusai_replica_last_sweep_seconds"
# A replica that may answer for an hour shows what the sweeps found, and nothing else.
ENV = {"HOKUSAI_REPLICA_SWEEP_INTERVAL": "1s", "HOKUSAI_READ_MAX_AGE": "1h"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--models", type=int, nargs="+", default=[1_000, 10_000], help="sizes (default 1000 10000)")
    parser.add_argument("--rounds", type=int, default=3, help="changes timed at each size (default 3)")


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    rows = []
    for models in options.models:
        mlflow = start_mlflow(directory / f"mlflow-{models}")
        _fill(mlflow, models)
        gateway = Gateway(directory / f"hokusai-{models}", mlflow.url, env=ENV).wait_ready()
        first = _next_sweep(gateway, 0)
        again = [_next_sweep(gateway, int(gateway.metrics()[SWEEPS])) for _ in range(options.rounds)]
        seen = [_time_until_seen(mlflow, gateway, models // 2 + number) for number in range(options.rounds)]
        rows.append(
            (
                f"{models:,}",
                f"{first:.1f}",
                f"{statistics.median(again):.1f}",
                f"{statistics.median(seen):.1f}",
                f"{max(seen):.1f}",
            )
        )
        report.figures[f"models_{models}"] = {"first_sweep": first, "sweeps": again, "seen_after": seen}
        report.goal(
            f"a change made elsewhere is seen, {models:,} models, in sweeps",
            max(seen) / (statistics.median(again) + 1),  # the pause between sweeps
            at_most=2,
        )
        gateway.stop()
        mlflow.kill()
    report.table(("models", "first sweep s", "later sweeps s", "change seen after s", "at most s"), rows)


def _fill(mlflow: MlflowServer, models: int) -> None:
    now = int(time.time() * 1000)
    names = [f"swept-{number:06}" for number in range(models)]
    versions = [(name, version) for name in names for version in range(1, VERSIONS + 1)]
    with sqlite3.connect(mlflow.folder / "mlflow.db", timeout=30) as database:
        database.executemany(
            "INSERT INTO registered_models (workspace, name, creation_time, last_updated_time)"
            " VALUES ('default', ?, ?, ?)",
            [(name, now, now) for name in names],
        )
        database.executemany(
            "INSERT INTO model_versions (workspace, name, version, creation_time, last_updated_time, current_stage,"
            " source, status) VALUES ('default', ?, ?, ?, ?, 'None', ?, 'READY')",
            [(name, version, now, now, f"s3://bench/{name}/{version}") for name, version in versions],
        )
        database.executemany(
            "INSERT INTO registered_model_aliases (workspace, name, alias, version) VALUES ('default', ?, ?, 1)",
            [(name, ALIAS) for name in names],
        )
    database.close()


def _next_sweep(gateway: Gateway, after: int) -> float:
    """Seconds the next sweep took."""
    wait_until("a sweep to end", lambda: gateway.metrics().get(SWEEPS, 0) > after, 900, every=0.2)
    return gateway.metrics()[LAST_SWEEP]


def _time_until_seen(mlflow: MlflowServer, gateway: Gateway, number: int) -> float:
    """An alias moved at MLflow itself."""
    name = f"swept-{number:06}"
    moved = requests.post(
        f"{mlflow.url}{API}/registered-models/alias", json={"name": name, "alias": ALIAS, "version": "2"}, timeout=30
    )
    moved.raise_for_status()
    begin = time.monotonic()

    def is_seen() -> bool:
        answer = gateway.get(f"{API}/registered-models/alias?name={name}&alias={ALIAS}", headers=gateway.headers)
        return answer.json()["model_version"]["version"] == "2"

    wait_until("hokusai to tell of the change", is_seen, 900, every=0.05)
    return time.monotonic() - begin


if __name__ == "__main__":
    runner.main()
