"""What the oracles of all builders are written in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Queries = Mapping[str, tuple[str, str]]
"""Feature -> (relation, aggregate per customer), in SQL; $day is the day number of as_of.

Who has no row in the relation has NULL, unless the aggregate is "coalesce(..., 0)": then 0.
"""

DAYS = (30, 90, 180, 365)


@dataclass(frozen=True)
class Oracle:
    """The features of a builder in SQL: statements that create relations out of the normalised tables, and the queries on them.

    Relations of other builders may be used; they are created in the order of `tests.features.oracle.ORACLES`.
    """

    relations: str
    queries: Queries


def for_each_window(queries: Callable[[str, str], Queries]) -> Queries:
    """`queries(label, condition)` of every window; the condition is on the column `day` of a relation."""
    windows = {**{f"{days}d": f"day >= $day - {days}" for days in DAYS}, "all": "true"}
    return {name: query for label, ages in windows.items() for name, query in queries(label, ages).items()}
