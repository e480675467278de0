"""The description of our own API: is it valid, and does it tell the truth?"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from support.hokusai import QUICK_PROBES, Hokusai, Key
from support.mlflow_server import MlflowServer
from support.process import free_port, wait_until

METHODS = ("get", "post", "put", "patch", "delete")
# For whatever has a name in a path: what nobody registered.
NOBODY = {"name": "nobody", "version": "1", "registration_id": "0f8fad5b-d9cb-469f-a165-70867728950e"}
NOBODY["address"] = "0x" + "0" * 40


@pytest.fixture(scope="module")
def standalone(serve_module: Callable[..., Hokusai]) -> Hokusai:
    return serve_module().wait_ready()


@pytest.fixture(scope="module")
def document(standalone: Hokusai) -> dict:
    return standalone.get("/openapi.json").json()


def operations(document: dict) -> Iterator[tuple[str, str, str, dict]]:
    """Server, path, method and operation of everything that is described."""
    for path, item in document["paths"].items():
        for server in item.get("servers", document["servers"]):
            for method in METHODS:
                if method in item:
                    yield server["url"].rstrip("/"), path, method, item[method]


def test_is_valid_openapi_3_1(document: dict) -> None:
    validate(document)

    assert document["openapi"].startswith("3.1.")
    names = [operation["operationId"] for server, _, _, operation in operations(document) if server == ""]
    assert len(names) == len(set(names))


def test_examples_fit_their_schemas(document: dict) -> None:
    def check(place: dict) -> int:
        schema = place.get("schema", place)
        examples = [*place.get("examples", []), *([place["example"]] if "example" in place else [])]
        for example in examples:
            whole = {"$ref": "#/schema", "schema": schema, "components": document["components"]}
            Draft202012Validator(whole).validate(example)
        return len(examples)

    def walk(place: object) -> int:
        if isinstance(place, list):
            return sum(walk(each) for each in place)
        if not isinstance(place, dict):
            return 0
        own = check(place) if "schema" in place or "type" in place else 0
        return own + sum(walk(each) for name, each in place.items() if name not in ("example", "examples"))

    assert walk(document) > 20


def test_every_operation_is_served(standalone: Hokusai, document: dict) -> None:
    admin = standalone.create_key("admin")
    for server, path, method, _ in operations(document):
        target = f"{standalone.url}{server}{path.format_map(NOBODY)}"
        answer = requests.request(method, target, headers=admin.bearer, timeout=10, allow_redirects=False)

        assert answer.status_code != 405, f"{method} {target}"
        if answer.status_code == 404:
            assert answer.json()["detail"] != "Not Found", f"{method} {target}"


def test_only_operations_that_name_a_scope_need_a_key(standalone: Hokusai, document: dict) -> None:
    for server, path, method, operation in operations(document):
        target = f"{standalone.url}{server}{path.format_map(NOBODY)}"
        is_refused = requests.request(method, target, timeout=10, allow_redirects=False).status_code == 401

        assert is_refused == bool(operation["security"]), f"{method} {target}"


def test_scopes_are_those_that_suffice(standalone: Hokusai, document: dict) -> None:
    scopes = ["mlflow:read", "model:read", "model:write"]
    keys = {scope: standalone.create_key(scope) for scope in scopes}
    for _, path, method, operation in operations(document):
        for need in {scope for each in operation["security"] for named in each.values() for scope in named}:
            granted = {need, need.replace("read", "write")}
            for scope, key in keys.items():
                target = standalone.url + path.format_map(NOBODY)
                answer = requests.request(method, target, headers=key.bearer, timeout=10)
                assert (answer.status_code != 403) == (scope in granted), f"{method} {path} with {scope}"


def check_described(document: dict, operation: dict, answer: requests.Response) -> None:
    response = operation["responses"][str(answer.status_code)]
    while "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    media = response["content"][answer.headers["Content-Type"].split(";")[0]]
    whole = {"$ref": "#/schema", "schema": media["schema"], "components": document["components"]}
    Draft202012Validator(whole).validate(answer.json())


def test_two_different_keys_are_refused_as_described(standalone: Hokusai, document: dict) -> None:
    keys = standalone.create_key("admin").bearer | {"X-API-Key": standalone.create_key("admin").secret}
    for server, path, method, operation in operations(document):
        if operation["security"]:
            target = f"{standalone.url}{server}{path.format_map(NOBODY)}"
            answer = requests.request(method, target, headers=keys, timeout=10)
            assert answer.status_code == 400, f"{method} {target}"
            check_described(document, operation, answer)


@pytest.mark.parametrize("wanted", ["application/json", "application/health+json"])
def test_health_of_an_outage_is_as_described(serve: Callable[..., Hokusai], document: dict, wanted: str) -> None:
    gateway = serve(mlflow=f"http://127.0.0.1:{free_port()}", env=QUICK_PROBES)
    wait_until("an open breaker", lambda: gateway.breaker() == "OPEN")
    for server, path, method, operation in operations(document):
        if server == "" and method == "get" and operation["tags"][0] in ("probes", "health", "MLflow"):
            for query in ("", "?detailed=true"):
                check_described(document, operation, gateway.get(path + query, headers={"Accept": wanted}))


def test_models_of_an_outage_are_as_described(serve: Callable[..., Hokusai], document: dict) -> None:
    gateway = serve(mlflow=f"http://127.0.0.1:{free_port()}", env=QUICK_PROBES)
    wait_until("an open breaker", lambda: gateway.breaker() == "OPEN")
    admin = gateway.create_key("admin")
    asked = {"model_name": "fraud", "model_type": "ranking", "model_data": {}}
    registered = requests.post(f"{gateway.url}/models/register", json=asked, headers=admin.bearer, timeout=10)
    check_described(document, document["paths"]["/models/register"]["post"], registered)
    known = NOBODY | {"registration_id": registered.json()["registration_id"]}

    statuses = {}
    for server, path, method, operation in operations(document):
        if server == "" and method == "get" and operation["tags"] == ["models"]:
            target = path.format_map(known) + "?model1=nobody:1&model2=nobody:2"
            answer = gateway.get(target, headers=admin.bearer)
            check_described(document, operation, answer)
            statuses[operation["operationId"]] = answer.status_code

    assert (registered.status_code, registered.json()["mlflow_sync"]) == (201, "pending")
    assert statuses.pop("getRegistration") == 200
    assert set(statuses.values()) == {503}


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/redoc"])
def test_is_not_sent_again_to_who_has_it(standalone: Hokusai, path: str) -> None:
    first = standalone.get(path)
    again = standalone.get(path, headers={"If-None-Match": first.headers["ETag"]})
    head = requests.head(standalone.url + path, timeout=10)

    assert (first.status_code, again.status_code, head.status_code) == (200, 304, 200)
    assert (again.content, head.content) == (b"", b"")
    assert head.headers["Content-Length"] == str(len(first.content))


class Campaign:
    """schemathesis against one running service, as a platform engineer would run it."""

    def __init__(self, folder: Path, examples: int):
        self.folder = folder
        self.examples = examples

    def run(self, service: Hokusai, key: Key, document: dict) -> None:
        (self.folder / "openapi.json").write_text(json.dumps(document))
        (self.folder / "schemathesis.toml").write_text(
            f'[auth.openapi.bearer]\nbearer = "{key.secret}"\n[cache]\nenabled = false\n'
        )
        argv = [sys.executable, "-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run", "openapi.json"]
        argv += ["--url", service.url, "--seed", "20261122", "--max-examples", str(self.examples), "--no-color"]
        argv += ["--generation-database", "none", "--request-timeout", "20", "--output-truncate", "false"]
        done = subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, timeout=900, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        print(done.stdout)


@pytest.fixture
def campaign(tmp_path: Path, request: pytest.FixtureRequest) -> Campaign:
    return Campaign(tmp_path, request.config.getoption("--api-examples"))


def below(document: dict, server: str) -> dict:
    """The same description for clients that do not look at the servers of a path."""
    moved = copy.deepcopy(document)
    moved["paths"] = {
        (server if "servers" in item else "") + path: {k: v for k, v in item.items() if k != "servers"}
        for path, item in moved["paths"].items()
    }
    return moved


@pytest.mark.timeout(960)
def test_schemathesis_standalone(serve: Callable[..., Hokusai], document: dict, campaign: Campaign) -> None:
    service = serve().wait_ready()
    campaign.run(service, service.create_key("admin"), below(document, ""))


@pytest.mark.timeout(960)
def test_schemathesis_before_mlflow(
    serve: Callable[..., Hokusai], real_mlflow: MlflowServer, document: dict, campaign: Campaign
) -> None:
    service = serve(mlflow=real_mlflow.url).wait_ready()
    campaign.run(service, service.create_key("admin"), below(document, "/api/v1"))
