"""Whole companies: nothing is drift where nothing changes, and estimates come true where customers change."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import log_loss, roc_auc_score

from datasets.simulate import simulate
from features.asof import day_number
from features.company import Company
from features.reading.sources import read_company
from training.data import training_data
from training.labels import labels
from training.members.trees import TreeSettings
from training.monitor.drift import shifts
from training.monitor.estimate import estimate
from training.monitor.reference import Reference, make_reference, score_columns
from training.monitor.run import scored
from training.monitor.tables import new_words, table_states
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.run import by_date, importance, known_until
from training.scorer import Scorer

TRAINED, UNTIL, HORIZON = date(2025, 7, 1), date(2026, 1, 1), 30
GAPS = (7, 30, 60, 120)
FEW_TREES = TreeSettings(rounds=40)


def watched(folder: Path, customers: int, seed: int) -> tuple[Company, Scorer, Reference]:
    """A simulated company in which nothing changes but the season, and a model of the middle of its last year."""
    simulate(folder, customers=customers, months=24, seed=seed, until=UNTIL)
    company = read_company(folder)
    known = known_until(company, TRAINED)
    data = training_data(known, HORIZON, TRAINED)
    scorer = fit_procedure(data, day_number(TRAINED), Recipe(churn_trees=FEW_TREES, amount_trees=FEW_TREES), seed=0)
    matrices = by_date(data)
    return company, scorer, make_reference(known, matrices, data.names, scorer, importance(scorer, matrices[TRAINED][:300]))


def alarms(company: Company, scorer: Scorer, reference: Reference, as_of: date) -> list[str]:
    """What a look at a date would warn of."""
    known, gap = known_until(company, as_of), (as_of - TRAINED).days
    _, matrix, predictions = scored(known, scorer, as_of)
    columns = dict(zip(scorer.info.feature_names, matrix.T, strict=True))
    moved = [shift.column for shift in shifts(reference, columns, score_columns(predictions), gap) if shift.is_drift]
    troubled = [table.name for table in table_states(known, as_of, reference.rows, TRAINED) if table.troubles]
    return moved + troubled + [words.column for words in new_words(known, as_of, reference.categories) if words.is_trouble]


@pytest.mark.slow
def test_at_most_one_report_in_twenty_raises_a_false_alarm(tmp_path: Path) -> None:
    told = {}
    for seed in range(12):
        company, scorer, reference = watched(tmp_path / str(seed), (300, 800, 1_500)[seed % 3], seed)
        told |= {(seed, gap): alarms(company, scorer, reference, TRAINED + timedelta(days=gap)) for gap in GAPS}
    assert sum(bool(found) for found in told.values()) <= len(told) / 20, {key: found[:3] for key, found in told.items() if found}


@pytest.mark.slow
def test_the_same_companies_raise_an_alarm_when_something_changes(tmp_path: Path) -> None:
    later, as_of = pl.col("ordered_day") >= day_number(TRAINED), TRAINED + timedelta(days=60)
    cheap = pl.when(later).then(pl.col("amount") // 2).otherwise("amount")
    changes = {
        "half the price": lambda table: table.with_columns(amount=cheap),
        "another channel": lambda table: table.with_columns(channel=pl.when(later).then(pl.lit("kiosk")).otherwise("channel")),
        "no more orders": lambda table: table.filter(pl.col("ordered_day") < day_number(as_of) - 8),
        "a third of the customers": lambda table: table.filter(pl.col("customer_id").hash(0) % 3 == 0),
    }
    company, scorer, reference = watched(tmp_path, 1_500, 0)
    for name, change in changes.items():
        other = replace(company, tables={**company.tables, "transactions": change(company.tables["transactions"])})
        assert alarms(other, scorer, reference, as_of), name


@pytest.mark.slow
def test_estimates_come_true_within_three_points_when_other_customers_come(tmp_path: Path) -> None:
    missed = []
    for seed in range(4):
        company, scorer, _ = watched(tmp_path / str(seed), 2_500, seed)
        as_of = TRAINED + timedelta(days=60)
        ids, matrix, predictions = scored(known_until(company, as_of), scorer, as_of)
        came = pl.DataFrame({"customer_id": ids}).join(labels(company, [as_of], HORIZON, UNTIL), on="customer_id", how="left")
        churned, p = came["churned"].to_numpy(), predictions.churn_probability
        names = scorer.info.feature_names
        bought, spent = (matrix[:, names.index(name)] for name in ("purchase_days_all", "spend_365d"))
        for kept in (bought < 5, spent > np.median(spent), np.ones(len(p), dtype=bool)):
            found = estimate(p[kept], predictions.value_if_active[kept])
            came_true = roc_auc_score(churned[kept], p[kept]), log_loss(churned[kept], p[kept])
            missed.append(np.abs(np.array([found.auc.value, found.log_loss]) - came_true))
    assert (np.mean(missed, axis=0) < 0.02).all()
    assert np.mean(np.array(missed)[:, 0] < 0.03) >= 0.9
