"""What earlier scorings said, as far as they are kept: of one customer, and of all together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Engine, and_, select

from serving.store.engine import reading
from serving.store.records import Load
from serving.store.schema import loads, scores


@dataclass(frozen=True)
class PastScore:
    """What the last scoring of a date said of one customer."""

    as_of: date
    churn_probability: float
    expected_value: float | None
    value_tier: str | None


class Past:
    """Earlier scorings of the same company and horizon. All methods raise StoreError when the store cannot be read."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def scores(self, load: Load, customer_id: str) -> tuple[PastScore, ...]:
        """One customer at each date before that of `load`, oldest first; empty where no such scoring knew them."""
        columns = [scores.c[name] for name in PastScore.__dataclass_fields__ if name != "as_of"]
        query = select(loads.c.as_of, *columns).join(scores, scores.c.load_id == loads.c.id)
        query = query.where(_before(load), scores.c.customer_id == customer_id).order_by(loads.c.as_of, loads.c.id)
        with reading(self._engine) as connection:
            # Of several scorings of a date the last one counts: it takes the place of those before it.
            by_date = {row["as_of"]: PastScore(**row) for row in connection.execute(query).mappings()}
        return tuple(by_date.values())

    def load_before(self, load: Load) -> Load | None:
        """The last scoring of the newest date before that of `load`; None where none is kept."""
        columns = [loads.c[name] for name in Load.__dataclass_fields__]
        query = select(*columns).where(_before(load)).order_by(loads.c.as_of.desc(), loads.c.id.desc()).limit(1)
        with reading(self._engine) as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else Load(**{**row, "feature_names": tuple(row["feature_names"])})


def _before(load: Load) -> ColumnElement[bool]:
    same = and_(loads.c.company == load.company, loads.c.horizon_days == load.horizon_days)
    return and_(same, loads.c.as_of < load.as_of)
