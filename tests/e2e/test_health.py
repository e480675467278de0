"""The health endpoints tell the truth, whatever they describe is doing (design table: state by endpoint)."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable

import pytest

from support import wire
from support.hokusai import QUICK_PROBES, Hokusai
from support.mlflow_server import MlflowServer
from support.process import free_port, wait_until
from support.upstream import BlackHole, Exchange, Upstream, close_without_answer, reply

Serve = Callable[..., Hokusai]
PROBES = ("/health", "/ready", "/readyz", "/startupz", "/livez", "/live", "/health/alb", "/health/mlflow")


def statuses(gateway: Hokusai) -> dict[str, int]:
    return {path: gateway.get(path).status_code for path in PROBES}


def expected(**exceptions: int) -> dict[str, int]:
    """200 everywhere but where named: ready=503 is /ready."""
    named = {f"/{name.replace('__', '/')}": status for name, status in exceptions.items()}
    return {path: named.get(path, 200) for path in PROBES}


def hang(exchange: Exchange) -> None:
    exchange.stop.wait(60)


def quick(serve: Serve, **settings: object) -> Hokusai:
    return serve(auth="off", env={**QUICK_PROBES, **settings.pop("env", {})}, **settings)


def wait_for_state(gateway: Hokusai, state: str, seconds: float = 25.0) -> None:
    wait_until(f"breaker {state}", lambda: gateway.breaker() == state, seconds)


class TestStates:
    def test_healthy(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()

        assert statuses(gateway) == expected()
        health, ready = gateway.health(), gateway.get("/ready").json()
        assert (health["status"], health["phase"], health["store_engine"]) == ("healthy", "serving", "sqlite")
        assert health["services"]["mlflow"] == health["services"]["postgres"] == "healthy"
        assert health["services"]["redis"] == "disabled"
        assert (ready["ready"], ready["can_serve_traffic"]) == (True, True)
        assert {check["name"] for check in ready["checks"]} >= {"database", "mlflow"}
        assert gateway.get("/health/mlflow").json()["circuit_breaker_state"] == "CLOSED"

    def test_degraded_while_the_breaker_is_open(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        upstream.stop()
        wait_for_state(gateway, "OPEN")

        assert statuses(gateway) == expected(health__mlflow=503)
        ready, mlflow = gateway.get("/ready").json(), gateway.get("/health/mlflow").json()
        assert gateway.health()["status"] == "degraded"
        assert (ready["ready"], ready["can_serve_traffic"], ready["degraded_mode"]) == (False, True, True)
        details = mlflow["circuit_breaker_details"]
        assert details["state"] == "OPEN"
        assert details["failure_count"] >= details["failure_threshold"] == 3
        assert 0 <= details["time_until_retry"] <= 60
        assert gateway.metrics()["mlflow_circuit_breaker_state"] == 2
        assert gateway.metrics()["mlflow_connection_status"] == 0

    def test_recovering_while_the_breaker_is_half_open(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        upstream.stop()
        wait_for_state(gateway, "OPEN")
        upstream.start()
        seen = {}

        def is_closed_again() -> bool:
            mlflow = gateway.get("/health/mlflow")
            state = mlflow.json()["circuit_breaker_state"]
            health, ready = gateway.health(), gateway.get("/ready")
            if health["services"]["mlflow"] == "recovering" and ready.json().get("recovering"):
                seen.update(health=health, ready=ready.json(), status=(ready.status_code, mlflow.status_code))
            return state == "CLOSED"

        wait_until("CLOSED", is_closed_again, 20)

        assert seen, "half-open lasts a second or more, yet was never shown"
        assert seen["health"]["status"] == "degraded"
        assert (seen["ready"]["ready"], seen["ready"]["can_serve_traffic"]) == (False, True)
        item = next(check for check in seen["ready"]["checks"] if check["name"] == "mlflow")
        assert (item["passed"], item["recovering"]) == (True, True)
        assert seen["status"][0] == 200
        assert wait_until("healthy", lambda: gateway.health()["status"] == "healthy")

    def test_unhealthy_while_the_store_is_locked(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        key_free_call = "/api/2.0/mlflow/registered-models/get?name=m"
        store = sqlite3.connect(gateway.data / "hokusai.db", isolation_level=None)
        store.execute("BEGIN EXCLUSIVE")
        try:
            wait_until("/ready 503", lambda: gateway.get("/ready").status_code == 503, 15)

            assert statuses(gateway) == expected(ready=503, readyz=503)
            assert gateway.health()["status"] == "unhealthy"
            assert gateway.get("/ready").json()["can_serve_traffic"] is False
            assert gateway.get(key_free_call).status_code == 200, "what needs no store is still served"
        finally:
            store.execute("ROLLBACK")
            store.close()
        wait_until("/ready 200", lambda: gateway.get("/ready").status_code == 200, 15)
        assert gateway.health()["status"] == "healthy"

    def test_without_mlflow(self, serve: Serve) -> None:
        gateway = quick(serve).wait_ready()

        assert statuses(gateway) == expected()
        assert gateway.health()["services"]["mlflow"] == "disabled"
        assert gateway.get("/health/mlflow").json()["circuit_breaker_state"] == "DISABLED"
        answer = gateway.get("/api/2.0/mlflow/experiments/search")
        assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")

    def test_store_is_one_file_of_one_process(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()

        assert (gateway.data / "hokusai.db").exists()
        assert gateway.data.stat().st_mode & 0o077 == 0


class TestEndpoints:
    def test_contract_of_the_operator_script(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        details = {"state", "failure_count", "recovery_attempts", "time_until_retry"}

        assert {"status", "version", "services", "timestamp"} <= gateway.health().keys()
        detailed = gateway.get("/health?detailed=true").json()
        assert {"cpu_percent", "memory_percent"} <= detailed["system_info"].keys()
        assert isinstance(detailed["services"]["mlflow_details"], dict)
        assert {"ready", "can_serve_traffic", "checks"} <= gateway.get("/ready").json().keys()
        assert details <= gateway.get("/health/mlflow").json()["circuit_breaker_details"].keys()
        status = gateway.get("/health/status").json()
        assert {"timestamp", "service_name", "overall_health", "mlflow", "uptime_seconds"} <= status.keys()
        assert {"version", "build_date", "git_commit", "api_version"} <= gateway.get("/version").json().keys()
        assert gateway.get("/live").json()["alive"] is True
        assert gateway.get("/health/alb").json()["status"] == "healthy"
        assert gateway.get("/api/health/mlflow/connectivity").json()["status"] == "connected"
        assert gateway.get("/health?detailed=perhaps").status_code == 422

    def test_metrics_are_in_the_text_format(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        answer = gateway.get("/metrics")

        assert answer.headers["Content-Type"].startswith("text/plain")
        assert {"mlflow_circuit_breaker_state", "mlflow_connection_status"} <= gateway.metrics().keys()

    def test_health_json_media_type(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        answer = gateway.get("/health", headers={"Accept": "application/health+json"})

        assert answer.headers["Content-Type"].startswith("application/health+json")
        assert answer.json()["status"] == "pass"

    @pytest.mark.parametrize("path", ["/healthz", "/health/", "/healthzzz", "/health/mlflow/x", "/readyx", "/liv"])
    def test_paths_are_matched_whole(self, serve: Serve, path: str) -> None:
        assert quick(serve).get(path).status_code == 404

    def test_answers_do_not_wait_for_a_hung_upstream(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        upstream.probe_handler = hang
        slowest = 0.0
        with wire.Client(gateway.port) as client:
            for _ in range(200):
                started = time.perf_counter()
                assert client.call("GET", "/health").status == 200
                slowest = max(slowest, time.perf_counter() - started)

        assert slowest < 0.25, "a probe was waited for"


class TestBreaker:
    @pytest.mark.parametrize("trouble", ["killed", "hung", "closing"])
    def test_opens_and_closes_by_itself_without_traffic(self, serve: Serve, upstream: Upstream, trouble: str) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        if trouble == "killed":
            upstream.stop()
        else:
            upstream.probe_handler = hang if trouble == "hung" else close_without_answer
        wait_for_state(gateway, "OPEN")

        if trouble == "killed":
            upstream.start()
        upstream.probe_handler = reply()
        wait_for_state(gateway, "CLOSED", 20)
        assert not upstream.calls

    @pytest.mark.timeout(90)
    def test_black_holed_upstream_opens_it(self, serve: Serve) -> None:
        port = free_port()
        with Upstream(port=port):
            gateway = quick(serve, mlflow=f"http://127.0.0.1:{port}").wait_ready()
        with BlackHole(port):
            wait_for_state(gateway, "OPEN", 30)
        with Upstream(port=port):
            wait_for_state(gateway, "CLOSED", 30)

    def test_refusals_are_immediate_and_say_when_to_come_back(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        upstream.stop()
        wait_for_state(gateway, "OPEN")

        started = time.perf_counter()
        answer = gateway.get("/api/2.0/mlflow/experiments/get?experiment_id=0")

        assert time.perf_counter() - started < 0.25
        assert answer.status_code == 503
        assert answer.json()["error_code"] == "TEMPORARILY_UNAVAILABLE"
        assert 15 <= int(answer.headers["Retry-After"]) <= 30

    def test_refused_connection_while_closed_is_503(self, serve: Serve, upstream: Upstream) -> None:
        gateway = serve(mlflow=upstream.url, auth="off", env={"HOKUSAI_HEALTH_INTERVAL": "30s"}).wait_ready()
        upstream.stop()

        answer = gateway.get("/api/2.0/mlflow/experiments/get?experiment_id=0")

        assert (answer.status_code, answer.json()["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert answer.headers["Retry-After"]

    def test_server_errors_of_one_caller_do_not_open_it(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url).wait_ready()
        upstream.script(reply(500, [("Content-Type", "text/html")], b"<h1>no</h1>"))

        assert {gateway.get("/api/2.0/mlflow/any").status_code for _ in range(30)} == {500}
        assert gateway.breaker() == "CLOSED"

    def test_late_write_is_504_and_not_sent_again(self, serve: Serve, upstream: Upstream) -> None:
        gateway = quick(serve, mlflow=upstream.url, env={"HOKUSAI_MLFLOW_WRITE_TIMEOUT": "500ms"}).wait_ready()
        upstream.script(hang)

        answer = wire.call(gateway.port, "POST", "/api/2.0/mlflow/any", [("Content-Type", "application/json")], b"{}")

        assert answer.status == 504
        assert len(upstream.calls) == 1

    def test_reset_needs_an_admin_and_is_audited(self, serve: Serve, upstream: Upstream) -> None:
        gateway = serve(mlflow=upstream.url, env=QUICK_PROBES).wait_ready()
        writer, admin = gateway.create_key("mlflow:write"), gateway.create_key("admin", name="on call")
        upstream.stop()
        wait_for_state(gateway, "OPEN")
        upstream.start()

        def reset(fields: dict[str, str]) -> int:
            return wire.call(gateway.port, "POST", "/health/mlflow/reset", fields.items()).status

        assert [reset({}), reset(writer.bearer), reset(admin.bearer)] == [401, 403, 200]
        assert gateway.breaker() == "CLOSED"
        with sqlite3.connect(f"file:{gateway.data}/hokusai.db?mode=ro", uri=True) as store:
            tables = [name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            (audit,) = [name for name in tables if "audit" in name]
            rows = [str(row) for row in store.execute(f"SELECT * FROM {audit}")]
        assert len([row for row in rows if admin.id in row and "reset" in row]) == 1
        assert not [row for row in rows if writer.id in row and "reset" in row]

    @pytest.mark.timeout(150)
    def test_frozen_real_mlflow(self, serve: Serve, real_mlflow: MlflowServer) -> None:
        gateway = quick(serve, mlflow=real_mlflow.url, env={"HOKUSAI_HEALTH_DEADLINE": "2s"}).wait_ready(30)
        real_mlflow.stop()
        wait_for_state(gateway, "OPEN", 40)
        assert gateway.health()["status"] == "degraded"

        real_mlflow.cont()
        wait_for_state(gateway, "CLOSED", 40)
