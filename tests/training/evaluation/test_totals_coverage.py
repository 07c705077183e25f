"""The interval of a forecast total holds what came about as often as it says: many dates of simulated companies."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from datasets.simulate import simulate
from decisions.reviews.forecast import PastTotal, total_between
from features.asof import day_date
from features.reading.sources import read_company
from training.data import training_data
from training.evaluation.totals import Total, total
from training.fitting import is_enough
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.splits import cut_days

UNTIL = date(2026, 1, 1)
COMPANIES = [(900, 30, 61, 60), (500, 30, 62, 45), (1500, 24, 63, 45), (700, 36, 64, 60)]
"""Customers, months, seed and horizon; none of them was looked at when the prior of shocks was chosen."""


def history(folder: Path, customers: int, months: int, seed: int, horizon_days: int) -> list[Total]:
    """What the procedure would have promised at each date a horizon apart, and what came; the newest first."""
    simulate(folder, customers=customers, months=months, seed=seed, until=UNTIL)
    data = training_data(read_company(folder), horizon_days, UNTIL)
    days = cut_days(data.labelled_days, data.as_of_day, horizon_days, 8)
    found = []
    for day in (day for day in days if is_enough(data.at(day)) and is_enough(data.known_at(day))):
        rows = data.at(day)
        forecast = fit_procedure(data, day, Recipe(), seed=0).predict(rows.matrix)
        found.append(total(day_date(day), forecast.expected_value, rows.value))
    return found


@pytest.mark.slow
def test_the_interval_of_a_total_holds_what_came(tmp_path: Path) -> None:
    held = []
    for customers, months, seed, horizon_days in COMPANIES:
        dates = [PastTotal(**vars(each)) for each in history(tmp_path / str(seed), customers, months, seed, horizon_days)]
        for place, now in enumerate(dates[:-1]):
            bounds = total_between(now.promised, now.customers, dates[place + 1 : place + 5])
            held.append(bounds.low <= now.came <= bounds.high)
    assert len(held) >= 14
    assert np.mean(held) >= 0.85, f"{sum(held)} of {len(held)}"
