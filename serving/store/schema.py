"""The tables of scores and plans. `migrations/` builds all tables step by step; a test holds both equal."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, kept and handed out in UTC, also where the database knows no zones (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Turn any aware time into UTC."""
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Say UTC where the database forgot it."""
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


NAME_CHARACTERS = 200
"""A longer name, kind or account is cut."""

PERSON_CHARACTERS = 200
"""A person or a key that did something."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _load_id() -> Column[int]:
    return Column("load_id", Integer, ForeignKey("loads.id", ondelete="CASCADE"), primary_key=True)


loads = Table(
    "loads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("company", String(200), nullable=False),
    Column("horizon_days", Integer, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("data_until", Date, nullable=False),
    Column("loaded_at", UtcDateTime, nullable=False),
    Column("model_version", String(100), nullable=False),
    Column("model_family", String(100), nullable=False),
    Column("grade", String(10), nullable=False),
    Column("currency", String(3)),
    Column("customers", Integer, nullable=False),
    Column("feature_names", JSON, nullable=False),
    Column("current", Boolean, nullable=False),
    sqlite_autoincrement=True,
)
# The database itself refuses a second current load of one company and horizon.
Index(
    "ix_loads_current",
    loads.c.company,
    loads.c.horizon_days,
    unique=True,
    sqlite_where=text("current = 1"),
    postgresql_where=text("current"),
)

scores = Table(
    "scores",
    metadata,
    _load_id(),
    Column("customer_id", String(500), primary_key=True),
    Column("name", String(NAME_CHARACTERS)),
    Column("owner", Text),
    Column("churn_probability", Float, nullable=False),
    Column("expected_value", Float),
    Column("value_low", Float),
    Column("value_high", Float),
    Column("value_at_risk", Float),
    Column("current_value", Float),
    Column("potential_value", Float),
    Column("lifetime_value", Float),
    Column("status", String(50)),
    Column("value_tier", String(50)),
    Column("quadrant", String(50)),
    Column("lifecycle", String(50)),
    Column("loyalty", String(50)),
    Column("relation", String(50)),
    Column("credit_grade", String(50)),
    Column("service_level", String(50)),
    Column("next_category", Text),
    Column("complaints_open", Integer),
    Column("reasons", Text),
    Column("abc_class", String(50)),
    Column("account_class", String(50)),
    Column("rfm_cell", String(50)),
    Column("rfm_segment", String(50)),
    Column("moves", Text),
    Column("new_to_category", Boolean),
    Column("further_churn", Text),
    Column("kind", String(NAME_CHARACTERS)),
    Column("account_id", String(NAME_CHARACTERS)),
    sqlite_with_rowid=False,
)

feature_rows = Table(
    "feature_rows",
    metadata,
    _load_id(),
    Column("customer_id", String(500), primary_key=True),
    Column("row", LargeBinary, nullable=False),
)

events = Table(
    "events",
    metadata,
    _load_id(),
    Column("customer_id", String(500), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("count", Integer, nullable=False),
    Column("amount", Float),
    Column("detail", Text),
    sqlite_with_rowid=False,
)

# A plan outlives the load that it was made from: the review of a quarter compares it with what came.
plans = Table(
    "plans",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("load_id", Integer, nullable=False, index=True),
    Column("company", String(200), nullable=False),
    Column("horizon_days", Integer, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("model_version", String(100), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("budget", Float),
    Column("capacities", JSON, nullable=False),
    Column("cost", Float, nullable=False),
    Column("expected_net_value", Float, nullable=False),
    Column("customers", Integer, nullable=False),
    Column("notes", JSON, nullable=False),
    Column("approved_at", UtcDateTime),
    Column("approved_by", String(PERSON_CHARACTERS)),
    sqlite_autoincrement=True,
)

plan_items = Table(
    "plan_items",
    metadata,
    Column("plan_id", Integer, ForeignKey("plans.id", ondelete="CASCADE"), primary_key=True),
    Column("customer_id", String(500), primary_key=True),
    Column("priority", Integer, nullable=False),
    Column("action", String(100), nullable=False),
    Column("title", Text),
    Column("channel", String(50)),
    Column("cost", Float, nullable=False),
    Column("expected_net_value", Float, nullable=False),
    Column("churn_probability", Float, nullable=False),
    Column("value_at_risk", Float),
    Column("reason", Text),
    Column("arm", String(10)),
    Column("propensity", Float),
    Column("assigned_to", String(PERSON_CHARACTERS)),
    Column("taken_by", String(PERSON_CHARACTERS)),
    Column("taken_at", UtcDateTime),
    Column("runner_up", String(100)),
    Column("runner_up_net_value", Float),
    sqlite_with_rowid=False,
)
