"""Without an MLflow server hokusai is the registry: the unmodified client finds everything it needs of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import mlflow
import pytest
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from support import registry_checker
from support.hokusai import Hokusai, Key

pytestmark = pytest.mark.timeout(120)
SOURCE = "s3://bucket/model"


@pytest.fixture(scope="module")
def registry(serve_module: Callable[..., Hokusai]) -> Hokusai:
    return serve_module().wait_ready()


@pytest.fixture(scope="module")
def writer(registry: Hokusai) -> Key:
    return registry.create_key("mlflow:write")


@pytest.fixture
def client(registry: Hokusai, writer: Key, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", writer.secret)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    # Set by set_registry_uri() too, which never takes it back.
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", registry.url)
    mlflow.set_tracking_uri(registry.url)
    mlflow.set_registry_uri(registry.url)
    yield MlflowClient()
    mlflow.set_registry_uri(None)


def error_code(call: Callable[[], object]) -> str:
    with pytest.raises(MlflowException) as caught:
        call()
    return caught.value.error_code


def test_the_life_of_a_model(client: MlflowClient) -> None:
    created = client.create_registered_model("churn", tags={"team": "growth"}, description="who leaves")
    first = client.create_model_version("churn", f"{SOURCE}/1", tags={"validated": "yes"}, description="the first")
    second = client.create_model_version("churn", f"{SOURCE}/2", run_id="0" * 32)
    client.set_registered_model_alias("churn", "champion", "1")
    client.set_registered_model_alias("churn", "challenger", "2")
    client.set_registered_model_tag("churn", "owner", "ann")
    client.set_model_version_tag("churn", "2", "validated", "no")

    assert (created.name, created.description, created.tags) == ("churn", "who leaves", {"team": "growth"})
    assert (first.version, second.version, second.run_id) == ("1", "2", "0" * 32)
    model = client.get_registered_model("churn")
    assert model.aliases == {"champion": "1", "challenger": "2"}
    assert model.tags == {"team": "growth", "owner": "ann"}
    assert [version.version for version in model.latest_versions] == ["2"]
    champion = client.get_model_version_by_alias("churn", "champion")
    assert (champion.version, champion.tags, champion.aliases) == ("1", {"validated": "yes"}, ["champion"])
    assert client.get_model_version_by_alias("churn", "latest").version == "2"
    assert client.get_model_version_download_uri("churn", "1") == f"{SOURCE}/1"

    client.update_registered_model("churn", "who left")
    client.update_model_version("churn", "1", "the very first")
    client.delete_registered_model_tag("churn", "owner")
    client.delete_model_version_tag("churn", "2", "validated")
    client.delete_registered_model_alias("churn", "challenger")
    client.rename_registered_model("churn", "leavers")

    model = client.get_registered_model("leavers")
    assert (model.description, model.tags, model.aliases) == ("who left", {"team": "growth"}, {"champion": "1"})
    assert client.get_model_version("leavers", "1").description == "the very first"
    assert client.get_model_version("leavers", "2").tags == {}
    assert error_code(lambda: client.get_registered_model("churn")) == "RESOURCE_DOES_NOT_EXIST"

    client.delete_model_version("leavers", "2")
    assert client.create_model_version("leavers", SOURCE).version == "3", "a number is given out once"
    client.delete_registered_model("leavers")
    client.create_registered_model("leavers")
    assert client.create_model_version("leavers", SOURCE).version == "1", "a new model starts anew"


@pytest.mark.filterwarnings("ignore")
def test_stages(client: MlflowClient) -> None:
    client.create_registered_model("staged")
    for _ in range(3):
        client.create_model_version("staged", SOURCE)
    client.transition_model_version_stage("staged", "1", "Production")
    client.transition_model_version_stage("staged", "2", "production", archive_existing_versions=True)

    latest = {version.current_stage: version.version for version in client.get_latest_versions("staged")}

    assert latest == {"None": "3", "Production": "2", "Archived": "1"}
    assert [version.version for version in client.get_latest_versions("staged", ["Production"])] == ["2"]


def test_a_version_of_another_version(client: MlflowClient) -> None:
    client.create_registered_model("original")
    client.create_registered_model("copy")
    client.create_model_version("original", f"{SOURCE}/original")

    copied = client.copy_model_version("models:/original/1", "copy")

    assert copied.source == "models:/original/1"
    assert client.get_model_version_download_uri("copy", copied.version) == f"{SOURCE}/original"


def test_searches_with_filters_orders_and_pages(client: MlflowClient) -> None:
    for number in range(7):
        name = f"page-{number}"
        client.create_registered_model(name, tags={"parity": "even" if number % 2 == 0 else "odd"})
        client.create_model_version(name, f"{SOURCE}/{number}", run_id=f"{number:032}", tags={"n": str(number)})

    def names(found: list) -> list[str]:
        return [one.name for one in found]

    pages, token = [], None
    while token != "":
        found = client.search_registered_models("name LIKE 'page-%'", 3, ["name DESC"], token)
        pages.append(names(found))
        token = found.token or ""
    assert pages == [["page-6", "page-5", "page-4"], ["page-3", "page-2", "page-1"], ["page-0"]]

    odd = client.search_registered_models("name ILIKE 'PAGE-%' AND tags.parity = 'odd'")
    assert names(odd) == ["page-1", "page-3", "page-5"]
    assert names(client.search_model_versions(f"run_id = '{3:032}'")) == ["page-3"]
    assert names(client.search_model_versions("tags.n = '4'")) == ["page-4"]
    assert names(client.search_model_versions(f"source_path = '{SOURCE}/5'")) == ["page-5"]
    assert names(client.search_model_versions("name IN ('page-1', 'page-2')", order_by=["name ASC"])) == [
        "page-1",
        "page-2",
    ]
    assert error_code(lambda: client.search_registered_models("colour = 'x'")) == "INVALID_PARAMETER_VALUE"
    assert error_code(lambda: client.search_registered_models(page_token="none")) == "INVALID_PARAMETER_VALUE"


def test_prompts_are_kept_apart_from_models(client: MlflowClient) -> None:
    client.create_registered_model("a model beside prompts")
    registered = client.register_prompt("greeting", "Hello {{ name }}", commit_message="polite")
    client.set_prompt_alias("greeting", "production", registered.version)

    assert client.load_prompt("prompts:/greeting@production").template == "Hello {{ name }}"
    assert [prompt.name for prompt in client.search_prompts()] == ["greeting"]
    assert "greeting" not in [model.name for model in client.search_registered_models()]
    assert error_code(lambda: client.create_registered_model("greeting")) == "RESOURCE_ALREADY_EXISTS"


def test_errors_are_the_ones_the_client_knows(client: MlflowClient) -> None:
    client.create_registered_model("taken")

    assert error_code(lambda: client.create_registered_model("taken")) == "RESOURCE_ALREADY_EXISTS"
    assert error_code(lambda: client.create_registered_model("a/b")) == "INVALID_PARAMETER_VALUE"
    assert error_code(lambda: client.create_model_version("none", SOURCE)) == "RESOURCE_DOES_NOT_EXIST"
    assert error_code(lambda: client.create_model_version("taken", "/etc")) == "INVALID_PARAMETER_VALUE"
    assert error_code(lambda: client.get_model_version("taken", "1")) == "RESOURCE_DOES_NOT_EXIST"
    assert error_code(lambda: client.get_model_version_by_alias("taken", "none")) == "INVALID_PARAMETER_VALUE"
    assert error_code(lambda: client.set_registered_model_alias("taken", "latest", "1")) == "INVALID_PARAMETER_VALUE"
    assert error_code(lambda: client.rename_registered_model("none", "x")) == "RESOURCE_DOES_NOT_EXIST"
    assert error_code(lambda: client.delete_registered_model("none")) == "RESOURCE_DOES_NOT_EXIST"


def test_what_needs_mlflow_says_which_setting_is_missing(client: MlflowClient) -> None:
    for call in (
        lambda: client.search_experiments(),
        lambda: client.create_experiment("e"),
        lambda: client.get_run("0" * 32),
        lambda: client.search_runs(["0"]),
    ):
        with pytest.raises(MlflowException, match="MLFLOW_SERVER_URL") as caught:
            call()
        assert caught.value.error_code == "NOT_IMPLEMENTED"


@pytest.mark.parametrize("prefix", ["", "/mlflow", "/api/mlflow"])
def test_server_info_and_version(registry: Hokusai, writer: Key, prefix: str) -> None:
    info = registry.get(f"{prefix}/api/3.0/mlflow/server-info", headers=writer.bearer)

    assert info.status_code == 200
    assert info.json()["workspaces_enabled"] is False
    assert registry.get("/version").status_code == 200


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api", "/mlflow/api", "/mlflow/ajax-api", "/api/mlflow/api"])
def test_every_prefix_of_mlflow(registry: Hokusai, writer: Key, prefix: str) -> None:
    answer = registry.get(f"{prefix}/2.0/mlflow/registered-models/search?max_results=1", headers=writer.bearer)

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")


def test_scopes(registry: Hokusai, writer: Key) -> None:
    reader = registry.create_key("mlflow:read")

    def create(headers: dict[str, str]) -> requests.Response:
        url = f"{registry.url}/api/2.0/mlflow/registered-models/create"
        return requests.post(url, json={"name": "scoped"}, headers=headers, timeout=10)

    assert create({}).status_code == 401
    assert create(reader.bearer).status_code == 403
    assert create(writer.bearer).status_code == 200
    seen = registry.get("/api/2.0/mlflow/registered-models/get?name=scoped", headers=reader.bearer)
    assert seen.status_code == 200


def test_health_needs_no_mlflow(registry: Hokusai) -> None:
    assert registry.health()["status"] == "healthy"
    assert registry.get("/ready").json()["ready"] is True
    assert registry.get("/health/mlflow").status_code == 200


def test_a_restart_keeps_everything(serve: Callable[..., Hokusai], monkeypatch: pytest.MonkeyPatch) -> None:
    hokusai = serve(auth="off").wait_ready()
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
    client = MlflowClient(hokusai.url, hokusai.url)
    for name in ("kept", "kept too"):
        client.create_registered_model(name, tags={"a": "b"})
        client.create_model_version(name, SOURCE, tags={"c": "d"})
        client.create_model_version(name, SOURCE)
        client.set_registered_model_alias(name, "champion", "1")
    client.delete_model_version("kept", "2")
    before = registry_checker.read(hokusai.url)

    hokusai.stop()
    hokusai.start().wait_ready()

    assert registry_checker.compare(before, registry_checker.read(hokusai.url)) == []
    assert client.create_model_version("kept", SOURCE).version == "3"
