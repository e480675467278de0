"""Ambiguous and malformed requests: what each is answered, and that the upstream got exactly what it should.

The cases are data, in tests/hostile/requests. Behind each goes an honest second request, which shows where the gateway
believes the first to end: it must be served when the first was, and must not be when the connection had to end. What
does reach the upstream is parsed a second time by h11, the parser of MLflow's own server.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator

import h11
import pytest

from support import corpus, wire
from support.corpus import RequestCase
from support.hokusai import Hokusai
from support.process import wait_until
from support.upstream import Exchange, Upstream, reply

CASES = {case.name: case for case in corpus.requests()}
TOKEN = "hk-token-of-the-upstream"
# Written anew for every call; the others appear only with a key.
OWN = {"host", "via", "traceparent", "x-request-id", "x-forwarded-for", "x-forwarded-proto"}
OWN_AT_TIMES = {"x-forwarded-host", "x-hokusai-api-key-id", "x-hokusai-user-id"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream(reply(body=b"")) as one:
        yield one


class Gateways:
    """One of each kind, started when first asked for. A single thread each, so that calls keep their order."""

    def __init__(self, start: Callable[..., Hokusai], upstream: Upstream):
        self._start = start
        self._upstream = upstream
        self._started: dict[str, tuple[Hokusai, dict[str, str]]] = {}

    def get(self, kind: str) -> tuple[Hokusai, dict[str, str]]:
        """The gateway and the values that the texts of its cases may name."""
        if kind not in self._started:
            self._started[kind] = self._make(kind)
        return self._started[kind]

    def _make(self, kind: str) -> tuple[Hokusai, dict[str, str]]:
        env = {} if kind == "open" else {"HOKUSAI_MLFLOW_TOKEN": TOKEN}
        if kind == "forwarding":
            env = {"HOKUSAI_MLFLOW_FORWARD_AUTH": "true"}
        auth = "off" if kind == "open" else "required"
        gateway = self._start(mlflow=self._upstream.url, auth=auth, threads=1, env=env).wait_ready()
        if kind == "open":
            return gateway, {}
        values = {
            "reader": gateway.create_key("mlflow:read", name="reader").secret,
            "writer": gateway.create_key("mlflow:write", name="writer").secret,
            "stranger": "hk_live_" + "0" * 32,
        }
        values["basic"] = base64.b64encode(f"user:{values['writer']}".encode()).decode()
        return gateway, values


@pytest.fixture(scope="module")
def gateways(serve_module: Callable[..., Hokusai], upstream: Upstream) -> Gateways:
    return Gateways(serve_module, upstream)


def converse(port: int, case: RequestCase, data: bytes, pieces: int) -> list[int]:
    """All our status codes up to the end of the connection, or to one more than the case has."""
    size = max(1, -(-len(data) // pieces))
    statuses = []
    with wire.Client(port, timeout=5) as client, contextlib.suppress(wire.Closed):
        for start in range(0, len(data), size):
            client.send(data[start : start + size])
        if case.then == "end":
            client.end_sending()
        for method in ["HEAD" if case.send.startswith("HEAD ") else "GET", *["GET"] * len(case.statuses)]:
            statuses.append(client.response(method).status)
    return statuses


def judge_with_h11(call: Exchange) -> None:
    """Raises unless h11 finds the same call in the same bytes, without trailers, and nothing behind it."""
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    parser.receive_data(call.head.raw + call.raw_body)
    request = parser.next_event()
    body = b""
    while isinstance(event := parser.next_event(), h11.Data):
        body += event.data
    assert isinstance(event, h11.EndOfMessage)
    assert not event.headers
    assert (request.method.decode(), request.target.decode(), body) == (call.method, call.target, call.body)
    assert len(request.headers) == len(call.head.fields)
    assert parser.trailing_data[0] == b""
    assert b";" not in call.raw_body  # h11 forgets chunk extensions; no body of the corpus holds a semicolon


def described(call: Exchange, upstream: Upstream) -> str:
    """The call in the corpus's form: without what the gateway writes itself, which is checked here."""
    names = [name.lower() for name, _ in call.head.fields]
    assert {name: names.count(name) for name in OWN} == dict.fromkeys(OWN, 1)
    assert max(map(names.count, OWN_AT_TIMES)) <= 1
    assert call.head.get("Host") == upstream.authority
    assert (call.head.get("X-Forwarded-For"), call.head.get("X-Forwarded-Proto")) == ("127.0.0.1", "http")
    lines = [f"{name}: {value}" for name, value in call.head.fields if name.lower() not in OWN | OWN_AT_TIMES]
    head = "\r\n".join([call.head.start, *lines, "", ""]).encode("latin-1")
    return corpus.to_text(head + call.body)


@pytest.mark.parametrize("pieces", [1, 200], ids=["at once", "in pieces"])
@pytest.mark.parametrize("name", CASES)
def test_hostile_request(gateways: Gateways, upstream: Upstream, name: str, pieces: int) -> None:
    case = CASES[name]
    gateway, values = gateways.get(case.gateway)
    upstream.calls.clear()
    key = [("X-API-Key", values["writer"])] if values else []
    follow_up = wire.request("GET", "/mlflow/follow-up", key) if case.then == "follow up" else b""

    statuses = converse(gateway.port, case, corpus.to_bytes(case.send, values) + follow_up, pieces)

    assert statuses == case.statuses + [200] * case.is_kept
    upstream.settle()
    calls = list(upstream.calls)
    assert not case.is_kept or calls.pop().target == "/follow-up"
    if case.upstream == "cut short":
        (call,) = calls
        wait_until("the upstream to see the body end early", lambda: call.is_aborted)
        return
    expected = "" if case.upstream == "nothing" else corpus.to_text(corpus.to_bytes(case.upstream, values))
    assert "".join(described(call, upstream) for call in calls) == expected
    for call in calls:
        judge_with_h11(call)


def test_corpus_is_large_and_explained() -> None:
    assert len(CASES) >= 200
    assert len({case.send + case.gateway + case.then for case in CASES.values()}) == len(CASES)
    assert all(case.why for case in CASES.values())
    assert {case.then for case in CASES.values()} == {"follow up", "end"}
