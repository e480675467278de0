"""Stock clients at work on a registry while it is in trouble: what they wrote they must read back.

Every client owns one model, of which it knows what it wrote; a write whose outcome it was not told leaves two values
possible, the old and the new, until the next one succeeds. The shared models are read by all and never change.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

SOURCE = "s3://bucket/model"


@dataclass
class Tally:
    """What one client saw."""

    reads: list[float] = field(default_factory=list)  # seconds each took
    unanswered: list[str] = field(default_factory=list)
    contradictions: list[str] = field(default_factory=list)
    writes: Counter[str] = field(default_factory=Counter)  # by outcome: done, refused, unknown

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.reads + other.reads,
            self.unanswered + other.unanswered,
            self.contradictions + other.contradictions,
            self.writes + other.writes,
        )


class Possible:
    """The values something may have, going by what the client was told."""

    def __init__(self, value: object):
        self.values = {value}

    def write(self, value: object, outcome: str) -> None:
        if outcome == "done":
            self.values = {value}
        elif outcome == "unknown":
            self.values.add(value)


class LoadClient:
    def __init__(self, url: str, number: int, shared: list[str], seed: str):
        self._client = MlflowClient(url, url)
        self._rng = random.Random(f"{seed}.{number}")
        self._shared = shared
        self._name = f"owned-{number}"
        self._writes = 0
        self.tally = Tally()

    def prepare(self) -> None:
        self._client.create_registered_model(self._name)
        for _ in range(2):
            self._client.create_model_version(self._name, SOURCE)
        self._client.set_registered_model_alias(self._name, "champion", "1")
        self._client.update_registered_model(self._name, "0")
        self._client.set_registered_model_tag(self._name, "step", "0")
        self._description, self._tag = Possible("0"), Possible("0")
        self._champion, self._newest = Possible("1"), Possible(2)

    def work(self, until: threading.Event) -> None:
        reads = [self._read_model, self._read_champion, self._find_versions, self._read_shared, self._find_shared]
        writes = [self._describe, self._tag_it, self._move_champion, self._add_version]
        while not until.is_set():
            self._rng.choice(writes if self._rng.random() < 0.2 else reads)()

    # Writes.

    def _describe(self) -> None:
        text = self._next()
        self._description.write(text, self._write(lambda: self._client.update_registered_model(self._name, text)))

    def _tag_it(self) -> None:
        text = self._next()
        self._tag.write(text, self._write(lambda: self._client.set_registered_model_tag(self._name, "step", text)))

    def _move_champion(self) -> None:
        version = self._rng.choice(["1", "2"])
        call = lambda: self._client.set_registered_model_alias(self._name, "champion", version)  # noqa: E731
        self._champion.write(version, self._write(call))

    def _add_version(self) -> None:
        made: list[int] = []
        outcome = self._write(lambda: made.append(int(self._client.create_model_version(self._name, SOURCE).version)))
        if made:
            expected = {newest + 1 for newest in self._newest.values}
            self._check("number of a new version", made[0] in expected, f"{made[0]}, not of {expected}")
            self._newest = Possible(made[0])
        elif outcome == "unknown":
            self._newest.values |= {newest + 1 for newest in self._newest.values}

    def _next(self) -> str:
        self._writes += 1
        return str(self._writes)

    def _write(self, call: Callable[[], object]) -> str:
        try:
            call()
            outcome = "done"
        except MlflowException as error:
            outcome = "refused" if "503" in str(error) else "unknown"
        self.tally.writes[outcome] += 1
        return outcome

    # Reads.

    def _read_model(self) -> None:
        model = self._read(lambda: self._client.get_registered_model(self._name))
        if model:
            seen = (model.description, model.tags.get("step"), model.aliases.get("champion"))
            possible = (self._description.values, self._tag.values, self._champion.values)
            is_possible = all(value in values for value, values in zip(seen, possible, strict=True))
            self._check("own model", is_possible, f"{seen}, not of {possible}")

    def _read_champion(self) -> None:
        version = self._read(lambda: self._client.get_model_version_by_alias(self._name, "champion"))
        if version:
            possible = self._champion.values
            self._check("own alias", version.version in possible, f"{version.version}, not of {possible}")

    def _find_versions(self) -> None:
        found = self._read(lambda: self._client.search_model_versions(f"name = '{self._name}'", 1000))
        if found is not None:
            numbers = sorted(int(version.version) for version in found)
            possible = self._newest.values
            is_possible = numbers == list(range(1, len(numbers) + 1)) and len(numbers) in possible
            self._check("own versions", is_possible, f"{numbers}, the newest not of {possible}")

    def _read_shared(self) -> None:
        name = self._rng.choice(self._shared)
        version = self._read(lambda: self._client.get_model_version_by_alias(name, "champion"))
        if version:
            self._check("shared alias", (version.name, version.version) == (name, "1"), str(version))

    def _find_shared(self) -> None:
        found = self._read(lambda: self._client.search_registered_models("name LIKE 'shared-%'"))
        if found is not None:
            names = [model.name for model in found]
            self._check("shared models", names == sorted(self._shared), str(names))

    def _read(self, call: Callable[[], object]) -> object | None:
        began = time.monotonic()
        try:
            value = call()
        except MlflowException as error:
            is_answer = error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
            (self.tally.contradictions if is_answer else self.tally.unanswered).append(f"{self._name}: {error}"[:300])
            return None
        self.tally.reads.append(time.monotonic() - began)
        return value

    def _check(self, what: str, is_so: bool, seen: str) -> None:
        if not is_so:
            self.tally.contradictions.append(f"{self._name}: {what}: {seen}")


def share_models(client: MlflowClient, count: int) -> list[str]:
    names = [f"shared-{number:02}" for number in range(count)]
    for name in names:
        client.create_registered_model(name, tags={"team": "all"})
        client.create_model_version(name, SOURCE, tags={"validated": "yes"})
        client.set_registered_model_alias(name, "champion", "1")
    return names
