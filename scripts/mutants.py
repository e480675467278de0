#!/usr/bin/env python3
"""Puts known faults into the code, one at a time, and checks that a unit test notices each.

    scripts/mutants.py [TEXT]     only mutants whose name or file contains TEXT

The faults are in mutants.toml. They are made in a scratch worktree of the last commit, never in the working tree, and
only the test executable of the module concerned is built (preset debug). Every test must pass before the first fault.
Exit code: 0 when every mutant was killed by its test, 1 when one survived, 2 when one could not be tried.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = Path(__file__).with_suffix(".toml")
TREE = ROOT / "build/mutants"  # the same place every time, so that ccache knows it
TEST_SECONDS = 60
BUILD_ENVIRONMENT = {
    **os.environ,
    "CCACHE_SLOPPINESS": "pch_defines,time_macros,include_file_mtime,include_file_ctime",
}


class CannotTry(Exception):
    """The mutant itself is at fault, or the code before it."""


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    text: str
    replacement: str
    killed_by: str

    @property
    def module(self) -> str:
        return Path(self.file).parts[1]

    def mutated(self, source: str) -> str:
        count = source.count(self.text)
        if count != 1:
            raise CannotTry(f"its text occurs {count} times in {self.file}, not once:\n{self.text.strip()}")
        return source.replace(self.text, self.replacement)


def load(text: str) -> list[Mutant]:
    mutants = [Mutant(**entry) for entry in tomllib.loads(LIST.read_text())["mutant"]]
    return [mutant for mutant in mutants if text in mutant.name or text in mutant.file]


def build(module: str) -> None:
    done = subprocess.run(
        ["cmake", "--build", "--preset", "debug", "--target", f"{module}_test"],
        cwd=TREE,
        env=BUILD_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise CannotTry(f"{module}_test does not build:\n{done.stdout[-2000:]}")


def passes(module: str, test: str) -> bool:
    """Whether the test ran and succeeded; one that hangs or dies has failed."""
    argv = [str(TREE / f"build/debug/src/{module}/{module}_test"), f"--gtest_filter={test}"]
    try:
        done = subprocess.run(argv, cwd=TREE, capture_output=True, text=True, timeout=TEST_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return False
    if "Running 0 tests" in done.stdout:
        raise CannotTry(f"there is no test {test} in {module}_test")
    return done.returncode == 0


def check_before(mutants: list[Mutant]) -> None:
    for module in sorted({mutant.module for mutant in mutants}):
        build(module)
    for mutant in mutants:
        if not passes(mutant.module, mutant.killed_by):
            raise CannotTry(f'{mutant.killed_by}, which is to kill "{mutant.name}", fails without it too')


def is_killed(mutant: Mutant) -> bool:
    path = TREE / mutant.file
    if not path.exists():
        raise CannotTry(f"there is no {mutant.file}")
    source = path.read_text()
    path.write_text(mutant.mutated(source))
    try:
        build(mutant.module)
        return not passes(mutant.module, mutant.killed_by)
    finally:
        path.write_text(source)


def try_all(mutants: list[Mutant]) -> int:
    worst = 0
    for mutant in mutants:
        try:
            if is_killed(mutant):
                print(f"KILLED    {mutant.name}: by {mutant.killed_by}", flush=True)
            else:
                print(f"SURVIVED  {mutant.name}: {mutant.killed_by} passes with it in {mutant.file}", flush=True)
                worst = max(worst, 1)
        except CannotTry as error:
            print(f"NOT TRIED {mutant.name}: {error}", flush=True)
            worst = 2
    return worst


def make_tree() -> None:
    """--force takes over what an interrupted run has left registered."""
    subprocess.run(
        ["git", "worktree", "add", "--force", "--detach", TREE, "HEAD"], cwd=ROOT, check=True, capture_output=True
    )
    subprocess.run(["cmake", "--preset", "debug"], cwd=TREE, env=BUILD_ENVIRONMENT, check=True, capture_output=True)


def remove_tree() -> None:
    subprocess.run(["git", "worktree", "remove", "--force", TREE], cwd=ROOT, check=False, capture_output=True)
    shutil.rmtree(TREE, ignore_errors=True)


def main(text: str = "") -> int:
    mutants = load(text)
    if not mutants:
        print(f"mutants: none has {text!r} in its name or file", file=sys.stderr)
        return 2
    remove_tree()
    try:
        make_tree()
        check_before(mutants)
        return try_all(mutants)
    except CannotTry as error:
        print(f"mutants: {error}", file=sys.stderr)
        return 2
    finally:
        remove_tree()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
