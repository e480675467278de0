"""The tarball of ./dev package: what is in it, what its binary needs and is hardened with, and that it runs alone."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import requests

from support.process import Child

ROOT = Path(__file__).resolve().parents[1]
GLIBC = {"libc.so.6", "libm.so.6", f"ld-linux-{os.uname().machine.replace('_', '-')}.so.2"}
FILES = {
    "bin/hokusai",
    "lib/systemd/system/hokusai.service",
    "share/bash-completion/completions/hokusai",
    "share/doc/hokusai/INSTALL.md",
    "share/doc/hokusai/LICENSE",
    "share/doc/hokusai/configuration.md",
    "share/doc/hokusai/errors.md",
    "share/doc/hokusai/hokusai.toml",
    "share/man/man1/hokusai.1.gz",
}
HARDENING = {"-fPIE", "-fstack-protector-strong", "-fstack-clash-protection", "-D_FORTIFY_SOURCE=3"}
LICENCES = ["boost", "cli11", "fmt", "gcc", "spdlog", "sqlite3", "sqlitecpp", "ssl", "stdc++", "tomlplusplus"]
SERVING = re.compile(r"^hokusai serving on (\S+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def tarball() -> Path:
    (found,) = (ROOT / "build/package").glob("hokusai-*.tar.gz")
    return found


@pytest.fixture(scope="module")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    with tarfile.open(tarball) as archive:
        archive.extractall(folder)
    (top,) = folder.iterdir()
    assert top.name == tarball.name.removesuffix(".tar.gz")
    return top


@pytest.fixture(scope="module")
def binary(installed: Path) -> Path:
    return installed / "bin/hokusai"


def output(*argv: str | Path, **options: object) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60, **options).stdout


def readelf(option: str, file: Path) -> str:
    return output("llvm-readelf-19", option, file)


def test_checksum(tarball: Path) -> None:
    digest, name = Path(f"{tarball}.sha256").read_text().split()

    assert (digest, name) == (hashlib.sha256(tarball.read_bytes()).hexdigest(), tarball.name)


def test_contents(installed: Path) -> None:
    files = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    licences = {file for file in files if file.startswith("share/doc/hokusai/third-party/")}

    assert files - licences == FILES
    assert len(licences) == len(LICENCES)
    for library in LICENCES:
        assert [file for file in licences if f"/lib{library}" in file], f"no licence of {library}"


def test_same_commit_same_bytes(tarball: Path) -> None:
    before = tarball.read_bytes()
    output(ROOT / "packaging/make_tarball")

    assert tarball.read_bytes() == before


def test_entries_tell_nothing_of_the_builder(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        entries = archive.getmembers()

    assert {(entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries} == {(0, 0, "", "")}
    assert len({entry.mtime for entry in entries}) == 1
    assert [entry.name for entry in entries] == sorted(entry.name for entry in entries)
    assert {oct(entry.mode) for entry in entries} == {"0o755", "0o644"}


def test_binary_needs_only_glibc(binary: Path) -> None:
    dynamic = readelf("--dynamic", binary)
    versions = {
        tuple(map(int, found)) for found in re.findall(r"GLIBC_(\d+)\.(\d+)", readelf("--version-info", binary))
    }

    assert set(re.findall(r"Shared library: \[(.+)\]", dynamic)) <= GLIBC
    assert "RUNPATH" not in dynamic
    assert "RPATH" not in dynamic
    assert max(versions) <= (2, 36), "newer than Debian 12's"


def test_binary_is_hardened(binary: Path) -> None:
    dynamic = readelf("--dynamic", binary)
    segments = readelf("--program-headers", binary)
    imports = readelf("--dyn-symbols", binary)

    assert re.search(r"Type:\s+DYN", readelf("--file-header", binary))
    assert re.search(r"FLAGS_1.*\bPIE\b", dynamic)
    assert re.search(r"FLAGS_1.*\bNOW\b", dynamic)
    assert "GNU_RELRO" in segments
    assert re.search(r"GNU_STACK.* RW +0", segments)
    assert not re.search(r"^ +LOAD .* (RWE|WE) ", segments, re.MULTILINE)
    assert " __stack_chk_fail@" in imports
    assert re.search(r" __\w+_chk@", imports)


def test_binary_is_stripped_and_its_symbols_are_beside_it(tarball: Path, binary: Path) -> None:
    debug = Path(str(tarball).removesuffix(".tar.gz") + ".debug")
    sections = readelf("--section-headers", binary)

    assert ".symtab" not in sections
    assert ".debug_" not in sections
    assert debug.name in readelf("--string-dump=.gnu_debuglink", binary)
    assert ".debug_line" in readelf("--section-headers", debug)
    build_ids = {re.search(r"Build ID: (\w{40})", readelf("--notes", file))[1] for file in (binary, debug)}
    assert len(build_ids) == 1


def test_every_unit_of_ours_is_compiled_hardened(tarball: Path) -> None:
    """In the binary our code can't be told from the libraries linked in, which Debian hardens by itself."""
    units = json.loads((tarball.parent / "compile_commands.json").read_text())

    assert units
    for unit in units:
        assert set(unit["command"].split()) >= HARDENING, unit["file"]


def test_serves_with_an_empty_environment(installed: Path, binary: Path, tmp_path: Path) -> None:
    sample = installed / "share/doc/hokusai/hokusai.toml"
    data = tmp_path / "data"
    home = tmp_path / "home"
    home.mkdir(mode=0o500)
    alone = {"cwd": home, "env": {"HOME": str(home)}}
    assert output(binary, "--version", **alone).startswith("hokusai ")
    assert output(binary, "config", "check", "--config", sample, **alone) == "configuration is valid\n"
    output(binary, "keys", "create", "--data", data, "--name", "first", "--scopes", "admin", **alone)

    argv = [binary, "serve", "--config", sample, "--data", data, "--listen", "127.0.0.1:0"]
    child = Child(argv, tmp_path / "log", env={})
    try:
        url = child.wait_for("its serving line", lambda: SERVING.search(child.output()), 20)[1]
        assert requests.get(f"{url}/livez", timeout=10).status_code == 200
    finally:
        assert child.terminate() == 0
    assert list(home.iterdir()) == []


def test_unit_is_sound(installed: Path, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("SKIPPED: no systemd-analyze")
    unit = tmp_path / "hokusai.service"
    shipped = (installed / "lib/systemd/system/hokusai.service").read_text()
    unit.write_text(shipped.replace("/usr/local/bin/hokusai", str(installed / "bin/hokusai")))

    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
