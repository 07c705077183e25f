from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from datasets.simulate import simulate
from decisions.decide import OPTIONAL, PREVIOUS
from features.catalog import CATALOG
from features.company import Company
from features.reading.sources import read_company
from serving.batch.decision_inputs import decision_inputs
from serving.plans.policy import read_policy

POLICY = read_policy()
AS_OF = date(2025, 7, 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("company")
    simulate(path, customers=800, months=24, seed=3, until=date(2026, 1, 1))
    return path


def customers_of(company: Company) -> pl.Series:
    return company.tables["transactions"]["customer_id"].unique().sort()


def test_every_fact_of_a_simulated_company_is_there_for_every_customer(folder):
    company = read_company(folder)
    ids = customers_of(company)
    columns = decision_inputs(company, ids, AS_OF, POLICY)
    assert {"wallet", "service_cost", "kind", "consent", "days_to_birthday", "next_category"} <= set(columns)
    assert {f"days_since_action_{action.name}" for action in POLICY.actions} <= set(columns)
    assert {column.shape for column in columns.values()} == {(len(ids),)}


def test_money_is_in_currency_units_and_each_fact_belongs_to_its_customer(folder):
    ids = customers_of(read_company(folder))
    columns = decision_inputs(read_company(folder), ids, AS_OF, POLICY)
    raw = pl.read_parquet(folder / "customers.parquet").filter(pl.col("customer_id").is_in(ids.implode())).sort("customer_id")
    np.testing.assert_allclose(columns["wallet"], raw["wallet"].to_numpy())
    np.testing.assert_allclose(columns["service_cost"], raw["service_cost"].to_numpy())
    assert [bool(each) for each in columns["consent"]] == raw["consent"].to_list()


def test_what_happens_at_or_after_the_day_changes_nothing(folder, tmp_path):
    """The law of time: the same columns come out of a log that was cut at `as_of`."""
    whole, ids = read_company(folder), customers_of(read_company(folder))
    for name, column in (("transactions", "ordered_at"), ("contacts", "contacted_at")):
        rows = pl.read_parquet(folder / f"{name}.parquet")
        cut = rows.filter(pl.col(column) < (datetime(2025, 7, 1) if rows[column].dtype == pl.Datetime else AS_OF))
        cut.write_parquet(tmp_path / f"{name}.parquet")
    for name in ("customers.parquet", "company.yaml"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    expected = decision_inputs(read_company(tmp_path), ids, AS_OF, POLICY)
    for name, column in decision_inputs(whole, ids, AS_OF, POLICY).items():
        np.testing.assert_array_equal(column, expected[name], err_msg=name)


def test_only_the_treated_were_contacted(folder, tmp_path):
    pl.DataFrame({"customer_id": ["a", "b", "c"], "ordered_at": [date(2025, 1, 1)] * 3, "amount": [1.0, 2.0, 3.0]}).write_parquet(
        tmp_path / "transactions.parquet"
    )
    pl.DataFrame(
        {
            "customer_id": ["a", "b", "c"],
            "contacted_at": [AS_OF - timedelta(days=9)] * 3,
            "action": ["win_back_call"] * 3,
            "arm": ["treated", "control", None],
        }
    ).write_parquet(tmp_path / "contacts.parquet")
    columns = decision_inputs(read_company(tmp_path), pl.Series(["a", "b", "c"]), AS_OF, POLICY)
    np.testing.assert_array_equal(columns["days_since_action_win_back_call"], [9, np.nan, 9])


def test_what_decisions_read_is_a_feature_or_a_fact_made_here(folder):
    company = read_company(folder)
    made = decision_inputs(company, customers_of(company), AS_OF, POLICY)
    unknown = set(OPTIONAL) - set(CATALOG) - set(made)
    assert unknown == {"no_alternative", *PREVIOUS.values()}, "an attribute that this company lacks, and the last scoring"


@pytest.mark.parametrize("category", [None, "tea"])
def test_one_category_or_none_leaves_no_next_one(tmp_path, category):
    rows = {"customer_id": ["a", "b"], "ordered_at": [date(2025, 1, 1)] * 2, "amount": [1.0, 2.0]}
    pl.DataFrame(rows | {"category": pl.Series([category] * 2, dtype=pl.String)}).write_parquet(tmp_path / "transactions.parquet")
    columns = decision_inputs(read_company(tmp_path), pl.Series(["a", "b"]), AS_OF, POLICY)
    assert columns["next_category"].tolist() == [None, None]


def test_a_company_of_transactions_alone_has_nothing_to_add(tmp_path):
    rows = pl.DataFrame({"customer_id": ["a"], "ordered_at": [date(2025, 1, 1)], "amount": [1.0]})
    rows.write_parquet(tmp_path / "transactions.parquet")
    assert decision_inputs(read_company(tmp_path), pl.Series(["a"]), AS_OF, POLICY) == {}


def test_who_has_no_other_supplier_is_an_attribute_of_customers(tmp_path):
    rows = pl.DataFrame({"customer_id": ["a", "b", "c"], "ordered_at": [date(2025, 1, 1)] * 3, "amount": [1.0, 2.0, 3.0]})
    rows.write_parquet(tmp_path / "transactions.parquet")
    people = pl.DataFrame({"customer_id": ["a", "b", "c"], "no_alternative": [True, False, None]})
    people.write_parquet(tmp_path / "customers.parquet")
    columns = decision_inputs(read_company(tmp_path), pl.Series(["c", "a", "b"]), AS_OF, POLICY)
    np.testing.assert_array_equal(columns["no_alternative"], [np.nan, 1, 0])
