"""`hokusai registry export|import|status`: registries moved between real MLflow servers, data folders and files."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from mlflow import MlflowClient

from conftest import new_mlflow_servers
from support import hokusai, registry_checker
from support.hokusai import Hokusai
from support.mlflow_server import MlflowServer
from support.process import Child, wait_until

pytestmark = [pytest.mark.timeout(180), pytest.mark.usefixtures("hokusai_binary")]
MARK = "hokusai.import"
NAMES = ["churn", "fraud", "über 'quoted' \"twice\"", "white space"]
PROMPT = "greeting"
# What a server decides by itself.
ITS_OWN = {"creation_timestamp", "last_updated_timestamp", "user_id"}


def registry(*arguments: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return hokusai.run("registry", *map(str, arguments), env=env)


def done(*arguments: object, env: dict[str, str] | None = None) -> str:
    ended = registry(*arguments, env=env)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def content(file: Path) -> list[str]:
    """All but the first line, which says where and when."""
    return file.read_text().splitlines()[1:]


def comparable(value: object) -> object:
    if isinstance(value, dict):
        members = {key: comparable(member) for key, member in value.items() if key not in ITS_OWN}
        return {key: member for key, member in members.items() if member != ""}  # MLflow makes "" of none
    if isinstance(value, list):
        return sorted((comparable(item) for item in value), key=json.dumps)
    return value


def fill(url: str) -> None:
    client = MlflowClient(url, url)
    for name in NAMES:
        client.create_registered_model(name, tags={"team": "risk", "ünï": "€"}, description=f"about {name}")
        for number in range(1, 6):
            client.create_model_version(
                name, f"s3://bucket/{number}", tags={"n": str(number)}, description="line\nbreak"
            )
        client.delete_model_version(name, "1")
        client.delete_model_version(name, "3")
        client.set_registered_model_alias(name, "champion", "2")
        client.set_registered_model_alias(name, "challenger", "5")
        client.transition_model_version_stage(name, "2", "Production")
        client.transition_model_version_stage(name, "4", "Archived")
        client.delete_model_version(name, "5")  # with its alias
    client.create_registered_model("empty")
    for text in ("Hi {{name}}", "Hello {{name}}"):
        client.register_prompt(PROMPT, text, commit_message="why", tags={"tone": "warm"})


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[MlflowServer]]:
    with new_mlflow_servers(tmp_path_factory.mktemp("registries"), 2) as both:
        fill(both[0].url)
        yield both


@pytest.fixture(scope="module")
def exported(servers: list[MlflowServer], tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("exported") / "models.jsonl"
    said = done("export", "--from", servers[0].url, "--output", file)
    assert said == f"exported 6 models, 10 versions, 4 aliases from {servers[0].url} to {file}\n"
    return file


def empty(server: MlflowServer) -> None:
    api = f"{server.url}/api/2.0/mlflow/registered-models"
    for condition in ("", "tags.`mlflow.prompt.is_prompt` = 'true'"):
        found = requests.get(f"{api}/search", params={"filter": condition, "max_results": 1000}, timeout=10).json()
        for model in found.get("registered_models", []):
            requests.delete(f"{api}/delete", json={"name": model["name"]}, timeout=10).raise_for_status()


@pytest.fixture
def target(servers: list[MlflowServer]) -> Iterator[MlflowServer]:
    yield servers[1]
    empty(servers[1])


def large_export(file: Path, models: int, versions: int) -> Path:
    with file.open("w") as out:
        print(json.dumps({"format": "hokusai-registry", "version": 1}), file=out)
        for model in range(models):
            name = f"model {model:05}"
            aliases = [{"alias": "champion", "version": "1"}]
            entity = {"name": name, "aliases": aliases, "creation_timestamp": 1, "last_updated_timestamp": 2}
            print(json.dumps({"registered_model": entity, "highest_version": versions}), file=out)
            for number in range(1, versions + 1):
                source = f"s3://bucket/{model}/{number}"
                version = {"name": name, "version": str(number), "source": source, "current_stage": "None"}
                version |= {"status": "READY", "creation_timestamp": 3, "last_updated_timestamp": 4}
                print(json.dumps({"model_version": version, "artifact_uri": source}), file=out)
        print(json.dumps({"end": {"models": models, "versions": models * versions, "aliases": models}}), file=out)
    return file


def test_the_file_holds_everything_in_a_stable_order(servers: list[MlflowServer], exported: Path) -> None:
    lines = [json.loads(line) for line in exported.read_text().splitlines()]

    assert lines[0].keys() == {"format", "version", "source", "exported_at"}
    models = [line["registered_model"] for line in lines if "registered_model" in line]
    assert [model["name"] for model in models] == sorted(["empty", PROMPT, *NAMES], key=str.encode)
    versions = [line for line in lines if "model_version" in line]
    numbers = [int(one["model_version"]["version"]) for one in versions if one["model_version"]["name"] == "fraud"]
    assert numbers == [2, 4]
    assert {one["artifact_uri"] for one in versions if one["model_version"]["name"] == "fraud"} == {
        "s3://bucket/2",
        "s3://bucket/4",
    }
    assert content(exported) == done("export", "--from", servers[0].url).splitlines()[1:]


def test_mlflow_to_folder_and_back_is_exact(exported: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert done("import", exported, "--data", data) == f"imported 6 models, 10 versions, 4 aliases into {data}\n"

    again = tmp_path / "again.jsonl"
    done("export", "--data", data, "--output", again)

    assert content(again) == content(exported)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("again")] == ["again.jsonl"]
    shown = json.loads(done("status", "--data", data, "--json"))
    assert shown == {"registry": {"models": 6, "versions": 10, "aliases": 4}, "replica": None}


def test_mlflow_to_mlflow_by_its_api(servers: list[MlflowServer], target: MlflowServer, exported: Path) -> None:
    said = done("import", exported, "--to", target.url)
    assert said.splitlines() == [
        f"imported 6 models, 10 versions, 4 aliases into {target.url}",
        "Times, users, states and download locations are new: a server sets them itself.",
    ]

    source, copy = (comparable(registry_checker.read(one.url)) for one in (servers[0], target))
    assert registry_checker.compare(source, copy) == []
    client = MlflowClient(target.url, target.url)
    assert (
        client.create_model_version("fraud", "s3://bucket/next").version == "5"
    )  # nobody could see that there was one


def test_numbers_given_out_are_never_given_again(target: MlflowServer, exported: Path, tmp_path: Path) -> None:
    edited = exported.read_text().replace('"highest_version":4', '"highest_version":7')
    (tmp_path / "edited.jsonl").write_text(edited)
    done("import", tmp_path / "edited.jsonl", "--to", target.url)

    client = MlflowClient(target.url, target.url)
    assert client.create_model_version("fraud", "s3://bucket/next").version == "8"
    assert MARK not in client.get_registered_model("fraud").tags


def test_through_a_gateway_with_a_key(
    servers: list[MlflowServer], target: MlflowServer, exported: Path, serve: Callable[..., Hokusai], tmp_path: Path
) -> None:
    before = serve(mlflow=servers[0].url).wait_ready()
    behind = serve(mlflow=target.url).wait_ready()
    reader = before.create_key("mlflow:read").secret
    token = tmp_path / "token"
    token.write_text(behind.create_key("mlflow:write").secret + "\n")

    refused = registry("export", "--from", before.url)
    copied = done("export", "--from", before.url, env={"HOKUSAI_MLFLOW_TOKEN": reader})
    done("import", exported, "--to", behind.url, "--token-file", token)

    assert refused.returncode == 1
    assert "401 UNAUTHENTICATED" in refused.stderr
    assert "--token-file" in refused.stderr
    assert copied.splitlines()[1:] == content(exported)
    source, copy = (comparable(registry_checker.read(one.url)) for one in (servers[0], target))
    assert registry_checker.compare(source, copy) == []


def test_into_a_running_hokusai_without_mlflow(exported: Path, serve: Callable[..., Hokusai]) -> None:
    service = serve().wait_ready()
    key = {"HOKUSAI_MLFLOW_TOKEN": service.create_key("mlflow:write").secret}

    said = done("import", exported, "--to", service.url, env=key)
    through_api = done("export", "--from", service.url, env=key)
    from_folder = done("export", "--data", service.data)

    assert said.startswith("imported 6 models, 10 versions, 4 aliases")
    wanted = [comparable(json.loads(line)) for line in content(exported)]
    assert [comparable(json.loads(line)) for line in through_api.splitlines()[1:]] == wanted
    assert [comparable(json.loads(line)) for line in from_folder.splitlines()[1:]] == wanted


def test_a_running_service_keeps_its_folder(exported: Path, serve: Callable[..., Hokusai]) -> None:
    service = serve()

    refused = registry("import", exported, "--data", service.data)
    shown = done("export", "--data", service.data)

    assert refused.returncode == 1
    assert "--to http://" in refused.stderr
    assert json.loads(shown.splitlines()[-1]) == {"end": {"models": 0, "versions": 0, "aliases": 0}}


def test_a_file_with_a_fault_changes_nothing(target: MlflowServer, exported: Path, tmp_path: Path) -> None:
    lines = exported.read_text().splitlines(keepends=True)
    wrong = tmp_path / "wrong.jsonl"
    for text, named in (
        ("".join(lines[:-1]), f"after line {len(lines) - 1} without its last line: it was cut"),
        ("".join(lines)[: -len(lines[-1]) // 2], f"line {len(lines)}: it is no JSON object"),
        ("".join([*lines[:4], "nonsense\n", *lines[4:]]), "line 5: it is no JSON object"),
        ("".join([*lines[:4], *lines[5:]]), "but before it are"),
    ):
        wrong.write_text(text)
        for place in (("--to", target.url), ("--data", tmp_path / "data")):
            refused = registry("import", wrong, *place)
            assert refused.returncode == 1
            assert named in refused.stderr
    assert not (tmp_path / "data").exists()
    assert requests.get(f"{target.url}/api/2.0/mlflow/registered-models/search", timeout=10).json() == {}


def test_models_that_are_there_are_refused_or_left(target: MlflowServer, exported: Path) -> None:
    client = MlflowClient(target.url, target.url)
    client.create_registered_model("fraud", description="ours")

    refused = registry("import", exported, "--to", target.url)
    planned = registry("import", exported, "--to", target.url, "--existing", "skip", "--dry-run")
    assert len(client.search_registered_models()) == 1
    skipped = registry("import", exported, "--to", target.url, "--existing", "skip")
    again = registry("import", exported, "--to", target.url, "--existing", "skip")

    assert (refused.returncode, planned.returncode, skipped.returncode, again.returncode) == (1, 1, 1, 1)
    assert "model 'fraud' is there already, so nothing was written" in refused.stderr
    assert planned.stdout.startswith("would import 5 models, 8 versions, 3 aliases")
    assert skipped.stdout.startswith("imported 5 models, 8 versions, 3 aliases")
    assert again.stdout.startswith("imported 0 models, 0 versions, 0 aliases")
    assert "5 models are there already" in again.stdout
    assert "model 'fraud': the one there has no version 2" in again.stderr
    assert client.get_registered_model("fraud").description == "ours"


def test_a_version_that_mlflow_refuses_is_named_and_the_others_come(
    target: MlflowServer, exported: Path, tmp_path: Path
) -> None:
    local = tmp_path / "local.jsonl"
    lines = [json.loads(line) for line in exported.read_text().splitlines()]
    for line in lines:
        if line.get("model_version", {}).get("name") == "churn":
            line["model_version"]["source"] = "/etc/passwd"
    local.write_text("".join(json.dumps(line) + "\n" for line in lines))

    ended = registry("import", local, "--to", target.url)

    assert ended.returncode == 1
    assert ended.stdout.startswith("imported 5 models, 8 versions, 3 aliases")
    assert "model 'churn': version 2: " in ended.stderr
    assert "Invalid model version source: '/etc/passwd'" in ended.stderr
    # With a source that is good, what was left unfinished is completed.
    finished = done("import", exported, "--to", target.url, "--existing", "skip")
    assert "1 of the models had been left unfinished; 5 models are there already" in finished


def test_an_import_into_mlflow_goes_on_after_kill_9(target: MlflowServer, tmp_path: Path) -> None:
    file = large_export(tmp_path / "large.jsonl", models=30, versions=2)
    argv = [str(hokusai.binary()), "registry", "import", str(file), "--to", target.url]
    importing = Child(argv, tmp_path / "import.log", hokusai.environment())
    search = f"{target.url}/api/2.0/mlflow/registered-models/search?max_results=1000"
    wait_until("some models to be there", lambda: len(requests.get(search, timeout=10).json()) > 0, 60, every=0.01)
    importing.signal_group(signal.SIGKILL)
    importing.kill()
    there = requests.get(search, timeout=10).json()["registered_models"]
    assert 0 < len(there) < 30

    said = done("import", file, "--to", target.url, "--existing", "skip")

    assert int(said.split()[1]) > 30 - len(there) - 1
    models = requests.get(search, timeout=10).json()["registered_models"]
    assert len(models) == 30
    for model in models:
        assert model["aliases"] == [{"alias": "champion", "version": "1"}]
        assert model["latest_versions"][0]["version"] == "2"
        assert "tags" not in model


def test_an_import_into_a_folder_is_all_or_nothing_after_kill_9(tmp_path: Path) -> None:
    file = large_export(tmp_path / "large.jsonl", models=200, versions=100)
    data = tmp_path / "data"
    argv = [str(hokusai.binary()), "registry", "import", str(file), "--data", str(data)]
    importing = Child(argv, tmp_path / "import.log", hokusai.environment())
    log = data / "hokusai.db-wal"
    wait_until("rows to be written", lambda: log.exists() and log.stat().st_size > 1_000_000, 60, every=0.005)
    importing.signal_group(signal.SIGKILL)
    importing.kill()
    assert "imported" not in (tmp_path / "import.log").read_text()

    shown = json.loads(done("status", "--data", data, "--json"))
    assert shown["registry"] == {"models": 0, "versions": 0, "aliases": 0}
    said = done("import", file, "--data", data)

    assert said == f"imported 200 models, 20000 versions, 200 aliases into {data}\n"
    copy = tmp_path / "copy.jsonl"
    done("export", "--data", data, "--output", copy)
    assert [json.loads(line) for line in content(copy)] == [json.loads(line) for line in content(file)]
