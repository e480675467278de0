"""nginx and HAProxy on loopback, one worker each: what hokusai is compared with, and a fast upstream."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench import ROOT
from bench.machine import find_tool
from bench.report import CannotMeasure
from support.process import Child, free_port

TEMPLATES = Path(__file__).resolve().parent / "templates"
PROGRAMS = ROOT / "build/release/bench"  # ours, in C++
PACKAGES = {"nginx": "nginx-light", "haproxy": "haproxy", "wrk": "wrk", "strace": "strace"}
NGINX_HEADERS = """proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Request-Id $request_id;"""
HAPROXY_HEADERS = """option forwardfor
    http-request set-header X-Request-Id %[uuid]"""


@dataclass
class Server:
    """A running server; `Child` ends it at exit at the latest."""

    child: Child
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def missing(name: str) -> str:
    return f"{name} is not installed (apt-get install {PACKAGES[name]})"


@contextlib.contextmanager
def pinned(cpu: int) -> Iterator[None]:
    """Processes started meanwhile by this thread run on that processor only, for ever."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def program(name: str) -> str:
    """The path of one of our own measuring programs."""
    path = PROGRAMS / name
    if not os.access(path, os.X_OK):
        raise CannotMeasure(f"{path} is not there: run ./dev build release --target {name}")
    return str(path)


def start_nginx_proxy(directory: Path, target: int, adds_headers: bool = False) -> Server:
    """A plain proxy, or one that tells the upstream the caller's address and a request id, as a gateway must."""
    headers = NGINX_HEADERS if adds_headers else ""
    return _start_nginx("nginx_proxy.conf", directory, {"target": str(target), "headers": headers})


def start_nginx_static(directory: Path, body: str, health: str = "OK") -> Server:
    """Answers `body` as JSON on every path, except /health, an empty registry search and /requests."""
    for text in (body, health):
        if set(text) & set("'$\\"):
            raise ValueError(f"nginx can't return this text from its configuration: {text!r}")
    return _start_nginx("nginx_static.conf", directory, {"body": body, "health": health})


def start_haproxy(directory: Path, target: int, adds_headers: bool = False) -> Server:
    """As start_nginx_proxy()."""
    port = free_port()
    headers = HAPROXY_HEADERS if adds_headers else ""
    config = _render("haproxy.cfg", directory, {"port": str(port), "target": str(target), "headers": headers})
    return started([_tool("haproxy"), "-db", "-q", "-f", str(config)], directory, port)


def _start_nginx(template: str, directory: Path, values: dict[str, str]) -> Server:
    port = free_port()
    config = _render(template, directory, {"port": str(port), "directory": str(directory), **values})
    argv = [_tool("nginx"), "-e", "stderr", "-p", str(directory), "-c", str(config)]
    return started(argv, directory, port)


def _tool(name: str) -> str:
    path = find_tool(name)
    if path is None:
        raise CannotMeasure(missing(name))
    return path


def _render(template: str, directory: Path, values: dict[str, str]) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    text = (TEMPLATES / template).read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    path = directory / template
    path.write_text(text)
    return path


def started(argv: list[str], directory: Path, port: int, env: Mapping[str, str] | None = None) -> Server:
    """Starts a server that listens on `port` and waits until it does."""
    child = Child(argv, directory / "log", env)
    child.wait_for(f"{argv[0]} on port {port}", lambda: _accepts(port), 10.0)
    return Server(child, port)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
