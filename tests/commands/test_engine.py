"""`keepwell features --engine`: other engines write the same rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from click.testing import Result

from features.panel import build_panel
from features.reading.sources import read_company
from tests.commands.conftest import Shop

Keepwell = Callable[..., Result]
DAY = date(2026, 1, 1)
ASKED = ("spend_90d", "recency_days", "complaints_all")


@pytest.mark.parametrize("engine", ["numpy", "polars", "pandas", "duckdb"])
def test_every_engine_writes_the_panel(keepwell: Keepwell, shop: Shop, tmp_path: Path, engine: str) -> None:
    out = tmp_path / "features.parquet"
    told = keepwell("features", shop.data, "--as-of", DAY, "--columns", ",".join(ASKED), "--engine", engine, "--out", out)
    assert told.exit_code == 0, told.output
    panel = build_panel(read_company(shop.data), [DAY], ASKED)
    assert pl.read_parquet(out).equals(panel)
    assert f"{panel.height:,} rows of 3 features" in told.output


def test_an_unknown_engine_is_refused_with_those_that_there_are(keepwell: Keepwell, shop: Shop) -> None:
    told = keepwell("features", shop.data, "--engine", "steam", "--out", "x.parquet")
    assert told.exit_code == 2
    assert "'numpy', 'polars', 'pandas', 'duckdb', 'spark'" in told.output
