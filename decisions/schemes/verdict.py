"""What all schemes of words share: a word for each customer, why it is that word, and hysteresis on the edges between words.

Hysteresis: on the edge between two words, who was on one side at the last scoring stays there until well beyond the edge. So
noise on the edge moves nobody to and fro, and among customers of the same previous word more of what drives a scheme never means
a worse word.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from decisions.columns import Bools, Floats, Ints, Texts, words
from decisions.labels import Label


@dataclass(frozen=True)
class History:
    """What the last scoring said in one scheme, and how far beyond an edge a customer must be to leave its side.

    `previous` words (n,), None for nothing; `band` is a share of the edge. Customers are compared within their group of
    `groups` (n,), or all with all (None).
    """

    previous: Texts | None = None
    band: float = 0.0
    groups: Ints | None = None


@dataclass(frozen=True)
class Verdict:
    """One scheme's outcome: `codes` (n,) are positions in `labels`; `why(row)` says in words what decided a row."""

    labels: tuple[Label, ...]
    codes: Ints
    why: Callable[[int], str]

    @property
    def words(self) -> Texts:
        """The word of each customer, shape (n,)."""
        return words(self.labels, self.codes)


@dataclass(frozen=True)
class Case:
    """`label` where `holds` (n,); `why` is a format of the `figures`, each a number or of shape (n,)."""

    label: Label
    holds: Bools
    why: str
    figures: tuple[Floats | float, ...] = ()


def first_case(*cases: Case, otherwise: Label, why: str) -> Verdict:
    """The label of the first case that holds, else `otherwise`: every customer has exactly one, whatever is missing."""
    labels = tuple(type(otherwise))
    places = [labels.index(case.label) for case in cases]
    holding = [case.holds for case in cases]
    codes = np.select(holding, places, labels.index(otherwise))

    def reason(row: int) -> str:
        for case in cases:
            if case.holds[row]:
                figures = (float(np.broadcast_to(each, codes.shape)[row]) for each in case.figures)
                return case.why.format(*(figure + 0.0 for figure in figures))  # a zero has no sign
        return why

    return Verdict(labels, codes, reason)


def codes_of(labels: Sequence[Label], texts: Texts | None, rows: int) -> Ints:
    """The positions of `texts` in `labels`, shape (rows,); -1 where there is no text, or one that is no label of these."""
    codes = np.full(rows, -1)
    if texts is not None:
        for code, label in enumerate(labels):
            codes[np.asarray(texts, dtype=object) == str(label)] = code
    return codes


def sides(previous: Texts | None, beyond: Collection[Label], rows: int) -> Ints:
    """On which side of an edge each customer was: 1 with a previous word in `beyond`, -1 with another one, 0 without history."""
    labels = tuple(type(next(iter(beyond))))
    side_of = np.array([1 if label in beyond else -1 for label in labels] + [0])
    return side_of[codes_of(labels, previous, rows)]


def held(edge: Floats | float, side: Ints, band: float, *, most: float | None = None) -> Floats:
    """The edge of each customer: lower by `band` of it for who was beyond it (`side` 1), as much higher for who was not (-1).

    `edge` is 0 or more. Where the figure cannot exceed `most` (a share: 1), the edge moves by no more than half the room above
    it, so that what lies beyond can still be reached.

    >>> held(0.9, np.array([-1, 0, 1]), 0.1, most=1.0)
    array([0.95, 0.9 , 0.85])
    """
    if most is None:
        return np.asarray(edge * (1 - side * band))
    return np.asarray(edge - side * np.minimum(band * edge, (most - edge) / 2))


def moves(verdicts: Mapping[str, Verdict], previous: Mapping[str, Texts | None], rows: int) -> Texts:
    """What changed for each customer since the last scoring, and why: texts of shape (rows,), None where nothing has.

    A move reads `value_tier: major -> VIP (expected value 1,320.00 is above 1,200.00)`; several have "; " between them.
    """
    told: dict[int, list[str]] = {}
    for scheme, verdict in verdicts.items():
        was = codes_of(verdict.labels, previous.get(scheme), rows)
        for row in np.flatnonzero((was >= 0) & (was != verdict.codes)).tolist():
            step = f"{verdict.labels[was[row]]} -> {verdict.labels[verdict.codes[row]]}"
            told.setdefault(row, []).append(f"{scheme}: {step} ({verdict.why(row)})")
    return _texts_at({row: "; ".join(each) for row, each in told.items()}.items(), rows)


def _texts_at(texts: Iterable[tuple[int, str]], rows: int) -> Texts:
    column = np.full(rows, None, dtype=object)
    for row, text in texts:
        column[row] = text
    return column
