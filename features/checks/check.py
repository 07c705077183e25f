"""Can one train on these data? The answer behind `keepwell check`, and the refusals of `train` and `score`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from features.asof import day_date, day_number, known_before
from features.catalog import panel_names
from features.checks.horizons import (
    USUAL_HORIZONS,
    HorizonCheck,
    horizon_answer,
    horizon_check,
    horizon_line,
    horizon_way_out,
)
from features.checks.kinds import FlatCheck, contract_span
from features.checks.lacking import Lacking, lacking
from features.checks.odd_times import Suspicion, odd_times
from features.company import Company, Note, NoteKind
from features.contracts import contract_names, leaves_by_contract, require_horizon
from features.tables import TABLES
from keepwell.errors import HistoryError

WORTH_A_LOOK = (NoteKind.WARNING, NoteKind.REPORTED, NoteKind.IGNORED, NoteKind.GUESSED, NoteKind.MAPPED)
"""What people should read first comes first: what company.yaml said itself is no news."""


@dataclass(frozen=True)
class TableSummary:
    """What a table holds; `first` and `last` are the days of its events (None: no events, or none at all)."""

    name: str
    rows: int
    customers: int
    first: date | None
    last: date | None


@dataclass(frozen=True)
class CheckReport:
    """The answer of `keepwell check`. `as_of` is the day after the last transaction (None: no purchase at all)."""

    company: str
    zone: str
    currency: str | None
    trainable: bool
    answer: str
    way_out: str | None
    as_of: date | None
    customers: int
    purchases: int
    refunds: int
    first_purchase: date | None
    features: int
    facts: tuple[str, ...]
    """What is to be said of a flat table."""
    horizons: tuple[HorizonCheck, ...]
    tables: tuple[TableSummary, ...]
    lacking: tuple[Lacking, ...]
    suspicions: tuple[Suspicion, ...]
    sought: bool
    """Whether leaks were looked for: without, no suspicion means nothing."""
    notes: tuple[Note, ...]

    def as_dict(self) -> dict[str, Any]:
        """The report for programs: texts, numbers, lists and null only; days as YYYY-MM-DD."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain

    def lines(self) -> list[str]:
        """The report for people."""
        answer = [f"Can I train on this?  {self.answer}", *([f"  -> {self.way_out}"] if self.way_out else [])]
        currency = f", amounts in {self.currency}" if self.currency else ""
        facts = [f"company    {self.company} (days in {self.zone}{currency})"]
        facts += self.facts
        if self.as_of and self.first_purchase and self.purchases == 0:
            facts += [
                f"customers  {self.customers:,} with a contract that runs on {self.as_of}",
                f"contracts  since {self.first_purchase}; leaving means that one ends and none follows",
                f"features   {self.features} columns that these tables allow",
            ]
        elif self.as_of and self.first_purchase:
            span = (self.as_of - self.first_purchase).days
            facts += [
                f"customers  {self.customers:,} with a purchase before {self.as_of}",
                f"purchases  {self.purchases:,} and {self.refunds:,} refunds in {span:,} days since {self.first_purchase}",
                f"features   {self.features} columns that these tables allow",
            ]
        if self.suspicions or self.sought:
            found = f"{len(self.suspicions)} to look at, below" if self.suspicions else "nothing looks like one"
            facts.append(f"leaks      {found}")
        sections = {
            "looks like a leak": [line for suspicion in self.suspicions for line in suspicion.lines()],
            "tables": [_table_line(table) for table in self.tables],
            "horizons": [horizon_line(horizon) for horizon in self.horizons],
            "not given": [f"  {one}" for one in self.lacking],
            "noticed while reading": [f"  {note}" for note in _grouped(self.notes)],
        }
        return [*answer, "", *facts, *(line for title, told in sections.items() if told for line in ("", title, *told))]


def check_report(
    company: Company, horizon_days: int | None = None, leaks: tuple[Suspicion, ...] | None = None, flat: FlatCheck | None = None
) -> CheckReport:
    """What `company` holds and whether one can train on it, for `horizon_days` or else for the usual horizons.

    Nothing is fitted. A company that cannot be trained on gets a report that says why. `leaks` are what `training.leaks.search`
    found, which looks at labels (None: nobody looked), `flat` what `training.flat.labels` says of one; odd times are found here.
    """
    as_of = day_after_last_transaction(company)
    refusal = None if leaves_by_contract(company) else _refusal(company, as_of, horizon_days)
    purchases, refunds = _counting(company, as_of)
    first = None if purchases.is_empty() else day_date(_day(purchases["ordered_day"].min()))
    customers = purchases["customer_id"].n_unique()
    if leaves_by_contract(company):
        first, as_of, customers = contract_span(company)
    days = USUAL_HORIZONS if horizon_days is None else (horizon_days,)
    horizons = tuple(horizon_check(n, first, as_of, customers) for n in days) if first and as_of else ()
    trainable = any(horizon.verdict != "no" for horizon in horizons)
    return CheckReport(
        company=company.key,
        zone=company.zone,
        currency=company.currency,
        trainable=flat.trainable if flat else trainable,
        answer=flat.answer if flat else horizon_answer(horizons) if trainable else f"No: {_message(refusal)}",
        way_out=flat.way_out if flat else horizon_way_out(horizons) if horizons else refusal.hint if refusal else None,
        as_of=as_of,
        customers=customers,
        purchases=purchases.height,
        refunds=refunds.height,
        first_purchase=first,
        features=_features(company, first, as_of) if first and as_of else 0,
        facts=flat.facts if flat else (),
        horizons=horizons,
        tables=tuple(_summary(company, name) for name in company.tables),
        lacking=lacking(company),
        suspicions=(*odd_times(company), *(leaks or ())),
        sought=leaks is not None,
        notes=company.notes,
    )


