"""The binary under test."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import requests

from support.process import Child

ROOT = Path(__file__).resolve().parents[2]
SERVING = re.compile(r"^hokusai serving on http://([^ :]+):(\d+)\s*$", re.MULTILINE)
# Probes twenty times as often as by default: what is seen within seconds there is seen at once here.
QUICK_PROBES = {
    "HOKUSAI_HEALTH_INTERVAL": "250ms",
    "HOKUSAI_HEALTH_FAST_INTERVAL": "100ms",
    "HOKUSAI_HEALTH_DEADLINE": "500ms",
}
SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(\{[^}]*\})? (\S+)")


def binary() -> Path:
    return Path(os.environ.get("HOKUSAI_BIN") or ROOT / "build/debug/src/apps/hokusai")


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without the settings of whoever runs the tests: those must not leak into the binary."""
    settings = ("HOKUSAI_", "MLFLOW_", "REDIS_", "DB_", "DATABASE_", "CORS_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return {**inherited, "HOKUSAI_SERVER_DRAIN_DELAY": "0s", **(extra or {})}


def run(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A short command of the binary, to its end."""
    argv = [str(binary()), *arguments]
    return subprocess.run(argv, capture_output=True, text=True, timeout=30, env=environment(env), check=False)


@dataclass
class Key:
    id: str
    secret: str
    scopes: list[str]

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


@dataclass
class Hokusai:
    """`hokusai serve` on a port of its own choice, with its data in `folder`/data."""

    folder: Path
    mlflow: str | None = None
    auth: str = "required"
    threads: int = 2
    env: dict[str, str] = field(default_factory=dict)
    port: int = 0
    host: str = "127.0.0.1"
    child: Child | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        return self.running.pid

    @property
    def running(self) -> Child:
        if self.child is None:
            raise RuntimeError("hokusai is not running: call start()")
        return self.child

    def start(self) -> Hokusai:
        argv = [str(binary()), "serve", "--listen", f"{self.host}:{self.port}", "--data", str(self.data)]
        argv += ["--auth", self.auth, "--threads", str(self.threads)]
        if self.mlflow:
            argv += ["--mlflow", self.mlflow]
        self.child = Child(argv, self.folder / "hokusai.log", environment(self.env))
        try:
            line = self.child.wait_for("its serving line", lambda: SERVING.search(self.log()), 20.0)
        except Exception:
            self.child.kill()
            self.child = None
            raise
        self.port = int(line.group(2))
        return self

    def wait_ready(self, seconds: float = 20.0) -> Hokusai:
        """Until every dependency was seen up once."""
        self.running.wait_for("/ready to be true", lambda: self.get("/ready").json().get("ready"), seconds)
        return self

    def stop(self) -> int | None:
        """SIGTERM and its drain; the exit code, None if it was not running."""
        if self.child is None:
            return None
        code = self.child.returncode
        code = self.child.terminate() if code is None else code
        self.child.kill()
        self.child = None
        return code

    def log(self) -> str:
        return self.running.output()

    def create_key(self, *scopes: str, name: str = "test") -> Key:
        done = run("keys", "create", "--data", str(self.data), "--name", name, "--scopes", ",".join(scopes), "--json")
        if done.returncode != 0:
            raise RuntimeError(f"keys create ended with {done.returncode}: {done.stderr}")
        made = json.loads(done.stdout)
        return Key(made["id"], made["key"], made["scopes"])

    def get(self, path: str, **options: object) -> requests.Response:
        return requests.get(self.url + path, **{"timeout": 10, "allow_redirects": False, **options})

    def health(self) -> dict:
        return self.get("/health").json()

    def breaker(self) -> str:
        """CLOSED, OPEN or HALF_OPEN."""
        return self.get("/health/mlflow").json()["circuit_breaker_state"]

    def metrics(self) -> dict[str, float]:
        """Every sample by its name with labels: 'name{label="x"}'."""
        samples = (SAMPLE.match(line) for line in self.get("/metrics").text.splitlines())
        return {found[1] + (found[2] or ""): float(found[3]) for found in samples if found}

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024

    def __enter__(self) -> Hokusai:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
