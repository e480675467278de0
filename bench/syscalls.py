"""Counts the system calls of running processes with strace."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.process_figures import group_members
from bench.proxies import find_tool
from support.process import Child

SHORT, LONG = 1, 3  # seconds


def per_request(group: int, run: Callable[[int], int]) -> dict[str, float]:
    """System calls by name for each request that `run(seconds)` gets answered by a process group, the most frequent
    first. The difference of a long and a short run, so that setting up connections does not count.
    """
    runs = []
    for seconds in (SHORT, LONG):
        with _counted(group) as calls:
            requests = run(seconds)
        runs.append((requests, calls))
    (few, before), (many, after) = runs
    if many <= few:
        raise RuntimeError("the machine is too busy to count system calls: the longer run answered no more requests")
    return {name: count / (many - few) for name, count in (after - before).most_common()}


@contextlib.contextmanager
def _counted(group: int) -> Iterator[Counter[str]]:
    """The calls of all threads of a process group, filled at the end of the block. Raises RuntimeError where tracing is
    not allowed.
    """
    calls: Counter[str] = Counter()
    pids = group_members(group)
    with tempfile.TemporaryDirectory(prefix="hokusai-bench-strace-") as directory:
        argv = [str(find_tool("strace")), "-f", "-c", "-U", "calls,name"]
        strace = Child([*argv, *(f"--attach={pid}" for pid in pids)], Path(directory) / "log")
        try:
            strace.wait_for("tracing to begin", lambda: strace.output().count(" attached") >= len(pids), 10.0)
            yield calls
            strace.signal_group(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                strace.wait(10)
            for count, name in re.findall(r"^\s*(\d+) (\w+)$", strace.output(), re.MULTILINE):
                calls[name] = int(count)
            if not calls.pop("total", 0):
                raise RuntimeError(f"strace has counted nothing:\n{strace.output()[-1000:]}")
        finally:
            strace.kill()
