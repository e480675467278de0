"""Our own API of models: every answer from recorded facts, and no registration that was accepted gets lost."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import requests
from mlflow import MlflowClient
from mlflow.data.http_dataset_source import HTTPDatasetSource
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import DatasetInput

from support.hokusai import QUICK_PROBES, Hokusai, Key
from support.mlflow_server import MlflowServer
from support.process import wait_until

pytestmark = pytest.mark.timeout(600)
ADDRESS = "0x52908400098527886E0F7030069857D2E4169EE7"


@dataclass
class Api:
    """A client of /models, below any of its prefixes."""

    hokusai: Hokusai
    key: Key
    prefix: str = ""

    def ask(self, method: str, path: str, body: object = None, **options: object) -> requests.Response:
        url = f"{self.hokusai.url}{self.prefix}/models{path}"
        headers = self.key.bearer | options.pop("headers", {})
        return requests.request(method, url, json=body, headers=headers, timeout=60, **options)

    def get(self, path: str, **options: object) -> dict:
        answer = self.ask("GET", path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def register(self, name: str, metadata: dict | None = None, key: str | None = None) -> requests.Response:
        body = {"model_name": name, "model_type": "classification", "model_data": {"weights": [1, 2.5, "ä"]}}
        body |= {"metadata": metadata} if metadata is not None else {}
        return self.ask("POST", "/register", body, headers={"Idempotency-Key": key} if key else {})

    def registration(self, registration_id: str) -> dict:
        return self.get(f"/registrations/{registration_id}")


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:8]}"


def events(hokusai: Hokusai) -> list[tuple]:
    with sqlite3.connect(f"file:{hokusai.data}/hokusai.db?mode=ro", uri=True) as database:
        return database.execute("SELECT id, type, model, version, payload FROM events ORDER BY sequence").fetchall()


def kill(hokusai: Hokusai) -> None:
    os.kill(hokusai.pid, signal.SIGKILL)
    hokusai.stop()


@pytest.fixture(scope="module")
def gateway(serve_module: Callable[..., Hokusai], mlflow_session: MlflowServer) -> Hokusai:
    return serve_module(mlflow=mlflow_session.url, env=QUICK_PROBES).wait_ready()


@pytest.fixture(scope="module")
def standalone(serve_module: Callable[..., Hokusai]) -> Hokusai:
    return serve_module().wait_ready()


@pytest.fixture(scope="module")
def api(gateway: Hokusai) -> Api:
    return Api(gateway, gateway.create_key("model:write"))


@pytest.fixture(scope="module")
def native(standalone: Hokusai) -> Api:
    return Api(standalone, standalone.create_key("model:write"))


@pytest.fixture
def client(real_mlflow: MlflowServer) -> Iterator[MlflowClient]:
    yield MlflowClient(real_mlflow.url, real_mlflow.url)


@dataclass
class Recorded:
    """A model with two versions, whose runs recorded something."""

    name: str
    runs: list[str]


@pytest.fixture
def recorded(client: MlflowClient) -> Recorded:
    name = unique("recorded")
    client.create_registered_model(name)
    runs = []
    for version, accuracy in ((1, 0.75), (2, 0.875)):
        run = client.create_run("0")
        client.log_metric(run.info.run_id, "accuracy", accuracy)
        client.log_metric(run.info.run_id, "train_loss", 0.5 / version)
        client.log_metric(run.info.run_id, "val_accuracy", accuracy - 0.125)
        client.log_param(run.info.run_id, "is_baseline", str(version == 1))
        if version == 2:
            client.log_param(run.info.run_id, "contributor_address", ADDRESS)
            client.log_param(run.info.run_id, "baseline_model_id", f"{name}/1")
            dataset = MetaDataset(HTTPDatasetSource("https://data.example/2026"), name="sales", digest="d1")
            client.log_inputs(run.info.run_id, [DatasetInput(dataset._to_mlflow_entity())])
        client.set_terminated(run.info.run_id)
        client.create_model_version(name, f"s3://bucket/{version}", run.info.run_id)
        runs.append(run.info.run_id)
    return Recorded(name, runs)


class TestRegistering:
    def test_a_registration_is_a_version_with_a_run(self, api: Api, client: MlflowClient) -> None:
        name = unique("fraud")
        answer = api.register(name, {"dataset": "2026-02", "rows": 12, "contributor_address": ADDRESS})

        assert answer.status_code == 201, answer.text
        body = answer.json()
        assert body["model_id"] == f"{name}/1"
        assert (body["model_name"], body["version"], body["status"]) == (name, "1", "registered")
        assert body["mlflow_sync"] == "synced"
        assert body["registration_timestamp"][-1].isdigit()
        assert api.registration(body["registration_id"]) == body | {"error": None}

        version = client.get_model_version(name, "1")
        assert version.tags["model_type"] == "classification"
        assert version.tags["hokusai.registration_id"] == body["registration_id"]
        run = client.get_run(version.run_id)
        assert run.info.status == "FINISHED"
        assert run.data.params == {
            "model_type": "classification",
            "is_baseline": "True",
            "registration_time": body["registration_timestamp"],
            "metadata_dataset": "2026-02",
            "metadata_rows": "12",
            "metadata_contributor_address": ADDRESS,
            "contributor_address": ADDRESS,
        }
        assert version.source == f"{run.info.artifact_uri}/model"
        assert [one.path for one in client.list_artifacts(run.info.run_id, "model")] == ["model/model_data.json"]

    def test_its_event_is_there_with_it(self, api: Api) -> None:
        name = unique("event")
        body = api.register(name).json()

        mine = [one for one in events(api.hokusai) if one[2] == name]
        assert len(mine) == 1
        event_id, kind, _, version, payload = mine[0]
        assert event_id == str(uuid.uuid5(uuid.UUID(body["registration_id"]), "model_registered"))
        assert (kind, version) == ("model_registered", 1)
        assert json.loads(payload)["model_id"] == f"{name}/1"

    def test_without_mlflow_the_registry_here_has_it(self, native: Api) -> None:
        name = unique("native")
        body = native.register(name).json()
        assert (body["version"], body["status"], body["mlflow_sync"]) == ("1", "registered", "disabled")
        assert native.register(name).json()["version"] == "2"
        assert native.get(f"/{name}/1")["run_id"] is None
        assert [one[3] for one in events(native.hokusai) if one[2] == name] == [1, 2]

    def test_the_same_key_is_the_same_registration(self, api: Api, native: Api) -> None:
        for one in (api, native):
            name, key = unique("keyed"), uuid.uuid4().hex
            first = one.register(name, {"a": 1}, key=key)
            assert one.register(name, {"a": 1}, key=key).json() == first.json()
            other = one.register(name, {"a": 2}, key=key)
            assert (other.status_code, other.json()["errors"][0]["loc"]) == (422, ["header", "Idempotency-Key"])
            assert len(one.get(f"/?name={name}")["models"]) == 1

    def test_the_same_key_at_once_is_one_registration(self, api: Api) -> None:
        name, key = unique("at-once"), uuid.uuid4().hex
        with ThreadPoolExecutor(8) as pool:
            ids = {one.json()["registration_id"] for one in pool.map(lambda _: api.register(name, key=key), range(8))}
        assert len(ids) == 1
        assert len(api.get(f"?name={name}")["models"]) == 1

    def test_model_data_comes_back(self, api: Api, native: Api, client: MlflowClient) -> None:
        for one in (api, native):
            name = unique("data")
            one.register(name)
            answer = one.ask("GET", f"/{name}/1/download")
            assert answer.json() == {"weights": [1, 2.5, "ä"]}
            assert answer.headers["Content-Disposition"].startswith("attachment")
        name = unique("elsewhere")
        client.create_registered_model(name)
        client.create_model_version(name, "s3://bucket/x")
        answer = api.ask("GET", f"/{name}/1/download")
        assert answer.status_code == 404
        assert answer.json()["detail"] == (
            f"Model {name}:1 was not registered here; its artifacts are at s3://bucket/x"
        )

    @pytest.mark.parametrize(
        ("change", "place"),
        [
            ({"model_name": None}, ["body", "model_name"]),
            ({"model_name": "a/b"}, ["body", "model_name"]),
            ({"model_name": "a\0b"}, ["body", "model_name"]),
            ({"model_name": "x" * 257}, ["body", "model_name"]),
            ({"model_type": "other"}, ["body", "model_type"]),
            ({"model_data": "text"}, ["body", "model_data"]),
            ({"metadata": []}, ["body", "metadata"]),
            ({"metadata": {"k/../k": 1}}, ["body", "metadata", "k/../k"]),
            ({"metadata": {"k": "x" * 6001}}, ["body", "metadata", "k"]),
        ],
    )
    def test_what_mlflow_could_not_hold_is_refused(self, api: Api, change: dict, place: list[str]) -> None:
        body = {"model_name": "m", "model_type": "ranking", "model_data": {}} | change
        answer = api.ask("POST", "/register", body)
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
        assert answer.json()["errors"][0]["loc"] == place

    @pytest.mark.parametrize(
        ("content_type", "body", "status"),
        [
            ("text/plain", b"{}", 415),
            ("application/json", b"", 422),
            ("application/json", b"[]", 422),
            ("application/json", b'{"a":\xff}', 422),
            ("application/json", b'{"model_name":"a","model_name":"b","model_type":"ranking","model_data":{}}', 422),
            ("application/json", b'{"model_name":"a","model_type":"ranking","model_data":{"n":1e999}}', 422),
            ("application/json", b"[" * 100_000, 422),
            ("application/json", b'{"a":"' + b"x" * 1024 * 1024 + b'"}', 413),
        ],
    )
    def test_a_body_that_is_no_registration(self, api: Api, content_type: str, body: bytes, status: int) -> None:
        answer = requests.post(
            f"{api.hokusai.url}/models/register",
            data=body,
            headers=api.key.bearer | {"Content-Type": content_type},
            timeout=30,
        )
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")


class TestVersions:
    def test_every_prefix_answers_alike(self, api: Api, recorded: Recorded) -> None:
        for prefix in ("", "/api", "/api/v1"):
            one = Api(api.hokusai, api.key, prefix)
            for path in ("", "/"):
                found = one.get(f"{path}?name={recorded.name}")["models"]
                assert [(model["name"], model["version"], model["status"]) for model in found] == [
                    (recorded.name, "1", "READY"),
                    (recorded.name, "2", "READY"),
                ]

    def test_lists_come_in_pages(self, api: Api, recorded: Recorded) -> None:
        first = api.get(f"?name={recorded.name}&max_results=1")
        second = api.get(f"?name={recorded.name}&max_results=1&page_token={first['next_page_token']}")
        assert [one["models"][0]["version"] for one in (first, second)] == ["1", "2"]
        assert "next_page_token" not in second
        for wrong in (
            "max_results=0",
            "max_results=1001",
            "max_results=x",
            "name=%ff",
            "name=a&name=b",
        ):
            answer = api.ask("GET", f"?{wrong}")
            assert (answer.status_code, answer.json()["errors"][0]["loc"][0]) == (422, "query")
        assert api.ask("GET", "?page_token=nonsense").status_code == 404

    @pytest.mark.parametrize("where", ["mlflow", "native"])
    def test_the_life_of_a_version(self, where: str, api: Api, native: Api) -> None:
        one = api if where == "mlflow" else native
        name = unique("it's alive")
        path = f"/{requests.utils.quote(name)}/1"
        one.register(name)

        changed = one.ask("PATCH", path, {"description": "better", "tags": {"team": "risk"}})
        assert changed.json() == {"message": "Model updated successfully"}
        moved = one.ask("POST", f"{path}/transition", {})
        assert moved.json() == {"message": f"Model {name}:1 transitioned to Production"}
        shown = one.get(path)
        assert (shown["description"], shown["stage"], shown["aliases"]) == ("better", "Production", [])
        assert shown["tags"]["team"] == "risk"
        production = [model for model in one.get("/production")["models"] if model["model_name"] == name]
        assert [(model["version"], model["stage"]) for model in production] == [("1", "Production")]

        archived = one.ask("POST", f"{path}/transition", {"stage": "archived"})
        assert archived.json() == {"message": f"Model {name}:1 transitioned to Archived"}
        gone = one.ask("DELETE", path)
        assert gone.json() == {"message": f"Model {name}:1 deleted successfully"}
        for method, body in (("GET", None), ("DELETE", None), ("PATCH", {}), ("PATCH", {"description": "x"})):
            answer = one.ask(method, path, body)
            assert (answer.status_code, answer.json()["detail"]) == (404, f"Model not found: {name}:1")

    def test_an_alias_puts_a_version_into_production(self, api: Api, client: MlflowClient, recorded: Recorded) -> None:
        client.set_registered_model_alias(recorded.name, "champion", "2")
        assert api.get(f"/{recorded.name}/2")["aliases"] == ["champion"]
        production = [one for one in api.get("/production")["models"] if one["model_name"] == recorded.name]
        assert [(one["version"], one["stage"]) for one in production] == [("2", "None")]

    def test_a_batch_tells_each_outcome(self, api: Api, recorded: Recorded) -> None:
        operations = [
            {"action": "update", "model": f"{recorded.name}:1", "tags": {"a": "b"}},
            {"action": "transition", "model": f"{recorded.name}:2", "stage": "Staging"},
            {"action": "delete", "model": f"{recorded.name}:9"},
            {"action": "delete", "model": f"{recorded.name}:1"},
        ]
        results = api.ask("POST", "/batch", {"operations": operations}).json()["results"]
        assert [(one["action"], one["status"]) for one in results] == [
            ("update", "success"),
            ("transition", "success"),
            ("delete", "error"),
            ("delete", "success"),
        ]
        assert results[2]["detail"] == f"Model not found: {recorded.name}:9"
        assert [one["version"] for one in api.get(f"?name={recorded.name}")["models"]] == ["2"]
        for wrong in ([], [{}], [{"action": "explode", "model": "a:1"}], [{"action": "delete", "model": "a"}], [1]):
            assert api.ask("POST", "/batch", {"operations": wrong}).status_code == 422
        too_many = [{"action": "delete", "model": "a:1"}] * 101
        assert api.ask("POST", "/batch", {"operations": too_many}).status_code == 422

    @pytest.mark.parametrize(
        ("path", "status"),
        [
            ("/nobody/1", 404),
            ("/nobody/01", 404),
            ("/nobody/0", 404),
            ("/nobody/99999999999999999999", 404),
            ("/nobody/4294967296", 404),
            ("/%00/1", 404),
            ("/%ff/1", 404),
            ("/a%2Fb/1", 404),
            ("/nobody/lineage", 404),
            ("/nobody/1/metrics", 404),
            ("/nobody/1/predictions", 404),
            ("/one", 404),
            ("/a/1/b/c", 404),
            ("/registrations/unknown", 404),
            ("/compare?model1=a:1", 422),
            ("/compare?model1=a&model2=b:1", 400),
            ("/compare?model1=a:1&model2=b:1:2", 400),
            ("/contributors/0x1/impact", 400),
        ],
    )
    def test_what_is_not_there(self, api: Api, path: str, status: int) -> None:
        answer = api.ask("GET", path)
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json"), path
        assert answer.json()["detail"]

    def test_methods_and_scopes(self, api: Api, gateway: Hokusai) -> None:
        for method, path, allow in (
            ("PUT", "/register", "POST"),
            ("GET", "/batch", "POST"),
            ("POST", "/a/1", "GET, HEAD, PATCH, DELETE"),
            ("OPTIONS", "/production", "GET, HEAD"),
            ("BREW", "/a/1/metrics", "GET, HEAD"),
        ):
            answer = api.ask(method, path)
            assert (answer.status_code, answer.headers["Allow"]) == (405, allow)
        reader = Api(gateway, gateway.create_key("model:read"))
        assert reader.ask("GET", "/production").status_code == 200
        assert reader.register("m").status_code == 403
        assert Api(gateway, gateway.create_key("mlflow:write")).ask("GET", "").status_code == 403
        assert requests.get(f"{gateway.url}/api/models", timeout=10).status_code == 401


class TestRecordedFacts:
    def test_two_versions_compared(self, api: Api, recorded: Recorded) -> None:
        compared = api.get(f"/compare?model1={recorded.name}:1&model2={recorded.name}:2")
        assert compared["model1"]["accuracy"] == 0.75
        assert compared["model2"]["metrics"]["val_accuracy"] == 0.75
        assert compared["delta"] == {"accuracy": 0.125, "train_loss": -0.25, "val_accuracy": 0.125}
        assert (compared["recommendation"], compared["missing"]) == ("Use version 2", [])

    def test_nothing_is_made_up(self, api: Api) -> None:
        name = unique("silent")
        api.register(name)
        compared = api.get(f"/compare?model1={name}:1&model2={name}:1")
        assert compared["delta"] == {"accuracy": None}
        assert (compared["recommendation"], compared["missing"]) == (None, ["model1.accuracy", "model2.accuracy"])
        metrics = api.get(f"/{name}/1/metrics")
        assert metrics["production_metrics"] == {"latency_ms": None, "throughput_rps": None}
        assert metrics["training_metrics"] == {"loss": None, "accuracy": None}

    def test_an_evaluation_shows_what_was_recorded(self, api: Api, recorded: Recorded) -> None:
        asked = {"model_name": recorded.name, "model_version": "2"}
        answer = api.ask("POST", "/evaluate", asked).json()
        assert answer["results"] == {"accuracy": 0.875, "precision": None, "recall": None, "f1_score": None}
        assert answer["missing"] == ["precision", "recall", "f1_score"]
        assert (answer["model"], answer["source"]) == (f"{recorded.name}:2", "recorded run metrics")
        chosen = api.ask("POST", "/evaluate", asked | {"metrics": ["train_loss"], "dataset_path": None}).json()
        assert chosen["results"] == {"train_loss": 0.25}
        assert api.ask("POST", "/evaluate", asked | {"model_version": 2}).status_code == 422

    def test_metrics_by_phase(self, api: Api, recorded: Recorded) -> None:
        metrics = api.get(f"/{recorded.name}/2/metrics")
        assert metrics["training_metrics"] == {"loss": 0.25, "accuracy": None}
        assert metrics["validation_metrics"] == {"accuracy": 0.75, "loss": None}
        assert metrics["metrics"] == {"accuracy": 0.875, "train_loss": 0.25, "val_accuracy": 0.75}
        assert "training_metrics.accuracy" in metrics["missing"]
        assert metrics["as_of"]

    def test_lineage(self, api: Api, recorded: Recorded) -> None:
        line = api.get(f"/{recorded.name}/lineage")
        assert (line["model_id"], line["total_versions"], line["latest_version"]) == (recorded.name, 2, "2")
        first, second = line["lineage"]
        assert (first["version"], first["is_baseline"], first["run_id"]) == ("1", True, recorded.runs[0])
        assert (second["contributor"], second["baseline_id"]) == (ADDRESS, f"{recorded.name}/1")
        assert second["cumulative_improvement"] == {
            "accuracy_improvement": 0.125,
            "val_accuracy_improvement": 0.125,
            "total_improvements": 1,
        }
        version = api.get(f"/{recorded.name}/2/lineage")
        assert version["parents"] == [f"{recorded.name}/1"]
        assert version["experiments"] == ["0"]
        assert [(one["name"], one["digest"]) for one in version["training_data"]] == [("sales", "d1")]
        assert api.get(f"/{recorded.name}/1/lineage")["missing"] == ["training_data"]

    def test_a_contributors_impact(self, api: Api, recorded: Recorded) -> None:
        impact = api.get(f"/contributors/{ADDRESS.lower()}/impact")
        mine = [one for one in impact["contributions"] if one["model"] == recorded.name]
        assert [(one["version"], one["baseline_id"], one["score"]) for one in mine] == [
            ("2", f"{recorded.name}/1", 0.125)
        ]
        assert mine[0]["improvements"] == {"accuracy": 0.125, "train_loss": -0.25, "val_accuracy": 0.125}
        assert impact["total_models_improved"] >= 1
        assert impact["first_contribution"] <= impact["last_contribution"]
        nobody = api.get(f"/contributors/0x{'0' * 40}/impact")
        assert (nobody["total_models_improved"], nobody["total_improvement_score"]) == (0, 0.0)
        assert (nobody["contributions"], nobody["first_contribution"]) == ([], None)


@dataclass
class Outage:
    """A gateway of its own before an MLflow that can be taken away."""

    hokusai: Hokusai
    api: Api
    mlflow: MlflowServer

    def begin(self) -> None:
        self.mlflow.kill()
        wait_until("the breaker to open", lambda: self.hokusai.breaker() == "OPEN", 30)

    def end(self) -> None:
        self.mlflow.restore()
        wait_until("the breaker to close", lambda: self.hokusai.breaker() == "CLOSED", 120)

    def await_settled(self, registration_id: str) -> dict:
        return wait_until(
            "the registration to be settled",
            lambda: (state := self.api.registration(registration_id))["mlflow_sync"] != "pending" and state,
            60,
        )


@pytest.fixture
def outage(serve: Callable[..., Hokusai], real_mlflow: MlflowServer) -> Outage:
    env = QUICK_PROBES | {
        "HOKUSAI_HEALTH_DEADLINE": "2s",
        "MLFLOW_CB_RECOVERY_TIMEOUT": "1",
        "HOKUSAI_REPLICA_SWEEP_INTERVAL": "1s",
    }
    hokusai = serve(mlflow=real_mlflow.url, env=env).wait_ready()
    return Outage(hokusai, Api(hokusai, hokusai.create_key("model:write")), real_mlflow)


class TestWhileMlflowIsAway:
    def test_registrations_are_kept_and_applied_in_order(self, outage: Outage, client: MlflowClient) -> None:
        name = unique("away")
        outage.begin()
        answers = [outage.api.register(name, {"number": number}) for number in range(3)]
        assert [one.status_code for one in answers] == [201] * 3
        bodies = [one.json() for one in answers]
        assert all(body["version"] is None and body["model_id"] is None for body in bodies)
        assert {body["mlflow_sync"] for body in bodies} == {"pending"}
        assert events(outage.hokusai) == []

        outage.end()
        settled = [outage.await_settled(body["registration_id"]) for body in bodies]
        assert [one["version"] for one in settled] == ["1", "2", "3"]
        params = [client.get_run(client.get_model_version(name, str(n)).run_id).data.params for n in (1, 2, 3)]
        assert [one["metadata_number"] for one in params] == ["0", "1", "2"]
        assert [(one[2], one[3]) for one in events(outage.hokusai)] == [(name, 1), (name, 2), (name, 3)]

    def test_a_kill_between_promise_and_version(self, outage: Outage, client: MlflowClient) -> None:
        name = unique("killed")
        outage.begin()
        promised = [outage.api.register(name).json()["registration_id"] for _ in range(2)]
        kill(outage.hokusai)
        outage.hokusai.start()
        assert {outage.api.registration(one)["mlflow_sync"] for one in promised} == {"pending"}
        outage.end()
        assert [outage.await_settled(one)["version"] for one in promised] == ["1", "2"]
        assert len(client.search_model_versions(f"name = '{name}'")) == 2
        assert [one[3] for one in events(outage.hokusai)] == [1, 2]

    def test_kills_in_the_middle_of_applying(self, outage: Outage, client: MlflowClient) -> None:
        """Whatever step is interrupted: one version, one run, one event for each registration."""
        name = unique("interrupted")
        promised: list[str] = []
        over = threading.Event()

        def work() -> None:
            while not over.is_set():
                try:
                    key = uuid.uuid4().hex
                    answer = outage.api.register(name, key=key)
                    promised.extend([answer.json()["registration_id"]] if answer.status_code == 201 else [])
                except requests.RequestException:
                    over.wait(0.05)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(4):
            reached = len(promised) + 3
            wait_until("some registrations", lambda reached=reached: len(promised) >= reached, 60)
            kill(outage.hokusai)
            outage.hokusai.start()
        over.set()
        for thread in threads:
            thread.join()
        versions = [outage.await_settled(one)["version"] for one in promised]
        assert len(set(versions)) == len(promised)
        found = client.search_model_versions(f"name = '{name}'", max_results=1000)
        tags = [one.tags["hokusai.registration_id"] for one in found]
        assert len(tags) == len(set(tags))
        assert set(promised) <= set(tags)
        for one in found:
            tag = one.tags["hokusai.registration_id"]
            assert len(client.search_runs(["0"], f"tags.`hokusai.registration_id` = '{tag}'")) == 1
        wait_until("every event", lambda: len(events(outage.hokusai)) == len(found), 60)
        assert sorted(one[3] for one in events(outage.hokusai)) == sorted(int(one.version) for one in found)

    def test_facts_are_shown_with_their_age(self, outage: Outage, recorded: Recorded) -> None:
        before = outage.api.get(f"/{recorded.name}/2/metrics")
        outage.api.get(f"/{recorded.name}/lineage")
        sweeps = "hokusai_replica_sweeps_total"
        goal = outage.hokusai.metrics().get(sweeps, 0) + 2
        wait_until("two sweeps", lambda: outage.hokusai.metrics().get(sweeps, 0) >= goal, 60)
        outage.begin()
        answer = outage.api.ask("GET", f"/{recorded.name}/2/metrics")
        assert answer.status_code == 200, answer.text
        assert answer.json() == before
        assert int(answer.headers["Age"]) >= 0
        assert answer.headers["X-Hokusai-Source"] == "replica"
        compared = outage.api.get(f"/compare?model1={recorded.name}:1&model2={recorded.name}:2")
        assert compared["delta"]["accuracy"] == 0.125
        assert outage.api.get(f"/{recorded.name}/lineage")["total_versions"] == 2

        refused = outage.api.ask("PATCH", f"/{recorded.name}/2", {"description": "x"})
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.headers["Content-Type"] == "application/problem+json"
