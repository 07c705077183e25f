from __future__ import annotations

import sys
from pathlib import Path

import polars as pl
import pytest

from datasets.shipped import shipped_cdnow, unpack_cdnow_sample
from keepwell.errors import ConfigError

LINES = " 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n 00021 0002 19970101  3   63.34\n"


@pytest.fixture
def lifetimes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of that name with the sample in it, which nobody may import."""
    package = tmp_path / "site" / "lifetimes"
    (package / "datasets").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('it needs an older NumPy')\n")
    sample = package / "datasets" / "CDNOW_sample.txt"
    sample.write_text(LINES)
    monkeypatch.syspath_prepend(tmp_path / "site")
    return sample


def test_the_sample_is_found_where_the_package_is_and_nothing_is_imported(lifetimes: Path) -> None:
    assert shipped_cdnow() == lifetimes
    assert "lifetimes" not in sys.modules


def test_a_package_without_the_sample_has_none(lifetimes: Path) -> None:
    lifetimes.unlink()
    assert shipped_cdnow() is None


def test_the_sample_becomes_a_company(lifetimes: Path, tmp_path: Path) -> None:
    made = unpack_cdnow_sample(tmp_path / "cdnow")
    assert (made.transactions, made.customers) == (3, 2)
    table = pl.read_parquet(tmp_path / "cdnow" / "transactions.parquet")
    assert table["customer_id"].to_list() == ["00004", "00004", "00021"]


def test_without_the_package_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("datasets.shipped.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match="keepwell import cdnow"):
        unpack_cdnow_sample(tmp_path / "cdnow")
