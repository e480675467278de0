"""With HOKUSAI_OFFLINE_WRITES=accept the registry takes writes while MLflow is gone, under the numbers it promises.

pytest tests/e2e/test_offline_registry.py --registry-seed 7
"""

from __future__ import annotations

import json
import random
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from support import registry_ledger
from support.hokusai import QUICK_PROBES, Hokusai, Key, run
from support.mlflow_server import MlflowServer
from support.process import wait_until
from support.registry_ledger import Ledger

ENV = QUICK_PROBES | {"HOKUSAI_HEALTH_DEADLINE": "2s", "HOKUSAI_REPLICA_SWEEP_INTERVAL": "1s"}
ACCEPT = ENV | {"HOKUSAI_OFFLINE_WRITES": "accept"}
API = "/api/2.0/mlflow/"
WRITES, MODELS = 200, 6


@dataclass
class Stage:
    gateway: Hokusai
    mlflow: MlflowServer
    key: Key
    client: MlflowClient
    prefix: str

    @property
    def truth(self) -> MlflowClient:
        return MlflowClient(self.mlflow.url)

    def stop_mlflow(self) -> None:
        self.mlflow.kill()
        wait_until("breaker OPEN", lambda: self.gateway.breaker() == "OPEN", 60)

    def start_mlflow(self) -> None:
        self.mlflow.start().wait_ready(180)

    def wait_until_drained(self, seconds: float = 240) -> None:
        wait_until("nothing to wait", lambda: self.pending() == 0, seconds)

    def pending(self) -> float:
        return self.gateway.metrics().get("hokusai_registry_pending_models", -1)

    def call(self, method: str, path: str, body: dict | None = None) -> requests.Response:
        url = self.gateway.url + API + path
        return requests.request(method, url, json=body, headers=self.key.bearer, timeout=15)

    def command(self, *arguments: str) -> dict:
        done = run("registry", *arguments, "--json", "--data", str(self.gateway.data))
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def resolve(self, model: str, decision: str) -> None:
        done = run("registry", "resolve", model, decision, "--data", str(self.gateway.data))
        assert done.returncode == 0, done.stderr


@pytest.fixture
def stage_with(
    serve: Callable[..., Hokusai], real_mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Stage]:
    def start(env: dict[str, str] = ACCEPT) -> Stage:
        gateway = serve(mlflow=real_mlflow.url, env=env).wait_ready(30)
        key = gateway.create_key("mlflow:write")
        monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", key.secret)
        # What cannot be answered at once must fail at once, so that no resend hides it.
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        wait_until("the replica to be whole", lambda: gateway.metrics().get("hokusai_replica_sweeps_total", 0) > 0, 60)
        return Stage(gateway, real_mlflow, key, MlflowClient(gateway.url), f"o{secrets.token_hex(3)}")

    return start


