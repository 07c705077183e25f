"""What came since a date, as it is known at a later one."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest

from datasets.contracts import simulate_contracts
from features.asof import day_number
from features.company import Company
from features.reading.sources import read_company
from tests.training.conftest import AS_OF, HORIZON
from training.contracts.labels import contract_labels
from training.labels import labels
from training.run import known_until
from training.since import came_since, newcomers, value_after

SINCE = AS_OF - timedelta(days=HORIZON)


@pytest.fixture(scope="module")
def telco(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("telco") / "telco"
    simulate_contracts(folder, customers=200, months=14, seed=1, until=date(2025, 1, 1))
    return read_company(folder)


def at(company: Company, day: date, ids: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": ids, "contacted_day": pl.Series([day_number(day)] * len(ids), dtype=pl.Int32)})


def test_what_came_is_what_labels_say_and_nothing_before_the_horizon_is_over(shop: Company) -> None:
    came, truth = came_since(shop, SINCE, HORIZON, AS_OF), labels(shop, [SINCE], HORIZON, AS_OF)
    assert came is not None
    assert came["customer_id"].to_list() == truth["customer_id"].to_list()
    assert came["value"].to_list() == truth["value"].to_list()
    assert came["churned"].sum() == truth["churned"].sum()
    assert came_since(shop, SINCE, HORIZON, AS_OF - timedelta(days=1)) is None


def test_value_begins_on_the_day_after_the_contact_and_ends_before_until(shop: Company) -> None:
    truth = labels(shop, [SINCE], HORIZON, AS_OF)
    from_the_day = value_after(shop, at(shop, SINCE - timedelta(days=1), truth["customer_id"]), AS_OF)
    assert from_the_day.to_list() == pytest.approx(truth["value"].to_list())
    next_day = labels(shop, [SINCE + timedelta(days=1)], HORIZON - 1, AS_OF)
    known = next_day.filter(pl.col("customer_id").is_in(truth["customer_id"].implode()))
    on_the_day = value_after(shop, at(shop, SINCE, known["customer_id"]), AS_OF)
    assert on_the_day.to_list() == pytest.approx(known["value"].to_list())


def test_nothing_known_later_changes_what_came(shop: Company) -> None:
    known = known_until(shop, AS_OF)
    asked = at(shop, SINCE, labels(shop, [SINCE], HORIZON, AS_OF)["customer_id"])
    assert value_after(known, asked, AS_OF).equals(value_after(shop, asked, AS_OF))
    assert newcomers(known, SINCE, AS_OF).equals(newcomers(shop, SINCE, AS_OF))


def test_a_stranger_and_a_customer_without_purchases_bring_nothing(shop: Company) -> None:
    assert value_after(shop, at(shop, SINCE, pl.Series(["nobody"])), AS_OF).to_list() == [0.0]


def test_newcomers_are_the_customers_of_the_end_who_were_none_at_the_beginning(shop: Company) -> None:
    before, after = (labels(shop, [day], 1, AS_OF + timedelta(days=1)) for day in (SINCE, AS_OF))
    new = newcomers(shop, SINCE, AS_OF)
    assert set(new["customer_id"]) == set(after["customer_id"]) - set(before["customer_id"])
    assert new["value"].min() > 0  # type: ignore[operator]  # they became customers by a purchase, and none was refunded whole


def test_contracts_bring_their_price_for_the_days_they_run(telco: Company) -> None:
    since, until = date(2024, 10, 1), date(2024, 12, 1)
    truth = contract_labels(telco, [since], 61, until)
    value = value_after(telco, at(telco, since - timedelta(days=1), truth["customer_id"]), until)
    assert value.to_list() == pytest.approx(truth["value"].to_list())
    new = newcomers(telco, since, until)
    begun = telco.tables["subscriptions"].group_by("customer_id").agg(pl.col("started_day").min())
    first = begun.filter(pl.col("started_day").is_between(day_number(since), day_number(until) - 1))
    assert set(new["customer_id"]) == set(first["customer_id"])


def test_a_purchase_that_was_corrected_before_until_counts_as_corrected(shop: Company) -> None:
    table = shop.tables["transactions"]
    row = table.filter(pl.col("ordered_day") == day_number(SINCE) + 3, pl.col("amount") > 0).head(1)
    later = day_number(SINCE) + 5
    both = pl.concat(
        [
            table.join(row, on=table.columns, how="anti", nulls_equal=True),
            row.with_columns(superseded_day=pl.lit(later, pl.Int32)),
            row.with_columns(amount=pl.col("amount") * 2, known_day=pl.lit(later, pl.Int32)),
        ]
    )
    corrected = replace(shop, tables={**shop.tables, "transactions": both})
    asked = at(shop, SINCE, row["customer_id"])
    doubled = float(row["amount"][0]) / 10 ** shop.scales["transactions.amount"]
    worth = "cost" not in table.columns or table["cost"].null_count() > 0
    assert worth, "the simulated shop has no costs, so a line is worth its amount"
    assert value_after(corrected, asked, AS_OF)[0] == pytest.approx(value_after(shop, asked, AS_OF)[0] + doubled)
