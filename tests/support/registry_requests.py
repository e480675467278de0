"""Registry calls before they are written down, and the ways to write them down differently or wrongly."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, urlencode

from support.differential import Call
from support.registry_words import split

JSON = ("Content-Type", "application/json")
CONTENT_TYPES = ["application/json; charset=utf-8", "application/json;charset=latin-1"]
BAD_CONTENT_TYPES = ["text/plain", "application/x-www-form-urlencoded", "application/JSON", "", "application/json "]
BAD_BODIES = split("""{ | [1] | null | 7 | true | "" | "x" | [] | {"name"} | {} {} | 'name' | {"a":NaN}""")
BAD_BODIES += ["", "\ufeff{}"]
ODD_VALUES = [None, 7, 0, -1.5, True, False, [], ["x"], {}, {"key": "x"}, "", " "]
ODD_ARGUMENTS = ["", " ", "7", "true", ["x", "y"], []]


@dataclass
class Request:
    method: str
    path: str
    fields: dict[str, object]
    effect: Callable[[], object] = lambda: None  # on the generator's model, when it succeeds
    about: str = ""
    headers: list[tuple[str, str]] = field(default_factory=lambda: [JSON])
    bind: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_body(self) -> bool:
        return self.method != "GET"


def write(
    request: Request,
    prefix: str = "/api/2.0/mlflow/",
    body: str | None = None,
    query: str = "",
    json_options: Mapping[str, object] | None = None,
    encode: Callable[..., str] = quote_plus,
) -> Call:
    """The request as it goes out: its fields in the query of a GET, else in a JSON body."""
    name = f"{request.method} {request.path}{request.about}"
    if not request.has_body:
        query = urlencode(request.fields, doseq=True, quote_via=encode)
        headers = [pair for pair in request.headers if pair != JSON]
        return Call(name, "GET", prefix + request.path, query, headers=headers, bind=request.bind)
    text = json.dumps(request.fields, **(json_options or {})) if body is None else body
    return Call(name, request.method, prefix + request.path, query, text, request.headers)


def vary(request: Request, rng: random.Random) -> Call:
    """Written in another way that means the same."""
    ways = ["unknown field", "ajax", "spelling"]
    way = rng.choice([*ways, "type", "twice encoded", "query besides"] if request.has_body else ways)
    request.about += f" ({way})"
    if way == "ajax":
        return write(request, prefix="/ajax-api/2.0/mlflow/")
    if way == "spelling":
        return write(request, json_options={"ensure_ascii": False, "indent": 1}, encode=quote)
    if way == "twice encoded":
        return write(request, body=json.dumps(json.dumps(request.fields)))
    if way == "query besides":
        return write(request, query="name=other&version=1&key=k")
    if way == "type":
        request.headers = [("Content-Type", CONTENT_TYPES[0])]
    else:
        request.fields["colour"] = rng.choice(["red", None, 7, {"a": []}] if request.has_body else ["red", ""])
    return write(request)


def spoil(request: Request, rng: random.Random) -> Call:
    """With something wrong about it, or at least doubtful."""
    if not request.fields or rng.random() < 0.2:
        return _send_badly(request, rng)
    odd = rng.choice(ODD_VALUES if request.has_body else ODD_ARGUMENTS)
    name = rng.choice(list(request.fields))
    way = rng.choice(["missing", "odd", "odd", "blank", "added", "respelt" if "_" in name else "odd"])
    request.about += f" ({name} {way})"
    if way == "missing":
        del request.fields[name]
    elif way == "odd":
        request.fields[name] = odd
    elif way == "blank":
        request.fields[name] = ""
    elif way == "respelt":  # as JSON names it, instead of or beside the name of the interface
        first, *more = name.split("_")
        json_name = first + "".join(part.title() for part in more)
        request.fields[json_name] = request.fields[name] if rng.random() < 0.5 else request.fields.pop(name)
    else:
        added = rng.choice(["description", "tags", "run_id", "stages", "max_results", "order_by", "version", "key"])
        request.fields[added] = odd
    return write(request)


def _send_badly(request: Request, rng: random.Random) -> Call:
    ways = ["type", "nothing", "workspace"]
    way = rng.choice([*ways, "no type", "body", "doubled"] if request.has_body else ways)
    request.about += f" (badly sent: {way})"
    if way == "body":
        return write(request, body=rng.choice(BAD_BODIES))
    if way == "doubled":
        return write(request, body=json.dumps(request.fields)[:-1] + ', "name": "x", "key": "k"}')
    if way == "type":
        request.headers = [("Content-Type", rng.choice([*BAD_CONTENT_TYPES, *CONTENT_TYPES]))]
    elif way == "workspace":
        request.headers = [*request.headers, ("X-MLFLOW-WORKSPACE", rng.choice(["w", "default", "", " ", "a/b"]))]
    elif way == "no type":
        request.headers = []
    else:
        request.fields = {}
    return write(request)
