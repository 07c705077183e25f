"""Where a company's tables come from: a folder, a company.yaml, a database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from features.company import Company, Note, NoteKind, company_key
from features.reading.assemble import assemble
from features.reading.columns import read_ids
from features.reading.config import FILE_NAME, CompanyConfig, TableConfig, read_config
from features.reading.files import FOUND_ALONE, TEXT, Opened, TextFormat, find_table, open_table, refuse_ragged_lines
from features.reading.left_out import read_customer_ids
from features.reading.matching import match_columns
from features.reading.own_sources import read_source
from features.reading.parts import Part
from features.reading.refusals import Place, unreadable
from features.reading.wrong_files import PACKED, refuse_late_header
from features.sampling import COUNTED, Sample, drawn, share_for
from features.tables import INPUTS, LOGS
from keepwell.errors import ConfigError, DataError

OWN_NAMES = frozenset(f"{table}{ending}" for table in INPUTS for ending in FOUND_ALONE)
"""Files that are found without being named."""


def read_company(path: str | Path, *, sample: int | None = None) -> Company:
    """Read and check all tables of the company at `path`: a folder, or a company.yaml (used when the folder has one).

    With `sample`, only the rows of about so many customers, the same ones every time: files are read a piece at a time, and no
    others are ever in memory.
    Raises ConfigError for a path that is neither or a wrong company.yaml, DataError for a table that breaks a rule.
    """
    place, folder, config = _located(Path(path))
    opened = {name: found for name in INPUTS if (found := _open(name, folder, config)) is not None}
    unused = _unused_files(folder, config)
    if not opened and (strange := unused or _unused_files(folder, config, endings=(*TEXT, *PACKED))):
        raise _unnamed(strange)
    ignored = [Note(NoteKind.IGNORED, file.stem, None, _no_table(file.name)) for file in unused]
    notes = [note for table in opened.values() for note in table.notes] + ignored
    try:
        frames, sampled = _sampled(opened, config, sample)
        company = assemble(
            frames,
            key=_key(place, config),
            config=config,
            typeless=[name for name, table in opened.items() if table.typeless],
            notes=tuple(notes),
            left_out_customers=read_customer_ids(folder / config.leave_out_customers) if config.leave_out_customers else (),
        )
        return replace(company, sampled=sampled)
    except DataError as error:
        if error.table in opened:
            _refuse_lines(error, opened[error.table].texts, config.tables.get(error.table, TableConfig()))
        raise


def _refuse_lines(error: DataError, texts: Sequence[Part], settings: TableConfig) -> None:
    """Raise a DataError that says where, if lines of CSV files are why there was an `error`."""
    if isinstance(error.__cause__, pl.exceptions.PolarsError):
        refuse_ragged_lines(error.table, texts)
    refuse_late_header(error.table, texts, settings.encoding)


def _sampled(
    opened: Mapping[str, Opened], config: CompanyConfig, customers: int | None
) -> tuple[dict[str, pl.LazyFrame], Sample | None]:
    """The tables of about so many customers, and which sample that is; all of them for None."""
    frames = {name: table.frame for name, table in opened.items()}
    home = next((name for name in (*LOGS, "customers") if name in frames), None)
    if customers is None or home is None:
        return frames, None
    ids = {name: _id_column(name, frame, config) for name, frame in frames.items()}
    try:
        few = drawn(frames[home].select(ids[home]), ids[home], COUNTED).unique().collect(engine="streaming")
        sample = share_for(customers, few.height)
        if sample is not None:
            some = {name: drawn(frame, ids[name], sample.share) for name, frame in frames.items()}
            frames = {name: frame.collect(engine="streaming").lazy() for name, frame in some.items()}
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise unreadable(home, error) from error
    return frames, sample


def _id_column(table: str, frame: pl.LazyFrame, config: CompanyConfig) -> str:
    """The user's column of customer ids."""
    columns = config.tables.get(table, TableConfig()).columns
    return match_columns(INPUTS[table], list(frame.collect_schema()), columns).ours["customer_id"]


def read_key(path: str | Path) -> str:
    """The key of the company at `path`, without a look at its tables. Raises ConfigError as `read_company` does."""
    place, _, config = _located(Path(path))
    return _key(place, config)


def read_config_of(path: str | Path) -> CompanyConfig:
    """What the company.yaml of the company at `path` says; all defaults where there is none. Raises as `read_company` does."""
    return _located(Path(path))[2]


def table_files(path: str | Path) -> dict[str, Path]:
    """The file or folder of each table of the company at `path`, by name. Raises as `read_company` does."""
    _, folder, config = _located(Path(path))
    places = {name: _place(name, folder, config.tables.get(name, TableConfig())) for name in INPUTS}
    return {name: place for name, place in places.items() if place}


def left_out_customers(path: str | Path) -> tuple[str, ...]:
    """The ids, as text, of the customers that the company at `path` leaves out. Raises as `read_company` does."""
    _, folder, config = _located(Path(path))
    return read_customer_ids(folder / config.leave_out_customers) if config.leave_out_customers else ()


