"""Priors and evidence: what came of an action takes the place of what was expected of it, as far as it is sure."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.plans.actions import prior_effect
from decisions.plans.catalogue import Action, Gain, Kept, Lift
from decisions.plans.evidence import LEAST_IN_ARM, Estimate, Measured, estimates, posterior, prior_moments, weighed
from decisions.policy import Policy
from keepwell.errors import DataError

finite = st.floats(-1, 1)
errors = st.floats(1e-3, 10)


def action(**parts: object) -> Action:
    fields = {"title": "Call", "title_zh": "电话", "bond": "social", "channel": "call", "cost": 8.0, "when": "status == 'active'"}
    return Action.model_validate({"name": "call", "why": "It may help", **fields, **parts})


def policy(one: Action) -> Policy:
    return Policy.model_construct(actions=(one,))


def estimate(value: float, error: float, part: str = "kept", treated: int = 500, controls: int = 400) -> Estimate:
    return Estimate("call", part, value, error, treated, controls)  # type: ignore[arg-type]


CALL = action(kept=Kept(a=3, b=17))


@given(prior=finite, variance=st.floats(1e-4, 1), value=finite, error=errors)
def test_the_posterior_lies_between_prior_and_evidence_and_is_surer_than_both(
    prior: float, variance: float, value: float, error: float
) -> None:
    mean, left = weighed(prior, variance, [estimate(value, error)])
    assert min(prior, value) - 1e-12 <= mean <= max(prior, value) + 1e-12
    assert left <= min(variance, error**2) + 1e-12


@given(prior=finite, variance=st.floats(1e-4, 1), found=st.lists(st.tuples(finite, errors), min_size=2, max_size=4))
def test_the_order_of_the_evidence_changes_nothing(prior: float, variance: float, found: list[tuple[float, float]]) -> None:
    forth = weighed(prior, variance, [estimate(*each) for each in found])
    back = weighed(prior, variance, [estimate(*each) for each in reversed(found)])
    assert forth == pytest.approx(back, abs=1e-9)


def test_much_evidence_takes_the_place_of_the_prior() -> None:
    told = posterior(policy(CALL), [estimate(0.4, 0.001)])["call"]
    assert told.kept == pytest.approx(0.4, abs=1e-3)
    assert told.basis == "500 contacts, 400 controls"


def test_an_action_can_be_found_to_drive_customers_away() -> None:
    assert posterior(policy(CALL), [estimate(-0.1, 0.01)])["call"].kept < 0


def test_two_estimates_count_for_more_than_one_and_their_customers_add_up() -> None:
    once, twice = (posterior(policy(CALL), [estimate(0.5, 0.1)] * times)["call"] for times in (1, 2))
    assert prior_effect(CALL).kept < once.kept < twice.kept
    assert twice.basis == "1,000 contacts, 800 controls"


@pytest.mark.parametrize(
    "useless",
    [
        estimate(0.9, 0.01, controls=LEAST_IN_ARM - 1),
        estimate(0.9, 0.01, treated=LEAST_IN_ARM - 1),
        estimate(0.9, 0.01, part="lift"),
        Estimate("another", "kept", 0.9, 0.01, 500, 500),
    ],
)
def test_what_is_too_little_or_not_expected_of_the_action_changes_nothing(useless: Estimate) -> None:
    assert posterior(policy(CALL), [useless]) == {"call": prior_effect(CALL)}


def test_parts_without_evidence_keep_their_prior() -> None:
    both = action(kept=Kept(a=3, b=17), lift=Lift(mean=0.02, sd=0.02), gain=Gain(of="service_cost", mean=0.3, sd=0.1))
    told = posterior(policy(both), [estimate(0.05, 0.001, part="lift")])["call"]
    assert told.lift == pytest.approx(0.05, abs=1e-3)
    assert (told.kept, told.gain) == (both.kept.mean if both.kept else 0, 0.3)


def test_a_prior_that_is_certain_stays() -> None:
    sure = action(lift=Lift(mean=0.02, sd=0.0))
    assert posterior(policy(sure), [estimate(0.5, 0.01, part="lift")])["call"].lift == 0.02


@pytest.mark.parametrize(("value", "error"), [(math.nan, 0.1), (0.1, 0.0), (0.1, -1.0), (0.1, math.inf)])
def test_what_cannot_be_weighed_is_refused(value: float, error: float) -> None:
    with pytest.raises(DataError, match="kept of call is"):
        estimate(value, error)


def measured(**changed: float) -> Measured:
    figures = {
        "stayed": 0.06,
        "stayed_error": 0.02,
        "controls_left": 0.4,
        "value": 9.0,
        "value_error": 2.0,
        "controls_value": 60.0,
    }
    return Measured("call", 900, 300, **figures | changed)


def test_kept_is_the_share_of_those_who_would_have_left() -> None:
    [kept] = estimates(measured(), CALL)
    assert (kept.value, kept.standard_error) == pytest.approx((0.15, 0.05))


def test_lift_is_what_the_treated_brought_beside_what_the_kept_brought() -> None:
    kept, lift = estimates(measured(), action(kept=Kept(a=1, b=9), lift=Lift(mean=0, sd=1)))
    # A control who stayed brought 100, so 0.06 more stayers bring 6 of the 9 more.
    assert lift.value == pytest.approx(3 / 60)
    assert kept.part == "kept"


def test_all_of_the_money_is_lift_where_the_action_is_to_keep_nobody() -> None:
    [lift] = estimates(measured(), action(lift=Lift(mean=0, sd=1)))
    assert (lift.value, lift.standard_error) == pytest.approx((9 / 60, 2 / 60))


@pytest.mark.parametrize(
    "nothing", [{"controls_left": 0.0}, {"stayed_error": 0.0}], ids=["nobody would have left", "all arms did the same"]
)
def test_what_nothing_can_be_said_of_is_left_out(nothing: dict[str, float]) -> None:
    assert estimates(measured(**nothing), CALL) == ()


def test_a_lift_without_controls_who_brought_anything_is_left_out() -> None:
    assert estimates(measured(controls_value=0.0), action(lift=Lift(mean=0, sd=1))) == ()


def test_the_moments_of_a_beta_are_those_of_the_beta() -> None:
    assert prior_moments(Kept(a=6, b=14)) == pytest.approx((0.3, 0.3 * 0.7 / 21))
