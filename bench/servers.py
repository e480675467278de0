"""MLflow and hokusai as the benchmarks run them, and a client of MLflow with its default settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bench import ROOT
from bench.report import CannotMeasure
from support import hokusai, mlflow_server
from support.hokusai import Hokusai
from support.process import Child

if TYPE_CHECKING:
    from mlflow import MlflowClient

RELEASE_BINARY = ROOT / "build/release/src/apps/hokusai"
API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


class MlflowServer(mlflow_server.MlflowServer):
    """Two workers, as a deployment has several: they inherit their listening socket, and with it the 40 ms a kept
    connection waits for a delayed ACK; a single worker opens its own and doesn't show that.
    """

    def start(self) -> MlflowServer:
        self.folder.mkdir(parents=True, exist_ok=True)
        argv = [str(mlflow_server.executable()), "server", "--host", "127.0.0.1", "--port", str(self.port)]
        argv += ["--workers", "2", "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        argv += ["--artifacts-destination", str(self.folder / "artifacts")]
        self._child = Child(argv, self.folder / "mlflow.log", {**os.environ, **mlflow_server.ENVIRONMENT})
        return self

    @property
    def pid(self) -> int:
        """Of the parent, which leads the process group of the workers."""
        return self._running().pid


class Gateway(Hokusai):
    """hokusai with a key of its own that may read and write MLflow, or the registry it is without one."""

    def __init__(self, folder: Path, mlflow: str | None, threads: int = 2, env: Mapping[str, str] | None = None):
        require_binary()
        super().__init__(folder, mlflow=mlflow, threads=threads, env=dict(env or {}))
        self.start()
        self.key = self.create_key("mlflow:write", name="bench").secret

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def require_binary() -> Path:
    """The release build, unless HOKUSAI_BIN names another."""
    os.environ.setdefault("HOKUSAI_BIN", str(RELEASE_BINARY))
    path = hokusai.binary()
    if not os.access(path, os.X_OK):
        raise CannotMeasure(f"{path} is not there: run ./dev build release, or set HOKUSAI_BIN")
    return path


def start_mlflow(directory: Path) -> MlflowServer:
    """A ready server with an empty database."""
    if not mlflow_server.is_installed():
        raise CannotMeasure("MLflow is not installed beside this Python: pip install -r tests/requirements.txt")
    return MlflowServer(directory).start().wait_ready()


def stock_client(url: str, key: str) -> MlflowClient:
    """MLflow's own client with its default settings. It reads its credentials from the environment of the whole
    process, so all clients of a benchmark share one key.
    """
    for variable in [name for name in os.environ if name.startswith("MLFLOW_")]:
        del os.environ[variable]
    os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true", GIT_PYTHON_REFRESH="quiet")
    os.environ["MLFLOW_TRACKING_TOKEN"] = key
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=url, registry_uri=url)
