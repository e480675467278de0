"""SIGTERM: balancers are told first, what is being answered ends, then the process does, with 0."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable

import pytest

from support import wire
from support.hokusai import Hokusai
from support.process import wait_until
from support.upstream import Upstream, message, stall_after

Serve = Callable[..., Hokusai]
ANY = "/api/2.0/mlflow/any"
DELAYED = {"HOKUSAI_SERVER_DRAIN_DELAY": "20s", "HOKUSAI_SERVER_DRAIN_TIMEOUT": "1s"}


def test_idle_server_ends_at_once(serve: Serve, upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url, auth="off").wait_ready()
    with wire.Client(gateway.port) as client:
        assert client.call("GET", "/health").status == 200
        gateway.running.signal_group(signal.SIGTERM)

        assert gateway.running.wait(5) == 0


def test_answer_in_flight_is_finished(serve: Serve, upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url, auth="off").wait_ready()
    release = threading.Event()
    upstream.script(stall_after(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nfir", release, b"st!"))
    with wire.Client(gateway.port) as client:
        client.send(wire.request("GET", ANY))
        head = client.reader.until(b"fir")
        gateway.running.signal_group(signal.SIGTERM)
        wait_until("the listener to close", lambda: not is_listening(gateway), 10)
        release.set()

        assert head.startswith(b"HTTP/1.1 200")
        assert client.reader.exactly(3) == b"st!"
        assert client.is_closed_by_peer()
    assert gateway.running.wait(10) == 0


def test_balancers_see_503_before_the_listener_closes(serve: Serve, upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url, auth="off", env={"HOKUSAI_SERVER_DRAIN_DELAY": "3s"}).wait_ready()
    gateway.running.signal_group(signal.SIGTERM)

    wait_until("/readyz 503", lambda: gateway.get("/readyz").status_code == 503, 3)

    statuses = {path: gateway.get(path).status_code for path in ("/ready", "/livez", "/startupz", "/health", ANY)}
    assert statuses == {"/ready": 503, "/livez": 200, "/startupz": 200, "/health": 200, ANY: 200}
    assert gateway.health()["phase"] == "draining"
    assert gateway.running.wait(15) == 0


def test_answer_that_never_ends_does_not_hold_up_the_end(serve: Serve, upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url, auth="off", env={"HOKUSAI_SERVER_DRAIN_TIMEOUT": "500ms"}).wait_ready()
    upstream.script(stall_after(message(200, [("Content-Length", "900000")]), threading.Event()))
    with wire.Client(gateway.port) as client:
        client.send(wire.request("GET", ANY))
        client.reader.until(b"\r\n\r\n")
        gateway.running.signal_group(signal.SIGTERM)

        assert gateway.running.wait(10) == 0


def test_second_signal_skips_the_delay(serve: Serve, upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url, auth="off", env=DELAYED).wait_ready()
    gateway.running.signal_group(signal.SIGTERM)
    wait_until("draining", lambda: gateway.health()["phase"] == "draining", 5)
    gateway.running.signal_group(signal.SIGTERM)

    assert gateway.running.wait(5) == 0


def test_second_process_on_the_same_port_says_so(serve: Serve, upstream: Upstream) -> None:
    first = serve(mlflow=upstream.url, auth="off")

    with pytest.raises(RuntimeError, match=str(first.port)):
        serve(mlflow=upstream.url, auth="off", port=first.port)


def is_listening(gateway: Hokusai) -> bool:
    try:
        with wire.Client(gateway.port, 1):
            return True
    except OSError:
        return False
