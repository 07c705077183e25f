"""Whatever lies in the folder, reading gives a company or a refusal in words: never another exception, never a panic."""

import io
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from features.company import Company
from features.reading.config import CompanyConfig, TableConfig
from features.reading.sources import read_company
from features.tables import TABLES
from keepwell.errors import ConfigError, DataError, KeepwellError

GOOD = b"customer_id,ordered_at,amount\n00001,2020-01-01,9.99\n2,2020-02-01 10:30,5\n"
QUICK, SWEEP = settings(max_examples=80), settings(max_examples=3_000)


def read(files: Mapping[str, bytes]) -> Company | KeepwellError:
    """The company of a folder with these files, beside good transactions if they are none, or its refusal."""
    with tempfile.TemporaryDirectory(prefix="keepwell-fuzz-") as folder:
        if not any(name.startswith(("transactions", "shop")) for name in files):
            files = {"transactions.csv": GOOD, **files}
        for name, content in files.items():
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).write_bytes(content)
        try:
            return read_company(folder)
        except KeepwellError as refusal:
            return refusal


def holds(outcome: Company | KeepwellError) -> None:
    """The law: a company with transactions, or an error that says where, which rule, how many and what to do."""
    if isinstance(outcome, Company):
        assert outcome.tables["transactions"].height > 0
        assert outcome.fingerprint()
        return
    assert isinstance(outcome, DataError | ConfigError)
    assert outcome.hint.strip()
    assert len(outcome.message) < 1_500
    if isinstance(outcome, ConfigError):
        assert "company.yaml" in outcome.message or outcome.message.startswith("tables.")
        return
    assert outcome.table in TABLES
    assert outcome.message.startswith(outcome.table)
    assert outcome.rule.strip()
    if outcome.rows is not None:
        assert outcome.rows > 0
        assert outcome.example is not None


