"""Equal reads that wait for MLflow at the same time are asked once; whatever could differ is asked apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from support import wire
from support.hokusai import Hokusai, Key
from support.process import wait_until
from support.upstream import Exchange, Upstream, message

API = "/api/2.0/mlflow"
ALIAS = f"{API}/registered-models/alias?name=m&alias=champion"
QUEUED = 'hokusai_mlflow_calls_queued{gate="api"}'
COALESCED = "hokusai_mlflow_coalesced_total"
Serve = Callable[..., Hokusai]


class NumberedAnswers:
    """Answers each call with its number; the first waits until it is let go, and those after it come one by one."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.fields: list[tuple[str, str]] = []
        self.padding = 0
        self._count = 0

    def __call__(self, exchange: Exchange) -> None:
        exchange.read_body()
        self._count += 1
        number = self._count
        self.gate.wait(30)
        exchange.send(message(200, self.fields, b'{"call": %d}' % number + b" " * self.padding))


@pytest.fixture
def answers(upstream: Upstream) -> Iterator[NumberedAnswers]:
    one = NumberedAnswers()
    upstream.script(one)
    yield one
    one.gate.set()


@pytest.fixture
def gateway(serve: Serve, upstream: Upstream) -> Hokusai:
    """One place towards MLflow and one worker: whoever comes second waits."""
    return serve(
        mlflow=upstream.url, threads=1, env={"HOKUSAI_MLFLOW_CONCURRENCY": "1", "HOKUSAI_REPLICA": "off"}
    ).wait_ready()


@pytest.fixture
def key(gateway: Hokusai) -> Key:
    return gateway.create_key("mlflow:write", name="fleet")


def ask(
    client: wire.Client, key: Key, target: str, method: str = "GET", fields: list[tuple[str, str]] | None = None
) -> None:
    client.send(wire.request(method, target, [*key.bearer.items(), *(fields or [])]))


def occupy(client: wire.Client, key: Key, upstream: Upstream) -> None:
    """MLflow's one place is taken."""
    ask(client, key, f"{API}/experiments/get?experiment_id=1")
    upstream.wait_for_calls(1)


def queue(gateway: Hokusai, client: wire.Client, key: Key, target: str, queued: int) -> None:
    ask(client, key, target)
    wait_until(f"{queued} calls to queue", lambda: gateway.metrics()[QUEUED] == queued)


def join(gateway: Hokusai, clients: list[wire.Client], key: Key, **more: object) -> None:
    """All ask for the alias, and the one worker has read what they sent."""
    for client in clients:
        ask(client, key, ALIAS, **more)
    assert wire.call(gateway.port, "GET", "/livez").status == 200


def test_equal_reads_that_wait_are_one_call(
    gateway: Hokusai, key: Key, upstream: Upstream, answers: NumberedAnswers
) -> None:
    with wire.clients(gateway.port, 6) as (first, *fleet):
        occupy(first, key, upstream)
        queue(gateway, fleet[0], key, ALIAS, 1)
        join(gateway, fleet[1:], key, fields=[("X-Request-Id", "mine")])
        answers.gate.set()

        got = [client.response() for client in fleet]

    assert {(answer.status, answer.body) for answer in got} == {(200, b'{"call": 2}')}
    assert [answer.get("X-Request-Id") for answer in got[1:]] == ["mine"] * 4
    assert got[0].get("X-Request-Id") != "mine"
    assert len(upstream.calls) == 2
    assert gateway.metrics()[COALESCED] == 4


@pytest.mark.parametrize(
    "other",
    [
        {"target": ALIAS + "2"},
        {"target": ALIAS, "fields": [("X-MLFLOW-WORKSPACE", "team-b")]},
        {"target": ALIAS, "fields": [("Cookie", "session=1")]},
        {"target": ALIAS, "method": "HEAD"},
        {"target": ALIAS.replace("/alias?", "/set-tag?"), "method": "POST"},
    ],
)
def test_reads_that_could_differ_are_asked_apart(
    gateway: Hokusai, key: Key, upstream: Upstream, answers: NumberedAnswers, other: dict
) -> None:
    with wire.clients(gateway.port, 3) as (first, one, two):
        occupy(first, key, upstream)
        queue(gateway, one, key, ALIAS, 1)
        ask(two, key, **other)
        wait_until("both to queue", lambda: gateway.metrics()[QUEUED] == 2)
        answers.gate.set()

        assert one.response().status == 200
        assert two.response(other.get("method", "GET")).status == 200
    assert len(upstream.calls) == 3