def known_customers(path: str | Path) -> pl.Series:
    """The ids, as text, each once, that the tables of the company at `path` know: who bought, has contracts or is a customer.

    Those who are left out are among them. Of no table are all columns read. Raises as `read_company`.
    """
    _, folder, config = _located(Path(path))
    opened = {name: table for name in (*LOGS, "customers") if (table := _open(name, folder, config)) is not None}
    ids = [_ids_in(name, table.frame, config) for name, table in opened.items()]
    return pl.concat([pl.Series("customer_id", dtype=pl.String), *ids]).unique()


def _ids_in(table: str, frame: pl.LazyFrame, config: CompanyConfig) -> pl.Series:
    column = _id_column(table, frame, config)
    try:
        raw = frame.select(column).unique().collect(engine="streaming").to_series()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise unreadable(table, error) from error
    return read_ids(Place(table, column), raw).cast(pl.String).alias("customer_id").drop_nulls()


def opened_customers(path: str | Path, apart: Path | None = None) -> tuple[Opened, CompanyConfig]:
    """The customers of the company at `path`, or those in a file `apart`, and how to read them. Raises as `read_company`."""
    if apart is not None:
        return open_table("customers", apart), CompanyConfig()
    _, folder, config = _located(Path(path))
    opened = _open("customers", folder, config)
    if opened is None:
        raise DataError("customers", None, "is not there", hint="add customers with the column, or name a file that has it")
    return opened, config


def table_places(path: str | Path) -> frozenset[Path]:
    """The files and folders, resolved, that `read_company` would read at `path`. Raises as it does."""
    _, folder, config = _located(Path(path))
    places = [_place(name, folder, config.tables.get(name, TableConfig())) for name in INPUTS]
    places += [folder / config.leave_out_customers] if config.leave_out_customers else []
    return frozenset(place.resolve() for place in places if place)


def database_tables(path: str | Path) -> tuple[str, ...]:
    """The tables of the company at `path` that come out of a database or a source of one's own. Raises as `read_company` does."""
    return tuple(name for name, table in _located(Path(path))[2].tables.items() if table.url or table.source)


def _key(place: Path, config: CompanyConfig) -> str:
    return config.company or company_key(place)


def _located(path: Path) -> tuple[Path, Path, CompanyConfig]:
    """(what names the company, the folder that paths are relative to, its configuration)."""
    place = path.expanduser().resolve()
    if place.is_dir():
        config = place / FILE_NAME
        return place, place, read_config(config) if config.is_file() else CompanyConfig()
    if not place.is_file():
        raise ConfigError(f"{path} does not exist", hint="give a folder of tables, or a company.yaml")
    if place.suffix not in (".yaml", ".yml"):
        hint = "give the folder that holds transactions.parquet or .csv, or a company.yaml that says file:"
        raise ConfigError(f"{path} is neither a folder nor a .yaml file", hint=hint)
    return place.parent if place.name == FILE_NAME else place, place.parent, read_config(place)


def _open(name: str, folder: Path, config: CompanyConfig) -> Opened | None:
    settings = config.tables.get(name, TableConfig())
    if settings.url:
        from features.reading.databases import read_query  # noqa: PLC0415  # a quarter of a second that only its users should pay

        return Opened(read_query(name, folder, settings).lazy(), typeless=False)
    if settings.source:
        return Opened(read_source(settings.source, name, folder, settings.parameters).lazy(), typeless=False)
    place = _place(name, folder, settings)
    if place is None and name in config.tables:
        hint = f"say file:, or url: and query:, or put {name}.csv or {name}.parquet beside company.yaml"
        raise DataError(name, None, "is named in company.yaml, but there is no file of it", hint=hint)
    return open_table(name, place, TextFormat(settings.separator, settings.encoding)) if place else None


def _place(name: str, folder: Path, settings: TableConfig) -> Path | None:
    """Where the file or folder of a table is; None for a table of a database or a source of one's own, and for none."""
    if settings.url or settings.source:
        return None
    return folder / settings.file if settings.file else find_table(folder, name)


def _unused_files(folder: Path, config: CompanyConfig, endings: Collection[str] = FOUND_ALONE) -> list[Path]:
    """The files in `folder` that could be tables by their `endings`, and that nobody names."""
    files = [config.leave_out_customers, *(table.file for table in config.tables.values())]
    named = {(folder / file).resolve() for file in files if file}
    strange = (file for file in folder.iterdir() if file.suffix in endings and file.name not in OWN_NAMES)
    return sorted((file for file in strange if file.resolve() not in named), key=lambda file: file.name)


def _no_table(name: str) -> str:
    return f"{name} is no table of ours; if it is one under another name, company.yaml can say file: {name}"


def _unnamed(files: Sequence[Path]) -> DataError:
    """What to do where there are files, none of which has the name of a table: the largest one is most likely the log."""
    names, likely = [file.name for file in files], max(files, key=lambda file: file.stat().st_size)
    found = f"there {'are' if len(files) > 1 else 'is'} only {' and '.join(names[:3])}{' ...' if len(files) > 3 else ''}"
    hint = f"write a company.yaml beside it: tables: {{transactions: {{file: {likely.name}}}}}"
    if likely.suffix in FOUND_ALONE:
        hint = f"rename it to transactions{likely.suffix}, or {hint}"
    elif likely.suffix in PACKED:
        hint = f"make a CSV file of it, transactions.csv: {PACKED[likely.suffix]}"
    return DataError("transactions", None, f"is required, and missing; {found}", hint=hint)
