"""Copies of MLflow's artifacts: a model loads while MLflow is down, and nothing that is damaged is ever handed out."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from support import hokusai
from support.hokusai import QUICK_PROBES, Hokusai
from support.mlflow_server import MlflowServer
from support.process import wait_until

STORE = "/api/2.0/mlflow-artifacts/artifacts"
ENV = QUICK_PROBES | {
    "HOKUSAI_HEALTH_DEADLINE": "2s",
    "HOKUSAI_REPLICA_SWEEP_INTERVAL": "500ms",
    "HOKUSAI_ARTIFACT_CACHE": "64MiB",
}
MAKE = """
    import sys
    from pathlib import Path
    import mlflow

    class Doubles(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            size = len(Path(context.artifacts["weights"]).read_bytes())
            return [2 * value for value in model_input["a"]] + [size]

    name, alias, folder = sys.argv[1:]
    weights = Path(folder) / "weights.bin"
    weights.write_bytes(bytes(range(256)) * 12_000)
    mlflow.set_experiment("artifact cache")
    with mlflow.start_run():
        info = mlflow.pyfunc.log_model(
            name="model",
            python_model=Doubles(),
            artifacts={"weights": str(weights)},
            registered_model_name=name,
            pip_requirements=["mlflow"],
        )
    if alias:
        mlflow.MlflowClient().set_registered_model_alias(name, alias, info.registered_model_version)
    print(info.registered_model_version)
"""
LOAD = """
    import sys
    import mlflow, pandas

    model = mlflow.pyfunc.load_model(sys.argv[1])
    print(model.predict(pandas.DataFrame({"a": [1, 2]})))
"""
PREDICTED = "[2, 4, 3072000]"
Serve = Callable[..., Hokusai]


def client(gateway: Hokusai, key: str, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, which knows nothing from before."""
    settings = {"MLFLOW_TRACKING_URI": gateway.url, "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
    settings |= {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_TRACKING_TOKEN": key}
    argv = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(
        argv, env={**os.environ, **settings}, capture_output=True, text=True, timeout=120, check=False
    )


def make_model(gateway: Hokusai, folder: Path, name: str, alias: str, key: str = "") -> str:
    done = client(gateway, key, MAKE, name, alias, str(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def load(gateway: Hokusai, uri: str, key: str = "") -> subprocess.CompletedProcess[str]:
    return client(gateway, key, LOAD, uri)


def root_of(gateway: Hokusai, name: str, version: str, key: str = "") -> str:
    query = {"name": name, "version": version}
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    answer = gateway.get("/api/2.0/mlflow/model-versions/get-download-uri", params=query, headers=headers)
    return answer.json()["artifact_uri"].removeprefix("mlflow-artifacts:/")


def status(gateway: Hokusai) -> dict:
    done = hokusai.run("cache", "status", "--data", str(gateway.data), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wait_until_whole(gateway: Hokusai, name: str) -> None:
    def is_whole() -> bool:
        pins = [pin for pin in status(gateway)["pinned"] if name in pin["versions"]]
        return bool(pins) and all(pin["whole"] for pin in pins)

    wait_until(f"{name} to be in the cache", is_whole, 60)


def wait_until_server_info(gateway: Hokusai) -> None:
    """The keeper's first round: what every fresh client asks for."""
    wait_until("server-info to be kept", lambda: gateway.metrics()["hokusai_artifact_cache_pinned_bytes"] > 0, 30)


def lose(mlflow: MlflowServer, gateway: Hokusai) -> None:
    mlflow.kill()
    wait_until("the breaker to open", lambda: gateway.breaker() == "OPEN", 30)


def cached_files(gateway: Hokusai) -> list[Path]:
    return [path for path in (gateway.data / "artifacts").rglob("*") if path.is_file()]


def read_through(gateway: Hokusai, file: str, fields: dict[str, str]) -> str:
    digest = hashlib.sha256()
    with requests.get(gateway.url + file, headers=fields, stream=True, timeout=120) as answer:
        answer.raise_for_status()
        for piece in answer.iter_content(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def resident_growth(gateway: Hokusai, work: Callable[[], str]) -> tuple[str, int]:
    before = gateway.resident_bytes()
    peak = 0
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, gateway.resident_bytes())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        digest = work()
    finally:
        done.set()
        watcher.join()
    return digest, max(peak, gateway.resident_bytes()) - before


@pytest.fixture
def mlflow(real_mlflow: MlflowServer) -> Iterator[MlflowServer]:
    yield real_mlflow
    real_mlflow.restore()


@pytest.mark.timeout(240)
def test_aliased_model_loads_in_a_fresh_client_while_mlflow_is_down(
    serve: Serve, mlflow: MlflowServer, tmp_path: Path
) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV).wait_ready(30)
    version = make_model(gateway, tmp_path, "aliased", "champion")
    wait_until_whole(gateway, "aliased")
    file = f"{STORE}/{root_of(gateway, 'aliased', version)}/MLmodel"
    before = gateway.get(file)
    lose(mlflow, gateway)

    loaded = load(gateway, "models:/aliased@champion")

    assert loaded.stdout.strip() == PREDICTED, loaded.stderr
    after = gateway.get(file)
    assert after.content == before.content
    assert after.headers["X-Hokusai-Source"] == "cache"
    assert int(after.headers["Age"]) >= 0
    assert "X-Hokusai-Source" not in before.headers
    assert after.headers["Content-Disposition"] == before.headers["Content-Disposition"]
    head = requests.head(gateway.url + file, timeout=10)
    assert (head.status_code, head.headers["Content-Length"], head.content) == (200, str(len(before.content)), b"")
    assert gateway.get(file, headers={"Range": "bytes=0-3"}).content == before.content
    assert gateway.get(f"{file}.unknown").status_code == 503
    assert gateway.metrics()['hokusai_artifact_cache_requests_total{result="hit"}'] >= 8


@pytest.mark.timeout(240)
def test_prefetched_version_loads_and_goes_on_where_it_was(serve: Serve, mlflow: MlflowServer, tmp_path: Path) -> None:
    gateway = serve(mlflow=mlflow.url, env=ENV).wait_ready(30)
    key = gateway.create_key("mlflow:write").secret
    version = make_model(gateway, tmp_path, "prefetched", "", key)
    token = tmp_path / "token"
    token.write_text(key)
    command = ["registry", "prefetch", f"prefetched/{version}", "--through", gateway.url, "--data", str(gateway.data)]
    command += ["--token-file", str(token)]

    first = hokusai.run(*command)
    second = hokusai.run(*command)

    assert first.returncode == 0, first.stderr
    assert "weights.bin, 3072000 bytes" in first.stdout
    assert "6 files" in first.stdout.splitlines()[-1]
    assert second.returncode == 0, second.stderr
    assert "0 files, 0 bytes read; 6 files were there already" in second.stdout
    wait_until_server_info(gateway)
    lose(mlflow, gateway)
    loaded = load(gateway, f"models:/prefetched/{version}", key)
    assert loaded.stdout.strip() == PREDICTED, loaded.stderr
    assert not [pin for pin in status(gateway)["pinned"] if "prefetched" in pin["versions"]]
    refused = gateway.get(f"{STORE}/{root_of(gateway, 'prefetched', version, key)}/MLmodel")
    assert refused.status_code == 401


@pytest.mark.timeout(240)
def test_version_that_was_loaded_once_loads_again_without_an_alias(
    serve: Serve, mlflow: MlflowServer, tmp_path: Path
) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV).wait_ready(30)
    version = make_model(gateway, tmp_path, "loaded-once", "")
    kept = 'hokusai_artifact_cache_copies_total{outcome="kept"}'
    before = gateway.metrics()[kept]
    assert load(gateway, f"models:/loaded-once/{version}").stdout.strip() == PREDICTED
    # A model's six files and the listings of its two folders.
    wait_until("the copies to be kept", lambda: gateway.metrics()[kept] >= before + 8, 30)
    wait_until_server_info(gateway)
    lose(mlflow, gateway)

    again = load(gateway, f"models:/loaded-once/{version}")

    assert again.stdout.strip() == PREDICTED, again.stderr


@pytest.mark.timeout(240)
def test_damaged_file_is_never_handed_out(serve: Serve, mlflow: MlflowServer, tmp_path: Path) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV).wait_ready(30)
    version = make_model(gateway, tmp_path, "damaged", "champion")
    wait_until_whole(gateway, "damaged")
    root = root_of(gateway, "damaged", version)
    lose(mlflow, gateway)
    served, verified = f"{root}/MLmodel", f"{root}/python_model.pkl"
    for path in (served, verified):
        content = gateway.get(f"{STORE}/{path}").content
        [file] = [file for file in cached_files(gateway) if file.read_bytes() == content]
        file.write_bytes(bytes([content[0] ^ 1]) + content[1:])

    answer = gateway.get(f"{STORE}/{served}")
    verify = hokusai.run("cache", "verify", "--data", str(gateway.data))

    assert answer.status_code == 503
    assert gateway.metrics()["hokusai_artifact_cache_corrupt_total"] == 1
    assert verify.returncode == 1
    assert verified in verify.stdout
    assert "1 were damaged" in verify.stdout
    assert gateway.get(f"{STORE}/{verified}").status_code == 503
    assert hokusai.run("cache", "verify", "--data", str(gateway.data)).returncode == 0
    # What is lost is fetched again.
    mlflow.restore()
    wait_until_whole(gateway, "damaged")


@pytest.mark.timeout(300)
def test_kill_while_copying_leaves_only_whole_entries(serve: Serve, mlflow: MlflowServer, tmp_path: Path) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV).wait_ready(30)
    version = make_model(gateway, tmp_path, "killed", "")
    root = root_of(gateway, "killed", version)
    weights = f"{STORE}/{root}/artifacts/weights.bin"
    for _ in range(5):
        with requests.get(gateway.url + weights, stream=True, timeout=30) as answer:
            next(answer.iter_content(1 << 16))
            os.kill(gateway.pid, signal.SIGKILL)
        gateway.stop()
        gateway.start().wait_ready(30)

    verify = hokusai.run("cache", "verify", "--data", str(gateway.data))

    assert verify.returncode == 0, verify.stdout
    assert not [file for file in cached_files(gateway) if file.name.startswith("writing-")]
    assert len(cached_files(gateway)) <= status(gateway)["entries"]
    assert gateway.get(weights).content == bytes(range(256)) * 12_000


@pytest.mark.timeout(240)
def test_upload_makes_the_copy_untrue_at_once(serve: Serve, mlflow: MlflowServer, tmp_path: Path) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV).wait_ready(30)
    version = make_model(gateway, tmp_path, "uploaded", "champion")
    wait_until_whole(gateway, "uploaded")
    file = f"{STORE}/{root_of(gateway, 'uploaded', version)}/MLmodel"
    model = gateway.get(file).content

    requests.put(gateway.url + file, data=model + b"# changed\n", timeout=30).raise_for_status()
    wait_until_whole(gateway, "uploaded")
    lose(mlflow, gateway)

    assert gateway.get(file).content == model + b"# changed\n"


@pytest.mark.timeout(240)
def test_large_artifact_is_handed_out_in_fixed_memory(serve: Serve, mlflow: MlflowServer, tmp_path: Path) -> None:
    gateway = serve(mlflow=mlflow.url, auth="off", env=ENV | {"HOKUSAI_ARTIFACT_CACHE": "1GiB"}).wait_ready(30)
    version = make_model(gateway, tmp_path, "large", "")
    large = tmp_path / "large.bin"
    with large.open("wb") as out:
        for number in range(300):
            out.write(number.to_bytes(4, "big") * (1 << 18))
    file = f"{STORE}/{root_of(gateway, 'large', version)}/large.bin"
    with large.open("rb") as body:
        requests.put(gateway.url + file, data=body, timeout=120).raise_for_status()
    field = {"X-Hokusai-Prefetch": "yes"}
    filled, filling = resident_growth(gateway, lambda: read_through(gateway, file, field))
    lose(mlflow, gateway)

    handed_out, handing_out = resident_growth(gateway, lambda: read_through(gateway, file, {}))

    expected = hashlib.sha256(large.read_bytes()).hexdigest()
    assert (filled, handed_out) == (expected, expected)
    assert filling < 48 << 20
    assert handing_out < 24 << 20