def _grouped(notes: Iterable[Note]) -> list[Note]:
    """The notes that people should read first at the top, and what is said alike of several columns said once."""
    alike: dict[tuple[object, ...], list[Note]] = {}
    for note in sorted(notes, key=lambda note: WORTH_A_LOOK.index(note.kind)):
        alike.setdefault((note.kind, note.table, note.message, note.rows), []).append(note)
    named = ((same[0], ", ".join(note.column for note in same if note.column)) for same in alike.values())
    return [replace(note, column=columns or None) for note, columns in named]


def _refusal(company: Company, as_of: date | None, horizon_days: int | None) -> HistoryError | None:
    try:
        require_history(company, as_of or date.max, horizon_days)
    except HistoryError as error:
        return error
    return None


def _message(refusal: HistoryError | None) -> str:
    return refusal.message if refusal else "the history is too short"


def _features(company: Company, first: date, as_of: date) -> int:
    names = contract_names if leaves_by_contract(company) else panel_names
    return len(names(company, (first, as_of)))


def require_history(company: Company, as_of: date, horizon_days: int | None = None) -> None:
    """Raise HistoryError unless something can be scored at `as_of`, and with a horizon also learned for it.

    Scoring needs a purchase known before `as_of`; learning needs one known before `as_of - horizon_days`, so that a whole
    horizon of what came after it is known as well.
    """
    if "transactions" not in company.tables:
        raise HistoryError(
            "there are no transactions",
            hint="this needs them: add transactions with customer_id, ordered_at and amount",
        )
    first = first_purchase_day(company, as_of)
    if horizon_days is None:
        return
    require_horizon(first, as_of, horizon_days, began="the first purchase is", bring="transactions")


def first_purchase_day(company: Company, as_of: date) -> int:
    """The day number of the first purchase known before `as_of`; HistoryError when there is none."""
    known = known_before(day_number(as_of), pl.col("known_day"), pl.col("superseded_day"))
    purchases = company.tables["transactions"].lazy().filter(pl.col("amount") > 0)
    first, earliest = purchases.select(pl.col("ordered_day").filter(known).min(), pl.col("known_day").min()).collect().row(0)
    if earliest is None:
        raise HistoryError(
            "no transaction has a positive amount, so there is no customer", hint="purchases are positive, refunds negative"
        )
    if first is None:
        raise HistoryError(
            f"no purchase is known before {as_of}",
            hint=f"the first becomes known on {day_date(earliest)}: choose a later --as-of",
        )
    return int(first)


def day_after_last_transaction(company: Company) -> date | None:
    """The first day by which every transaction is known; None without any."""
    if "transactions" not in company.tables or company.tables["transactions"].is_empty():
        return None
    return day_date(_day(company.tables["transactions"]["known_day"].max())) + timedelta(days=1)


def _counting(company: Company, as_of: date | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """(purchases, refunds) that count at `as_of`; empty without transactions."""
    if as_of is None:
        nothing = pl.DataFrame(schema={"customer_id": pl.String, "ordered_day": pl.Int32})
        return nothing, nothing
    day = day_number(as_of)
    known = company.known_rows("transactions", day)
    return known.filter(pl.col("amount") > 0), known.filter(pl.col("amount") < 0)


def _summary(company: Company, name: str) -> TableSummary:
    frame, event_time = company.tables[name], TABLES[name].event_time
    days = frame[event_time.removesuffix("_at") + "_day"] if event_time and not frame.is_empty() else None
    first, last = (None, None) if days is None else (day_date(_day(days.min())), day_date(_day(days.max())))
    return TableSummary(name, frame.height, frame["customer_id"].n_unique(), first, last)


def _table_line(table: TableSummary) -> str:
    span = f", {table.first} to {table.last}" if table.first else ""
    return f"  {table.name:<13} {table.rows:>11,} rows, {table.customers:>9,} customers{span}"


def _plain(value: Any) -> Any:  # noqa: ANN401  # any JSON value
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


def _day(value: Any) -> int:  # noqa: ANN401  # what Polars gives for the extreme of an int32 column
    """A day number out of a column that is not empty."""
    return int(value)
