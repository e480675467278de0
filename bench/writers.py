"""The callers of a soak that write: each reads its own writes back, and keeps which were acknowledged."""

from __future__ import annotations

import hashlib
import itertools
import random
import time
from collections import Counter
from collections.abc import Hashable, Iterator

import requests

from bench import bulk
from bench.load import Caller, Client, StockCaller
from bench.servers import API, ARTIFACTS, Gateway
from bench.verdicts import Answer
from support.mlflow_server import MlflowServer

VERSIONS_PER_MODEL = 100
STEPS_PER_RUN = 50
HISTORY_EVERY = 10
LARGE_BYTES = 16 << 20


class RegistryWriter(Caller):
    """Versions with a source of their own, so that one made twice is seen; an alias that must move at once."""

    def __init__(self, client: Client):
        super().__init__(client, "registry writer", 0.5)
        self.models: list[str] = []
        self._numbers = itertools.count()
        self._room = 0

    def step(self) -> None:
        if not self._room and not self._create_model():
            return
        name, source = self.models[-1], f"s3://soak/{next(self._numbers)}"
        self._room -= 1

        def is_it(response: requests.Response) -> bool:
            found = response.json()["model_version"]
            return (found["name"], found["source"]) == (name, source)

        answer, response = self.client.post("registry write", "/model-versions/create", is_it, name=name, source=source)
        self.ledger.note((name, source), answer)
        if answer is not Answer.RIGHT:
            return
        version = response.json()["model_version"]["version"]
        self.client.get("registry read", "/model-versions/get", is_it, name=name, version=version)
        answer, _ = self.client.post(
            "registry write", "/registered-models/alias", _is_empty, name=name, alias="current", version=version
        )
        if answer is Answer.RIGHT:
            self.client.get("registry read", "/registered-models/alias", is_it, name=name, alias="current")

    def _create_model(self) -> bool:
        """A new name each time: whether one exists after a 504 need not be known."""
        name = f"written-{next(self._numbers)}"
        answer, _ = self.client.post(
            "registry write",
            "/registered-models/create",
            lambda response: response.json()["registered_model"]["name"] == name,
            name=name,
        )
        if answer is Answer.RIGHT:
            self.models.append(name)
            self._room = VERSIONS_PER_MODEL
        return answer is Answer.RIGHT

    def stored(self, mlflow: MlflowServer) -> Counter[Hashable]:
        return Counter(
            (found["name"], found["source"])
            for name in self.models
            for found in _pages(mlflow.url, "/model-versions/search", "model_versions", filter=f"name='{name}'")
        )


class RunTracker(Caller):
    """Metrics with a step of their own."""

    def __init__(self, client: Client):
        super().__init__(client, "run tracker", 0.2)
        answer, response = client.post("run tracking", "/experiments/create", bool, name="soak")
        if answer is not Answer.RIGHT:
            raise RuntimeError(f"no experiment: {client.calls[-1]}")
        self.runs: list[str] = []
        self._experiment = response.json()["experiment_id"]
        self._step = STEPS_PER_RUN

    def step(self) -> None:
        if self._step == STEPS_PER_RUN and not self._create_run():
            return
        run, step = self.runs[-1], self._step
        self._step += 1
        metric = {"run_id": run, "key": "loss", "value": float(step), "step": step, "timestamp": int(time.time() * 1e3)}
        answer, _ = self.client.post("run tracking", "/runs/log-metric", _is_empty, **metric)
        self.ledger.note((run, step, float(step)), answer)
        if self._step % HISTORY_EVERY == 0:
            self.client.get("run tracking", "/metrics/get-history", self._is_whole, run_id=run, metric_key="loss")

    def _create_run(self) -> bool:
        answer, response = self.client.post(
            "run tracking",
            "/runs/create",
            lambda response: response.json()["run"]["info"]["experiment_id"] == self._experiment,
            experiment_id=self._experiment,
        )
        if answer is Answer.RIGHT:
            self.runs.append(response.json()["run"]["info"]["run_id"])
            self._step = 0
        return answer is Answer.RIGHT

    def _is_whole(self, response: requests.Response) -> bool:
        run = self.runs[-1]
        found = Counter((run, each["step"], each["value"]) for each in response.json().get("metrics", []))
        acknowledged = {write for write in self.ledger.acknowledged if write[0] == run}
        return acknowledged <= set(found) and max(found.values(), default=0) <= 1

    def stored(self, mlflow: MlflowServer) -> Counter[Hashable]:
        return sum((_history(mlflow.url, run) for run in self.runs), Counter())