@pytest.fixture(autouse=True)
def no_panic(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Libraries written in Rust tell a panic on standard error, also where Python catches it."""
    yield
    assert "panicked" not in capfd.readouterr().err


NUMBERS = "0 1 00001 -2.5 +5 1e400 -1e-400 nan NaN inf -Infinity 9999999999999999999999999 0x1F 1_000 1,5 1.234,56 $5 1577836800"
DAYS = "2020-01-01 2020-13-01 2020-02-30 0000-00-00 9999-12-31 1899-12-31 -0001-01-01 292277026597-01-01 01/02/2020 13/02/2020"
TIMES = ["2020-01-01T00:00:00Z", "2020-01-01 24:00", "2020-03-29 02:30", "2020-01-01 00:00:00+99:99"]
WORDS = ["", " ", *["yes", "No", "TRUE", "x", "é", "NULL", "complaint", "treated"], "\u202e", "\x00", "\ufeff", "😀", "a" * 5_000]
CELLS = st.one_of(st.sampled_from([*NUMBERS.split(), *DAYS.split(), *TIMES, *WORDS]), st.text(max_size=12))
NAMES = st.one_of(
    st.sampled_from([name for table in TABLES.values() for name in table.names]),
    st.sampled_from(["Revenue", "Date", "Customer ID", "ordered_day", "known_day", "superseded_day", "", " ", "x"]),
)
TABLE_NAMES = st.sampled_from(list(TABLES))


@st.composite
def tables_of_text(draw: st.DrawFn) -> dict[str, bytes]:
    """One CSV file, mostly with the columns that its table wants, of any cells in any shape."""
    table = draw(TABLE_NAMES)
    names = (
        [*TABLES[table].required, *draw(st.lists(NAMES, max_size=4))]
        if draw(st.booleans())
        else draw(st.lists(NAMES, max_size=6))
    )
    separator, quote = draw(st.sampled_from([",", ";", "\t", "|"])), draw(st.sampled_from(["", '"']))
    end, encoding = (
        draw(st.sampled_from(["\n", "\r\n", "\r"])),
        draw(st.sampled_from([*["utf-8"] * 6, "utf-8-sig", "utf-16", "latin-1"])),
    )
    width = st.just(len(names)) if draw(st.booleans()) else st.integers(0, 8)
    rows = draw(st.lists(width.flatmap(lambda n: st.lists(CELLS, min_size=n, max_size=n)), max_size=5))
    text = end.join(separator.join(f"{quote}{cell}{quote}" for cell in row) for row in [names, *rows])
    return {f"{table}.csv": text.encode(encoding, errors="replace")}


FAR = [date(1, 1, 1), date(1900, 1, 1), date(2020, 2, 29), date(9999, 12, 31)]
COLUMNS: dict[str, Callable[[], st.SearchStrategy[pl.Series]]] = {}


def column(dtype: Any, *values: Any) -> st.SearchStrategy[pl.Series]:
    """Three values of a type, any of which may be missing."""
    cells = st.lists(st.sampled_from([None, *values]), min_size=3, max_size=3)
    return cells.map(lambda drawn: pl.Series(drawn, dtype=dtype, strict=False))


def instants(unit: Any, zone: str | None) -> st.SearchStrategy[pl.Series]:
    """Instants anywhere in 64 bits, also where there is no calendar."""
    steps = st.lists(
        st.sampled_from([None, 0, 1, 1_577_836_800_000, 1_577_836_800_000_000, 2**63 - 1, -(2**63)]), min_size=3, max_size=3
    )
    return steps.map(lambda drawn: pl.Series(drawn, dtype=pl.Int64).cast(pl.Datetime(unit, zone)))


TYPED = st.one_of(
    *(column(dtype, 0, 1, 20200101, 127) for dtype in (pl.Int32, pl.Int64, pl.UInt64, pl.Int128)),
    column(pl.Int64, 2**63 - 1, -(2**63)),
    column(pl.UInt64, 2**64 - 1, 5),
    *(column(dtype, 0.0, 1.5, -1e300, float("nan"), float("inf"), 1e-320) for dtype in (pl.Float32, pl.Float64)),
    column(pl.String, "", "1", "2020-01-01", "x", "9999-12-31", "\x00", "yes"),
    column(pl.Boolean, True, False),
    column(pl.Date, *FAR),
    *(instants(unit, zone) for unit in ("ms", "us", "ns") for zone in (None, "UTC", "Europe/Berlin", "Asia/Kathmandu")),
    column(pl.Time, time(0), time(23, 59, 59)),
    column(pl.Duration("us"), timedelta(0), timedelta(days=-5)),
    column(pl.Decimal(38, 10), Decimal("1.5"), Decimal("-99999999999999.123")),
    column(pl.Decimal(20, 0), Decimal(7), Decimal("99999999999999999999")),
    column(pl.Binary, b"", b"\xff\x00"),
    column(pl.List(pl.Int64), [], [1, 2]),
    column(pl.Array(pl.Float64, 2), [1.0, 2.0]),
    column(pl.Struct({"a": pl.Int64}), {"a": 1}),
    column(pl.Categorical, "a", "1", "2020-01-01"),
    column(pl.Enum(["a", "yes"]), "a", "yes"),
    column(pl.Null),
)


@st.composite
def typed_tables(draw: st.DrawFn, names_of_tables: st.SearchStrategy[str]) -> dict[str, bytes]:
    """One Parquet file with the columns that its table wants and some more, of any types; sometimes with good ones between."""
    table = TABLES[draw(names_of_tables)]
    good = {
        "customer_id": pl.Series(["1", "2", "3"]),
        table.event_time or "joined_at": pl.Series([date(2020, 1, 1)] * 3),
        "amount": pl.Series([1.5, 2.0, 3.0]),
    }
    names = dict.fromkeys([*table.required, *draw(st.lists(NAMES.filter(bool), max_size=4))])
    columns = {name: good[name] if name in good and draw(st.integers(0, 5)) else draw(TYPED) for name in names}
    return {f"{table.name}.parquet": parquet(pl.DataFrame(columns))}


@st.composite
def databases(draw: st.DrawFn) -> dict[str, bytes]:
    """A SQLite table, whose columns hold values of any types side by side, read as transactions."""
    rows = draw(st.lists(st.tuples(*[VALUES_OF_SQLITE] * 4), max_size=4))
    good = [("1", "2020-01-01", 1.5, None)] * draw(st.integers(0, 1))
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("create table sales (customer_id, ordered_at, amount, category)")
        database.executemany("insert into sales values (?, ?, ?, ?)", [*good, *rows])
        content = database.serialize()
    source = {
        "url": "sqlite:///shop.db",
        "query": draw(st.sampled_from(["select * from sales", "select *, 1 as amount from sales"])),
    }
    return {"shop.db": content} | as_yaml({"tables": {"transactions": source}})


def as_yaml(content: object) -> dict[str, bytes]:
    """A company.yaml of any content."""
    return {"company.yaml": yaml.safe_dump(content, allow_unicode=True).encode("utf-8", "surrogatepass")}


def parquet(frame: pl.DataFrame) -> bytes:
    """The bytes of a Parquet file."""
    content = io.BytesIO()
    frame.write_parquet(content)
    return content.getvalue()


VALUES_OF_SQLITE = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=6),
    st.binary(max_size=4),
    st.sampled_from(["2020-01-01", "1", 20200101]),
)
WHOLE = parquet(pl.DataFrame({"customer_id": ["1"] * 50, "ordered_at": [datetime(2020, 1, 1)] * 50, "amount": [1.5] * 50}))


@st.composite
def broken_parquet(draw: st.DrawFn) -> dict[str, bytes]:
    """A good Parquet file that lost its end or its beginning, or has something behind it."""
    content = WHOLE[draw(st.sampled_from([0, 0, 1, 4, 100])) : draw(st.integers(0, len(WHOLE)))] + draw(st.binary(max_size=20))
    return {"transactions.parquet": content}


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.dates(),
    st.text(max_size=8),
    st.sampled_from(
        [
            "amount",
            "customer_id",
            "transactions.csv",
            "%Y",
            "UTC",
            "1.234,56",
            "select 1",
            "sqlite:///x.db",
            "duckdb:///x",
            "seconds",
            ";",
        ]
    ),
)
KEYS = SCALARS.filter(lambda scalar: not isinstance(scalar, float))
FLAT = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(KEYS, SCALARS, max_size=3))
ANYTHING = st.one_of(FLAT, st.lists(FLAT, max_size=3), st.dictionaries(KEYS, FLAT, max_size=3))
OWN_COLUMNS = st.dictionaries(
    st.sampled_from(["amount", "customer_id", "ordered_at", "channel", "quantity"]), SCALARS, max_size=3
)
TABLE_KEYS = st.dictionaries(
    st.sampled_from(list(TableConfig.model_fields)), st.one_of(SCALARS, OWN_COLUMNS, ANYTHING), max_size=4
)
CONFIGS = st.one_of(
    ANYTHING,
    st.dictionaries(st.sampled_from(list(CompanyConfig.model_fields)), ANYTHING, max_size=4),
    st.fixed_dictionaries({"tables": st.dictionaries(TABLE_NAMES, TABLE_KEYS, max_size=2)}),
    st.fixed_dictionaries({"tables": st.fixed_dictionaries({"transactions": TABLE_KEYS})}),
)
OWN = st.sampled_from(["customer_id", "ordered_at", "amount"])
NOTATION = st.fixed_dictionaries(
    {},
    optional={
        "numbers": st.sampled_from(["1.234,56", "$1,234.56", "1234,56 EUR"]),
        "divide_by": st.fixed_dictionaries({"amount": st.floats(1e-3, 1e9)}),
        "values": st.dictionaries(OWN, st.dictionaries(KEYS, SCALARS, max_size=3), max_size=2),
        "constants": st.dictionaries(st.sampled_from(["channel", "promised_at", "quantity"]), SCALARS, max_size=2),
        "negative_where": st.dictionaries(OWN, st.lists(SCALARS, max_size=2), max_size=2),
        "skip_rows_without": st.lists(OWN, max_size=2),
        "time_format": st.sampled_from(["seconds", "milliseconds", "%Y", "%d.%m.%Y", {"ordered_at": "microseconds"}]),
        "zone": st.sampled_from(["UTC", "America/New_York"]),
    },
)
OWN_NOTATION = st.tuples(typed_tables(st.just("transactions")), NOTATION).map(
    lambda drawn: drawn[0] | as_yaml({"tables": {"transactions": drawn[1]}})
)
PLACES = [
    "transactions.csv",
    "transactions.parquet",
    "customers.csv",
    "complaints.parquet",
    "company.yaml",
    "transactions/part.csv",
    "transactions/a=1/b.parquet",
]
ANY_BYTES = st.tuples(
    st.sampled_from(PLACES), st.one_of(st.binary(max_size=300), st.binary(max_size=60).map(lambda tail: GOOD + tail))
)
FILES = {
    "text": tables_of_text(),
    "types": typed_tables(TABLE_NAMES),
    "broken Parquet": broken_parquet(),
    "company.yaml": CONFIGS.map(as_yaml),
    "notation": OWN_NOTATION,
    "SQLite": databases(),
    "bytes": ANY_BYTES.map(lambda drawn: dict([drawn])),
}


@pytest.mark.parametrize("kind", FILES)
def test_any_file_gives_a_company_or_a_refusal_in_words(kind) -> None:
    @QUICK
    @given(FILES[kind])
    def law(files: dict[str, bytes]) -> None:
        holds(read(files))

    law()


@pytest.mark.slow
@pytest.mark.parametrize("kind", FILES)
def test_very_many_files_give_a_company_or_a_refusal_in_words(kind) -> None:
    @SWEEP
    @given(FILES[kind])
    def law(files: dict[str, bytes]) -> None:
        holds(read(files))

    law()
