"""Classes of customers, segments, and why a customer's words have changed since the scoring before."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"

LABELS = ("abc_class", "account_class", "rfm_cell", "rfm_segment")


def upgrade() -> None:
    """Add the columns; what was scored before has none of them."""
    for label in LABELS:
        op.add_column("scores", sa.Column(label, sa.String(50)))
    op.add_column("scores", sa.Column("moves", sa.Text()))


def downgrade() -> None:
    """Drop the columns."""
    for name in ("moves", *reversed(LABELS)):
        op.drop_column("scores", name)
