"""What each action of the catalogue would be worth for each customer: who is eligible, and the expected net value."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from decisions.columns import Bools, Columns, Floats, Ints, Texts, number
from decisions.labels import Relation, Status
from decisions.lifetimes.lifetime import geometric_sum, horizon_discount
from decisions.plans.catalogue import Action
from decisions.policy import Policy

COOLDOWN_PREFIX = "days_since_action_"
NO_EFFECTS: Mapping[str, Effect] = {}


@dataclass(frozen=True)
class Effect:
    """What an action is expected to do, and what that rests on.

    `kept`: share of would-be leavers who stay; `lift`: rise of expected value, as a share of it; `gain`: share of the money
    column that the catalogue names. `basis` is said in the plan: "prior", or the evidence, as "1,234 contacts".
    """

    kept: float
    lift: float
    gain: float = 0.0
    basis: str = "prior"


def prior_effect(action: Action) -> Effect:
    """The effect that the catalogue expects of an action before anything came back."""
    kept, lift, gain = (part.mean if part else 0.0 for part in (action.kept, action.lift, action.gain))
    return Effect(kept, lift, gain)


@dataclass(frozen=True)
class Offers:
    """`net` has shape (customers, actions): expected net value, minus infinity where an action is not possible.

    `notes` say, in sentences, which actions or rules could not be applied, and why.
    """

    net: Floats
    notes: tuple[str, ...]


def offers(columns: Columns, policy: Policy, effects: Mapping[str, Effect] = NO_EFFECTS) -> Offers:
    """The expected net value of every action for every customer of `columns`.

    The net value is the share of would-be leavers that the action keeps, times what they are worth while kept, plus the lift of
    expected value, plus the action's share of its money column, less the cost. `effects`, by the name of the action, take the
    place of its priors. An action that needs a column which is not there is possible for nobody.
    """
    rows = int(np.shape(columns["churn_probability"])[0])
    worth, expected = kept_worth(columns, policy), np.maximum(number(columns, "expected_value", rows), 0.0)
    net, notes = np.full((rows, len(policy.actions)), -np.inf), list(_general_notes(columns, policy))
    everyone = allowed_at_all(columns, policy)
    for place, action in enumerate(policy.actions):
        if lacking := [name for name in action.inputs if name not in columns]:
            notes.append(f"{action.name} is left out: there is no column {', '.join(lacking)}")
            continue
        effect = effects.get(action.name) or prior_effect(action)
        gain = effect.kept * worth + effect.lift * expected
        if action.gain:
            gain = gain + effect.gain * np.maximum(number(columns, action.gain.of, rows), 0.0)
        possible = everyone & eligible(action, columns, policy) & np.isfinite(gain)
        net[possible, place] = gain[possible] - action.cost
    return Offers(net, tuple(notes))


def kept_worth(columns: Columns, policy: Policy) -> Floats:
    """What it is worth to keep the customer, if they would leave otherwise, times the chance that they would.

    The value at risk counts for the next horizon; for the later ones, up to the policy's `plan.value_days`, the customer stays
    each time with the predicted probability, or that of `plan.kept_churn_at_most` where this is better, discounted. Never
    negative: a loss at risk is no gain to keep.
    """
    rows = int(np.shape(columns["churn_probability"])[0])
    horizon = number(columns, "horizon_days", rows)
    leaves = np.minimum(number(columns, "churn_probability", rows), policy.plan.kept_churn_at_most)
    stays = (1 - leaves) * horizon_discount(policy.lifetime.discount_rate, horizon)
    horizons = geometric_sum(stays, policy.plan.value_days / horizon)
    return np.maximum(number(columns, "value_at_risk", rows), 0.0) * horizons


def allowed_at_all(columns: Columns, policy: Policy) -> Bools:
    """Who may be in a plan: everybody but those whom the policy leaves alone, shape (n,)."""
    rows = int(np.shape(columns["churn_probability"])[0])
    return ~_named(columns, policy.plan.left_alone, rows)


def eligible(action: Action, columns: Columns, policy: Policy) -> Bools:
    """Who meets the action's condition and every rule that holds for it, shape (n,).

    The rules: cooldown, contact cap, consent, preferred channel, no lost customer unless the action reaches them, no discount for
    deal-seekers, no reduced service for protected customers.
    """
    rows = int(np.shape(columns["churn_probability"])[0])
    allowed = np.array(action.condition.holds(columns, rows))
    for rule in _rules(action, columns, policy, rows):
        allowed &= rule
    return allowed


def _rules(action: Action, columns: Columns, policy: Policy, rows: int) -> Iterator[Bools]:
    """Who each rule of the action allows; a rule that has no say is left out."""
    yield ~(number(columns, COOLDOWN_PREFIX + action.name, rows) < action.cooldown_days)
    if action.contact_cap:
        yield ~(number(columns, contacts_within(action.contact_cap.days), rows) >= action.contact_cap.contacts)
    if action.needs_consent:
        recorded = "consent" in columns
        yield np.broadcast_to(number(columns, "consent", rows) == 1 if recorded else policy.plan.consent_where_not_recorded, rows)
    if action.respects_preference:
        preferred = preferred_channels(columns, policy, rows)
        yield (preferred == action.channel) | (preferred == "")
    if not action.reaches_lost and "status" in columns:
        yield np.asarray(columns["status"]) != str(Status.LOST)
    if action.discount:
        yield np.asarray(columns["relation"]) == str(Relation.RELATIONAL)
    if action.reduces_service:
        yield ~_named(columns, policy.tiers.protected, rows)


def _named(columns: Columns, names: Collection[str], rows: int) -> Bools:
    """Whose id, as text, is among `names`."""
    if not names or "customer_id" not in columns:
        return np.zeros(rows, dtype=bool)
    return np.isin(np.asarray(columns["customer_id"]).astype(str), list(names))


def preferred_channels(columns: Columns, policy: Policy, rows: int) -> Texts:
    """Each customer's preferred channel as the policy calls it; empty where they have none, or one that no action uses."""
    if "preferred_channel" not in columns:
        return np.full(rows, "")
    said, place = np.unique(np.array([str(each or "") for each in columns["preferred_channel"]]), return_inverse=True)
    ours = [policy.plan.channel_words.get(word.strip().lower(), word.strip().lower()) for word in said]
    return np.array([word if word in policy.channels else "" for word in ours])[place]


