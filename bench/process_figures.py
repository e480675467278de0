"""What a process group has used, read from /proc."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def group_members(group: int) -> list[int]:
    """Ids of all processes of a process group."""
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                members.append(int(stat.parent.name))
    return members


def cpu_seconds(group: int) -> float:
    """User and system time of a process group's living members, in steps of 10 ms."""
    ticks = 0
    for pid in group_members(group):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND


def _status_mib(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"/proc/{pid}/status has no {field}")


def resident_mib(pid: int) -> float:
    return _status_mib(pid, "VmRSS")


def peak_resident_mib(pid: int) -> float:
    """The highest resident memory since start, or since reset_peak()."""
    return _status_mib(pid, "VmHWM")


def reset_peak(pid: int) -> None:
    """Makes peak_resident_mib() count from now; where the kernel refuses, it goes on counting from the start."""
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/clear_refs").write_text("5")
