"""Exits with 1 where one of the files named is larger than this repository keeps: data and models do not belong in it.

python scripts/refuse_large_files.py FILE ...
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

MOST_KB = 400
"""The lock of the developers' tools is the largest that there is."""


def main(names: Sequence[str]) -> int:
    """Name the files that are too large; 1 where there is one."""
    large = [name for name in names if Path(name).is_file() and Path(name).stat().st_size > MOST_KB * 1000]
    for name in large:
        click.echo(f"{name} is larger than {MOST_KB} kB: leave data and models out, make pictures smaller", err=True)
    return int(bool(large))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
