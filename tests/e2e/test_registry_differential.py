"""Random registry calls are answered by the native registry as by a real MLflow.

    pytest tests/e2e/test_registry_differential.py --registry-calls 20000 --registry-seed SEED

HOKUSAI_DIFFERENTIAL=direct compares two MLflow servers with each other, to prove that equal registries are found equal.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterator

import pytest

from conftest import new_mlflow_servers
from support import registry_checker
from support.differential import Answer, Call
from support.hokusai import Hokusai
from support.registry_differences import DIFFERENCES
from support.registry_differential import Comparison, Registry, Report, drop_what_can_go
from support.registry_generator import Generator
from support.registry_model import IS_PROMPT
from support.registry_requests import Request, write
from support.registry_script import describe
from support.registry_words import RUN

pytestmark = pytest.mark.timeout(1800)
IS_DIRECT = os.environ.get("HOKUSAI_DIFFERENTIAL") == "direct"
EPISODE = 80
OPERATIONS = 22


@pytest.fixture(scope="module")
def urls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Of a real MLflow and of what is compared with it."""
    serve: Callable[..., Hokusai] | None = None if IS_DIRECT else request.getfixturevalue("serve_module")
    with new_mlflow_servers(tmp_path_factory.mktemp("mlflow"), 2 if IS_DIRECT else 1) as servers:
        yield servers[0].url, serve(auth="off").wait_ready().url if serve else servers[1].url


def test_random_calls_answer_alike(
    urls: tuple[str, str], request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = request.config.getoption("--registry-seed") or secrets.token_hex(4)
    calls = request.config.getoption("--registry-calls")
    comparison = Comparison(Registry("mlflow", urls[0]), Registry("subject", urls[1]), [] if IS_DIRECT else DIFFERENCES)
    with capsys.disabled():
        print(f"\n--registry-seed {seed} --registry-calls {calls}", flush=True)

    report = comparison.run(seed, calls, EPISODE, most_findings=5)

    meant = {difference.name: report.differences[difference.name] for difference in DIFFERENCES}
    with capsys.disabled():
        print(f"{report.calls} calls of {len(report.operations)} operations, by status {dict(report.answers)}")
        print(f"{len(report.findings)} findings; differences that are meant to be: {meant}")
    assert not report.findings, "\n\n".join(describe(comparison.shrink(finding)) for finding in report.findings)
    assert report.answers[200] > report.calls / 2, "most calls should meet something"
    assert calls < 400 or len(report.operations) == OPERATIONS


class Tampered(Registry):
    """A registry whose answers are changed on their way."""

    def __init__(self, url: str, tamper: Callable[[Call, dict], object]):
        super().__init__("tampered", url)
        self._tamper = tamper

    def perform(self, call: Call) -> Answer:
        answer = super().perform(call)
        if answer.status == 200:
            body = json.loads(answer.body)
            self._tamper(call, body)
            answer.body = json.dumps(body, indent=2).encode()
        return answer


def _touch_model(call: Call, body: dict) -> None:
    model = body.get("registered_model", {})
    if call.method == "GET" and "latest_versions" in model:
        model["last_updated_timestamp"] = model["creation_timestamp"]


def _reverse(call: Call, body: dict) -> None:
    body.get("model_versions", []).reverse()


def _end_pages_early(call: Call, body: dict) -> None:
    body.pop("next_page_token", None)


@pytest.mark.parametrize("tamper", [_touch_model, _reverse, _end_pages_early])
def test_a_difference_is_found(urls: tuple[str, str], tamper: Callable[[Call, dict], object]) -> None:
    comparison = Comparison(Registry("mlflow", urls[0]), Tampered(urls[1], tamper), DIFFERENCES)

    report = comparison.run("tampered", 1000, EPISODE, most_findings=1)

    assert [list(finding.parts) for finding in report.findings] == [["body"]]


def test_a_difference_is_shrunk_to_a_short_script(urls: tuple[str, str]) -> None:
    name = f"{RUN}-planted"
    planted = [
        write(Request("POST", "registered-models/create", {"name": name})),
        write(Request("POST", "model-versions/create", {"name": name, "source": "s3://bucket/planted"})),
        write(Request("POST", "model-versions/transition-stage", {"name": name, "version": "1", "stage": "Staging"})),
        write(Request("GET", "model-versions/get", {"name": name, "version": "1"})),
    ]
    noise = Generator("noise").episode(30)[:-1]
    calls = [*noise[:8], planted[0], *noise[8:12], planted[1], *noise[12:20], planted[2], *noise[20:], planted[3]]

    def lose_stage(call: Call, body: dict) -> None:
        if call is planted[3]:
            body["model_version"]["current_stage"] = "None"

    comparison = Comparison(Registry("mlflow", urls[0]), Tampered(urls[1], lose_stage), DIFFERENCES)

    finding = comparison.replay(calls, Report())
    shrunk = comparison.shrink(finding)

    assert (len(finding.calls), shrunk.calls) == (len(calls), planted)
    assert describe(shrunk).count("curl") == len(planted)


CHANGES = [
    ("POST", "registered-models/set-tag", {"name": "m", "key": "k", "value": "v"}),
    ("POST", "registered-models/alias", {"name": "m", "alias": "champion", "version": "1"}),
    ("POST", "model-versions/set-tag", {"name": "m", "version": "1", "key": "k", "value": "v"}),
    ("POST", "model-versions/transition-stage", {"name": "m", "version": "1", "stage": "Staging"}),
    ("DELETE", "model-versions/delete", {"name": "m", "version": "1"}),
    ("POST", "model-versions/create", {"name": "p", "source": "s3://bucket/p"}),
    ("POST", "registered-models/rename", {"name": "p", "new_name": "q"}),
    ("DELETE", "registered-models/delete", {"name": "m"}),
]


def test_the_checker_sees_every_change(urls: tuple[str, str]) -> None:
    registry = Registry("mlflow", urls[0])
    registry.start_over("")
    prompt = {"name": "p", "tags": [{"key": IS_PROMPT, "value": "true"}]}
    creation = [("POST", "registered-models/create", body) for body in ({"name": "m"}, prompt)]
    creation += [("POST", "model-versions/create", {"name": "m", "source": "s3://bucket/m"})] * 2
    for method, path, body in creation:
        assert registry.perform(Call(path, method, f"/api/2.0/mlflow/{path}", body=body)).status == 200
    before = registry_checker.read(urls[0])

    assert registry_checker.differences(urls[0], urls[0]) == []
    for method, path, body in CHANGES:
        assert registry.perform(Call(path, method, f"/api/2.0/mlflow/{path}", body=body)).status == 200
        after = registry_checker.read(urls[0])
        assert registry_checker.compare(before, after), path
        before = after


def test_what_can_go_is_dropped() -> None:
    assert drop_what_can_go(range(100), lambda kept: {3, 58, 99} <= {*kept}, lambda: True) == [3, 58, 99]


def test_a_seed_makes_the_same_calls() -> None:
    assert Generator("s").episode(200) == Generator("s").episode(200)
    assert Generator("s").episode(200) != Generator("t").episode(200)
