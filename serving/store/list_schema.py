"""The table of lists: of each load, in columns, what its customers are searched, filtered and sorted by."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, Table

from serving.store.schema import metadata

# A load never changes, so this copy of some of its columns cannot go stale; it goes when its load goes.
score_lists = Table(
    "score_lists",
    metadata,
    Column("load_id", Integer, ForeignKey("loads.id", ondelete="CASCADE"), primary_key=True),
    Column("columns", LargeBinary, nullable=False),
)
