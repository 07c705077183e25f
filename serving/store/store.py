"""The store as one object: everything that `Reader` answers, and the writing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from sqlalchemy import Connection, Table, delete, insert, select, update

from decisions.plans.plan_rows import CONTROL
from serving.store.audit import Audit
from serving.store.copying import copy_store
from serving.store.day import Day
from serving.store.engine import open_engine, writing
from serving.store.forget import Forgetting
from serving.store.jobs import Jobs
from serving.store.keys import Keys
from serving.store.listing import keep_list, listed
from serving.store.migrate import migrate
from serving.store.outcomes import OutcomeStore
from serving.store.past import Past
from serving.store.people import People
from serving.store.plan_work import PlanWork
from serving.store.reading import Reader
from serving.store.records import Load
from serving.store.rows import OF_THE_LOAD, packed, parts_of, plain_rows, plan_rows, require_same_run, the_run
from serving.store.schema import feature_rows, loads, plan_items, plans, scores
from serving.store.views import SavedViews
from serving.store.work import Work

if TYPE_CHECKING:  # who only serves has no progress to show, and waits for no import of it
    from keepwell.progress import Progress

KEPT_LOADS = 3
"""How many loads of one company and horizon stay: the current one, and those before it for readers who still hold them.

The newest load of an earlier date stays too, however often a date is scored: its words are where customers come from."""

_ROWS_AT_ONCE = 20_000


class Store(Reader):
    """A store by its SQLAlchemy URL; a writer waits for `writer_waits_s` for the one before it (None: for minutes).

    Call `migrate` once before the first use.

    >>> store = Store("sqlite://")
    >>> store.migrate()
    >>> store.current_load() is None
    True
    """

    def __init__(self, url: str, *, writer_waits_s: float | None = None) -> None:
        super().__init__(open_engine(url, writer_waits_s=writer_waits_s))

    def exists(self) -> bool:
        """Whether there is a database to read; only that of SQLite can be absent, as a file that nobody has written yet."""
        place = self._engine.url.database
        return self._engine.dialect.name != "sqlite" or place in (None, "", ":memory:") or Path(str(place)).exists()

    def migrate(self) -> None:
        """Bring the schema to this version; an empty database gets all tables."""
        migrate(self._engine)

    @property
    def outcomes(self) -> OutcomeStore:
        """What came of plans."""
        return OutcomeStore(self._engine)

    def close(self) -> None:
        """Let go of all connections; the next use opens new ones."""
        self._engine.dispose()

    @property
    def jobs(self) -> Jobs:
        """The jobs that run beside requests."""
        return Jobs(self._engine)

    @property
    def keys(self) -> Keys:
        """The API keys."""
        return Keys(self._engine)

    @property
    def work(self) -> Work:
        """Who works on what."""
        return Work(self._engine)

    @property
    def plan_work(self) -> PlanWork:
        """The work on plans as a whole."""
        return PlanWork(self._engine)

    @property
    def past(self) -> Past:
        """What earlier scorings said."""
        return Past(self._engine)

    @property
    def day(self) -> Day:
        """What somebody's day holds."""
        return Day(self._engine)

    @property
    def people(self) -> People:
        """Who uses the console."""
        return People(self._engine)

    @property
    def views(self) -> SavedViews:
        """The views of the list that people have saved."""
        return SavedViews(self._engine)

    @property
    def forgetting(self) -> Forgetting:
        """The way out of the store for customers."""
        return Forgetting(self._engine)

    @property
    def audit(self) -> Audit:
        """Who changed what."""
        return Audit(self._engine)

    def copy_from(self, other: Store, progress: Progress) -> dict[str, int]:
        """Take over all that another store holds, as `copying` tells; this one must be empty. How many rows of which table."""
        return copy_store(other._engine, self._engine, progress)

    def load_scores(
        self,
        frame: pl.DataFrame,
        *,
        company: str,
        loaded_at: datetime,
        features: pl.DataFrame | None = None,
        events: pl.DataFrame | None = None,
        people: pl.DataFrame | None = None,
        currency: str | None = None,
    ) -> Load:
        """Write one scoring run and make it the current one; readers see it whole or not at all.

        `frame` has the score columns of docs/architecture.md, one run of them (StoreError otherwise). `features` has
        customer_id, as_of and one column per feature; `events` customer_id, day, kind, count, amount, detail;
        `people` customer_id, name (cut after NAME_CHARACTERS), owner, kind and account_id; `currency` names that of all amounts.
        Each may be left out. The oldest loads beyond KEPT_LOADS are removed.
        """
        run = the_run(frame)
        parts = parts_of(frame, features, events, people)
        names = [] if features is None else [name for name in features.columns if name not in ("customer_id", "as_of")]
        values = {**run, "company": company, "currency": currency, "loaded_at": loaded_at, "customers": frame.height}
        with writing(self._engine) as connection:
            load_id = _insert_one(connection, loads, {**values, "feature_names": names, "current": False})
            for table, part in parts:
                _insert_frame(connection, table, part, {"load_id": load_id})
            keep_list(connection, load_id, listed(dict(parts)[scores]))
            _make_current(connection, company, run["horizon_days"], load_id)
            _prune(connection, company, run["horizon_days"])
        return Load(id=load_id, feature_names=tuple(names), **values)

    def load_blocks(
        self,
        blocks: Iterable[pl.DataFrame],
        *,
        company: str,
        loaded_at: datetime,
        people: pl.DataFrame | None = None,
        currency: str | None = None,
    ) -> Load:
        """`load_scores` of one run that comes in blocks, best in the order of the ids: one of them is in memory at a time.

        Feature rows and timelines do not come with it.
        """
        coming = iter(blocks)
        first = next(coming, pl.DataFrame(schema=dict.fromkeys(OF_THE_LOAD)))
        run = the_run(first)
        values = {**run, "company": company, "currency": currency, "loaded_at": loaded_at}
        with writing(self._engine) as connection:
            load_id = _insert_one(connection, loads, {**values, "customers": 0, "feature_names": [], "current": False})
            lists = []
            for block in chain([first], coming):
                require_same_run(block, run)
                ((_, rows),) = parts_of(block, None, None, people)
                _insert_frame(connection, scores, rows, {"load_id": load_id})
                lists.append(listed(rows))
            customers = sum(rows.height for rows in lists)
            connection.execute(update(loads).where(loads.c.id == load_id).values(customers=customers))
            keep_list(connection, load_id, pl.concat(lists))
            _make_current(connection, company, run["horizon_days"], load_id)
            _prune(connection, company, run["horizon_days"])
        return Load(id=load_id, feature_names=(), customers=customers, **values)

    def save_plan(
        self,
        load: Load,
        items: pl.DataFrame,
        *,
        made_at: datetime,
        budget: float | None,
        capacities: Mapping[str, float],
        notes: Sequence[str] = (),
    ) -> int:
        """Write a plan made from `load` and return its id; the newest plan of a load is the one that readers see.

        `items` has customer_id, action, cost, expected_net_value, churn_probability, and where known title, channel,
        value_at_risk, reason, arm, propensity, priority (else the order of the rows). Controls are kept, and count as nobody.
        """
        rows = plan_rows(items)
        to_do = rows.filter(pl.col("arm").ne_missing(CONTROL)) if "arm" in rows.columns else rows
        plan = {
            **{name: getattr(load, name) for name in ("company", "horizon_days", "as_of", "model_version")},
            **{"load_id": load.id, "made_at": made_at, "budget": budget, "capacities": dict(capacities), "notes": list(notes)},
            **{"cost": to_do["cost"].sum(), "expected_net_value": to_do["expected_net_value"].sum(), "customers": to_do.height},
        }
        with writing(self._engine) as connection:
            plan_id = _insert_one(connection, plans, plan)
            _insert_frame(connection, plan_items, rows, {"plan_id": plan_id})
        return plan_id


