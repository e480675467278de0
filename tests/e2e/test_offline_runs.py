"""With HOKUSAI_OFFLINE_WRITES=accept a training loop does not notice that MLflow is gone, and nothing of it gets lost.

pytest tests/e2e/test_offline_runs.py --outage-seconds 90
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from support.hokusai import QUICK_PROBES, Hokusai, run
from support.mlflow_server import MlflowServer
from support.process import wait_until

ACCEPT = QUICK_PROBES | {"HOKUSAI_HEALTH_DEADLINE": "2s", "HOKUSAI_OFFLINE_WRITES": "accept"}
API = "/api/2.0/mlflow/runs"
PAUSE = 0.05  # between the steps of a training loop


@dataclass
class Training:
    """A loop of a stock client that logs until it is told to end, and remembers what it logged."""

    client: MlflowClient
    run_id: str
    over: threading.Event = field(default_factory=threading.Event)
    metrics: dict[str, list[tuple[int, int, float]]] = field(default_factory=lambda: defaultdict(list))
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    slowest: float = 0
    error: BaseException | None = None
    steps: int = 0

    def work(self) -> None:
        try:
            while not self.over.is_set():
                started = time.monotonic()
                self.step()
                self.slowest = max(self.slowest, time.monotonic() - started)
                self.steps += 1
                time.sleep(PAUSE)
            self.client.set_terminated(self.run_id, "FINISHED")
        except BaseException as error:
            self.error = error

    def step(self) -> None:
        step, now = self.steps, int(time.time() * 1000)
        self._log("loss", step, now, 1 / (step + 3))
        if step % 5 == 0:
            batch = [("accuracy", step, now, step / 7), ("odd", step, now, 0.1 + 0.2 * step)]
            self.client.log_batch(
                self.run_id,
                metrics=[Metric(key, value, timestamp, step) for key, step, timestamp, value in batch],
                params=[Param(f"p{step}", str(step))] if step % 10 == 0 else [],
                tags=[RunTag("seen", str(step))],
            )
            for key, at, timestamp, value in batch:
                self.metrics[key].append((at, timestamp, value))
            self.tags["seen"] = str(step)
            self.params |= {f"p{step}": str(step)} if step % 10 == 0 else {}
        if step % 7 == 0:
            self.client.log_param(self.run_id, f"q{step}", f"v{step}")
            self.client.set_tag(self.run_id, "last", f"step {step}")
            self.params[f"q{step}"] = f"v{step}"
            self.tags["last"] = f"step {step}"

    def _log(self, key: str, step: int, timestamp: int, value: float) -> None:
        self.client.log_metric(self.run_id, key, value, timestamp=timestamp, step=step)
        self.metrics[key].append((step, timestamp, value))

    def assert_all_is_there(self, truth: MlflowClient) -> None:
        found = truth.get_run(self.run_id)
        assert found.info.status == "FINISHED"
        assert found.info.end_time is not None
        assert {**found.data.params} == self.params
        assert {key: found.data.tags.get(key) for key in self.tags} == self.tags
        for key, logged in self.metrics.items():
            history = [(each.step, each.timestamp, each.value) for each in truth.get_metric_history(self.run_id, key)]
            assert sorted(history) == logged, f"{key}: {len(logged)} logged, {len(history)} there"


@dataclass
class Stage:
    gateway: Hokusai
    mlflow: MlflowServer
    client: MlflowClient
    experiment_id: str

    def start_training(self, count: int = 1) -> tuple[list[Training], list[threading.Thread]]:
        trainings = [
            Training(self.client, self.client.create_run(self.experiment_id).info.run_id) for _ in range(count)
        ]
        threads = [threading.Thread(target=training.work) for training in trainings]
        for thread in threads:
            thread.start()
        return trainings, threads

    def stop_mlflow(self) -> None:
        self.mlflow.kill()
        wait_until("breaker OPEN", lambda: self.gateway.breaker() == "OPEN", 60)

    def bring_mlflow_back(self) -> None:
        self.mlflow.start().wait_ready(180)
        wait_until("breaker CLOSED", lambda: self.gateway.breaker() == "CLOSED", 120)

    def entries(self) -> float:
        return self.gateway.metrics()["hokusai_journal_entries"]

    def wait_until_drained(self, seconds: float = 120) -> None:
        wait_until("the journal to be empty", lambda: self.entries() == 0, seconds)

    def post(self, call: str, body: dict, key: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        return requests.post(f"{self.gateway.url}{API}/{call}", json=body, headers=headers, timeout=15)


def stage_with(
    serve: Callable[..., Hokusai], server: MlflowServer, monkeypatch: pytest.MonkeyPatch, **env: str
) -> tuple[Stage, str]:
    gateway = serve(mlflow=server.url, env=ACCEPT | env).wait_ready(30)
    secret = gateway.create_key("mlflow:write").secret
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", secret)
    # What cannot be answered at once must fail at once, so that no resend hides it.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    # The link the client prints at the end of a run costs it a read of the run, which only MLflow can answer.
    monkeypatch.setenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    mlflow.set_tracking_uri(gateway.url)
    client = MlflowClient(gateway.url)
    experiment = client.create_experiment(f"offline {time.monotonic_ns()}")
    return Stage(gateway, server, client, experiment), secret


def finish(trainings: list[Training], threads: list[threading.Thread]) -> None:
    for training in trainings:
        training.over.set()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a client hangs"
    assert [training.error for training in trainings if training.error] == []


@pytest.mark.timeout(600)
def test_training_does_not_notice_an_outage(
    serve: Callable[..., Hokusai],
    real_mlflow: MlflowServer,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage, _ = stage_with(serve, real_mlflow, monkeypatch)
    ends_offline, threads_offline = stage.start_training(1)
    trainings, threads = stage.start_training(3)
    wait_until("some steps", lambda: min(training.steps for training in trainings) > 20, 60)

    real_mlflow.kill()
    time.sleep(request.config.getoption("--outage-seconds"))  # the outage
    finish(ends_offline, threads_offline)
    waiting = stage.entries()
    returned = time.monotonic()
    stage.bring_mlflow_back()
    closed = time.monotonic()
    stage.wait_until_drained()
    drained = time.monotonic()
    finish(trainings, threads)
    stage.wait_until_drained()

    figures = stage.gateway.metrics()
    with capsys.disabled():
        print(
            f"\n{sum(t.steps for t in trainings + ends_offline)} steps, "
            f"slowest {max(t.slowest for t in trainings):.2f} s; {waiting:.0f} calls waited; "
            f"breaker closed after {closed - returned:.1f} s, journal drained {drained - closed:.1f} s later; "
            f"{figures['hokusai_journal_delivered_total']:.0f} calls delivered"
        )
    assert waiting > 0
    assert figures["hokusai_journal_rejected_total"] == 0
    truth = MlflowClient(real_mlflow.url)
    for training in trainings + ends_offline:
        training.assert_all_is_there(truth)


@pytest.mark.timeout(300)
def test_what_was_accepted_survives_a_kill(
    serve: Callable[..., Hokusai], real_mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, secret = stage_with(serve, real_mlflow, monkeypatch)
    # What the gateway did not answer the client sends again, as it does by default.
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "7")
    trainings, threads = stage.start_training(2)
    wait_until("some steps", lambda: min(training.steps for training in trainings) > 20, 60)
    wait_until("the runs to be on the disk", lambda: status(stage.gateway)["runs"] >= 2, 20)
    stage.stop_mlflow()
    wait_until("accepted writes", lambda: stage.entries() > 20, 60)
    before = stage.entries()

    stage.gateway.running.kill()
    stage.gateway.start()

    assert stage.entries() >= before
    steps = [training.steps for training in trainings]
    wait_until("training to go on", lambda: all(t.steps > s + 10 for t, s in zip(trainings, steps, strict=True)), 120)
    finish(trainings, threads)
    late = {"run_id": trainings[0].run_id, "key": "late", "value": 2.5, "timestamp": 7, "step": 1}
    answer = stage.post("log-metric", late, secret)
    assert (answer.status_code, answer.headers["X-Hokusai-Source"]) == (200, "journal"), answer.text
    stage.bring_mlflow_back()
    stage.wait_until_drained()
    truth = MlflowClient(real_mlflow.url)
    for training in trainings:
        training.assert_all_is_there(truth)
    assert [each.value for each in truth.get_metric_history(trainings[0].run_id, "late")] == [2.5]


def status(gateway: Hokusai) -> dict:
    done = run("journal", "status", "--json", "--data", str(gateway.data))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.timeout(300)
def test_a_full_journal_refuses_and_keeps_what_it_has(
    serve: Callable[..., Hokusai], real_mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, secret = stage_with(serve, real_mlflow, monkeypatch, HOKUSAI_OFFLINE_MAX_ENTRIES="25")
    run_id = stage.client.create_run(stage.experiment_id).info.run_id
    stage.stop_mlflow()
    answers = []
    started = time.monotonic()
    for step in range(40):
        body = {"run_id": run_id, "key": "m", "value": step, "timestamp": 1000 + step, "step": step}
        answers.append(stage.post("log-metric", body, secret))

    assert [answer.status_code for answer in answers] == [200] * 25 + [503] * 15
    assert time.monotonic() - started < 20
    refused = answers[-1]
    assert refused.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
    assert "the journal is full" in refused.json()["message"]
    assert int(refused.headers["Retry-After"]) >= 5
    stage.bring_mlflow_back()
    stage.wait_until_drained()
    history = MlflowClient(real_mlflow.url).get_metric_history(run_id, "m")
    assert [each.step for each in history] == list(range(25))


@pytest.mark.timeout(300)
def test_refusals_are_those_of_mlflow(
    serve: Callable[..., Hokusai], real_mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same calls to MLflow and, while it is away, to the gateway: the same status, the same words."""
    stage, secret = stage_with(serve, real_mlflow, monkeypatch)
    run_id = stage.client.create_run(stage.experiment_id).info.run_id
    deleted = stage.client.create_run(stage.experiment_id).info.run_id
    stage.client.delete_run(deleted)
    stage.client.log_param(run_id, "depth", 3)
    metric = {"run_id": run_id, "key": "m", "value": 1.5, "timestamp": 1, "step": 2}
    many = [{"key": f"k{i}", "value": "1"} for i in range(101)]
    calls = [
        ("log-metric", {**metric, "run_id": None}),
        ("log-metric", {**metric, "key": ""}),
        ("log-metric", {name: value for name, value in metric.items() if name != "value"}),
        ("log-metric", {name: value for name, value in metric.items() if name != "timestamp"}),
        ("log-metric", {**metric, "timestamp": -1}),
        ("log-metric", {**metric, "key": "a?b"}),
        ("log-metric", {**metric, "key": "../a"}),
        ("log-metric", {**metric, "key": "k" * 251}),
        ("log-metric", {**metric, "run_id": deleted}),
        ("log-parameter", {"run_id": run_id, "key": "k" * 251, "value": "v"}),
        ("log-parameter", {"run_id": run_id, "key": "a//b", "value": "v"}),
        ("log-parameter", {"run_id": run_id}),
        ("log-parameter", {"run_id": run_id, "key": "depth", "value": "5"}),
        ("log-batch", {"run_id": run_id, "params": [{"key": "depth", "value": "5"}]}),
        ("set-tag", {"run_id": run_id, "key": "k" * 251, "value": "v"}),
        ("set-tag", {"run_id": run_id, "key": "é*", "value": "v"}),
        ("set-tag", {"run_id": deleted, "key": "k", "value": "v"}),
        ("log-batch", {"run_id": run_id, "metrics": [{"key": "m", "value": 1}]}),
        ("log-batch", {"run_id": run_id, "metrics": [{"key": "a?", "value": 1, "timestamp": 1}]}),
        ("log-batch", {"run_id": run_id, "params": many}),
        ("log-batch", {"run_id": run_id, "tags": many}),
        ("log-batch", {"run_id": run_id, "params": many[:2] + many[:2]}),
        ("log-batch", {"metrics": []}),
        ("update", {"status": "FINISHED"}),
        ("update", {"run_id": deleted, "status": "FINISHED"}),
    ]
    expected = [requests.post(f"{real_mlflow.url}{API}/{call}", json=body, timeout=15) for call, body in calls]
    stage.stop_mlflow()

    found = [stage.post(call, body, secret) for call, body in calls]

    assert [(each.status_code, each.json()) for each in found] == [(each.status_code, each.json()) for each in expected]
    assert stage.entries() == 0
    unknown = stage.post("log-metric", {**metric, "run_id": "0" * 32}, secret)
    assert unknown.status_code == 503
    assert stage.post("create", {"experiment_id": stage.experiment_id}, secret).status_code == 503


