"""The rows of a plan: what a reader sees of each choice, and why it was made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from decisions.columns import Bools, Columns, Floats, Ints, Texts, number
from decisions.plans.alternatives import Alternatives, alternatives
from decisions.plans.limits import Limits
from decisions.policy import Policy

TREATED, CONTROL = "treated", "control"


@dataclass(frozen=True)
class Chosen:
    """Who gets what: the customers at `rows` (n,) of `columns` the actions at the places `action` (n,) of the catalogue.

    `control` (n,) tells who is left alone. `net` (n, actions) is what each action would be worth for them, `prices` (limits,)
    what the limits are worth, and `bases` (actions,) what the expected effects rest on.
    """

    columns: Columns
    rows: Ints
    action: Ints
    control: Bools
    net: Floats
    limits: Limits
    prices: Floats
    bases: Texts

    @property
    def worth(self) -> Floats:
        """What each chosen action would be worth, controls included, shape (n,)."""
        return np.asarray(self.net[np.arange(len(self.rows)), self.action])

    def number(self, name: str) -> Floats:
        """A column of the chosen customers, shape (n,)."""
        return number(self.columns, name, int(np.shape(self.columns["churn_probability"])[0]))[self.rows]


def plan_rows(chosen: Chosen, policy: Policy) -> dict[str, npt.NDArray[np.generic]]:
    """The columns of the plan, as `decisions.plans.plan.Plan` tells them; one entry per chosen customer, in their order."""

    def said(field: str) -> Texts:
        return np.array([getattr(action, field) for action in policy.actions], dtype=object)[chosen.action]

    others = alternatives(chosen.net, chosen.action, chosen.limits, chosen.prices, policy)
    return {
        "customer_id": np.asarray(chosen.columns["customer_id"])[chosen.rows],
        "action": said("name"),
        "title": said("title"),
        "channel": said("channel"),
        "bond": said("bond"),
        "arm": np.where(chosen.control, CONTROL, TREATED).astype(object),
        "propensity": 1 - said("control").astype(np.float64),
        "cost": np.where(chosen.control, 0.0, said("cost").astype(np.float64)),
        "expected_net_value": np.where(chosen.control, 0.0, chosen.worth),
        "runner_up": others.runner_up,
        "runner_up_net_value": others.runner_up_net_value,
        "binding_constraint": others.binding_constraint,
        "evidence": chosen.bases[chosen.action],
        "churn_probability": chosen.number("churn_probability"),
        "value_at_risk": chosen.number("value_at_risk"),
        "reason": _reasons(chosen, policy, others),
        "priority": np.arange(1, len(chosen.rows) + 1),
    }


def _reasons(chosen: Chosen, policy: Policy, others: Alternatives) -> Texts:
    """Plain sentences: what the action answers, what is at stake, what it is expected to bring, and what else there was."""
    names = ("horizon_days", "churn_probability", "value_at_risk")
    figures = zip(*(chosen.number(name).tolist() for name in names), chosen.worth.tolist(), strict=True)
    costs, whys = [action.cost for action in policy.actions], [action.why for action in policy.actions]
    control = np.where(chosen.control, " Left alone as a control, to measure what the action brings.", "").tolist()
    return np.array(
        [
            f"{whys[place]}. The chance that they stay away for {days:.0f} days is {churn:.0%}, which puts {at_risk:,.2f} at "
            f"risk; after its cost of {costs[place]:,.2f} the action is expected to bring {net:,.2f}.{more}{alone}"
            for place, (days, churn, at_risk, net), more, alone in zip(
                chosen.action.tolist(), figures, others.words, control, strict=True
            )
        ],
        dtype=object,
    )
