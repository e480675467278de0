"""Creates whose answer was lost: repeated blindly, as MLflow's client does, and never carried out twice."""

from __future__ import annotations

import contextlib
import itertools
import random
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from support.hokusai import QUICK_PROBES, Hokusai
from support.losing_proxy import LosingProxy, is_create
from support.mlflow_server import MlflowServer
from support.process import wait_until
from support.upstream import Exchange

API = "/api/2.0/mlflow"
pytestmark = pytest.mark.timeout(1800)
# The breaker has its own tests: a lost answer is a failure, and this many would open it.
ENV = QUICK_PROBES | {"MLFLOW_CB_ENABLED": "false"}
REPLAYED = "Idempotency-Replayed"
CLIENTS = 4
Serve = Callable[..., Hokusai]


@pytest.fixture
def creates(request: pytest.FixtureRequest) -> int:
    return request.config.getoption("--creates")


@pytest.fixture
def name() -> str:
    return f"resends-{secrets.token_hex(4)}"


@pytest.fixture
def proxy(real_mlflow: MlflowServer) -> Iterator[LosingProxy]:
    with LosingProxy(real_mlflow.port) as one:
        yield one


class BlindClient:
    """Repeats what was not answered, and every 5xx, as MLflow's client does; only sooner."""

    def __init__(self, url: Callable[[], str], patience: float = 120.0):
        self.url = url
        self.patience = patience
        self.session = requests.Session()
        self.repeats = 0

    def post(self, path: str, timeout: float = 60.0, **body: object) -> requests.Response:
        deadline = time.monotonic() + self.patience
        pauses = itertools.chain((0.05, 0.1, 0.2), itertools.repeat(0.4))
        while True:
            with contextlib.suppress(requests.RequestException):
                answer = self.session.post(f"{self.url()}{API}/{path}", json=body, timeout=timeout)
                if answer.status_code < 500:
                    assert answer.status_code == 200, answer.text
                    return answer
                timeout = 60.0
            if time.monotonic() >= deadline:
                raise TimeoutError(f"no answer to {path} {body} in {self.patience} s")
            self.repeats += 1
            time.sleep(next(pauses))

    def create_version(self, name: str, source: str, **more: object) -> int:
        answer = self.post("model-versions/create", name=name, source=source, **more)
        return int(answer.json()["model_version"]["version"])


def versions_at(url: str, name: str) -> dict[int, str]:
    """Every version that is there, with its source."""
    found: dict[int, str] = {}
    token = ""
    while True:
        query = {"filter": f"name='{name}'", "max_results": "1000"} | ({"page_token": token} if token else {})
        page = requests.get(f"{url}{API}/model-versions/search", params=query, timeout=60).json()
        found |= {int(one["version"]): one["source"] for one in page.get("model_versions", [])}
        token = page.get("next_page_token", "")
        if not token:
            return found


def create_many(url: Callable[[], str], models: list[str], count: int, before: Callable[[int], None]) -> Counter[str]:
    """`count` creates by CLIENTS at once; how many versions each model must have now."""
    clients = [BlindClient(url) for _ in range(CLIENTS)]
    made: dict[tuple[str, int], str] = {}
    lock = threading.Lock()

    def work(client: BlindClient, numbers: range) -> None:
        for number in numbers:
            before(number)
            model, source = models[number % len(models)], f"s3://resends/{number}"
            version = client.create_version(model, source)
            with lock:
                assert (model, version) not in made, f"version {version} was given out twice"
                made[model, version] = source

    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in [pool.submit(work, client, range(at, count, CLIENTS)) for at, client in enumerate(clients)]:
            done.result()
    print(f"{count} creates, {sum(client.repeats for client in clients)} repeats")
    return Counter(model for model, _ in made)


def check_versions(url: str, expected: Counter[str]) -> None:
    """No gap, no double."""
    for model, count in expected.items():
        found = versions_at(url, model)
        assert sorted(found) == list(range(1, count + 1))
        assert len(set(found.values())) == count


