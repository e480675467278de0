"""Random registry calls to two registries in lockstep, and what counts as the same answer.

Compared are status, media type and JSON: members, their order, and how they are laid out. Times are compared by the
call that made them, so a registry that touches a time it should leave alone, or the other way round, is found out.
"""

from __future__ import annotations

import json
import random
import re
import string
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from support.differential import Answer, Call, Side
from support.process import wait_until
from support.registry_generator import Generator
from support.registry_model import IS_PROMPT
from support.registry_words import RUN_LENGTH

TIMES = {"creation_timestamp", "last_updated_timestamp"}
UNORDERED = {"tags", "aliases"}  # MLflow asks its database for them without an order
PYTHON_SET = re.compile(r"\{('[^{}']*'(?:, '[^{}']*')*)\}")
PAGE = re.compile(r"(?:<|%3C)(page\d+)(?:>|%3E)")


@dataclass(frozen=True)
class Difference:
    """One that is meant to be: `holds` is asked about the reference's answer and the subject's."""

    name: str
    why: str
    holds: Callable[[Call, Answer, Answer], bool]


@dataclass
class Finding:
    """The first call of an episode that was answered differently, in no way that is meant to be."""

    seed: str
    calls: list[Call]  # up to this one
    parts: dict[str, tuple[object, object]]  # of the answer that differ: the reference's, the subject's

    @property
    def call(self) -> Call:
        return self.calls[-1]


@dataclass
class Report:
    answers: Counter[int] = field(default_factory=Counter)  # of the reference, by status
    operations: Counter[str] = field(default_factory=Counter)
    differences: Counter[str] = field(default_factory=Counter)  # that are meant to be, by name
    findings: list[Finding] = field(default_factory=list)

    @property
    def calls(self) -> int:
        return self.answers.total()


class Registry:
    """One of the two. A replay starts from nothing: all models are deleted, and names are new ones."""

    def __init__(self, name: str, url: str, headers: Sequence[tuple[str, str]] = ()):
        self.name = name
        self.url = url
        self.headers = headers
        self._side = Side(name, url, "", headers)
        self._calls: list[tuple[int, int]] = []  # began, ended, in ms

    def start_over(self, word: str) -> None:
        self._side = Side(self.name, self.url, "", self.headers)
        for name in all_models(self._get):
            delete = Call("", "DELETE", "/api/2.0/mlflow/registered-models/delete", body={"name": name})
            answer = self._side.perform(delete)
            if answer.status != 200:
                raise RuntimeError(f"{self.name} does not delete model {name!r}: {answer.status} {answer.body!r}")
        self._side.bound["run"] = word
        self._calls = []

    def perform(self, call: Call) -> Answer:
        # Two calls of the same millisecond could not be told apart by the times they leave.
        wait_until("the next millisecond", lambda: not self._calls or _now() > self._calls[-1][1], every=0.0002)
        began = _now()
        answer = self._side.perform(call)
        self._calls.append((began, _now()))
        return answer

    def lacks_page(self, call: Call) -> bool:
        """Whether the call asks for a page no token leads to."""
        return any(page not in self._side.bound for page in PAGE.findall(call.query))

    def comparable(self, answer: Answer) -> dict[str, object]:
        media_type = next((value for key, value in answer.headers if key.lower() == "content-type"), None)
        text = answer.body.decode(errors="replace")
        try:
            parsed = json.loads(text)
        except ValueError:
            return {"status": answer.status, "type": media_type, "body": text}
        layout = next((name for name, options in LAYOUTS.items() if json.dumps(parsed, **options) == text), "neither")
        return {
            "status": answer.status,
            "type": media_type,
            "layout": layout,
            "body": json.dumps(self._normalised(parsed), ensure_ascii=False),
        }

    def _normalised(self, value: object, name: str = "") -> object:
        if isinstance(value, dict):
            return {key: self._normalised(member, key) for key, member in value.items()}
        if isinstance(value, list):
            items = [self._normalised(item, name) for item in value]
            return sorted(items, key=json.dumps) if name in UNORDERED else items
        if name in TIMES and isinstance(value, int):
            return self._made_by(value)
        if name == "message" and isinstance(value, str):
            return PYTHON_SET.sub(lambda found: "{" + ", ".join(sorted(found[1].split(", "))) + "}", value)
        return value

    def _made_by(self, moment: int) -> str:
        during = [number for number, (began, ended) in enumerate(self._calls) if began <= moment <= ended]
        return f"<time of call {during[0]}>" if during else f"<time of no call: {moment}>"

    def _get(self, path: str, query: list[tuple[str, object]]) -> dict:
        answer = self._side.perform(Call("", "GET", "/api/2.0/mlflow/" + path, query))
        if answer.status != 200:
            raise RuntimeError(f"{self.name} does not answer {path}: {answer.status} {answer.body!r}")
        return json.loads(answer.body)


