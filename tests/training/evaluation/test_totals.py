"""What was promised all customers together, at earlier dates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from decisions.reviews.figures import ratio_error
from training.evaluation.backtest import NOT_TESTED, Backtest
from training.evaluation.totals import as_plain, from_plain, total, totals


def test_a_total_for_each_date_of_a_backtest_and_none_without(tested: Backtest) -> None:
    found = totals(tested)
    assert [each.as_of for each in found] == [fold.as_of for fold in tested.folds]
    assert [each.came for each in found] == [pytest.approx(fold.value.sum()) for fold in tested.folds]
    assert totals(NOT_TESTED) == ()


def test_a_rival_that_is_handed_out_is_what_promised(tested: Backtest) -> None:
    rival = next(iter(tested.folds[0].rivals))
    [first, *_] = totals(replace(tested, champion=rival))
    assert first.promised == pytest.approx(tested.folds[0].rivals[rival].expected_value.sum())


def test_a_date_without_values_tells_nothing(tested: Backtest) -> None:
    fold = tested.folds[0]
    unknown = replace(fold, value=np.full(len(fold.value), np.nan))
    assert totals(replace(tested, folds=(unknown,))) == ()


def test_totals_are_kept_and_read_again_and_their_error_is_that_of_decisions(tested: Backtest) -> None:
    found = totals(tested)
    assert from_plain(as_plain(found)) == found
    fold = tested.folds[0]
    assert total(fold.as_of, fold.predictions.expected_value, fold.value).error == pytest.approx(
        ratio_error(fold.value, fold.predictions.expected_value)
    )