@pytest.mark.parametrize("replica", ["auto", "off"])
def test_lost_answers_make_no_second_version(
    serve: Serve, real_mlflow: MlflowServer, proxy: LosingProxy, name: str, creates: int, replica: str
) -> None:
    gateway = serve(mlflow=proxy.url, auth="off", env=ENV | {"HOKUSAI_REPLICA_MODE": replica}).wait_ready()
    chance = random.Random(11)
    proxy.loses = lambda exchange: chance.random() < (0.3 if is_create(exchange) else 0.6)
    client = BlindClient(lambda: gateway.url)
    models = [f"{name}-{number}" for number in range(5)]
    for model in models:
        client.post("registered-models/create", name=model)

    expected = create_many(lambda: gateway.url, models, creates, lambda number: None)

    check_versions(real_mlflow.url, expected)
    assert proxy.lost > creates / 10
    # Legitimate: every answer arrived, and the same is asked for again.
    proxy.loses = lambda exchange: False
    again = max(creates // 5, 1)
    for number in range(again):
        version = client.create_version(models[0], "s3://resends/again", tags=[{"key": "k", "value": "v"}])
        assert version == expected[models[0]] + number + 1
    assert len(versions_at(real_mlflow.url, models[0])) == expected[models[0]] + again


@pytest.mark.parametrize("has_mlflow", [True, False], ids=["gateway", "standalone"])
def test_kill_9_makes_no_second_version(
    serve: Serve, request: pytest.FixtureRequest, name: str, creates: int, has_mlflow: bool
) -> None:
    mlflow = request.getfixturevalue("real_mlflow") if has_mlflow else None
    gateway = serve(mlflow=mlflow.url if mlflow else None, auth="off", env=ENV).wait_ready()
    models = [f"{name}-{number}" for number in range(5)]
    for model in models:
        BlindClient(lambda: gateway.url).post("registered-models/create", name=model)
    chance = random.Random(7)
    doomed = set(chance.sample(range(creates), max(creates // 40, 3)))
    lock = threading.Lock()

    def kill_sometimes(number: int) -> None:
        if number in doomed:
            with lock:
                time.sleep(chance.random() * 0.05)  # the others' calls are anywhere on their way
                gateway.running.kill()
                gateway.start()

    expected = create_many(lambda: gateway.url, models, creates, kill_sometimes)

    check_versions(mlflow.url if mlflow else gateway.url, expected)


def test_what_was_left_unsettled_is_looked_up_at_start(
    serve: Serve, real_mlflow: MlflowServer, proxy: LosingProxy, name: str
) -> None:
    gateway = serve(mlflow=proxy.url, auth="off", env=ENV).wait_ready()
    BlindClient(lambda: gateway.url).post("registered-models/create", name=name)
    reached, release = threading.Event(), threading.Event()

    def hold(exchange: Exchange) -> bool:
        if is_create(exchange):
            reached.set()
            return release.wait(30)
        return False

    proxy.loses = hold
    body = {"name": name, "source": "s3://resends/held"}
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: requests.post(f"{gateway.url}{API}/model-versions/create", json=body, timeout=30))
        assert reached.wait(10)
        gateway.running.kill()
        release.set()
    gateway.start().wait_ready()

    wait_until("the intent to be settled", lambda: gateway.metrics()["hokusai_intents_unsettled"] == 0, 30)
    proxy.loses = lambda exchange: False
    answer = requests.post(f"{gateway.url}{API}/model-versions/create", json=body, timeout=30)
    assert answer.json()["model_version"]["version"] == "1"
    assert answer.headers[REPLAYED] == "true"
    assert versions_at(real_mlflow.url, name) == {1: "s3://resends/held"}


def test_a_client_that_gave_up_waiting_gets_the_answer_it_missed(
    serve: Serve, real_mlflow: MlflowServer, proxy: LosingProxy, name: str
) -> None:
    gateway = serve(mlflow=proxy.url, auth="off", env=ENV).wait_ready()
    client = BlindClient(lambda: gateway.url)
    client.post("registered-models/create", name=name)
    release = threading.Event()
    proxy.loses = lambda exchange: is_create(exchange) and not release.wait(30)
    threading.Timer(1.5, release.set).start()

    answer = client.post("model-versions/create", timeout=0.5, name=name, source="s3://resends/slow")

    assert client.repeats > 0
    assert answer.json()["model_version"]["version"] == "1"
    assert versions_at(real_mlflow.url, name) == {1: "s3://resends/slow"}


def test_mlflow_killed_after_its_commit(serve: Serve, real_mlflow: MlflowServer, proxy: LosingProxy, name: str) -> None:
    gateway = serve(mlflow=proxy.url, auth="off", env=ENV).wait_ready()
    BlindClient(lambda: gateway.url).post("registered-models/create", name=name)

    def die(exchange: Exchange) -> bool:
        real_mlflow.kill()
        return True

    proxy.loses = die
    body = {"name": name, "source": "s3://resends/committed", "description": "said at the same time"}
    url = f"{gateway.url}{API}/model-versions/create"
    lost = requests.post(url, json=body, timeout=60)
    assert (lost.status_code, lost.json()["error_code"]) == (504, "DEADLINE_EXCEEDED")
    refused = requests.post(url, json=body, timeout=60)
    assert (refused.status_code, refused.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
    assert int(refused.headers["Retry-After"]) >= 1

    proxy.loses = lambda exchange: False
    real_mlflow.start().wait_ready()
    assert BlindClient(lambda: gateway.url).create_version(**body) == 1
    assert versions_at(real_mlflow.url, name) == {1: "s3://resends/committed"}


def test_an_idempotency_key_gets_the_same_answer_for_a_day(serve: Serve, real_mlflow: MlflowServer, name: str) -> None:
    gateway = serve(mlflow=real_mlflow.url, auth="off", env=ENV).wait_ready()

    def post(path: str, key: str, **body: object) -> requests.Response:
        headers = {"Idempotency-Key": f"{name}-{key}"}
        return requests.post(f"{gateway.url}{API}/{path}", json=body, headers=headers, timeout=30)

    post("registered-models/create", "model", name=name)
    first = post("model-versions/create", "one", name=name, source="s3://resends/x")
    again = post("model-versions/create", "one", name=name, source="s3://resends/x")
    other = post("model-versions/create", "one", name=name, source="s3://resends/y")
    second = post("model-versions/create", "two", name=name, source="s3://resends/x")
    assert (again.status_code, again.json(), again.headers[REPLAYED]) == (200, first.json(), "true")
    assert REPLAYED not in first.headers
    assert (other.status_code, other.json()["error_code"]) == (422, "INVALID_PARAMETER_VALUE")
    assert second.json()["model_version"]["version"] == "2"

    experiment = post("experiments/create", "experiment", name=name)
    repeated = post("experiments/create", "experiment", name=name)
    assert experiment.status_code == 200
    assert (repeated.status_code, repeated.json(), repeated.headers[REPLAYED]) == (200, experiment.json(), "true")
    gateway.running.kill()
    gateway.start().wait_ready()
    assert post("experiments/create", "experiment", name=name).json() == experiment.json()


def test_a_key_in_use_is_a_conflict(serve: Serve, proxy: LosingProxy, name: str) -> None:
    gateway = serve(mlflow=proxy.url, auth="off", env=ENV).wait_ready()
    reached, release = threading.Event(), threading.Event()

    def hold(exchange: Exchange) -> bool:
        if is_create(exchange):
            reached.set()
            return not release.wait(30)
        return False

    proxy.loses = hold

    def post(model: str) -> requests.Response:
        headers = {"Idempotency-Key": name}
        url = f"{gateway.url}{API}/registered-models/create"
        return requests.post(url, json={"name": model}, headers=headers, timeout=30)

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, name)
        assert reached.wait(10)
        same, other = post(name), post(f"{name}-other")
        release.set()
    assert (same.status_code, same.json()["error_code"]) == (409, "RESOURCE_CONFLICT")
    assert other.status_code == 422
    assert first.result().status_code == 200
    assert post(name).headers[REPLAYED] == "true"
