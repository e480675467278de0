"""`python -m bench NAME [options]`, `python -m bench NAME --help`, `python -m bench list`, `python -m bench all`, and
`python -m bench page` for one page with the latest results of all.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

from bench import page, runner
from support.process import exit_on_sigterm

NAMES = (
    "startup",
    "throughput",
    "added_latency",
    "primitives",
    "registry_growth",
    "client_latency",
    "alias_lookup",
    "replica_sweep",
    "streaming",
    "goodput",
    "mixed_calls",
    "outage_client",
    "health_under_outage",
    "attacks",
)
ALONE = ("soak",)  # takes an hour by default, so not one of "all"
OUTCOMES = {0: "goals met", 2: "not measured"}


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"bench.{name}")


def _list() -> int:
    width = max(map(len, NAMES + ALONE))
    for name in NAMES + ALONE:
        print(f"{name.ljust(width)}  {runner.title(_module(name))}")
    return 0


def _all() -> int:
    """Each in a process of its own, so that none inherits another's clients; the worst exit code."""
    exit_on_sigterm()
    codes = {}
    for name in NAMES:
        process = subprocess.Popen([sys.executable, "-m", "bench", name])
        try:
            codes[name] = process.wait()
        finally:
            process.terminate()
            process.wait()
        print()
    for name, code in codes.items():
        print(f"{name}: {OUTCOMES.get(code, 'goal missed or failed')}")
    print()
    page.show(NAMES)
    return max(codes.values())


def main() -> int:
    name, *argv = sys.argv[1:] or ["list"]
    if name in ("list", "all") and not argv:
        return _list() if name == "list" else _all()
    if name == "page" and not argv:
        return page.show(NAMES)
    if name in NAMES + ALONE:
        return runner.run(name, _module(name), argv)
    known = ", ".join(("list", "all", "page", *NAMES, *ALONE))
    print(f"bench: there is no {name!r}; there are {known}", file=sys.stderr)
    return 2


sys.exit(main())
