"""Churn probabilities of further horizons than a load's own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"


def upgrade() -> None:
    """Add the column; what was scored before tells of no further horizon."""
    op.add_column("scores", sa.Column("further_churn", sa.Text()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("scores", "further_churn")
