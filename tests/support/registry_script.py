"""Calls as a shell script: what a failed comparison prints, to be run against any registry."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence

from support.differential import Call
from support.registry_differential import Finding, new_word

PLACEHOLDER = re.compile(r"<(run|page\d+)>|%3C(run|page\d+)%3E")


def as_script(calls: Sequence[Call], word: str) -> str:
    """For sh with curl and jq; the registry's address is in $REGISTRY."""
    needed = {match[1] or match[2] for call in calls for match in PLACEHOLDER.finditer(str(call.query))}
    return "\n".join(_as_curl(call, word, needed) for call in calls)


def _as_curl(call: Call, word: str, needed: set[str]) -> str:
    words = ["curl", "-sS", "-X", call.method]
    for name, value in call.headers:
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if call.body is not None:
        if not any(name == "Content-Type" for name, _ in call.headers):
            words += ["-H", "Content-Type:"]  # curl would say it is a form
        words += ["--data-binary", str(call.body)]
    target = call.path + (f"?{call.query}" if call.query else "")
    line = " ".join(map(shlex.quote, words)) + ' "$REGISTRY"' + shlex.quote(target)
    for page in call.bind:
        if page in needed:
            line = f"{page}=$({line} | jq -r .next_page_token)"

    def fill(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        return word if name == "run" else f"'\"${name}\"'"

    return PLACEHOLDER.sub(fill, line)


def describe(finding: Finding) -> str:
    lines = [f"# episode {finding.seed}: {finding.call.name}", as_script(finding.calls, new_word())]
    for part, (expected, given) in finding.parts.items():
        lines += [f"# {part} of the last answer", f"#   expected: {expected}", f"#   given:    {given}"]
    return "\n".join(lines)
