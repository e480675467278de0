"""One caller's mishap is nobody else's: no shifted answers, no smuggled requests, nothing done for those who left."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from support import wire
from support.hokusai import QUICK_PROBES, Hokusai
from support.process import wait_until
from support.upstream import Exchange, Upstream, message

ANY = "/api/2.0/mlflow/any"
UPLOAD = "/api/2.0/mlflow-artifacts/artifacts/upload"
PLACES = 4
Serve = Callable[..., Hokusai]


@pytest.fixture
def gateway(serve: Serve, upstream: Upstream) -> Hokusai:
    """One thread, so one pool; few places, so that a queue forms."""
    env = {"HOKUSAI_MLFLOW_CONCURRENCY": str(PLACES), "MLFLOW_CB_ENABLED": "false"}
    return serve(mlflow=upstream.url, auth="off", threads=1, env=env).wait_ready()


def in_flight(gateway: Hokusai) -> float:
    return gateway.metrics()['hokusai_mlflow_calls_in_flight{gate="api"}']


def queued(gateway: Hokusai) -> float:
    return gateway.metrics()['hokusai_mlflow_calls_queued{gate="api"}']


def test_connection_of_an_unfinished_upload_never_carries_another_request(gateway: Hokusai, upstream: Upstream) -> None:
    def refuse_early_and_keep_alive(exchange: Exchange) -> None:
        if exchange.target == UPLOAD:
            exchange.send(message(413, [], b"{}"))
            exchange.read_body()  # as a server does that drains what it refused
        else:
            exchange.send(message(200, [], exchange.target.encode()))

    upstream.script(refuse_early_and_keep_alive)
    with wire.Client(gateway.port) as client:
        client.send(wire.request("PUT", UPLOAD, [("Content-Length", "100000")]) + b"x" * 99_000)
        assert client.response("PUT").status == 413

    # Long enough to fill up the body that was left unfinished.
    victim = wire.call(gateway.port, "GET", ANY, [("X-Padding", "p" * 2000)])

    assert (victim.status, victim.body) == (200, ANY.encode())
    assert upstream.calls[-1].connection != upstream.calls[0].connection


def test_answer_nobody_asked_for_is_given_to_nobody(gateway: Hokusai, upstream: Upstream) -> None:
    was_read, was_sent = threading.Event(), threading.Event()

    def answer_twice_once(exchange: Exchange) -> None:
        exchange.send(message(200, [], exchange.target.encode()))
        if not was_sent.is_set():
            was_read.wait(20)
            exchange.send(message(200, [], b"stray"))
            was_sent.set()

    upstream.script(answer_twice_once)
    assert wire.call(gateway.port, "GET", ANY).body == ANY.encode()
    was_read.set()
    assert was_sent.wait(20)
    targets = [f"{ANY}/{number}" for number in range(5)]

    bodies = [wire.call(gateway.port, "GET", target).body.decode() for target in targets]

    assert bodies == targets


def test_calls_of_clients_that_left_the_queue_are_not_made(gateway: Hokusai, upstream: Upstream) -> None:
    release = threading.Event()

    def hang(exchange: Exchange) -> None:
        exchange.read_body()
        release.wait(20)
        exchange.send(message(200, [], b"{}"))

    upstream.script(hang)
    with wire.clients(gateway.port, PLACES) as waiting:
        for number, client in enumerate(waiting):
            client.send(wire.request("GET", f"{ANY}?call={number}"))
        upstream.wait_for_calls(PLACES)
        with wire.clients(gateway.port, 6) as leaving:
            for client in leaving:
                client.send(wire.request("POST", ANY, [("Content-Length", "2")]) + b"{}")
            wait_until("the writes to queue", lambda: queued(gateway) == 6, 10)
        release.set()
        assert {client.response().status for client in waiting} == {200}
    wait_until("the queue to be empty", lambda: queued(gateway) == 0 and in_flight(gateway) == 0, 10)

    assert [call.method for call in upstream.calls] == ["GET"] * PLACES


def test_queued_calls_are_refused_once_the_breaker_opens(serve: Serve, upstream: Upstream) -> None:
    env = {"HOKUSAI_MLFLOW_CONCURRENCY": str(PLACES), **QUICK_PROBES}
    gateway = serve(mlflow=upstream.url, auth="off", env=env).wait_ready()
    upstream.script(lambda exchange: exchange.stop.wait(60) and None)
    with wire.clients(gateway.port, PLACES) as hanging, wire.clients(gateway.port, 5) as waiting:
        for client in hanging:
            client.send(wire.request("GET", ANY))
        upstream.wait_for_calls(PLACES)
        for number, client in enumerate(waiting):
            client.send(wire.request("GET", f"{ANY}?call={number}"))
        wait_until("a queue", lambda: queued(gateway) == len(waiting), 10)

        upstream.probe_handler = lambda exchange: exchange.stop.wait(60) and None

        answers = [client.response() for client in waiting]
    assert {answer.status for answer in answers} == {503}
    assert all(15 <= int(answer.get("Retry-After")) <= 30 for answer in answers)
    assert len(upstream.calls) == PLACES


def test_place_of_a_client_that_left_is_free_again(gateway: Hokusai, upstream: Upstream) -> None:
    upstream.script(lambda exchange: exchange.stop.wait(60) and None)
    with wire.clients(gateway.port, PLACES) as leaving:
        for client in leaving:
            # Head and body apart, as many clients send them.
            client.send(wire.request("POST", ANY, [("Content-Length", "2")]))
            client.send(b"{}")
        upstream.wait_for_calls(PLACES)

    wait_until("the places to be free", lambda: in_flight(gateway) == 0, 10)


def test_process_ends_in_time_with_calls_under_way_and_in_the_queue(serve: Serve, upstream: Upstream) -> None:
    env = {"HOKUSAI_SERVER_DRAIN_TIMEOUT": "500ms", "HOKUSAI_MLFLOW_CONCURRENCY": str(PLACES)}
    gateway = serve(mlflow=upstream.url, auth="off", env=env).wait_ready()
    upstream.script(lambda exchange: exchange.stop.wait(60) and None)
    with wire.clients(gateway.port, 3 * PLACES) as clients:
        for number, client in enumerate(clients):
            client.send(wire.request("GET", f"{ANY}?call={number}"))
        wait_until("a queue", lambda: queued(gateway) == 2 * PLACES, 10)

        assert gateway.stop() == 0
    assert len(upstream.calls) == PLACES


def test_process_ends_in_time_while_a_probe_hangs(serve: Serve, upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url, auth="off").wait_ready()
    probed = threading.Event()

    def hang(exchange: Exchange) -> None:
        probed.set()
        exchange.stop.wait(60)

    upstream.probe_handler = hang
    assert probed.wait(20)

    assert gateway.stop() == 0


def test_artifact_posts_need_the_write_scope_whatever_their_path_ends_in(serve: Serve, upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url).wait_ready()
    key = gateway.create_key("mlflow:read")
    for step in ("create", "complete", "abort"):
        for last in ("model", "search", "graphql"):
            target = f"/api/2.0/mlflow-artifacts/mpu/{step}/1/{last}"
            assert wire.call(gateway.port, "POST", target, [*key.bearer.items()], b"{}").status == 403
    assert upstream.calls == []


def test_cut_short_answer_is_no_orderly_end_for_old_clients(gateway: Hokusai, upstream: Upstream) -> None:
    def cut(exchange: Exchange) -> None:
        exchange.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        exchange.reset()

    upstream.script(cut)
    with wire.Client(gateway.port) as client:
        client.send(f"GET {ANY} HTTP/1.0\r\nHost: a\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            while client.sock.recv(65536):
                pass
