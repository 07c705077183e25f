"""The figures of docs/concepts that need no shop: one customer's spring, and a campaign whose effects are known.

With `scripts/concept_figures.py`, of which this is the part that takes seconds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import compress
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from datasets.experiments import FEATURES, TREATMENTS, SimulatedExperiment, Treatment, simulate_experiment
from features.panel import build_panel
from features.reading.sources import read_company
from training.arrays import Flags, Floats, Ints
from training.uplift.data import Experiment
from training.uplift.model import learn_uplift

Figures = dict[str, Any]


@dataclass(frozen=True)
class Event:
    """What happened on a `day`, and when it became `known`; `figure` is an amount, or how severe a complaint is."""

    what: str
    table: str
    day: date
    figure: int
    known: date | None = None

    @property
    def row(self) -> dict[str, object]:
        """The event as a row of its table."""
        if self.table == "complaints":
            return {"complaint_id": "Q1", "opened_at": self.day, "severity": self.figure}
        return {"ordered_at": self.day, "amount": self.figure}


EVENTS = (
    Event("purchase of 40", "transactions", date(2025, 1, 10), 40),
    Event("purchase of 25", "transactions", date(2025, 2, 20), 25),
    Event("purchase of 60, told late", "transactions", date(2025, 3, 5), 60, date(2025, 4, 8)),
    Event("complaint, severity 2", "complaints", date(2025, 3, 12), 2),
    Event("the same, now severity 4", "complaints", date(2025, 3, 12), 4, date(2025, 4, 15)),
    Event("refund of 25", "transactions", date(2025, 4, 2), -25),
    Event("purchase of 30", "transactions", date(2025, 5, 20), 30),
)
"""One customer's spring, for the page on time; the second row of the complaint takes the place of the first."""

ASKED = ("recency_days", "spend_90d", "refunds_90d", "complaints_open", "complaint_severity_max")
DATES = (date(2025, 4, 1), date(2025, 5, 1), date(2025, 6, 1))


def time_figures() -> Figures:
    """One customer's rows at three dates, and what an export would have said of them that forgets when its rows became known."""
    told = [{"customer_id": "Ann", **event.row, "known_at": event.known} for event in EVENTS]
    forgetful = [{"customer_id": "Ann", **event.row} for event in EVENTS]
    tables = [event.table for event in EVENTS]
    newest = [event.what != "complaint, severity 2" for event in EVENTS]  # such an export has the newest version alone
    return {
        "events": [{"what": each.what, "happened": str(each.day), "known": str(each.known or each.day)} for each in EVENTS],
        "dates": list(map(str, DATES)),
        "known": _features_by_date(zip(tables, told, strict=True)),
        "with_hindsight": _features_by_date(compress(zip(tables, forgetful, strict=True), newest)),
    }


def _features_by_date(rows: Iterable[tuple[str, dict[str, object]]]) -> dict[str, dict[str, float | None]]:
    """The features of the one customer at DATES, from rows with the names of their tables."""
    tables: dict[str, list[dict[str, object]]] = {}
    for table, row in rows:
        tables.setdefault(table, []).append(row)
    with tempfile.TemporaryDirectory() as folder:
        for table, its_rows in tables.items():
            pl.DataFrame(its_rows, infer_schema_length=None).write_csv(Path(folder) / f"{table}.csv")
        panel = build_panel(read_company(Path(folder)), DATES, ASKED)
    return {str(row["as_of"]): {name: row[name] for name in ASKED} for row in panel.to_dicts()}


DRAWN, CHOSEN_SHARE = 30_000, 0.2
"""Customers of the simulated campaign, and the share of as many others that a budget can reach."""

ACTIONS = {
    "call": TREATMENTS["call"],
    "coupon": Treatment(2.0, {"trader": -0.2, "deal_seeker": 0.4, "consumer": -0.1}),
}
"""A call helps everybody who might leave; a coupon keeps deal-seekers alone, and puts others off."""


def uplift_figures() -> Figures:
    """Actions whose gain is truly known: who gains, what each order of choosing earns, and what a control tells."""
    past, others = (simulate_experiment(DRAWN, seed, ACTIONS) for seed in (11, 12))
    call, stayed = past.arms.index("call"), past.revenue > 0
    gain = others.gain[:, call] - others.costs[call]
    return {
        "customers": DRAWN,
        "chosen": int(CHOSEN_SHARE * DRAWN),
        "cost": float(others.costs[call]),
        "risk": [shortened(others.risk[group].mean()) for group in tenths(others.risk)],
        "gain": [shortened(gain[group].mean()) for group in tenths(others.risk)],
        "stayed": {name: shortened(stayed[past.arm == arm].mean()) for name, arm in (("called", call), ("control", 0))},
        "everybody": round(float(gain.sum())),
        "actions": _earned(past, others),
    }


def _earned(past: SimulatedExperiment, others: SimulatedExperiment) -> dict[str, Figures]:
    """What each action gains of the customers chosen by several orders, net of its cost; nobody is chosen for a gain below 0."""
    worth, effect = _usual_quarter(others.matrix), _told_effect(past, others.matrix)
    told = {}
    for arm, action in enumerate(others.arms[1:], start=1):
        gain, cost = others.gain[:, arm] - others.costs[arm], others.costs[arm]
        orders = {
            "risk": others.risk,
            "value": worth,
            "value at risk": others.risk * worth,
            "uplift": effect[:, arm] * worth - cost,
        }
        orders["the truth"] = gain
        chosen = {name: first(key, int(CHOSEN_SHARE * DRAWN)) & (key > 0) for name, key in orders.items()}
        told[action] = {
            name: {"chosen": int(rows.sum()), "gain": round(float(gain[rows].sum()))} for name, rows in chosen.items()
        }
    return told


def _usual_quarter(matrix: Floats) -> Floats:
    """What each customer (n,) spent in a quarter of the last year, on file; a stay is worth as much."""
    return matrix[:, FEATURES.index("spend_365d")] / 4


def _told_effect(past: SimulatedExperiment, matrix: Floats) -> Floats:
    """By how much each arm raises the chance to stay of the customers of `matrix` (n, arms), learned from a past experiment."""
    experiment = Experiment(
        name="stayed",
        arms=past.arms,
        names=FEATURES,
        arm=past.arm,
        propensity=past.propensity,
        outcome=(past.revenue > 0).astype(float),
        matrix=past.matrix,
        customer=np.arange(len(past.arm)),
        worth=_usual_quarter(past.matrix),
        costs=past.costs,
    )
    effect: Floats = learn_uplift(experiment).model.uplift(matrix).effect
    return effect


def first(key: Floats, count: int) -> Flags:
    """Which rows (n,) are the `count` with the highest `key`."""
    chosen = np.zeros(len(key), dtype=bool)
    chosen[np.argsort(-key, kind="stable")[:count]] = True
    return chosen


def tenths(key: Floats) -> list[Ints]:
    """The places of ten groups of equal size, highest `key` first."""
    return np.array_split(np.argsort(-key, kind="stable"), 10)


def shortened(number: float | None) -> float | None:
    """Three digits: what another kind of processor gives, too."""
    return None if number is None else float(f"{number:.3g}")


def rounded(numbers: Iterable[float]) -> list[float]:
    """The same of many numbers."""
    return [float(f"{number:.3g}") for number in numbers]