class ArtifactCaller(Caller):
    """Small artifacts of random bytes that follow from their names."""

    def __init__(self, client: Client):
        super().__init__(client, "artifact caller", 0.5)
        self._numbers = itertools.count()

    def step(self) -> None:
        name = f"{next(self._numbers)}.bin"
        path = f"{ARTIFACTS}/soak/{name}"
        content = _content(name)
        answer, _ = self.client.call("artifact", "PUT", path, _is_stored, data=content)
        self.ledger.note(name, answer)
        if answer is Answer.RIGHT:
            self.client.call("artifact", "GET", path, lambda response: response.content == content)

    def stored(self, mlflow: MlflowServer) -> Counter[Hashable]:
        """Only those that are whole."""
        files = (mlflow.folder / "artifacts" / "soak").glob("*.bin")
        return Counter(file.name for file in files if file.read_bytes() == _content(file.name))


def _content(name: str) -> bytes:
    choice = random.Random(name)
    return choice.randbytes(choice.randrange(1, 60_000))


class Blocks:
    """A body of known length that is never whole in memory."""

    def __init__(self, total: int):
        self._total = total

    def __len__(self) -> int:
        return self._total

    def __iter__(self) -> Iterator[memoryview]:
        return bulk.blocks(self._total)


class Streamer(Caller):
    """Up, down, compared, deleted; no two of the same length, so that another one's bytes are seen."""

    def __init__(self, client: Client):
        super().__init__(client, "streamer", 4.0)
        self._lengths = itertools.count(LARGE_BYTES, 7)

    def step(self) -> None:
        total = next(self._lengths)
        path = f"{ARTIFACTS}/large/{total}.bin"
        answer, _ = self.client.call("large stream", "PUT", path, _is_stored, data=Blocks(total))
        if answer is not Answer.RIGHT:
            return
        digest = hashlib.sha256()
        for block in bulk.blocks(total):
            digest.update(block)

        def is_it(response: requests.Response) -> bool:
            found = hashlib.sha256()
            for piece in response.iter_content(1 << 16):
                found.update(piece)
            return found.digest() == digest.digest()

        self.client.call("large stream", "GET", path, is_it, stream=True)
        self.client.call("large stream", "DELETE", path, _is_empty)


class StockLogger(StockCaller):
    """Logs to one run."""

    def __init__(self, gateway: Gateway):
        super().__init__(gateway, "stock logger")
        self.run_id = self.stock.create_run(self.stock.create_experiment("soak-stock")).info.run_id
        self._steps = itertools.count()

    def step(self) -> None:
        step = next(self._steps)
        answer = self._ask("log_metric", lambda nothing: nothing is None, self.run_id, "loss", float(step), step=step)
        self.ledger.note((self.run_id, step, float(step)), answer)
        self._ask("set_tag", lambda nothing: nothing is None, self.run_id, "last", str(step))

    def stored(self, mlflow: MlflowServer) -> Counter[Hashable]:
        return _history(mlflow.url, self.run_id)


def _is_empty(response: requests.Response) -> bool:
    return response.json() == {}


def _is_stored(response: requests.Response) -> bool:
    return response.content == b""


def _history(mlflow_url: str, run: str) -> Counter[Hashable]:
    found = _pages(mlflow_url, "/metrics/get-history", "metrics", run_id=run, metric_key="loss")
    return Counter((run, each["step"], each["value"]) for each in found)


def _pages(mlflow_url: str, path: str, field: str, **query: object) -> Iterator[dict]:
    token = None
    while token is None or token:
        page = requests.get(mlflow_url + API + path, params={**query, "page_token": token}, timeout=60)
        page.raise_for_status()
        yield from page.json().get(field, [])
        token = page.json().get("next_page_token", "")
