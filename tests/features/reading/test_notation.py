from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.asof import NEVER_DAY, day_number
from features.company import Company, NoteKind
from features.reading.numerals import number_format, plain_numbers
from features.reading.sources import read_company
from keepwell.errors import ConfigError, DataError

HEADER = "customer_id,ordered_at,amount"


def company(folder: Path, settings: str, csv: str, **more: str) -> Company:
    """A company whose transactions are `csv`, read as `settings` says."""
    (folder / "transactions.csv").write_text(csv, encoding="utf-8")
    for name, content in more.items():
        (folder / f"{name}.csv").write_text(content, encoding="utf-8")
    (folder / "company.yaml").write_text(settings if "tables:" in settings else f"tables: {{transactions: {{{settings}}}}}")
    return read_company(folder)


def amounts(made: Company) -> list[float]:
    return (made.tables["transactions"]["amount"] / 10 ** made.scales["transactions.amount"]).to_list()


def messages(made: Company, kind: NoteKind) -> list[str]:
    return [str(note).split(maxsplit=1)[1] for note in made.notes if note.kind is kind]


STYLES = ["1234.56", "1234,56", "1,234.56", "1.234,56", "1 234,56", "1'234.56", "$1,234.56", "1.234,56 EUR", "€ 1 234,56"]


@given(st.sampled_from(STYLES), st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=5))
def test_what_is_written_in_a_notation_is_read_back(example, cents) -> None:
    before, after = example.partition("1")[0], example.rpartition("6")[2]
    thousands, decimal = example.partition("1")[2].partition("234")[0], example[example.index("56") - 1]

    def write(amount: int) -> str:
        digits = f"{abs(amount) / 100:,.2f}".replace(",", "|").replace(".", decimal).replace("|", thousands)
        return f"{'-' if amount < 0 else ''}{before}{digits}{after}"

    read = plain_numbers(pl.Series([write(amount) for amount in cents]), number_format(example)).cast(pl.Float64)
    assert [round(number * 100) for number in read] == cents


@pytest.mark.parametrize("text", ["1.5", "1.23.456,00", "12,3,4", "1,5 USD", "--5", "1e5", "."])
def test_a_number_of_another_notation_is_refused_and_never_read_as_something_else(tmp_path, text) -> None:
    with pytest.raises(DataError, match=r"transactions\.amount: must be a number written as 1\.234,56 \(1 row, for example"):
        company(tmp_path, "numbers: '1.234,56', separator: ';'", f"{HEADER.replace(',', ';')}\n1;2020-01-01;{text}\n")


def test_a_table_in_the_notation_of_a_country_is_read(tmp_path) -> None:
    csv = "Kunde;Datum;Betrag;Menge\n007;31.12.2024;1.234,50 €;2,5\n007;01.01.2025;-5,00 €;\n"
    settings = "numbers: '1.234,56 €', columns: {customer_id: Kunde, ordered_at: Datum, amount: Betrag, quantity: Menge}"
    made = company(tmp_path, settings, csv)
    assert amounts(made) == [1234.5, -5.0]
    assert made.tables["transactions"]["quantity"].to_list() == [2.5, None]


def test_attributes_are_numbers_in_the_notation_only_where_all_are(tmp_path) -> None:
    made = company(
        tmp_path,
        "tables: {customers: {numbers: '1.234,56'}}",
        f"{HEADER}\n1,2020-01-01,5\n2,2020-01-01,5\n",
        customers='customer_id,size,code\n1,"1,5",1.5\n2,,"2,5"\n',
    )
    assert made.tables["customers"]["size"].to_list() == [1.5, None]
    assert made.tables["customers"]["code"].to_list() == ["1.5", "2,5"]


def test_cents_are_divided(tmp_path) -> None:
    made = company(tmp_path, "divide_by: {amount: 100}", f"{HEADER}\n1,2020-01-01,1999\n1,2020-01-02,-5\n")
    assert (made.tables["transactions"]["amount"].to_list(), made.scales["transactions.amount"]) == ([1999, -5], 2)
    assert messages(made, NoteKind.MAPPED) == ["transactions.amount: is divided by 100, as company.yaml says"]


@pytest.mark.parametrize(
    ("unit", "text"), [("seconds", "1577923199"), ("milliseconds", "1577923199999"), ("seconds", "1577923199.5")]
)
def test_instants_as_numbers_since_1970_are_times_in_utc(tmp_path, unit, text) -> None:
    settings = f"zone: Asia/Shanghai\ntables: {{transactions: {{time_format: {{ordered_at: {unit}}}}}}}"
    made = company(tmp_path, settings, f"{HEADER},known_at\n1,{text},5,2020-01-02\n")
    row = made.tables["transactions"].row(0, named=True)
    assert (row["ordered_day"], row["known_day"]) == (day_number(date(2020, 1, 2)), day_number(date(2020, 1, 2)))
    assert row["ordered_us"] // 1_000_000 == 1577923199


