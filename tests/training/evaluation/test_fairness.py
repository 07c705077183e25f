"""Error rates by group: each figure is the plain one of the group's rows, and a difference is that of two of them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.card.document import to_html
from training.evaluation.fairness import (
    FIGURES,
    LEAST_CUSTOMERS,
    LEAST_EACH,
    Group,
    Judged,
    chosen_first,
    groups_of,
    remarks,
)
from training.evaluation.fairness_report import as_dict, lines, page
from training.evaluation.run_fairness import FairnessReport
from training.metrics.churn import churn_auc
from training.metrics.intervals import Interval


def rows(customers: int, *, group: str, left: float = 0.3, told: float | None = None, seed: int = 0) -> Judged:
    """So many customers at two dates, of whom a share `left` left and a share `told` was forecast to leave."""
    draw = np.random.default_rng([seed, *group.encode()])
    n = 2 * customers
    chance = np.clip(draw.beta(2, 2 / left - 2, n), 0.001, 0.999)
    probability = chance if told is None else np.clip(chance * told / left, 0.001, 0.999)
    value = draw.gamma(2, 50, n)
    return Judged(
        customer_id=np.array([f"{group}{i % customers}" for i in range(n)], dtype=object),
        group=np.array([group] * n, dtype=object),
        probability=probability,
        expected=value * 1.1,
        churned=draw.random(n) < chance,
        value=value,
        chosen=chosen_first(probability, 0.2),
    )


def both(*parts: Judged) -> Judged:
    return Judged.joined(parts)


def test_figures_are_those_of_the_groups_own_rows() -> None:
    ours, others = rows(300, group="a"), rows(500, group="b", left=0.5)
    found = {group.name: group for group in groups_of(both(ours, others), seed=0)}
    stayed, left = ~ours.churned, ours.churned
    expected = {
        "churned_share": left.mean(),
        "forecast_share": ours.probability.mean(),
        "forecast_gap": ours.probability.mean() - left.mean(),
        "auc": churn_auc(ours.outcome, ours.forecast)(np.ones(len(left))),
        "chosen_share": ours.chosen.mean(),
        "false_alarm_share": ours.chosen[stayed].mean(),
        "missed_share": (~ours.chosen)[left].mean(),
        "value_ratio": 1.1,
    }
    assert list(found["a"].figures) == list(FIGURES)
    for name, value in expected.items():
        assert found["a"].figures[name].value == pytest.approx(value), name
        apart = found["a"].figures[name].value - found["b"].figures[name].value
        assert found["a"].differences[name].value == pytest.approx(apart), name
        assert found["b"].differences[name].value == pytest.approx(-apart), name


def test_bounds_hold_the_figure_and_are_narrower_for_more_customers() -> None:
    few, many = (groups_of(rows(size, group="a"), seed=0)[0].figures["missed_share"] for size in (200, 3_000))
    for each in (few, many):
        assert each.low <= each.value <= each.high
    assert many.high - many.low < few.high - few.low


def test_the_largest_group_comes_first_and_the_order_of_the_rows_changes_no_figure() -> None:
    whole = both(rows(150, group="a"), rows(400, group="b"))
    assert [group.name for group in groups_of(whole, seed=0)] == ["b", "a"]
    turned = Judged(*(getattr(whole, name)[::-1] for name in Judged.__dataclass_fields__))
    for mine, theirs in zip(groups_of(whole, seed=0), groups_of(turned, seed=0), strict=True):
        assert mine.name == theirs.name
        for name, figure in mine.figures.items():
            assert theirs.figures[name].value == pytest.approx(figure.value)
            assert (theirs.figures[name].low, theirs.figures[name].high) == pytest.approx((figure.low, figure.high))


def test_of_a_small_group_nothing_is_said_and_nothing_is_held_against_it() -> None:
    small, large = rows(LEAST_CUSTOMERS - 1, group="small"), rows(500, group="large")
    big, little = groups_of(both(large, small), seed=0)
    assert (little.name, little.customers, little.figures, little.differences) == ("small", LEAST_CUSTOMERS - 1, {}, {})
    assert big.is_told
    assert big.differences == {}


def test_of_a_group_in_which_hardly_anybody_left_nothing_is_said() -> None:
    calm = rows(400, group="calm")
    calm = Judged(**{**vars(calm), "churned": np.arange(len(calm.churned)) < LEAST_EACH - 1})
    assert not groups_of(calm, seed=0)[0].is_told


def test_values_that_nobody_knows_are_left_out() -> None:
    unknown = rows(300, group="a")
    unknown = Judged(**{**vars(unknown), "value": np.full(len(unknown.value), np.nan)})
    assert "value_ratio" not in groups_of(unknown, seed=0)[0].figures


def test_a_group_that_is_forecast_too_high_is_remarked_on_and_one_that_is_not_is_not() -> None:
    fair = both(rows(1_500, group="a"), rows(1_500, group="b"))
    assert remarks("gender", groups_of(fair, seed=0)) == ()
    unfair = both(rows(1_500, group="a"), rows(1_500, group="b", told=0.6))
    told = remarks("gender", groups_of(unfair, seed=0))
    assert any(remark.startswith("gender b: forecast_gap is +0.") for remark in told)
    assert any(remark.startswith("gender a: forecast_gap is -0.") for remark in told)


def test_that_groups_leave_at_different_rates_is_no_finding() -> None:
    apart = Interval(0.4, 0.35, 0.45)
    group = Group("a", 500, 500, {"churned_share": apart}, {"churned_share": apart, "forecast_share": apart})
    assert remarks("kind", [group]) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0.01, 0.99))
def test_the_chosen_are_as_many_as_wanted_and_nobody_riskier_is_left_out(probability: list[float], contact_share: float) -> None:
    risk = np.array(probability)
    chosen = chosen_first(risk, contact_share)
    assert chosen.sum() == round(contact_share * len(risk))
    if 0 < chosen.sum() < len(risk):
        assert risk[chosen].min() >= risk[~chosen].max()


@pytest.fixture
def report() -> FairnessReport:
    day = pl.Series(["2025-10-01"]).str.to_date()[0]
    told = groups_of(both(rows(300, group="<b>"), rows(300, group="other"), rows(20, group="few")), seed=0)
    return FairnessReport("shop", "gender", 90, (day,), 0.2, told, remarks("gender", told))


def test_the_report_tells_every_figure_and_who_is_too_few(report: FairnessReport) -> None:
    text = "\n".join(lines(report))
    assert all(name in text for name in FIGURES)
    assert "few: 20 customers, too few to judge (it takes 100, with 20 who left and 20 who stayed)" in text
    assert "Chosen are the 20.0% of each date" in text


def test_the_page_says_what_each_figure_is_and_takes_no_name_for_markup(report: FairnessReport) -> None:
    html = to_html(page(report))
    assert "<b>" not in html
    assert all(" ".join(metric.__doc__.split())[:40] in html for metric in FIGURES.values())


def test_plain_values_hold_figures_with_bounds_and_null_for_who_is_too_few(report: FairnessReport) -> None:
    told = as_dict(report)
    groups = {group["group"]: group for group in told["groups"]}
    assert groups["few"]["figures"] is None
    assert set(groups["other"]["figures"]["auc"]) == {"value", "low", "high"}
    assert told["contact_share"] == 0.2
