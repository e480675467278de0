"""More calls than MLflow can take: places are shared out by key, hopeless calls are told so, operators get through."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from support import wire
from support.hokusai import Hokusai, Key
from support.process import wait_until
from support.upstream import Exchange, Upstream, message

API = "/api/2.0/mlflow"
PLACES, QUEUE = 2, 4
QUEUED = 'hokusai_mlflow_calls_queued{gate="api"}'
REFUSED = 'hokusai_mlflow_calls_refused_total{gate="api",reason="%s"}'
Serve = Callable[..., Hokusai]


class Turnstile:
    """A handler that lets one call end for each release()."""

    def __init__(self) -> None:
        self._turns = threading.Semaphore(0)

    def __call__(self, exchange: Exchange) -> None:
        exchange.read_body()
        self._turns.acquire(timeout=30)
        exchange.send(message(200, [], b"{}"))

    def release(self, count: int = 1) -> None:
        self._turns.release(count)


@pytest.fixture
def turnstile(upstream: Upstream) -> Iterator[Turnstile]:
    one = Turnstile()
    upstream.script(one)
    yield one
    one.release(100)


@pytest.fixture
def gateway(serve: Serve, upstream: Upstream) -> Hokusai:
    env = {"HOKUSAI_MLFLOW_CONCURRENCY": str(PLACES), "HOKUSAI_MLFLOW_QUEUE": str(QUEUE)}
    return serve(mlflow=upstream.url, env=env).wait_ready()


def ask(client: wire.Client, key: Key, path: str) -> None:
    client.send(wire.request("GET", f"{API}/{path}", list(key.bearer.items())))


def queue_up(gateway: Hokusai, upstream: Upstream, clients: list[wire.Client], key: Key) -> None:
    """All places and the whole queue taken by one key, in the order of `clients`."""
    for number, client in enumerate(clients):
        ask(client, key, f"greedy/{number}")
        if number < PLACES:
            upstream.wait_for_calls(number + 1)
        else:
            wait_until("the call to queue", lambda n=number: gateway.metrics()[QUEUED] == n + 1 - PLACES)


def test_modest_key_is_served_next(gateway: Hokusai, upstream: Upstream, turnstile: Turnstile) -> None:
    greedy, modest = gateway.create_key("mlflow:read", name="greedy"), gateway.create_key("mlflow:read", name="modest")
    with wire.clients(gateway.port, PLACES + 3) as crowd, wire.Client(gateway.port) as client:
        queue_up(gateway, upstream, crowd, greedy)
        ask(client, modest, "modest")
        wait_until("the modest call to queue", lambda: gateway.metrics()[QUEUED] == 4)

        turnstile.release()
        assert upstream.wait_for_calls(PLACES + 1)[PLACES].path == f"{API}/modest"

        turnstile.release(10)
        assert {one.response().status for one in [client, *crowd]} == {200}
    paths = [call.path for call in upstream.calls if "greedy" in call.path]
    assert sorted(paths) == [f"{API}/greedy/{number}" for number in range(PLACES + 3)]


def test_full_queue_refuses_the_crowd_at_once_and_makes_room_for_others(
    gateway: Hokusai, upstream: Upstream, turnstile: Turnstile
) -> None:
    greedy, modest = gateway.create_key("mlflow:read", name="greedy"), gateway.create_key("mlflow:read", name="modest")
    with wire.clients(gateway.port, PLACES + QUEUE) as crowd, wire.clients(gateway.port, 2) as (late, client):
        queue_up(gateway, upstream, crowd, greedy)

        ask(late, greedy, "greedy/late")
        refusal = late.response()
        ask(client, modest, "modest")
        displaced = crowd[-1].response()

        for answer in (refusal, displaced):
            assert answer.status == 503
            assert b"TEMPORARILY_UNAVAILABLE" in answer.body
            assert 15 <= int(answer.get("Retry-After")) <= 30
        assert len(upstream.calls) == PLACES, "nothing had moved meanwhile"
        assert gateway.metrics()[REFUSED % "queue_full"] == 2
        turnstile.release(20)
        assert {one.response().status for one in [client, *crowd[:-1]]} == {200}


def test_hopeless_call_is_refused_at_once(serve: Serve, upstream: Upstream) -> None:
    env = {"HOKUSAI_MLFLOW_CONCURRENCY": "1", "HOKUSAI_MLFLOW_QUEUE": "1000"}
    gateway = serve(mlflow=upstream.url, auth="off", env=env).wait_ready()

    def answer_slowly(exchange: Exchange) -> None:
        exchange.stop.wait(0.15)
        exchange.send(message(200, [], b"{}"))

    upstream.script(answer_slowly)
    with wire.clients(gateway.port, 500) as crowd, wire.Client(gateway.port) as late:
        for number, client in enumerate(crowd):
            client.send(wire.request("GET", f"{API}/any/{number}"))
        wait_until(
            "the pace of the queue to be known", lambda: len(upstream.calls) > 10 and gateway.metrics()[QUEUED] > 400
        )

        answer = late.call("GET", f"{API}/late")

        assert (answer.status, int(answer.get("Retry-After"))) == (503, 30)
        assert gateway.metrics()[REFUSED % "hopeless"] == 1
    assert not any(call.path.endswith("late") for call in upstream.calls)


def test_operators_get_through(gateway: Hokusai, upstream: Upstream, turnstile: Turnstile) -> None:
    greedy, admin = gateway.create_key("mlflow:read", name="greedy"), gateway.create_key("admin", name="admin")
    with wire.clients(gateway.port, PLACES + QUEUE) as crowd:
        queue_up(gateway, upstream, crowd, greedy)

        statuses = {path: gateway.get(path).status_code for path in ("/health", "/ready", "/livez", "/metrics", "/")}
        reset = wire.call(gateway.port, "POST", "/health/mlflow/reset", list(admin.bearer.items()))

        assert set(statuses.values()) == {200}, statuses
        assert reset.status == 200
        assert gateway.metrics()[QUEUED] == QUEUE
        assert gateway.metrics()['hokusai_mlflow_concurrency_limit{gate="api"}'] == PLACES
        turnstile.release(20)
        assert {one.response().status for one in crowd} == {200}
