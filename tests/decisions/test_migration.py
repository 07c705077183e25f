import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from decisions.labels import Tier
from decisions.migration import Flow, migration

words = st.sampled_from([*map(str, Tier), None])
moves = st.lists(st.tuples(words, words, st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), min_size=1, max_size=80)


def matrix(rows):
    was, now, before, after = zip(*rows, strict=True)
    texts = (np.array(column, dtype=object) for column in (was, now))
    return migration(tuple(Tier), *texts, np.array(before, float), np.array(after, float))


@given(rows=moves)
def test_every_customer_who_was_scored_is_in_one_cell_with_their_value(rows):
    scored = [row for row in rows if row[0] is not None or row[1] is not None]
    flows = matrix(rows)
    assert sum(flow.customers for flow in flows) == len(scored)
    assert len({(flow.was, flow.now) for flow in flows}) == len(flows)
    for flow in flows:
        cell = [row for row in rows if row[:2] == (flow.was, flow.now)]
        assert flow.customers == len(cell)
        np.testing.assert_allclose(flow.value_before, sum(row[2] for row in cell), atol=1e-6)
        np.testing.assert_allclose(flow.value_now, sum(row[3] for row in cell), atol=1e-6)


def test_the_matrix_names_who_came_who_went_and_who_stayed():
    flows = matrix([("VIP", "VIP", 90, 95), ("VIP", "major", 80, 60), ("small", None, 2, np.nan), (None, "small", np.nan, 3)])
    assert flows == (
        Flow("VIP", "VIP", 1, 90, 95),
        Flow("VIP", "major", 1, 80, 60),
        Flow("small", None, 1, 2, 0),
        Flow(None, "small", 1, 0, 3),
    )
    assert [flow.stayed for flow in flows] == [True, False, False, False]
