"""The same calls direct to MLflow and through the gateway give the same answers.

HOKUSAI_DIFFERENTIAL=direct leaves the gateway out, to prove that what remains equal two servers do by themselves.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from conftest import new_mlflow_servers
from support.calls import ALL, client
from support.differential import Answer, Side, differences, replay
from support.hokusai import Hokusai

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def sides(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Side, Side]]:
    """Two equal new servers; the way to the second leads through a gateway that requires a key."""
    with new_mlflow_servers(tmp_path_factory.mktemp("twins"), 2) as (first, second):
        direct = Side("direct", first.url, first.authority)
        if os.environ.get("HOKUSAI_DIFFERENTIAL") == "direct":
            yield direct, Side("twin", second.url, second.authority)
            return
        serve: Callable[..., Hokusai] = request.getfixturevalue("serve_module")
        gateway = serve(mlflow=second.url).wait_ready()
        key = gateway.create_key("mlflow:write")
        yield direct, Side("gateway", gateway.url, second.authority, list(key.bearer.items()), "/mlflow")


def test_raw_calls_answer_alike(sides: tuple[Side, Side], capsys: pytest.CaptureFixture[str]) -> None:
    assert len({call.name for call in ALL}) == len(ALL), "names must tell calls apart"

    found = replay(ALL, *sides)

    with capsys.disabled():
        print(f"\n{len(ALL)} raw calls replayed, {len(found)} differences")
    assert not found, "\n".join(found)


def test_stock_client_operations_answer_alike(
    sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    memories: dict[str, client.Memory] = {side.name: {} for side in sides}
    found, calls = [], 0
    for name, step in client.STEPS:
        (direct_value, direct), (through_value, through) = (
            _perform(side, step, memories[side.name], monkeypatch) for side in sides
        )
        calls += len(direct)
        if direct_value != through_value:
            found.append(f"[{name}] returned {direct_value!r} | {through_value!r}")
        for (asked, a), (asked_too, b) in zip(direct, through, strict=False):
            lines = differences(*sides, a, b)
            if sides[0].normalise(asked) != sides[1].normalise(asked_too):
                lines.append(f"asked {asked} | {asked_too}")
            found += [f"[{name}] {line}" for line in lines]
        if len(direct) != len(through):
            found.append(f"[{name}] took {len(direct)} calls | {len(through)}")

    with capsys.disabled():
        print(f"\n{len(client.STEPS)} client operations in {calls} calls replayed, {len(found)} differences")
    assert not found, "\n".join(found)


def _perform(
    side: Side, step: client.Step, memory: client.Memory, monkeypatch: pytest.MonkeyPatch
) -> tuple[object, list[tuple[str, Answer]]]:
    authorization = dict(side.headers).get("Authorization", "")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", authorization.removeprefix("Bearer "))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", side.url)
    mlflow.set_tracking_uri(side.url)
    with client.recorded() as exchanges:
        value = step(MlflowClient(side.url), memory)
    return value, exchanges


@pytest.mark.parametrize(
    ("headers", "body", "part"),
    [
        ([("Content-Type", "application/json")], b'{\n  "name": "other"\n}', "body"),
        ([("Content-Type", "application/json")], b'{"name": "m"}', "body"),
        ([("Content-Type", "text/plain")], b'{\n  "name": "m"\n}', "headers"),
        ([("Content-Type", "application/json"), ("Set-Cookie", "a")], b'{\n  "name": "m"\n}', "headers"),
    ],
)
def test_the_replay_notices_a_difference(headers: list[tuple[str, str]], body: bytes, part: str) -> None:
    same = Answer(200, [("Content-Type", "application/json"), ("Date", "now")], b'{\n  "name": "m"\n}')
    sides = [Side(name, f"http://127.0.0.1:{port}", f"127.0.0.1:{port}") for name, port in (("a", 1), ("b", 2))]

    found = differences(*sides, same, Answer(200, headers, body))

    assert [line.split(":")[0] for line in found] == [part]


def test_the_replay_notices_swapped_ids(tmp_path: Path) -> None:
    one, two = "1" * 32, "2" * 32
    sides = [Side(name, f"http://127.0.0.1:{port}", f"127.0.0.1:{port}") for name, port in (("a", 1), ("b", 2))]
    both = Answer(200, [], f"{one} {two}".encode())

    assert not differences(*sides, both, both)
    assert differences(*sides, Answer(200, [], one.encode()), Answer(200, [], two.encode()))
