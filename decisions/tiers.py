"""How much customers matter by what they are expected to bring: the pyramid, ABC classes, and classes of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from decisions.bands import bands, cut_above_share, cut_above_sum, per_group
from decisions.columns import Floats, Ints, Texts
from decisions.labels import AbcClass, AccountClass, Tier
from decisions.policy import AbcPolicy, AccountPolicy, TierPolicy
from decisions.verdict import History, Verdict, codes_of, held, sides

FIGURE = "expected value"


def value_tier(values: Floats, policy: TierPolicy, history: History = History(), floors: Ints | None = None) -> Verdict:
    """The pyramid by `values` (expected value).

    Without history a tier holds at most its share of customers, and equal values fall together, to the lower side. `floors` holds
    the position of the lowest tier that each customer may have (the policy's protected ones). A missing or non-positive value is
    small.
    """
    cuts = _share_cuts(values, (policy.vip, policy.major, policy.ordinary), history)
    free = bands(values, cuts, tuple(Tier), history.previous, history.band, figure=FIGURE)
    if floors is None:
        return free

    def reason(row: int) -> str:
        return "protected by the policy" if floors[row] < free.codes[row] else free.why(row)

    return replace(free, codes=np.minimum(free.codes, floors), why=reason)


def protected_floors(customer_ids: Texts | None, protected: Mapping[str, str]) -> Ints | None:
    """The position of the lowest tier of each customer, for `value_tier`; None where nobody is protected."""
    if customer_ids is None or not protected:
        return None
    places = {customer: [*map(str, Tier)].index(tier) for customer, tier in protected.items()}
    return np.array([places.get(str(customer), len(Tier) - 1) for customer in customer_ids.tolist()])


def abc_class(values: Floats, policy: AbcPolicy, history: History = History()) -> Verdict:
    """A: the fewest customers that bring `policy.a` of all positive value; A and B together: `policy.b` of it; then C.

    A negative value is a class of its own. With history it is left, or entered, only at a distance from 0: the band of the cut
    between B and C.
    """
    cuts = [per_group(partial(cut_above_sum, share=share), values, history.groups) for share in (policy.a, policy.b)]
    ranked = bands(values, cuts, tuple(AbcClass)[:3], history.previous, history.band, figure=FIGURE)
    was_loss = sides(history.previous, {AbcClass.NEGATIVE}, values.size)
    edge = was_loss * history.band * cuts[1]
    loss = values < edge

    def reason(row: int) -> str:
        left = was_loss[row] > 0 and not loss[row]
        crossed = f"{FIGURE} {values[row]:,.2f} is {'not ' if left else ''}below {edge[row] + 0.0:,.2f}"
        return crossed if loss[row] or left else ranked.why(row)

    return Verdict(tuple(AbcClass), np.where(loss, 3, ranked.codes), reason)


def account_class(values: Floats, potential: Floats, policy: AccountPolicy, history: History = History()) -> Verdict:
    """Core and key: the highest shares by `values` (expected value); promising: the highest of the rest by `potential` value."""
    ladder = (AccountClass.CORE, AccountClass.KEY, AccountClass.OTHER)
    was = codes_of(tuple(AccountClass), history.previous, values.size)
    above = np.array([*map(str, ladder), str(AccountClass.OTHER), None], dtype=object)[was]  # promising ones were no key accounts
    ranked = bands(values, _share_cuts(values, (policy.core, policy.key), history), ladder, above, history.band, figure=FIGURE)
    rest = np.where(ranked.codes == 2, potential, np.nan)
    bar = per_group(lambda some: cut_above_share(some[~np.isnan(some)], policy.promising), rest, history.groups)
    bar = held(bar, sides(history.previous, {AccountClass.PROMISING}, values.size), history.band)
    codes = np.where(ranked.codes < 2, ranked.codes, np.where((rest > bar) & (rest > 0), 2, 3))

    def reason(row: int) -> str:
        if min(was[row], codes[row]) < 2:
            return ranked.why(row)
        return f"potential value {potential[row]:,.2f} is {'' if codes[row] == 2 else 'not '}above {bar[row]:,.2f}"

    return Verdict(tuple(AccountClass), codes, reason)


def _share_cuts(values: Floats, shares: tuple[float, ...], history: History) -> list[Floats]:
    """The cut of each share and all before it."""
    return [per_group(partial(cut_above_share, share=float(share)), values, history.groups) for share in np.cumsum(shares)]
