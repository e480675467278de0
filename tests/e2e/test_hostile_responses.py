"""Ambiguous and malformed answers of an upstream: what the client gets, and that the next call is unharmed.

The cases are data, in tests/hostile/responses. After each the same client asks again, on the same connection unless
that had to end: it must get the answer to its own request, and travel on the same upstream connection only where the
first answer left no doubt about its end.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator

import pytest

from support import corpus, wire
from support.corpus import ResponseCase
from support.hokusai import Hokusai
from support.upstream import Exchange, Handler, Upstream, raw, reply, reset_after

CASES = {case.name: case for case in corpus.responses()}
OWN = {"via", "x-request-id"}  # written anew for every answer


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as one:
        yield one


@pytest.fixture(scope="module")
def gateway(serve_module: Callable[..., Hokusai], upstream: Upstream) -> Hokusai:
    """One thread, so one pool of upstream connections; no breaker, since most answers here are failures."""
    env = {"MLFLOW_CB_ENABLED": "false", "HOKUSAI_MLFLOW_READ_TIMEOUT": "2s"}
    return serve_module(mlflow=upstream.url, auth="off", threads=1, env=env).wait_ready()


def scripted(case: ResponseCase) -> Handler:
    data = corpus.to_bytes(case.send)
    first = reset_after(data) if case.then == "reset" else raw(data, close=case.then == "close")
    second = reply(body=b"next")

    def handle(exchange: Exchange) -> None:
        (first if exchange.target == "/case" else second)(exchange)

    return handle


def described(response: wire.Response) -> str:
    """The answer in the corpus's form: without what the gateway writes itself, which is checked here."""
    names = [name.lower() for name, _ in response.head.fields]
    assert {name: names.count(name) for name in OWN} == dict.fromkeys(OWN, 1)
    assert not response.interim
    lines = [f"{name}: {value}" for name, value in response.head.fields if name.lower() not in OWN]
    head = "\r\n".join([response.head.start, *lines, "", ""]).encode("latin-1")
    return corpus.to_text(head + response.body)


def ask(client: wire.Client, case: ResponseCase) -> wire.Response | None:
    """The answer; None when it was cut short."""
    body = b"{}" if case.ask == "POST" else b""
    request = wire.request(case.ask, "/mlflow/case", [], body)
    client.send(request.replace(b"HTTP/1.1", f"HTTP/{case.version}".encode(), 1))
    with contextlib.suppress(wire.Closed):
        return client.response(case.ask)
    return None


@pytest.mark.parametrize("name", CASES)
def test_hostile_response(gateway: Hokusai, upstream: Upstream, name: str) -> None:
    case = CASES[name]
    upstream.script(scripted(case))
    with wire.Client(gateway.port, timeout=10) as first, wire.Client(gateway.port, timeout=10) as second:
        response = ask(first, case)
        if case.client == "cut short":
            assert response is None
        elif case.client == "refused":
            # Whether a write was carried out is unknown.
            assert response.status == (504 if case.ask == "POST" else 503)
            assert case.ask == "HEAD" or json.loads(response.body)["error_code"]
        else:
            assert described(response) == corpus.to_text(corpus.to_bytes(case.client))
        if case.late:
            upstream.calls[-1].send(corpus.to_bytes(case.late))
        must_close = response is None or response.get("Connection") == "close"
        assert response is None or not must_close or first.is_closed_by_peer()
        again = (second if must_close else first).call("GET", "/mlflow/next")

    assert (again.status, again.body) == (200, b"next")
    before, after = (upstream.connection_of(target) for target in ("/case", "/next"))
    assert (before == after) == case.reused


def test_corpus_is_large_and_explained() -> None:
    assert len(CASES) >= 60
    assert len({(case.send, case.ask, case.version, case.then, case.late) for case in CASES.values()}) == len(CASES)
    assert all(case.why for case in CASES.values())
    assert {case.then for case in CASES.values()} == {"wait", "close", "reset"}
