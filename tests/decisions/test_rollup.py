import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.rollup import SUMMED, roll_up
from keepwell.errors import DataError

rows = st.integers(1, 40)


@given(data=st.data(), count=rows)
def test_groups_hold_every_customer_once_and_add_up_to_the_whole(data, count):
    names = np.array(data.draw(st.lists(st.sampled_from(["anna", "bo", None]), min_size=count, max_size=count)), dtype=object)
    columns = {name: data.draw(arrays(np.float64, count, elements=st.floats(-1e6, 1e6))) for name in SUMMED}
    groups = roll_up({**columns, "churn_probability": np.full(count, 0.25)}, names)
    assert sum(group.customers for group in groups) == count
    assert {group.name for group in groups} == set(names.tolist())
    for name, column in columns.items():
        assert sum(getattr(group, name) for group in groups) == pytest.approx(column.sum(), abs=1e-3)
    assert all(group.churn_probability == pytest.approx(0.25) for group in groups)


def test_groups_come_by_value_and_those_without_a_name_last():
    names = np.array(["small", None, "big"], dtype=object)
    columns = dict.fromkeys(SUMMED, np.array([1.0, 50.0, np.nan])) | {"churn_probability": np.zeros(3)}
    columns["expected_value"] = np.array([1.0, 50.0, 9.0])
    groups = roll_up(columns, names)
    assert [group.name for group in groups] == ["big", "small", None]
    assert groups[0].current_value == 0, "a missing amount adds nothing"


def test_in_a_given_order_a_name_that_nobody_has_is_there_too():
    columns = dict.fromkeys((*SUMMED, "churn_probability"), np.array([1.0]))
    groups = roll_up(columns, np.array(["b"], dtype=object), ["a", "b"])
    assert [(group.name, group.customers) for group in groups] == [("a", 0), ("b", 1)]
    assert np.isnan(groups[0].churn_probability)


def test_scores_without_the_amounts_are_refused():
    with pytest.raises(DataError, match=r"scores\.expected_value: is missing, and a roll-up needs it"):
        roll_up({"churn_probability": np.zeros(1)}, np.array(["a"], dtype=object))
