"""Service against its targets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import yaml

from decisions.policy import Policy
from decisions.reviews.measures import MEASURES, Measured, TierTargets, measured
from keepwell.errors import ConfigError
from serving.plans.policy import read_policy

RESPONSE = next(measure for measure in MEASURES if measure.name == "first_response_hours")
RECOVERED = next(measure for measure in MEASURES if measure.name == "recovered_share")


def of_vip(measure: Any, values: list[float], **targets: float) -> Measured:
    tiers = np.array(["VIP"] * len(values), dtype=object)
    return measured(measure, tiers, np.array(values), {"VIP": TierTargets(**targets)})[1]


def policy_with(**parts: Any) -> dict[str, Any]:
    from importlib import resources

    content = yaml.safe_load((resources.files("decisions") / "policy.yaml").read_text(encoding="utf-8"))
    return {**content, **parts}


def test_a_target_can_be_set_for_each_measure_and_nothing_else() -> None:
    assert set(TierTargets.model_fields) == {measure.name for measure in MEASURES}


def test_less_is_better_for_hours_and_more_for_shares() -> None:
    assert of_vip(RESPONSE, [1.0, 3.0], first_response_hours=2).verdict == "met"
    assert of_vip(RECOVERED, [1.0, 1.0, 0.0], recovered_share=0.5).verdict == "met"
    assert of_vip(RESPONSE, [50.0, 52.0, 49.0, 51.0], first_response_hours=4).verdict == "missed"
    assert of_vip(RECOVERED, [0.0] * 40, recovered_share=0.5).verdict == "missed"


def test_a_target_that_chance_may_have_missed_is_open() -> None:
    assert of_vip(RESPONSE, [1.0, 30.0], first_response_hours=4).verdict == "open"
    assert of_vip(RESPONSE, [30.0], first_response_hours=4).verdict == "open"  # one case proves nothing


def test_without_a_target_there_is_no_verdict_and_all_customers_have_none() -> None:
    whole, vip = measured(RESPONSE, np.array(["VIP"], dtype=object), np.array([3.0]), {})
    assert (whole.tier, whole.verdict, vip.verdict) == (None, "", "")
    assert np.isnan(vip.target)


def test_a_case_of_a_customer_without_tier_counts_among_all_alone() -> None:
    found = measured(RESPONSE, np.array([None, "small"], dtype=object), np.array([3.0, 5.0]), {})
    assert [(each.tier, each.count) for each in found] == [(None, 2), ("small", 1)]


def test_the_default_policy_sets_targets_and_one_without_them_is_still_read() -> None:
    assert read_policy().targets["VIP"].first_response_hours == 4
    content = policy_with()
    del content["targets"]
    assert Policy.from_mapping(content).targets == {}


def test_targets_of_an_unknown_tier_or_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="there is no tier 'gold'; the tiers are VIP, major, ordinary, small"):
        Policy.from_mapping(policy_with(targets={"gold": {"resolve_hours": 3}}))
    with pytest.raises(ConfigError, match=r"targets\.VIP\.recovered_share: Input should be less than or equal to 1, found 90"):
        Policy.from_mapping(policy_with(targets={"VIP": {"recovered_share": 90}}))
    with pytest.raises(ConfigError, match=r"targets\.VIP\.speed"):
        Policy.from_mapping(policy_with(targets={"VIP": {"speed": 3}}))
