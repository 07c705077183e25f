"""Recency, frequency and money as scores from 1 to 5, as one of 125 cells, and as a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from decisions.columns import Floats, Ints, Texts
from decisions.labels import RfmSegment
from decisions.schemes.verdict import History, Verdict, held

SCORES = 5
Span = tuple[int, int]
Box = tuple[Span, Span, Span]

BOXES: Mapping[RfmSegment, tuple[Box, ...]] = {
    RfmSegment.CHAMPION: (((4, 5), (4, 5), (4, 5)),),
    RfmSegment.LOYAL: (((4, 5), (4, 5), (1, 3)), ((3, 3), (4, 5), (1, 5))),
    RfmSegment.BIG_SPENDER: (((3, 5), (1, 3), (5, 5)),),
    RfmSegment.GROWING: (((4, 5), (2, 3), (1, 4)),),
    RfmSegment.NEWCOMER: (((5, 5), (1, 1), (1, 4)),),
    RfmSegment.PROMISING: (((4, 4), (1, 1), (1, 4)),),
    RfmSegment.NEEDS_ATTENTION: (((3, 3), (2, 3), (1, 4)),),
    RfmSegment.ABOUT_TO_SLEEP: (((3, 3), (1, 1), (1, 4)),),
    RfmSegment.AT_RISK: (((2, 2), (3, 5), (1, 5)), ((1, 1), (3, 3), (1, 5))),
    RfmSegment.CANNOT_LOSE: (((1, 1), (4, 5), (1, 5)),),
    RfmSegment.HIBERNATING: (((2, 2), (1, 2), (1, 5)),),
    RfmSegment.GONE: (((1, 1), (1, 2), (1, 5)),),
}
"""The cells of each segment: boxes of R, F and M scores, both ends included."""


def cells_of(segment: RfmSegment) -> set[tuple[int, int, int]]:
    """The (R, F, M) cells of a segment.

    >>> cells_of(RfmSegment.NEWCOMER) == {(5, 1, 1), (5, 1, 2), (5, 1, 3), (5, 1, 4)}
    True
    """
    spans = (product(*(range(low, high + 1) for low, high in box)) for box in BOXES[segment])
    return {(r, f, m) for cells in spans for r, f, m in cells}


def rfm_scores(
    recency_days: Floats,
    frequency: Floats,
    monetary: Floats,
    edges: Mapping[str, Sequence[float]],
    history: History = History(),
) -> Ints:
    """The R, F and M scores, 1 to 5 and 5 the best, of shape (n, 3).

    `edges` are the four inner quintile edges of a population by `recency_days`, `frequency` and `monetary`, as a model stores
    them: a score says how many of them are passed. The previous words of `history` are cells, as 543. A missing number passes no
    edge.
    """
    was = previous_scores(history.previous, recency_days.size)
    figures = {"recency_days": (-1, recency_days), "frequency": (1, frequency), "monetary": (1, monetary)}
    columns = [
        _score(figure, edges[name], sign, was[:, place], history.band)
        for place, (name, (sign, figure)) in enumerate(figures.items())
    ]
    return np.stack(columns, axis=1)


def _score(figure: Floats, edges: Sequence[float], sign: int, was: Ints, band: float) -> Ints:
    """1 and the number of `edges` (rising) that are passed: by lying above for `sign` 1, at or below for -1."""
    score = np.ones(figure.size, dtype=np.int64)
    for place, edge in enumerate(edges):
        passed_from = place + 2 if sign > 0 else SCORES - place
        side = np.where(was == 0, 0, np.where(was >= passed_from, 1, -1))
        eased = held(edge, sign * side, band)
        score += figure > eased if sign > 0 else figure <= eased
    return score


def previous_scores(cells: Texts | None, rows: int) -> Ints:
    """The three scores that texts such as 543 stand for, shape (rows, 3); 0 where there is no such text."""
    scores = np.zeros((rows, 3), dtype=np.int64)
    if cells is not None:
        known, place = np.unique(np.array([str(cell) for cell in cells.tolist()]), return_inverse=True)
        read = [[int(digit) for digit in cell] if _is_cell(cell) else [0, 0, 0] for cell in known.tolist()]
        scores = np.array(read, dtype=np.int64).reshape(-1, 3)[place]
    return scores


def _is_cell(text: str) -> bool:
    return len(text) == 3 and set(text) <= set("12345")


def rfm_cells(scores: Ints) -> Texts:
    """Scores of shape (n, 3) as texts.

    >>> rfm_cells(np.array([[5, 4, 3]])).tolist()
    ['543']
    """
    cells: Texts = (scores @ np.array([100, 10, 1])).astype("<U3")
    return cells


def rfm_segment(scores: Ints) -> Verdict:
    """The name of each customer's cell; `scores` of shape (n, 3)."""
    labels = tuple(RfmSegment)
    code_of = np.zeros((SCORES, SCORES, SCORES), dtype=np.int64)
    for code, segment in enumerate(labels):
        for r, f, m in cells_of(segment):
            code_of[r - 1, f - 1, m - 1] = code
    codes = code_of[tuple(scores.T - 1)]
    return Verdict(labels, codes, lambda row: "R{} F{} M{}".format(*scores[row].tolist()))


def previous_segments(cells: Texts | None, rows: int) -> Texts:
    """The names of the cells of the last scoring, None where there was none."""
    scores = previous_scores(cells, rows)
    known = scores[:, 0] > 0
    names = np.full(rows, None, dtype=object)
    names[known] = rfm_segment(scores[known]).words
    return names
