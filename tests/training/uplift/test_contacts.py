"""Contacts as experiments: what came after them is looked at alike in both arms, what was known before them alone teaches."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from datasets.simulate import simulate
from features.asof import day_number
from features.company import Company
from features.reading.sources import read_company
from keepwell.errors import ConfigError, DataError, HistoryError
from keepwell.progress import Silent
from training.uplift.contacts import MODERATORS, action_experiment, contact_features, known_contacts, moderators
from training.uplift.outcomes import contact_outcomes
from training.uplift.run import Asked, company_rows, study_company

AS_OF, HORIZON = date(2024, 12, 1), 30
ASKED = Asked(1.0, 0, Silent())
CONTACTS = """customer_id,contacted_at,action,arm,propensity,cost
A,2024-03-10,call,treated,0.5,8.0
B,2024-03-10,call,control,0.5,0
"""
PURCHASES = """customer_id,ordered_at,amount
A,2024-03-01,10.00
B,2024-03-01,10.00
A,2024-03-10,99.00
A,2024-03-11,20.00
A,2024-03-15,-5.00
A,2024-04-09,7.00
A,2024-04-10,50.00
B,2024-04-10,50.00
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """A shop with contacts enough for averages, and too few to tell customers apart."""
    folder = tmp_path_factory.mktemp("companies") / "shop"
    simulate(folder, customers=2_000, months=14, seed=1, until=date(2025, 1, 1))
    return read_company(folder)


@pytest.fixture
def tiny(tmp_path: Path) -> Company:
    """Two contacts on 10 March, whose 30 days are 11 March to 9 April."""
    (tmp_path / "contacts.csv").write_text(CONTACTS)
    (tmp_path / "transactions.csv").write_text(PURCHASES)
    return read_company(tmp_path)


def outcomes(company: Company, as_of: date) -> pl.DataFrame:
    day = day_number(as_of)
    return contact_outcomes(company, company.known_rows("contacts", day), HORIZON, day).sort("customer_id")


def test_only_the_days_after_the_contact_count_to_the_end_of_the_horizon(tiny: Company) -> None:
    came = outcomes(tiny, AS_OF)
    assert came["value"].to_list() == [22.0, 0.0]
    assert came["stayed"].to_list() == [1.0, 0.0]


def test_a_contact_whose_horizon_is_not_over_says_nothing(tiny: Company) -> None:
    assert outcomes(tiny, date(2024, 4, 9)).height == 0
    assert outcomes(tiny, date(2024, 4, 10)).height == 2


def test_nothing_that_is_known_later_changes_an_outcome(shop: Company) -> None:
    early = AS_OF - timedelta(days=90)
    table = shop.tables["transactions"]
    cut = replace(shop, tables={**shop.tables, "transactions": table.filter(pl.col("known_day") < day_number(early))})
    assert outcomes(shop, early).equals(outcomes(cut, early))


def test_outcomes_are_those_that_a_plain_loop_finds(shop: Company) -> None:
    came = outcomes(shop, AS_OF)
    bought = shop.known_rows("transactions", day_number(AS_OF))
    for row in came.sample(20, seed=0).iter_rows(named=True):
        after = pl.col("ordered_day").is_between(row["contacted_day"] + 1, row["contacted_day"] + HORIZON)
        mine = bought.filter((pl.col("customer_id") == row["customer_id"]) & after)
        assert row["value"] == pytest.approx(mine["amount"].sum() / 10 ** shop.scales["transactions.amount"])
        assert row["stayed"] == float((mine["amount"] > 0).any())


def test_features_are_of_what_was_known_before_the_contact(shop: Company) -> None:
    contacts = known_contacts(shop, HORIZON, AS_OF)
    names = ["recency_days", "purchase_days_90d"]
    found = contacts.rows.with_columns(contact_features(shop, contacts.rows, names))
    bought = shop.known_rows("transactions", day_number(AS_OF)).filter(pl.col("amount") > 0)
    for row in found.sample(20, seed=0).iter_rows(named=True):
        before = bought.filter((pl.col("customer_id") == row["customer_id"]) & (pl.col("known_day") < row["contacted_day"]))
        last = before["ordered_day"].max()
        assert row["recency_days"] == (None if last is None else row["contacted_day"] - last)


