"""Requests that two parsers could read differently: each is refused, the connection ends, nothing is forwarded."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from support import wire
from support.hokusai import Hokusai
from support.process import wait_until
from support.upstream import Upstream, raw

PATH = "/api/2.0/mlflow/runs/log-metric"
BODY = b'{"a": 1}'
SMUGGLED = b"POST /api/2.0/mlflow/smuggled HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as one:
        yield one


@pytest.fixture(scope="module")
def gateway(serve_module: Callable[..., Hokusai], upstream: Upstream) -> Hokusai:
    return serve_module(mlflow=upstream.url, auth="off").wait_ready()


def message(*lines: str, body: bytes = BODY, start: str = f"POST {PATH} HTTP/1.1") -> bytes:
    return "\r\n".join([start, *lines, "", ""]).encode("latin-1") + body


HOST = "Host: h"
LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
ONE_CHUNK = wire.chunked(BODY)

AMBIGUOUS = {
    # How long is the body?
    "length and chunked": message(HOST, LENGTH, CHUNKED, body=ONE_CHUNK),
    "chunked and length": message(HOST, CHUNKED, LENGTH, body=ONE_CHUNK),
    "two lengths": message(HOST, "Content-Length: 8", "Content-Length: 4"),
    "two equal lengths": message(HOST, LENGTH, LENGTH),
    "lengths in a list": message(HOST, "Content-Length: 8, 8"),
    "length with a plus": message(HOST, "Content-Length: +8"),
    "negative length": message(HOST, "Content-Length: -8"),
    "hexadecimal length": message(HOST, "Content-Length: 0x8"),
    "empty length": message(HOST, "Content-Length:"),
    "length with letters": message(HOST, "Content-Length: 8a"),
    "length beyond 64 bits": message(HOST, "Content-Length: 18446744073709551624"),
    "length with a space inside": message(HOST, "Content-Length: 1 0"),
    "chunked then identity": message(HOST, "Transfer-Encoding: chunked, identity", body=ONE_CHUNK),
    "identity": message(HOST, "Transfer-Encoding: identity"),
    "gzip then chunked": message(HOST, "Transfer-Encoding: gzip, chunked", body=ONE_CHUNK),
    "unknown coding": message(HOST, "Transfer-Encoding: xchunked", body=ONE_CHUNK),
    "gzip only": message(HOST, "Transfer-Encoding: gzip"),
    "chunked twice": message(HOST, "Transfer-Encoding: chunked, chunked", body=ONE_CHUNK),
    "two transfer codings": message(HOST, CHUNKED, "Transfer-Encoding: identity", body=ONE_CHUNK),
    "quoted chunked": message(HOST, 'Transfer-Encoding: "chunked"', body=ONE_CHUNK),
    "chunked behind a vertical tab": message(HOST, "Transfer-Encoding: \x0bchunked", body=ONE_CHUNK),
    "chunked on HTTP/1.0": message(HOST, CHUNKED, start=f"POST {PATH} HTTP/1.0", body=ONE_CHUNK),
    # Where does a field end, and what is its name?
    "space before the colon": message(HOST, f"Content-Length : {len(BODY)}"),
    "continued field": message(HOST, "X-Long: a\r\n b", LENGTH),
    "continued length": message(HOST, "Content-Length:\r\n 8"),
    "first field continued": message(" X: y", HOST, LENGTH),
    "field without a colon": message(HOST, "Rubbish", LENGTH),
    "field without a name": message(HOST, ": x", LENGTH),
    "NUL in a value": message(HOST, "X-Nul: a\0b", LENGTH),
    "carriage return in a value": message(HOST, "X-Cr: a\rb", LENGTH),
    "control character in a name": message(HOST, "X-\x01: a", LENGTH),
    "bare line feeds": f"POST {PATH} HTTP/1.1\n{HOST}\n{LENGTH}\n\n".encode() + BODY,
    # Who is asked for what?
    "no host": message(LENGTH),
    "two hosts": message(HOST, "Host: other", LENGTH),
    "two equal hosts": message(HOST, HOST, LENGTH),
    "host with a path": message("Host: h/evil", LENGTH),
    "no version": message(HOST, LENGTH, start=f"POST {PATH}"),
    "version without digits": message(HOST, LENGTH, start=f"POST {PATH} HTTP/x.y"),
    "space in the target": message(HOST, LENGTH, start=f"POST {PATH} x HTTP/1.1"),
    "no method": message(HOST, LENGTH, start=f" {PATH} HTTP/1.1"),
    "control character in the target": message(HOST, LENGTH, start=f"POST {PATH}\x01 HTTP/1.1"),
    "NUL in the target": message(HOST, LENGTH, start=f"POST {PATH}\0 HTTP/1.1"),
}

BROKEN_CHUNKS = {
    "chunk size is no number": b"zz\r\nabc\r\n0\r\n\r\n",
    "chunk size negative": b"-1\r\nabc\r\n0\r\n\r\n",
    "chunk size with 0x": b"0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size beyond 64 bits": b"10000000000000003\r\nabc\r\n0\r\n\r\n",
    "chunk longer than its size": b"3\r\nabcdef\r\n0\r\n\r\n",
    "chunk ended by a line feed": b"3\nabc\n0\n\n",
    "quoted chunk extension": b'3;e="a\n4\n"\r\nabc\r\n0\r\n\r\n',
    "endless chunk extension": b"3;" + b"e" * 100_000 + b"\r\nabc\r\n0\r\n\r\n",
    "endless trailers": b"0\r\n" + b"".join(b"X-%d: y\r\n" % number for number in range(20_000)) + b"\r\n",
}


def status_or_cut(client: wire.Client) -> int | None:
    """The status of the answer, or None when the connection just ended."""
    try:
        return client.response("POST").status
    except wire.Closed:
        return None


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_ambiguous_request_is_refused_and_not_forwarded(gateway: Hokusai, upstream: Upstream, name: str) -> None:
    upstream.calls.clear()
    with wire.Client(gateway.port) as client:
        client.send(AMBIGUOUS[name] + SMUGGLED)

        assert client.response("POST").status == 400
        assert client.is_closed_by_peer()

    marker = wire.call(gateway.port, "GET", "/api/2.0/mlflow/marker")
    assert marker.status == 200
    assert [call.path for call in upstream.calls] == ["/api/2.0/mlflow/marker"]


@pytest.mark.parametrize("name", BROKEN_CHUNKS)
def test_broken_chunks_end_the_connection_and_never_look_complete(
    gateway: Hokusai, upstream: Upstream, name: str
) -> None:
    upstream.calls.clear()
    with wire.Client(gateway.port) as client:
        client.send(message(HOST, CHUNKED, body=BROKEN_CHUNKS[name] + SMUGGLED))

        assert status_or_cut(client) in (400, None)
        assert client.is_closed_by_peer()

    wire.call(gateway.port, "GET", "/api/2.0/mlflow/marker")
    upstream.wait_for_calls(1)
    assert all("smuggled" not in call.target for call in upstream.calls)
    wait_until(
        "the upstream to see every broken body end early",
        lambda: all(call.is_aborted for call in upstream.calls if call.method == "POST"),
    )


@pytest.mark.parametrize(("kilobytes", "is_forwarded"), [(20, True), (200, False)])
def test_head_has_a_limit(gateway: Hokusai, upstream: Upstream, kilobytes: int, is_forwarded: bool) -> None:
    upstream.calls.clear()
    fields = [(f"X-{number}", "v" * 1000) for number in range(kilobytes)]
    with wire.Client(gateway.port) as client:
        client.send(wire.request("GET", "/api/2.0/mlflow/large", fields))
        status = status_or_cut(client)

    assert (status == 200) == is_forwarded
    assert status in (200, 431, 400, None)
    assert len(upstream.calls) == is_forwarded


def test_trailers_are_dropped_and_decide_nothing(gateway: Hokusai, upstream: Upstream) -> None:
    upstream.calls.clear()
    trailed = b"8\r\n" + BODY + b"\r\n0\r\nAuthorization: Bearer evil\r\nX-Trailer: 1\r\n\r\n"

    with wire.Client(gateway.port) as client:
        client.send(message(HOST, CHUNKED, body=trailed))
        status = client.response("POST").status

    assert status == 200
    (call,) = upstream.calls
    assert call.body == BODY
    assert b"evil" not in call.head.raw + call.raw_body


def test_chunk_extensions_are_dropped(gateway: Hokusai, upstream: Upstream) -> None:
    upstream.calls.clear()

    with wire.Client(gateway.port) as client:
        client.send(message(HOST, CHUNKED, body=b"8;ext=1; other\r\n" + BODY + b"\r\n0\r\n\r\n"))
        status = client.response("POST").status

    assert status == 200
    assert upstream.calls[0].body == BODY
    assert b"ext" not in upstream.calls[0].raw_body


@pytest.mark.parametrize("split", [1, 2, 3, 7])
def test_a_request_may_come_in_pieces(gateway: Hokusai, upstream: Upstream, split: int) -> None:
    upstream.calls.clear()
    whole = message(HOST, CHUNKED, body=wire.chunked(BODY[:3], BODY[3:]))

    with wire.Client(gateway.port) as client:
        for start in range(0, len(whole), split):
            client.send(whole[start : start + split])
        status = client.response("POST").status

    assert status == 200
    assert upstream.calls[0].body == BODY


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 abc OK\r\nContent-Length: 2\r\n\r\n{}",
        b"garbage that is no HTTP at all\r\n\r\n",
    ],
)
def test_ambiguous_answer_is_not_passed_on(serve: Callable[..., Hokusai], answer: bytes) -> None:
    with Upstream(raw(answer, close=True)) as upstream:
        gateway = serve(mlflow=upstream.url, auth="off").wait_ready()

        read = wire.call(gateway.port, "GET", PATH)
        write = wire.call(gateway.port, "POST", PATH, [("Content-Type", "application/json")], BODY)

        # Whether the write was carried out is unknown.
        assert (read.status, write.status) == (503, 504)
        assert b"error_code" in read.body and b"error_code" in write.body
        assert len(upstream.calls) == 2
