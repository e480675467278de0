"""What a model registry holds, as far as a generator must know it to ask for things that exist."""

from __future__ import annotations

from dataclasses import dataclass, field

IS_PROMPT = "mlflow.prompt.is_prompt"
STAGES = ("None", "Staging", "Production", "Archived")


@dataclass
class Version:
    source: str
    run_id: str
    stage: str = "None"
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Model:
    tags: dict[str, str]
    versions: dict[int, Version] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    given_out: int = 0  # the highest version number so far, deleted ones included

    @property
    def is_prompt(self) -> bool:
        return self.tags.get(IS_PROMPT) == "true"


@dataclass
class RegistryModel:
    """Each method is the effect of a call that succeeds; impossible ones change nothing."""

    models: dict[str, Model] = field(default_factory=dict)
    former_names: list[str] = field(default_factory=list)  # deleted or renamed away

    def create(self, name: str, tags: dict[str, str]) -> None:
        self.models.setdefault(name, Model(tags))

    def rename(self, name: str, new_name: str) -> None:
        if name in self.models and new_name not in self.models:
            self.models[new_name] = self.models.pop(name)
            self.former_names.append(name)

    def delete(self, name: str) -> None:
        if self.models.pop(name, None):
            self.former_names.append(name)

    def add_version(self, name: str, version: Version) -> None:
        if model := self.models.get(name):
            model.given_out += 1
            model.versions[model.given_out] = version

    def delete_version(self, name: str, number: int) -> None:
        if model := self.models.get(name):
            model.versions.pop(number, None)
            model.aliases = {alias: at for alias, at in model.aliases.items() if at != number}

    def transition(self, name: str, number: int, stage: str, archives: bool) -> None:
        model = self.models.get(name)
        if not model or number not in model.versions:
            return
        if archives:
            for other in model.versions.values():
                if other.stage == stage:
                    other.stage = "Archived"
        model.versions[number].stage = stage

    def set_alias(self, name: str, alias: str, number: int) -> None:
        model = self.models.get(name)
        if model and number in model.versions:
            model.aliases[alias] = number

    def delete_alias(self, name: str, alias: str) -> None:
        if model := self.models.get(name):
            model.aliases.pop(alias, None)

    def tags_of(self, name: str, number: int | None = None) -> dict[str, str]:
        """The tags of a model, or of a version of it; what is not there has none."""
        model = self.models.get(name)
        if number is None or not model:
            return model.tags if model else {}
        return model.versions[number].tags if number in model.versions else {}
