"""How much customers matter by what they are expected to bring: the pyramid, ABC classes, and classes of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from decisions.columns import Floats, Ints, Texts
from decisions.labels import AbcClass, AccountClass, Tier
from decisions.policy import AbcPolicy, AccountPolicy, TierPolicy
from decisions.schemes.bands import Cuts, bands, cut_above_share, cut_above_sum, per_group
from decisions.schemes.verdict import History, Verdict, codes_of, held, sides

FIGURE = "expected value"


def value_tier(
    values: Floats,
    policy: TierPolicy,
    history: History = History(),
    floors: Ints | None = None,
    cuts: Cuts | None = None,
) -> Verdict:
    """The pyramid by `values` (expected value); `cuts` are those of `tier_cuts`, where these customers are not all.

    Without history a tier holds at most its share of customers, and equal values fall together, to the lower side. `floors` holds
    the position of the lowest tier that each customer may have (the policy's protected ones). A missing or non-positive value is
    small.
    """
    cuts = tier_cuts(values, policy, history.groups) if cuts is None else cuts
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


def tier_cuts(values: Floats, policy: TierPolicy, groups: Ints | None = None) -> Cuts:
    """The three cuts of the pyramid among these customers, highest first."""
    return _share_cuts(values, (policy.vip, policy.major, policy.ordinary), groups)


def abc_class(values: Floats, policy: AbcPolicy, history: History = History(), cuts: Cuts | None = None) -> Verdict:
    """A: the fewest customers that bring `policy.a` of all positive value; A and B together: `policy.b` of it; then C.

    A negative value is a class of its own. With history it is left, or entered, only at a distance from 0: the band of the cut
    between B and C. `cuts` are those of `abc_cuts`, where these customers are not all.
    """
    cuts = abc_cuts(values, policy, history.groups) if cuts is None else cuts
    ranked = bands(values, cuts, tuple(AbcClass)[:3], history.previous, history.band, figure=FIGURE)
    was_loss = sides(history.previous, {AbcClass.NEGATIVE}, values.size)
    edge = was_loss * history.band * cuts[1]
    loss = values < edge

    def reason(row: int) -> str:
        left = was_loss[row] > 0 and not loss[row]
        crossed = f"{FIGURE} {values[row]:,.2f} is {'not ' if left else ''}below {edge[row] + 0.0:,.2f}"
        return crossed if loss[row] or left else ranked.why(row)

    return Verdict(tuple(AbcClass), np.where(loss, 3, ranked.codes), reason)


def abc_cuts(values: Floats, policy: AbcPolicy, groups: Ints | None = None) -> Cuts:
    """The cuts between A, B and C among these customers."""
    return [per_group(partial(cut_above_sum, share=share), values, groups) for share in (policy.a, policy.b)]


def account_class(
    values: Floats, potential: Floats, policy: AccountPolicy, history: History = History(), cuts: Cuts | None = None
) -> Verdict:
    """Core and key: the highest shares by `values` (expected value); promising: the highest of the rest by `potential` value.

    `cuts` are those of `account_cuts`, where these customers are not all.
    """
    cuts = account_cuts(values, potential, policy, history) if cuts is None else cuts
    ranked, rest = _key_accounts(values, potential, cuts[:2], history)
    was = codes_of(tuple(AccountClass), history.previous, values.size)
    bar = held(cuts[2], sides(history.previous, {AccountClass.PROMISING}, values.size), history.band)
    codes = np.where(ranked.codes < 2, ranked.codes, np.where((rest > bar) & (rest > 0), 2, 3))

    def reason(row: int) -> str:
        if min(was[row], codes[row]) < 2:
            return ranked.why(row)
        return f"potential value {potential[row]:,.2f} is {'' if codes[row] == 2 else 'not '}above {bar[row]:,.2f}"

    return Verdict(tuple(AccountClass), codes, reason)


def account_cuts(values: Floats, potential: Floats, policy: AccountPolicy, history: History = History()) -> Cuts:
    """The cuts of core, key and promising among these customers; the last is one of potential value."""
    keys = _share_cuts(values, (policy.core, policy.key), history.groups)
    _, rest = _key_accounts(values, potential, keys, history)
    promising = per_group(lambda some: cut_above_share(some[~np.isnan(some)], policy.promising), rest, history.groups)
    return [*keys, promising]


def _key_accounts(values: Floats, potential: Floats, keys: Cuts, history: History) -> tuple[Verdict, Floats]:
    """Who is core, key or neither, and the potential value of who is neither (NaN: of the others)."""
    ladder = (AccountClass.CORE, AccountClass.KEY, AccountClass.OTHER)
    was = codes_of(tuple(AccountClass), history.previous, values.size)
    above = np.array([*map(str, ladder), str(AccountClass.OTHER), None], dtype=object)[was]  # promising ones were no key accounts
    ranked = bands(values, keys, ladder, above, history.band, figure=FIGURE)
    return ranked, np.where(ranked.codes == 2, potential, np.nan)


def _share_cuts(values: Floats, shares: tuple[float, ...], groups: Ints | None) -> Cuts:
    """The cut of each share and all before it."""
    return [per_group(partial(cut_above_share, share=float(share)), values, groups) for share in np.cumsum(shares)]