LAYOUTS: dict[str, dict[str, object]] = {
    "indented": {"indent": 2, "ensure_ascii": False},
    "indented, escaped": {"indent": 2},
    "compact": {},
    "compact, unescaped": {"ensure_ascii": False},
}


def _now() -> int:
    return time.time_ns() // 1_000_000


def all_models(get: Callable[[str, list[tuple[str, object]]], dict]) -> Iterator[str]:
    """The names of all models, prompts too: no one search finds both."""
    for kind in ("", f"tags.`{IS_PROMPT}` = 'true'"):
        names, token = [], ""
        while True:
            found = get("registered-models/search", [("filter", kind), ("max_results", 1000), ("page_token", token)])
            names += [model["name"] for model in found.get("registered_models", [])]
            token = found.get("next_page_token", "")
            if not token:
                break
        yield from names


def new_word() -> str:
    return "".join(random.SystemRandom().choices(string.ascii_lowercase, k=RUN_LENGTH))


class Comparison:
    """Of two registries, with the differences that are meant to be."""

    def __init__(self, reference: Registry, subject: Registry, differences: Sequence[Difference]):
        self.reference = reference
        self.subject = subject
        self._differences = differences

    def run(self, seed: str, calls: int, episode: int, most_findings: int) -> Report:
        """Episodes of random calls, each up to its first finding."""
        report, number = Report(), 0
        while report.calls < calls and len(report.findings) < most_findings:
            episode_seed = f"{seed}.{number}"
            self.replay(Generator(episode_seed).episode(episode), report, episode_seed)
            number += 1
        return report

    def replay(self, calls: Sequence[Call], report: Report, seed: str = "") -> Finding | None:
        word = new_word()
        self.reference.start_over(word)
        self.subject.start_over(word)
        for number, call in enumerate(calls):
            if self.reference.lacks_page(call):
                continue
            expected, given = self.reference.perform(call), self.subject.perform(call)
            report.answers[expected.status] += 1
            report.operations[f"{call.method} {call.path.partition('/mlflow/')[2]}"] += 1
            parts = self._different_parts(expected, given)
            if not parts:
                continue
            meant = next((one for one in self._differences if one.holds(call, expected, given)), None)
            if meant is None:
                finding = Finding(seed, list(calls[: number + 1]), parts)
                report.findings.append(finding)
                return finding
            report.differences[meant.name] += 1
        return None

    def _different_parts(self, expected: Answer, given: Answer) -> dict[str, tuple[object, object]]:
        left, right = self.reference.comparable(expected), self.subject.comparable(given)
        return {part: (left.get(part), right.get(part)) for part in left | right if left.get(part) != right.get(part)}

    def shrink(self, finding: Finding, seconds: float = 60.0) -> Finding:
        """The fewest calls found, within `seconds`, that still lead to a difference in the answer to the same call."""
        deadline = time.monotonic() + seconds
        smallest = finding

        def still_differs(calls: Sequence[Call]) -> bool:
            nonlocal smallest
            again = self.replay([*calls, finding.call], Report(), finding.seed)
            if again is None or again.call is not finding.call:
                return False
            smallest = again
            return True

        earlier = finding.calls[:-1]
        writes = [call for call in earlier if call.method != "GET"]
        drop_what_can_go(
            writes if still_differs(writes) else earlier, still_differs, lambda: time.monotonic() < deadline
        )
        return smallest


def drop_what_can_go(
    calls: Sequence[Call], still_differs: Callable[[Sequence[Call]], bool], may_go_on: Callable[[], bool]
) -> Sequence[Call]:
    """Delta debugging: ever smaller pieces are left out as long as the rest still shows the difference."""
    size = max(1, len(calls) // 2)
    while True:
        at, dropped = 0, False
        while at < len(calls) and may_go_on():
            fewer = [*calls[:at], *calls[at + size :]]
            if still_differs(fewer):
                calls, dropped = fewer, True
            else:
                at += size
        if not may_go_on() or (size == 1 and not dropped):
            return calls
        size = max(1, size // 2)
