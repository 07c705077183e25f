"""Sources of one's own: where tables come from that are neither files nor databases.

An installed package offers one under the entry point group `keepwell.sources`: a function that reads a table. In company.yaml a
table names it under `source:`, with `parameters:` for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from keepwell.errors import ConfigError, DataError, KeepwellError
from keepwell.extensions import checked_name, loaded, offered

GROUP = "keepwell.sources"


def read_source(name: str, table: str, folder: Path, parameters: Mapping[str, Any]) -> pl.DataFrame:
    """What the source `name` gives for a table: any eager or lazy frame that Narwhals knows, with the user's column names.

    The source is called as `source(table=, folder=, **parameters)`, `folder` being that of company.yaml. Raises ConfigError where
    no package offers it, DataError where it fails, or gives no frame.
    """
    points = offered(GROUP)
    if checked_name(name, "source", f"tables.{table}: ") not in points:
        known = ", ".join(points) or "no package offers one"
        raise ConfigError(f"tables.{table}: there is no source {name!r}", hint=f"install its package; there are: {known}")
    try:
        given = nw.from_native(loaded(points[name])(table=table, folder=folder, **parameters)).lazy().collect("polars")
    except KeepwellError:
        raise
    except Exception as error:  # whatever a stranger's source raises, its user wants words
        told = f"could not be read by the source {name} ({type(error).__name__}: {error})"
        raise DataError(table, None, told, hint="look at its parameters in company.yaml, and at the source") from error
    frame: pl.DataFrame = given.to_native()
    return frame
