"""What became of aliases: who moved them, through hokusai or around it, and the way back."""

from __future__ import annotations

import json
import secrets
import sqlite3
import subprocess
from collections.abc import Callable, Iterator

import pytest
import requests
from mlflow import MlflowClient

from support import hokusai
from support.hokusai import QUICK_PROBES, Hokusai, Key
from support.mlflow_server import MlflowServer
from support.process import wait_until

pytestmark = pytest.mark.timeout(180)
API = "/api/2.0/mlflow"
ENV = QUICK_PROBES | {"HOKUSAI_REPLICA_SWEEP_INTERVAL": "1s"}
Serve = Callable[..., Hokusai]


class Registry:
    """The registry calls of these tests, at hokusai with a key or at MLflow itself."""

    def __init__(self, url: str, key: Key | None = None):
        self.url = url
        self.headers = key.bearer if key else {}

    def call(self, method: str, path: str, **body: str) -> requests.Response:
        answer = requests.request(method, f"{self.url}{API}/{path}", json=body, headers=self.headers, timeout=30)
        answer.raise_for_status()
        return answer

    def create(self, name: str, versions: int = 4) -> None:
        self.call("POST", "registered-models/create", name=name)
        for number in range(versions):
            self.call("POST", "model-versions/create", name=name, source=f"s3://history/{name}/{number}")

    def point(self, name: str, version: int, alias: str = "champion") -> None:
        self.call("POST", "registered-models/alias", name=name, alias=alias, version=str(version))

    def remove(self, name: str, alias: str = "champion") -> None:
        self.call("DELETE", "registered-models/alias", name=name, alias=alias)

    def champion(self, name: str) -> str:
        query = {"name": name, "alias": "champion"}
        answer = requests.get(f"{self.url}{API}/registered-models/alias", query, headers=self.headers, timeout=30)
        return answer.json()["model_version"]["version"] if answer.ok else answer.json()["error_code"]


class Command:
    """`hokusai registry ...` with a key in the environment."""

    def __init__(self, service: Hokusai, key: Key):
        self.service = service
        self.key = key

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command, *rest = arguments
        argv = ["registry", command, *rest, "--url", self.service.url]
        return hokusai.run(*argv, env={"HOKUSAI_MLFLOW_TOKEN": self.key.secret})

    def done(self, *arguments: str) -> str:
        ended = self.run(*arguments)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    def refused(self, *arguments: str) -> str:
        ended = self.run(*arguments)
        assert ended.returncode == 1, ended.stdout
        return ended.stderr

    def history(self, subject: str) -> dict:
        return json.loads(self.done("history", subject, "--json"))

    def story(self, subject: str) -> list[tuple]:
        """The oldest first: alias, from, to, what, and who or where from."""
        return [
            (row["alias"], row["from"], row["to"], row["event"], row["key_name"] or row["source"])
            for row in reversed(self.history(subject)["changes"])
        ]


@pytest.fixture
def name() -> str:
    return f"history-{secrets.token_hex(4)}"


@pytest.fixture
def mlflow(real_mlflow: MlflowServer) -> Iterator[MlflowServer]:
    yield real_mlflow
    real_mlflow.restore()


def wait_for_sweeps(gateway: Hokusai, more: int = 2) -> None:
    sweeps = "hokusai_replica_sweeps_total"
    before = gateway.metrics()[sweeps]
    wait_until(f"{more} sweeps", lambda: gateway.metrics()[sweeps] >= before + more, 60)


def is_filled(gateway: Hokusai) -> None:
    wait_until("a first sweep", lambda: gateway.metrics()["hokusai_replica_sweeps_total"] >= 2, 60)


