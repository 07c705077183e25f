"""What may teach: the columns of the panel that models learn from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from features.company import Company
from tests.training.conftest import AS_OF, HORIZON
from training.data import training_data


def with_plans(shop: Company, status: str, **columns: pl.Expr) -> Company:
    """The shop with an attribute `plan`, which a third of its customers have as gold."""
    plan = pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("gold")).otherwise(pl.lit("basic"))
    customers = shop.tables["customers"].with_columns(plan=plan, **columns)
    return replace(shop, tables={**shop.tables, "customers": customers}, attributes={"plan": status})


@pytest.mark.parametrize(("status", "learned"), [("static", ["attr_plan_is_basic", "attr_plan_is_gold"]), ("snapshot", [])])
def test_an_attribute_teaches_when_it_never_changes_and_not_when_it_is_of_the_day_of_the_export(
    shop: Company, status: str, learned: list[str]
) -> None:
    data = training_data(with_plans(shop, status), HORIZON, AS_OF)
    assert [name for name in data.names if name.startswith("attr_")] == learned
    assert data.matrix.shape == (len(data), len(data.names))
    if learned:
        assert (data.column("attr_plan_is_gold") + data.column("attr_plan_is_basic") == 1).all()


def test_a_dated_attribute_teaches_at_the_dates_after_it_was_known(shop: Company) -> None:
    known_day = int(np.unique(training_data(shop, HORIZON, AS_OF).day)[3])
    company = with_plans(shop, "dated", known_day=pl.lit(known_day, dtype=pl.Int32))
    data = training_data(company, HORIZON, AS_OF)
    known = ~np.isnan(data.column("attr_plan_is_gold"))
    assert (known == (data.day > known_day)).all()
    assert known.any()
    assert not known.all()


def test_a_wallet_of_the_day_of_the_export_does_not_teach(shop: Company) -> None:
    names = training_data(shop, HORIZON, AS_OF).names
    assert "wallet" in shop.tables["customers"].columns
    assert "wallet_share_365d" not in names
    dated = training_data(replace(shop, attributes={"wallet": "static"}), HORIZON, AS_OF)
    assert set(dated.names) - set(names) == {"wallet_share_365d", "attr_wallet"}


def test_the_rows_of_a_sample_are_those_of_the_same_customers_among_all(shop: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = training_data(shop, HORIZON, AS_OF)
    monkeypatch.setattr("training.data.MOST_ROWS", len(whole) // 3)
    sample = training_data(shop, HORIZON, AS_OF)
    assert len(whole) / 5 < len(sample) < len(whole) / 2
    assert set(sample.day) == set(whole.day)
    same = whole.rows(np.isin(whole.customer_id, sample.customer_id))
    for name in ("matrix", "customer_id", "day", "churned", "value"):
        np.testing.assert_array_equal(getattr(sample, name), getattr(same, name))
