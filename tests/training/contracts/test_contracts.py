"""Contracts that end: labels, panel, procedure, scores."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.contracts import simulate_contracts
from features.asof import day_date, day_number
from features.checks.check import check_report
from features.company import Company
from features.contracts import RUNNING, contract_names, contract_panel, leaves_by_contract, require_contracts, running_plans
from features.reading.assemble import assemble
from features.reading.sources import read_company
from keepwell.errors import HistoryError
from serving.batch.contracts import contract_scoring_panel, score_contracts
from training.contracts.data import ContractData, contract_data
from training.contracts.labels import contract_labels
from training.contracts.procedure import RECIPE, fit_contracts, out_of_time
from training.flat.model import FlatScorer
from training.run import known_until

AS_OF, HORIZON, UNTIL = date(2025, 10, 1), 90, date(2026, 1, 1)


def contracts(*rows: tuple[object, ...], **columns: list[object]) -> Company:
    """Contracts (customer, start, end, plan, price)."""
    schema = {"customer_id": pl.String, "started_at": pl.Date, "ended_at": pl.Date, "plan": pl.String, "price": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row").with_columns(pl.Series(name, each) for name, each in columns.items())
    return assemble({"subscriptions": frame}, key="contracts")


def left(
    company: Company, as_of: date = AS_OF, horizon: int = HORIZON, known: date = UNTIL
) -> dict[str, tuple[bool, float | None]]:
    rows = contract_labels(company, [as_of], horizon, known).drop("as_of").rows()
    return {customer: (churned, value if value is None else round(value, 2)) for customer, churned, value in rows}


START, MONTH = date(2025, 1, 1), 365.25 / 12


def test_a_contract_that_ends_in_the_horizon_is_churn_unless_another_follows_by_the_next_day() -> None:
    end = date(2025, 11, 1)
    company = contracts(
        ("stays", START, None, "a", 10.0),
        ("leaves", START, end, "a", 10.0),
        ("changes", START, end, "a", 10.0),
        ("changes", end + timedelta(days=1), None, "b", 20.0),
        ("returns", START, end, "a", 10.0),
        ("returns", end + timedelta(days=2), None, "a", 10.0),
        ("left", START, AS_OF - timedelta(days=1), "a", 10.0),
        ("later", AS_OF, None, "a", 10.0),
        ("overlaps", START, end, "a", 10.0),
        ("overlaps", date(2025, 5, 1), None, "b", 5.0),
    )
    found = left(company)
    assert {customer: churned for customer, (churned, _) in found.items()} == {
        "stays": False,
        "leaves": True,
        "changes": False,
        "returns": True,
        "overlaps": False,
    }
    assert found["stays"][1] == round(10 * 90 / MONTH, 2)
    assert found["leaves"][1] == round(10 * 31 / MONTH, 2)
    assert found["changes"][1] == round((10 * 31 + 20 * 58) / MONTH, 2)


def test_an_end_on_the_day_itself_has_not_come_and_one_on_the_last_day_is_beyond_the_horizon() -> None:
    company = contracts(
        ("today", START, AS_OF, "a", 10.0),
        ("edge", START, AS_OF + timedelta(days=HORIZON), "a", 10.0),
        ("last", START, AS_OF + timedelta(days=HORIZON - 1), "a", None),
    )
    assert left(company, known=UNTIL) == {
        "today": (True, 0.0),
        "edge": (False, round(10 * 90 / MONTH, 2)),
        "last": (True, None),
    }


def test_an_end_that_is_not_known_yet_is_no_end() -> None:
    company = contracts(("a", START, date(2025, 9, 1), "a", 1.0))
    assert left(company, as_of=date(2025, 6, 1), horizon=60, known=date(2025, 8, 1)) == {"a": (False, round(60 / MONTH, 2))}
    with pytest.raises(HistoryError, match="the 90 days from 2025-06-01 end after 2025-08-01"):
        contract_labels(company, [date(2025, 6, 1)], 90, date(2025, 8, 1))


days = st.integers(0, 400)
terms = st.lists(st.tuples(st.sampled_from("ab"), days, st.one_of(st.none(), st.integers(-5, 300))), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(rows=terms, horizons=st.tuples(st.integers(1, 200), st.integers(1, 200)))
def test_churn_never_falls_with_the_horizon(rows: list[tuple[str, int, int | None]], horizons: tuple[int, int]) -> None:
    began = date(2024, 1, 1)
    made = [
        (who, began + timedelta(days=start), None if term is None else began + timedelta(days=start + term), "p", 1.0)
        for who, start, term in rows
    ]
    shorter, longer = sorted(horizons)
    company, until = contracts(*made), date(2026, 6, 1)
    short, long = (left(company, date(2024, 8, 1), each, until) for each in (shorter, longer))
    assert short.keys() == long.keys()
    assert all(long[who][0] >= gone for who, (gone, _) in short.items())
    # Whoever has a label is whoever the panel says has a contract that runs.
    panel = contract_panel(company, [date(2024, 8, 1)], (RUNNING,))
    assert set(panel.filter(pl.col(RUNNING) > 0)["customer_id"]) == set(short)


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("contracts")
    simulate_contracts(folder, customers=500, months=24, seed=2, until=UNTIL)
    return read_company(folder)


@pytest.fixture(scope="module")
def data(company: Company) -> ContractData:
    return contract_data(known_until(company, AS_OF), HORIZON, AS_OF)


@pytest.fixture(scope="module")
def scorer(data: ContractData) -> FlatScorer:
    return fit_contracts(data, day_number(AS_OF), RECIPE, seed=0)


def test_later_rows_change_nothing(company: Company) -> None:
    names = contract_names(company, [AS_OF])
    whole, known = (contract_panel(each, [AS_OF], names) for each in (company, known_until(company, AS_OF)))
    assert whole.equals(known)
    assert "attr_contract_plan_is_basic" in names


def test_the_plan_is_that_of_the_newest_contract_that_runs() -> None:
    company = contracts(
        ("a", START, None, "old", 1.0), ("a", date(2025, 3, 1), None, "new", 1.0), ("b", START, date(2025, 2, 1), "old", 1.0)
    )
    assert running_plans(company, AS_OF).rows() == [("a", "new")]
    rows = contract_panel(company, [AS_OF], ["attr_contract_plan_is_new", RUNNING]).drop("as_of").rows()
    assert rows == [("a", 1.0, 2.0), ("b", None, 0.0)]


def test_the_scorer_knows_what_leaving_is_and_only_labels_that_had_ended(scorer: FlatScorer) -> None:
    assert (scorer.info.churn, scorer.info.horizon_days) == ("contracts", HORIZON)
    assert scorer.info.labels_until <= AS_OF


def test_learners_are_blended_by_forecasts_of_later_dates(data: ContractData) -> None:
    found = out_of_time(data, day_number(AS_OF), RECIPE, seed=0)
    assert found is not None
    assert np.isfinite(found.log_odds).all()
    np.testing.assert_allclose((1 / (1 + np.exp(-found.log_odds))).mean(), found.churned.mean(), atol=0.01)


@pytest.mark.parametrize(("from_day", "to_day"), [(date(2025, 3, 1), UNTIL), (date.min, date(2025, 3, 1))])
def test_prices_that_were_not_always_written_down_tell_of_the_time_when_they_were(
    company: Company, data: ContractData, from_day: date, to_day: date
) -> None:
    """Learners of one date have values to learn from, those of another have none; or what came since has none."""
    days = np.array([day_date(int(day)) for day in data.day])
    table = replace(data.table, value=np.where((days >= from_day) & (days < to_day), data.table.value, np.nan))
    some = replace(data, table=table)
    found = out_of_time(some, day_number(AS_OF), RECIPE, seed=0)
    assert found is not None
    assert found.amount is None or (len(found.amount) == len(found.churned) and np.isfinite(found.amount[found.paid]).all())
    scorer = fit_contracts(some, day_number(AS_OF), RECIPE, seed=0)
    assert (scorer.amount is None) == (found.amount is None)
    newest = some.part(some.day == day_number(AS_OF)).matrix
    told = np.isfinite(scorer.predict(newest).expected_value)
    assert told.all() if scorer.amount else not told.any()


def test_whose_contract_has_ended_is_lost_and_at_no_risk(company: Company, scorer: FlatScorer) -> None:
    scores = score_contracts(company, scorer, AS_OF, panel=contract_scoring_panel(company, scorer.info, AS_OF))
    lost = scores.filter(pl.col("status") == "lost")
    ended = contract_panel(company, [AS_OF], (RUNNING,)).filter(pl.col(RUNNING) == 0)
    assert lost["customer_id"].to_list() == ended["customer_id"].to_list()
    assert lost["value_at_risk"].to_list() == [0.0] * lost.height
    active = scores.filter(pl.col("status") == "active")
    assert active["reasons"].null_count() == 0
    assert active["expected_value"].min() > 0
    came = contract_labels(company, [AS_OF], HORIZON, UNTIL)["churned"].mean()
    assert abs(active["churn_probability"].mean() - came) < 0.06


def test_too_little_is_refused_in_words(company: Company) -> None:
    few = contracts(("a", START, None, "p", 1.0), ("b", START, date(2025, 8, 1), "p", 1.0))
    assert leaves_by_contract(few)
    with pytest.raises(HistoryError, match="no contract is known before 2024-01-01"):
        require_contracts(few, date(2024, 1, 1), 30)
    with pytest.raises(HistoryError, match="a horizon of 400 days is longer than the history"):
        require_contracts(few, AS_OF, 400)
    with pytest.raises(HistoryError, match=r"of 4 customers and dates .* left: too few to learn from"):
        fit_contracts(contract_data(few, 180, AS_OF), day_number(AS_OF), RECIPE, seed=0)


def test_the_check_counts_contracts_that_run(company: Company) -> None:
    report = check_report(company)
    assert report.trainable
    assert any("with a contract that runs on" in line for line in report.lines())