def test_seconds_that_are_milliseconds_are_refused(tmp_path) -> None:
    with pytest.raises(DataError, match=r"transactions\.ordered_at: must lie in 1900 to 2100 \(1 row, for example") as refused:
        company(tmp_path, "time_format: seconds", f"{HEADER}\n1,1577923199000,5\n")
    assert "check that these are seconds since 1970-01-01" in refused.value.hint


def test_naive_times_of_a_table_may_be_of_another_zone(tmp_path) -> None:
    settings = "zone: Europe/Berlin\ntables: {transactions: {zone: UTC}}"
    times = ["2020-01-01 23:30", "2020-07-01 22:00", "2020-07-01T22:00:00+02:00"]
    made = company(tmp_path, settings, f"{HEADER}\n" + "".join(f"1,{time},5\n" for time in times))
    assert made.tables["transactions"]["ordered_day"].to_list() == [day_number(date(2020, *d)) for d in ((1, 2), (7, 2), (7, 1))]


def test_a_column_of_days_is_moved_to_no_other_zone(tmp_path) -> None:
    settings = "zone: America/New_York\ntables: {transactions: {zone: UTC}}"
    made = company(tmp_path, settings, f"{HEADER}\n1,2020-01-01,5\n")
    assert made.tables["transactions"]["ordered_day"].to_list() == [day_number(date(2020, 1, 1))]


def test_words_of_the_user_become_ours(tmp_path) -> None:
    settings = (
        "tables:\n"
        "  complaints:\n"
        "    values:\n"
        "      kind: {Reklamation: complaint, Anfrage: enquiry}\n"
        "      closed_at: {9999-12-31: null}\n"
        "      severity: {9: null}\n"
        "  customers: {values: {consent: {Ja: yes, Nein: no}, region: {'': unknown}}}\n"
    )
    complaints = (
        "customer_id,opened_at,closed_at,kind,severity\n1,2020-01-01,9999-12-31, reklamation,9\n1,2020-01-01,2020-01-02,,3\n"
    )
    customers = "customer_id,consent,region\n1,JA,north\n2,Nein,\n"
    made = company(tmp_path, settings, f"{HEADER}\n1,2020-01-01,5\n2,2020-01-01,5\n", complaints=complaints, customers=customers)
    tables = made.tables
    assert tables["complaints"]["kind"].to_list() == ["complaint", None]
    assert tables["complaints"]["closed_day"].to_list() == [NEVER_DAY, day_number(date(2020, 1, 2))]
    assert tables["complaints"]["severity"].to_list() == [None, 3.0]
    assert tables["customers"]["consent"].to_list() == [1.0, 0.0]
    assert tables["customers"]["region"].to_list() == ["north", "unknown"]
    assert "complaints.kind: company.yaml translates 'anfrage', which does not occur" in messages(made, NoteKind.REPORTED)


@pytest.mark.parametrize("churned", [pl.Series([1, 2]), pl.Series([1.0, 2.0]), pl.Series(["1", "2"])])
def test_codes_of_any_type_are_translated(tmp_path, churned) -> None:
    pl.DataFrame({"customer_id": ["a", "b"], "as_of": [date(2020, 1, 1)] * 2, "churned": churned}).write_parquet(
        tmp_path / "labels.parquet"
    )
    made = company(
        tmp_path, "tables: {labels: {values: {churned: {1: no, 2: yes}}}}", f"{HEADER}\na,2020-01-01,5\nb,2020-01-01,5\n"
    )
    assert made.tables["labels"]["churned"].to_list() == [0.0, 1.0]


def test_a_column_may_be_one_constant(tmp_path) -> None:
    made = company(tmp_path, "constants: {channel: shop, promised_at: 2020-01-05}", f"{HEADER},channel\n1,2020-01-01,5,x\n")
    assert made.tables["transactions"].select("channel", "promised_day").row(0) == ("shop", day_number(date(2020, 1, 5)))


def test_refunds_that_a_column_tells_are_negative(tmp_path) -> None:
    csv = f"{HEADER},Type\n1,2020-01-01,5,sale\n1,2020-01-02,3,Credit\n1,2020-01-03,-2,credit \n1,2020-01-04,1,\n"
    made = company(tmp_path, "negative_where: {Type: credit}", csv)
    assert amounts(made) == [5.0, -3.0, -2.0, 1.0]
    assert "transactions.amount: is negative for refunds, as company.yaml says (2 rows)" in messages(made, NoteKind.MAPPED)


