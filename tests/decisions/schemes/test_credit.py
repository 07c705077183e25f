import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.schemes.credit import credit_grade
from serving.plans.policy import read_policy

POLICY = read_policy().credit
share = st.one_of(st.floats(0, 1), st.just(np.nan))
days = st.one_of(st.integers(0, 400).map(float), st.just(np.nan))


@given(arrays(np.float64, 30, elements=share), arrays(np.float64, 30, elements=days), st.floats(0, 1), st.integers(0, 90))
def test_the_grade_is_total_where_there_are_invoices_and_worse_payment_never_betters_it(late, overdue, more_late, more_days):
    before = credit_grade(late, overdue, POLICY)
    after = credit_grade(np.minimum(late + more_late, 1), overdue + more_days, POLICY)
    for was, became, share_ in zip(before, after, late, strict=True):
        if np.isnan(share_):
            assert was is None
        else:
            assert "A" <= was <= became <= "D"


def test_grades_at_their_limits():
    grades = credit_grade(np.array([0, 0.05, 0.3, 0.0, 0.0]), np.array([np.nan, np.nan, 0, 1, 60]), POLICY)
    assert grades.tolist() == ["A", "B", "C", "C", "D"]