def test_other_key_is_asked_apart(gateway: Hokusai, key: Key, upstream: Upstream, answers: NumberedAnswers) -> None:
    other = gateway.create_key("mlflow:read", name="other")
    with wire.clients(gateway.port, 3) as (first, one, two):
        occupy(first, key, upstream)
        queue(gateway, one, key, ALIAS, 1)
        queue(gateway, two, other, ALIAS, 2)
        answers.gate.set()

        assert {one.response().body, two.response().body} == {b'{"call": 2}', b'{"call": 3}'}


def test_who_comes_after_a_read_was_sent_is_asked_anew(
    gateway: Hokusai, key: Key, upstream: Upstream, answers: NumberedAnswers
) -> None:
    """Its own write may lie between the two."""
    with wire.clients(gateway.port, 2) as (one, two):
        ask(one, key, ALIAS)
        upstream.wait_for_calls(1)
        queue(gateway, two, key, ALIAS, 1)
        answers.gate.set()

        assert (one.response().body, two.response().body) == (b'{"call": 1}', b'{"call": 2}')


def test_leader_that_leaves_hands_over(
    gateway: Hokusai, key: Key, upstream: Upstream, answers: NumberedAnswers
) -> None:
    with wire.clients(gateway.port, 4) as (first, leader, one, two):
        occupy(first, key, upstream)
        queue(gateway, leader, key, ALIAS, 1)
        join(gateway, [one, two], key)
        leader.sock.close()
        cancelled = 'hokusai_mlflow_calls_total{outcome="cancelled"}'
        wait_until("the leader to be missed", lambda: gateway.metrics()[cancelled] == 1)
        wait_until("another to lead", lambda: gateway.metrics()[QUEUED] == 1)
        answers.gate.set()

        assert (one.response().body, two.response().body) == (b'{"call": 2}', b'{"call": 2}')
    assert len(upstream.calls) == 2


@pytest.mark.parametrize("case", ["set_cookie", "large", "breaks_off"])
def test_answer_that_cannot_be_shared_makes_each_ask(
    gateway: Hokusai, key: Key, upstream: Upstream, answers: NumberedAnswers, case: str
) -> None:
    if case == "set_cookie":
        answers.fields = [("Set-Cookie", "session=1")]
    elif case == "large":
        answers.padding = 100_000
    with wire.clients(gateway.port, 4) as (first, *fleet):
        occupy(first, key, upstream)
        if case == "breaks_off":
            upstream.script(break_off_once(answers))
        queue(gateway, fleet[0], key, ALIAS, 1)
        join(gateway, fleet[1:], key)
        answers.gate.set()

        got = [client.response() for client in fleet]

    if case == "breaks_off":
        assert sorted(answer.status for answer in got) == [200, 200, 503]
    else:
        assert {answer.status for answer in got} == {200}
        assert len({answer.body for answer in got}) == 3
    assert gateway.metrics()[COALESCED] == 0


def break_off_once(answers: NumberedAnswers) -> Callable[[Exchange], None]:
    calls = []

    def handle(exchange: Exchange) -> None:
        calls.append(exchange)
        if len(calls) > 1:
            answers(exchange)
            return
        exchange.read_body()
        exchange.send(message(200, [("Content-Length", "100")], b'{"cut'))
        exchange.close()

    return handle


def test_follower_that_leaves_is_forgotten(
    gateway: Hokusai, key: Key, upstream: Upstream, answers: NumberedAnswers
) -> None:
    with wire.clients(gateway.port, 4) as (first, leader, leaver, one):
        occupy(first, key, upstream)
        queue(gateway, leader, key, ALIAS, 1)
        join(gateway, [leaver, one], key)
        leaver.sock.close()
        cancelled = 'hokusai_mlflow_calls_total{outcome="cancelled"}'
        wait_until("the leaver to be missed", lambda: gateway.metrics()[cancelled] == 1)
        answers.gate.set()

        assert (leader.response().body, one.response().body) == (b'{"call": 2}', b'{"call": 2}')
    assert gateway.metrics()[COALESCED] == 1
