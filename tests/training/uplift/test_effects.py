"""Average effects: the estimators agree with what statistics books compute, and their intervals hold what they promise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from keepwell.errors import DataError, HistoryError
from training.uplift.data import LEAST_IN_ARM, Experiment, checked, observed_propensity
from training.uplift.effects import arm_effects, leading_components

WAYS = ("difference in means", "weighted", "adjusted")


def experiment(seed: int = 0, rows: int = 2_000, effect: float = 0.5, features: int = 3, uneven: bool = False) -> Experiment:
    """Two arms, an outcome that the first features drive, and propensities that follow the first one where uneven."""
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, features))
    chance = 1 / (1 + np.exp(-matrix[:, 0])) * 0.6 + 0.2 if uneven else np.full(rows, 0.4)
    arm = (rng.random(rows) < chance).astype(np.int64)
    outcome = matrix @ np.linspace(2, 1, features) + effect * arm + rng.normal(size=rows)
    return Experiment(
        name="test",
        arms=("control", "call"),
        names=tuple(f"x{place}" for place in range(features)),
        arm=arm,
        propensity=np.column_stack([1 - chance, chance]),
        outcome=outcome,
        matrix=matrix,
        customer=np.arange(rows),
        worth=np.ones(rows),
        costs=np.array([0.0, 0.1]),
    )


def narrow(rows: int = 2_000) -> Experiment:
    """An experiment whose treated vary more than its controls, and are the fewer: the error is that of HC2."""
    made = experiment(rows=rows)
    return replace(made, outcome=np.where(made.arm == 1, 3, 1) * made.outcome)


def test_the_difference_in_means_has_the_error_of_welch_where_the_smaller_arm_varies_more() -> None:
    made = narrow()
    [found] = arm_effects(made)
    treated, control = made.outcome[made.arm == 1], made.outcome[made.arm == 0]
    plain = found.estimates["difference in means"]
    assert plain.value == pytest.approx(treated.mean() - control.mean())
    statistic = ttest_ind(treated, control, equal_var=False).statistic
    assert plain.value / plain.standard_error == pytest.approx(statistic)


def test_the_adjusted_effect_is_the_fully_interacted_regression() -> None:
    made = narrow()
    x = leading_components(made.matrix, 3)
    design = np.column_stack([np.ones(len(x)), made.arm, x, x * made.arm[:, None]])
    theta = np.linalg.lstsq(design, made.outcome, rcond=None)[0]
    inverse = np.linalg.inv(design.T @ design)
    leverage = np.einsum("ij,jk,ik->i", design, inverse, design)
    meat = design.T @ (design * ((made.outcome - design @ theta) ** 2 / (1 - leverage))[:, None])
    [found] = arm_effects(made)
    assert found.best.value == pytest.approx(theta[1])
    assert found.best.standard_error == pytest.approx(np.sqrt((inverse @ meat @ inverse)[1, 1]))


def test_the_error_is_what_other_draws_of_the_arms_would_show_where_the_smaller_arm_varies_less() -> None:
    made = experiment(rows=600, features=1, uneven=True)
    made = replace(made, outcome=np.where(made.arm == 1, 1.0, 0.2) * made.outcome, matrix=np.empty((600, 0)))
    few = made.rows((made.arm == 1) | (np.arange(600) % 2 == 0))
    odds = few.propensity[:, 1] / (few.propensity[:, 0] / 2)  # half of the controls were left out
    chance = odds / (1 + odds)
    few = replace(few, propensity=np.column_stack([1 - chance, chance]))
    found = arm_effects(few)[0].estimates["weighted"]
    without, rng = few.outcome - found.value * few.arm, np.random.default_rng(0)
    centre = without - np.average(without, weights=1 / few.own_propensity)
    drawn = rng.random((2_000, len(few))) < chance
    others = [
        np.average(centre[one], weights=1 / chance[one]) - np.average(centre[~one], weights=1 / (1 - chance[~one]))
        for one in drawn
    ]
    assert found.standard_error == pytest.approx(np.std(others), rel=0.06)


def spending(seed: int, controls: int, rows: int) -> Experiment:
    """An action without any effect on what customers spend, of whom a few spend most; few are left alone."""
    rng = np.random.default_rng(seed)
    spent = np.where(rng.random(rows) < 0.4, rng.lognormal(3, 1.4, rows), 0.0)
    arm = (rng.permutation(rows) >= controls).astype(np.int64)
    costs = np.array([0.0, 1.0])
    matrix = np.log1p(spent)[:, None] + rng.normal(size=(rows, 1))
    chance = observed_propensity(arm, 2)
    return Experiment("spending", ("control", "call"), ("x",), arm, chance, spent, matrix, np.arange(rows), np.ones(rows), costs)


@pytest.mark.parametrize(("controls", "rows"), [(30, 600), (100, 1_500)])
def test_an_action_without_effect_on_skewed_spending_seldom_looks_like_a_gain(controls: int, rows: int) -> None:
    found = [arm_effects(spending(seed, controls, rows))[0].estimates.values() for seed in range(200)]
    gains = np.array([[figure.value > 1.645 * figure.standard_error for figure in each] for each in found]).mean(axis=0)
    assert (gains <= 0.05).all()


def test_controls_who_are_all_alike_do_not_make_an_effect_sure() -> None:
    made = experiment(rows=400).rows(np.arange(400))
    alike = np.where(made.arm == 1, (made.outcome > 0).astype(float), 0.0)
    few = replace(made, outcome=alike).rows((made.arm == 1) | (np.cumsum(made.arm == 0) <= 30))
    plain = arm_effects(few)[0].estimates["difference in means"]
    spread, counts = few.outcome[few.arm == 1].var(ddof=1), few.counts
    assert plain.standard_error > 0.9 * np.sqrt(spread * counts[1] / len(few) * (1 / counts[0] + 1 / counts[1]))


def test_adjusting_for_what_drives_the_outcome_makes_the_interval_shorter() -> None:
    [found] = arm_effects(experiment())
    assert found.estimates["adjusted"].standard_error < 0.6 * found.estimates["difference in means"].standard_error


def test_weights_undo_propensities_that_follow_the_outcome() -> None:
    [found] = arm_effects(experiment(rows=20_000, uneven=True))
    assert abs(found.estimates["difference in means"].value - 0.5) > 0.3
    assert found.estimates["weighted"].low < 0.5 < found.estimates["weighted"].high
    assert found.estimates["adjusted"].low < 0.5 < found.estimates["adjusted"].high


def test_intervals_hold_the_truth_as_often_as_they_promise() -> None:
    held = dict.fromkeys(WAYS, 0)
    for seed in range(200):
        [found] = arm_effects(experiment(seed, rows=300, uneven=seed % 2 == 1))
        for way in {"weighted", "adjusted"} & set(found.estimates) if seed % 2 else {"difference in means", "adjusted"}:
            held[way] += found.estimates[way].low < 0.5 < found.estimates[way].high
    assert held["difference in means"] >= 90
    assert held["weighted"] >= 88
    assert held["adjusted"] >= 183


def test_rows_of_one_customer_do_not_count_as_several_customers() -> None:
    once = experiment(rows=400)
    thrice = once.rows(np.repeat(np.arange(400), 3))
    [alone], [repeated] = arm_effects(once), arm_effects(thrice)
    plain, again = (each.estimates["difference in means"] for each in (alone, repeated))
    assert again.value == pytest.approx(plain.value)
    assert again.standard_error == pytest.approx(plain.standard_error, rel=0.01)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000), shift=st.floats(-100, 100), scale=st.floats(0.1, 10))
def test_effects_follow_the_unit_of_the_outcome_and_no_shift(seed: int, shift: float, scale: float) -> None:
    made = experiment(seed, rows=200)
    [plain], [other] = arm_effects(made), arm_effects(replace(made, outcome=shift + scale * made.outcome))
    for way in plain.estimates:
        assert other.estimates[way].value == pytest.approx(scale * plain.estimates[way].value, rel=1e-6, abs=1e-6)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1_000))
def test_the_order_of_the_rows_changes_nothing(seed: int) -> None:
    made = experiment(seed, rows=200)
    [plain], [other] = arm_effects(made), arm_effects(made.rows(np.random.default_rng(seed).permutation(200)))
    for way in plain.estimates:
        assert other.estimates[way].value == pytest.approx(plain.estimates[way].value, abs=1e-9)


def test_missing_constant_and_repeated_features_disturb_no_adjustment() -> None:
    made = experiment()
    messy = made.matrix.copy()
    messy[::7, 1] = np.nan
    [found] = arm_effects(
        replace(made, matrix=np.column_stack([messy, messy[:, 0], np.ones(len(made)), np.full(len(made), np.nan)]))
    )
    assert found.best.low < 0.5 < found.best.high


def test_an_adjustment_has_few_features_where_an_arm_is_small() -> None:
    assert leading_components(np.random.default_rng(0).normal(size=(100, 30)), 2).shape == (100, 2)


def test_an_arm_that_is_too_small_is_refused() -> None:
    made = experiment()
    few = made.rows((made.arm == 1) | (np.cumsum(made.arm == 0) < LEAST_IN_ARM))
    with pytest.raises(HistoryError, match=r"29 rows of 'control', the control; 30 are needed"):
        checked(few)
    with pytest.raises(HistoryError, match="no rows of 'call', an arm"):
        checked(made.rows(made.arm == 0))


@pytest.mark.parametrize("wrong", [0.0, 1.0, -0.1, 1.1, np.nan])
def test_a_propensity_outside_0_and_1_is_refused(wrong: float) -> None:
    made = experiment()
    chances = made.propensity.copy()
    chances[3] = (1 - wrong, wrong)
    with pytest.raises(DataError, match="must lie between 0 and 1"):
        checked(replace(made, propensity=chances))


def test_propensities_that_the_arms_contradict_are_refused() -> None:
    made = experiment()
    own = np.where(made.arm == 1, 0.4, 0.6)  # the chance of each row's own arm, which is not the chance of treatment
    with pytest.raises(DataError, match=r"promises .* rows of 'control', but there are"):
        checked(replace(made, propensity=np.column_stack([1 - own, own])))


def test_an_outcome_that_is_not_known_is_refused() -> None:
    made = experiment()
    with pytest.raises(DataError, match="must be a finite number"):
        checked(replace(made, outcome=np.where(np.arange(len(made)) == 5, np.nan, made.outcome)))


def test_where_nobody_wrote_chances_down_they_are_the_shares() -> None:
    made = experiment()
    chances = observed_propensity(made.arm, 2)
    assert chances[0, 1] == pytest.approx(made.arm.mean())
    assert checked(replace(made, propensity=chances)).is_even
