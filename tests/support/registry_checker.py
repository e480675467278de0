"""Everything a registry holds, read over HTTP, and what two registries hold differently.

A version that was deleted answers 404 like one that never was, so what is read are the numbers up to the newest one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from urllib.parse import urlencode, urlsplit

from support import wire
from support.registry_model import IS_PROMPT

UNORDERED = {"tags", "aliases"}
KINDS = {"models": "", "prompts": f"tags.`{IS_PROMPT}` = 'true'"}  # no one search finds both

Contents = dict[str, object]  # what was asked -> what was answered


def differences(
    left: str,
    right: str,
    left_headers: Mapping[str, str] | None = None,
    right_headers: Mapping[str, str] | None = None,
) -> list[str]:
    """Of two registries by their base URLs; a line for each, empty when they hold the same."""
    return compare(read(left, left_headers), read(right, right_headers))


def compare(left: Contents, right: Contents) -> list[str]:
    """The same of contents read earlier, by which time their registry may be gone."""
    different = [asked for asked in left | right if left.get(asked) != right.get(asked)]
    return [f"{asked}: {json.dumps(left.get(asked))} | {json.dumps(right.get(asked))}" for asked in different]


def read(url: str, headers: Mapping[str, str] | None = None, source: str | None = None) -> Contents:
    """All contents. With `source`, every answer must carry it as X-Hokusai-Source."""
    reader = _Reader(url, dict(headers or {}), source)
    contents: Contents = {}
    for kind, condition in KINDS.items():
        models = list(reader.search("registered-models/search", "registered_models", condition))
        versions = list(reader.search("model-versions/search", "model_versions", condition))
        contents |= {f"all {kind}": models, f"versions of all {kind}": versions}
        for model in models:
            contents |= reader.details(model)
    return contents


class _Reader:
    def __init__(self, url: str, headers: dict[str, str], source: str | None):
        self._url = urlsplit(url)
        self._headers = [("Host", self._url.netloc), *headers.items()]
        self._source = source

    def search(self, path: str, member: str, condition: str) -> Iterator[object]:
        token = ""
        while True:
            found = self._ask(path, {"filter": condition, "max_results": 500, "page_token": token})
            if "error" in found:
                raise RuntimeError(f"{self._url.geturl()} does not answer {path}: {found}")
            yield from found.get(member, [])
            token = found.get("next_page_token", "")
            if not token:
                return

    def details(self, model: dict) -> Contents:
        name = model["name"]
        newest = max((int(version["version"]) for version in model.get("latest_versions", [])), default=0)
        asked = [("registered-models/get", {"name": name}), ("registered-models/get-latest-versions", {"name": name})]
        for number in range(1, newest + 1):
            fields = {"name": name, "version": number}
            asked += [("model-versions/get", fields), ("model-versions/get-download-uri", fields)]
        for alias in model.get("aliases", []):
            asked.append(("registered-models/alias", {"name": name, "alias": alias["alias"]}))
        return {f"{path} {fields}": self._ask(path, fields) for path, fields in asked}

    def _ask(self, path: str, fields: Mapping[str, object]) -> dict:
        target = f"{self._url.path}/api/2.0/mlflow/{path}?{urlencode(fields)}"
        answer = wire.call(self._url.port, "GET", target, self._headers)
        if self._source is not None and answer.get("X-Hokusai-Source") != self._source:
            raise RuntimeError(f"{target} was answered by {answer.get('X-Hokusai-Source')}, not by {self._source}")
        body = _sorted(json.loads(answer.body))
        return body if answer.status == 200 else {"error": answer.status, "code": body.get("error_code")}


def _sorted(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _sorted(member, key) for key, member in value.items()}
    if isinstance(value, list):
        items = [_sorted(item) for item in value]
        return sorted(items, key=json.dumps) if name in UNORDERED else items
    return value
