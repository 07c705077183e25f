"""What 50,000 past contacts teach is worth nearly as much as to know what actions do: simulated companies of known effects."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from datasets.experiments import FEATURES, TREATMENTS, TYPES, SimulatedExperiment, simulate_experiment
from decisions.plans.actions import Effect
from decisions.plans.evidence import Measured, estimates, posterior
from decisions.plans.plan import plan
from decisions.policy import Policy
from serving.plans.policy import read_policy
from training.uplift.data import Experiment, checked
from training.uplift.effects import arm_effects

PAST, PLANNED, HORIZON_DAYS = 50_000, 20_000, 90
BUDGETS = (2_000.0, 10_000.0, 40_000.0, None)
PRIOR_OF = {"call": "win_back_call", "reward": "loyalty_reward", "reminder": "reminder_email"}
"""The actions of the default catalogue whose priors are taken: what a company would have believed."""
TRUTH = {f"{name}_{kind}": Effect(each.kept_share[kind], 0.0) for name, each in TREATMENTS.items() for kind in TYPES}


def policy() -> Policy:
    """The default policy with one action for each treatment and type, without controls: what is measured is the choice."""
    default = {action.name: action for action in read_policy().actions}
    actions = tuple(
        default[PRIOR_OF[name]].model_copy(
            update={
                "name": f"{name}_{kind}",
                "cost": each.cost,
                "when": f'kind == "{kind}"',
                "control": 0.0,
                "needs_consent": False,
                "discount": False,
                "cooldown_days": 0,
                "contact_cap": None,
            }
        )
        for name, each in TREATMENTS.items()
        for kind in TYPES
    )
    rules = read_policy()
    return rules.model_copy(update={"actions": actions, "plan": rules.plan.model_copy(update={"value_days": HORIZON_DAYS})})


POLICY = policy()


def learned(past: SimulatedExperiment) -> dict[str, Effect]:
    """What the past contacts say of each action, weighed with its prior."""
    found = []
    for action in POLICY.actions:
        name, kind = action.name.split("_", 1)
        place = past.arms.index(name)
        rows = (past.kind == TYPES.index(kind)) & np.isin(past.arm, (0, place))
        treated = (past.arm[rows] == place).astype(np.int64)
        stayed = (past.revenue[rows] > 0).astype(np.float64)
        chances = past.propensity[rows][:, [0, place]]
        [effect] = arm_effects(
            checked(
                Experiment(
                    name=action.name,
                    arms=("control", name),
                    names=(),
                    arm=treated,
                    propensity=chances / chances.sum(axis=1, keepdims=True),
                    outcome=stayed,
                    matrix=np.empty((len(treated), 0)),
                    customer=np.arange(len(treated)),
                    worth=np.ones(len(treated)),
                    costs=np.array([0.0, action.cost]),
                )
            )
        )
        told = (effect.best.value, effect.best.standard_error, 1 - effect.control)
        found += estimates(Measured(action.name, effect.treated, effect.controls, *told, 0.0, 1.0, 1.0), action)
    return posterior(POLICY, found)


def profit(customers: SimulatedExperiment, effects: Mapping[str, Effect], budget: float | None) -> float:
    """What a plan with these effects truly brings, after its costs."""
    columns = {
        "customer_id": np.arange(len(customers.kind)).astype(str),
        "churn_probability": customers.risk,
        "expected_value": (1 - customers.risk) * customers.worth,
        "value_at_risk": customers.risk * customers.worth,
        "horizon_days": np.full(len(customers.kind), HORIZON_DAYS),
        "kind": np.array(TYPES, dtype=object)[customers.kind],
        "status": np.full(len(customers.kind), "lapsing", dtype=object),
    }
    made = plan(columns, POLICY, budget, effects=effects).columns
    who = made["customer_id"].astype(np.int64)
    arm = np.array([customers.arms.index(action.split("_", 1)[0]) for action in made["action"]], dtype=np.int64)
    return float((customers.gain[who, arm] - customers.costs[arm]).sum())


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 9))
def test_50_000_contacts_teach_enough_for_95_percent_of_what_an_oracle_earns_at_any_budget(seed: int) -> None:
    effects, customers = learned(simulate_experiment(PAST, seed)), simulate_experiment(PLANNED, 1000 + seed)
    for budget in BUDGETS:
        best = profit(customers, TRUTH, budget)
        assert profit(customers, effects, budget) >= 0.95 * best, budget
        assert profit(customers, {}, budget) < 0.9 * best, "the priors alone earn less, so there is something to learn"


def test_the_same_arguments_give_the_same_experiment_and_its_arms_are_as_likely_as_it_says() -> None:
    one, same, other = (simulate_experiment(4000, seed) for seed in (3, 3, 4))
    assert one.matrix.shape == (4000, len(FEATURES))
    np.testing.assert_array_equal(one.revenue, same.revenue)
    assert (one.revenue != other.revenue).any()
    np.testing.assert_allclose(np.bincount(one.arm) / 4000, one.propensity[0], atol=0.03)


def test_what_each_arm_brings_is_what_it_was_said_to_bring() -> None:
    made = simulate_experiment(400_000, 7)
    for place in range(1, len(made.arms)):
        for kind in range(len(TYPES)):
            treated, control = ((made.kind == kind) & (made.arm == arm) for arm in (place, 0))
            found = made.revenue[treated].mean() - made.revenue[control].mean()
            spread = np.sqrt(made.revenue[treated].var() / treated.sum() + made.revenue[control].var() / control.sum())
            assert abs(found - made.gain[made.kind == kind, place].mean()) < 4 * spread
