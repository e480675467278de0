"""Child processes that never outlive their test, free ports, and waiting with a deadline."""

from __future__ import annotations

import atexit
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def wait_until(what: str, probe: Callable[[], T], seconds: float = 10.0, every: float = 0.02) -> T:
    """The first true value of `probe`; raises TimeoutError naming `what` and the last value after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}; last seen: {value!r}")
        time.sleep(every)


def free_port() -> int:
    """A port nobody listens on, below the kernel's ephemeral range.

    A port of that range would do until its listener dies: then a connection to it may be given the same number as its
    own source port and connect to itself, which looks like a server that came back.
    """
    candidates = random.SystemRandom().sample(range(20000, 32000), 200)
    for port in candidates:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no free port between 20000 and 32000")


class Child:
    """One child process and its descendants, in a process group of their own, with their output in a file.

    `env` is the whole environment of the child; without it, ours.
    """

    _alive: set[Child] = set()

    def __init__(self, argv: Sequence[str], log: Path, env: Mapping[str, str] | None = None):
        self.argv = [str(argument) for argument in argv]
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as output:
            self._offset = output.tell()
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=env,
                start_new_session=True,
            )
        Child._alive.add(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    def output(self) -> str:
        """What this child wrote so far, both streams."""
        with self.log.open("rb") as file:
            file.seek(self._offset)
            return file.read().decode(errors="replace")

    def wait_for(self, what: str, probe: Callable[[], T], seconds: float) -> T:
        """wait_until(), but gives up at once, with the log, when the child ends."""

        def probe_while_alive() -> T:
            value = probe()
            if not value and self.returncode is not None:
                raise RuntimeError(
                    f"{self.argv[0]} ended with {self.returncode} before {what}:\n{self.output()[-4000:]}"
                )
            return value

        try:
            return wait_until(what, probe_while_alive, seconds)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; its log:\n{self.output()[-4000:]}") from None

    def wait(self, seconds: float) -> int:
        """The exit code; raises subprocess.TimeoutExpired while it still runs."""
        return self._process.wait(seconds)

    def signal_group(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def terminate(self, seconds: float = 30.0) -> int:
        """SIGTERM to the child itself; after `seconds` the whole group is killed. The exit code."""
        if self.returncode is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        return self.kill()

    def kill(self) -> int:
        """Nothing of the group is left afterwards. The exit code."""
        self.signal_group(signal.SIGKILL)
        code = self._process.wait()
        wait_until("end of the process group", lambda: not self._group_exists(), 10.0)
        Child._alive.discard(self)
        return code

    def _group_exists(self) -> bool:
        """Whether a live member is left: orphans already dead may wait a moment for init to collect them."""
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, IndexError):
                state, _, group = stat.read_text().rpartition(")")[2].split()[:3]
                if int(group) == self.pid and state not in "ZX":
                    return True
        return False

    @classmethod
    def kill_all(cls) -> None:
        for child in list(cls._alive):
            child.kill()


atexit.register(Child.kill_all)


def exit_on_sigterm() -> None:
    """Turn SIGTERM into SystemExit, so that `finally` and atexit run."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
