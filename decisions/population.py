"""What decisions take from all customers together, so that the same words can be given to some of them at a time.

A tier is a place among all customers: the figures that they are compared by must be there together once. What is left of them
then is a few cuts, and with those each customer is decided on alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from decisions.columns import Columns, Floats, Ints, Texts, number
from decisions.policy import Policy
from decisions.schemes.bands import Cuts
from decisions.schemes.quadrants import quadrant_cuts
from decisions.schemes.service import customers_of_tiers
from decisions.schemes.tiers import abc_cuts, account_cuts, protected_floors, tier_cuts, value_tier
from decisions.schemes.verdict import History

FIGURES = ("expected_value", "current_value", "potential_value")
"""The columns of numbers that customers are compared by."""

COMPARED = ("kind", "previous_tier", "previous_account_class")
"""The columns of texts that say with whom, and who is held in place by hysteresis."""


@dataclass(frozen=True)
class Population:
    """The cuts of each scheme by `kinds` of customers (one kind where all are compared with all), and the tiers' customers.

    `cuts` holds by scheme an array (cuts, kinds).
    """

    kinds: tuple[str, ...]
    cuts: Mapping[str, Floats]
    tier_customers: Ints

    def of(self, scheme: str, groups: Ints) -> Cuts:
        """The cuts of a scheme for customers by the place of their kind, `groups` (n,)."""
        return list(self.cuts[scheme][:, groups])

    def groups(self, kinds: Texts) -> Ints:
        """The place of each customer's kind, (n,); 0 where all are compared with all."""
        place = {kind: at for at, kind in enumerate(self.kinds)} if len(self.kinds) > 1 else {}
        return np.array([place.get(str(kind), 0) for kind in kinds.tolist()], dtype=np.int64)


def population(columns: Columns, policy: Policy) -> Population:
    """What all customers together say: `columns` (n,) of FIGURES, and of COMPARED and customer_id as far as they are there.

    customer_id is read where the policy protects someone; ids of others may be missing.
    """
    rows = int(np.shape(columns["expected_value"])[0])
    expected, current, potential = (number(columns, name, rows) for name in FIGURES)
    kinds, groups = kinds_of(columns.get("kind") if policy.split_by_kind else None, rows)
    among = groups if policy.split_by_kind else None
    was_tier = History(columns.get("previous_tier"), policy.hysteresis, among)
    was_account = History(columns.get("previous_account_class"), policy.hysteresis, among)
    tiers = tier_cuts(expected, policy.tiers, among)
    floors = protected_floors(columns.get("customer_id"), policy.tiers.protected)
    cuts = {
        "value_tier": tiers,
        "abc_class": abc_cuts(expected, policy.abc, among),
        "account_class": account_cuts(expected, potential, policy.accounts, was_account),
        "quadrant": quadrant_cuts(current, potential, policy.quadrants, among),
    }
    first = np.unique(groups, return_index=True)[1]
    return Population(
        kinds,
        {scheme: np.array([cut[first] for cut in each]) for scheme, each in cuts.items()},
        customers_of_tiers(value_tier(expected, policy.tiers, was_tier, floors, tiers).codes),
    )


def kinds_of(kinds: Texts | None, rows: int) -> tuple[tuple[str, ...], Ints]:
    """The different kinds in order, and the place of each customer's (rows,); a missing kind is one, and no column at all too.

    >>> kinds_of(np.array(["trader", None, "consumer"], dtype=object), 3)
    (('None', 'consumer', 'trader'), array([2, 0, 1]))
    """
    texts = np.full(rows, "None") if kinds is None else np.asarray(kinds, dtype=object).astype(str)
    known, places = np.unique(texts, return_inverse=True)
    return tuple(known.tolist()), places
