"""The command line that the benchmarks share: which parts, on how much data, and what becomes of the figures."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import report
from benchmarks.measure import Measured

S = TypeVar("S")


def run(prog: str, description: str, parts: Mapping[str, Callable[[Path, S], Mapping[str, Any]]], full: S, quick: S) -> None:
    """Measure the parts asked for, print the tables, keep the results for later runs, publish if asked."""
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=description)
    parser.add_argument("parts", nargs="*", choices=[[], *parts], help="what to measure; everything by default")
    parser.add_argument("--quick", action="store_true", help="on little data: does it work?")
    parser.add_argument("--scratch", type=Path, default=Path(tempfile.gettempdir()) / "keepwell-benchmarks")
    parser.add_argument("--publish", action="store_true", help="put the figures into docs/performance.md")
    asked = parser.parse_args()
    scratch, sizes = asked.scratch / ("quick" if asked.quick else "full"), quick if asked.quick else full
    scratch.mkdir(parents=True, exist_ok=True)
    kept = scratch / "results.json"
    results = json.loads(kept.read_text()) if kept.exists() else {}
    for part in asked.parts or parts:
        results[part] = {
            name: vars(one) if isinstance(one, Measured) else one for name, one in parts[part](scratch, sizes).items()
        }
        kept.write_text(json.dumps(results, indent=1))
    print(report.tables(results))
    if asked.publish:
        report.publish(results)
