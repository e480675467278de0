"""Artifacts through the server's proxy and its user interface's download paths."""

from __future__ import annotations

from support.differential import Call

STORE = "/api/2.0/mlflow-artifacts/artifacts"
BINARY = bytes(range(256)) * 400

CALLS = [
    Call("put artifact", "PUT", f"{STORE}/replay/a.txt", body=b"hello\n", headers=[("Content-Type", "text/plain")]),
    Call("put artifact: binary", "PUT", f"{STORE}/replay/b.bin", body=BINARY),
    Call("put artifact: chunked", "PUT", f"{STORE}/replay/c.bin", body=BINARY, is_chunked=True),
    Call("put artifact: empty, chunked", "PUT", f"{STORE}/replay/empty", body=b"", is_chunked=True),
    Call("put artifact: empty", "PUT", f"{STORE}/replay/empty2", body=b""),
    Call("put artifact: space", "PUT", f"{STORE}/replay/with%20space.txt", body=b"1"),
    Call("put artifact: plus", "PUT", f"{STORE}/replay/a+b.txt", body=b"2"),
    Call("put artifact: unicode", "PUT", f"{STORE}/replay/%E9%AF%A8.txt", body=b"3"),
    Call("put artifact: encoded slash", "PUT", f"{STORE}/replay/deep%2Ffile.txt", body=b"4"),
    Call("put artifact: encoded percent", "PUT", f"{STORE}/replay/100%2525.txt", body=b"5"),
    Call("put artifact: above the root", "PUT", f"{STORE}/%2E%2E/%2E%2E/x.txt", body=b"6", expect=400),
    Call("get artifact", "GET", f"{STORE}/replay/a.txt"),
    Call("get artifact: binary", "GET", f"{STORE}/replay/b.bin"),
    Call("get artifact: chunked", "GET", f"{STORE}/replay/c.bin"),
    Call("get artifact: empty", "GET", f"{STORE}/replay/empty"),
    Call("get artifact: space", "GET", f"{STORE}/replay/with%20space.txt"),
    Call("get artifact: plus", "GET", f"{STORE}/replay/a+b.txt"),
    Call("get artifact: unicode", "GET", f"{STORE}/replay/%E9%AF%A8.txt"),
    Call("get artifact: encoded slash", "GET", f"{STORE}/replay/deep%2Ffile.txt"),
    Call("get artifact: range", "GET", f"{STORE}/replay/b.bin", headers=[("Range", "bytes=0-9")], expect=206),
    Call("get artifact: none", "GET", f"{STORE}/replay/none", expect=404),
    Call("head artifact", "HEAD", f"{STORE}/replay/a.txt"),
    Call("list artifacts", "GET", STORE, query="path=replay"),
    Call("list artifacts: root", "GET", STORE),
    Call("list artifacts: encoded path", "GET", STORE, query="path=replay%2Fdeep"),
    Call("list artifacts: path twice", "GET", STORE, query="path=replay&path=other"),
    Call("list artifacts by ajax-api", "GET", "/ajax-api/2.0/mlflow-artifacts/artifacts", query="path=replay"),
    Call("list artifacts: above the root", "GET", STORE, query="path=../..", expect=400),
    Call(
        "multipart upload: not supported",
        "POST",
        "/api/2.0/mlflow-artifacts/mpu/create/replay/big",
        body={"path": "big", "num_parts": 2},
        expect=501,
    ),
    Call("delete artifact", "DELETE", f"{STORE}/replay/a.txt"),
    Call("delete artifact: again", "DELETE", f"{STORE}/replay/a.txt"),
    Call("run artifacts", "GET", "/api/2.0/mlflow/artifacts/list", query="run_id=<run>"),
    Call("run artifacts: no run", "GET", "/api/2.0/mlflow/artifacts/list", query="run_id=none", expect=404),
    Call(
        "upload for a run",
        "POST",
        "/ajax-api/2.0/mlflow/upload-artifact",
        query="run_uuid=<run>&path=note.json",
        body=b'{"a": 1}',
    ),
    Call("run artifact", "GET", "/get-artifact", query="run_id=<run>&path=note.json"),
    Call("run artifact: none", "GET", "/get-artifact", query="run_id=<run>&path=none.txt", expect=404),
    Call("run artifact: nothing asked", "GET", "/get-artifact", expect=400),
    Call(
        "version artifact: none",
        "GET",
        "/model-versions/get-artifact",
        query="name=fraud&version=99&path=x",
        expect=404,
    ),
]
