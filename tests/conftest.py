"""What every end-to-end suite starts from. Servers that are slow to start live as long as the session."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import mlflow_server
from support.hokusai import Hokusai, binary
from support.mlflow_server import MlflowServer
from support.upstream import Upstream


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("registry", "random calls to the native registry and to MLflow")
    group.addoption("--registry-seed", help="the calls of an earlier run; a new seed by default")
    group.addoption("--registry-calls", type=int, default=500, help="about so many (default: %(default)s)")
    group.addoption("--creates", type=int, default=100, help="whose answers get lost (default: %(default)s)")
    group.addoption("--outages", type=int, default=1, help="how often MLflow is killed (default: %(default)s)")
    group.addoption("--outage-seconds", type=float, default=10, help="how long MLflow is gone (default: %(default)s)")
    group = parser.getgroup("api", "random calls to our own API")
    group.addoption("--api-examples", type=int, default=5, help="for each operation (default: %(default)s)")


def pytest_configure(config: pytest.Config) -> None:
    # pytest takes SystemExit for one test's failure and goes on; its own exit ends the run, fixtures first.
    signal.signal(signal.SIGTERM, lambda number, frame: pytest.exit("SIGTERM", returncode=128 + number))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    outages = config.getoption("--outages") * (config.getoption("--outage-seconds") + 120)
    for item in items:
        if item.get_closest_marker("outages"):
            item.add_marker(pytest.mark.timeout(600 + outages))


def missing(component: str, remedy: str) -> None:
    """A machine without a component skips what needs it; CI must have every one."""
    reason = f"missing component: {component}: {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(f"SKIPPED: {reason}")


@pytest.fixture(scope="session")
def hokusai_binary() -> Path:
    if not os.access(binary(), os.X_OK):
        missing(f"hokusai binary at {binary()}", "run ./dev build, or set HOKUSAI_BIN")
    return binary()


@contextlib.contextmanager
def new_mlflow_servers(folder: Path, count: int) -> Iterator[list[MlflowServer]]:
    """Real MLflow servers with empty stores, started side by side."""
    if not mlflow_server.is_installed():
        missing("mlflow", "pip install -r tests/requirements.txt into the Python that runs pytest")
    servers = [MlflowServer(folder / f"mlflow-{number}") for number in range(count)]
    try:
        for server in servers:
            server.start()
        for server in servers:
            server.wait_ready()
        yield servers
    finally:
        for server in servers:
            server.kill()


@pytest.fixture(scope="session")
def mlflow_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """One real MLflow for all who ask; a test that breaks it brings it back (the next fixture sees to it)."""
    with new_mlflow_servers(tmp_path_factory.mktemp("mlflow"), 1) as (server,):
        yield server


@pytest.fixture
def real_mlflow(mlflow_session: MlflowServer) -> Iterator[MlflowServer]:
    yield mlflow_session
    mlflow_session.restore()


@pytest.fixture(scope="module")
def serve_module(hokusai_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Hokusai]]:
    """Starts gateways that live as long as the module: serve_module(mlflow=URL, auth="off", ...)."""
    started: list[Hokusai] = []

    def start(**settings: object) -> Hokusai:
        started.append(Hokusai(tmp_path_factory.mktemp("hokusai"), **settings))
        return started[-1].start()

    yield start
    stop_all(started)


@pytest.fixture
def serve(hokusai_binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Hokusai]]:
    """The same for one test that breaks things."""
    started: list[Hokusai] = []

    def start(**settings: object) -> Hokusai:
        started.append(Hokusai(tmp_path_factory.mktemp("hokusai"), **settings))
        return started[-1].start()

    yield start
    stop_all(started)


def stop_all(started: list[Hokusai]) -> None:
    codes = {one.folder.name: one.stop() for one in started}
    # None: the test stopped it itself. Anything but 0 is a crash, or a drain that did not end.
    assert all(code in (0, None) for code in codes.values()), f"exit codes after SIGTERM: {codes}"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as one:
        yield one
