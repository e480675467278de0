"""The stock client's own operations, and a recorder of what they put on the wire."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import mlflow
import requests
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from support.differential import Answer

Memory = dict[str, str]  # ids one step leaves for the next, one per server
Step = Callable[[MlflowClient, Memory], object]
THEN = 1700000000000


@contextlib.contextmanager
def recorded() -> Iterator[list[tuple[str, Answer]]]:
    """Everything `requests` sends meanwhile, as (method and path with query, answer); streamed bodies are left out."""
    exchanges: list[tuple[str, Answer]] = []
    send = requests.adapters.HTTPAdapter.send

    def recording(self: object, request: requests.PreparedRequest, stream: bool = False, **more: object):
        response = send(self, request, stream=stream, **more)
        url = urlsplit(request.url)
        body = b"" if stream else response.content
        fields = list(response.raw.headers.items())
        exchanges.append((f"{request.method} {url.path}?{url.query}", Answer(response.status_code, fields, body)))
        return response

    requests.adapters.HTTPAdapter.send = recording
    try:
        yield exchanges
    finally:
        requests.adapters.HTTPAdapter.send = send


def _create_run(client: MlflowClient, memory: Memory) -> object:
    memory["experiment"] = client.create_experiment("client", tags={"who": "stock"})
    run = client.create_run(memory["experiment"], start_time=THEN, run_name="client run", tags={"mlflow.user": "ada"})
    memory["run"] = run.info.run_id
    return run.info.status


def _log_batch(client: MlflowClient, memory: Memory) -> object:
    metrics = [Metric("loss", 1 / step, THEN, step) for step in range(1, 50)]
    return client.log_batch(memory["run"], metrics, [Param("p", "1")], [RunTag("t", "2")])


def _upload(client: MlflowClient, memory: Memory) -> object:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "weights.bin")
        path.write_bytes(bytes(range(256)) * 2000)
        return client.log_artifact(memory["run"], str(path), "nested/deep")


def _download(client: MlflowClient, memory: Memory) -> object:
    with tempfile.TemporaryDirectory() as folder:
        return Path(client.download_artifacts(memory["run"], "nested/deep/weights.bin", folder)).read_bytes()


def _create_version(client: MlflowClient, memory: Memory) -> object:
    return client.create_model_version("stock", f"runs:/{memory['run']}/nested", memory["run"]).version


def _last_metrics(client: MlflowClient, memory: Memory) -> object:
    return client.get_run(memory["run"]).data.metrics


def _find_runs(client: MlflowClient, memory: Memory) -> object:
    found = client.search_runs([memory["experiment"]], "metrics.loss < 0.5", max_results=1)
    return [run.info.run_name for run in found], found.token


def _missing_alias(client: MlflowClient, memory: Memory) -> object:
    try:
        return client.get_model_version_by_alias("stock", "nobody")
    except mlflow.MlflowException as error:
        return error.error_code, str(error)


STEPS: list[tuple[str, Step]] = [
    ("create experiment and run", _create_run),
    ("log parameter", lambda client, memory: client.log_param(memory["run"], "lr", 0.1)),
    ("log metric", lambda client, memory: client.log_metric(memory["run"], "auc", 0.9, THEN, 1)),
    ("log batch", _log_batch),
    ("set tag", lambda client, memory: client.set_tag(memory["run"], "phase", "train")),
    ("log text", lambda client, memory: client.log_text(memory["run"], "höher", "notes/größe.txt")),
    ("log dictionary", lambda client, memory: client.log_dict(memory["run"], {"a": [1, 2]}, "config.json")),
    ("upload artifact", _upload),
    ("list artifacts", lambda client, memory: [item.path for item in client.list_artifacts(memory["run"], "nested")]),
    ("download artifact", _download),
    ("read metrics", _last_metrics),
    ("metric history", lambda client, memory: [m.value for m in client.get_metric_history(memory["run"], "loss")]),
    ("search runs", _find_runs),
    ("search experiments", lambda client, memory: [e.name for e in client.search_experiments(max_results=3)]),
    ("end run", lambda client, memory: client.set_terminated(memory["run"], end_time=THEN + 9)),
    ("create model", lambda client, memory: client.create_registered_model("stock", {"a": "b"}, "by client").name),
    ("create version", _create_version),
    ("set alias", lambda client, memory: client.set_registered_model_alias("stock", "champion", 1)),
    ("get by alias", lambda client, memory: client.get_model_version_by_alias("stock", "champion").version),
    ("get by missing alias", _missing_alias),
    ("set version tag", lambda client, memory: client.set_model_version_tag("stock", "1", "ok", "yes")),
    ("update version", lambda client, memory: client.update_model_version("stock", "1", "text").description),
    ("latest versions", lambda client, memory: [v.version for v in client.get_latest_versions("stock")]),
    ("stage", lambda client, memory: client.transition_model_version_stage("stock", "1", "Staging").current_stage),
    ("search versions", lambda client, memory: [v.version for v in client.search_model_versions("name='stock'")]),
    ("search models", lambda client, memory: [m.name for m in client.search_registered_models(max_results=4)]),
    ("rename model", lambda client, memory: client.rename_registered_model("stock", "bond")),
    ("delete alias", lambda client, memory: client.delete_registered_model_alias("bond", "champion")),
    ("delete version", lambda client, memory: client.delete_model_version("bond", "1")),
    ("delete model", lambda client, memory: client.delete_registered_model("bond")),
    ("search traces", lambda client, memory: len(client.search_traces(locations=[memory["experiment"]]))),
]