def _insert_one(connection: Connection, table: Table, values: Mapping[str, Any]) -> int:
    key = connection.execute(insert(table).values(**values)).inserted_primary_key
    assert key is not None, "both tables have one integer key"
    return int(key[0])


def _insert_frame(connection: Connection, table: Table, frame: pl.DataFrame, belongs_to: Mapping[str, int]) -> None:
    """Insert rows with the id of what they belong to, some at a time: only those are in memory twice."""
    for some in frame.iter_slices(_ROWS_AT_ONCE):
        ready = packed(some) if table is feature_rows else some
        connection.execute(insert(table), [{**row, **belongs_to} for row in plain_rows(ready)])


def _make_current(connection: Connection, company: str, horizon_days: int, load_id: int) -> None:
    same = (loads.c.company == company) & (loads.c.horizon_days == horizon_days)
    connection.execute(update(loads).where(same, loads.c.current).values(current=False))
    connection.execute(update(loads).where(loads.c.id == load_id).values(current=True))


def _prune(connection: Connection, company: str, horizon_days: int) -> None:
    same = (loads.c.company == company) & (loads.c.horizon_days == horizon_days)
    kept = connection.scalars(select(loads.c.id).where(same).order_by(loads.c.id.desc()).limit(KEPT_LOADS)).all()
    newest = select(loads.c.as_of).where(loads.c.id == kept[0]).scalar_subquery()
    before = select(loads.c.id).where(same, loads.c.as_of < newest).order_by(loads.c.as_of.desc(), loads.c.id.desc()).limit(1)
    kept = [*kept, *connection.scalars(before)]
    connection.execute(delete(loads).where(same, loads.c.id.not_in(kept)))
