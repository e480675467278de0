"""MLflow is killed again and again under twenty clients: reads go on, and nothing that was written is forgotten.

pytest tests/e2e/test_registry_outage.py --outages 10 --outage-seconds 120
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Callable

import mlflow
import pytest
from mlflow import MlflowClient

from support import registry_checker
from support.hokusai import QUICK_PROBES, Hokusai
from support.mlflow_server import MlflowServer
from support.process import wait_until
from support.registry_load import LoadClient, Tally, share_models

CLIENTS, SHARED = 20, 5
SWEEPS = "hokusai_replica_sweeps_total"
ENV = {"HOKUSAI_HEALTH_DEADLINE": "2s", "HOKUSAI_REPLICA_SWEEP_INTERVAL": "3s"}


@pytest.fixture
def gateway(serve: Callable[..., Hokusai], real_mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> Hokusai:
    # A client that repeats what failed would hide it.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_POOL_MAXSIZE", str(CLIENTS))
    gateway = serve(mlflow=real_mlflow.url, env=QUICK_PROBES | ENV).wait_ready(30)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", gateway.create_key("mlflow:write").secret)
    mlflow.set_tracking_uri(gateway.url)
    return gateway


def wait_for_sweep(gateway: Hokusai) -> None:
    """Until the replica was wholly compared with MLflow, from a moment after this one on."""
    before = gateway.metrics().get(SWEEPS, 0)
    wait_until("a whole sweep", lambda: gateway.metrics().get(SWEEPS, 0) >= before + 2, 240, every=0.2)


def await_reads(clients: list[LoadClient], count: int) -> None:
    """Until all clients together made so many more."""

    def made() -> int:
        return sum(len(client.tally.reads) + len(client.tally.unanswered) for client in clients)

    goal = made() + count
    wait_until(f"{count} reads", lambda: made() >= goal, 120)


@pytest.mark.outages
def test_clients_ride_out_outages(
    gateway: Hokusai,
    real_mlflow: MlflowServer,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seconds, seed = request.config.getoption("--outage-seconds"), secrets.token_hex(4)
    shared = share_models(MlflowClient(), SHARED)
    clients = [LoadClient(gateway.url, number, shared, seed) for number in range(CLIENTS)]
    for client in clients:
        client.prepare()
    wait_for_sweep(gateway)

    over = threading.Event()
    threads = [threading.Thread(target=client.work, args=(over,)) for client in clients]
    for thread in threads:
        thread.start()
    rng = random.Random(seed)
    try:
        for _ in range(request.config.getoption("--outages")):
            await_reads(clients, rng.randrange(200, 600))
            real_mlflow.kill()
            time.sleep(seconds)  # the outage
            await_reads(clients, 1)
            real_mlflow.start().wait_ready(180)
            wait_until("breaker CLOSED", lambda: gateway.breaker() == "CLOSED", 120)
        await_reads(clients, 600)
    finally:
        over.set()
        for thread in threads:
            thread.join(150)
    tally = sum((client.tally for client in clients), Tally())

    report = _report(tally)
    with capsys.disabled():
        print(f"\n{report}")
    assert not any(thread.is_alive() for thread in threads), "a client hangs"
    assert not tally.contradictions, "\n".join(tally.contradictions[:20])
    answered = len(tally.reads) / (len(tally.reads) + len(tally.unanswered))
    assert answered >= 0.9995, f"{report}\n" + "\n".join(tally.unanswered[:5])
    _assert_replica_equals(gateway, real_mlflow)


def _report(tally: Tally) -> str:
    times = sorted(tally.reads)
    p50, p99 = (times[int(len(times) * share)] * 1000 for share in (0.5, 0.99))
    return (
        f"{len(times)} reads answered, {len(tally.unanswered)} not; p50 {p50:.1f} ms, p99 {p99:.1f} ms, "
        f"slowest {times[-1] * 1000:.0f} ms; writes {dict(tally.writes)}"
    )


def _assert_replica_equals(gateway: Hokusai, mlflow_server: MlflowServer) -> None:
    wait_for_sweep(gateway)
    truth = registry_checker.read(mlflow_server.url)
    bearer = gateway.create_key("mlflow:read", name="checker").bearer
    mlflow_server.kill()
    wait_until("breaker OPEN", lambda: gateway.breaker() == "OPEN", 30)

    replica = registry_checker.read(gateway.url, bearer, source="replica")

    assert registry_checker.compare(truth, replica) == []
