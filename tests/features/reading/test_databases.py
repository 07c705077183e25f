import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from textwrap import dedent

import duckdb
import polars as pl
import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.pool import NullPool

from features.asof import NEVER_DAY, day_number
from features.reading import databases
from features.reading.config import TableConfig
from features.reading.databases import read_query
from features.reading.sources import read_company
from keepwell.errors import ConfigError, DataError, KeepwellError
from tests.postgres import PASSWORD, url_of

SALES = [("007", datetime(2019, 5, 1), 1.5), ("8", datetime(2020, 5, 1, 10), 2.5)]


def rows(folder: Path, url: str, query: str, **parameters: object) -> pl.DataFrame:
    return read_query("transactions", folder, TableConfig(url=url, query=query, parameters=parameters))


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as database:
        database.execute("create table sales (who text, day text, paid real)")
        database.executemany("insert into sales values (?, ?, ?)", [(who, str(day), paid) for who, day, paid in SALES])
        database.commit()
    return "sqlite:///shop.db"


@pytest.fixture
def duck(tmp_path: Path) -> str:
    with duckdb.connect(tmp_path / "shop.duckdb") as database:
        database.execute("create table sales (who text, day timestamp, paid double)")
        database.executemany("insert into sales values (?, ?, ?)", SALES)
    return "duckdb:///shop.duckdb"


@pytest.fixture
def postgres(postgres_url: str) -> str:
    with create_engine(postgres_url, poolclass=NullPool).begin() as connection:
        connection.execute(text("create table sales (who text, day timestamp, paid double precision)"))
        for who, day, paid in SALES:
            connection.execute(text("insert into sales values (:who, :day, :paid)"), {"who": who, "day": day, "paid": paid})
    return postgres_url


@pytest.fixture(params=["sqlite", "duck", "postgres"])
def shop(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(request.param))


class TestAnyDatabase:
    def test_a_query_is_a_table(self, tmp_path, shop) -> None:
        columns = "{customer_id: who, ordered_at: day, amount: paid}"
        query = "select * from sales where day >= :since and who like '%7%' -- only some;"
        table = f"{{url: '{shop}', query: \"{query}\", parameters: {{since: 2019-01-01 00:00:00}}, columns: {columns}}}"
        (tmp_path / "company.yaml").write_text(f"tables: {{transactions: {table}}}")
        transactions = read_company(tmp_path).tables["transactions"]
        assert transactions.select("customer_id", "ordered_day", "amount").rows() == [("007", day_number(date(2019, 5, 1)), 15)]

    def test_parameters_are_values_and_never_sql(self, tmp_path, shop) -> None:
        assert rows(tmp_path, shop, "select * from sales where who = :who", who="007'; drop table sales").is_empty()
        assert rows(tmp_path, shop, "select * from sales").height == 2

    def test_a_query_without_rows_keeps_its_columns(self, tmp_path, shop) -> None:
        assert rows(tmp_path, shop, "select * from sales where 1 = 0").columns == ["who", "day", "paid"]

    def test_texts_keep_their_zeros_and_null_is_missing(self, tmp_path, shop) -> None:
        read = rows(
            tmp_path, shop, "select who, nullif(paid, 1.5) as paid, null as empty, 'é;,\"\n' as odd from sales order by who"
        )
        assert read["who"].to_list() == ["007", "8"]
        assert read["paid"].to_list() == [None, 2.5]
        assert read["empty"].to_list() == [None, None]
        assert read["odd"][0] == 'é;,"\n'

    @pytest.mark.parametrize(
        ("query", "rule"),
        [
            ("drop table sales", "query must be one SELECT"),
            ("select 1; drop table sales", "query must be one SELECT"),
            ("-- select\ndelete from sales", "query must be one SELECT"),
            ("", "needs url and query together"),
            ("select * from absent", "cannot be read from .*absent"),
            ("select * from sales where who = :who", "A value is required for bind parameter 'who'"),
            ("select who, day as who from sales", r"transactions\.who: is the name of two columns of the query"),
            ("selec * from sales", "query must be one SELECT"),
            ("select * frm sales", "cannot be read from"),
        ],
    )
    def test_what_is_no_reading_query_is_refused(self, tmp_path, shop, query, rule) -> None:
        with pytest.raises((KeepwellError, ValueError), match=rule) as refused:
            rows(tmp_path, shop, query)
        assert "\n  -> " in str(refused.value) or not query
        assert rows(tmp_path, shop, "select * from sales").height == 2

    @pytest.mark.parametrize(
        ("query", "value"),
        [
            ("select ';' as x;", ";"),
            ("/* which; drop table sales */ select 'a' as x -- ; and no more", "a"),
            ("with one as (select 'it''s; so' as x) select * from one", "it's; so"),
            (r"select '10\:30' as x", "10:30"),
            ("select '50%' as x", "50%"),
        ],
    )
    def test_semicolons_colons_and_percent_signs_in_texts_and_comments_are_no_sql(self, tmp_path, shop, query, value) -> None:
        assert rows(tmp_path, shop, query)["x"].to_list() == [value]

    def test_a_select_that_would_write_is_refused_by_the_database(self, tmp_path, shop) -> None:
        with pytest.raises(DataError, match=r"cannot be read from .*(syntax error|read-?only|data-modifying statement)"):
            rows(tmp_path, shop, "with gone as (delete from sales returning who) select * from gone")
        assert rows(tmp_path, shop, "select * from sales").height == 2

    def test_blocks_of_rows_are_one_table(self, tmp_path, shop, monkeypatch) -> None:
        monkeypatch.setattr(databases, "ROWS_AT_ONCE", 1)
        assert rows(tmp_path, shop, "select * from sales order by who")["paid"].to_list() == [1.5, 2.5]


