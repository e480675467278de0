"""The summary counts both dialects of JUnit XML and fails when it must."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/test_summary.py"

GTEST = """<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" disabled="1" errors="0" name="AllTests">
 <testsuite name="Breaker" tests="4" failures="1" disabled="1" skipped="1" errors="0">
  <testcase name="opens" status="run" result="completed" classname="Breaker" />
  <testcase name="closes" status="run" result="completed" classname="Breaker">
    <failure message="x.cpp:3&#x0A;Expected: true" type=""><![CDATA[x.cpp:3
Expected: true]]></failure>
  </testcase>
  <testcase name="DISABLED_later" status="notrun" result="suppressed" classname="Breaker" />
  <testcase name="redis" status="run" result="skipped" classname="Breaker">
    <skipped message="y.cpp:9&#x0A;SKIPPED: missing component: redis"><![CDATA[y.cpp:9
SKIPPED: missing component: redis]]></skipped>
  </testcase>
 </testsuite>
</testsuites>"""

PYTEST = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="0" skipped="1" tests="3">
 <testcase classname="tests.e2e" name="good" time="0.1" />
 <testcase classname="tests.e2e" name="bad"><error message="failed on setup">boom</error></testcase>
 <testcase classname="tests.e2e" name="absent"><skipped type="pytest.skip" message="SKIPPED: not here">f.py:1</skipped>
 </testcase>
</testsuite></testsuites>"""

GOOD = '<testsuites><testsuite><testcase classname="a" name="b" /></testsuite></testsuites>'
MISSING = (
    '<testsuites><testsuite><testcase classname="a" name="b" /><testcase classname="a" name="c">'
    '<skipped message="SKIPPED: missing component: mlflow: install it" /></testcase></testsuite></testsuites>'
)


def summarise(tmp_path: Path, *reports: str, ci: str = "") -> tuple[int, str]:
    paths = []
    for number, report in enumerate(reports):
        paths.append(tmp_path / f"{number}.xml")
        paths[-1].write_text(report)
    argv = [sys.executable, SCRIPT, *paths]
    done = subprocess.run(argv, capture_output=True, text=True, env={**os.environ, "CI": ci}, check=False)
    return done.returncode, done.stdout


def test_counts_both_dialects(tmp_path: Path) -> None:
    code, output = summarise(tmp_path, GTEST, PYTEST)

    assert code == 1
    assert output.splitlines()[-1] == "2 passed, 2 failed, 3 skipped"
    assert "Breaker.closes" in output
    assert output.count("Expected: true") == 1
    assert "boom" in output
    assert "SKIPPED 1: missing component: redis" in output
    assert "SKIPPED 1: not here" in output


def test_success_is_0(tmp_path: Path) -> None:
    assert summarise(tmp_path, GOOD) == (0, "1 passed, 0 failed, 0 skipped\n")


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_missing_component_fails_in_ci_only(tmp_path: Path, ci: str, code: int) -> None:
    assert summarise(tmp_path, MISSING, ci=ci)[0] == code


@pytest.mark.parametrize("reports", [[], ["<testsuites/>"], ["not xml"], [GOOD, "<testsuites/>"]])
def test_nothing_ran_is_a_failure(tmp_path: Path, reports: list[str]) -> None:
    assert summarise(tmp_path, *reports)[0] == 1
