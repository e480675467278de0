"""An hour of mixed load while MLflow is killed, hung, cut off, slowed, and answers garbage.

Bare callers and MLflow's own client work at a steady rate through a gateway that reaches MLflow by way of a fault
proxy; keys are made and revoked and settings reloaded meanwhile. Every answer is compared with what was asked for,
every write is read back, and in the end MLflow itself is asked what it holds.

Which calls are answerable? Every one that a caller sends, and each is answered rightly or not:

- Health, /metrics and administration need no MLflow: at any time, only the answer itself is right.
- While MLflow answers, if slowly, a call to it must bring the answer asked for.
- From a fault's begin until it is got over (breaker CLOSED and health `healthy` again, at the latest the fault's
  recovery limit after its end), a call that overlaps it may instead bring the prompt truth: 503 with Retry-After in
  MLflow's JSON; 504 for a write whose outcome is unknown; MLflow's own error page, unchanged; or, once a part of an
  answer was passed on, an end that the caller can tell from a whole answer. While the breaker is OPEN a refusal must
  come within two seconds, and nothing ever may take longer than the gateway's own limits.
- A connection closed without an answer, any other status or body, and an answer to another call are failures always.
- MLflow's client waits and repeats by itself: of all this it may see a body that ended early, and it may give up on
  503s, but not before 90 seconds of them.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import time
from collections.abc import Iterator
from pathlib import Path

from bench import runner, soak_page
from bench.fault_proxy import FaultProxy
from bench.faults import START_SECONDS, UNFAIR, Episode, Fault, all_faults, in_random_order, is_well, play
from bench.health_under_outage import Poller
from bench.load import (
    Caller,
    Client,
    MetricsReader,
    Operator,
    RegistryReader,
    StockReader,
    create_models,
    reset_breaker,
    write_config,
)
from bench.report import CannotMeasure, Report
from bench.servers import Gateway
from bench.soak_page import Record
from bench.vitals import LogFigures, Vitals, descriptors, most_descriptors
from bench.watch import Watch
from bench.writers import ArtifactCaller, RegistryWriter, RunTracker, StockLogger, Streamer
from support import mlflow_server
from support.mlflow_server import MlflowServer
from support.process import wait_until

READERS = 4
POLLS_PER_SECOND = 100.0
PROBE_CYCLE_SECONDS = 6.0
WARM_UP_SECONDS = 60.0
FAULT_SECONDS = (6.0, 18.0)  # from when the breaker opened, if it must
HEALTHY_SECONDS = (6.0, 18.0)
LAST_FAULT_SECONDS = 45.0  # before the end, no fault begins any more
DRAIN_SECONDS = 240.0  # for the last calls: MLflow's client may be sleeping before it repeats one
DESCRIPTOR_SECONDS = 90.0  # until the last kept connection of MLflow's client is closed for being idle
RESET_ODDS = 0.25  # that an administrator resets the breaker while MLflow is still away


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=60.0, help="length of the load (default 60, at least 2)")
    parser.add_argument("--seed", type=int, help="of the faults, their order and length (default: by the clock)")
    parser.add_argument("--faults", help="only these, with commas; `swapped` must make it fail")


def measure(options: argparse.Namespace, report: Report, directory: Path) -> None:
    seed = int(time.time()) if options.seed is None else options.seed
    report.line(f"{options.minutes:g} minutes of load; the same faults again: --seed {seed}")
    report.figures.update(minutes=options.minutes, seed=seed)
    mlflow = _start_mlflow(directory / "mlflow")
    proxy = FaultProxy(mlflow.port, seed)
    faults = _chosen(options.faults, all_faults(mlflow, proxy))
    config = directory / "hokusai.toml"
    write_config(config, "info")
    gateway = Gateway(directory / "hokusai", proxy.url, env={"HOKUSAI_CONFIG": str(config)}).wait_ready()
    record = Record(idle_descriptors=most_descriptors(gateway.pid, PROBE_CYCLE_SECONDS))
    administrator = Client(gateway, "administrator", "admin")
    callers = _callers(gateway, config)
    with Watch(gateway.url) as watch, Vitals(gateway.pid) as vitals, Poller(gateway.url, POLLS_PER_SECOND) as poller:
        watch.wait_for("health", "healthy", 20)
        record.begin = time.monotonic()
        for caller in callers:
            caller.start()
        for episode in _suffer(options.minutes * 60, faults, random.Random(seed), watch, poller, administrator):
            record.episodes.append(episode)
            report.line(soak_page.episode_line(episode, record.begin))
            if gateway.running.returncode is not None:
                break
        record.end = time.monotonic()
        record.broken_callers = _stop(callers)
        record.is_well = is_well(watch) and gateway.running.returncode is None
        record.polls = poller.end()
        record.changes, record.watch_errors, record.samples = watch.changes, watch.errors, vitals.samples
    record.calls = [call for client in [administrator, *(each.client for each in callers)] for call in client.calls]
    record.left_descriptors = _least_descriptors(gateway.pid, record.idle_descriptors)
    record.acknowledged = sum(len(caller.ledger.acknowledged) for caller in callers)
    for caller in callers:
        for fault, writes in caller.ledger.compare(caller.stored(mlflow)).items():
            record.writes[fault] += writes
    record.reloads = sum(each.reloads for each in callers if isinstance(each, Operator))
    record.exit_code = gateway.stop()
    record.log = LogFigures.of((gateway.folder / "hokusai.log").read_text(errors="replace"))
    soak_page.show(report, record)


def _start_mlflow(directory: Path) -> MlflowServer:
    """One worker: of several, uvicorn kills each that is silent for 5 s, on a busy machine a fault nobody planned."""
    if not mlflow_server.is_installed():
        raise CannotMeasure("MLflow is not installed beside this Python: pip install -r tests/requirements.txt")
    return MlflowServer(directory).start().wait_ready(START_SECONDS)


def _chosen(names: str | None, faults: dict[str, Fault]) -> list[Fault]:
    if names is None:
        return [fault for name, fault in faults.items() if name not in UNFAIR]
    wanted = [name.strip() for name in names.split(",")]
    if unknown := set(wanted) - set(faults):
        raise CannotMeasure(f"no fault {', '.join(sorted(unknown))}; there are: {', '.join(faults)}")
    return [faults[name] for name in wanted]


def _callers(gateway: Gateway, config: Path) -> list[Caller]:
    create_models(Client(gateway, "setup"))
    return [
        *(RegistryReader(Client(gateway, f"reader-{number}"), number) for number in range(READERS)),
        RegistryWriter(Client(gateway, "writer")),
        RunTracker(Client(gateway, "tracker")),
        ArtifactCaller(Client(gateway, "artifacts")),
        Streamer(Client(gateway, "streamer")),
        StockReader(gateway),
        StockLogger(gateway),
        MetricsReader(Client(gateway, "metrics")),
        Operator(Client(gateway, "operator"), gateway, config),
    ]


def _suffer(
    seconds: float, faults: list[Fault], choice: random.Random, watch: Watch, poller: Poller, administrator: Client
) -> Iterator[Episode]:
    """Faults with healthy phases before, between and after, for so long."""
    begin = time.monotonic()
    poller.window("healthy")
    time.sleep(min(WARM_UP_SECONDS, seconds / 9))
    for fault in in_random_order(faults, choice):
        if time.monotonic() > begin + seconds - LAST_FAULT_SECONDS:
            break
        has_reset = choice.random() < RESET_ODDS
        poller.window(fault.name)
        yield play(
            fault,
            choice.uniform(*FAULT_SECONDS),
            watch,
            lambda resets=has_reset: reset_breaker(administrator) if resets else None,
        )
        poller.window("healthy")
        time.sleep(choice.uniform(*HEALTHY_SECONDS))
    time.sleep(max(0.0, begin + seconds - time.monotonic()))


def _stop(callers: list[Caller]) -> list[str]:
    """What went wrong with those that did not run to their end."""
    deadline = time.monotonic() + DRAIN_SECONDS
    for caller in callers:
        caller.stop()
    for caller in callers:
        caller.join(max(0.0, deadline - time.monotonic()))
        caller.client.close()
    hung = [f"{caller.name}: still waits for its last answer" for caller in callers if caller.is_alive()]
    return hung + [f"{caller.name}: {caller.error!r}" for caller in callers if caller.error]


def _least_descriptors(pid: int, enough: int) -> int:
    with contextlib.suppress(TimeoutError):
        wait_until("", lambda: descriptors(pid) <= enough, DESCRIPTOR_SECONDS)
    return descriptors(pid)


if __name__ == "__main__":
    runner.main()
