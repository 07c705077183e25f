"""What each action of the catalogue would be worth for each customer: who is eligible, and the expected net value."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from decisions.columns import Bools, Columns, Floats, Ints, Texts, number
from decisions.lifetime import geometric_sum, horizon_discount
from decisions.policy import Action, Policy

COOLDOWN_PREFIX = "days_since_action_"


@dataclass(frozen=True)
class Offers:
    """`net` has shape (customers, actions): expected net value, minus infinity where an action is not possible.

    `notes` say, in sentences, which actions or rules could not be applied, and why.
    """

    net: Floats
    notes: tuple[str, ...]


def offers(columns: Columns, policy: Policy) -> Offers:
    """The expected net value of every action for every customer of `columns`.

    The net value is the share of would-be leavers that the action keeps, times what they are worth while kept, plus the lift of
    expected value, less the cost. An action whose condition reads a column that is not there is possible for nobody.
    """
    rows = int(np.shape(columns["churn_probability"])[0])
    worth, expected = kept_worth(columns, policy), np.maximum(number(columns, "expected_value", rows), 0.0)
    net, notes = np.full((rows, len(policy.actions)), -np.inf), list(_general_notes(columns, policy))
    for place, action in enumerate(policy.actions):
        lacking = [name for name in action.condition.names if name not in columns]
        if lacking:
            notes.append(f"{action.name} is left out: there is no column {', '.join(lacking)}")
            continue
        gain = (action.kept.mean if action.kept else 0.0) * worth + (action.lift.mean if action.lift else 0.0) * expected
        possible = eligible(action, columns, policy) & np.isfinite(gain)
        net[possible, place] = gain[possible] - action.cost
    return Offers(net, tuple(notes))


def kept_worth(columns: Columns, policy: Policy) -> Floats:
    """What it is worth to keep the customer, if they would leave otherwise, times the chance that they would.

    The value at risk counts for the next horizon; for the later ones, up to the policy's `plan.value_days`, the customer stays
    each time with the predicted probability, discounted. Never negative: a loss at risk is no gain to keep.
    """
    rows = int(np.shape(columns["churn_probability"])[0])
    horizon = number(columns, "horizon_days", rows)
    stays = (1 - number(columns, "churn_probability", rows)) * horizon_discount(policy.lifetime.discount_rate, horizon)
    horizons = geometric_sum(stays, policy.plan.value_days / horizon)
    return np.maximum(number(columns, "value_at_risk", rows), 0.0) * horizons


def eligible(action: Action, columns: Columns, policy: Policy) -> Bools:
    """Who meets the action's condition, is not in its cooldown, and has consented where that is needed; shape (n,)."""
    rows = int(np.shape(columns["churn_probability"])[0])
    rested = ~(number(columns, COOLDOWN_PREFIX + action.name, rows) < action.cooldown_days)
    allowed = action.condition.holds(columns, rows) & rested
    if action.needs_consent:
        recorded = "consent" in columns
        allowed &= (number(columns, "consent", rows) == 1) if recorded else policy.plan.consent_where_not_recorded
    return np.asarray(allowed)


def _general_notes(columns: Columns, policy: Policy) -> tuple[str, ...]:
    """What holds for many actions at once."""
    notes = []
    if "consent" not in columns and any(action.needs_consent for action in policy.actions):
        taken = "given" if policy.plan.consent_where_not_recorded else "refused"
        notes.append(f"no consent is recorded: it is taken as {taken} (plan.consent_where_not_recorded in the policy)")
    if not any(name.startswith(COOLDOWN_PREFIX) for name in columns):
        notes.append("no past contacts are known: cooldowns are not applied")
    return tuple(notes)


def days_since_actions(
    customer: Ints, day: Ints, action: Texts, *, names: tuple[str, ...], as_of_day: int, customers: int
) -> dict[str, Floats]:
    """For each action of `names`, the days since it was last done for each customer: shape (customers,), NaN for never.

    One entry of the arrays per contact that took place (controls left out): position of the customer, day, action. Only contacts
    before `as_of_day` count.

    >>> who, day, what = np.array([0, 0]), np.array([3, 8]), np.array(["call", "call"])
    >>> days_since_actions(who, day, what, names=("call",), as_of_day=8, customers=2)["days_since_action_call"]
    array([ 5., nan])
    """
    columns = {}
    for name in names:
        done = (action == name) & (day < as_of_day)
        last = np.full(customers, -np.inf)
        np.maximum.at(last, customer[done], day[done])
        columns[COOLDOWN_PREFIX + name] = np.where(np.isfinite(last), as_of_day - last, np.nan)
    return columns


def days_to_birthday(birthday: npt.NDArray[np.datetime64], as_of: date) -> Floats:
    """Days from `as_of` to the next birthday, 0 on the day, NaN where the birthday is not known (NaT).

    Who was born on 29 February has their birthday on 1 March in other years.

    >>> days_to_birthday(np.array(["1990-03-02", "NaT"], dtype="datetime64[D]"), date(2025, 2, 28))
    array([ 2., nan])
    """
    born = birthday.astype("datetime64[D]")
    month = born.astype("datetime64[M]")
    months, days = month.astype(np.int64) % 12, (born - month.astype("datetime64[D]")).astype(np.int64)
    today = np.datetime64(as_of, "D")
    coming = [
        (np.datetime64(str(year), "Y").astype("datetime64[M]") + months).astype("datetime64[D]") + days
        for year in (as_of.year, as_of.year + 1)
    ]
    wait = np.where(coming[0] >= today, coming[0] - today, coming[1] - today).astype(np.float64)
    return np.where(np.isnat(born), np.nan, wait)
