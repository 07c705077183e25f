"""A study repeats itself, goes on where it stopped, and never ends with less than the default recipe."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from keepwell.errors import ConfigError, HistoryError
from training.data import TrainingData
from training.fitting import OWN_SPREAD
from training.members.kinds import HISTORY
from training.metrics.intervals import direction
from training.recipe import Recipe
from training.tuning.objectives import OBJECTIVES, choose
from training.tuning.search import SPACE, UNPRUNED_TRIALS, Trial, Tuned, parameters_of, recipe_of, tune

PAIR = ("churn_empc", "value_mae")
NAMES = (*HISTORY, OWN_SPREAD, "spend_90d", "spend_365d", "purchase_days_90d", "gap_days_mean", "complaints_90d")


@pytest.fixture(scope="module")
def few(shop_data: TrainingData) -> TrainingData:
    """The shop with a handful of features: a study of it takes a moment."""
    columns = [shop_data.names.index(name) for name in NAMES]
    return replace(shop_data, names=NAMES, matrix=np.ascontiguousarray(shop_data.matrix[:, columns]), memo={})


def tuned(data: TrainingData, trials: int, storage_url: str | None = None, objectives=("overall_loss",)) -> Tuned:
    return tune(data, trials=trials, seed=0, objectives=objectives, storage_url=storage_url, study_name="study")


def test_without_trials_the_default_recipe_is_used(few: TrainingData):
    assert tuned(few, 0).recipe == Recipe()


def test_the_default_recipe_is_tried_first(few: TrainingData):
    first = tuned(few, 1).trials[0]
    assert recipe_of(first.parameters) == Recipe()
    assert set(first.parameters) == set(SPACE)


def test_trees_are_as_many_as_the_judges_want_but_no_fewer_than_usual(few: TrainingData):
    default, other = tuned(few, 2).trials
    assert default.recipe == Recipe()
    usual = Recipe().churn_trees.rounds
    assert all(usual <= trees.rounds <= 300 for trees in (other.recipe.churn_trees, other.recipe.amount_trees))
    assert parameters_of(other.recipe) == other.parameters


def test_a_study_that_was_stopped_goes_on_as_if_it_had_not_been(few: TrainingData, tmp_path):
    whole = tuned(few, UNPRUNED_TRIALS + 3)
    url = f"sqlite:///{tmp_path / 'study.db'}"
    tuned(few, 2, url)
    assert tuned(few, UNPRUNED_TRIALS + 3, url) == whole
    assert tuned(few, 2, url) == tuned(few, 2)


KILLED_IN_ITS_THIRD_TRIAL = """
    import os, signal, sys
    from dataclasses import replace
    from pathlib import Path
    import training.tuning.search as study
    from tests.training.conftest import AS_OF, HORIZON
    from features.reading.sources import read_company
    from training.data import training_data
    from training.run import one_blas_thread
    from tests.training.tuning.test_search import NAMES

    forecast, seen = study.Rehearsal.forecast, []
    def killed(self, recipe, seed):
        seen.append(recipe)
        if len(set(seen)) == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return forecast(self, recipe, seed)
    study.Rehearsal.forecast = killed
    with one_blas_thread():
        data = training_data(read_company(Path(sys.argv[1])), HORIZON, AS_OF)
        columns = [data.names.index(name) for name in NAMES]
        data = replace(data, names=NAMES, matrix=data.matrix[:, columns].copy())
        study.tune(data, trials=4, seed=0, storage_url=sys.argv[2], study_name="study")
