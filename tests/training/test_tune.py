"""A study repeats itself, goes on where it stopped, and never ends with less than the default recipe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import optuna

from training.data import TrainingData
from training.recipe import Recipe
from training.tune import _parameters, suggested, tune


def tuned(data: TrainingData, trials: int, storage_url: str | None = None) -> tuple[Recipe, list[tuple[int, float]]]:
    seen: list[tuple[int, float]] = []
    recipe = tune(
        data,
        trials=trials,
        seed=0,
        storage_url=storage_url,
        study_name="study",
        on_trial=lambda number, _, loss: seen.append((number, loss)),
    )
    return recipe, seen


def test_without_trials_the_default_recipe_is_used(shop_data: TrainingData):
    assert tuned(shop_data, 0) == (Recipe(), [])


def test_the_default_recipe_is_tried_first():
    trial = optuna.trial.FixedTrial(_parameters(Recipe()))
    assert suggested(trial) == Recipe()


def test_a_study_that_was_stopped_goes_on_as_if_it_had_not_been(shop_data: TrainingData, tmp_path):
    whole = tuned(shop_data, 3)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    first, second = tuned(shop_data, 2, url), tuned(shop_data, 3, url)
    assert second[0] == whole[0]
    assert first[1] + second[1] == whole[1]
    assert tuned(shop_data, 3, url) == (whole[0], [])


def test_a_study_sees_no_label_of_the_newest_backtest_date(shop_data: TrainingData):
    newest = shop_data.labelled_days[-1]
    unseen = shop_data.day + shop_data.horizon_days > newest
    other_future = replace(shop_data, churned=np.where(unseen, 1 - shop_data.churned, shop_data.churned), memo={})
    assert tuned(other_future, 2) == tuned(shop_data, 2)
