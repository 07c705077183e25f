"""Who gains: learners find what is there, claim nothing where nothing is, and policies are judged by what came."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.card.document import to_html
from training.uplift.data import Experiment
from training.uplift.model import Uplift
from training.uplift.policy import best_arms, calibration, policies, policy_values, qini
from training.uplift.report import as_dict, lines, page
from training.uplift.study import BEST, Study, judge_elsewhere, study, unbalanced

ROWS = 4_000


def drawn(seed: int, rows: int = ROWS, strength: float = 1.0) -> tuple[Experiment, np.ndarray]:
    """Three arms, and the true effects (n, arms): the first helps where x0 > 0 and harms elsewhere, the second helps a little."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, 4))
    arm = rng.integers(0, 3, rows)
    effects = np.column_stack([np.zeros(rows), strength * np.where(matrix[:, 0] > 0, 2.0, -2.0), np.full(rows, 0.3)])
    outcome = matrix[:, 1] + effects[np.arange(rows), arm] + rng.normal(size=rows)
    propensity = np.full((rows, 3), 1 / 3)
    costs = np.array([0.0, 0.1, 0.1])
    names = ("x0", "x1", "x2", "x3")
    made = Experiment(
        "sales", ("nothing", "call", "mail"), names, arm, propensity, outcome, matrix, np.arange(rows), np.ones(rows), costs
    )
    return made, effects


@pytest.fixture(scope="module")
def studied() -> Study:
    return study(drawn(0)[0], share=0.3)


@pytest.fixture(scope="module")
def barren() -> Study:
    """An experiment in which every customer gains alike."""
    made, _ = drawn(1, rows=2_000, strength=0.0)
    return study(made, share=0.3)


def test_learners_find_who_gains_among_customers_they_have_not_seen(studied: Study) -> None:
    other, effects = drawn(2)
    assert studied.model is not None
    told = studied.model.uplift(other.matrix)
    assert np.corrcoef(told.effect[:, 1], effects[:, 1])[0, 1] > 0.9
    assert (told.effect[:, 0] == 0).all()


def test_choosing_by_uplift_comes_near_to_what_could_be_had(studied: Study) -> None:
    other, effects = drawn(2)
    assert studied.model is not None
    net = effects - other.costs
    chosen = best_arms(studied.model.uplift(other.matrix).effect - other.costs)
    assert net[np.arange(len(net)), chosen].mean() > 0.95 * net.max(axis=1).mean()


def test_it_is_judged_better_than_any_simple_policy(studied: Study) -> None:
    assert studied.judged is not None
    ours = studied.judged.policies["by uplift"]
    assert min(ours.over[name].low for name in ("nobody", "everybody call", "everybody mail")) > 0
    budget = studied.judged.policies["by uplift, 30%"]
    assert budget.treated == pytest.approx(0.3)
    assert min(budget.over[name].low for name in ("at random, 30%", "lowest outcome first, 30%")) > 0
    assert studied.judged.curves[BEST].coefficient.low > 0


def test_the_judgement_of_other_customers_agrees(studied: Study) -> None:
    other, _ = drawn(2)
    assert studied.model is not None
    assert studied.judged is not None
    elsewhere = judge_elsewhere(studied.model, other, share=0.3)
    ours, theirs = (each.policies["by uplift"].value for each in (studied.judged, elsewhere))
    assert abs(ours.value - theirs.value) < 3 * np.hypot(ours.standard_error, theirs.standard_error)


def test_whom_an_arm_harms_is_on_the_list_and_hardly_anybody_else(studied: Study) -> None:
    _, effects = drawn(0)
    assert studied.judged is not None
    harmed, found = studied.judged.harmed["call"]
    assert found is not None
    assert found.high < 0
    assert harmed.mean() > 0.3
    assert (effects[harmed, 1] < 0).mean() > 0.97


def test_what_was_told_of_each_tenth_came_true(studied: Study) -> None:
    assert studied.judged is not None
    groups = studied.judged.groups["call"]
    assert len(groups) == 10
    assert sum(each.customers for each in groups) == ROWS
    assert [each.told for each in groups] == sorted((each.told for each in groups), reverse=True)
    assert np.corrcoef([each.told for each in groups], [each.found.value for each in groups])[0, 1] > 0.95


def test_where_all_gain_alike_all_are_told_the_average(barren: Study) -> None:
    assert barren.judged is not None
    assert barren.judged.uplift.effect[:, 2].std() < 0.1
    assert abs(barren.judged.policies["by uplift"].over["everybody mail"].value) < 0.05
    assert not any(who.any() for who, _ in barren.judged.harmed.values())


