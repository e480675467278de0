"""What the binary says of its own command line: completion for bash, a sample configuration, the manual page."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import missing
from support import hokusai

pytestmark = pytest.mark.usefixtures("hokusai_binary")
# Reads a command line up to the cursor, split as readline splits it, and prints what could stand there.
COMPLETE = """
source "$1"
COMP_WORDS=("${@:2}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_hokusai
printf '%s\\n' "${COMPREPLY[@]}"
"""
REGISTRY = ["export", "import", "prefetch", "status", "history", "rollback", "pending", "conflicts", "resolve"]
COMMENTED_VALUE = re.compile(r"^#(?=\w+ = )", re.MULTILINE)


def output(*arguments: str) -> str:
    done = hokusai.run(*arguments, env={"HOME": "/nonexistent", "HOKUSAI_SERVER_DRAIN_DELAY": ""})
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def completion_script(hokusai_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    script = tmp_path_factory.mktemp("completion") / "hokusai"
    script.write_text(output("completion", "bash"))
    return script


@pytest.fixture
def complete(completion_script: Path):
    def candidates(*words: str) -> list[str]:
        argv = ["bash", "-uc", COMPLETE, "bash", str(completion_script), "hokusai", *words]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return candidates


@pytest.mark.parametrize(
    ("words", "candidates"),
    [
        (["se"], ["serve"]),
        (["keys", ""], ["create", "list", "revoke", "--help", "-h"]),
        (["config", "sh"], ["show"]),
        (["completion", ""], ["bash", "--help", "-h"]),
        (["serve", "--th"], ["--threads"]),
        (["keys", "create", "--e"], ["--expires", "--environment"]),
        (["serve", "--threads", "2", "--li"], ["--listen"]),
        (
            ["registry", ""],
            [*REGISTRY, "--help", "-h"],
        ),
        (["registry", "import", "--existing", ""], ["refuse", "skip"]),
        (["keys", "list", "--json", "--d"], ["--data"]),
        (["serve", "--auth", ""], ["required", "off"]),
        (["serve", "--auth", "=", "o"], ["off"]),
        (["serve", "--auth", "="], ["required", "off"]),
        (["keys", "create", "--environment", "p"], ["production"]),
        (["serve", "--config", "/"], []),  # bash completes file names itself
        (["serve", "--data", "keys", "cr"], []),
        (["nonsense", "se"], ["serve"]),
    ],
)
def test_completion(complete, words: list[str], candidates: list[str]) -> None:
    assert complete(*words) == candidates


@pytest.mark.parametrize(
    "command", [[], ["serve"], ["keys", "create"], ["registry", "export"], ["config", "check"], ["man"]]
)
def test_completion_offers_what_help_lists(complete, command: list[str]) -> None:
    listed = set(re.findall(r"^  (?:(-h),)?(--?[\w-]+|[a-z]+)\b", output(*command, "--help"), re.MULTILINE))

    assert set(complete(*command, "")) == {word for pair in listed for word in pair if word}


def test_completion_of_auth_offers_what_the_setting_takes(complete) -> None:
    refused = hokusai.run("config", "check", "--auth", "no-such-mode")

    assert refused.returncode == 2
    assert f"must be one of: {', '.join(complete('serve', '--auth', ''))};" in refused.stdout


def test_completion_script_is_clean(completion_script: Path) -> None:
    if not shutil.which("shellcheck"):
        missing("shellcheck", "run ./dev deps")
    subprocess.run(["shellcheck", "--shell=bash", str(completion_script)], check=True, timeout=30)


def settings(*arguments: str) -> dict[str, str]:
    shown = json.loads(output("config", "show", "--json", "--data", "/var/lib/hokusai", *arguments))
    assert shown["warnings"] == []
    return {one["name"]: one["value"] for one in shown["settings"]}


def test_sample_names_every_setting_and_changes_none(tmp_path: Path) -> None:
    sample = tmp_path / "sample.toml"
    sample.write_text(output("config", "sample"))

    assert output("config", "check", "--data", "/data", "--config", str(sample)) == "configuration is valid\n"
    assert settings("--config", str(sample)) == settings()
    assert len(COMMENTED_VALUE.findall(sample.read_text())) == len(settings())


def test_sample_holds_the_defaults(tmp_path: Path) -> None:
    sample = tmp_path / "sample.toml"
    sample.write_text(COMMENTED_VALUE.sub("", output("config", "sample")))

    assert output("config", "check", "--config", str(sample)).endswith("configuration is valid\n")
    shown = json.loads(output("config", "show", "--json", "--config", str(sample)))["settings"]
    defaults = settings()
    for setting in shown:
        assert setting["origin"].startswith(str(sample)), setting
        assert setting["value"] == defaults[setting["name"]], setting


def test_manual_names_every_command_and_setting() -> None:
    manual = output("man")

    registry = [f"registry {name}" for name in REGISTRY]
    journal = ("journal status", "journal rejected")
    cache = ("cache status", "cache verify", "cache clear")
    keys = ("keys create", "keys list", "keys revoke")
    for command in ("serve", *keys, *registry, *journal, *cache, "config show", "config check", "config sample"):
        assert f".SS hokusai {command}\n" in manual
    for setting in settings():
        assert f".TP\n.B {setting}\n" in manual


def test_manual_is_sound() -> None:
    if not shutil.which("mandoc"):
        missing("mandoc", "run ./dev deps")
    argv = ["mandoc", "-T", "lint", "-W", "warning"]
    linted = subprocess.run(argv, input=output("man"), capture_output=True, text=True, timeout=30, check=False)

    assert (linted.returncode, linted.stdout) == (0, "")
