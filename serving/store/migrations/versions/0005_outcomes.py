"""What came of plans: controls and their propensities, who has taken what, outcomes, and whom nobody may contact."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0005"
down_revision: str | None = "0004"

_Columns = tuple[tuple[str, TypeEngine[Any]], ...]

_PLAN_COLUMNS: _Columns = (("approved_at", sa.DateTime(timezone=True)), ("approved_by", sa.String(200)))
_ITEM_COLUMNS: _Columns = (
    ("arm", sa.String(10)),
    ("propensity", sa.Float()),
    ("assigned_to", sa.String(200)),
    ("taken_by", sa.String(200)),
    ("taken_at", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    """Add the columns, create the tables; plans from before have no controls."""
    for name, kind in _PLAN_COLUMNS:
        op.add_column("plans", sa.Column(name, kind))
    for name, kind in _ITEM_COLUMNS:
        op.add_column("plan_items", sa.Column(name, kind))
    _create_outcomes()
    _create_do_not_contact()


def downgrade() -> None:
    """Drop both tables and the columns."""
    op.drop_table("do_not_contact")
    op.drop_table("outcomes")
    for name, _ in _ITEM_COLUMNS:
        op.drop_column("plan_items", name)
    for name, _ in _PLAN_COLUMNS:
        op.drop_column("plans", name)


def _create_outcomes() -> None:
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("customer_id", sa.String(500), nullable=False),
        sa.Column("action", sa.String(100)),
        sa.Column("step", sa.String(20), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(200)),
        sa.Column("plan_id", sa.Integer()),
        sa.Column("arm", sa.String(10)),
        sa.Column("propensity", sa.Float()),
        sa.Column("cost", sa.Float()),
        sa.Column("reason", sa.String(50)),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_outcomes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outcomes_key", "outcomes", ["company", "key"], unique=True)
    op.create_index("ix_outcomes_customer", "outcomes", ["company", "customer_id", "happened_on"])
    op.create_index("ix_outcomes_day", "outcomes", ["company", "happened_on"])


def _create_do_not_contact() -> None:
    op.create_table(
        "do_not_contact",
        sa.Column("company", sa.String(200), nullable=False),
        sa.Column("customer_id", sa.String(500), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_by", sa.String(200)),
        sa.Column("note", sa.Text()),
        sa.PrimaryKeyConstraint("company", "customer_id", name="pk_do_not_contact"),
        sqlite_with_rowid=False,
    )
