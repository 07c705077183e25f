"""Every member explains its forecasts exactly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from training.members.kinds import LifetimeMember
from training.scorer import MEMBERS, Scorer


def test_contributions_of_every_member_sum_to_its_forecast(scorer: Scorer, matrix: np.ndarray):
    assert {member.name for member in scorer.members} == {"linear", "trees", "lifetime"}
    for member in scorer.members:
        for forecast, explained in ((member.churn_logit, member.churn_sum), (member.log_amount, member.amount_sum)):
            values, base = explained(matrix)
            assert values.shape == matrix.shape
            assert values.sum(1) + base == pytest.approx(forecast(matrix), abs=1e-9)


def test_json_brings_every_member_back_to_the_same_bits(scorer: Scorer, matrix: np.ndarray):
    for member in scorer.members:
        again = MEMBERS[member.name].from_dict(json.loads(json.dumps(member.to_dict())))
        assert np.array_equal(again.churn_logit(matrix), member.churn_logit(matrix))
        assert np.array_equal(again.log_amount(matrix), member.log_amount(matrix))


def test_buy_till_you_die_speaks_of_its_own_columns_alone(scorer: Scorer, matrix: np.ndarray):
    lifetime = scorer.members[-1]
    assert isinstance(lifetime, LifetimeMember)
    others = np.setdiff1d(np.arange(matrix.shape[1]), lifetime.columns)
    assert not lifetime.churn_sum(matrix)[0][:, others].any()
    unknown = matrix.copy()
    unknown[:, others] = np.nan
    assert np.array_equal(lifetime.churn_logit(unknown), lifetime.churn_logit(matrix))
