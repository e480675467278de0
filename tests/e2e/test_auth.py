"""Who may call what: key forms, scopes, life of a key, and that no key ever shows up where it should not."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import hokusai, wire
from support.hokusai import Hokusai, Key
from support.process import wait_until
from support.upstream import Upstream

READ = "/api/2.0/mlflow/registered-models/get?name=m"
SEARCH_BY_POST = "/api/2.0/mlflow/runs/search"
WRITE = "/api/2.0/mlflow/registered-models/create"
RESET = "/health/mlflow/reset"
JSON = ("Content-Type", "application/json")
BOOTSTRAP = "hk_test_" + "B" * 40


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as one:
        yield one


@pytest.fixture(scope="module")
def gateway(serve_module: Callable[..., Hokusai], upstream: Upstream) -> Hokusai:
    return serve_module(mlflow=upstream.url).wait_ready()


@pytest.fixture(scope="module")
def key(gateway: Hokusai) -> Key:
    return gateway.create_key("mlflow:write")


def basic(user: str, password: str) -> tuple[str, str]:
    return ("Authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


def status(gateway: Hokusai, method: str, path: str, *fields: tuple[str, str]) -> int:
    return wire.call(gateway.port, method, path, [JSON, *fields], b"{}" if method == "POST" else b"").status


def test_every_key_form_is_accepted(gateway: Hokusai, key: Key) -> None:
    forms = [
        ("Authorization", f"Bearer {key.secret}"),
        ("authorization", f"bearer {key.secret}"),
        ("Authorization", f"ApiKey {key.secret}"),
        ("X-API-Key", key.secret),
        ("x-api-key", key.secret),
        basic("anyone", key.secret),
    ]
    assert {form: status(gateway, "GET", READ, form) for form in forms} == dict.fromkeys(forms, 200)


def test_everything_else_is_401_and_not_forwarded(gateway: Hokusai, upstream: Upstream, key: Key) -> None:
    upstream.calls.clear()
    forms = [
        ("X-Nothing", ""),
        ("Authorization", ""),
        ("Authorization", "Bearer "),
        ("Authorization", f"Bearer {key.secret[:-1]}"),
        ("Authorization", f"Bearer {key.secret}x"),
        ("Authorization", f"Bearer {key.secret.swapcase()}"),
        ("Authorization", "Bearer hk_live_" + "0" * 40),
        ("Authorization", f"Digest {key.secret}"),
        ("X-API-Key", key.id),
        basic(key.secret, "wrong"),
        ("Authorization", "Basic !!!"),
    ]
    assert {form: status(gateway, "GET", READ, form) for form in forms} == dict.fromkeys(forms, 401)
    assert status(gateway, "GET", f"{READ}&api_key={key.secret}") == 401
    assert not upstream.calls


def test_refusal_is_in_the_form_of_the_path(gateway: Hokusai) -> None:
    of_mlflow = wire.call(gateway.port, "GET", READ)
    of_ours = wire.call(gateway.port, "POST", RESET)

    assert json.loads(of_mlflow.body)["error_code"] == "UNAUTHENTICATED"
    assert isinstance(json.loads(of_ours.body)["detail"], str)


def test_only_a_browser_is_asked_for_basic_credentials(gateway: Hokusai) -> None:
    browser = wire.call(
        gateway.port, "GET", "/mlflow/", [("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")]
    )
    script = wire.call(gateway.port, "GET", READ, [("Accept", "*/*")])

    assert (browser.status, script.status) == (401, 401)
    assert browser.get("WWW-Authenticate").startswith("Basic")
    assert script.get("WWW-Authenticate") is None


def test_two_different_keys_are_refused(gateway: Hokusai, upstream: Upstream, key: Key) -> None:
    other = gateway.create_key("mlflow:read", name="other")
    upstream.calls.clear()

    assert status(gateway, "GET", READ, *key.bearer.items(), ("X-API-Key", other.secret)) == 400
    assert status(gateway, "GET", READ, *key.bearer.items(), *other.bearer.items()) == 400
    assert not upstream.calls
    assert status(gateway, "GET", READ, *key.bearer.items(), ("X-API-Key", key.secret)) == 200


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("mlflow:read", {"read", "search"}),
        ("mlflow:write", {"read", "search", "write"}),
        ("mlflow:access", {"read", "search", "write"}),
        ("full_access", {"read", "search", "write"}),
        ("model:read", set()),
        ("model:write", set()),
        ("admin", {"read", "search", "write", "reset"}),
    ],
)
def test_scopes(gateway: Hokusai, scope: str, allowed: set[str]) -> None:
    field = ("X-API-Key", gateway.create_key(scope, name=f"scope {scope}").secret)

    statuses = {
        "read": status(gateway, "GET", READ, field),
        "search": status(gateway, "POST", SEARCH_BY_POST, field),
        "write": status(gateway, "POST", WRITE, field),
        "reset": status(gateway, "POST", RESET, field),
    }

    assert statuses == {what: 200 if what in allowed else 403 for what in statuses}


def test_unknown_scope_is_refused_when_a_key_is_made(gateway: Hokusai) -> None:
    done = hokusai.run("keys", "create", "--data", str(gateway.data), "--name", "x", "--scopes", "mlflow:everything")

    assert done.returncode == 2
    assert "mlflow:everything" in done.stderr


def test_created_key_works_at_once(gateway: Hokusai) -> None:
    for number in range(3):
        made = gateway.create_key("mlflow:read", name=f"new {number}")
        assert status(gateway, "GET", READ, *made.bearer.items()) == 200


def test_revoked_key_is_refused_within_seconds(gateway: Hokusai) -> None:
    made = gateway.create_key("mlflow:read", name="short life")
    assert status(gateway, "GET", READ, *made.bearer.items()) == 200

    done = hokusai.run("keys", "revoke", "--data", str(gateway.data), made.id)

    assert done.returncode == 0, done.stderr
    wait_until("401", lambda: status(gateway, "GET", READ, *made.bearer.items()) == 401, 5)


def test_expired_key_is_refused(gateway: Hokusai) -> None:
    arguments = ("--data", str(gateway.data), "--name", "brief", "--scopes", "mlflow:read", "--expires", "1s", "--json")
    made = json.loads(hokusai.run("keys", "create", *arguments).stdout)

    assert made["expires_at"]
    field = ("X-API-Key", made["key"])
    wait_until("401", lambda: status(gateway, "GET", READ, field) == 401, 10)


def test_keys_outlive_a_restart_and_are_stored_as_hashes(serve: Callable[..., Hokusai], upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url)
    key = gateway.create_key("mlflow:read")
    assert gateway.stop() == 0

    gateway.start()

    assert status(gateway, "GET", READ, *key.bearer.items()) == 200
    files = [path for path in gateway.data.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if key.secret.encode() in path.read_bytes()]
    private = [path for path in files if path.stat().st_mode & 0o077]
    assert not private, f"others may read {private}"


def test_bootstrap_key_is_an_admin_until_there_is_another(serve: Callable[..., Hokusai], upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url, env={"HOKUSAI_BOOTSTRAP_ADMIN_KEY": BOOTSTRAP})

    assert status(gateway, "POST", RESET, ("X-API-Key", BOOTSTRAP)) == 200
    assert BOOTSTRAP not in gateway.log()


def test_bootstrap_key_is_ignored_where_an_admin_exists(serve: Callable[..., Hokusai], upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url)
    admin = gateway.create_key("admin")
    assert gateway.stop() == 0
    gateway.env["HOKUSAI_BOOTSTRAP_ADMIN_KEY"] = BOOTSTRAP

    gateway.start()

    assert status(gateway, "POST", RESET, ("X-API-Key", BOOTSTRAP)) == 401
    assert status(gateway, "POST", RESET, *admin.bearer.items()) == 200


def test_auth_off_is_refused_on_other_addresses_than_loopback(hokusai_binary: Path, tmp_path: Path) -> None:
    done = hokusai.run("serve", "--listen", "0.0.0.0:0", "--data", str(tmp_path), "--auth", "off")

    assert done.returncode == 2
    assert "auth" in done.stderr
    assert "127.0.0.1" in done.stderr or "loopback" in done.stderr


def test_no_key_appears_in_logs_metrics_or_errors(serve: Callable[..., Hokusai], upstream: Upstream) -> None:
    gateway = serve(mlflow=upstream.url, env={"HOKUSAI_LOG_LEVEL": "debug", "HOKUSAI_MLFLOW_TOKEN": "upstream-canary"})
    key = gateway.create_key("mlflow:write")
    wrong = "hk_live_" + "canary42" * 5
    answers = []
    for secret in (key.secret, wrong):
        for field in [("Authorization", f"Bearer {secret}"), ("X-API-Key", secret), basic(secret, secret)]:
            answers.append(wire.call(gateway.port, "GET", READ, [field]))
        answers.append(wire.call(gateway.port, "GET", f"{READ}&api_key={secret}"))
        answers.append(wire.call(gateway.port, "GET", READ, [("Authorization", f"Bearer {secret}"), ("Bad Name", "x")]))
    written = gateway.log() + gateway.get("/metrics").text + json.dumps(gateway.health())
    written += "".join(answer.head.raw.decode("latin-1") + answer.body.decode("latin-1") for answer in answers)

    assert gateway.stop() == 0
    secrets = [key.secret, wrong, basic(key.secret, key.secret)[1].split()[1], "upstream-canary"]
    assert not [secret for secret in secrets if secret in written]
    with sqlite3.connect(gateway.data / "hokusai.db") as store:
        assert not [secret for secret in secrets if secret in "\n".join(store.iterdump())]
