"""The corpus of hostile messages in tests/hostile, whose README explains its form."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "hostile"
NAMED = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
ESCAPE = re.compile(r"\\(?:x(?P<byte>[0-9a-f]{2})|\{(?P<count>\d+)\*(?P<text>[^}]*)\}|\{(?P<name>\w+)\}|(?P<letter>.))")


def to_bytes(text: str, values: Mapping[str, str] | None = None) -> bytes:
    """The bytes a text stands for; raises KeyError for an unknown escape or value."""

    def expand(found: re.Match[str]) -> str:
        if found["byte"]:
            return chr(int(found["byte"], 16))
        if found["count"]:
            return int(found["count"]) * ESCAPE.sub(expand, found["text"])
        return (values or {})[found["name"]] if found["name"] else NAMED[found["letter"]]

    return ESCAPE.sub(expand, text.replace("\n", "")).encode("latin-1")


def to_text(data: bytes) -> str:
    """The other way round, a line for each line; repetitions are written out."""
    letters = {ord(char): f"\\{letter}" for letter, char in NAMED.items()}
    shown = [letters.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\x{byte:02x}") for byte in data]
    return "".join(shown).replace("\\r\\n", "\\r\\n\n")


@dataclass(frozen=True)
class RequestCase:
    """One connection to the gateway."""

    name: str
    why: str
    send: str
    answer: str
    upstream: str
    gateway: str = "open"
    then: str = "follow up"

    @property
    def statuses(self) -> list[int]:
        return [int(word) for word in self.answer.split()[:-1]]

    @property
    def is_kept(self) -> bool:
        return self.answer.endswith("kept")


@dataclass(frozen=True)
class ResponseCase:
    """One answer of the upstream."""

    name: str
    why: str
    send: str
    client: str
    reused: bool
    ask: str = "GET"
    version: str = "1.1"
    then: str = "wait"
    late: str = ""


def requests() -> list[RequestCase]:
    return [RequestCase(**case) for case in _cases("requests")]


def responses() -> list[ResponseCase]:
    return [ResponseCase(**case) for case in _cases("responses")]


def _cases(kind: str) -> list[dict]:
    """Each file is a list of cases; it lends its name to theirs."""
    cases = []
    for file in sorted((FOLDER / kind).glob("*.toml")):
        for case in tomllib.loads(file.read_text(encoding="ascii"))["case"]:
            cases.append({**case, "name": f"{file.stem}: {case['name']}"})
    return cases
