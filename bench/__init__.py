"""Benchmarks of the `hokusai` binary: `python -m bench list`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))  # `support`, shared with the end-to-end tests