def _general_notes(columns: Columns, policy: Policy) -> tuple[str, ...]:
    """What holds for many actions at once."""
    notes = []
    if "consent" not in columns and any(action.needs_consent for action in policy.actions):
        taken = "given" if policy.plan.consent_where_not_recorded else "refused"
        notes.append(f"no consent is recorded: it is taken as {taken} (plan.consent_where_not_recorded in the policy)")
    if not any(name.startswith(COOLDOWN_PREFIX) for name in columns):
        notes.append("no past contacts are known: cooldowns and contact caps are not applied")
    if "status" not in columns and not all(action.reaches_lost for action in policy.actions):
        notes.append("there is no column status: lost customers cannot be told from others")
    return tuple(notes)


def contacts_within(days: int) -> str:
    """The column of contacts of any kind in the days before the date.

    >>> contacts_within(30)
    'contacts_within_30_days'
    """
    return f"contacts_within_{days}_days"


def recent_contacts(customer: Ints, day: Ints, *, windows: Collection[int], as_of_day: int, customers: int) -> dict[str, Floats]:
    """For each window in days, how many contacts of any kind each customer had in it: shape (customers,).

    One entry of the arrays per contact that took place, as for `days_since_actions`.

    >>> recent_contacts(np.array([0, 0]), np.array([3, 8]), windows=(5,), as_of_day=9, customers=2)
    {'contacts_within_5_days': array([1., 0.])}
    """
    return {
        contacts_within(days): np.bincount(customer[(day >= as_of_day - days) & (day < as_of_day)], minlength=customers).astype(
            np.float64
        )
        for days in sorted(windows)
    }


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
