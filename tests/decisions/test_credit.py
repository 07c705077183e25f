import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.credit import credit_grade, payment_record
from serving.policy import read_policy

POLICY = read_policy().credit
NEVER = 2**31 - 1
share = st.one_of(st.floats(0, 1), st.just(np.nan))
days = st.one_of(st.integers(0, 400).map(float), st.just(np.nan))


def test_the_record_counts_what_was_due_before_the_day():
    record = payment_record(
        customer=np.array([0, 0, 0, 1, 2, 2]),
        due_day=np.array([10, 20, 90, 100, 30, 50]),
        paid_day=np.array([10, 25, NEVER, NEVER, 120, NEVER]),
        as_of_day=100,
        customers=4,
    )
    # Customer 1's invoice is due on the day itself; what customer 2 pays on day 120 is not known yet.
    np.testing.assert_allclose(record["payments_late_share"], [2 / 3, np.nan, 1, np.nan])
    np.testing.assert_array_equal(record["payments_overdue_days"], [10, np.nan, 70, np.nan])


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), st.integers(0, 120)), max_size=30),
    st.lists(st.tuples(st.integers(0, 3), st.integers(50, 90), st.integers(50, 120)), max_size=10),
)
def test_later_invoices_and_payments_change_nothing(past, later):
    as_of = 50

    def record(rows):
        who, due, paid = np.array(rows, dtype=np.int64).reshape(-1, 3).T
        return payment_record(who, due, paid, as_of_day=as_of, customers=4)

    blinded = [(who, due, paid if paid < as_of else NEVER) for who, due, paid in past if due < as_of]
    for name, column in record(past + later).items():
        np.testing.assert_array_equal(column, record(blinded)[name])


@given(arrays(np.float64, 30, elements=share), arrays(np.float64, 30, elements=days), st.floats(0, 1), st.integers(0, 90))
def test_the_grade_is_total_where_there_are_invoices_and_worse_payment_never_betters_it(late, overdue, more_late, more_days):
    before = credit_grade(late, overdue, POLICY)
    after = credit_grade(np.minimum(late + more_late, 1), overdue + more_days, POLICY)
    for was, became, share_, days_ in zip(before, after, late, overdue, strict=True):
        if np.isnan(share_) or np.isnan(days_):
            assert was is None
        else:
            assert "A" <= was <= became <= "D"


def test_grades_at_their_limits():
    grades = credit_grade(np.array([0, 0.05, 0.3, 0.0, 0.0]), np.array([0.0, 0, 0, 1, 60]), POLICY)
    assert grades.tolist() == ["A", "B", "C", "C", "D"]