def test_standalone_keeps_every_change_with_who_made_it(serve: Serve, name: str) -> None:
    service = serve().wait_ready()
    ann, bob = service.create_key("mlflow:write", name="ann"), service.create_key("mlflow:write", name="bob")
    by_ann, by_bob = Registry(service.url, ann), Registry(service.url, bob)
    command = Command(service, service.create_key("mlflow:read", name="reader"))
    by_ann.create(name)
    by_ann.point(name, 1)
    by_bob.point(name, 2)
    by_bob.point(name, 2)  # which changes nothing
    by_ann.point(name, 3, "challenger")
    by_bob.remove(name)
    by_ann.call("DELETE", "model-versions/delete", name=name, version="3")
    by_ann.point(name, 4)
    by_bob.call("POST", "registered-models/rename", name=name, new_name=f"{name}-2")
    by_ann.call("DELETE", "registered-models/delete", name=f"{name}-2")

    assert command.story(name) == [
        ("champion", None, "1", "set", "ann"),
        ("champion", "1", "2", "set", "bob"),
        ("challenger", None, "3", "set", "ann"),
        ("champion", "2", None, "removed", "bob"),
        ("challenger", "3", None, "version_deleted", "ann"),
        ("champion", None, "4", "set", "ann"),
        ("champion", "4", None, "model_renamed", "bob"),
    ]
    assert command.story(f"{name}-2") == [
        ("champion", None, "4", "model_renamed", "bob"),
        ("champion", "4", None, "model_deleted", "ann"),
    ]
    text = command.done("history", f"{name}@champion")
    assert f"champion: 1 -> 2, set, by key 'bob' ({bob.id})" in text
    assert "challenger" not in text
    unauthorized = requests.get(f"{service.url}/api/v1/registry/alias-history", {"name": name}, timeout=30)
    assert unauthorized.status_code == 401
    nameless = requests.get(f"{service.url}/api/v1/registry/alias-history", headers=ann.bearer, timeout=30)
    assert (nameless.status_code, "name" in nameless.json()["detail"]) == (400, True)


def test_rollbacks_go_further_and_further_back(serve: Serve, name: str) -> None:
    service = serve().wait_ready()
    key = service.create_key("mlflow:write", name="oncall")
    registry, command, alias = Registry(service.url, key), Command(service, key), f"{name}@champion"
    registry.create(name)
    for version in (1, 2, 3):
        registry.point(name, version)

    assert "would set" in command.done("rollback", alias, "--dry-run")
    assert registry.champion(name) == "3"
    assert "agree" in command.refused("rollback", alias)
    assert registry.champion(name) == "3"
    command.done("rollback", alias, "--yes")
    assert registry.champion(name) == "2"
    command.done("rollback", alias, "--yes")
    assert registry.champion(name) == "1"
    assert "no version" in command.refused("rollback", alias, "--yes")
    command.done("rollback", alias, "--yes", "--to", "4")
    registry.remove(name)
    command.done("rollback", alias, "--yes")  # what was removed by mistake
    assert registry.champion(name) == "4"
    registry.point(name, 3)
    registry.call("DELETE", "model-versions/delete", name=name, version="4")
    assert "version 4 of model" in command.refused("rollback", alias, "--yes")
    assert registry.champion(name) == "3"

    story = command.story(alias)
    assert [row[1:4] for row in story[3:6]] == [
        ("3", "2", "rolled_back"),
        ("2", "1", "rolled_back"),
        ("1", "4", "rolled_back"),
    ]
    assert {row[4] for row in story} == {"oncall"}


def test_a_rollback_of_what_changed_meanwhile_is_refused(serve: Serve, mlflow: MlflowServer, name: str) -> None:
    standalone = serve().wait_ready()
    gateway = serve(mlflow=mlflow.url, env=ENV).wait_ready()
    is_filled(gateway)
    for service in (standalone, gateway):
        key = service.create_key("mlflow:write")
        registry = Registry(service.url, key)
        registry.create(name)
        registry.point(name, 3)
        answer = requests.post(
            f"{service.url}{API}/registered-models/alias",
            json={"name": name, "alias": "champion", "version": "1"},
            headers=key.bearer | {"X-Hokusai-Rollback-From": "2"},
            timeout=30,
        )
        assert answer.status_code == 409, answer.text
        assert "names version 3" in answer.json()["message"]
        assert registry.champion(name) == "3"


