"""Connections of the gateway: reuse, early answers, lost upstreams, and what may be sent twice."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from support import wire
from support.hokusai import Hokusai
from support.process import wait_until
from support.upstream import (
    Exchange,
    Upstream,
    answer_before_body,
    close_without_answer,
    in_turn,
    message,
    raw,
    reply,
    reset_after,
    reset_without_answer,
    stall_after,
)

ANY = "/api/2.0/mlflow/any"
JSON = ("Content-Type", "application/json")
Serve = Callable[..., Hokusai]


@pytest.fixture
def gateway(serve: Serve, upstream: Upstream) -> Hokusai:
    """A new one for each test: these leave breakers and pools in all sorts of states. One thread, so one pool."""
    return serve(mlflow=upstream.url, auth="off", threads=1).wait_ready()


class TestClientSide:
    def test_connection_is_kept(self, gateway: Hokusai) -> None:
        with wire.Client(gateway.port) as client:
            assert [client.call("GET", ANY).status for _ in range(3)] == [200] * 3

    def test_close_is_honoured(self, gateway: Hokusai) -> None:
        with wire.Client(gateway.port) as client:
            response = client.call("GET", ANY, [("Connection", "close")])

            assert response.get("Connection") == "close"
            assert client.is_closed_by_peer()

    def test_pipelined_requests_are_answered_in_order(self, gateway: Hokusai, upstream: Upstream) -> None:
        upstream.script(lambda exchange: exchange.send(message(200, [], exchange.target.encode())))
        targets = [f"{ANY}/{number}" for number in range(10)]

        with wire.Client(gateway.port) as client:
            client.send(b"".join(wire.request("GET", target) for target in targets))

            assert [client.response().body.decode() for _ in targets] == targets

    def test_http_1_0_client_gets_an_answer_it_can_read(self, gateway: Hokusai, upstream: Upstream) -> None:
        upstream.script(
            lambda exchange: exchange.send(
                message(200, [("Transfer-Encoding", "chunked")]) + wire.chunked(b"ab", b"cd")
            )
        )
        with wire.Client(gateway.port) as client:
            client.send(f"GET {ANY} HTTP/1.0\r\n\r\n".encode())
            response = client.response()

            assert response.head.get("Transfer-Encoding") is None
            assert response.body == b"abcd"
            assert client.is_closed_by_peer()

    def test_continue_is_sent_when_the_body_is_wanted(self, gateway: Hokusai, upstream: Upstream) -> None:
        with wire.Client(gateway.port) as client:
            client.send(wire.request("PUT", ANY, [("Expect", "100-continue"), ("Content-Length", "5")]))
            interim = wire.Head.parse(client.reader.until(b"\r\n\r\n"))
            client.send(b"hello")

            assert interim.start.split()[1] == "100"
            assert client.response("PUT").status == 200
        assert upstream.calls[0].body == b"hello"

    def test_refused_upload_costs_no_body(self, serve: Serve, upstream: Upstream) -> None:
        gateway = serve(mlflow=upstream.url)
        with wire.Client(gateway.port) as client:
            client.send(wire.request("PUT", ANY, [("Expect", "100-continue"), ("Content-Length", "1000000000")]))
            response = client.response("PUT")

        assert response.status == 401
        assert not response.interim

    def test_unknown_expectation_is_refused(self, gateway: Hokusai, upstream: Upstream) -> None:
        assert wire.call(gateway.port, "PUT", ANY, [("Expect", "miracles")], b"x").status in (417, 200)

    def test_absolute_target_of_our_host_is_understood(self, gateway: Hokusai, upstream: Upstream) -> None:
        assert wire.call(gateway.port, "GET", f"http://gateway.test{ANY}?a=1").status == 200
        assert upstream.calls[0].target == f"{ANY}?a=1"

    def test_client_that_goes_away_frees_its_upstream_connection(self, gateway: Hokusai, upstream: Upstream) -> None:
        gone = threading.Event()

        def notice(exchange: Exchange) -> None:
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
            exchange.reader.rest()
            gone.set()

        upstream.script(notice)
        with wire.Client(gateway.port) as client:
            client.send(wire.request("GET", ANY))
            client.reader.until(b"abc")

        assert gone.wait(10)


class TestUpstreamPool:
    def test_connections_are_reused(self, gateway: Hokusai, upstream: Upstream) -> None:
        for _ in range(10):
            assert wire.call(gateway.port, "GET", ANY).status == 200

        assert len({call.connection for call in upstream.calls}) == 1

    def test_connection_closed_while_idle_is_not_noticed_by_the_caller(
        self, gateway: Hokusai, upstream: Upstream
    ) -> None:
        for _ in range(5):
            upstream.drop_connections()
            assert wire.call(gateway.port, "POST", ANY, [JSON], b"{}").status == 200

        assert len(upstream.calls) == 5

    def test_connection_is_not_reused_when_the_upstream_says_close(self, gateway: Hokusai, upstream: Upstream) -> None:
        upstream.script(reply(200, [("Connection", "close")]))
        for _ in range(3):
            assert wire.call(gateway.port, "GET", ANY).status == 200

        assert len({call.connection for call in upstream.calls}) == 3

    def test_bytes_after_an_answer_never_reach_the_next_caller(self, gateway: Hokusai, upstream: Upstream) -> None:
        extra = message(200, [], b"poison")
        upstream.script(
            in_turn(lambda exchange: exchange.send(message(200, [], b"first") + extra), reply(body=b"second"))
        )

        assert wire.call(gateway.port, "GET", ANY).body == b"first"
        assert wire.call(gateway.port, "GET", ANY).body == b"second"

    def test_rest_of_an_unread_body_never_reaches_the_next_caller(self, gateway: Hokusai, upstream: Upstream) -> None:
        upstream.script(reply(body=b"x" * 3_000_000))
        with wire.Client(gateway.port) as client:
            client.send(wire.request("GET", ANY))
            client.reader.exactly(10)
        upstream.script(reply(body=b"second"))

        assert wire.call(gateway.port, "GET", ANY).body == b"second"


class TestEarlyAnswers:
    def test_answer_to_a_half_sent_upload_reaches_the_client(self, gateway: Hokusai, upstream: Upstream) -> None:
        upstream.script(answer_before_body(message(413, [JSON, ("Connection", "close")], b'{"error_code": "TOO_BIG"}')))
        with wire.Client(gateway.port) as client:
            client.send(wire.request("PUT", ANY, [("Content-Length", "10000000")]) + b"x" * 100_000)
            response = client.response("PUT")

            assert (response.status, response.body) == (413, b'{"error_code": "TOO_BIG"}')
            assert client.is_closed_by_peer()
        assert len(upstream.calls) == 1

    def test_upload_cut_short_by_the_client_is_cut_short_upstream(self, gateway: Hokusai, upstream: Upstream) -> None:
        with wire.Client(gateway.port) as client:
            client.send(wire.request("PUT", ANY, [("Content-Length", "200000")]) + b"x" * 100_000)
            upstream.wait_for_calls(1)

        wait_until("the upstream to notice", lambda: upstream.calls[0].is_aborted)
        assert len(upstream.calls) == 1

    def test_answer_cut_short_by_the_upstream_never_looks_complete(self, gateway: Hokusai, upstream: Upstream) -> None:
        upstream.script(reset_after(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"))
        with pytest.raises(wire.Closed):
            wire.call(gateway.port, "GET", ANY)

        upstream.script(reset_after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"))
        with pytest.raises(wire.Closed):
            wire.call(gateway.port, "GET", ANY)
        assert len(upstream.calls) == 1

    @pytest.mark.parametrize(("method", "status"), [("GET", 503), ("POST", 504)])
    def test_small_answer_that_ends_before_its_body_is_a_failure(
        self, gateway: Hokusai, upstream: Upstream, method: str, status: int
    ) -> None:
        upstream.script(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", close=True))

        response = wire.call(gateway.port, method, ANY, [JSON], b"{}" if method == "POST" else b"")

        assert response.status == status
        assert b"error_code" in response.body


class TestResends:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize("die", [close_without_answer, reset_without_answer])
    def test_write_that_was_sent_is_never_sent_again(
        self, gateway: Hokusai, upstream: Upstream, method: str, die: Callable[[Exchange], None]
    ) -> None:
        wire.call(gateway.port, "GET", ANY)  # leaves a connection to be reused
        upstream.script(in_turn(die, reply()))

        response = wire.call(gateway.port, method, ANY, [JSON], b'{"a": 1}')

        assert response.status == 504
        assert b"error_code" in response.body
        assert len(upstream.calls) == 1

    def test_half_sent_upload_is_never_sent_again(self, gateway: Hokusai, upstream: Upstream) -> None:
        def die_early(exchange: Exchange) -> None:
            exchange.reader.exactly(1000)
            exchange.reset()

        upstream.script(in_turn(die_early, reply()))
        with wire.Client(gateway.port) as client:
            client.send(wire.request("PUT", ANY, [("Content-Length", "200000")]) + b"x" * 100_000)

            assert client.response("PUT").status == 504
        assert len(upstream.calls) == 1

    def test_read_is_sent_again_once_its_connection_died(self, gateway: Hokusai, upstream: Upstream) -> None:
        for _ in range(20):
            wire.call(gateway.port, "GET", ANY)  # earns the retry budget
        upstream.script(in_turn(close_without_answer, reply(body=b"second try")))

        response = wire.call(gateway.port, "GET", ANY)

        assert (response.status, response.body) == (200, b"second try")
        assert len(upstream.calls) == 2

    def test_resends_of_reads_are_limited_by_a_budget(self, serve: Serve, upstream: Upstream) -> None:
        gateway = serve(mlflow=upstream.url, auth="off", threads=1, env={"MLFLOW_CB_ENABLED": "false"}).wait_ready()
        upstream.script(close_without_answer)
        reads = 60

        statuses = {wire.call(gateway.port, "GET", ANY).status for _ in range(reads)}

        assert statuses == {503}
        # 10 % of the calls, and the few that a budget may start with.
        assert len(upstream.calls) <= reads * 1.1 + 12

    def test_read_that_began_to_be_answered_is_not_sent_again(self, gateway: Hokusai, upstream: Upstream) -> None:
        upstream.script(in_turn(reset_after(b"HTTP/1.1 200 OK\r\nContent-Len"), reply(body=b"second")))

        assert wire.call(gateway.port, "GET", ANY).status == 503
        assert len(upstream.calls) == 1


class TestSlowUpstreams:
    def test_slow_answer_holds_up_nobody_else(self, gateway: Hokusai, upstream: Upstream) -> None:
        release = threading.Event()
        slow = stall_after(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", release, b"slow")
        upstream.script(in_turn(slow, reply(body=b"quick")))
        with wire.Client(gateway.port) as client:
            client.send(wire.request("GET", ANY))
            upstream.wait_for_calls(1)

            assert wire.call(gateway.port, "GET", ANY).body == b"quick"
            release.set()
            assert client.response().body == b"slow"

    def test_head_of_the_answer_is_passed_on_before_its_body(self, gateway: Hokusai, upstream: Upstream) -> None:
        release = threading.Event()
        upstream.script(stall_after(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na", release, b"bc"))
        with wire.Client(gateway.port) as client:
            client.send(wire.request("GET", ANY))

            assert client.reader.until(b"\r\n\r\n").startswith(b"HTTP/1.1 200")
            release.set()
            assert client.reader.exactly(3) == b"abc"

    def test_body_is_passed_on_before_it_is_complete(self, gateway: Hokusai, upstream: Upstream) -> None:
        first_half = threading.Event()

        def notice(exchange: Exchange) -> None:
            exchange.reader.exactly(100_000)
            first_half.set()
            exchange.reader.exactly(100_000)
            exchange.send(message(200))

        upstream.script(notice)
        with wire.Client(gateway.port) as client:
            client.send(wire.request("PUT", ANY, [("Content-Length", "200000")]) + b"x" * 100_000)

            assert first_half.wait(10)
            client.send(b"y" * 100_000)
            assert client.response("PUT").status == 200
