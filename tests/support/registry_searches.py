"""Random filters, orders and pages of the two searches, most of them about what the model holds."""

from __future__ import annotations

import random
from collections.abc import Callable

from support import registry_words as words
from support.registry_model import IS_PROMPT, RegistryModel
from support.registry_words import split

BAD_FILTERS = split("""
name | name = | = 'x' | name = x | name = 'x | name == 'x' | name <> 'x' | 'name' = 'x' | name = name | name 'x' | *
name = 'x' OR name = 'y' | NOT name = 'x' | (name = 'x') | name = 'x' AND | AND name = 'x' | name = 'x'; | '' | -- y
name = 'x'; name = 'y' | name IS NULL | name IS NOT NULL | tags.a IS NULL | name = NULL | name = 'x' -- y | 1 = 1
colour = 'x' | attribute.colour = 'x' | metric.a = 'x' | params.a = 'x' | model.name = 'x' | tags = 'x' | source = 'x'
name > 'x' | name >= 'x' | name < 'x' | tags.a > 'x' | tags.a IN ('x') | tags.a NOT IN ('x') | tags.a = 1 | name IN ()
name IN ('x' | name IN (1, 2) | name IN ('x', 2) | name IN 'x' | name IN (x) | name IN ('x' 'y') | source_path IN ('x')
name = 1 | name = 1.5 | name LIKE | name LIKE 1 | name RLIKE 'x' | name = 'a' 'b' | creation_timestamp > 0 | select 1
last_updated_timestamp = 1 | user_id = 'x' | current_stage = 'None' | aliases = 'x' | version = 1 | name = 'it''s'
version_number = 'x' | version_number = 1.5 | version_number LIKE '1' | version_number IN (1) | version_number = -1
version_number | run_id > 'x' | run_id = 1 | tags.`a = 'x' | tags.'a' = 'x' | `tags`.a = 'x' | NAME = 'x' | `name` = 'x'
name=’x’ | Name = 'x' | name = 'x' AND AND name = 'y' | name = 'x' name = 'y' | name = 'x' , name = 'y'
""") + ["\\", "\ufeff"]
BLANK_FILTERS = ["", " ", "\n"]

MODEL_ORDERS = split("""
name | name ASC | name desc | name  DESC
timestamp | timestamp DESC | last_updated_timestamp asc | last_updated_timestamp DESC
""")
VERSION_ORDERS = split("""
name | name DESC | version_number | version_number DESC | attribute.name
creation_timestamp | creation_timestamp DESC | last_updated_timestamp | last_updated_timestamp desc
""")
BAD_ORDERS = split("""
colour | name up | name ASC DESC | name, timestamp | tags.a | name; | version | metric.x | run_id | 'name' | 1
name 'ASC' | NAME | timestamp up | timestamp, name | name ASC, version_number DESC | model.name | desc | `name
creation_timestamp | version_number | timestamp  ASC | attribute.colour | "name" | name --x | `name`
""") + ["", " "]

PAGE_SIZES = split("1 | 2 | 3 | 5 | 100")
ODD_SIZES = split("1000 | 0 | -1 | -5 | 1001 | 200000 | 200001 | 2147483648 | 99999999999 | abc | 1.5 | 1e2") + [
    "",
    " 5",
]
GOOD_TOKENS = split("eyJvZmZzZXQiOiAxfQ== | eyJvZmZzZXQiOiAiMSJ9 | eyJvZmZzZXQiOiA5OTl9 | eyJvZmZzZXQiOiAtMX0=")
BAD_TOKENS = split("""
abc | ! | NQ== | e30= | W10= | nope | eyJvZmZzZXQiOiAi | eyJvZmZzZXQiOiAieCJ9 | eyJvZmZzZXQiOiAwfQ==
""")


