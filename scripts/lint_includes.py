#!/usr/bin/env python3
"""Checks what no compiler does: who includes whom, which words stay in which module, and how long files get.

    scripts/lint_includes.py [ROOT]

Prints `file:line: what is wrong, remedy` for every finding and exits with 1 if there is one.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path

MAX_LINES = {".hpp": 200, ".cpp": 400}

ADD_MODULE = re.compile(r"^\s*add_module\(\s*([^)]*)\)", re.MULTILINE)
KEYWORDS = {"DEPS", "THIRD_PARTY", "TEST_DEPS"}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
COMMENT_OR_STRING = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL
)

# Third-party headers belong to few modules each; the first prefix that fits decides.
OWNERS = {
    "boost/asio/ssl": {"net"},
    "openssl/": {"net", "auth", "storage", "offline_registry"},
    "SQLiteCpp/": {"storage"},
    "sqlite3.h": {"storage"},
    "toml++/": {"config"},
    "toml.hpp": {"config"},
    "CLI/": {"apps"},
    "spdlog/": {"telemetry"},
}


@dataclass(frozen=True)
class BannedWord:
    pattern: re.Pattern[str]
    allowed_in: frozenset[str]  # modules
    remedy: str
    applies_to: re.Pattern[str] = re.compile(r"\.(hpp|cpp)$")  # by file name
    is_code_only: bool = True  # comments and strings may use it


def banned(pattern: str, allowed_in: set[str], remedy: str, **more: object) -> BannedWord:
    return BannedWord(re.compile(pattern), frozenset(allowed_in), remedy, **more)


BANNED = [
    banned(r"\bdetached\b", {"net"}, "spawn through net::TaskGroup, which joins and names what it runs"),
    banned(
        r"\bsleep_(for|until)\b",
        set(),
        "wait for the event itself, or drive a ManualClock",
        applies_to=re.compile(r"_test\.cpp$|/testing/"),
    ),
    banned(r"::now\(\)", {"base"}, "take the time as a parameter, or a base::Clock&"),
    banned(r"\bstd::random_device\b", {"base"}, "take a base::Random&"),
    banned(r"\bstd::cout\b", {"apps"}, "return a value, or log; only commands print"),
    banned(r"\bgetenv\b", {"apps", "config"}, "take a typed setting; config reads the environment"),
    banned(r"\bTODO\b|\bFIXME\b|\bXXX\b", set(), "do it now, or open an issue", is_code_only=False),
    banned(r"\busing\s+namespace\b", set(), "name what you use", applies_to=re.compile(r"\.hpp$")),
]


@dataclass(frozen=True)
class Module:
    name: str
    deps: frozenset[str]
    test_deps: frozenset[str]


def read_modules(root: Path) -> dict[str, Module]:
    modules = {}
    for path in sorted(root.glob("src/*/CMakeLists.txt")):
        for call in ADD_MODULE.findall(re.sub(r"#[^\n]*", "", path.read_text())):
            name, *words = call.split()
            lists: dict[str, set[str]] = {keyword: set() for keyword in KEYWORDS}
            keyword = ""
            for word in words:
                keyword = word if word in KEYWORDS else keyword
                if word not in KEYWORDS:
                    lists[keyword].add(word)
            modules[name] = Module(name, frozenset(lists["DEPS"]), frozenset(lists["TEST_DEPS"]))
    return modules


def without_comments_and_strings(text: str) -> str:
    """The same lines with comments and literals blanked."""
    return COMMENT_OR_STRING.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def is_test_code(path: Path) -> bool:
    return path.name.endswith("_test.cpp") or "testing" in path.parts


class Linter:
    def __init__(self, root: Path):
        self.root = root
        self.modules = read_modules(root)
        self.findings: list[str] = []

    def report(self, path: Path, line: int, what: str, remedy: str) -> None:
        self.findings.append(f"{path.relative_to(self.root)}:{line}: {what}; {remedy}")

    def run(self) -> list[str]:
        for folder in sorted(path for path in (self.root / "src").iterdir() if path.is_dir()):
            if folder.name in self.modules:
                for path in sorted(path for path in folder.rglob("*") if path.suffix in MAX_LINES):
                    self.check(path, self.modules[folder.name])
            else:
                remedy = f"add_module({folder.name} …) in it"
                self.report(folder / "CMakeLists.txt", 1, f"{folder.name} is not a module", remedy)
        return self.findings

    def check(self, path: Path, module: Module) -> None:
        text = path.read_text()
        self.check_includes(path, module, text)
        self.check_words(path, module.name, text)
        self.check_shape(path, text)

    def check_includes(self, path: Path, module: Module, text: str) -> None:
        allowed = {module.name} | module.deps | (module.test_deps if is_test_code(path) else frozenset())
        for number, line in enumerate(text.splitlines(), 1):
            if not (found := INCLUDE.match(line)):
                continue
            quote, header = found.groups()
            top = header.split("/")[0]
            if top in self.modules and "/" in header:
                if quote == "<":
                    self.report(path, number, f"own header <{header}> in angle brackets", f'write "{header}"')
                if top not in allowed:
                    remedy = f"add {top} to DEPS of {module.name} if it may know it, else move the code"
                    self.report(path, number, f"{module.name} may not include {header}", remedy)
            elif quote == '"':
                self.report(path, number, f'"{header}" names no module', 'write "module/file.hpp", or <…> if not ours')
            self.check_owner(path, number, module.name, header)

    def check_owner(self, path: Path, line: int, module: str, header: str) -> None:
        for prefix, owners in OWNERS.items():
            if header.startswith(prefix):
                if module not in owners:
                    remedy = f"only {', '.join(sorted(owners))} may; go through its headers"
                    self.report(path, line, f"{module} includes <{header}>", remedy)
                return

    def check_words(self, path: Path, module: str, text: str) -> None:
        code = without_comments_and_strings(text)
        for word in BANNED:
            if module in word.allowed_in or not word.applies_to.search(path.as_posix()):
                continue
            for number, line in enumerate((code if word.is_code_only else text).splitlines(), 1):
                if found := word.pattern.search(line):
                    self.report(path, number, f"{found[0]} in {module}", word.remedy)

    def check_shape(self, path: Path, text: str) -> None:
        lines = text.count("\n")
        limit = MAX_LINES[path.suffix]
        if lines > limit:
            self.report(
                path, limit, f"{lines} lines, the guide is {limit}", "find the second idea in it and give it a file"
            )
        if path.suffix == ".hpp" and not re.search(r"^#pragma once$", text, re.MULTILINE):
            self.report(path, 1, "header without #pragma once", "add it after the first comment")


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1]).resolve()
    linter = Linter(root)
    if not linter.modules:
        print(f"no add_module() below {root}/src: wrong folder?", file=sys.stderr)
        return 1
    findings = linter.run()
    print("\n".join(findings) if findings else f"{len(linter.modules)} modules keep to their dependencies")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
