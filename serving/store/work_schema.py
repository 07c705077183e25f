"""The tables of what came of plans: each step of an outcome, and whom nobody may contact."""

from __future__ import annotations

from sqlalchemy import Column, Date, Float, Index, Integer, String, Table, Text

from serving.store.schema import PERSON_CHARACTERS, UtcDateTime, metadata

# One row is one thing that happened to one customer. `key` is the sender's own: what comes twice under one key counts once.
outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("company", String(200), nullable=False),
    Column("key", String(200), nullable=False),
    Column("customer_id", String(500), nullable=False),
    Column("action", String(100)),
    Column("step", String(20), nullable=False),
    Column("happened_on", Date, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("recorded_by", String(PERSON_CHARACTERS)),
    Column("plan_id", Integer),
    Column("arm", String(10)),
    Column("propensity", Float),
    Column("cost", Float),
    Column("reason", String(50)),
    Column("note", Text),
    sqlite_autoincrement=True,
)
Index("ix_outcomes_key", outcomes.c.company, outcomes.c.key, unique=True)
Index("ix_outcomes_customer", outcomes.c.company, outcomes.c.customer_id, outcomes.c.happened_on)
Index("ix_outcomes_day", outcomes.c.company, outcomes.c.happened_on)

do_not_contact = Table(
    "do_not_contact",
    metadata,
    Column("company", String(200), primary_key=True),
    Column("customer_id", String(500), primary_key=True),
    Column("since", Date, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("recorded_by", String(PERSON_CHARACTERS)),
    Column("note", Text),
    sqlite_with_rowid=False,
)
