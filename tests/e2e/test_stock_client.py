"""The unmodified MLflow client works through the gateway, and a training run survives an outage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from support.hokusai import QUICK_PROBES, Hokusai
from support.mlflow_server import MlflowServer
from support.process import wait_until


@pytest.fixture
def gateway(
    serve: Callable[..., Hokusai], real_mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Hokusai]:
    gateway = serve(mlflow=real_mlflow.url, env=QUICK_PROBES | {"HOKUSAI_HEALTH_DEADLINE": "2s"}).wait_ready(30)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", gateway.create_key("mlflow:write").secret)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", gateway.url)
    mlflow.set_tracking_uri(gateway.url)
    yield gateway
    if mlflow.active_run():
        mlflow.end_run()


@pytest.mark.timeout(120)
def test_run_model_alias_and_download(gateway: Hokusai, tmp_path: Path) -> None:
    weights = tmp_path / "weights.bin"
    weights.write_bytes(bytes(range(256)) * 4000)
    client = MlflowClient()

    mlflow.set_experiment("through the gateway")
    with mlflow.start_run() as run:
        mlflow.log_params({"lr": 0.1, "layers": 3})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_artifact(str(weights), "model")
    client.create_registered_model("gateway-model", description="by the stock client")
    version = client.create_model_version("gateway-model", f"runs:/{run.info.run_id}/model", run.info.run_id)
    client.set_registered_model_alias("gateway-model", "champion", version.version)

    assert client.get_model_version_by_alias("gateway-model", "champion").version == version.version
    assert [found.name for found in client.search_registered_models("name = 'gateway-model'")] == ["gateway-model"]
    assert [step.value for step in client.get_metric_history(run.info.run_id, "loss")][-1] == 0.2
    downloaded = mlflow.artifacts.download_artifacts(
        artifact_uri="models:/gateway-model@champion", dst_path=str(tmp_path / "down")
    )
    assert Path(downloaded, "weights.bin").read_bytes() == weights.read_bytes()


@pytest.mark.timeout(60)
def test_wrong_key_is_a_plain_error_without_retries(gateway: Hokusai, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "hk_live_" + "0" * 40)
    started = time.monotonic()

    with pytest.raises(mlflow.MlflowException, match="UNAUTHENTICATED|401"):
        MlflowClient().search_registered_models()

    assert time.monotonic() - started < 5


@pytest.mark.timeout(60)
def test_basic_password_works_as_key(gateway: Hokusai, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "me")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", gateway.create_key("mlflow:read", name="basic").secret)

    assert isinstance(list(MlflowClient().search_registered_models()), list)


@pytest.mark.timeout(240)
def test_training_run_rides_out_an_outage(
    gateway: Hokusai, real_mlflow: MlflowServer, capsys: pytest.CaptureFixture[str]
) -> None:
    """Killed, gone until the breaker opened, then MLflow's own start: some 12 s. The full minute is `./dev soak`."""
    mlflow.set_experiment("outage")
    steps = 40
    trouble: list[BaseException] = []

    def train() -> None:
        try:
            with mlflow.start_run() as run:
                done["run"] = run.info.run_id
                for step in range(steps):
                    mlflow.log_metric("loss", float(step), step=step)
                    done["step"] = step
        except BaseException as error:
            trouble.append(error)

    done: dict[str, object] = {}
    trainer = threading.Thread(target=train)
    trainer.start()
    wait_until("a few steps", lambda: done.get("step", 0) >= 5, 30)

    killed = time.monotonic()
    real_mlflow.kill()
    wait_until("breaker OPEN", lambda: gateway.breaker() == "OPEN", 15)
    real_mlflow.start().wait_ready()
    wait_until("breaker CLOSED", lambda: gateway.breaker() == "CLOSED", 30)
    away = time.monotonic() - killed
    trainer.join(120)

    with capsys.disabled():
        print(f"\nMLflow was away for {away:.1f} s; the run ended {time.monotonic() - killed - away:.1f} s later")
    assert not trouble, f"the client saw {trouble[0]!r}"
    assert done["step"] == steps - 1
    history = MlflowClient().get_metric_history(done["run"], "loss")
    assert sorted({metric.step for metric in history}) == list(range(steps))