def test_rows_without_a_customer_may_be_left_out_and_are_counted(tmp_path) -> None:
    csv = f"{HEADER}\n1,2020-01-01,5\n,2020-01-02,3\nguest,2020-01-02,3\n"
    made = company(tmp_path, "values: {customer_id: {guest: null}}, skip_rows_without: [customer_id]", csv)
    assert amounts(made) == [5.0]
    assert "transactions.customer_id: rows without it are left out, as company.yaml says (2 rows)" in messages(
        made, NoteKind.MAPPED
    )


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        ("numbers: '1234'", "numbers: '1234' must show how 1234.56 is written"),
        ("divide_by: {amount: 0}", r"divide_by\.amount: Input should be greater than 0"),
        ("divide_by: {customer_id: 100}", "'customer_id' holds id, and can be divided by nothing"),
        ("divide_by: {amuont: 100}", "'amuont' is no column of transactions"),
        ("values: {channel: {x: [1]}}", r"\[1\] is no word"),
        ("values: {channel: x}", "values.channel"),
        ("constants: {chanel: x}", "'chanel' is no column of transactions"),
        ("constants: {channel: x}, columns: {channel: y}", "'channel' is under columns and under constants"),
        ("time_format: {orderd_at: seconds}", "'orderd_at' is no column of transactions"),
        ("skip_rows_without: [id]", "'id' is no column of transactions"),
        ("encoding: hex", "'hex' is no encoding"),
        ("zone: Mars", "'Mars' is no IANA time zone"),
    ],
)
def test_what_company_yaml_cannot_mean_is_refused(tmp_path, settings, rule) -> None:
    with pytest.raises(ConfigError, match=rule):
        company(tmp_path, settings, f"{HEADER}\n1,2020-01-01,5\n")


def test_refunds_are_told_among_transactions_alone(tmp_path) -> None:
    with pytest.raises(ConfigError, match="negative_where tells refunds among transactions, and payments has none"):
        company(tmp_path, "tables: {payments: {negative_where: {a: [b]}}}", f"{HEADER}\n1,2020-01-01,5\n")


@pytest.mark.parametrize(
    "settings",
    ["negative_where: {Type: [x]}", "values: {channel: {a: b}}", "divide_by: {cost: 100}", "skip_rows_without: [order_id]"],
)
def test_a_column_that_company_yaml_speaks_of_must_be_there(tmp_path, settings) -> None:
    with pytest.raises(DataError, match=r"is not there, but company\.yaml"):
        company(tmp_path, settings, f"{HEADER}\n1,2020-01-01,5\n")


def test_a_table_of_which_all_rows_are_left_out_has_no_rows(tmp_path) -> None:
    with pytest.raises(DataError, match="transactions: has no rows") as refused:
        company(tmp_path, "skip_rows_without: [customer_id]", f"{HEADER}\n,2020-01-02,3\n")
    assert "skip_rows_without" in refused.value.hint


class TestRefundsOfTheirOwn:
    def test_they_become_negative_transactions_in_common_minor_units(self, tmp_path) -> None:
        made = company(
            tmp_path,
            "tables: {refunds: {columns: {amount: Gutschrift}, numbers: '1234,56', time_format: '%d.%m.%Y'}}",
            f"{HEADER},promised_at\n007,2020-01-01,5,2020-01-03\n",
            refunds='customer_id,ordered_at,Gutschrift\n007,31.01.2020,"1,25"\n8,01.02.2020,"-2"\n',
        )
        rows = made.tables["transactions"].select("customer_id", "ordered_day", "amount", "promised_day").rows()
        day = [day_number(date(2020, *one)) for one in ((1, 1), (1, 31), (2, 1), (1, 3))]
        assert rows == [("007", day[0], 500, day[3]), ("007", day[1], -125, NEVER_DAY), ("8", day[2], -200, NEVER_DAY)]
        assert made.scales == {"transactions.amount": 2}
        assert "refunds" not in made.tables

    def test_a_refund_of_an_order_is_no_version_of_it(self, tmp_path) -> None:
        line = "customer_id,ordered_at,amount,order_id,product_id,known_at\n1,2020-01-0{},5,A,p,2020-01-0{}\n"
        made = company(tmp_path, "tables: {}", line.format(1, 1), refunds=line.format(5, 5))
        assert made.tables["transactions"]["superseded_day"].to_list() == [NEVER_DAY, NEVER_DAY]

    def test_their_faults_are_told_of_their_table(self, tmp_path) -> None:
        with pytest.raises(DataError, match=r"refunds\.amount: must be a number \(1 row, for example 'x'\)"):
            company(tmp_path, "tables: {}", f"{HEADER}\n1,2020-01-01,5\n", refunds=f"{HEADER}\n1,2020-01-01,x\n")

    def test_amounts_that_do_not_fit_together_are_refused(self, tmp_path) -> None:
        with pytest.raises(DataError, match=r"refunds\.amount: is too large to be summed exactly together"):
            company(tmp_path, "tables: {}", f"{HEADER}\n1,2020-01-01,9e12\n", refunds=f"{HEADER}\n1,2020-01-01,0.000001\n")