@pytest.mark.parametrize("ending", ["sqlite:///none.db", "duckdb:///none.duckdb", "duckdb://", "sqlite://"])
def test_a_database_file_that_is_not_there_is_not_made(tmp_path, ending) -> None:
    with pytest.raises(DataError, match="does not exist"):
        rows(tmp_path, ending, "select 1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["nonsense", "oracle+nothing://me:secret@host/db"])
def test_a_url_that_cannot_be_used_is_refused_without_its_password(tmp_path, url) -> None:
    with pytest.raises(ConfigError, match=r"tables\.transactions\.url") as refused:
        rows(tmp_path, url, "select 1")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["postgresql+psycopg://me:secret@127.0.0.1:1/x", "postgresql+psycopg://127.0.0.1:1/x?password=secret"]
)
def test_a_database_that_does_not_answer_is_told_without_the_password(tmp_path, url) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(DataError, match=r"cannot be read from .*refused") as refused:
        rows(tmp_path, url, "select 1")
    assert "secret" not in str(refused.value)


def test_a_file_name_with_signs_is_found(tmp_path, sqlite) -> None:
    (tmp_path / "shop.db").rename(tmp_path / "my #1 shop, 50%.db")
    assert rows(tmp_path, "sqlite:///my #1 shop, 50%.db", "select * from sales").height == 2


def test_a_column_of_many_types_in_sqlite_is_text(tmp_path, sqlite) -> None:
    mixed = rows(tmp_path, sqlite, "select 1 as x union all select 'a' union all select 2.5 union all select null")
    assert sorted(mixed["x"].drop_nulls()) == ["1", "2.5", "a"]


class TestDuckDB:
    def test_types_come_as_they_are(self, tmp_path, duck) -> None:
        read = rows(
            tmp_path, duck, "select 1::hugeint as n, 2.50::decimal(9, 2) as d, date '2020-01-01' as day, true as yes, [1] as many"
        )
        assert read.row(0) == (1, Decimal("2.50"), date(2020, 1, 1), True, [1])

    def test_a_column_that_has_no_place_here_is_named(self, tmp_path, duck) -> None:
        with pytest.raises(DataError, match=r"transactions\.span: has the type .*interval, which cannot be read"):
            rows(tmp_path, duck, "select interval 1 day as span")

    def test_no_other_file_can_be_read(self, tmp_path, duck) -> None:
        (tmp_path / "secret.csv").write_text("a\n1\n")
        with pytest.raises(DataError, match="disabled by configuration"):
            rows(tmp_path, duck, f"select * from read_csv('{tmp_path}/secret.csv')")

    def test_a_file_that_is_no_database_is_refused(self, tmp_path) -> None:
        (tmp_path / "shop.duckdb").write_bytes(b"x" * 5000)
        with pytest.raises(DataError, match="not a valid DuckDB database file") as refused:
            rows(tmp_path, "duckdb:///shop.duckdb", "select 1")
        assert "this version of DuckDB" in refused.value.hint

    def test_a_file_that_another_program_writes_is_refused(self, tmp_path, duck) -> None:
        writer = f"import duckdb, sys; c = duckdb.connect({str(tmp_path / 'shop.duckdb')!r}); print(flush=True); sys.stdin.read()"
        pipe = subprocess.PIPE
        with subprocess.Popen([sys.executable, "-c", writer], stdin=pipe, stdout=pipe) as other:
            assert other.stdout is not None
            other.stdout.readline()
            with pytest.raises(DataError, match="Could not set lock on file") as refused:
                rows(tmp_path, duck, "select 1")
            other.communicate()
        assert "end the program that writes to it" in refused.value.hint


