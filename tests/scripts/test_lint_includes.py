"""The lint finds what it is for, and nothing in code that keeps the rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts/lint_includes.py"
GOOD = """// What it is. detached, ::now() and getenv in a comment are fine.
#pragma once

#include <string>

#include "base/error.hpp"

inline const char* kText = "std::cout << ::now()";
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for module, deps in {
        "base": "",
        "http": "DEPS base net",
        "net": "DEPS base TEST_DEPS http",
        "apps": "DEPS http",
    }.items():
        folder = tmp_path / "src" / module
        folder.mkdir(parents=True)
        (folder / "CMakeLists.txt").write_text(f"add_module({module} {deps})\n")
    (tmp_path / "src/http/good.hpp").write_text(GOOD)
    return tmp_path


def lint(tree: Path) -> tuple[int, str]:
    done = subprocess.run([sys.executable, SCRIPT, tree], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_good_code_has_no_findings(tree: Path) -> None:
    assert lint(tree) == (0, "4 modules keep to their dependencies\n")


@pytest.mark.parametrize(
    ("file", "line", "finding"),
    [
        ("http/x.cpp", '#include "apps/serve.hpp"', "http may not include apps/serve.hpp"),
        ("apps/x.cpp", '#include "net/stream.hpp"', "apps may not include net/stream.hpp"),
        ("net/x.cpp", '#include "http/message.hpp"', "net may not include http/message.hpp"),
        ("http/x.cpp", "#include <net/stream.hpp>", "in angle brackets"),
        ("http/x.cpp", '#include "message.hpp"', "names no module"),
        ("net/x.cpp", "#include <toml++/toml.h>", "net includes <toml++/toml.h>"),
        ("http/x.cpp", "#include <openssl/evp.h>", "only auth, net, offline_registry, storage may"),
        ("http/x.cpp", "#include <boost/asio/ssl.hpp>", "only net may"),
        ("http/x.cpp", "#include <sqlite3.h>", "only storage may"),
        ("http/x.cpp", "spawn(x, asio::detached);", "detached in http"),
        ("http/x.cpp", "auto t = Clock::now();", "::now() in http"),
        ("http/x.cpp", "std::random_device seed;", "std::random_device in http"),
        ("http/x.cpp", "std::cout << 1;", "std::cout in http"),
        ("http/x.cpp", 'std::getenv("X");', "getenv in http"),
        ("http/x_test.cpp", "std::this_thread::sleep_for(1s);", "sleep_for in http"),
        ("http/x.cpp", "// TODO later", "TODO in http"),
        ("http/x.hpp", "#pragma once\nusing namespace std;", "using namespace in http"),
        ("http/x.hpp", "int x;", "without #pragma once"),
        ("http/x.hpp", "#pragma once\n" * 201, "201 lines, the guide is 200"),
        ("http/x.cpp", "//\n" * 401, "401 lines, the guide is 400"),
    ],
)
def test_finds(tree: Path, file: str, line: str, finding: str) -> None:
    (tree / "src" / file).write_text(line.rstrip("\n") + "\n")

    code, output = lint(tree)

    assert code == 1
    assert output.startswith(f"src/{file}:")
    assert finding in output
    assert output.count("\n") == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("net/x_test.cpp", '#include "http/message.hpp"'),
        ("net/x.cpp", "#include <boost/asio/ssl.hpp>"),
        ("base/x.cpp", "auto t = Clock::now();"),
        ("net/x.cpp", "spawn(x, asio::detached);"),
        ("apps/x.cpp", 'std::cout << std::getenv("X");'),
    ],
)
def test_allows(tree: Path, file: str, line: str) -> None:
    (tree / "src" / file).write_text(line + "\n")

    assert lint(tree)[0] == 0


def test_folder_without_a_module(tree: Path) -> None:
    (tree / "src/stray").mkdir()

    assert lint(tree) == (1, "src/stray/CMakeLists.txt:1: stray is not a module; add_module(stray …) in it\n")