def test_where_contacts_are_of_many_days_features_are_never_of_a_later_one(
    shop: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts = known_contacts(shop, HORIZON, AS_OF).rows
    exact = contact_features(shop, contacts, ["days_since_first_purchase"]).to_series()
    monkeypatch.setattr("training.uplift.contacts.MOST_DATES", 4)
    coarse = contact_features(shop, contacts, ["days_since_first_purchase"]).to_series()
    assert (coarse <= exact).fill_null(value=True).all()
    assert coarse.drop_nulls().len() > 0


def test_features_by_which_effects_may_differ_are_in_the_catalog_and_known_in_time(shop: Company) -> None:
    names = moderators(shop, known_contacts(shop, HORIZON, AS_OF).rows, AS_OF)
    assert {"recency_days", "spend_365d"} <= set(names)
    assert all(name in MODERATORS or name.startswith("attr_") for name in names)


def test_an_action_is_an_experiment_with_its_cost_and_chances(shop: Company) -> None:
    rows = known_contacts(shop, HORIZON, AS_OF).rows.filter(pl.col("action") == "win_back_call")
    made = action_experiment("win_back_call", rows, "stayed")
    assert made.arms == ("control", "win_back_call")
    assert made.costs.tolist() == [0.0, 8.0]
    assert np.allclose(made.propensity[:, 1], 0.7)
    assert set(made.outcome) <= {0.0, 1.0}


def test_contacts_without_an_arm_are_left_out_and_counted(shop: Company) -> None:
    table = shop.tables["contacts"]
    some = pl.when(pl.int_range(pl.len()) % 4 == 0).then(None).otherwise(pl.col("arm")).alias("arm")
    partly = replace(shop, tables={**shop.tables, "contacts": table.with_columns(some)})
    contacts = known_contacts(partly, HORIZON, AS_OF)
    assert contacts.left_out["have no arm, so nobody was drawn"] > 0
    assert contacts.rows["arm"].null_count() == 0


def test_a_propensity_in_some_rows_alone_is_refused(shop: Company) -> None:
    rows = known_contacts(shop, HORIZON, AS_OF).rows
    some = rows.with_columns(propensity=pl.when(pl.int_range(pl.len()) % 4 > 0).then(pl.col("propensity")))
    with pytest.raises(DataError, match="is missing in some rows of an action"):
        action_experiment("win_back_call", some.filter(pl.col("action") == "win_back_call"), "value")


def test_before_any_outcome_is_known_there_is_nothing_to_learn(shop: Company) -> None:
    with pytest.raises(HistoryError, match=r"can teach: .* have not had 30 days yet"):
        known_contacts(shop, HORIZON, date(2023, 12, 1))


def test_a_company_without_contacts_is_refused(shop: Company) -> None:
    without = {name: table for name, table in shop.tables.items() if name != "contacts"}
    with pytest.raises(DataError, match="contacts: is missing, and an experiment needs it"):
        known_contacts(replace(shop, tables=without), HORIZON, AS_OF)


def test_an_outcome_that_contacts_do_not_have_is_refused(shop: Company) -> None:
    with pytest.raises(ConfigError, match="contacts have no outcome 'clicks'"):
        study_company(shop, AS_OF, ASKED, horizon_days=HORIZON, outcome="clicks", value=1.0, costs={})


def test_few_contacts_tell_averages_and_nobody_apart(shop: Company) -> None:
    studies, _ = study_company(shop, AS_OF, ASKED, horizon_days=HORIZON, outcome="value", value=1.0, costs={"": 2.0})
    assert {"win_back_call"} <= set(studies)
    assert all(each.experiment.costs.tolist() == [0.0, 2.0] for each in studies.values())
    with pytest.raises(HistoryError, match="nothing can be said of single customers"):
        company_rows(shop, AS_OF, studies, 1.0, ASKED)
