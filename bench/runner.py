"""How each benchmark module is run, by `python -m bench NAME` or by itself."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from bench.report import CannotMeasure, Report
from support.process import Child, exit_on_sigterm


def title(module: ModuleType) -> str:
    return (module.__doc__ or "").strip().splitlines()[0].rstrip(".")


def run(name: str, module: ModuleType, argv: Sequence[str]) -> int:
    """Exit code: 0 all goals met, 1 a goal missed or a fault, 2 usage or nothing to measure, 130 interrupted.

    A benchmark module has `add_arguments(parser)` and `measure(options, report, directory)`; `directory` is removed
    afterwards and every child process is ended, also when the measurement is interrupted.
    """
    parser = argparse.ArgumentParser(prog=f"bench {name}", description=module.__doc__)
    module.add_arguments(parser)
    options = parser.parse_args(argv)
    exit_on_sigterm()
    report = Report(name, title(module), argv)
    with tempfile.TemporaryDirectory(prefix=f"hokusai-bench-{name}-") as directory:
        try:
            module.measure(options, report, Path(directory))
        except CannotMeasure as error:
            print(f"{name}: CANNOT MEASURE: {error}", file=sys.stderr)
            return 2
        except (RuntimeError, TimeoutError, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"{name}: interrupted", file=sys.stderr)
            return 130
        finally:
            Child.kill_all()
    return report.finish()


def main() -> NoReturn:
    """For `python -m bench.NAME`."""
    module = sys.modules["__main__"]
    sys.exit(run(Path(str(module.__file__)).stem, module, sys.argv[1:]))