def test_the_same_rows_and_seed_tell_the_same(barren: Study) -> None:
    again = study(drawn(1, rows=2_000, strength=0.0)[0], share=0.3)
    assert as_dict(again) == as_dict(barren)


def test_bounds_of_single_customers_hold_the_average_effect_of_alike_ones(barren: Study) -> None:
    assert barren.model is not None
    told = barren.model.uplift(drawn(3, rows=500)[0].matrix)
    assert ((told.low[:, 2] < 0.3) & (told.high[:, 2] > 0.3)).mean() > 0.9


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(-5, 5)), min_size=1, max_size=30), st.floats(0, 1))
def test_nobody_is_treated_at_a_loss_and_never_more_than_the_share(gains: list[tuple[float, float]], share: float) -> None:
    table = np.column_stack([np.zeros(len(gains)), np.array(gains)])
    arms = best_arms(table, share)
    assert (arms > 0).sum() <= share * len(gains)
    assert (table[np.arange(len(gains)), arms] >= 0).all()


def test_a_policy_that_treats_everybody_is_worth_the_mean_of_that_arm() -> None:
    made, _ = drawn(0, rows=900)
    everybody = np.tile([0.0, 1.0, 0.0], (len(made), 1))
    value = policy_values(made, {"everybody": everybody})["everybody"]
    assert value.treated == 1
    assert value.value.value == pytest.approx(made.outcome[made.arm == 1].mean() - 0.1)


def test_the_policies_at_a_share_treat_that_share() -> None:
    made, effects = drawn(0, rows=900)
    told = Uplift(effects, np.zeros_like(effects), made.matrix[:, 1])
    chosen = policies(made, told, effects, 0.25)
    shares = {name: 1 - chances[:, 0].mean() for name, chances in chosen.items() if "25%" in name}
    assert shares == pytest.approx(dict.fromkeys(shares, 0.25))
    assert len(shares) == 3


def test_a_qini_curve_ends_at_the_average_effect_whatever_the_order() -> None:
    made, effects = drawn(0, rows=3_000)
    arms = np.full(len(made), 2)
    ends = [qini(made, order, arms).gain[-1] for order in (effects[:, 1], -effects[:, 1], np.zeros(len(made)))]
    assert ends == pytest.approx([ends[0]] * 3)
    assert ends[0] == pytest.approx(0.3, abs=0.2)


def test_who_gains_most_first_bends_the_curve_up_and_the_reverse_down() -> None:
    made, effects = drawn(0, rows=3_000)
    arms = np.full(len(made), 1)
    assert qini(made, effects[:, 1], arms).coefficient.low > 0
    assert qini(made, -effects[:, 1], arms).coefficient.high < 0


def test_alike_customers_are_one_group() -> None:
    [group] = calibration(np.full(50, 0.2), np.linspace(0, 1, 50), np.arange(50))
    assert (group.customers, group.found.value) == (50, pytest.approx(0.5))


def test_what_was_written_down_after_the_treatment_is_noticed() -> None:
    made, effects = drawn(0, rows=3_000)
    after = np.exp(3 * np.random.default_rng(0).normal(size=len(made)) + effects[np.arange(len(made)), made.arm] + made.arm)
    told_later = np.where(made.arm > 0, made.matrix[:, 1], np.nan)
    widened = replace(made, names=(*made.names, "after", "answer"), matrix=np.column_stack([made.matrix, after, told_later]))
    assert {"after", "answer"} <= set(unbalanced(widened))
    assert not unbalanced(made)


def test_arms_without_enough_rows_get_averages_alone() -> None:
    small = study(drawn(0, rows=300)[0])
    assert small.judged is None
    assert any("it takes 200 rows in every arm" in line for line in lines(small))
    assert as_dict(small)["judged"] is None
    assert "it takes 200 rows in every arm" in to_html(page([small], "Small"))


def test_without_features_there_is_nobody_to_tell_apart() -> None:
    made, _ = drawn(0, rows=900)
    assert "there is no feature" in lines(study(replace(made, names=(), matrix=made.matrix[:, :0])))[-1]


def test_the_page_shows_curve_and_calibration(studied: Study) -> None:
    html = to_html(page([studied], "What the call brought"))
    assert html.count("<figure>") == 2
    assert "do not disturb" in html
    assert "by uplift, 30%" in html
