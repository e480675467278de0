"""Random sequences of registry calls, as data: a seed always makes the same ones.

A model of the registry is kept up to date with every call that should succeed, so that most calls meet something. It
need not be right about each of them: what is compared are the answers of two registries, never the model.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from support import registry_words as words
from support.differential import Call
from support.registry_model import IS_PROMPT, STAGES, Model, RegistryModel, Version
from support.registry_requests import Request, spoil, vary, write
from support.registry_searches import Searches

Fields = dict[str, object]


class Generator:
    def __init__(self, seed: str):
        self._rng = random.Random(seed)
        self._model = RegistryModel()
        self._searches = Searches(self._rng, self._model)
        self._pages = 0
        self._names = self._rng.sample(words.NAMES, 9)
        self._weights: dict[Callable[[], list[Request]], int] = {
            self._create_model: 5,
            self._rename_model: 3,
            self._update_model: 3,
            self._delete_model: 1,
            self._get_model: 6,
            self._latest_versions: 5,
            self._search_models: 12,
            self._set_model_tag: 5,
            self._delete_model_tag: 2,
            self._set_alias: 6,
            self._delete_alias: 2,
            self._version_by_alias: 5,
            self._create_versions: 10,
            self._update_version: 3,
            self._transition_stage: 7,
            self._delete_version: 3,
            self._get_version: 5,
            self._download_uri: 4,
            self._search_versions: 14,
            self._set_version_tag: 6,
            self._delete_version_tag: 2,
        }

    def episode(self, length: int) -> list[Call]:
        """About `length` calls that start from an empty registry."""
        calls: list[Call] = []
        for _ in range(3):
            calls += self._written([*self._create_model(), *self._create_version()])
        operations, weights = list(self._weights), list(self._weights.values())
        while len(calls) < length:
            calls += self._written(self._rng.choices(operations, weights)[0]())
        return [*calls, self._parting_call()]

    def _parting_call(self) -> Call:
        """One that two registries are known to take differently; they are not the same afterwards."""
        too_long = words.TOO_LONG_NAME
        if self._rng.random() < 0.5:
            return write(Request("POST", "registered-models/create", {"name": too_long}))
        return write(Request("POST", "registered-models/rename", {"name": self._name(), "new_name": too_long}))

    def _written(self, requests: list[Request]) -> list[Call]:
        rng = self._rng
        calls = []
        for request in requests:
            chance = rng.random()
            if chance < 0.12:  # then those that follow from it make no sense
                calls.append(spoil(request, rng))
                break
            if not words.is_refused(request.fields):
                request.effect()
            calls.append(vary(request, rng) if chance < 0.25 else write(request))
        return calls

    # Models.

    def _create_model(self) -> list[Request]:
        rng = self._rng
        free = [name for name in self._names if name not in self._model.models] or self._names
        name, tags = rng.choice(free), self._tags()
        if rng.random() < 0.1:
            name = rng.choice([*words.BAD_NAMES, *self._model.models, words.LONGEST_NAME])
        if rng.random() < 0.12:
            tags[IS_PROMPT] = rng.choice(["true", "true", "true", "false", "True"])
        fields = {"name": name} | self._tags_field(tags) | self._description_field()
        return [Request("POST", "registered-models/create", fields, lambda: self._model.create(name, tags))]

    def _rename_model(self) -> list[Request]:
        name = self._name()
        new_name = self._rng.choice([*self._names, *self._names, *words.BAD_NAMES, *self._model.models])
        fields: Fields = {"name": name, "new_name": new_name}
        renaming = Request("POST", "registered-models/rename", fields, lambda: self._model.rename(name, new_name))
        return [renaming, Request("GET", "registered-models/get", {"name": new_name})]

    def _update_model(self) -> list[Request]:
        return [Request("PATCH", "registered-models/update", {"name": self._name()} | self._description_field())]

    def _delete_model(self) -> list[Request]:
        name = self._name()
        fields: Fields = {"name": name}
        deletion = Request("DELETE", "registered-models/delete", dict(fields), lambda: self._model.delete(name))
        if self._rng.random() < 0.4:
            return [deletion]
        creation = Request("POST", "registered-models/create", fields, lambda: self._model.create(name, {}))
        return [deletion, creation, *self._create_version(name)]

    def _get_model(self) -> list[Request]:
        return [Request("GET", "registered-models/get", {"name": self._name()})]

    def _latest_versions(self) -> list[Request]:
        rng = self._rng
        fields: Fields = {"name": self._name()}
        if rng.random() < 0.6:
            fields["stages"] = [self._stage() for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        return [Request(rng.choice(["GET", "POST"]), "registered-models/get-latest-versions", fields)]

    def _set_model_tag(self) -> list[Request]:
        return self._set_tag("registered-models/set-tag", self._name(), None)

    def _delete_model_tag(self) -> list[Request]:
        return self._delete_tag("registered-models/delete-tag", self._name(), None)

    # Aliases.

    def _set_alias(self) -> list[Request]:
        name, number = self._version()
        alias = self._rng.choice([*words.ALIASES, *words.ALIASES, words.LONGEST_ALIAS, *words.BAD_ALIASES])
        fields: Fields = {"name": name, "alias": alias, "version": self._number(number)}
        return [Request("POST", "registered-models/alias", fields, lambda: self._model.set_alias(name, alias, number))]

    def _delete_alias(self) -> list[Request]:
        name, alias = self._alias()
        fields: Fields = {"name": name, "alias": alias}
        return [Request("DELETE", "registered-models/alias", fields, lambda: self._model.delete_alias(name, alias))]

    def _version_by_alias(self) -> list[Request]:
        name, alias = self._alias()
        return [Request("GET", "registered-models/alias", {"name": name, "alias": alias})]

    # Versions.

    def _create_versions(self) -> list[Request]:
        name = self._name()
        return [one for _ in range(self._rng.choice([1, 1, 2, 4])) for one in self._create_version(name)]

    def _create_version(self, name: str | None = None) -> list[Request]:
        rng = self._rng
        name = name or self._name()
        model = self._model.models.get(name)
        tags = self._tags()
        if bool(model and model.is_prompt) != (rng.random() < 0.05):
            tags |= {IS_PROMPT: "true", "mlflow.prompt.text": "Say {{ it }}", "_mlflow_prompt_type": "text"}
        source_fields, is_good = self._source_fields(IS_PROMPT in tags)
        fields = {"name": name} | source_fields
        version = Version(str(fields["source"]), str(fields.get("run_id", "")), tags=tags)
        if rng.random() < 0.2:
            fields["run_link"] = rng.choice(words.LINKS)
        fields |= self._tags_field(tags) | self._description_field()
        effect = (lambda: self._model.add_version(name, version)) if is_good else (lambda: None)
        return [Request("POST", "model-versions/create", fields, effect)]

    def _update_version(self) -> list[Request]:
        return [Request("PATCH", "model-versions/update", self._version_fields() | self._description_field())]

    def _transition_stage(self) -> list[Request]:
        name, number = self._version()
        stage, archives = self._stage(), self._rng.choice([None, True, True, False])
        fields: Fields = {"name": name, "version": self._number(number), "stage": stage}
        if archives is not None:
            fields["archive_existing_versions"] = archives
        canonical = next((known for known in STAGES if known.lower() == stage.lower()), "")
        is_good = not (archives and canonical in ("None", "Archived"))
        effect = lambda: is_good and self._model.transition(name, number, canonical, bool(archives))  # noqa: E731
        return [Request("POST", "model-versions/transition-stage", fields, effect)]

    def _delete_version(self) -> list[Request]:
        name, number = self._version()
        tags = self._model.tags_of(name, number)
        fields: Fields = {"name": name, "version": str(number) if IS_PROMPT in tags else self._number(number)}
        deletion = Request("DELETE", "model-versions/delete", fields, lambda: self._model.delete_version(name, number))
        seen_by = Request("GET", "registered-models/get", {"name": name})
        after = self._rng.choice([[], [seen_by], self._create_version(name)])
        if IS_PROMPT not in tags:
            return [deletion, *after]
        # MLflow keeps the tags of a deleted version, and this one would go on hiding the others from searches.
        fields = fields | {"key": IS_PROMPT}
        revelation = Request("DELETE", "model-versions/delete-tag", fields, lambda: tags.pop(IS_PROMPT, None))
        return [revelation, deletion, *after]

    def _get_version(self) -> list[Request]:
        return [Request("GET", "model-versions/get", self._version_fields())]

    def _download_uri(self) -> list[Request]:
        return [Request("GET", "model-versions/get-download-uri", self._version_fields())]

    def _set_version_tag(self) -> list[Request]:
        return self._set_tag("model-versions/set-tag", *self._version())

    def _delete_version_tag(self) -> list[Request]:
        return self._delete_tag("model-versions/delete-tag", *self._version())

    # Searches.

    def _search_models(self) -> list[Request]:
        return self._paged("registered-models/search", self._searches.of_models())

    def _search_versions(self) -> list[Request]:
        return self._paged("model-versions/search", self._searches.of_versions())

    def _paged(self, path: str, fields: Fields) -> list[Request]:
        """The first page and, where pages are small, those its token leads to."""
        requests: list[Request] = []
        for _ in range(4 if fields.get("max_results") in ("1", "2", "3") else 1):
            page = f"page{self._pages}"
            requests.append(Request("GET", path, dict(fields), bind={page: "next_page_token"}))
            fields = fields | {"page_token": f"<{page}>"}
            self._pages += 1
        return requests

    # Parts.

    def _set_tag(self, path: str, name: str, number: int | None) -> list[Request]:
        rng = self._rng
        key, value = rng.choice([*words.KEYS, *words.KEYS, *words.BAD_KEYS, words.LONGEST_KEY]), self._value()
        if rng.random() < 0.06:
            key, value = IS_PROMPT, rng.choice(["true", "false", "True"])
        fields: Fields = {"name": name} | ({} if number is None else {"version": self._number(number)})
        fields |= {"key": key, "value": value}
        if rng.random() < 0.1:
            del fields["value"]
        tags = self._model.tags_of(name, number)
        return [Request("POST", path, fields, lambda: tags.update({key: str(fields.get("value", ""))}))]

    def _delete_tag(self, path: str, name: str, number: int | None) -> list[Request]:
        tags = self._model.tags_of(name, number)
        key = self._rng.choice([*tags, *tags, *tags, self._rng.choice([*words.KEYS, *words.BAD_KEYS])])
        fields: Fields = {"name": name} | ({} if number is None else {"version": self._number(number)}) | {"key": key}
        return [Request("DELETE", path, fields, lambda: tags.pop(key, None))]

    def _tags(self) -> dict[str, str]:
        return {self._rng.choice(words.KEYS): self._value() for _ in range(self._rng.choice([0, 0, 1, 2, 3]))}

    def _tags_field(self, tags: dict[str, str]) -> Fields:
        rng = self._rng
        pairs = [{"key": key, "value": value} for key, value in tags.items()]
        if pairs and rng.random() < 0.15:  # the same key twice: the last one counts
            pairs.insert(0, {"key": pairs[0]["key"], "value": "first"})
        if rng.random() < 0.04:
            pairs.append(rng.choice([{"key": rng.choice(words.BAD_KEYS), "value": "x"}, {"key": "k"}, {"value": "v"}]))
        return {"tags": pairs} if pairs else {}

    def _description_field(self) -> Fields:
        return {"description": self._rng.choice(words.DESCRIPTIONS)} if self._rng.random() < 0.5 else {}

    def _value(self) -> str:
        chance = self._rng.random()
        if chance < 0.02:
            return words.LONG_VALUE
        return words.TOO_LONG_VALUE if chance < 0.025 else self._rng.choice(words.VALUES)

    def _source_fields(self, is_prompt: bool) -> tuple[Fields, bool]:
        """With whether a version of that source can be made."""
        rng = self._rng
        chance = rng.random()
        if is_prompt:
            source = rng.choice(words.PROMPT_SOURCES if chance < 0.9 else words.SOURCES)
            return {"source": source}, source in words.PROMPT_SOURCES
        if chance < 0.12:
            return self._version_uri()
        source = rng.choice(words.BAD_SOURCES if chance < 0.22 else words.SOURCES)
        if rng.random() < 0.5:
            return {"source": source}, source in words.SOURCES
        run_id = rng.choice(words.RUN_IDS)
        source = rng.choice([source, source, f"runs:/{run_id}/model"])
        return {"source": source, "run_id": run_id}, source not in words.BAD_SOURCES

    def _version_uri(self) -> tuple[Fields, bool]:
        rng = self._rng
        name, number = self._version()
        model = self._model.models.get(name) or Model({})
        alias, stage = rng.choice([*model.aliases, "champion"]), rng.choice(STAGES)
        ending, is_there = rng.choice(
            [
                (f"/{number}", number in model.versions),
                ("/latest", bool(model.versions)),
                (f"/{stage}", any(version.stage == stage for version in model.versions.values())),
                (f"@{alias}", alias in model.aliases),
            ]
        )
        is_good = is_there and not model.is_prompt and not any(sign in name for sign in "?\t\n")
        return {"source": f"models:/{name}{ending}"}, is_good

    def _name(self) -> str:
        rng = self._rng
        if self._model.models and rng.random() < 0.88:
            return rng.choice(list(self._model.models))
        return rng.choice([*self._model.former_names[-3:], *rng.sample(self._names, 2), rng.choice(words.BAD_NAMES)])

    def _version(self) -> tuple[str, int]:
        rng = self._rng
        full = [name for name, model in self._model.models.items() if model.versions]
        if full and rng.random() < 0.92:
            name = rng.choice(full)
            return name, rng.choice(list(self._model.models[name].versions))
        return self._name(), rng.choice([1, 2, 7])

    def _version_fields(self) -> Fields:
        name, number = self._version()
        return {"name": name, "version": self._number(number)}

    def _number(self, number: int) -> str:
        chance = self._rng.random()
        if chance < 0.03:
            return self._rng.choice(words.ODD_VERSIONS)
        return self._rng.choice(words.BAD_VERSIONS) if chance < 0.06 else str(number)

    def _alias(self) -> tuple[str, str]:
        rng = self._rng
        known = [(name, alias) for name, model in self._model.models.items() for alias in model.aliases]
        if known and rng.random() < 0.75:
            return rng.choice(known)
        return self._name(), rng.choice(["latest", "Latest", *words.ALIASES, *words.BAD_ALIASES])

    def _stage(self) -> str:
        chance = self._rng.random()
        if chance < 0.1:
            return self._rng.choice(words.ODD_STAGES)
        return self._rng.choice(words.BAD_STAGES) if chance < 0.13 else self._rng.choice(STAGES)
