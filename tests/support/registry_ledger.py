"""Random writes to a model registry through a stock client, and what the registry must be like afterwards."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from mlflow import MlflowClient

STAGES = ("None", "Staging", "Production", "Archived")


@dataclass
class Version:
    source: str
    stage: str = "None"
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Model:
    description: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    versions: dict[int, Version] = field(default_factory=dict)


def read(client: MlflowClient, name: str) -> Model | None:
    """As the registry shows it."""
    if not (found := [each for each in client.search_registered_models() if each.name == name]):
        return None
    versions = {
        int(each.version): Version(each.source, each.current_stage, each.description or "", dict(each.tags))
        for each in client.search_model_versions(f"name = '{name}'")
    }
    aliases = {alias: int(version) for alias, version in found[0].aliases.items()}
    return Model(found[0].description or "", dict(found[0].tags), aliases, versions)


@dataclass
class Ledger:
    """`models` is what the writes so far make of the registry."""

    rng: random.Random
    prefix: str
    models: dict[str, Model] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)
    writes: int = 0
    last: str = ""  # the model of the last write

    def create_model(self, client: MlflowClient) -> str:
        name = f"{self.prefix}-{len(self.models)}"
        client.create_registered_model(name, {"made": "by the test"}, "first")
        self.models[name], self.highest[name] = Model("first", {"made": "by the test"}), 0
        return name

    def create_version(self, client: MlflowClient, name: str) -> None:
        source, number = f"s3://bucket/{self.prefix}/{self.writes}", self.highest[name] + 1
        made = client.create_model_version(name, source, tags={"n": str(self.writes)}, description="made")
        assert int(made.version) == number, f"{name}: {made.version} promised, {number} expected"
        self.models[name].versions[number] = Version(source, "None", "made", {"n": str(self.writes)})
        self.highest[name] = number

    def write(self, client: MlflowClient) -> None:
        """One write. When it fails nothing is noted."""
        self.writes += 1
        self.last = name = self.rng.choice(sorted(self.models))
        before = copy.deepcopy(self.models[name])
        try:
            self._choose(name)(client, name)
        except BaseException:
            self.models[name] = before
            raise

    def _choose(self, name: str) -> Callable[[MlflowClient, str], None]:
        creates = [self.create_version] * 4
        others = [self._set_alias, self._set_version_tag, self._set_stage, self._describe_version, self._drop_version]
        model_only = [self._set_model_tag, self._describe_model, self._drop_tag]
        choices = creates + model_only + (others + others + [self._drop_alias] if self.models[name].versions else [])
        return self.rng.choice(choices)

    def _number(self, name: str) -> int:
        return self.rng.choice(sorted(self.models[name].versions))

    def _set_alias(self, client: MlflowClient, name: str) -> None:
        alias, number = self.rng.choice(("champion", "challenger")), self._number(name)
        client.set_registered_model_alias(name, alias, str(number))
        self.models[name].aliases[alias] = number

    def _drop_alias(self, client: MlflowClient, name: str) -> None:
        client.delete_registered_model_alias(name, "challenger")
        self.models[name].aliases.pop("challenger", None)

    def _set_version_tag(self, client: MlflowClient, name: str) -> None:
        number, value = self._number(name), f"v{self.writes}"
        client.set_model_version_tag(name, str(number), "t", value)
        self.models[name].versions[number].tags["t"] = value

    def _set_stage(self, client: MlflowClient, name: str) -> None:
        number, stage = self._number(name), self.rng.choice(STAGES)
        archives = stage in ("Staging", "Production") and self.rng.random() < 0.5
        client.transition_model_version_stage(name, str(number), stage, archive_existing_versions=archives)
        for other, version in self.models[name].versions.items():
            if archives and other != number and version.stage == stage:
                version.stage = "Archived"
        self.models[name].versions[number].stage = stage

    def _describe_version(self, client: MlflowClient, name: str) -> None:
        number, text = self._number(name), f"é {self.writes}"
        client.update_model_version(name, str(number), text)
        self.models[name].versions[number].description = text

    def _drop_version(self, client: MlflowClient, name: str) -> None:
        number = self._number(name)
        client.delete_model_version(name, str(number))
        del self.models[name].versions[number]
        aliases = self.models[name].aliases
        self.models[name].aliases = {alias: at for alias, at in aliases.items() if at != number}

    def _set_model_tag(self, client: MlflowClient, name: str) -> None:
        client.set_registered_model_tag(name, "u", f"v{self.writes}")
        self.models[name].tags["u"] = f"v{self.writes}"

    def _drop_tag(self, client: MlflowClient, name: str) -> None:
        client.delete_registered_model_tag(name, "u")
        self.models[name].tags.pop("u", None)

    def _describe_model(self, client: MlflowClient, name: str) -> None:
        client.update_registered_model(name, f"about {self.writes}")
        self.models[name].description = f"about {self.writes}"
