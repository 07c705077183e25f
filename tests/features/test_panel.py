"""The panel in blocks of customers: how it is cut changes nothing, and all of it is there."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.arrays import panels
from features.catalog import CATALOG
from features.company import Company
from features.panel import build_panel, panel_blocks
from keepwell.errors import ConfigError
from keepwell.progress import Progress
from tests.features.strategies import Story, crowd, stories

NAMES = tuple(CATALOG)


class Counted:
    """Progress that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int]] = []

    def step(self, _title: str, /) -> nullcontext[None]:
        return nullcontext()

    def count(self, done: int, total: int) -> None:
        self.told.append((done, total))


def dates_of(story: Story) -> list[date]:
    return [story.as_of - timedelta(days=age) for age in (0, 31, 400)]


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("weight", [1, 50, 700])
def test_the_size_of_blocks_changes_nothing(weight: int, late: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    story = crowd(3, late=late)
    whole = build_panel(story.company(), dates_of(story), NAMES)
    monkeypatch.setattr(panels, "BLOCK_WEIGHT", weight)
    assert build_panel(story.company(), dates_of(story), NAMES).equals(whole)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories(), names=st.lists(st.sampled_from(NAMES), max_size=4, unique=True))
def test_several_dates_at_once_are_each_date_alone(story: Story, names: list[str]) -> None:
    company = story.company()
    together = build_panel(company, dates_of(story), names)
    assert together.equals(pl.concat([build_panel(company, [day], names) for day in sorted(dates_of(story))]))


@pytest.mark.parametrize("seed", range(2))
def test_several_dates_at_once_are_each_date_alone_in_the_whole_catalog(seed: int) -> None:
    story = crowd(seed, late=seed > 0)
    together = build_panel(story.company(), dates_of(story), NAMES)
    assert together.equals(pl.concat([build_panel(story.company(), [day], NAMES) for day in sorted(dates_of(story))]))


def test_blocks_hold_the_rows_of_the_panel_customers_ascending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "BLOCK_WEIGHT", 100)
    story, progress = crowd(4), Counted()
    parts = list(panel_blocks(story.company(), dates_of(story), NAMES, progress))
    assert len(parts) > 2
    assert pl.concat(parts).sort("as_of", "customer_id").equals(build_panel(story.company(), dates_of(story), NAMES))
    assert pl.concat([part["customer_id"].unique().sort() for part in parts]).is_sorted()
    assert all(part.equals(part.sort("as_of", "customer_id")) for part in parts)
    done, totals = zip(*progress.told, strict=True)
    assert list(done) == list(range(1, totals[0] + 1))
    assert set(totals) == {totals[0]}


def test_progress_is_told_of_every_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels, "BLOCK_WEIGHT", 100)
    story, progress = crowd(4), Counted()
    watched: Progress = progress
    build_panel(story.company(), [story.as_of], ["recency_days"], watched)
    assert progress.told[-1][0] == progress.told[-1][1] == len(progress.told)


def test_a_company_without_purchases_has_a_panel_without_rows() -> None:
    story = crowd(0, customers=3)
    tables = {name: frame.clear() for name, frame in story.company().tables.items()}
    empty = Company("test", "UTC", tables, {"transactions.amount": 2}, {}, ())
    made = build_panel(empty, [story.as_of], ["recency_days", "complaints_30d"])
    assert made.schema == {"customer_id": pl.String, "as_of": pl.Date, "recency_days": pl.Float64, "complaints_30d": pl.Float64}
    assert made.height == 0
    assert [part.height for part in panel_blocks(empty, [story.as_of], ["recency_days"])] == [0]


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt32, pl.Int16])
def test_integer_ids_keep_their_type_and_order(dtype: pl.DataType) -> None:
    story = crowd(1)
    company = story.company()
    tables = {name: frame.with_columns(pl.col("customer_id").cast(dtype)) for name, frame in company.tables.items()}
    made = build_panel(Company("test", "UTC", tables, company.scales, {}, ()), [story.as_of], ["spend_all", "complaints_all"])
    texts = build_panel(company, [story.as_of], ["spend_all", "complaints_all"])
    assert made["customer_id"].dtype == dtype
    assert made["customer_id"].is_sorted()
    assert made.equals(texts.with_columns(pl.col("customer_id").cast(dtype)).sort("customer_id"))


def test_no_date_is_refused() -> None:
    with pytest.raises(ConfigError, match="no dates to build features for"):
        build_panel(crowd(0, customers=2).company(), [])
    with pytest.raises(ConfigError, match="no dates to build features for"):
        next(panel_blocks(crowd(0, customers=2).company(), []))
