"""The first schema: loads, scores, feature rows, events, plans and their items."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None


def upgrade() -> None:
    """Create every table."""
    _create_loads()
    _create_scores()
    _create_feature_rows_and_events()
    _create_plans()


def downgrade() -> None:
    """Drop every table."""
    for table in ("plan_items", "plans", "events", "feature_rows", "scores", "loads"):
        op.drop_table(table)


def _create_loads() -> None:
    op.create_table(
        "loads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("company", sa.String(200), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("data_until", sa.Date(), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("model_version", sa.String(100), nullable=False),
        sa.Column("model_family", sa.String(100), nullable=False),
        sa.Column("grade", sa.String(10), nullable=False),
        sa.Column("currency", sa.String(3)),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("feature_names", sa.JSON(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_loads"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_loads_current",
        "loads",
        ["company", "horizon_days"],
        unique=True,
        sqlite_where=sa.text("current = 1"),
        postgresql_where=sa.text("current"),
    )


def _create_scores() -> None:
    amounts = ("value_low", "value_high", "value_at_risk", "current_value", "potential_value", "lifetime_value")
    labels = ("status", "value_tier", "quadrant", "lifecycle", "loyalty", "relation", "credit_grade", "service_level")
    op.create_table(
        "scores",
        *_of_a_load("scores"),
        sa.Column("name", sa.String(200)),
        sa.Column("owner", sa.Text()),
        sa.Column("churn_probability", sa.Float(), nullable=False),
        sa.Column("expected_value", sa.Float()),
        *(sa.Column(amount, sa.Float()) for amount in amounts),
        *(sa.Column(label, sa.String(50)) for label in labels),
        sa.Column("next_category", sa.Text()),
        sa.Column("complaints_open", sa.Integer()),
        sa.Column("reasons", sa.Text()),
        sa.PrimaryKeyConstraint("load_id", "customer_id", name="pk_scores"),
        sqlite_with_rowid=False,
    )
    listed = ("value_at_risk", "customer_id", "name", "churn_probability", "expected_value", "lifetime_value")
    words = ("status", "value_tier", "quadrant", "complaints_open")
    op.create_index("ix_scores_list", "scores", ["load_id", *listed, *words])


def _create_feature_rows_and_events() -> None:
    op.create_table(
        "feature_rows",
        *_of_a_load("feature_rows"),
        sa.Column("row", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("load_id", "customer_id", name="pk_feature_rows"),
    )
    op.create_table(
        "events",
        *_of_a_load("events"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Float()),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("load_id", "customer_id", "day", "kind", name="pk_events"),
        sqlite_with_rowid=False,
    )


def _create_plans() -> None:
    op.create_table(
        "plans",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("company", sa.String(200), nullable=False),
        sa.Column("horizon_days", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("model_version", sa.String(100), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("budget", sa.Float()),
        sa.Column("capacities", sa.JSON(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("expected_net_value", sa.Float(), nullable=False),
        sa.Column("customers", sa.Integer(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_plans_load_id", "plans", ["load_id"])
    op.create_table(
        "plan_items",
        sa.Column("plan_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(500), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("action", sa.String(100), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("channel", sa.String(50)),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("expected_net_value", sa.Float(), nullable=False),
        sa.Column("churn_probability", sa.Float(), nullable=False),
        sa.Column("value_at_risk", sa.Float()),
        sa.Column("reason", sa.Text()),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_items_plan_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan_id", "customer_id", name="pk_plan_items"),
        sqlite_with_rowid=False,
    )


def _of_a_load(table: str) -> tuple[sa.Column[Any] | sa.ForeignKeyConstraint, ...]:
    return (
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name=f"fk_{table}_load_id", ondelete="CASCADE"),
    )
