"""A simulated experiment: customers of several types, drawn at random for one of several actions, and what these truly do.

What is on file of a customer tells the type, and roughly the risk and the worth; who leaves and what the others spend is chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from datasets.population import Floats, Ints

TYPES = ("trader", "deal_seeker", "consumer")
TYPE_SHARES = (0.1, 0.25, 0.65)
CONTROL_SHARE = 0.25
FEATURES = ("is_trader", "discount_share", "spend_365d", "purchase_days_365d", "recency_days", "complaints_open", "tenure_days")


@dataclass(frozen=True)
class Treatment:
    """What an action costs, and the share of would-be leavers that it keeps, by type; below zero it drives them away."""

    cost: float
    kept_share: Mapping[str, float]


TREATMENTS: Mapping[str, Treatment] = {
    "call": Treatment(8.0, {"trader": 0.4, "deal_seeker": 0.1, "consumer": 0.3}),
    "reward": Treatment(4.0, {"trader": 0.05, "deal_seeker": 0.3, "consumer": 0.15}),
    "reminder": Treatment(0.1, {"trader": 0.04, "deal_seeker": 0.04, "consumer": 0.04}),
}
"""The actions of the simulated shop (`datasets.shop.Effects`), which do more for some types than for others."""


@dataclass(frozen=True)
class SimulatedExperiment:
    """Customers (n,), each drawn for the control (arm 0) or one of the treatments, with what came.

    `matrix` (n, FEATURES) is on file; `propensity` (n, arms) are the chances of the draw; `revenue` (n,) came in the horizon.
    The truth: `kind` (n,) is the place of each customer in TYPES, `risk` (n,) the chance that one of the control leaves, `worth`
    (n,) what comes of one who stays, on average; `gain` (n, arms) is what each arm is expected to bring more than the control,
    before its cost `costs` (arms,).
    """

    arms: tuple[str, ...]
    matrix: Floats
    arm: Ints
    propensity: Floats
    revenue: Floats
    kind: Ints
    risk: Floats
    worth: Floats
    gain: Floats
    costs: Floats


def simulate_experiment(customers: int, seed: int, treatments: Mapping[str, Treatment] = TREATMENTS) -> SimulatedExperiment:
    """Draw customers, their arms and what came; the same arguments give the same arrays."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(len(TYPES), customers, p=TYPE_SHARES)
    matrix, risk, worth = _customers(rng, kind)
    kept = np.array([[0.0] * len(TYPES), *([each.kept_share[name] for name in TYPES] for each in treatments.values())]).T[kind]
    chances = np.array([CONTROL_SHARE, *[(1 - CONTROL_SHARE) / len(treatments)] * len(treatments)])
    arm = rng.choice(len(chances), customers, p=chances)
    leaves = rng.random(customers) < risk * (1 - kept[np.arange(customers), arm])
    spent = worth * rng.gamma(2.0, 0.5, customers)
    return SimulatedExperiment(
        arms=("control", *treatments),
        matrix=matrix,
        arm=arm,
        propensity=np.tile(chances, (customers, 1)),
        revenue=np.where(leaves, 0.0, spent),
        kind=kind,
        risk=risk,
        worth=worth,
        gain=kept * (risk * worth)[:, None],
        costs=np.array([0.0, *(each.cost for each in treatments.values())]),
    )


def _customers(rng: np.random.Generator, kind: Ints) -> tuple[Floats, Floats, Floats]:
    """What is on file (n, FEATURES), the risk of leaving and the revenue of those who stay, (n,) each."""
    n = len(kind)
    purchase_days = 1 + rng.poisson(rng.gamma(2.0, 4.0, n))
    amount = np.where(kind == 0, 160.0, 35.0) * rng.lognormal(0.0, 0.5, n)
    recency = rng.exponential(365 / (purchase_days + 1))
    complaints, tenure = rng.poisson(0.15, n), rng.gamma(2.0, 300.0, n)
    overdue = np.log1p(recency * purchase_days / 365)
    risk = 1 / (1 + np.exp(2.2 - 1.1 * overdue - 1.2 * np.minimum(complaints, 2) + 0.0005 * tenure))
    discount = np.where(kind == 1, rng.beta(6, 6, n), rng.beta(1, 9, n))
    worth = purchase_days * amount / 4 * rng.lognormal(0.0, 0.2, n)
    return (
        np.column_stack([kind == 0, discount, purchase_days * amount, purchase_days, recency, complaints, tenure]).astype(float),
        risk,
        worth,
    )
