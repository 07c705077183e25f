"""What else is known of a customer and could be done for them; each load keeps its list of customers in columns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"

_LIST = (
    *("load_id", "value_at_risk", "customer_id", "name", "churn_probability", "expected_value", "lifetime_value"),
    *("status", "value_tier", "quadrant", "complaints_open"),
)


def upgrade() -> None:
    """Add the columns and the table; the list of what was scored before is made from its rows when first asked for."""
    op.add_column("scores", sa.Column("kind", sa.String(200)))
    op.add_column("scores", sa.Column("account_id", sa.String(200)))
    op.add_column("plan_items", sa.Column("runner_up", sa.String(100)))
    op.add_column("plan_items", sa.Column("runner_up_net_value", sa.Float()))
    op.drop_index("ix_scores_list", table_name="scores")
    op.create_table(
        "score_lists",
        sa.Column("load_id", sa.Integer(), nullable=False),
        sa.Column("columns", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("load_id", name="pk_score_lists"),
        sa.ForeignKeyConstraint(["load_id"], ["loads.id"], name="fk_score_lists_load_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    """Drop them, and bring back the index."""
    op.drop_table("score_lists")
    op.create_index("ix_scores_list", "scores", list(_LIST))
    op.drop_column("plan_items", "runner_up_net_value")
    op.drop_column("plan_items", "runner_up")
    op.drop_column("scores", "account_id")
    op.drop_column("scores", "kind")
