"""`keepwell lifetime` through the command line, on the simulated company that all commands share."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from click.testing import Result

if TYPE_CHECKING:
    from tests.commands.conftest import Shop

Keepwell = Callable[..., Result]
PARTS = ("first_purchase", "repeats", "cross_sell", "service_savings", "referral", "price_premium")


@pytest.fixture
def customers(shop: Shop, keepwell: Keepwell, tmp_path: Path) -> pl.DataFrame:
    out = tmp_path / "lifetimes.parquet"
    told = keepwell("lifetime", shop.scores, "--data", shop.data, "--out", out)
    assert told.exit_code == 0, told.output
    return pl.read_parquet(out)


def test_the_parts_add_up_to_the_whole_of_every_customer(customers: pl.DataFrame) -> None:
    whole = customers.select(pl.sum_horizontal(PARTS)).to_series()
    np.testing.assert_allclose(whole, customers["whole_value"], rtol=1e-9, atol=1e-6)
    assert all(customers[part].abs().sum() > 0 for part in PARTS), "the simulated company has all six"


def test_historical_current_and_lifetime_value_stand_apart(shop: Shop, customers: pl.DataFrame) -> None:
    scores = pl.read_parquet(shop.scores)
    assert customers["customer_id"].to_list() == scores["customer_id"].to_list()
    for name in ("current_value", "potential_value", "lifetime_value"):
        np.testing.assert_array_equal(customers[name], scores[name])
    sales, people = (pl.read_parquet(shop.data / f"{name}.parquet") for name in ("transactions", "customers"))
    spent = sales.group_by("customer_id").agg(pl.col("amount").sum()).join(people, on="customer_id")
    both = customers.join(spent.drop_nulls("acquisition_cost"), on="customer_id")
    assert both.height > 100
    np.testing.assert_allclose(both["historical_value"], both["amount"] - both["acquisition_cost"], atol=1e-6)


def test_an_interval_has_two_ends_in_order(customers: pl.DataFrame) -> None:
    assert (customers["lifetime_low"] <= customers["lifetime_high"]).all()
    assert customers.filter(pl.col("lifetime_high") > 0).height > 50


def test_each_lever_is_told_beside_things_as_they_are(shop: Shop, keepwell: Keepwell) -> None:
    levers = ("retention=0.1", "discount_rate=0.3", "margin=0.5")
    words = [word for lever in levers for word in ("--what-if", lever)]
    told = json.loads(keepwell("lifetime", shop.scores, *words, "--json").stdout)
    found = told["what_if"]
    assert found["today"] == pytest.approx(told["equity"]["lifetime_value"])
    assert found["margin"] == pytest.approx(found["today"] / 2)
    assert found["discount_rate"] < found["today"] < found["retention"]
    shown = keepwell("lifetime", shop.scores, *words).stdout
    assert "retention 0.1" in shown
    assert f"{found['retention'] - found['today']:+,.0f}" in shown


@pytest.mark.parametrize("column", ["brand", "category"])
def test_spend_switches_within_our_shop(shop: Shop, keepwell: Keepwell, column: str) -> None:
    asked = ("lifetime", shop.scores, "--data", shop.data, "--switching", column)
    told = json.loads(keepwell(*asked, "--json").stdout)["switching"]
    assert told["scope"] == "within our shop"
    for name in ("share", "share_in_a_year"):
        assert sum(brand[name] for brand in told["brands"]) == pytest.approx(1)
    shares = [brand["share"] for brand in told["brands"]]
    assert shares == sorted(shares, reverse=True)
    assert f"{column} (within our shop)" in keepwell(*asked).stdout


def test_what_stands_in_for_missing_facts_is_said(shop: Shop, keepwell: Keepwell, tmp_path: Path) -> None:
    sales = pl.read_parquet(shop.data / "transactions.parquet")
    plain = tmp_path / "plain"
    plain.mkdir()
    sales.select("customer_id", "ordered_at", "amount").write_parquet(plain / "transactions.parquet")
    told = keepwell("lifetime", shop.scores, "--data", plain)
    assert told.exit_code == 0, told.output
    for note in (
        "no acquisition_cost is known: 0 stands in for all",
        "no service_cost is known: 0 stands in for all",
        "cross_sell is 0: there is no column category",
        "price_premium is 0: there is no column list_amount",
        "referral is 0: there is no column referred_by",
    ):
        assert f"note: {note}" in told.stdout


def test_what_cannot_be_answered_is_refused_in_words(shop: Shop, keepwell: Keepwell, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "transactions.csv").write_text("customer_id,ordered_at,amount\nz,2025-01-01,5\n")
    refusals = {
        "there is no lever 'luck'": ["--what-if", "luck=1"],
        "margin must lie between 0 and 1, found 2": ["--what-if", "margin=2"],
        "is no lever with a number": ["--what-if", "margin"],
        "--switching reads sales, and there is no --data": ["--switching", "brand"],
        "is no customer of": ["--data", other],
        "holds the scores, which are read": ["--out", shop.scores],
    }
    for message, words in refusals.items():
        refused = keepwell("lifetime", shop.scores, *words)
        assert refused.exit_code != 0
        assert message in refused.stderr
