"""The callers of a soak: threads at a steady rate that check every answer against what they asked for."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable
from pathlib import Path

import requests

from bench.servers import API, Gateway, stock_client
from bench.verdicts import Answer, Call, Ledger, classify
from support import hokusai
from support.hokusai import SAMPLE
from support.mlflow_server import MlflowServer

TIMEOUT_SECONDS = 125.0  # as MLflow's client, and a little more than any limit
REVOCATION_SECONDS = 3.0  # until a revoked key is refused: keys are read every second
MODELS = 40
CUT_SIGNS = ("Response ended prematurely", "IncompleteRead")
GAVE_UP_SIGN = "too many 503 error responses"
PATIENCE_SECONDS = 90.0  # of MLflow's client with 503s: seven times at least 15 s, less the first
RESET = "/health/mlflow/reset"
Check = Callable[[requests.Response], bool]


class Client:
    """A bare HTTP client with a key of its own that tries nothing twice and keeps what became of each call."""

    def __init__(self, gateway: Gateway, name: str, scope: str = "mlflow:write"):
        self.calls: list[Call] = []
        self._name = name
        self._url = gateway.url
        self._numbers = itertools.count()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.update(gateway.create_key(scope, name=name).bearer)

    def call(
        self, route: str, method: str, path: str, check: Check, *, status: int = 200, **options: object
    ) -> tuple[Answer, requests.Response | None]:
        """The answer counts as right with this status, if `check` finds in it what was asked for."""
        request_id = f"{self._name}-{next(self._numbers)}"
        headers = {"X-Request-Id": request_id, **options.pop("headers", {})}
        begin = time.monotonic()
        response, detail = None, ""
        try:
            response = self._session.request(
                method, self._url + path, headers=headers, timeout=TIMEOUT_SECONDS, **options
            )
            if response.headers.get("X-Request-Id") != request_id:
                answer, detail = Answer.WRONG, f"answers request {response.headers.get('X-Request-Id')}"
            elif response.status_code != status:
                answer = classify(response, is_write=method != "GET")
                detail = f"{response.status_code} {response.text[:200]}"
            else:
                answer = Answer.RIGHT if _holds(check, response) else Answer.WRONG
        except requests.exceptions.ChunkedEncodingError as error:
            answer, detail = Answer.CUT, str(error)
        except requests.ConnectionError as error:
            answer, detail = Answer.CLOSED, str(error)
        except requests.RequestException as error:
            answer, detail = Answer.FAILED, repr(error)
        if answer is Answer.WRONG and response is not None and not options.get("stream"):
            detail += f" {response.content[:200]!r}"
        self.calls.append(Call(route, begin, time.monotonic(), answer, f"{request_id} {method} {path}: {detail}"[:300]))
        return answer, response

    def get(self, route: str, path: str, check: Check, **query: object) -> tuple[Answer, requests.Response | None]:
        return self.call(route, "GET", API + path, check, params=query)

    def post(self, route: str, path: str, check: Check, **body: object) -> tuple[Answer, requests.Response | None]:
        return self.call(route, "POST", API + path, check, json=body)

    def close(self) -> None:
        self._session.close()


def _holds(check: Check, response: requests.Response) -> bool:
    try:
        return check(response)
    except (ValueError, LookupError, TypeError):  # not JSON, or not of that form
        return False


class Caller(threading.Thread):
    """Calls step() every so often until stopped; a caller that breaks down is a defect of the soak and is raised."""

    def __init__(self, client: Client, name: str, every: float):
        super().__init__(name=name, daemon=True)
        self.client = client
        self.ledger = Ledger()
        self.error: Exception | None = None
        self._every = every
        self._stopped = threading.Event()

    def step(self) -> None:
        raise NotImplementedError

    def stored(self, mlflow: MlflowServer) -> Counter[Hashable]:
        """What MLflow itself holds of this caller's writes."""
        return Counter()

    def run(self) -> None:
        try:
            while not self._stopped.wait(self._every):
                self.step()
        except Exception as error:
            self.error = error

    def stop(self) -> None:
        self._stopped.set()


def model_name(number: int) -> str:
    return f"soak-{number}"


def create_models(client: Client) -> None:
    """What the readers ask for."""
    for name in map(model_name, range(MODELS)):
        made = [
            client.post("registry write", "/registered-models/create", bool, name=name),
            client.post("registry write", "/model-versions/create", bool, name=name, source=f"s3://soak/{name}"),
            client.post("registry write", "/registered-models/alias", bool, name=name, alias="champion", version="1"),
        ]
        if any(answer is not Answer.RIGHT for answer, _ in made):
            raise RuntimeError(f"{name} could not be created: {client.calls[-3:]}")


