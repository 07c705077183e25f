"""`keepwell horizon` and `keepwell check` through the command line, on the simulated company that all commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
from click.testing import Result

from datasets.folder import write_company

if TYPE_CHECKING:
    from tests.commands.conftest import Shop

Keepwell = Callable[..., Result]


def as_json(result: Result) -> dict:
    """Standard output alone: progress goes to standard error."""
    return json.loads(result.stdout)


def test_the_day_after_the_last_transaction_is_asked_by_default_and_told(shop: Shop, keepwell: Keepwell) -> None:
    told = keepwell("horizon", shop.data)
    assert told.exit_code == 0, told.output
    last = pl.read_parquet(shop.data / "transactions.parquet")["ordered_at"].max()
    assert f"as of {date.fromordinal(last.date().toordinal() + 1)}" in told.stdout
    assert told.stdout.startswith("Which horizon?  ")


def test_the_answer_for_programs_holds_every_horizon(shop: Shop, keepwell: Keepwell) -> None:
    report = as_json(keepwell("horizon", shop.data, "--as-of", "2025-10-01", "--json"))
    assert report["as_of"] == "2025-10-01"
    assert [one["days"] for one in report["horizons"]] == [30, 60, 90, 180, 365]
    assert set(report["advice"]) == {"horizon_days", "fits", "reasons", "way_out"}


def test_events_that_are_not_known_are_told_and_ignored(shop: Shop, keepwell: Keepwell) -> None:
    assert "not known before 2025-10-01, so ignored: " in keepwell("horizon", shop.data, "--as-of", "2025-10-01").output


def test_the_lost_are_counted_scored_and_never_dropped(shop: Shop, keepwell: Keepwell, tmp_path: Path) -> None:
    """As many customers by status as there are scores and rows of features, and the lost are among all three."""
    report = as_json(keepwell("horizon", shop.data, "--as-of", "2026-01-01", "--json"))
    scores = pl.read_parquet(shop.scores)
    keepwell("features", shop.data, "--as-of", "2026-01-01", "--columns", "recency_days", "--out", tmp_path / "f.parquet")
    silence = pl.read_parquet(tmp_path / "f.parquet")
    assert sorted(silence["customer_id"]) == sorted(scores["customer_id"])
    ninety = next(one for one in report["horizons"] if one["days"] == 90)
    assert sum(ninety["statuses"].values()) == scores.height == report["customers"]
    assert ninety["statuses"]["lost"] > 100
    lost = silence.filter(pl.col("recency_days") >= ninety["lost_after_days"])
    assert lost.height > 100
    assert lost.join(scores, on="customer_id").height == lost.height


def test_silence_and_model_mean_the_same_by_lost(shop: Shop, keepwell: Keepwell, tmp_path: Path) -> None:
    report = as_json(keepwell("horizon", shop.data, "--as-of", "2026-01-01", "--json"))
    ninety = next(one for one in report["horizons"] if one["days"] == 90)
    scores = pl.read_parquet(shop.scores)
    by_model = dict(scores["status"].value_counts().iter_rows())
    for status, count in ninety["statuses"].items():
        assert abs(count - by_model.get(status, 0)) < 0.2 * scores.height, status
    assert ninety["statuses"]["new"] == by_model["new"]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_a_picture_is_drawn_when_asked_for(shop: Shop, keepwell: Keepwell, tmp_path: Path, ending: str) -> None:
    assert keepwell("horizon", shop.data, "--plot", tmp_path / f"h.{ending}").exit_code == 0
    assert (tmp_path / f"h.{ending}").stat().st_size > 5_000


def test_a_picture_of_another_kind_is_a_slip_that_is_told_before_the_work(shop: Shop, keepwell: Keepwell, tmp_path: Path) -> None:
    refused = keepwell("horizon", shop.data, "--plot", tmp_path / "h.gif")
    assert refused.exit_code == 2
    assert "must end in .png or .svg" in refused.output.replace("\n", " ")


def test_a_date_before_the_first_purchase_and_a_flat_table_are_refused_in_words(
    shop: Shop, keepwell: Keepwell, tmp_path: Path
) -> None:
    early = keepwell("horizon", shop.data, "--as-of", "2001-01-01")
    assert early.exit_code == 5
    assert "no purchase is known before 2001-01-01" in early.output
    ids = pl.DataFrame({"customer_id": ["a", "b"]})
    labels = ids.with_columns(as_of=pl.lit("2026-01-01"), churned=pl.Series([1, 0]))
    write_company(tmp_path / "flat", "company: flat\n", {"customers": ids, "labels": labels})
    flat = keepwell("horizon", tmp_path / "flat")
    assert flat.exit_code == 5
    assert "there are no transactions" in flat.output


def test_check_names_a_leak_to_people_and_to_programs(shop: Shop, keepwell: Keepwell, tmp_path: Path) -> None:
    tables = {path.stem: pl.read_parquet(path) for path in shop.data.glob("*.parquet")}
    bought = tables["transactions"].filter(pl.col("amount") > 0)
    last = bought.group_by("customer_id").agg(pl.col("ordered_at").max().dt.date().alias("last_order"))
    leaky = tables["customers"].join(last, on="customer_id", how="left")
    write_company(tmp_path / "leaky", "company: leaky\n", {**tables, "customers": leaky})
    report = as_json(keepwell("check", tmp_path / "leaky", "--horizon", "90d", "--json"))
    assert [one["place"] for one in report["suspicions"]] == ["customers.last_order"]
    told = keepwell("check", tmp_path / "leaky", "--horizon", "90d")
    assert told.exit_code == 0, told.output
    assert "leaks      1 to look at, below" in told.output
    assert "customers.last_order: tells the day of the last purchase" in told.output


def test_check_of_a_clean_company_names_none(shop: Shop, keepwell: Keepwell) -> None:
    assert as_json(keepwell("check", shop.data, "--json"))["suspicions"] == []
