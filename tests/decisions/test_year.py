"""A year of a simulated company, month by month, as its scores would be: with hysteresis far fewer words go to and fro."""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest

from datasets.simulate import simulate
from decisions.decide import OPTIONAL, PREVIOUS, decide
from decisions.labels import SCHEMES
from features.catalog import CATALOG
from features.panel import build_panel
from features.reading.sources import read_company
from serving.plans.policy import read_policy

POLICY = read_policy()
MONTHS = [date(2025, month, 1) for month in range(1, 13)]
WORDS = [scheme for scheme in PREVIOUS if scheme in SCHEMES]


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, np.ndarray]]:
    """The columns of every month, for those who had bought before it began; the forecast says that things stay as they were."""
    folder = tmp_path_factory.mktemp("company")
    simulate(folder, customers=600, months=36, seed=1, until=date(2026, 1, 1))
    names = tuple(name for name in (*OPTIONAL, "spend_365d", "recency_days", "gap_days_mean") if name in CATALOG)
    panel = build_panel(read_company(folder), MONTHS, tuple(dict.fromkeys(names)))
    known = panel.filter(pl.col("as_of") == MONTHS[0])["customer_id"]
    panel = panel.filter(pl.col("customer_id").is_in(known.implode()))
    return [columns_of(panel.filter(pl.col("as_of") == month)) for month in MONTHS]


def columns_of(rows: pl.DataFrame) -> dict[str, np.ndarray]:
    table = rows.drop("customer_id", "as_of")
    features = {name: table[name].fill_null(float("nan")).to_numpy() for name in table.columns}
    gap = np.nan_to_num(features["gap_days_mean"], nan=60.0)
    churn = 1 / (1 + np.exp(2 - features["recency_days"] / np.maximum(gap, 7)))
    yearly = features["spend_365d"]
    return features | {
        "churn_probability": churn,
        "expected_value": (1 - churn) * yearly / 4,
        "value_if_active": yearly / 4,
        "horizon_days": np.array(90),
    }


def flickers(year: list[dict[str, np.ndarray]], hysteresis: float) -> dict[str, int]:
    """How often a word was left and taken again a month later, by scheme."""
    policy = POLICY.model_copy(update={"hysteresis": hysteresis})
    words: list[dict[str, np.ndarray]] = []
    for month in year:
        before = {PREVIOUS[scheme]: words[-1][scheme] for scheme in WORDS} if words else {}
        words.append(decide({**month, **before}, policy))
    return {
        scheme: sum(
            int(((first[scheme] == third[scheme]) & (first[scheme] != second[scheme])).sum())
            for first, second, third in zip(words, words[1:], words[2:], strict=False)
        )
        for scheme in WORDS
    }


def test_words_go_to_and_fro_far_less_with_hysteresis(year: list[dict[str, np.ndarray]]) -> None:
    strict, held = flickers(year, 0.0), flickers(year, POLICY.hysteresis)
    assert sum(held.values()) < 0.7 * sum(strict.values())
    assert all(held[scheme] <= strict[scheme] for scheme in WORDS)
