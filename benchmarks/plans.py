"""How long a plan of many customers takes, in how much memory, and how near it comes to the best there is.

    python -m benchmarks.plans [CUSTOMERS]

Invented scores, the first ten actions of the default catalogue whose columns are scores, a budget that a fifth of customers would
use up, and scarce calls and visits. Prints one line of JSON: seconds of the plan and of the frontier, the peak memory of the
process, the proven gap to the bound, and how many actions were planned.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from decisions.columns import Columns
from decisions.plans.frontier import frontier
from decisions.plans.plan import plan
from decisions.policy import Policy
from serving.plans.policy import read_policy

ACTIONS = 10


def invented_scores(customers: int, seed: int = 0) -> Columns:
    """Score columns of customers who differ in everything that the catalogue asks for."""
    rng = np.random.default_rng(seed)
    churn, value = rng.beta(1.2, 1.5, customers), rng.lognormal(4, 1.3, customers)
    words = {
        "status": ("new", "active", "lapsing", "lost"),
        "relation": ("relational", "transactional"),
        "lifecycle": ("exploration", "build-up", "stable", "decline"),
        "quadrant": ("gold", "star", "stream", "burden"),
        "account_class": ("core", "key", "promising", "other"),
        "next_category": ("tea", "cups", "books"),
    }
    return {
        "customer_id": np.array([f"C{place:07d}" for place in range(customers)]),
        "churn_probability": churn,
        "expected_value": value * (1 - churn),
        "value_at_risk": value * churn,
        "horizon_days": np.full(customers, 90),
        "value_tier": rng.choice(
            np.array(("VIP", "major", "ordinary", "small"), dtype=object), customers, p=(0.01, 0.04, 0.15, 0.8)
        ),
        **{name: rng.choice(np.array(members, dtype=object), customers) for name, members in words.items()},
    }


def ten_actions(columns: Columns) -> Policy:
    """The default policy with the actions that these columns allow, `ACTIONS` of them."""
    policy = read_policy()
    possible = tuple(action for action in policy.actions if set(action.inputs) <= set(columns))
    return policy.model_copy(update={"actions": possible[:ACTIONS]})


def main(customers: int) -> None:
    """Measure, and print what was measured."""
    columns = invented_scores(customers)
    policy, capacities = ten_actions(columns), {"call": customers // 200, "visit": customers // 2000}
    started = time.perf_counter()
    made = plan(columns, policy, 0.2 * customers, capacities)
    planned = time.perf_counter()
    frontier(columns, policy, capacities)
    told = {
        "customers": customers,
        "actions": len(policy.actions),
        "plan_seconds": planned - started,
        "frontier_seconds": time.perf_counter() - planned,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "gap": made.gap,
        "planned": len(made),
    }
    print(json.dumps(told))  # what it is for


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
