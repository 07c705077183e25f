"""A model of a flat table, watched: features of everybody, scores of those from whom it has not learned."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from datasets.contracts import simulate_flat
from features.company import Company
from features.reading.sources import read_company
from keepwell.errors import ModelError
from training.flat.run import train_flat
from training.loading import Predictor
from training.monitor.report import DRIFT, FINE, MonitorReport
from training.monitor.run import monitor
from training.registry import Registry

LABELLED, NEXT_DAY, LATER = date(2026, 1, 1), date(2026, 1, 2), date(2026, 2, 1)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("bank")
    simulate_flat(folder, customers=1200, seed=5, as_of=LABELLED)
    return read_company(folder)


@pytest.fixture(scope="module")
def registry(bank: Company, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    home = tmp_path_factory.mktemp("home")
    made = Registry(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")
    train_flat(bank, trials=0, seed=0, registry=made)
    return made


@pytest.fixture(scope="module")
def scorer(bank: Company, registry: Registry) -> Predictor:
    return registry.champion(bank.key, 0)


def with_customers(bank: Company, customers: pl.DataFrame) -> Company:
    return replace(bank, tables={**bank.tables, "customers": customers})


def learned(bank: Company) -> pl.Expr:
    return pl.col("customer_id").is_in(bank.tables["labels"]["customer_id"].implode())


def test_the_table_that_was_learned_from_has_not_moved(bank: Company, registry: Registry, scorer: Predictor) -> None:
    found = monitor(bank, scorer, NEXT_DAY, registry=registry)
    assert found.status == FINE
    assert {shift.column for shift in found.shifts} >= {*scorer.info.feature_names, "churn_probability"}
    new = bank.tables["customers"].filter(~learned(bank)).height
    assert found.estimate.customers == new
    assert f"scores and AUC are of the {new:,} customers from whom the model has not learned" in found.said()
    assert found.auc_loss is not None
    assert found.tables == found.promises == ()


def test_customers_of_another_kind_are_drift(bank: Company, registry: Registry, scorer: Predictor) -> None:
    moved = bank.tables["customers"].with_columns(visits=pl.col("visits") * 3 + 4)
    found = monitor(with_customers(bank, moved), scorer, LATER, registry=registry)
    assert found.status != FINE
    assert "attr_visits" in {shift.column for shift in found.drifted}


def test_a_column_that_is_gone_is_missing_for_everybody(bank: Company, registry: Registry, scorer: Predictor) -> None:
    found: MonitorReport = monitor(
        with_customers(bank, bank.tables["customers"].with_columns(visits=None)), scorer, LATER, registry=registry
    )
    assert found.status == DRIFT or found.broken_promises()
    assert any(shift.column == "attr_visits" and shift.measure == "missing share" for shift in found.drifted)


def test_scores_of_customers_that_it_learned_from_are_not_judged(bank: Company, registry: Registry, scorer: Predictor) -> None:
    known = with_customers(bank, bank.tables["customers"].filter(learned(bank)))
    found = monitor(known, scorer, NEXT_DAY, registry=registry)
    assert found.auc_loss is None
    assert found.scores == ()
    assert {shift.column for shift in found.shifts} == {*scorer.info.feature_names}
    assert any("fewer than 100 customers are new to the model" in said for said in found.said())


def test_a_day_before_the_labels_is_refused(bank: Company, registry: Registry, scorer: Predictor) -> None:
    with pytest.raises(ModelError, match="trained as of 2026-01-02"):
        monitor(bank, scorer, LABELLED, registry=registry)


def test_a_page_is_told(bank: Company, registry: Registry, scorer: Predictor) -> None:
    from training.card.document import to_html  # pictures take a second that the others need not pay

    page = to_html(monitor(bank, scorer, NEXT_DAY, registry=registry).page())
    assert "from whom the model has not learned" in page