def make_ledger(stage: Stage, seed: str) -> Ledger:
    """Half of the models are there, with some past, before MLflow goes away."""
    ledger = Ledger(random.Random(seed), stage.prefix)
    for _ in range(MODELS // 2):
        name = ledger.create_model(stage.client)
        for _ in range(3):
            ledger.writes += 1
            ledger.create_version(stage.client, name)
    name = sorted(ledger.models)[0]
    stage.client.delete_model_version(name, "3")  # its number stays given
    del ledger.models[name].versions[3]
    return ledger


def write_and_kill(stage: Stage, ledger: Ledger) -> None:
    """A write under which the gateway dies: it may have been taken, wholly, or not."""
    late = threading.Timer(ledger.rng.uniform(0, 0.04), stage.gateway.running.kill)
    late.start()
    try:
        ledger.write(stage.client)
        is_answered = True
    except MlflowException:
        is_answered = False
    late.join()
    stage.gateway.start()
    if not is_answered:
        adopt(ledger, ledger.last, registry_ledger.read(stage.client, ledger.last))


def adopt(ledger: Ledger, name: str, found: registry_ledger.Model | None) -> None:
    """What became of a write without an answer, as the gateway shows it."""
    assert found is not None
    ledger.models[name] = found
    ledger.highest[name] = max([ledger.highest[name], *found.versions])


def assert_equal(ledger: Ledger, client: MlflowClient) -> None:
    for name, model in ledger.models.items():
        assert registry_ledger.read(client, name) == model, name


@pytest.mark.timeout(900)
def test_writes_of_an_outage_survive_kills_and_arrive_as_promised(
    stage_with: Callable[..., Stage], request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = request.config.getoption("--registry-seed") or secrets.token_hex(4)
    with capsys.disabled():
        print(f"\n--registry-seed {seed}")
    stage = stage_with()
    ledger = make_ledger(stage, seed)
    stage.stop_mlflow()
    kills = sorted(ledger.rng.sample(range(20, WRITES - 20), 2))
    slowest = 0.0
    for count in range(WRITES):
        started = time.monotonic()
        if count % 40 == 10 and len(ledger.models) < MODELS:
            ledger.create_model(stage.client)
        elif count in kills:
            write_and_kill(stage, ledger)
            continue
        else:
            ledger.write(stage.client)
        slowest = max(slowest, time.monotonic() - started)
    assert stage.pending() == len(ledger.models)
    assert_equal(ledger, stage.client)

    stage.start_mlflow()
    back = time.monotonic()
    delivered = "hokusai_journal_delivered_total"
    wait_until("some to be delivered", lambda: stage.gateway.metrics()[delivered] > 20, 120)
    stage.gateway.running.kill()
    stage.gateway.start()
    stage.wait_until_drained()
    with capsys.disabled():
        print(f"slowest write {slowest:.2f} s, all delivered {time.monotonic() - back:.1f} s after MLflow was back")
    assert stage.command("conflicts") == {"conflicts": [], "renumbered": []}
    assert_equal(ledger, stage.truth)
    assert_equal(ledger, stage.client)
    for name in ledger.models:
        ledger.writes += 1
        ledger.create_version(stage.client, name)  # and MLflow counts on from there


@pytest.mark.timeout(600)
def test_a_rival_writer_makes_conflicts_that_can_be_resolved(stage_with: Callable[..., Stage]) -> None:
    stage = stage_with()
    names = [f"{stage.prefix}-{what}" for what in ("apply", "discard", "free")]
    for name in names:
        stage.client.create_registered_model(name)
        stage.client.create_model_version(name, "s3://bucket/1")
    stage.stop_mlflow()
    for name in names:
        assert stage.client.create_model_version(name, "s3://bucket/ours").version == "2"
        stage.client.set_registered_model_alias(name, "champion", "2")
        stage.client.set_model_version_tag(name, "2", "whose", "ours")
    stage.gateway.running.kill()
    stage.start_mlflow()
    for name in names[:2]:
        stage.truth.create_model_version(name, "s3://bucket/theirs")
        stage.truth.set_registered_model_alias(name, "champion", "2")
    stage.gateway.start()

    wait_until("two conflicts", lambda: len(stage.command("conflicts")["conflicts"]) == 2, 60)
    conflicts = {each["model"]: each for each in stage.command("conflicts")["conflicts"]}
    assert sorted(conflicts) == sorted(names[:2])
    assert "version 2 is of s3://bucket/theirs in MLflow, and of s3://bucket/ours here" in conflicts[names[0]]["reason"]
    assert conflicts[names[0]]["entries"] == 3
    wait_until("the third to be delivered", lambda: stage.pending() == 2, 60)
    assert stage.truth.get_model_version_by_alias(names[2], "champion").source == "s3://bucket/ours"
    # Ours is what everybody was told, so it is what everybody is shown, and goes on.
    assert stage.client.get_model_version_by_alias(names[0], "champion").source == "s3://bucket/ours"
    stage.client.set_model_version_tag(names[0], "2", "late", "too")
    assert stage.gateway.metrics()["hokusai_registry_conflicts"] == 2

    stage.gateway.running.kill()
    stage.gateway.start()
    assert {each["model"] for each in stage.command("conflicts")["conflicts"]} == set(conflicts)
    stage.resolve(names[0], "--apply")
    stage.resolve(names[1], "--discard")
    stage.wait_until_drained(60)

    for client in (stage.truth, stage.client):
        applied = registry_ledger.read(client, names[0])
        assert {number: each.source for number, each in applied.versions.items()} == {
            1: "s3://bucket/1",
            2: "s3://bucket/theirs",
            3: "s3://bucket/ours",
        }
        assert applied.aliases == {"champion": 3}
        assert applied.versions[3].tags == {"whose": "ours", "late": "too"}
        discarded = registry_ledger.read(client, names[1])
        assert discarded.versions[2].source == "s3://bucket/theirs"
        assert (discarded.aliases, sorted(discarded.versions)) == ({"champion": 2}, [1, 2])
    after = stage.command("conflicts", "--all")
    assert after["conflicts"] == []
    assert [(each["model"], each["promised"], each["given"]) for each in after["renumbered"]] == [(names[0], 2, 3)]
    assert [json.loads(each["body"])["name"] for each in after["set_aside"]] == [names[1]] * 3
    assert "s3://bucket/ours" in after["set_aside"][0]["body"]
    assert stage.client.create_model_version(names[1], "s3://bucket/next").version == "3"
    stage.stop_mlflow()
    assert stage.client.create_model_version(names[1], "s3://bucket/next-but-one").version == "4"


@pytest.mark.timeout(300)
def test_a_version_deleted_by_a_rival_shows_as_another_number(stage_with: Callable[..., Stage]) -> None:
    stage = stage_with()
    name = f"{stage.prefix}-number"
    stage.client.create_registered_model(name)
    stage.stop_mlflow()
    assert stage.client.create_model_version(name, "s3://bucket/ours").version == "1"
    stage.client.set_registered_model_alias(name, "champion", "1")
    stage.gateway.running.kill()
    stage.start_mlflow()
    stage.truth.create_model_version(name, "s3://bucket/theirs")
    stage.truth.delete_model_version(name, "1")
    stage.gateway.start()

    wait_until("a conflict", lambda: stage.command("conflicts")["conflicts"], 60)
    (conflict,) = stage.command("conflicts")["conflicts"]
    assert conflict["reason"] == "version 1 was promised, and MLflow gave it the number 2"
    stage.resolve(name, "--apply")
    stage.wait_until_drained(60)

    assert registry_ledger.read(stage.truth, name).aliases == {"champion": 2}
    assert [each["given"] for each in stage.command("pending")["renumbered"]] == [2]


@pytest.mark.timeout(300)
def test_a_lost_copy_loses_no_write(stage_with: Callable[..., Stage]) -> None:
    stage = stage_with()
    name = f"{stage.prefix}-lost"
    stage.client.create_registered_model(name)
    stage.stop_mlflow()
    assert stage.client.create_model_version(name, "s3://bucket/1").version == "1"
    stage.client.set_registered_model_alias(name, "champion", "1")
    stage.gateway.running.kill()
    for file in stage.gateway.data.glob("replica.db*"):
        file.unlink()
    stage.gateway.start()

    # What MLflow has not got yet is not denied, and nothing is promised on top of what is not known.
    assert stage.call("GET", f"registered-models/get?name={name}").status_code == 503
    assert stage.call("POST", "model-versions/create", {"name": name, "source": "s3://bucket/2"}).status_code == 503
    stage.start_mlflow()
    stage.wait_until_drained()

    for client in (stage.truth, stage.client):
        found = registry_ledger.read(client, name)
        assert ({number: each.source for number, each in found.versions.items()}, found.aliases) == (
            {1: "s3://bucket/1"},
            {"champion": 1},
        )


@pytest.mark.timeout(300)
def test_the_past_of_an_alias_tells_each_change_once(stage_with: Callable[..., Stage]) -> None:
    stage = stage_with()
    name = f"{stage.prefix}-past"
    stage.client.create_registered_model(name)
    stage.client.create_model_version(name, "s3://bucket/1")
    stage.stop_mlflow()
    stage.client.set_registered_model_alias(name, "champion", "1")
    stage.client.create_model_version(name, "s3://bucket/2")
    stage.client.set_registered_model_alias(name, "champion", "2")
    stage.gateway.running.kill()
    stage.gateway.start()
    stage.start_mlflow()
    stage.wait_until_drained()
    sweeps = stage.gateway.metrics()["hokusai_replica_sweeps_total"]
    wait_until("a sweep", lambda: stage.gateway.metrics()["hokusai_replica_sweeps_total"] > sweeps + 1, 60)

    url = f"{stage.gateway.url}/api/v1/registry/alias-history"
    past = requests.get(url, {"name": name}, headers=stage.key.bearer, timeout=15).json()["changes"]

    seen = [(each["event"], each["from"], each["to"], each["key_name"]) for each in reversed(past)]
    assert seen == [("set", None, "1", "test"), ("set", "1", "2", "test")]


@pytest.mark.timeout(300)
def test_refusals_are_those_of_mlflow_and_reads_show_what_waits(stage_with: Callable[..., Stage]) -> None:
    """The same calls to MLflow and, while it is away, to the gateway: the same status, the same words."""
    stage = stage_with()
    name = f"{stage.prefix}-refused"
    stage.client.create_registered_model(name)
    stage.client.create_model_version(name, "s3://bucket/1")
    version = {"name": name, "version": "1"}
    calls = [
        ("POST", "registered-models/create", {"name": name}),
        ("POST", "registered-models/create", {"name": "a/b"}),
        ("POST", "model-versions/create", {"name": name + "x", "source": "s3://bucket/1"}),
        ("POST", "model-versions/create", {"name": name, "source": "relative"}),
        ("POST", "registered-models/alias", {**version, "alias": "v1"}),
        ("POST", "registered-models/alias", {"name": name, "version": "7", "alias": "champion"}),
        ("POST", "registered-models/set-tag", {"name": name, "key": "k" * 251, "value": "v"}),
        ("POST", "model-versions/set-tag", {"name": name, "version": "7", "key": "k", "value": "v"}),
        ("POST", "model-versions/transition-stage", {**version, "stage": "Nowhere"}),
        ("PATCH", "model-versions/update", {"name": name, "version": "7", "description": "d"}),
        ("DELETE", "model-versions/delete", {"name": name, "version": "7"}),
        ("DELETE", "registered-models/delete", {"name": name + "x"}),
    ]
    expected = [requests.request(way, stage.mlflow.url + API + path, json=body) for way, path, body in calls]
    stage.stop_mlflow()

    found = [stage.call(*call) for call in calls]

    assert [(each.status_code, each.json()) for each in found] == [(each.status_code, each.json()) for each in expected]
    assert stage.pending() == 0
    assert stage.call("POST", "registered-models/rename", {"name": name, "new_name": name + "y"}).status_code == 503
    for source in ("/tmp/somewhere", f"runs:/{'0' * 32}/model"):
        of_run = {"name": name, "source": source, "run_id": "0" * 32}
        assert stage.call("POST", "model-versions/create", of_run).status_code == 503

    made = stage.call("POST", "model-versions/create", {"name": name, "source": "s3://bucket/2"})
    assert (made.status_code, made.headers["X-Hokusai-Source"]) == (200, "journal")
    assert made.json()["model_version"]["version"] == "2"
    stage.call("POST", "registered-models/alias", {"name": name, "version": "2", "alias": "champion"})
    by_alias = stage.call("GET", f"registered-models/alias?name={name}&alias=champion")
    assert (by_alias.json()["model_version"]["source"], by_alias.headers["X-Hokusai-Source"]) == (
        "s3://bucket/2",
        "replica",
    )
    assert stage.client.search_model_versions(f"name = '{name}'")[0].version == "2"
    stage.client.delete_registered_model(name)
    assert stage.call("GET", f"registered-models/get?name={name}").status_code == 404
    stage.client.create_registered_model(name)
    assert stage.client.create_model_version(name, "s3://bucket/again").version == "1"
    stage.start_mlflow()
    stage.wait_until_drained()
    assert registry_ledger.read(stage.truth, name).versions[1].source == "s3://bucket/again"
    answer = stage.call("GET", f"registered-models/get?name={name}")
    assert (answer.status_code, answer.headers.get("X-Hokusai-Source")) == (200, None)


@pytest.mark.timeout(300)
def test_a_full_journal_refuses_and_keeps_what_it_has(stage_with: Callable[..., Stage]) -> None:
    stage = stage_with(ACCEPT | {"HOKUSAI_OFFLINE_MAX_ENTRIES": "5"})
    name = f"{stage.prefix}-full"
    stage.client.create_registered_model(name)
    stage.stop_mlflow()

    answers = [
        stage.call("POST", "model-versions/create", {"name": name, "source": f"s3://bucket/{n}"}) for n in range(8)
    ]

    assert [answer.status_code for answer in answers] == [200] * 5 + [503] * 3
    assert answers[-1].json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
    assert "the journal is full" in answers[-1].json()["message"]
    stage.start_mlflow()
    stage.wait_until_drained()
    assert sorted(registry_ledger.read(stage.truth, name).versions) == [1, 2, 3, 4, 5]


@pytest.mark.timeout(300)
def test_writes_are_refused_by_default(stage_with: Callable[..., Stage]) -> None:
    stage = stage_with(ENV)
    name = f"{stage.prefix}-refuse"
    stage.client.create_registered_model(name)
    stage.stop_mlflow()
    answer = stage.call("POST", "model-versions/create", {"name": name, "source": "s3://bucket/1"})
    assert (answer.status_code, answer.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert not (stage.gateway.data / "journal.db").exists()