"""


def test_a_study_that_was_killed_in_a_trial_ends_as_one_that_was_not(shop_folder: Path, few: TrainingData, tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    code = textwrap.dedent(KILLED_IN_ITS_THIRD_TRIAL)
    ended = subprocess.run([sys.executable, "-c", code, str(shop_folder), url], check=False, cwd=Path(__file__).parents[3])
    assert ended.returncode == -signal.SIGKILL
    states = [trial.state for trial in optuna.load_study(study_name=None, storage=url).get_trials()]
    assert states[-1] == optuna.trial.TrialState.RUNNING
    assert tuned(few, 4, url) == tuned(few, 4)


def test_every_trial_is_told_also_those_of_an_earlier_run(few: TrainingData, tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    tuned(few, 2, url)
    seen: list[Trial] = []
    found = tune(few, trials=3, seed=0, storage_url=url, study_name="study", on_trial=seen.append)
    assert tuple(seen) == found.trials
    assert [trial.number for trial in seen] == [0, 1, 2]


def test_a_trial_worse_than_the_median_is_given_up_and_never_chosen(few: TrainingData):
    found = tuned(few, 12)
    pruned = [trial for trial in found.trials if trial.pruned]
    whole = [trial for trial in found.trials if not trial.pruned]
    assert pruned
    assert all(trial.dates < whole[0].dates and trial.number >= UNPRUNED_TRIALS for trial in pruned)
    assert found.best == min(whole, key=lambda trial: trial.figures)
    assert found.chosen in (found.best, whole[0])


def test_a_study_of_two_objectives_ends_with_one_recipe_of_its_front(few: TrainingData):
    found = tuned(few, 4, objectives=PAIR)
    assert found.best in found.front
    assert found.chosen in (found.best, found.trials[0])
    assert all(len(trial.figures) == 2 for trial in found.trials)
    best = [max(trial.figures[0] for trial in found.trials), min(trial.figures[1] for trial in found.trials)]
    on_front = np.array([trial.figures for trial in found.front])
    assert [on_front[:, 0].max(), on_front[:, 1].min()] == best


@pytest.mark.parametrize("objective", sorted(OBJECTIVES))
def test_every_objective_can_be_sought(few: TrainingData, objective: str):
    assert np.isfinite(tuned(few, 1, objectives=(objective,)).trials[0].figures).all()


def test_only_settings_that_are_surely_better_replace_the_default_ones(few: TrainingData):
    found = tuned(few, 6)
    assert found.best is not None
    gains = np.array(found.trials[0].resampled) - np.array(found.best.resampled)  # a loss: lower is better
    assert (found.chosen == found.best) == (found.best == found.trials[0] or bool((gains > 0).mean() >= 0.9))


def test_a_study_sees_no_label_of_the_newest_backtest_date(few: TrainingData):
    newest = few.labelled_days[-1]
    unseen = few.day + few.horizon_days > newest
    other_future = replace(few, churned=np.where(unseen, 1 - few.churned, few.churned), memo={})
    assert tuned(other_future, 2) == tuned(few, 2)


@pytest.mark.parametrize(
    ("objectives", "said"),
    [
        (("sharpness",), "no objective 'sharpness'"),
        ((), "one objective or two, not 0"),
        (("churn_auc", "churn_empc", "value_mae"), "one objective or two, not 3"),
        (("value_total_ratio",), "no objective 'value_total_ratio'"),
    ],
)
def test_objectives_that_make_no_study_are_refused(few: TrainingData, objectives, said):
    with pytest.raises(ConfigError, match=said):
        tuned(few, 1, objectives=objectives)


def test_an_objective_that_the_data_do_not_allow_is_refused_in_words(few: TrainingData):
    nobody_pays = replace(few, value=np.where(np.isnan(few.value), np.nan, 0.0), memo={})
    with pytest.raises(HistoryError, match="value_rank_correlation cannot be measured"):
        tuned(nobody_pays, 1, objectives=("value_rank_correlation",))


@given(arrays(float, st.tuples(st.integers(1, 12), st.just(2)), elements=st.floats(-5, 5)))
def test_no_trial_beats_the_chosen_one_in_every_objective(figures):
    front, chosen = choose(figures, PAIR)
    upward = figures * [direction(name) for name in PAIR]
    better = (upward >= upward[chosen]).all(axis=1) & (upward > upward[chosen]).any(axis=1)
    assert not better.any()
    assert chosen in front
