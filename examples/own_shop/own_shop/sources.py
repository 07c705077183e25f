"""Tables out of files with a JSON object a line, as webhooks and event queues leave them."""

from __future__ import annotations

from pathlib import Path

import polars as pl


def json_lines(*, table: str, folder: Path, file: str = "") -> pl.DataFrame:
    """The rows of `file` below the folder of company.yaml; without one, of `<table>.jsonl`."""
    return pl.read_ndjson(folder / (file or f"{table}.jsonl"))
