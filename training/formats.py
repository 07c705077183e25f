"""Formats of a saved scorer: each change of what `Scorer.save` writes is a new number, and one function from the format before.

A model outlives the version that trained it, so a format is never dropped: `upgraded` takes what any version wrote, step by
step, to what this one reads. `tests/fixtures/model-v<number>` holds a model of each format, which
`scripts/make_model_fixture.py` made with the version of that time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from keepwell.errors import ModelError


def _tells_of_one_horizon(values: dict[str, Any]) -> dict[str, Any]:
    """Format 2 tells of further horizons."""
    return {**values, "further": None}


def _knows_no_habits(values: dict[str, Any]) -> dict[str, Any]:
    """Format 3 may weigh members by how customers buy; a blend without `own` weighs them alike."""
    return values


MIGRATIONS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _tells_of_one_horizon, 2: _knows_no_habits}
"""From a format to the next; a function gets the whole file as plain values, and need not set `format`."""

FORMAT = 1 + len(MIGRATIONS)
"""What this version writes."""


def upgraded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a saved scorer in today's format. ModelError for a format that this version does not know.

    >>> upgraded({"format": FORMAT, "refund_rate": 0.1})["refund_rate"]
    0.1
    """
    found = values.get("format")
    if type(found) is not int or not 1 <= found <= FORMAT:
        hint = "use the version of Keepwell that made it, or a newer one; or train again"
        raise ModelError(f"the model has format {found}, and this version reads 1 to {FORMAT}", hint=hint)
    upgraded = dict(values)
    for step in range(found, FORMAT):
        upgraded = {**MIGRATIONS[step](upgraded), "format": step + 1}
    return upgraded
