"""Rules of one column answer what came of customers like that."""

from __future__ import annotations

import numpy as np
import pytest

from training.members.rules import fit_steps


def test_each_bin_answers_its_own_rate():
    x = np.repeat([1.0, 10.0], 1_000)[:, None]
    y = np.concatenate([np.repeat([0.0, 1.0], [800, 200]), np.repeat([0.0, 1.0], [100, 900])])
    steps = fit_steps(x, 0, y, "logit")
    rates = 1 / (1 + np.exp(-steps.predict(np.array([[1.0], [2.0], [10.0], [99.0]]))))
    assert rates == pytest.approx([0.2, 0.2, 0.9, 0.9], abs=0.01)


def test_a_missing_value_has_an_answer_of_its_own_bin():
    x = np.array([[1.0], [2.0], [np.nan], [np.nan]])
    steps = fit_steps(x, 0, np.array([1.0, 1.0, 5.0, 5.0]), "log")
    assert np.isfinite(steps.predict(x)).all()


def test_a_column_without_values_answers_the_mean():
    steps = fit_steps(np.full((20, 1), np.nan), 0, np.full(20, 4.0), "log")
    assert np.exp(steps.predict(np.array([[3.0], [np.nan]]))) == pytest.approx(4.0)
