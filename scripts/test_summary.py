#!/usr/bin/env python3
"""Sums up JUnit XML files of googletest and pytest:  scripts/test_summary.py build/reports/*.xml

Prints every failure, then every reason for skipping, and as its last line `N passed, N failed, N skipped`. Exit code 1
when anything failed, when nothing ran at all, or when CI=true and a suite was skipped for a missing component.
"""

from __future__ import annotations

import os
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

MISSING = "missing component"


@dataclass
class Summary:
    passed: int = 0
    failures: list[str] = field(default_factory=list)
    skips: list[str] = field(default_factory=list)


def reason(node: xml.Element) -> str:
    """Message and text: googletest writes the same into both, pytest its traceback into the text."""
    text = (node.text or "").strip()
    return "\n".join(part for part in dict.fromkeys([node.get("message", "").strip(), text]) if part)


def skip_reason(node: xml.Element) -> str:
    """googletest starts the message with the place, on a line of its own."""
    lines = (node.get("message", "") or node.text or "").strip().splitlines()
    return next((line for line in lines if MISSING in line), lines[-1] if lines else "no reason given")


def add_case(case: xml.Element, source: Path, summary: Summary) -> None:
    name = f"{case.get('classname', '')}.{case.get('name', '')}".strip(".")
    troubles = [*case.findall("failure"), *case.findall("error")]
    skipped = case.find("skipped")
    if troubles:
        summary.failures.append(f"{source.name}: {name}\n" + "\n".join(reason(trouble) for trouble in troubles))
    elif skipped is not None or case.get("status") == "notrun" or case.get("result") == "suppressed":
        summary.skips.append(skip_reason(skipped) if skipped is not None else "disabled")
    else:
        summary.passed += 1


def add_file(path: Path, summary: Summary) -> None:
    try:
        root = xml.parse(path).getroot()
    except (OSError, xml.ParseError) as error:
        summary.failures.append(f"{path}: no readable report, so its suite did not end: {error}")
        return
    cases = list(root.iter("testcase"))
    if not cases:
        summary.failures.append(f"{path}: a report without a single test")
    for case in cases:
        add_case(case, path, summary)


def main(paths: list[str]) -> int:
    summary = Summary()
    for path in paths:
        add_file(Path(path), summary)
    for failure in summary.failures:
        print(f"FAILED {failure}\n")
    for why, count in Counter(summary.skips).items():
        print(f"SKIPPED {count}: {why.removeprefix('SKIPPED: ')}")
    is_incomplete = os.environ.get("CI") == "true" and any(MISSING in why for why in summary.skips)
    if is_incomplete:
        print("CI must have every component: a suite skipped for a missing one counts as a failure of this run")
    if not paths or (summary.passed == 0 and not summary.failures):
        print("nothing ran")
    print(f"{summary.passed} passed, {len(summary.failures)} failed, {len(summary.skips)} skipped")
    return 1 if summary.failures or is_incomplete or summary.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
