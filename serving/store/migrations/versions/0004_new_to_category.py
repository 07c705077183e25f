"""Whether a customer of long standing is new to a category."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"


def upgrade() -> None:
    """Add the column; of what was scored before it is not known."""
    op.add_column("scores", sa.Column("new_to_category", sa.Boolean()))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("scores", "new_to_category")
