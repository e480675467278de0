#!/usr/bin/env python3
"""./dev demo: MLflow dies and comes back under a client that never notices.

Every step is checked; the first that is not true ends the demo with exit code 1. Everything runs on loopback, in a
temporary folder, and is gone afterwards.
"""

from __future__ import annotations

import importlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import requests  # noqa: E402

from support.hokusai import Hokusai, binary  # noqa: E402
from support.mlflow_server import MlflowServer, is_installed  # noqa: E402
from support.process import exit_on_sigterm, wait_until  # noqa: E402

MODEL = "wave"
STARTED = time.monotonic()


class Untrue(Exception):
    """A step did not show what it claims."""


def say(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:5.1f} s] {text}", flush=True)


def check(claim: str, is_true: bool) -> None:
    if not is_true:
        raise Untrue(claim)
    say(f"ok    {claim}")


def wait(claim: str, probe: Callable[[], bool], seconds: float) -> None:
    try:
        wait_until(claim, probe, seconds, every=0.1)
    except TimeoutError as error:
        raise Untrue(str(error)) from None
    say(f"ok    {claim}")


def use_gateway(gateway: Hokusai) -> None:
    """What a data scientist sets; nothing else about the client is special."""
    os.environ["MLFLOW_TRACKING_URI"] = gateway.url
    os.environ["MLFLOW_TRACKING_TOKEN"] = gateway.create_key("mlflow:write", name="demo").secret
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    importlib.import_module("mlflow")  # takes seconds, which MLflow's server needs to start anyway


def log_and_register(folder: Path, text: str) -> str:
    """A run with a parameter, metrics and an artifact, registered as the next version."""
    import mlflow

    artifact = folder / "model.txt"
    artifact.write_text(text)
    with mlflow.start_run() as run:
        mlflow.log_param("brush", text)
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_artifact(str(artifact), "model")
    client = mlflow.MlflowClient()
    if not list(client.search_registered_models(f"name = '{MODEL}'")):
        client.create_registered_model(MODEL)
    version = client.create_model_version(MODEL, f"runs:/{run.info.run_id}/model", run.info.run_id).version
    client.set_registered_model_alias(MODEL, "champion", version)
    return version


def champion() -> str:
    import mlflow

    return mlflow.MlflowClient().get_model_version_by_alias(MODEL, "champion").version


def timed(call: Callable[[], requests.Response], count: int) -> tuple[list[requests.Response], float, float]:
    """The answers, the median and the slowest in milliseconds."""
    answers, times = [], []
    for _ in range(count):
        started = time.perf_counter()
        answers.append(call())
        times.append((time.perf_counter() - started) * 1000)
    return answers, statistics.median(times), max(times)


def show_immediate_answers(gateway: Hokusai) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"
    url = f"{gateway.url}/api/2.0/mlflow/experiments/get?experiment_id=0"
    refusals, median, slowest = timed(lambda: session.get(url, timeout=5), 100)
    say(f"      100 calls refused: median {median:.2f} ms, slowest {slowest:.2f} ms")
    check("every refusal is 503 in MLflow's form", all(is_refusal(answer) for answer in refusals))
    check(f"with Retry-After: {refusals[0].headers['Retry-After']} s", "Retry-After" in refusals[0].headers)
    check("and none took longer than 250 ms", slowest < 250)

    answers, median, slowest = timed(lambda: session.get(f"{gateway.url}/health", timeout=5), 100)
    say(f"      100 health answers: median {median:.2f} ms, slowest {slowest:.2f} ms")
    check("health answers 200 and is as quick", all(a.status_code == 200 for a in answers) and slowest < 250)


def is_refusal(answer: requests.Response) -> bool:
    return answer.status_code == 503 and answer.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"


def story(folder: Path, server: MlflowServer, gateway: Hokusai) -> None:
    say("starting MLflow and hokusai")
    server.start()
    gateway.start()
    use_gateway(gateway)
    server.wait_ready()
    wait("MLflow and hokusai are up, breaker CLOSED", lambda: bool(gateway.get("/ready").json()["ready"]), 20)
    answer = requests.get(f"{gateway.url}/api/2.0/mlflow/experiments/get?experiment_id=0", timeout=5)
    check("without a key the gateway answers 401", answer.status_code == 401)

    version = log_and_register(folder, "first stroke")
    check(f"the stock client logged a run and registered {MODEL} version {version}", version == "1")
    check("and reads it back by its alias", champion() == "1")

    server.kill()
    say("      MLflow killed (SIGKILL)")
    wait("breaker OPEN, without any traffic", lambda: gateway.breaker() == "OPEN", 20)
    check("health says degraded", gateway.health()["status"] == "degraded")
    ready = gateway.get("/ready")
    check("and the balancer keeps this instance", ready.status_code == 200 and ready.json()["can_serve_traffic"])
    show_immediate_answers(gateway)

    server.start()
    say("      MLflow started again; nobody touches the gateway")
    wait("breaker CLOSED by itself", lambda: gateway.breaker() == "CLOSED", 60)
    wait("health says healthy", lambda: gateway.health()["status"] == "healthy", 10)

    version = log_and_register(folder, "second stroke")
    check(f"the same client registered version {version}", version == "2")
    check("and the alias has moved", champion() == "2")


def main() -> int:
    exit_on_sigterm()
    if not is_installed():
        print("mlflow is not installed beside this Python: pip install -r tests/requirements.txt", file=sys.stderr)
        return 2
    if not binary().exists():
        print(f"no hokusai binary at {binary()}: run ./dev build, or set HOKUSAI_BIN", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="hokusai-demo-") as name:
        folder = Path(name)
        server = MlflowServer(folder / "mlflow")
        gateway = Hokusai(folder / "hokusai", mlflow=server.url)
        try:
            story(folder, server, gateway)
            check("hokusai ends cleanly on SIGTERM", gateway.stop() == 0)
        except Exception as error:
            say(f"FAILED {error}")
            if gateway.child:
                print(gateway.log()[-4000:], file=sys.stderr)
            return 1
        finally:
            gateway.stop()
            server.kill()
    took = time.monotonic() - STARTED
    say(f"done: MLflow died and came back, and every claim above was checked ({took:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
