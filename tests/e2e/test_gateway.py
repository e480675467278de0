"""What the gateway passes untouched, and the little it changes, seen as bytes on both sides."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable, Iterator

import pytest

from support import wire
from support.hokusai import Hokusai, Key
from support.upstream import Upstream, message, raw, reply, trickle

ANY = "/api/2.0/mlflow/any"
JSON = ("Content-Type", "application/json")
CREDENTIAL = "upstream-token-of-the-operator"


@pytest.fixture(scope="module")
def module_upstream() -> Iterator[Upstream]:
    with Upstream() as one:
        yield one


@pytest.fixture
def upstream(module_upstream: Upstream) -> Upstream:
    module_upstream.script(reply())
    return module_upstream


@pytest.fixture(scope="module")
def gateway(serve_module: Callable[..., Hokusai], module_upstream: Upstream) -> Hokusai:
    return serve_module(mlflow=module_upstream.url, env={"HOKUSAI_MLFLOW_TOKEN": CREDENTIAL}).wait_ready()


@pytest.fixture(scope="module")
def key(gateway: Hokusai) -> Key:
    return gateway.create_key("mlflow:write")


Caller = Callable[..., wire.Response]


@pytest.fixture
def call(gateway: Hokusai, key: Key) -> Caller:
    """One request with a good key, on a connection of its own."""

    def perform(method: str, target: str, fields: wire.Fields = (), body: bytes = b"") -> wire.Response:
        return wire.call(gateway.port, method, target, [*key.bearer.items(), *fields], body)

    return perform


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "M-SEARCH"])
def test_method_passes(call: Caller, upstream: Upstream, method: str) -> None:
    assert call(method, ANY).status == 200
    assert [one.method for one in upstream.calls] == [method]


@pytest.mark.parametrize(
    "target",
    [
        f"{ANY}?order_by=a&order_by=b&order_by=a",
        f"{ANY}?a=1+2&b=%2B&c=%20&empty=&novalue&&x=%C3%A9",
        f"{ANY}?filter=name%20%3D%20'x'%20AND%20tags.%60k%60%20!%3D%20%22y%22",
        f"{ANY}?a=b?c=d/e:f@g",
        "/api/2.0/mlflow-artifacts/artifacts/deep%2Ffile%20with+plus%252F.txt",
        "/api/2.0/mlflow-artifacts/artifacts/%E9%AF%A8/~tilde/!$&'()*,;=:@",
        "/api/2.0/mlflow-artifacts/artifacts/a//b",
        "/ajax-api/2.0/mlflow/any",
        "/ajax-api/3.0/jobs",
        "/api/3.0/mlflow/traces/search",
        "/v1/traces",
        "/graphql",
        "/get-artifact?path=x&run_id=1",
        "/model-versions/get-artifact?name=m",
    ],
)
def test_target_passes_byte_for_byte(call: Caller, upstream: Upstream, target: str) -> None:
    assert call("GET", target).status == 200
    assert upstream.calls[0].target == target


@pytest.mark.parametrize("mount", ["/mlflow", "/api/mlflow"])
@pytest.mark.parametrize(
    "rest", ["/", "/static-files/x%2Fy.js?v=1&v=2", "/api/2.0/mlflow/any", "/gateway/routes", "/metrics"]
)
def test_mount_of_the_whole_server_is_taken_off(call: Caller, upstream: Upstream, mount: str, rest: str) -> None:
    assert call("GET", mount + rest).status == 200
    assert upstream.calls[0].target == rest


@pytest.mark.parametrize("target", ["/nothing", "/api", "/api/2.0/other", "/mlflowx/y", "/apis/mlflow/x", "/admin"])
def test_unknown_path_is_404_and_not_forwarded(call: Caller, upstream: Upstream, target: str) -> None:
    assert call("GET", target).status == 404
    assert not upstream.calls


@pytest.mark.parametrize("target", ["/mlflow/health/mlflow", "/api/mlflow/health/mlflow/detailed"])
def test_health_under_the_mount_is_answered_here(gateway: Hokusai, upstream: Upstream, target: str) -> None:
    assert wire.call(gateway.port, "GET", target).status == 200
    assert not upstream.calls


@pytest.mark.parametrize("target", ["/mlflow/../health", "/api/2.0/mlflow/%2e%2e/%2e%2e/metrics", "/mlflow/%2E%2E/x"])
def test_dots_never_leave_the_mount(call: Caller, upstream: Upstream, target: str) -> None:
    status = call("GET", target).status

    assert status in (400, 404) or upstream.calls[0].target in (target, target.removeprefix("/mlflow"))


def test_delete_keeps_its_body(call: Caller, upstream: Upstream) -> None:
    assert call("DELETE", ANY, [JSON], b'{"name": "m"}').status == 200
    assert upstream.calls[0].body == b'{"name": "m"}'
    assert upstream.calls[0].head.get("Content-Length") == "13"


def test_binary_body_passes(call: Caller, upstream: Upstream) -> None:
    body = bytes(range(256)) * 1000

    assert call("PUT", ANY, body=body).status == 200
    assert upstream.calls[0].body == body


def test_chunked_upload_passes(call: Caller, upstream: Upstream) -> None:
    response = call("PUT", ANY, [("Transfer-Encoding", "chunked")], wire.chunked(b"ab", b"c" * 70_000, b"d"))

    assert response.status == 200
    assert upstream.calls[0].body == b"ab" + b"c" * 70_000 + b"d"


def test_empty_chunked_upload_passes(call: Caller, upstream: Upstream) -> None:
    assert call("PUT", ANY, [("Transfer-Encoding", "chunked")], wire.chunked()).status == 200
    assert upstream.calls[0].body == b""


def test_unknown_fields_pass_in_order_and_repeated(call: Caller, upstream: Upstream) -> None:
    workspace = ("X-MLFLOW-WORKSPACE", "w")

    call("GET", ANY, [("X-Any", "1"), ("Accept-Encoding", "gzip, br"), ("X-ANY", "2"), workspace, ("X-B", "\xfc")])

    head = upstream.calls[0].head
    assert head.all("X-Any") == ["1", "2"]
    assert head.get("X-B") == "\xfc"
    assert head.get("Accept-Encoding") == "gzip, br"
    assert head.get("X-MLFLOW-WORKSPACE") == "w"


def test_hop_by_hop_fields_end_here(call: Caller, upstream: Upstream) -> None:
    call(
        "GET",
        ANY,
        [
            ("Connection", "keep-alive, X-Private , x-other"),
            ("X-Private", "1"),
            ("X-Other", "2"),
            ("Keep-Alive", "timeout=5"),
            ("TE", "trailers"),
            ("Proxy-Connection", "keep-alive"),
            ("Proxy-Authorization", "Basic eDp5"),
            ("Upgrade", "websocket"),
            ("X-Stays", "3"),
        ],
    )

    names = upstream.calls[0].head.names()
    gone = {"x-private", "x-other", "keep-alive", "te", "proxy-connection", "proxy-authorization", "upgrade"}
    assert not names & gone
    assert "x-stays" in names


def test_connection_cannot_name_away_what_matters(call: Caller, upstream: Upstream) -> None:
    call("POST", ANY, [("Connection", "Content-Length, Host, Authorization"), JSON], b"{}")

    head = upstream.calls[0].head
    assert upstream.calls[0].body == b"{}"
    assert head.get("Host") == upstream.authority
    assert head.get("Authorization") == f"Bearer {CREDENTIAL}"


def test_forged_identity_and_forwarding_fields_are_replaced(call: Caller, upstream: Upstream, key: Key) -> None:
    call(
        "GET",
        ANY,
        [
            ("X-Hokusai-User-Id", "root"),
            ("X-Hokusai-API-Key-Id", "forged"),
            ("X-Hokusai-Anything", "forged"),
            ("X-Forwarded-For", "6.6.6.6"),
            ("X-Forwarded-Host", "forged.example"),
            ("X-Forwarded-Proto", "forged"),
            ("X-Forwarded-Prefix", "/forged"),
            ("Forwarded", "for=6.6.6.6"),
        ],
    )

    head = upstream.calls[0].head
    assert b"forged" not in head.raw
    assert b"6.6.6.6" not in head.raw
    assert head.all("X-Hokusai-API-Key-Id") == [key.id]
    assert head.all("X-Forwarded-For") == ["127.0.0.1"]
    assert head.all("X-Forwarded-Proto") == ["http"]
    assert head.all("X-Forwarded-Host") == ["gateway.test"]


def test_host_is_the_upstreams_own_authority(call: Caller, upstream: Upstream) -> None:
    call("GET", ANY, [("Host", "registry.example")])

    assert upstream.calls[0].head.all("Host") == [upstream.authority]


def test_via_names_us_both_ways(call: Caller, upstream: Upstream) -> None:
    response = call("GET", ANY)

    assert upstream.calls[0].head.get("Via").startswith("1.1 hokusai-")
    assert response.get("X-Request-Id")


def test_request_id_and_trace_go_upstream(call: Caller, upstream: Upstream) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"

    call("GET", ANY, [("traceparent", f"00-{trace}-b7ad6b7169203331-01")])

    (forwarded,) = upstream.calls[0].head.all("traceparent")
    assert forwarded.split("-")[1] == trace


def test_our_own_via_coming_back_is_a_loop(call: Caller, upstream: Upstream) -> None:
    call("GET", ANY)
    ours = upstream.calls[0].head.get("Via")

    response = call("GET", ANY, [("Via", f"1.1 other, {ours}")])

    assert response.status == 508
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("form", ["Bearer", "ApiKey", "Basic", "X-API-Key"])
def test_callers_key_is_never_forwarded(gateway: Hokusai, upstream: Upstream, key: Key, form: str) -> None:
    basic = base64.b64encode(f"user:{key.secret}".encode()).decode()
    field = {
        "Bearer": ("Authorization", f"Bearer {key.secret}"),
        "ApiKey": ("Authorization", f"ApiKey {key.secret}"),
        "Basic": ("Authorization", f"Basic {basic}"),
        "X-API-Key": ("X-API-Key", key.secret),
    }[form]

    assert wire.call(gateway.port, "GET", ANY, [field]).status == 200

    head = upstream.calls[0].head
    assert key.secret.encode() not in head.raw
    assert basic.encode() not in head.raw
    assert head.all("Authorization") == [f"Bearer {CREDENTIAL}"]


def test_strange_origin_of_a_write_is_refused_here(call: Caller, upstream: Upstream) -> None:
    assert call("POST", ANY, [("Origin", "https://evil.example"), JSON], b"{}").status == 403
    assert not upstream.calls


def test_own_origin_is_checked_and_dropped(call: Caller, upstream: Upstream) -> None:
    assert call("POST", ANY, [("Host", "gateway.test"), ("Origin", "http://gateway.test"), JSON], b"{}").status == 200
    assert upstream.calls[0].head.get("Origin") is None


def test_fields_of_the_answer_pass(call: Caller, upstream: Upstream) -> None:
    fields = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2"), ("X-Any", "y"), ("ETag", '"1"'), ("Vary", "Origin")]
    upstream.script(reply(200, [*fields, ("Content-Type", "text/weird; charset=x")], b"body"))

    response = call("GET", ANY)

    assert response.head.all("Set-Cookie") == ["a=1; Path=/", "b=2"]
    assert [response.get(name) for name in ("X-Any", "ETag", "Vary")] == ["y", '"1"', "Origin"]
    assert response.get("Content-Type") == "text/weird; charset=x"
    assert response.body == b"body"


def test_hop_by_hop_fields_of_the_answer_end_here(call: Caller, upstream: Upstream) -> None:
    named = [
        ("Connection", "X-Private"),
        ("X-Private", "1"),
        ("Keep-Alive", "timeout=5"),
        ("X-Hokusai-Source", "forged"),
    ]
    upstream.script(reply(200, named))

    names = call("GET", ANY).head.names()

    assert not names & {"x-private", "keep-alive", "x-hokusai-source"}


def test_compressed_answer_passes_as_it_is(call: Caller, upstream: Upstream) -> None:
    packed = gzip.compress(b"long text " * 100, mtime=0)
    upstream.script(reply(200, [("Content-Encoding", "gzip"), JSON], packed))

    response = call("GET", ANY, [("Accept-Encoding", "gzip")])

    assert response.body == packed
    assert response.get("Content-Encoding") == "gzip"
    assert response.get("Content-Length") == str(len(packed))


@pytest.mark.parametrize("status", [200, 201, 206, 400, 401, 403, 404, 409, 413, 418, 429, 500, 501, 503])
def test_status_and_body_pass(call: Caller, upstream: Upstream, status: int) -> None:
    upstream.script(reply(status, [JSON, ("Retry-After", "7")], b'{"error_code": "X"}'))

    response = call("POST", ANY, [JSON], b"{}")

    assert (response.status, response.body, response.get("Retry-After")) == (status, b'{"error_code": "X"}', "7")
    assert len(upstream.calls) == 1


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(gateway: Hokusai, upstream: Upstream, key: Key, status: int) -> None:
    upstream.script(reply(status, [("ETag", '"x"')]))

    with wire.Client(gateway.port) as client:
        assert client.call("GET", ANY, key.bearer.items()).status == status
        upstream.script(reply(200, [], b"next"))
        assert client.call("GET", ANY, key.bearer.items()).body == b"next"


def test_head_keeps_the_length_and_sends_no_body(gateway: Hokusai, upstream: Upstream, key: Key) -> None:
    upstream.script(raw(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n"))

    with wire.Client(gateway.port) as client:
        response = client.call("HEAD", ANY, key.bearer.items())
        upstream.script(reply(200, [], b"next"))

        assert response.get("Content-Length") == "12345"
        assert client.call("GET", ANY, key.bearer.items()).body == b"next"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_pass_through(call: Caller, upstream: Upstream, status: int) -> None:
    upstream.script(reply(status, [("Location", "http://elsewhere.example/x?y")]))

    response = call("POST", ANY, [JSON], b"{}")

    assert (response.status, response.get("Location")) == (status, "http://elsewhere.example/x?y")
    assert len(upstream.calls) == 1


def test_chunked_answer_passes(call: Caller, upstream: Upstream) -> None:
    pieces = [b"a" * 10, b"b" * 70_000, b"c"]
    upstream.script(raw(message(200, [("Transfer-Encoding", "chunked")]) + wire.chunked(*pieces)))

    assert call("GET", ANY).body == b"".join(pieces)


def test_answer_that_lasts_until_close_passes(call: Caller, upstream: Upstream) -> None:
    upstream.script(raw(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n" + b"z" * 5000, close=True))

    assert call("GET", ANY).body == b"z" * 5000


def test_answer_in_single_bytes_passes(call: Caller, upstream: Upstream) -> None:
    upstream.script(trickle(message(200, [JSON], b'{"slow": true}')))

    assert call("GET", ANY).body == b'{"slow": true}'


def test_interim_answers_of_the_upstream_do_not_end_the_exchange(call: Caller, upstream: Upstream) -> None:
    upstream.script(raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + message(200, [JSON], b"{}")))

    response = call("GET", ANY)

    assert (response.status, response.body) == (200, b"{}")


def test_no_path_climbs_out_of_the_base_path(serve: Callable[..., Hokusai], upstream: Upstream) -> None:
    gateway = serve(mlflow=f"{upstream.url}/ml", auth="off")
    upstream.script(reply(200))

    with wire.Client(gateway.port) as client:
        inside = client.call("GET", "/mlflow/api/2.0/mlflow/runs/get")
        climbing = [client.call("GET", f"/mlflow/{path}") for path in ("../admin", "a/%2e%2e/%2E%2e/admin")]

    assert [inside.status, *(answer.status for answer in climbing)] == [200, 400, 400]
    assert [call.target for call in upstream.calls] == ["/ml/api/2.0/mlflow/runs/get"]
