from collections import Counter
from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from decisions.labels import RfmSegment
from decisions.schemes.rfm_segments import cells_of, rfm_cells, rfm_scores, rfm_segment
from decisions.schemes.verdict import History

EDGES = {"recency_days": (10.0, 30, 90, 200), "frequency": (1.0, 2, 4, 8), "monetary": (20.0, 50, 100, 400)}
ALL_CELLS = [*product(range(1, 6), repeat=3)]
column = arrays(np.float64, 30, elements=st.one_of(st.floats(0, 1000), st.just(np.nan)))


def test_the_segments_cover_all_125_cells_exactly_once():
    covered = Counter(cell for segment in RfmSegment for cell in cells_of(segment))
    assert covered == Counter(ALL_CELLS)


def test_every_cell_has_the_name_whose_boxes_hold_it():
    words = rfm_segment(np.array(ALL_CELLS)).words
    assert all(cell in cells_of(RfmSegment(word)) for cell, word in zip(ALL_CELLS, words, strict=True))


def test_scores_say_how_many_edges_are_passed_and_recent_is_high():
    scores = rfm_scores(
        np.array([10.0, 10.5, 200, 201, np.nan]), np.array([1.0, 2, 3, 9, 0]), np.array([0, 50, 51, 1e6, np.nan]), EDGES
    )
    assert scores.tolist() == [[5, 1, 1], [4, 2, 2], [2, 3, 3], [1, 5, 5], [1, 1, 1]]
    assert rfm_cells(scores).tolist() == ["511", "422", "233", "155", "111"]


@given(recency=column, frequency=column, monetary=column, was=st.sampled_from(["111", "333", "555", "152", None]))
def test_every_score_is_1_to_5_and_monotone_among_equal_histories(recency, frequency, monetary, was):
    scores = rfm_scores(recency, frequency, monetary, EDGES, History(np.full(30, was, dtype=object), 0.1))
    assert ((scores >= 1) & (scores <= 5)).all()
    for figure, score, sign in zip((recency, frequency, monetary), scores.T, (-1, 1, 1), strict=True):
        known = ~np.isnan(figure)
        assert (sign * np.diff(score[known][np.argsort(figure[known])]) >= 0).all()


def test_a_customer_near_an_edge_keeps_the_score():
    previous = np.array(["533", "433", "nonsense"], dtype=object)
    scores = rfm_scores(np.full(3, 10.5), np.full(3, 3.0), np.full(3, 60.0), EDGES, History(previous, 0.1))
    assert scores[:, 0].tolist() == [5, 4, 4]
