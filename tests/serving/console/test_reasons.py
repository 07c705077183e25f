from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalog import CATALOG
from serving.console.reasons import SHORT_LIST, in_words, reason_bars, short_reasons
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


@given(reasons)
def test_bars_hold_every_reason_of_the_target_but_the_baseline(given_reasons: list[Reason]) -> None:
    bars = reason_bars(given_reasons, "churn", {})
    expected = [reason for reason in given_reasons if reason.target == "churn" and reason.feature != "baseline"]
    assert sorted(bar.words for bar in bars) == sorted(reason.name for reason in expected)


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
    assert [bar.words for bar in reason_bars(given_reasons, "churn", {})] == ["Recency", "all other"]


@pytest.mark.parametrize("value", [None, 0.0, 1.0, 2.5, 1e9])
@pytest.mark.parametrize("feature", CATALOG)
def test_every_feature_of_the_catalog_can_be_told_in_words(feature: str, value: float | None) -> None:
    words = in_words(Reason("churn", feature, CATALOG[feature].title, 0.3), {feature: value})
    assert words
    assert not re.search(r"\bnan\b|None|[{}]", words)
    assert "_" not in words.replace("as_of", "")


def test_an_effect_is_the_factor_of_its_contribution() -> None:
    (bar,) = reason_bars([Reason("churn", "recency_days", "Recency", math.log(2.5))], "churn", {"recency_days": 21.0})
    assert (bar.words, bar.effect, bar.direction) == ("Last purchase 21 days ago", "× 2.5", "up")
    assert bar.effect_in_words == "raises the risk"
