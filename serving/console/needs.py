"""What a column that a plan lacks is about, in the words of people."""

from __future__ import annotations

from features.catalog import entry_of
from serving.console.language import spoken
from serving.console.text import known, label, t


def needed(column: str) -> str:
    """What a column of an action's condition is about, and the table that brings it where that is known.

    >>> needed("days_to_birthday"), needed("attr_branch")
    ("the customer's birthday (table customers)", 'Branch (table customers)')
    """
    if known(f"needs.{column}"):
        return t(f"needs.{column}")
    entry = entry_of(column)
    if entry is None:
        return t(f"column.{column}") if known(f"column.{column}") else label("column", column)
    return t("needs", what=entry.title if spoken() == "en" else entry.title_zh, table=entry.table)