def test_with_mlflow_both_ways_are_seen_and_rolled_back(serve: Serve, mlflow: MlflowServer, name: str) -> None:
    gateway = serve(mlflow=mlflow.url, env=ENV).wait_ready()
    is_filled(gateway)
    key = gateway.create_key("mlflow:write", name="ci")
    through, direct, command = Registry(gateway.url, key), Registry(mlflow.url), Command(gateway, key)
    through.create(name)
    through.point(name, 1)
    direct.point(name, 2)
    wait_for_sweeps(gateway)
    through.point(name, 3)
    direct.remove(name)
    wait_for_sweeps(gateway)
    through.point(name, 4)

    assert command.story(name) == [
        ("champion", None, "1", "set", "ci"),
        ("champion", "1", "2", "set", "mlflow"),
        ("champion", "2", "3", "set", "ci"),
        ("champion", "3", None, "removed", "mlflow"),
        ("champion", None, "4", "set", "ci"),
    ]
    expected = command.history(f"{name}@champion")["roll_back_to"]
    command.done("rollback", f"{name}@champion", "--yes")
    assert MlflowClient(mlflow.url, mlflow.url).get_model_version_by_alias(name, "champion").version == expected
    assert command.story(name)[-1] == ("champion", "4", expected, "rolled_back", "ci")


def test_nothing_is_missed_over_kill_and_a_lost_replica(serve: Serve, mlflow: MlflowServer, name: str) -> None:
    gateway = serve(mlflow=mlflow.url, env=ENV).wait_ready()
    is_filled(gateway)
    key = gateway.create_key("mlflow:write", name="ci")
    through, direct, command = Registry(gateway.url, key), Registry(mlflow.url), Command(gateway, key)
    through.create(name)
    through.create(f"{name}-gone")
    through.point(name, 1)
    through.point(name, 1, "kept")
    through.point(f"{name}-gone", 1)
    through.point(name, 2)
    gateway.running.kill()

    # As if it had died before the second database had the last change.
    with sqlite3.connect(gateway.data / "hokusai.db") as database:
        database.execute("DELETE FROM alias_changes WHERE sequence = (SELECT max(sequence) FROM alias_changes)")
        where = (name, "champion")
        database.execute("UPDATE aliases_last_seen SET version = 1 WHERE model = ? AND alias = ?", where)
    gateway.start().wait_ready()
    assert command.story(name)[-1] == ("champion", "1", "2", "set", "mlflow")

    gateway.stop()
    for file in gateway.data.glob("replica.db*"):
        file.unlink()
    direct.point(name, 3)
    direct.call("DELETE", "registered-models/delete", name=f"{name}-gone")
    gateway.start().wait_ready()
    is_filled(gateway)

    assert command.story(name) == [
        ("champion", None, "1", "set", "ci"),
        ("kept", None, "1", "set", "ci"),
        ("champion", "1", "2", "set", "mlflow"),
        ("champion", "2", "3", "set", "mlflow"),
    ]
    assert command.story(f"{name}-gone")[-1] == ("champion", "1", None, "model_deleted", "mlflow")


def kept_loads(service: Hokusai, name: str) -> int:
    with sqlite3.connect(f"file:{service.data / 'hokusai.db'}?mode=ro", uri=True) as database:
        return database.execute("SELECT count(*) FROM version_loads WHERE model = ?", (name,)).fetchone()[0]


@pytest.mark.parametrize("is_standalone", [True, False])
def test_who_loaded_which_version_outlives_a_restart(
    serve: Serve, request: pytest.FixtureRequest, name: str, is_standalone: bool
) -> None:
    upstream = None if is_standalone else request.getfixturevalue("mlflow").url
    service = serve(mlflow=upstream, env=ENV).wait_ready()
    writer = service.create_key("mlflow:write", name="ci")
    reader = service.create_key("mlflow:read", name="fleet")
    registry, command = Registry(service.url, writer), Command(service, writer)
    registry.create(name)
    registry.point(name, 2)
    for _ in range(3):
        assert Registry(service.url, reader).champion(name) == "2"
    query = {"name": name, "version": "3"}
    uri = f"{service.url}{API}/model-versions/get-download-uri"
    assert requests.get(uri, query, headers=reader.bearer, timeout=30).ok

    def loads() -> set[tuple[str, str]]:
        return {(row["version"], row["key_name"]) for row in command.history(name)["loads"]}

    assert loads() == {("2", "fleet"), ("3", "fleet")}
    assert "version 2 last loaded by key 'fleet'" in command.done("history", name)
    wait_until("both loads to be kept", lambda: kept_loads(service, name) == 2, 30)
    service.running.kill()
    service.start().wait_ready()
    assert loads() == {("2", "fleet"), ("3", "fleet")}
