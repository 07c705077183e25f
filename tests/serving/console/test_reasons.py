from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalog import CATALOG, find
from serving.console.reasons import MOST_LOWERING, MOST_RAISING, SHORT_LIST, in_words, reason_groups, short_reasons
from serving.store.records import Reason

reasons = st.lists(
    st.builds(
        Reason,
        target=st.sampled_from(["churn", "value"]),
        feature=st.sampled_from([*list(CATALOG)[:20], "baseline", "all_other", "attr_city"]),
        name=st.text(min_size=1, max_size=8),
        contribution=st.floats(-20, 20),
    )
)


def factor(effect: str) -> float:
    return float(effect.removeprefix("× ").replace(",", ""))


@given(reasons)
def test_every_reason_stands_below_words_that_say_its_direction(given_reasons: list[Reason]) -> None:
    for target in ("churn", "value"):
        for group in reason_groups(given_reasons, target, {}):
            (direction,) = {bar.direction for bar in group.bars}
            assert group.title.startswith("Raises" if direction == "up" else "Lowers")


@given(reasons)
def test_the_strongest_of_each_direction_are_shown_and_no_more(given_reasons: list[Reason]) -> None:
    named = [reason for reason in given_reasons if reason.target == "churn" and reason.feature not in ("baseline", "all_other")]
    shown = {
        group.title: [bar for bar in group.bars if bar.words != "All other"]
        for group in reason_groups(given_reasons, "churn", {})
    }
    for title, sign, most in (("Raises the risk", 1, MOST_RAISING), ("Lowers the risk", -1, MOST_LOWERING)):
        strongest = sorted((reason for reason in named if sign * reason.contribution > 0), key=lambda r: -abs(r.contribution))
        assert [bar.words for bar in shown.get(title, [])] == [reason.name for reason in strongest[:most]]


@given(st.lists(st.floats(-0.5, 0.5), max_size=8))
def test_what_is_shown_multiplies_to_the_effect_of_all(contributions: list[float]) -> None:
    given_reasons = [Reason("churn", f"x{i}", f"X{i}", value) for i, value in enumerate(contributions)]
    effects = [factor(bar.effect) for group in reason_groups(given_reasons, "churn", {}) for bar in group.bars]
    assert math.prod(effects) == pytest.approx(math.exp(sum(contributions)), rel=0.35)


@given(reasons)
def test_the_short_list_raises_the_risk_strongest_first(given_reasons: list[Reason]) -> None:
    short = short_reasons(given_reasons, {})
    raising = [
        r for r in given_reasons if r.target == "churn" and r.contribution > 0 and r.feature not in ("baseline", "all_other")
    ]
    assert len(short) == min(SHORT_LIST, len(raising))
    if short:
        assert max(reason.contribution for reason in raising) in [r.contribution for r in raising if r.name == short[0]]


def test_all_other_stands_last_whatever_its_size() -> None:
    given_reasons = [Reason("churn", "all_other", "all other", 9.0), Reason("churn", "recency_days", "Recency", 0.1)]
    (group,) = reason_groups(given_reasons, "churn", {})
    assert [bar.words for bar in group.bars] == ["Recency", "All other"]


@pytest.mark.parametrize("value", [None, 0.0, 1.0, 2.5, 1e9])
@pytest.mark.parametrize("feature", CATALOG)
def test_every_feature_of_the_catalog_can_be_told_in_words(feature: str, value: float | None) -> None:
    words = in_words(Reason("churn", feature, CATALOG[feature].title, 0.3), {feature: value})
    assert words
    assert not re.search(r"\bnan\b|None|[{}]", words)
    assert "_" not in words.replace("as_of", "")


def test_an_effect_is_the_factor_of_its_contribution() -> None:
    (group,) = reason_groups([Reason("churn", "recency_days", "Recency", math.log(2.5))], "churn", {"recency_days": 21.0})
    (bar,) = group.bars
    assert (group.title, bar.words, bar.effect, bar.direction) == ("Raises the risk", "Last purchase 21 days ago", "× 2.5", "up")


@pytest.mark.parametrize(
    ("feature", "value", "words"),
    [
        ("spend_sd_365d", 405.27, "What is spent on a purchase day varies by 405.27 or so in the last 365 days"),
        ("spend_90d_to_previous", 0.0, "Spent nothing in the last 90 days, unlike in the time before"),
        ("spend_90d_to_previous", 0.31, "Spent 31 % as much in the last 90 days as in the time before"),
        ("spend_90d_to_previous", None, "Bought nothing in the 90 days before the last 90"),
        ("orders_all", 0.0, "No order so far"),
        ("tenure_stage", 3.0, "A customer for one to two years"),
        ("bought_after_complaint", 0.0, "Has not bought since the last complaint"),
        ("overdue_ratio", None, "Bought on one day only"),
        ("attr_plan_is_gold", 1.0, "Plan: gold"),
        ("attr_plan_is_gold", 0.0, "Plan: not gold"),
        ("attr_plan_is_gold", None, "Plan: not known"),
        ("attr_household_size", 3.0, "Household size: 3"),
        ("attr_consent", 1.0, "Consent: yes"),
        ("attr_service_cost", 1250.0, "Service cost: 1,250"),
        ("attr_signed_on_days_ago", 1.0, "Signed on: 1 day ago"),
        ("attr_contract_end_days_ago", -30.0, "Contract end: in 30 days"),
    ],
)
def test_a_fact_is_told_in_plain_words(feature: str, value: float | None, words: str) -> None:
    assert in_words(Reason("churn", feature, find(feature).entry.title, 0.3), {feature: value}) == words
