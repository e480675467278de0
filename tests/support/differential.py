"""Differential replay: the same calls to two equal servers in lockstep, and what counts as the same answer.

Compared are status, every header not named in IGNORED_HEADERS, and the bytes of the body, after NORMALISATIONS. Ids
that two servers must choose differently are numbered in the order in which each server first shows them: answers are
equal only if the same places hold the same number.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urlsplit

from support import wire

IGNORED_HEADERS = {
    "date": "the clock of whoever wrote the head",
    "server": "names the software; a gateway may name itself",
    "via": "the gateway must add itself (RFC 9110, 7.6.3)",
    "x-request-id": "made by the gateway for every call",
    "x-hokusai-source": "tells where an answer of the gateway came from",
    "traceparent": "trace context of one call",
    "connection": "belongs to one hop, not to the answer",
    "keep-alive": "belongs to one hop, not to the answer",
    "transfer-encoding": "framing of one hop; the decoded body is compared",
}

HEX_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
FILE_TAG = re.compile(r'"\d{10}\.\d+-(\d+)-\d+"')  # werkzeug: time, size and a checksum of the path on disk
HTTP_DATE = re.compile(r"\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT")
EPOCH = re.compile(r"(?<!\d)\d{10}(?:\d{3}|\d{9})?(?!\d)")  # seconds, milliseconds or nanoseconds
PLACEHOLDER = re.compile(r"<(\w+)>")
ENCODED_PLACEHOLDER = re.compile(r"%3C(\w+)%3E")


@dataclass(frozen=True)
class Call:
    """One request as data. `<name>` in path, query, header values and body stands for what an earlier call bound."""

    name: str
    method: str
    path: str
    query: str | Sequence[tuple[str, object]] = ""  # a string goes out as it is
    body: object = None  # bytes and str go out as they are, anything else as JSON
    headers: Sequence[tuple[str, str]] = ()
    bind: Mapping[str, str] = field(default_factory=dict)  # name -> "run.info.run_id", or "header:ETag"
    expect: int = 200  # a replay of answers nobody meant to provoke proves nothing
    is_server_path: bool = False  # the gateway has it under its mount of the whole server only
    is_chunked: bool = False


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Side:
    """One of the two ways to a server: `url` is called, `authority` is what the server itself believes to be."""

    def __init__(self, name: str, url: str, authority: str, headers: Sequence[tuple[str, str]] = (), mount: str = ""):
        self.name = name
        self.url = url
        self.authority = authority
        self.headers = list(headers)
        self.mount = mount
        self.bound: dict[str, str] = {}
        self._ids: dict[str, int] = {}

    def perform(self, call: Call) -> Answer:
        port = urlsplit(self.url).port
        fields = [("Host", f"127.0.0.1:{port}"), *self.headers]
        fields += [(name, self._fill(value)) for name, value in call.headers]
        with wire.Client(port, timeout=60) as client:
            client.send(self._request(call, fields))
            response = client.response(call.method)
        answer = Answer(response.status, response.head.fields, response.body)
        for name, place in call.bind.items():
            # What is missing here shows as a difference of this answer; later calls need not fail for it as well.
            with contextlib.suppress(LookupError, TypeError, ValueError):
                self.bound[name] = _pick(answer, place)
        return answer

    def _request(self, call: Call, fields: list[tuple[str, str]]) -> bytes:
        query = call.query if isinstance(call.query, str) else urlencode(call.query)
        query = self._fill(ENCODED_PLACEHOLDER.sub(r"<\1>", query))
        target = (self.mount if call.is_server_path else "") + self._fill(call.path) + (f"?{query}" if query else "")
        if call.body is None:
            return wire.request(call.method, target, fields)
        body = call.body
        if not isinstance(body, bytes | str):
            body = json.dumps(body)
            if "content-type" not in {name.lower() for name, _ in fields}:
                fields.append(("Content-Type", "application/json"))
        data = self._fill(body).encode() if isinstance(body, str) else body
        if call.is_chunked:
            fields.append(("Transfer-Encoding", "chunked"))
            return wire.request(call.method, target, fields) + wire.chunked(data[:7], data[7:])
        if not data:
            fields.append(("Content-Length", "0"))
        return wire.request(call.method, target, fields, data)

    def _fill(self, text: str) -> str:
        return PLACEHOLDER.sub(lambda found: self.bound.get(found[1], found[0]), text)

    def normalise(self, text: str) -> str:
        for apply in NORMALISATIONS.values():
            text = apply(self, text)
        return text

    def number_of(self, identifier: str) -> int:
        return self._ids.setdefault(identifier, len(self._ids) + 1)


def _own_address(side: Side, text: str) -> str:
    return text.replace(side.authority, "<server>").replace(urlsplit(side.url).netloc, "<server>")


def _chosen_ids(side: Side, text: str) -> str:
    return HEX_ID.sub(lambda found: f"<id {side.number_of(found[0])}>", text)


def _file_tags(side: Side, text: str) -> str:
    return FILE_TAG.sub(r'"<time>-\1-<path>"', text)


def _times_of_this_run(side: Side, text: str) -> str:
    def replace(found: re.Match[str], seconds: float) -> str:
        return "<time>" if abs(seconds - time.time()) < 3600 else found[0]

    text = EPOCH.sub(lambda found: replace(found, int(found[0][:10])), text)
    return HTTP_DATE.sub(lambda found: replace(found, parsedate_to_datetime(found[0]).timestamp()), text)


# Everything that may differ between two equal servers, by name.
NORMALISATIONS: dict[str, Callable[[Side, str], str]] = {
    "the server's own address": _own_address,
    "ids the server chose": _chosen_ids,
    "entity tags made of a file's time and path": _file_tags,
    "times within an hour of now": _times_of_this_run,
}


def _pick(answer: Answer, place: str) -> str:
    kind, _, name = place.partition(":")
    if kind == "header":
        return [value for key, value in answer.headers if key.lower() == name.lower()][0]
    value = json.loads(answer.body)
    for step in place.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return str(value)


def _comparable(side: Side, answer: Answer) -> dict[str, object]:
    headers = [(key.lower(), side.normalise(value)) for key, value in answer.headers]
    try:
        body: object = side.normalise(answer.body.decode())
    except UnicodeDecodeError:
        body = answer.body
    return {
        "status": answer.status,
        "headers": sorted(pair for pair in headers if pair[0] not in IGNORED_HEADERS),
        "body": body,
    }


def differences(direct: Side, through: Side, a: Answer, b: Answer) -> list[str]:
    """Empty when the answers are the same; else a line for every part that differs."""
    left, right = _comparable(direct, a), _comparable(through, b)
    return [
        f"{part}: {direct.name} {left[part]!r:.600} | {through.name} {right[part]!r:.600}"
        for part in left
        if left[part] != right[part]
    ]


def replay(calls: Sequence[Call], direct: Side, through: Side) -> list[str]:
    """Every difference, and every call that did not do what it was written for."""
    found = []
    for call in calls:
        a, b = direct.perform(call), through.perform(call)
        found += [f"[{call.name}] {line}" for line in differences(direct, through, a, b)]
        if a.status != call.expect:
            found.append(f"[{call.name}] meant to provoke {call.expect}, got {a.status} {a.body!r:.300}")
    return found