class Searches:
    """Arguments of searches, as field -> value or values."""

    def __init__(self, rng: random.Random, model: RegistryModel):
        self._rng = rng
        self._model = model

    def of_models(self) -> dict[str, object]:
        return self._arguments([self._by_name, self._by_name, self._by_model_tag], MODEL_ORDERS)

    def of_versions(self) -> dict[str, object]:
        terms = [self._by_name, self._by_version_tag, self._by_run, self._by_source, self._by_number]
        return self._arguments(terms, VERSION_ORDERS)

    def _arguments(self, terms: list[Callable[[], str]], orders: list[str]) -> dict[str, object]:
        rng = self._rng
        fields: dict[str, object] = {}
        if rng.random() < 0.8:
            fields["filter"] = self._filter(terms)
        if rng.random() < 0.4:
            fields["order_by"] = self._orders(orders)
        if rng.random() < 0.5:
            fields["max_results"] = rng.choice(PAGE_SIZES) if rng.random() < 0.85 else rng.choice(ODD_SIZES)
        if rng.random() < 0.06:
            fields["page_token"] = rng.choice(BAD_TOKENS + GOOD_TOKENS)
        return fields

    def _filter(self, terms: list[Callable[[], str]]) -> str:
        rng = self._rng
        chance = rng.random()
        if chance < 0.03:
            return rng.choice(BLANK_FILTERS)
        if chance < 0.15:
            return rng.choice(BAD_FILTERS)
        made = [rng.choice(terms)() for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
        if rng.random() < 0.04:
            made.append(rng.choice(BAD_FILTERS))
        text = rng.choice([" AND ", " and ", " AND ", "  And\t"]).join(made)
        return rng.choice(["", "", "", " "]) + text + rng.choice(["", "", "", " "])

    def _orders(self, orders: list[str]) -> list[str]:
        rng = self._rng
        made = rng.sample(orders, rng.choice([1, 1, 2, 2, 3]))
        if rng.random() < 0.12:
            made.insert(rng.randrange(len(made) + 1), rng.choice(BAD_ORDERS))
        return made

    def _by_name(self) -> str:
        attribute = self._rng.choice(["name", "name", "name", "attribute.name"])
        return self._compare(attribute, list(self._model.models) or [words.NAMES[0]], has_lists=True)

    def _by_run(self) -> str:
        return self._compare("run_id", words.RUN_IDS, has_lists=True)

    def _by_source(self) -> str:
        used = [version.source for model in self._model.models.values() for version in model.versions.values()]
        return self._compare("source_path", used or words.SOURCES)

    def _by_number(self) -> str:
        rng = self._rng
        comparator = rng.choice(["=", "!=", "<", "<=", ">", ">="])
        number = rng.choice([1, 1, 2, 3, 5, 0])
        value = f"'{number}'" if rng.random() < 0.1 else str(number)
        return f"version_number{self._gap()}{comparator}{self._gap()}{value}"

    def _by_model_tag(self) -> str:
        return self._by_tag([model.tags for model in self._model.models.values()])

    def _by_version_tag(self) -> str:
        return self._by_tag([one.tags for model in self._model.models.values() for one in model.versions.values()])

    def _by_tag(self, tags: list[dict[str, str]]) -> str:
        rng = self._rng
        pairs = sorted({pair for some in tags for pair in some.items() if len(pair[1]) < 200})
        key, value = rng.choice(pairs) if pairs and rng.random() < 0.8 else ("team", "risk")
        if rng.random() < 0.12:
            key, value = IS_PROMPT, rng.choice(["true", "true", "True", "false", "TRUE", ""])
        quoted = rng.choice([f"`{key}`", f"`{key}`", f'"{key}"', key])
        return self._compare(rng.choice(["tags", "tags", "tag"]) + "." + quoted, [value])

    def _compare(self, left: str, values: list[str], has_lists: bool = False) -> str:
        rng = self._rng
        comparator = rng.choice(["=", "=", "=", "!=", "LIKE", "LIKE", "ILIKE", "like", "ilike"])
        if has_lists and rng.random() < 0.2:
            chosen = [self._quoted(rng.choice(values)) for _ in range(rng.choice([1, 2, 2, 3]))]
            comma = rng.choice([", ", ",", " , "])
            return f"{left} {rng.choice(['IN', 'IN', 'in', 'NOT IN', 'not in'])} ({comma.join(chosen)})"
        value = rng.choice(values)
        if comparator.upper() in ("LIKE", "ILIKE"):
            return f"{left} {comparator} {self._quoted(self._pattern(value))}"
        return f"{left}{self._gap()}{comparator}{self._gap()}{self._quoted(value)}"

    def _pattern(self, value: str) -> str:
        """One that matches `value`, or nearly does."""
        rng = self._rng
        cut = len(words.RUN) + 1 if value.startswith(words.RUN) else 0
        head, tail = value[:cut], value[cut:]
        tail = rng.choice([tail, tail.upper(), tail.lower(), tail.swapcase()])
        at = rng.randrange(len(tail) + 1)
        begun = head + tail[:at]
        return rng.choice([head + tail, begun + "%", "%" + tail[at:], begun + "_" + tail[at + 1 :], "%", head + "%"])

    def _gap(self) -> str:
        return self._rng.choice([" ", " ", " ", "", "  "])

    def _quoted(self, value: str) -> str:
        quote = "'" if '"' in value else '"' if "'" in value else self._rng.choice("'''\"")
        return quote + value + quote
