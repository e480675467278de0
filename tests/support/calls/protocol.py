"""Odd but legal HTTP: bodies, types, methods, unknown paths, and the server's own pages."""

from __future__ import annotations

from support.differential import Call

API = "/api/2.0/mlflow"
CREATE = f"{API}/registered-models/create"
JSON = ("Content-Type", "application/json")

BODIES = [
    Call("body: none on POST", "POST", CREATE, headers=[JSON], expect=400),
    Call("body: empty on POST", "POST", CREATE, body=b"", headers=[JSON], expect=400),
    Call("body: not JSON", "POST", CREATE, body="{name:", headers=[JSON], expect=400),
    Call("body: null", "POST", CREATE, body="null", headers=[JSON], expect=400),
    Call("body: a number", "POST", CREATE, body="7", headers=[JSON], expect=500),
    Call("body: JSON within a string", "POST", CREATE, body='"{\\"name\\": \\"nested\\"}"', headers=[JSON]),
    Call("body: key twice", "POST", CREATE, body='{"name": "first", "name": "second"}', headers=[JSON]),
    Call("body: byte order mark", "POST", CREATE, body='\ufeff{"name": "bom"}', headers=[JSON]),
    Call("body: bad UTF-8", "POST", CREATE, body=b'{"name": "\xff\xfe"}', headers=[JSON], expect=400),
    Call("body: escaped unicode", "POST", CREATE, body='{"name": "\\u9be8"}', headers=[JSON]),
    Call("body: chunked", "POST", CREATE, body={"name": "in pieces"}, is_chunked=True, expect=400),
    Call(
        "body: charset",
        "POST",
        CREATE,
        body='{"name": "set"}',
        headers=[("Content-Type", "application/json; charset=utf-8")],
    ),
    Call("body: no content type", "POST", CREATE, body='{"name": "untyped"}', expect=400),
    Call(
        "body: form type",
        "POST",
        CREATE,
        body="name=form",
        headers=[("Content-Type", "application/x-www-form-urlencoded")],
        expect=400,
    ),
    Call(
        "body: PATCH without type",
        "PATCH",
        f"{API}/registered-models/update",
        body='{"name": "set", "description": "d"}',
    ),
    Call("body: DELETE without type", "DELETE", f"{API}/registered-models/delete", body='{"name": "set"}'),
    Call("body: GET with a body", "GET", f"{API}/registered-models/get", body={"name": "nested"}),
    Call("body: 900 kB", "POST", CREATE, body={"name": "wide", "ignored": "y" * 900_000}),
]

QUERIES = [
    Call("query: empty", "GET", f"{API}/registered-models/search", query="&&"),
    Call("query: unknown key", "GET", f"{API}/registered-models/search", query="colour=red&max_results=1"),
    Call("query: key without value", "GET", f"{API}/registered-models/get", query="name", expect=400),
    Call("query: semicolons", "GET", f"{API}/registered-models/get", query="name=fraud;x=1", expect=404),
    Call("query: bad escape", "GET", f"{API}/registered-models/get", query="name=%zz", expect=404),
    Call("query: encoded key", "GET", f"{API}/registered-models/get", query="n%61me=fraud"),
    Call("query: question mark in value", "GET", f"{API}/registered-models/get", query="name=a?b", expect=404),
    Call("query: boolean", "GET", f"{API}/experiments/search", query="max_results=2&view_type=ACTIVE_ONLY"),
    Call("query: 6 kB", "GET", f"{API}/registered-models/get", query="name=" + "n" * 6000, expect=404),
]

METHODS = [
    Call("method: HEAD", "HEAD", f"{API}/registered-models/search"),
    Call("method: OPTIONS", "OPTIONS", f"{API}/registered-models/search", expect=204),
    Call("method: PUT where none is", "PUT", f"{API}/registered-models/search", body={}, expect=405),
    Call("method: unknown", "PURGE", f"{API}/registered-models/search", expect=405),
    Call("path: unknown under api", "GET", f"{API}/no/such/call", expect=404),
    Call("path: unknown under api, POST", "POST", f"{API}/no/such/call", body={}, expect=404),
    Call("path: unknown version", "GET", "/api/3.0/mlflow/no/such", expect=404),
    Call("path: unknown ajax", "GET", "/ajax-api/2.0/mlflow/no/such", expect=404),
    Call("path: trailing slash", "GET", f"{API}/registered-models/search/", expect=404),
    Call("path: encoded letter", "GET", "/api/2.0/mlflow/registered%2Dmodels/search"),
    Call(
        "header: workspace", "GET", f"{API}/registered-models/search", headers=[("X-MLFLOW-WORKSPACE", "w")], expect=500
    ),
    Call(
        "header: unknown", "GET", f"{API}/registered-models/search", headers=[("X-Anything", "1"), ("X-Anything", "2")]
    ),
    Call("header: gzip accepted", "GET", f"{API}/registered-models/search", headers=[("Accept-Encoding", "gzip, br")]),
    Call("header: 4 kB", "GET", f"{API}/registered-models/search", headers=[("X-Long", "h" * 4000)]),
]

PAGES = [
    Call("page: version", "GET", "/version", is_server_path=True),
    Call("page: health", "GET", "/health", is_server_path=True),
    Call(
        "page: start", "GET", "/", is_server_path=True, headers=[("Accept", "text/html")], bind={"tag": "header:ETag"}
    ),
    Call(
        "page: start, not modified", "GET", "/", is_server_path=True, headers=[("If-None-Match", "<tag>")], expect=304
    ),
    Call("page: start, HEAD", "HEAD", "/", is_server_path=True),
    Call("page: icon", "GET", "/static-files/favicon.ico", is_server_path=True),
    Call(
        "page: icon, range",
        "GET",
        "/static-files/favicon.ico",
        is_server_path=True,
        headers=[("Range", "bytes=0-15")],
        expect=206,
    ),
    Call("page: no such file", "GET", "/static-files/none.js", is_server_path=True, expect=404),
    Call("page: unknown", "GET", "/no/such/page", is_server_path=True, expect=404),
    Call(
        "page: api under the mount",
        "GET",
        "/api/2.0/mlflow/registered-models/search",
        query="max_results=1",
        is_server_path=True,
    ),
]

CALLS = [*BODIES, *QUERIES, *METHODS, *PAGES]