class TestPostgreSQL:
    def run(self, url: str, sql: str) -> None:
        with create_engine(url, poolclass=NullPool).begin() as connection:
            connection.execute(text(sql))

    def test_types_come_as_the_server_has_them(self, tmp_path, postgres_url) -> None:
        read = rows(
            tmp_path,
            postgres_url,
            dedent("""\
                select '007' as id, 7::bigint as n, 2.50::numeric(9, 2) as money, date '2020-01-01' as day, false as flag,
                    timestamp '2020-01-01 10:00:00.5' as wall, timestamptz '2020-01-01 10:00:00+05:30' as instant,
                    '2020-02-30' as word, null::int as nothing, 'NaN'::numeric as nan
            """),
        )
        assert read.drop("nan", "instant").row(0) == (
            *("007", 7, 2.5, date(2020, 1, 1), False, datetime(2020, 1, 1, 10, 0, 0, 500_000), "2020-02-30", None),
        )
        assert read["instant"].dtype == pl.Datetime("us", "UTC")
        assert read["instant"].dt.replace_time_zone(None)[0] == datetime(2020, 1, 1, 4, 30)
        assert read["nan"].is_nan()[0]

    def test_a_company_of_postgres_types_is_read(self, tmp_path, postgres_url) -> None:
        self.run(
            postgres_url,
            "create table orders (customer_id text, ordered_at timestamptz, amount numeric(12, 2), promised_at timestamp);"
            "insert into orders values ('007', '2020-01-01 23:30:00+00', 19.90, null);"
            "insert into orders values ('8', '2020-06-30 22:30:00+00', -5, '2020-07-01')",
        )
        (tmp_path / "company.yaml").write_text(
            f"zone: Europe/Berlin\ntables: {{transactions: {{url: '{postgres_url}', query: select * from orders}}}}"
        )
        company = read_company(tmp_path)
        expected = [
            ("007", day_number(date(2020, 1, 2)), 199, NEVER_DAY),
            ("8", day_number(date(2020, 7, 1)), -50, day_number(date(2020, 7, 1))),
        ]
        assert company.tables["transactions"].select("customer_id", "ordered_day", "amount", "promised_day").rows() == expected
        assert company.scales == {"transactions.amount": 1}

    def test_infinity_is_no_time_and_is_named(self, tmp_path, postgres_url) -> None:
        query = "select 1 as customer_id, timestamp 'infinity' as ordered_at, 1 as amount"
        (tmp_path / "company.yaml").write_text(f'tables: {{transactions: {{url: "{postgres_url}", query: "{query}"}}}}')
        with pytest.raises(
            DataError, match=r"transactions\.ordered_at: must be a date or time \(1 row, for example 'infinity'\)"
        ):
            read_company(tmp_path)

    def test_a_session_that_is_left_by_a_trick_is_still_read_only(self, tmp_path, postgres) -> None:
        engine = create_engine(postgres, poolclass=NullPool)
        with engine.connect() as connection:
            connection.execute(text(databases.READ_ONLY["postgresql"]))
            connection.commit()
            with pytest.raises(Exception, match="read-only transaction"):
                connection.execute(text("select 1; commit; drop table sales"))
        assert rows(tmp_path, postgres, "select * from sales").height == 2

    def test_a_wrong_password_is_refused_and_never_shown(self, tmp_path, postgres_server) -> None:
        with pytest.raises(DataError, match="password authentication failed") as refused:
            rows(tmp_path, url_of(postgres_server, password="wrong-one"), "select 1")
        assert "wrong-one" not in str(refused.value)

    def test_a_server_that_is_away_is_told_without_the_password(self, tmp_path, postgres_url) -> None:
        away = make_url(postgres_url).set(query={"host": str(tmp_path)}).render_as_string(hide_password=False)
        with pytest.raises(DataError, match="cannot be read from postgresql") as refused:
            rows(tmp_path, away, "select 1")
        assert PASSWORD not in str(refused.value)
        assert "that the database can be reached" in refused.value.hint

    def test_a_server_that_never_answers_is_given_up(self, tmp_path, monkeypatch) -> None:
        pytest.importorskip("psycopg")
        monkeypatch.setattr(databases, "SECONDS_TO_CONNECT", 2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            port = silent.getsockname()[1]
            with pytest.raises(DataError, match=r"cannot be read from .*timeout"):
                rows(tmp_path, f"postgresql+psycopg://me@127.0.0.1:{port}/shop", "select 1")

    def test_another_driver_reads_the_same_through_python_objects(self, tmp_path, postgres, monkeypatch) -> None:
        copied = rows(tmp_path, postgres, "select *, paid::numeric as exact, who::int as number, true as yes from sales")
        monkeypatch.setattr(databases, "can_copy", lambda connection: False)
        assert rows(tmp_path, postgres, "select *, paid::numeric as exact, who::int as number, true as yes from sales").equals(
            copied
        )
