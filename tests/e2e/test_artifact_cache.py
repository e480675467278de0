"""Copies of MLflow's artifacts: a model loads while MLflow is down, and nothing that is damaged is ever handed out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
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


def client(gateway: Hokusai, code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, which knows nothing from before."""
    settings = {"MLFLOW_TRACKING_URI": gateway.url, "MLFLOW_DISABLE_TELEMETRY": "true", "GIT_PYTHON_REFRESH": "quiet"}
    settings["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
    argv = [sys.executable, "-c", textwrap.dedent(code), *arguments]
    return subprocess.run(
        argv, env={**os.environ, **settings}, capture_output=True, text=True, timeout=120, check=False
    )


def make_model(gateway: Hokusai, folder: Path, name: str, alias: str) -> str:
    done = client(gateway, MAKE, name, alias, str(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def load(gateway: Hokusai, uri: str) -> subprocess.CompletedProcess[str]:
    return client(gateway, LOAD, uri)


def root_of(gateway: Hokusai, name: str, version: str) -> str:
    query = {"name": name, "version": version}
    answer = gateway.get("/api/2.0/mlflow/model-versions/get-download-uri", params=query)
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


def lose(mlflow: MlflowServer, gateway: Hokusai) -> None:
    mlflow.kill()
    wait_until("the breaker to open", lambda: gateway.breaker() == "OPEN", 30)


def cached_files(gateway: Hokusai) -> list[Path]:
    return [path for path in (gateway.data / "artifacts").rglob("*") if path.is_file()]


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
