"""What actions earned: a true effect is found, none is not, and few controls do not mislead."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from training.uplift.earned import DRAWS, NO_CONTROLS, Earned, earned, together


def drawn(rows: int, chance: float, effect: float, seed: int, experiment: str = "plan 1") -> pl.DataFrame:
    """Customers whose spend is as skewed as spend is: most bring nothing, a few very much."""
    random = np.random.default_rng(seed)
    expected = np.exp(random.normal(3, 1, rows)) * random.random(rows) ** 2
    came = np.where(random.random(rows) < 0.4, expected / 0.4 * np.exp(random.normal(-0.5, 1, rows)), 0.0)
    treated = random.random(rows) < chance
    return pl.DataFrame(
        {
            "customer_id": [f"{experiment} {row}" for row in range(rows)],
            "action": "call",
            "experiment": experiment,
            "arm": np.where(treated, "treated", "control"),
            "propensity": chance,
            "cost": np.where(treated, 2.0, 0.0),
            "value": came + effect * treated,
            "expected_value": expected,
        }
    )


def test_bounds_hold_the_true_effect_nine_times_in_ten() -> None:
    found = [earned(drawn(600, 0.5, 6.0, seed=seed))["call"] for seed in range(100)]
    held = [each.bounds[0] <= 6.0 * each.treated <= each.bounds[1] for each in found]
    assert 0.83 <= np.mean(held) <= 0.97
    assert all(each.bounds[0] < each.value < each.bounds[1] and each.cost == 2.0 * each.treated for each in found)


@pytest.mark.parametrize(("rows", "chance"), [(500, 0.9), (120, 0.5)])
def test_an_action_without_effect_seldom_looks_as_if_it_surely_did_something(rows: int, chance: float) -> None:
    bounds = np.array([earned(drawn(rows, chance, 0.0, seed))["call"].bounds for seed in range(200)])
    assert (bounds[:, 0] > 0).mean() <= 0.1, "one in twenty is promised"
    assert (bounds[:, 1] < 0).mean() <= 0.1


def test_the_same_data_give_the_same_bounds() -> None:
    rows = drawn(300, 0.5, 1.0, seed=1)
    assert earned(rows)["call"].bounds == earned(rows)["call"].bounds


def test_experiments_are_judged_by_themselves_and_add_up() -> None:
    one, two = drawn(400, 0.5, 3.0, seed=2), drawn(400, 0.8, 3.0, seed=3, experiment="contacts")
    both = earned(pl.concat([one, two]))["call"]
    first, second = earned(one)["call"], earned(two)["call"]
    assert both.value == pytest.approx(first.value + second.value)
    assert (both.treated, both.cost) == (first.treated + second.treated, first.cost + second.cost)


def test_of_two_experiments_the_one_with_enough_controls_counts() -> None:
    one, few = drawn(400, 0.5, 3.0, seed=2), drawn(40, 0.9, 100.0, seed=3, experiment="plan 2")
    assert earned(pl.concat([few, one]))["call"].value == pytest.approx(earned(one)["call"].value)


def test_why_nothing_is_known_is_told() -> None:
    rows = drawn(100, 0.5, 0.0, seed=0)
    treated = rows.filter(pl.col("arm") == "treated")
    assert earned(treated)["call"].unknown == NO_CONTROLS
    assert earned(rows.with_columns(arm=pl.lit(None, pl.String)))["call"].unknown == NO_CONTROLS
    few = pl.concat([treated, rows.filter(pl.col("arm") == "control").head(1)])
    assert earned(few)["call"].unknown.startswith("what it brought cannot be known: 1 control and ")
    sure = rows.with_columns(propensity=pl.lit(1.0))
    assert "propensity" in earned(sure)["call"].unknown


def test_chances_that_nobody_wrote_down_are_those_that_were_seen() -> None:
    rows = drawn(2000, 0.5, 6.0, seed=0)
    told, seen = earned(rows)["call"], earned(rows.with_columns(propensity=pl.lit(None, pl.Float64)))["call"]
    assert seen.value == pytest.approx(told.value, rel=0.05)


def test_a_customer_who_was_not_scored_counts_with_the_mean() -> None:
    rows = drawn(300, 0.5, 5.0, seed=4).with_columns(expected_value=pl.lit(None, pl.Float64))
    assert not earned(rows)["call"].unknown


def test_the_same_customers_are_drawn_anew_for_each_action() -> None:
    """Errors of actions are added up as independent, which they are not where one draw serves all."""
    rows = drawn(400, 0.5, 1.0, seed=5)
    call, mail = earned(pl.concat([rows, rows.with_columns(action=pl.lit("mail"))])).values()
    assert abs(np.corrcoef(call.errors, mail.errors)[0, 1]) < 0.2
    assert together([call, mail]).errors.std() < 1.6 * call.errors.std()


def test_all_actions_together_are_the_sum_of_those_that_are_known() -> None:
    known, unknown = Earned(10, 5.0, 20.0, np.full(DRAWS, 1.0)), Earned(unknown="nobody knows")
    assert together([known, unknown]).bounds == (19.0, 19.0)
    assert together([unknown]).unknown == "no action had enough controls"
