"""The copy of MLflow's registry: what it answers while MLflow is away, and what it sees of writes made elsewhere."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator

import pytest
import requests

from support import hokusai
from support.hokusai import QUICK_PROBES, Hokusai
from support.mlflow_server import MlflowServer
from support.process import wait_until

API = "/api/2.0/mlflow"
ENV = QUICK_PROBES | {"HOKUSAI_REPLICA_SWEEP_INTERVAL": "1s"}
Serve = Callable[..., Hokusai]


class Registry:
    """The registry calls of these tests, at hokusai or at MLflow itself."""

    def __init__(self, url: str):
        self.url = url

    def get(self, path: str, **query: str) -> requests.Response:
        return requests.get(f"{self.url}{API}/{path}", params=query, timeout=30)

    def post(self, path: str, **body: str) -> dict:
        answer = requests.post(f"{self.url}{API}/{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def create(self, name: str, versions: int = 2) -> None:
        self.post("registered-models/create", name=name)
        for number in range(versions):
            self.post("model-versions/create", name=name, source=f"s3://replica/{name}/{number}")
        self.point(name, 1)

    def point(self, name: str, version: int) -> None:
        self.post("registered-models/alias", name=name, alias="champion", version=str(version))

    def champion(self, name: str) -> requests.Response:
        return self.get("registered-models/alias", name=name, alias="champion")


@pytest.fixture
def name() -> str:
    return f"replica-{secrets.token_hex(4)}"


@pytest.fixture
def mlflow(real_mlflow: MlflowServer) -> Iterator[MlflowServer]:
    yield real_mlflow
    real_mlflow.restore()


def wait_for_sweeps(gateway: Hokusai, more: int = 1) -> None:
    sweeps = "hokusai_replica_sweeps_total"
    before = gateway.metrics()[sweeps]
    wait_until(f"{more} sweeps", lambda: gateway.metrics()[sweeps] >= before + more, 60)


def test_reads_go_on_while_mlflow_is_down(serve: Serve, mlflow: MlflowServer, name: str) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV).wait_ready()
    through = Registry(gateway.url)
    through.create(name)
    wait_for_sweeps(gateway, 2)
    questions = [
        ("registered-models/alias", {"name": name, "alias": "champion"}),
        ("registered-models/get", {"name": name}),
        ("model-versions/get", {"name": name, "version": "2"}),
        ("model-versions/get-download-uri", {"name": name, "version": "2"}),
        ("model-versions/search", {"filter": f"name='{name}'"}),
        ("registered-models/search", {"filter": f"name LIKE '{name}%'"}),
        ("registered-models/get", {"name": f"{name}-unknown"}),
    ]
    before = [through.get(path, **query) for path, query in questions]
    mlflow.kill()
    wait_until("the breaker to open", lambda: gateway.breaker() == "OPEN", 30)

    after = [through.get(path, **query) for path, query in questions]

    assert [(answer.status_code, answer.json()) for answer in after] == [
        (answer.status_code, answer.json()) for answer in before
    ]
    assert {answer.headers.get("X-Hokusai-Source") for answer in before} == {None}
    assert {answer.headers.get("X-Hokusai-Source") for answer in after} == {"replica"}
    assert all(int(answer.headers["Age"]) >= 0 and int(answer.headers["X-Hokusai-Revision"]) > 0 for answer in after)
    assert gateway.health()["status"] == "degraded"
    refused = requests.post(f"{gateway.url}{API}/registered-models/create", json={"name": "x"}, timeout=30)
    assert refused.status_code == 503
    status = hokusai.run("registry", "status", "--data", str(gateway.data), "--json")
    assert status.returncode == 0, status.stderr
    assert json.loads(status.stdout)


@pytest.mark.parametrize("change", ["alias", "deletion", "rename", "new version"])
def test_write_around_the_gateway_is_seen_within_a_sweep(
    serve: Serve, mlflow: MlflowServer, name: str, change: str
) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV).wait_ready()
    through, direct = Registry(gateway.url), Registry(mlflow.url)
    through.create(name)
    if change == "alias":
        direct.point(name, 2)
    elif change == "deletion":
        requests.delete(f"{mlflow.url}{API}/registered-models/delete", json={"name": name}, timeout=30)
    elif change == "rename":
        direct.post("registered-models/rename", name=name, new_name=f"{name}-new")
    else:
        direct.post("model-versions/create", name=name, source="s3://replica/around")
    # The one under way may have passed the model already.
    wait_for_sweeps(gateway, 2)
    searches = [
        ("registered-models/search", {"filter": f"name LIKE '{name}%'"}),
        ("model-versions/search", {"filter": f"name LIKE '{name}%'"}),
    ]
    expected = [direct.get(path, **query).json() for path, query in searches]
    mlflow.kill()
    wait_until("the breaker to open", lambda: gateway.breaker() == "OPEN", 30)

    assert [through.get(path, **query).json() for path, query in searches] == expected


def test_replica_first_answers_from_memory_and_shows_each_client_its_own_writes(
    serve: Serve, mlflow: MlflowServer, name: str
) -> None:
    env = QUICK_PROBES | {"HOKUSAI_READ_MAX_AGE": "1h", "HOKUSAI_REPLICA_SWEEP_INTERVAL": "1h"}
    gateway = serve(mlflow=mlflow.url, auth="off", env=env).wait_ready()
    wait_until("the copy to be filled", lambda: gateway.metrics()["hokusai_replica_sweeps_total"] >= 1, 60)
    through = Registry(gateway.url)
    through.create(name)
    assert through.champion(name).json()["model_version"]["version"] == "1"

    answer = through.champion(name)
    assert answer.headers["X-Hokusai-Source"] == "replica"
    for version in (2, 1, 2):
        through.point(name, version)
        assert through.champion(name).json()["model_version"]["version"] == str(version)


def test_without_max_age_mlflow_is_asked_each_time(serve: Serve, mlflow: MlflowServer, name: str) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV).wait_ready()
    through, direct = Registry(gateway.url), Registry(mlflow.url)
    through.create(name)
    direct.point(name, 2)

    answer = through.champion(name)

    assert "X-Hokusai-Source" not in answer.headers
    assert answer.json()["model_version"]["version"] == "2"


def test_replica_that_is_off_leaves_the_outage_to_the_client(serve: Serve, mlflow: MlflowServer, name: str) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV | {"HOKUSAI_REPLICA": "off"}).wait_ready()
    through = Registry(gateway.url)
    through.create(name)
    mlflow.kill()

    answer = through.champion(name)

    assert (answer.status_code, answer.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
