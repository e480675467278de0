"""A real `mlflow server` that can be killed, frozen and brought back on the same port with the same data."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import requests

from support.process import Child, free_port

ENVIRONMENT = {
    # Job runners are processes of their own, several times the size of the server, that no test here needs.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    # The server must not mistake the address its clients use for a store.
    "MLFLOW_TRACKING_URI": "",
    "GIT_PYTHON_REFRESH": "quiet",
    # MLflow prints sets into headers and messages; equal servers must print them in the same order.
    "PYTHONHASHSEED": "0",
}


def is_installed() -> bool:
    return executable().exists()


def executable() -> Path:
    return Path(sys.executable).parent / "mlflow"


class MlflowServer:
    """SQLite and local artifacts in `folder`. start() returns at once, so that two can start side by side."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.port = free_port()
        self._child: Child | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def authority(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> MlflowServer:
        argv = [
            str(executable()),
            "server",
            *("--host", "127.0.0.1"),
            *("--port", str(self.port)),
            *("--workers", "1"),
            *("--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"),
            *("--artifacts-destination", str(self.folder / "artifacts")),
        ]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._child = Child(argv, self.folder / "mlflow.log", {**os.environ, **ENVIRONMENT})
        return self

    def wait_ready(self, seconds: float = 90.0) -> MlflowServer:
        self._running().wait_for("MLflow to answer", self.is_up, seconds)
        return self

    def is_up(self) -> bool:
        try:
            answer = requests.get(f"{self.url}/api/2.0/mlflow/registered-models/search?max_results=1", timeout=2)
        except requests.RequestException:
            return False
        return answer.status_code == 200

    def kill(self) -> None:
        """SIGKILL to every process of it; start() brings it back."""
        if self._child:
            self._child.kill()
            self._child = None

    def stop(self) -> None:
        """Freeze every process: connections are still accepted by the kernel, answers do not come."""
        self._running().signal_group(signal.SIGSTOP)

    def cont(self) -> None:
        self._running().signal_group(signal.SIGCONT)

    def restore(self) -> None:
        """Up again, whatever was done to it."""
        if self._child is None:
            self.start()
        self.cont()
        self.wait_ready()

    def _running(self) -> Child:
        if self._child is None:
            raise RuntimeError("MLflow is not running: call start()")
        return self._child

    def __enter__(self) -> MlflowServer:
        return self.start().wait_ready()

    def __exit__(self, *_: object) -> None:
        self.kill()
