"""What the figures were measured on."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

SBIN = "/usr/sbin:/usr/local/sbin"
VERSIONS = {  # of the programs compared with, and of what built ours
    "nginx": ("nginx", "-v"),
    "haproxy": ("haproxy", "-v"),
    "wrk": ("wrk", "-v"),
    "compiler": ("clang++-19", "--version"),
}
GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def find_tool(name: str) -> str | None:
    """The path of a program, also of one in an sbin folder that is not on the user's PATH."""
    return shutil.which(name) or shutil.which(name, path=SBIN)


def machine() -> dict[str, object]:
    load = round(os.getloadavg()[0], 2)
    models = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    memory = [line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal:")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory[0]) / 2**20, 1) if memory else None,
        "kernel": platform.release(),
        "governor": GOVERNOR.read_text().strip() if GOVERNOR.exists() else "not visible",
        "python": platform.python_version(),
        **{name: _version(argv) for name, argv in VERSIONS.items()},
        "load_at_start": load,
    }


def _version(argv: tuple[str, ...]) -> str:
    path = find_tool(argv[0])
    if path is None:
        return "not installed"
    done = subprocess.run([path, *argv[1:]], capture_output=True, text=True, timeout=10, check=False)
    found = re.search(r"\d+\.[\d.]+[\w.+-]*", done.stdout + done.stderr)  # wrk prints its own and ends with 1
    return found[0] if found else "unknown"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
