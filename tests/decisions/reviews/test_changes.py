"""Customers won back and lost, moved, and their equity."""

from __future__ import annotations

import numpy as np

from decisions.reviews.changes import Change, equity, losses, moves


def words(*found: str | None) -> np.ndarray:
    return np.array(found, dtype=object)


def test_only_who_was_not_given_up_can_be_lost_and_only_who_was_can_be_won_back() -> None:
    status, churned = words("active", "lapsing", "lost", "lost"), np.array([1.0, 0.0, 1.0, 0.0])
    lost, back = losses(status, churned, np.array([10.0, 20.0, 30.0, 40.0]), np.array([0.0, 5.0, 0.0, 7.0]))
    assert lost == Change("lost", 1, 10.0, 0.0)
    assert back == Change("won back", 1, 40.0, 7.0)


def test_who_was_not_scored_both_times_has_not_moved() -> None:
    was, now = words("VIP", "small", None, "major", "major"), words("major", "VIP", "VIP", None, "major")
    up, down = moves(was, now, np.arange(5.0), 10 * np.arange(5.0))
    assert up == Change("upgraded", 1, 1.0, 10.0)
    assert down == Change("downgraded", 1, 0.0, 0.0)


def test_equity_of_the_tiers_adds_up_to_that_of_all() -> None:
    was, now = words("VIP", "small", None), words("VIP", None, "small")
    whole, *tiers = equity(was, now, np.array([5.0, 2.0, np.nan]), np.array([7.0, np.nan, 1.0]))
    assert (whole.customers_then, whole.value_then, whole.customers_now, whole.value_now) == (2, 7.0, 2, 8.0)
    assert sum(each.value_now for each in tiers) == whole.value_now
    assert [each.tier for each in tiers] == ["VIP", "small"]
