"""A procedure learns only from what was known at its date, and never fails where there is a purchase."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.reading.sources import read_company
from keepwell.errors import HistoryError
from training.arrays import probability_of
from training.data import TrainingData, training_data
from training.fitting import lifetime_at
from training.procedure import fit_procedure, out_of_time
from training.quantiles import DEFAULT_SPREAD
from training.recipe import Recipe
from training.scorer import Scorer

AS_OF = date(2024, 6, 1)


def small_company(folder: Path, customers: int, days: int, seed: int = 0) -> TrainingData:
    """Customers with one to four purchases in the `days` before AS_OF."""
    random = np.random.default_rng(seed)
    rows = [
        (f"c{customer}", AS_OF - timedelta(int(random.integers(1, days + 1))), float(random.integers(1, 100)))
        for customer in range(customers)
        for _ in range(random.integers(1, 5))
    ]
    pl.DataFrame(rows, schema=["customer_id", "ordered_at", "amount"], orient="row").write_csv(folder / "transactions.csv")
    return training_data(read_company(folder), 30, AS_OF)


def test_labels_that_end_after_the_date_change_nothing(shop_data: TrainingData):
    cut = shop_data.labelled_days[-1]
    later = shop_data.day + shop_data.horizon_days > cut
    scrambled = replace(
        shop_data,
        memo={},
        churned=np.where(later, 1 - shop_data.churned, shop_data.churned),
        value=np.where(later, 999.0, shop_data.value),
    )
    rows = shop_data.at(cut).matrix
    one, two = (fit_procedure(data, cut, Recipe(), seed=0).predict(rows) for data in (shop_data, scrambled))
    assert np.array_equal(one.churn_probability, two.churn_probability)
    assert np.array_equal(one.value_high, two.value_high)


def test_forecasts_out_of_time_are_of_dates_that_no_member_has_seen(shop_data: TrainingData):
    trial = out_of_time(shop_data, shop_data.as_of_day, ("linear", "trees", "lifetime"), Recipe(), seed=0)
    assert trial is not None
    newest = shop_data.labelled_days[-2:]
    assert len(trial.churned) == sum(len(shop_data.at(day)) for day in newest)


def test_the_scorer_says_what_it_learned_from(scorer: Scorer, shop_data: TrainingData):
    info = scorer.info
    assert info.family == "ensemble"
    assert info.feature_names == shop_data.names
    assert info.labels_until <= info.trained_as_of == shop_data.as_of
    assert info.data_until < info.trained_as_of
    assert set(info.edges) == {"recency_days", "frequency", "monetary"}


@pytest.mark.parametrize(("customers", "days"), [(1, 1), (2, 400), (25, 10), (60, 200), (400, 45)])
def test_little_data_leaves_buy_till_you_die_alone_and_forecasts_whole(tmp_path, customers, days):
    data = small_company(tmp_path, customers, days)
    scorer = fit_procedure(data, data.as_of_day, Recipe(), seed=0)
    assert scorer.info.family == "lifetime"
    forecast, explanation = scorer.predict(data.at(data.as_of_day).matrix), scorer.explain(data.at(data.as_of_day).matrix)
    assert len(forecast.churn_probability) == customers
    assert np.isfinite(forecast.expected_value).all()
    assert (forecast.value_low <= forecast.value_high).all()
    assert np.isfinite(explanation.churn).all()


def test_labels_too_young_to_try_members_still_teach_them(tmp_path):
    """70 days for a horizon of 30: one labelled date, and no earlier one at which members could have been fitted."""
    data = small_company(tmp_path, 1_200, 70)
    assert out_of_time(data, data.as_of_day, ("linear", "trees", "lifetime"), Recipe(), seed=0) is None
    scorer = fit_procedure(data, data.as_of_day, Recipe(), seed=0)
    assert (scorer.info.family, scorer.churn.weights) == ("ensemble", pytest.approx((1 / 3,) * 3))
    forecast = scorer.predict(data.at(data.as_of_day).matrix)
    lifetime = lifetime_at(data, data.as_of_day).churn_logit(data.at(data.as_of_day).matrix)
    assert forecast.churn_probability.mean() == pytest.approx(probability_of(lifetime + scorer.churn.shift).mean(), abs=1e-6)
    assert scorer.spread != DEFAULT_SPREAD


def test_all_alike_is_no_reason_to_fail(tmp_path):
    """Everyone buys every week: nobody churns, and no member can learn the difference."""
    rows = [(f"c{i}", AS_OF - timedelta(7 * week + 1), 10.0) for i in range(50) for week in range(40)]
    pl.DataFrame(rows, schema=["customer_id", "ordered_at", "amount"], orient="row").write_csv(tmp_path / "transactions.csv")
    data = training_data(read_company(tmp_path), 30, AS_OF)
    forecast = fit_procedure(data, data.as_of_day, Recipe(), seed=0).predict(data.at(data.as_of_day).matrix)
    assert (forecast.churn_probability < 0.1).all()


def test_without_a_purchase_before_as_of_there_is_a_history_error(tmp_path):
    rows = [("a", AS_OF, 5.0)]
    pl.DataFrame(rows, schema=["customer_id", "ordered_at", "amount"], orient="row").write_csv(tmp_path / "transactions.csv")
    with pytest.raises(HistoryError, match="no purchase is known before 2024-06-01"):
        training_data(read_company(tmp_path), 30, AS_OF)
