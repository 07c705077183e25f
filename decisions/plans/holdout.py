"""The randomised control: who of those chosen for an action is left alone, so that its effect can be measured.

Whether a customer is a control of an action depends on nothing but the seed, the action and the customer's id, so it is the same
in every plan, whoever else is in it, and no figure of the customer can sway it.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from decisions.columns import Bools, Floats, Texts


def draws(customer_ids: Texts, actions: Texts, seed: int) -> Floats:
    """A number in [0, 1) for each pair of customer and action, as if drawn at random, shape (n,).

    >>> draws(np.array(["C1", "C2"]), np.array(["call", "call"]), 0).round(3)
    array([0.534, 0.692])
    """
    keys = (f"{seed}\n{action}\n{customer}".encode() for customer, action in zip(customer_ids, actions, strict=True))
    numbers = [int.from_bytes(blake2b(key, digest_size=6).digest(), "big") for key in keys]
    return np.array(numbers, dtype=np.float64) / 2**48


def controls(customer_ids: Texts, actions: Texts, shares: Floats, seed: int) -> Bools:
    """Who is a control, where `shares` (n,) are the chances of it, shape (n,)."""
    chosen = np.zeros(len(shares), dtype=bool)
    some = np.flatnonzero(shares > 0)
    chosen[some] = draws(customer_ids[some], actions[some], seed) < shares[some]
    return chosen