class RegistryReader(Caller):
    """Each answer names the model that was asked for, so another one's answer is seen."""

    def __init__(self, client: Client, number: int):
        super().__init__(client, f"registry reader {number}", 0.2)
        self._choice = random.Random(number)

    def step(self) -> None:
        name = model_name(self._choice.randrange(MODELS))
        version = {"name": name, "version": "1"}
        path, query, check = self._choice.choice(
            [
                ("/registered-models/get", {"name": name}, lambda body: body["registered_model"]["name"] == name),
                ("/registered-models/alias", {"name": name, "alias": "champion"}, _is_version(name)),
                ("/model-versions/get", version, _is_version(name)),
                (
                    "/model-versions/get-download-uri",
                    version,
                    lambda body: body == {"artifact_uri": f"s3://soak/{name}"},
                ),
                (
                    "/registered-models/search",
                    {"filter": f"name='{name}'"},
                    lambda body: [each["name"] for each in body["registered_models"]] == [name],
                ),
            ]
        )
        self.client.get("registry read", path, lambda response: check(response.json()), **query)


def _is_version(name: str) -> Callable[[dict], bool]:
    return lambda body: (body["model_version"]["name"], body["model_version"]["source"]) == (name, f"s3://soak/{name}")


class MetricsReader(Caller):
    """Counters that go back would tell of a restart."""

    def __init__(self, client: Client):
        super().__init__(client, "metrics reader", 0.5)
        self._accepted = 0.0

    def step(self) -> None:
        self.client.call("metrics", "GET", "/metrics", self._check)

    def _check(self, response: requests.Response) -> bool:
        samples = (SAMPLE.match(line) for line in response.text.splitlines())
        values = {found[1]: float(found[3]) for found in samples if found}
        before, self._accepted = self._accepted, values["hokusai_http_connections_accepted_total"]
        return self._accepted >= before and values["mlflow_circuit_breaker_state"] in (0, 1, 2)


class Operator(Caller):
    """Reloads settings, makes and revokes keys, and tries what its key doesn't allow, whatever MLflow does."""

    def __init__(self, client: Client, gateway: Gateway, config: Path):
        super().__init__(client, "operator", 4.0)
        self.reloads = 0
        self.keys = 0
        self._gateway = gateway
        self._config = config
        self._acts = itertools.cycle([self._reload, self._turn_a_key_over, self._try_what_is_not_allowed])

    def step(self) -> None:
        next(self._acts)()

    def _reload(self) -> None:
        write_config(self._config, ("debug", "info")[self.reloads % 2])
        os.kill(self._gateway.pid, signal.SIGHUP)
        self.reloads += 1

    def _try_what_is_not_allowed(self) -> None:
        self._expect(403, {})

    def _turn_a_key_over(self) -> None:
        """A new key is known at once, a revoked one unknown within seconds."""
        key = self._gateway.create_key("mlflow:read", name=f"passing-{self.keys}")
        self.keys += 1
        self._expect(403, key.bearer)
        hokusai.run("keys", "revoke", "--data", str(self._gateway.data), key.id)
        self._stopped.wait(REVOCATION_SECONDS)
        self._expect(401, key.bearer)

    def _expect(self, status: int, headers: dict[str, str]) -> None:
        """401 to a stranger, 403 to whoever may not reset the breaker."""
        self.client.call("admin", "POST", RESET, lambda response: True, status=status, headers=headers)


def reset_breaker(administrator: Client) -> None:
    administrator.call("admin", "POST", RESET, lambda response: True)


def write_config(path: Path, log_level: str) -> None:
    """Replaced whole, as a deployment does it."""
    new = path.with_suffix(".new")
    new.write_text(f'[log]\nlevel = "{log_level}"\n')
    new.replace(path)


class StockCaller(Caller):
    """MLflow's own client with its default settings. It waits and repeats by itself, except for a broken body."""

    def __init__(self, gateway: Gateway, name: str):
        super().__init__(Client(gateway, name), name, 0.5)
        self.stock = stock_client(gateway.url, gateway.key)

    def _ask(self, what: str, check: Callable[[object], bool], *arguments: object, **options: object) -> Answer:
        begin = time.monotonic()
        detail = ""
        try:
            result = getattr(self.stock, what)(*arguments, **options)
            answer = Answer.RIGHT if check(result) else Answer.WRONG
            detail = "" if answer is Answer.RIGHT else repr(result)[:200]
        except Exception as error:  # whatever the client raises is the finding
            detail = repr(error)
            answer = _meaning(detail, time.monotonic() - begin)
        self.client.calls.append(Call("stock client", begin, time.monotonic(), answer, f"{what}: {detail[:300]}"))
        return answer


def _meaning(error: str, seconds: float) -> Answer:
    """Of what MLflow's client raised after so long."""
    if any(sign in error for sign in CUT_SIGNS):
        return Answer.CUT
    has_waited = GAVE_UP_SIGN in error and seconds >= PATIENCE_SECONDS
    return Answer.REFUSED if has_waited else Answer.FAILED


class StockReader(StockCaller):
    def __init__(self, gateway: Gateway):
        super().__init__(gateway, "stock reader")
        self._choice = random.Random(0)

    def step(self) -> None:
        name = model_name(self._choice.randrange(MODELS))
        self._ask("get_registered_model", lambda model: model.name == name, name)
        self._ask(
            "get_model_version_by_alias",
            lambda found: (found.name, found.source) == (name, f"s3://soak/{name}"),
            name,
            "champion",
        )
