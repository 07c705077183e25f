"""Tables into files, whole or absent: Parquet or CSV by the ending. A panel may come in blocks and be larger than the memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from keepwell.errors import ConfigError
from keepwell.files import written_whole
from keepwell.progress import Progress, Silent

FILE_BLOCKS = 8
"""How many blocks are put together before they are written: few of them would make many small files."""


@contextmanager
def table_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path for a table, which becomes `path` when the block ends well.

    Raises ConfigError when `path` ends in neither .parquet nor .csv or is a folder, and for a place that cannot be written to.
    """
    if path.suffix not in {".parquet", ".csv"}:
        raise ConfigError(f"cannot write {path.name!r}: the name must end in .parquet or .csv", hint="choose another name")
    if path.is_dir():
        raise ConfigError(f"cannot write {path}: it is a folder", hint="choose another name, or remove the folder")
    try:
        with written_whole(path) as temporary:
            yield temporary
    except OSError as error:
        reason = error.strerror or error  # without the name of the temporary file
        raise ConfigError(f"{path} cannot be written: {reason}", hint="choose a place with room that you may write to") from error


def write_panel(blocks: Iterable[pl.DataFrame], path: Path, progress: Progress = Silent()) -> int:
    """Write the blocks of `features.panel.panel_blocks` as one table, sorted by `as_of`, `customer_id`; the number of its rows.

    A block holds some customers at all dates, so each of its dates goes to a file of its own beside `path` first; what is
    read back in the order of dates is the panel. No more than a few blocks are in memory at any time.
    Raises ConfigError as `table_file` does.
    """
    rows = 0
    with table_file(path) as temporary, TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        for number, block in enumerate(_together(blocks)):
            rows += block.height
            for part in block.partition_by("as_of", maintain_order=True) or [block]:
                # Names of date and block sort as the rows must. A block without rows is kept too, for it has the columns.
                name = f"{part['as_of'].max()!s}-{number:06}.parquet"
                part.write_parquet(Path(folder) / name, compression="lz4")
        with progress.step(f"Writing {rows:,} rows"):
            ordered = pl.scan_parquet(sorted(Path(folder).iterdir()), glob=False)
            (ordered.sink_parquet if path.suffix == ".parquet" else ordered.sink_csv)(temporary)
    return rows


def _together(blocks: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """Neighbouring blocks as one."""
    coming = iter(blocks)
    while some := list(islice(coming, FILE_BLOCKS)):
        yield pl.concat(some, rechunk=False)
