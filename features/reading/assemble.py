"""Raw tables into a company: matching columns, normalising, attributes, one type of ids, and checks across tables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import polars as pl

from features.builders.attributes import ATTRIBUTE_COLUMNS, UNUSABLE, is_usable
from features.company import Company, Note, NoteKind
from features.own import module_names
from features.reading.columns import read_attribute
from features.reading.config import CompanyConfig, TableConfig
from features.reading.left_out import columns_of, left_out_columns, left_out_notes, refuse_absent_tables, without_customers
from features.reading.matching import is_personal, match_columns
from features.reading.normalise import Normalised, Reading, normalise_columns
from features.reading.notation import IS_REFUND, prepared, translated
from features.reading.numerals import likely_notation
from features.reading.refund_table import with_refunds
from features.reading.refusals import Place, unreadable
from features.tables import LOGS, REFUNDS, TABLES, Table
from features.vocabulary import snapshot_notes
from keepwell.errors import DataError


class _Read(NamedTuple):
    """A table on its way into a company."""

    normalised: Normalised
    attributes: dict[str, str]
    notes: tuple[Note, ...]


class _Asked(NamedTuple):
    """What holds for all tables of a company: as `assemble` takes it; `of_day` where customers are a snapshot of one day."""

    config: CompanyConfig
    decimals: Mapping[str, int] = MappingProxyType({})
    left_out_customers: frozenset[str] = frozenset()
    of_day: bool = False


def assemble(
    frames: Mapping[str, pl.DataFrame | pl.LazyFrame],
    *,
    key: str,
    config: CompanyConfig | None = None,
    typeless: Collection[str] = (),
    notes: tuple[Note, ...] = (),
    left_out_customers: Collection[str] = (),
    decimals: Mapping[str, int] = MappingProxyType({}),
    of_some: bool = False,
) -> Company:
    """A Company from frames by table name; only the columns that are used are collected.

    `config` says zone, currency, static attributes and column names; `typeless` names tables whose values are all text, as a
    CSV file's, so that attributes that look like numbers are numbers. `notes` come before those made here. Rows of
    `left_out_customers`, ids as text, are left out. `decimals` (as of `Company.scales`) fixes the minor units of amounts; where
    it is silent the data decide. The rows may be those `of_some` customers alone, and then any table may be without rows.
    Raises DataError for the first rule of docs/data.md that is broken, ConfigError for features of one's own that break a law.
    """
    config = config or CompanyConfig()
    for module in config.features:
        module_names(module)
    _refuse_unusable(frames)
    refuse_absent_tables(frames, config.leave_out)
    if config.static and "customers" not in frames:
        hint = "add customers, or remove static: from company.yaml"
        raise DataError("customers", config.static[0], "is declared static, but there is no table of customers", hint=hint)
    asked = _Asked(config, decimals, frozenset(left_out_customers), of_day=not set(LOGS) & set(frames))
    read = _read_tables(frames, asked, typeless)
    if not of_some and "transactions" in read and read["transactions"].normalised.frame.is_empty():
        hint = "check that the export is complete, and skip_rows_without: and leave_out_customers: in company.yaml"
        raise DataError("transactions", None, "has no rows", hint=hint)
    tables, id_notes = _with_one_type_of_ids({name: part.normalised.frame for name, part in read.items()})
    scales = {f"{name}.{column}": n for name, part in read.items() for column, n in part.normalised.decimals.items()}
    own_notes = [note for part in read.values() for note in part.notes]
    company = Company(
        key=key,
        zone=config.zone,
        tables=MappingProxyType(tables),
        scales=MappingProxyType(scales),
        attributes=MappingProxyType(read["customers"].attributes if "customers" in read else {}),
        notes=(*notes, *own_notes, *id_notes, *_stranger_notes(tables), *_order_notes(tables)),
        currency=config.currency,
        attribution_days=config.attribution_days,
        campaign=config.campaign,
        builders=config.features,
    )
    return replace(company, notes=(*company.notes, *snapshot_notes(company)))


def _read_tables(frames: Mapping[str, pl.DataFrame | pl.LazyFrame], asked: _Asked, typeless: Collection[str]) -> dict[str, _Read]:
    """Every table that there is, in the order of TABLES, refunds among the transactions."""
    read = {
        name: _read_table(table, frames[name], asked, typeless=name in typeless)
        for name, table in TABLES.items()
        if name in frames
    }
    if REFUNDS.name in frames and "transactions" in read:
        refunds = _read_table(REFUNDS, frames[REFUNDS.name], asked, typeless=False)
        both = with_refunds(read["transactions"].normalised, refunds.normalised)
        read["transactions"] = _Read(both, {}, (*read["transactions"].notes, *refunds.notes))
    return read


def _of(table: str, decimals: Mapping[str, int]) -> dict[str, int]:
    """The decimals of one table, by column."""
    return {column: n for owner, _, column, n in ((*name.partition("."), n) for name, n in decimals.items()) if owner == table}


def customers_alone(source: pl.LazyFrame, config: CompanyConfig, *, typeless: bool) -> Normalised:
    """The table of customers by itself, all its columns that can be attributes among them. Raises as `assemble` does."""
    return _read_table(TABLES["customers"], source, _Asked(config, of_day=True), typeless=typeless).normalised


def _refuse_unusable(frames: Collection[str]) -> None:
    if {*LOGS, "customers"} & set(frames):
        return
    found = (
        f"there {'are' if len(frames) > 1 else 'is'} only {' and '.join(sorted(frames))}" if frames else "nothing else is there"
    )
    hint = (
        "add transactions.parquet or transactions.csv with customer_id, ordered_at and amount; or subscriptions; or customers "
        "and labels"
    )
    raise DataError("transactions", None, f"is required, and missing; {found}", hint=hint)


def _read_table(table: Table, source: pl.DataFrame | pl.LazyFrame, asked: _Asked, *, typeless: bool) -> _Read:
    config, settings = asked.config, asked.config.tables.get(table.name, TableConfig())
    try:
        given = prepared(table.name, source.lazy(), settings)
        present = [name for name in given.collect_schema() if name != IS_REFUND]
        match = match_columns(table, present, settings.columns)
        unwanted = left_out_columns(table, match.ours, match.extra, columns_of(table.name, config.leave_out))
        match = match.without(unwanted)
        wanted = [*match.ours.items(), *((name, name) for name in (match.extra if table.name == "customers" else ()))]
        refund = [pl.col(IS_REFUND)] if settings.negative_where else []
        raw = given.select(*(pl.col(theirs).alias(ours) for ours, theirs in wanted), *refund).collect()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise unreadable(table.name, error) from error
    raw, left_out = without_customers(table.name, raw, asked.left_out_customers)
    raw, translations = translated(table, raw, settings)
    decimals = _of("transactions" if table is REFUNDS else table.name, asked.decimals)
    reading = Reading(config.zone, settings.time_format, settings.zone, decimals, config.attribution_days)
    columns = raw.to_dict()
    del raw
    before = (*match.notes, *left_out_notes(table.name, unwanted), *left_out, *translations)
    normalised = normalise_columns(table, columns, reading)
    if table.name != "customers":
        unused = [name for name in match.extra if name not in settings.negative_where]
        ignored = [Note(NoteKind.IGNORED, table.name, name, "is no column of ours") for name in unused]
        return _Read(normalised, {}, (*before, *ignored, *normalised.notes))
    frame, attributes, told = _with_attributes(
        normalised.frame, match.extra, config.static, typeless=typeless, of_day=asked.of_day
    )
    return _Read(normalised._replace(frame=frame), attributes, (*before, *told, *normalised.notes))


def _with_attributes(
    frame: pl.DataFrame, names: Collection[str], static: Collection[str], *, typeless: bool, of_day: bool
) -> tuple[pl.DataFrame, dict[str, str], list[Note]]:
    """Customers with their attributes converted, what each is ("static", "dated", "snapshot"), and notes.

    Of the columns that are listed, those are attributes that are declared static; all, where the company is `of_day`, its table
    of customers a snapshot of one day.
    """
    possible = [name for name in ATTRIBUTE_COLUMNS if name in frame.columns]
    listed = [name for name in possible if of_day or name in static]
    _refuse_unknown(set(static) - {*names, *listed}, {*names, *possible})
    usual = "dated" if "known_day" in frame.columns else "snapshot"
    attributes, notes, converted = {name: "static" if name in static else usual for name in listed}, [], []
    for name in names:
        values = read_attribute(Place("customers", name), frame[name], typeless=typeless)
        if values is None:
            notes.append(Note(NoteKind.IGNORED, "customers", name, f"{frame[name].dtype} is no type for an attribute"))
        elif is_personal(name) and not _are_flags(values) and name not in static:
            notes.append(Note(NoteKind.IGNORED, "customers", name, "looks personal; name it under static: to use it"))
        elif not is_usable(name):
            notes.append(Note(NoteKind.IGNORED, "customers", name, UNUSABLE))
        else:
            attributes[name] = "static" if name in static else usual
            converted.append(values.rename(name))
            notes += _notation_notes(name, values) if typeless else []
    kept = frame.drop([name for name in names if name not in attributes]).with_columns(converted)
    return kept.drop("known_us", strict=False), attributes, notes


def _notation_notes(name: str, values: pl.Series) -> list[Note]:
    """A word on an attribute of texts that would be numbers in another notation: 2,50 is a word, and 2.50 a number."""
    texts = values.drop_nulls().unique().head(1_000) if values.dtype == pl.String else pl.Series([], dtype=pl.String)
    example = likely_notation(texts) if texts.str.contains(r"\d[.,]\d").any() else None
    message = f'is taken as text; if it holds numbers, say numbers: "{example}" in company.yaml'
    return [Note(NoteKind.REPORTED, "customers", name, message)] if example else []


def _are_flags(values: pl.Series) -> bool:
    """Whether they are all yes or no: whether there is a telephone says nothing of whose it is."""
    return values.dtype == pl.Float64 and bool(values.drop_nulls().is_in([0.0, 1.0]).all())


def _refuse_unknown(static: Collection[str], possible: Collection[str]) -> None:
    """Raise DataError where something is declared static that is there in vain, or cannot be an attribute."""
    if static:
        hint = f"there are {', '.join(sorted(possible)) or 'none'}; correct static: in company.yaml"
        raise DataError("customers", min(static), "is declared static, but there is no such attribute", hint=hint)


def _with_one_type_of_ids(tables: Mapping[str, pl.DataFrame]) -> tuple[dict[str, pl.DataFrame], list[Note]]:
    """Customer ids as text everywhere if they are text anywhere: else the tables could not be joined."""
    numeric = [name for name, frame in tables.items() if frame["customer_id"].dtype != pl.String]
    if len(numeric) in (0, len(tables)):
        return dict(tables), []
    as_text = pl.col("customer_id").cast(pl.String)
    notes = [Note(NoteKind.REPORTED, name, "customer_id", "numbers are read as text, as in the other tables") for name in numeric]
    return {name: frame.with_columns(as_text) if name in numeric else frame for name, frame in tables.items()}, notes


def _stranger_notes(tables: Mapping[str, pl.DataFrame]) -> list[Note]:
    """Ids of side tables that are no customer's: neither in customers nor in what tells who stayed."""
    homes = {"customers", "transactions"} if "transactions" in tables else {"customers", *LOGS}
    if set(tables) <= homes:
        return []
    known = pl.concat([frame["customer_id"] for name, frame in tables.items() if name in homes]).unique()
    notes = []
    for name, frame in tables.items():
        if name not in homes:
            strangers = frame.filter(~pl.col("customer_id").is_in(known.implode()))
            if not strangers.is_empty():
                message = f"belongs to no known customer, for example {strangers['customer_id'][0]!r}"
                notes.append(Note(NoteKind.WARNING, name, "customer_id", message, strangers.height))
    return notes


def _order_notes(tables: Mapping[str, pl.DataFrame]) -> list[Note]:
    """Ends before their beginnings."""
    pairs = (
        ("complaints", "opened", "closed"),
        ("complaints", "opened", "first_response"),
        ("subscriptions", "started", "ended"),
    )
    notes = []
    for name, begin, end in pairs:
        if name in tables and f"{end}_us" in tables[name].columns:
            rows = int((tables[name][f"{end}_us"] < tables[name][f"{begin}_us"]).sum())
            if rows:
                notes.append(Note(NoteKind.WARNING, name, f"{end}_at", f"lies before {begin}_at", rows))
    return notes