@pytest.mark.timeout(300)
def test_an_update_is_answered_as_mlflow_does(
    serve: Callable[..., Hokusai], real_mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, secret = stage_with(serve, real_mlflow, monkeypatch)
    created = stage.client.create_run(stage.experiment_id, run_name="before")
    run_id = created.info.run_id
    body = {"run_id": run_id, "status": "FAILED", "end_time": 1_700_000_000_000, "run_name": "after"}
    stage.stop_mlflow()

    offline = stage.post("update", body, secret)

    stage.bring_mlflow_back()
    stage.wait_until_drained()
    direct = requests.post(f"{real_mlflow.url}{API}/update", json=body, timeout=15)
    assert offline.headers["X-Hokusai-Source"] == "journal"
    assert offline.json() == direct.json()
    assert MlflowClient(real_mlflow.url).get_run(run_id).info.run_name == "after"


@pytest.mark.timeout(300)
def test_what_mlflow_refuses_later_is_kept_and_shown(
    serve: Callable[..., Hokusai], real_mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, secret = stage_with(serve, real_mlflow, monkeypatch)
    run_id = stage.client.create_run(stage.experiment_id).info.run_id
    MlflowClient(real_mlflow.url).log_param(run_id, "depth", "3")  # behind the gateway's back
    stage.stop_mlflow()
    assert stage.post("log-parameter", {"run_id": run_id, "key": "depth", "value": "5"}, secret).status_code == 200
    assert stage.post("set-tag", {"run_id": run_id, "key": "t", "value": "v"}, secret).status_code == 200
    wait_until("both to be counted", lambda: status(stage.gateway)["entries"] == 2, 10)

    stage.bring_mlflow_back()
    stage.wait_until_drained()

    assert MlflowClient(real_mlflow.url).get_run(run_id).data.tags["t"] == "v"
    done = run("journal", "rejected", "--json", "--data", str(stage.gateway.data))
    (rejected,) = json.loads(done.stdout)
    assert (rejected["lane"], rejected["status"]) == (f"run//{run_id}", 400)
    assert "Changing param values is not allowed" in rejected["reason"]
    assert json.loads(rejected["body"])["value"] == "5"
