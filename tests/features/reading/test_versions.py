from datetime import datetime, timedelta

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from features.asof import NEVER_DAY, day_number, known_before
from features.reading.normalise import Reading, normalise
from features.tables import TABLES

START = datetime(2020, 1, 1)
FIRST = day_number(START.date())
DAYS = st.integers(0, 12)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"customer_id": st.sampled_from(["a", "b"]), "ordered": DAYS, "known": st.none() | DAYS, "amount": st.integers(1, 9)}
        | {"order_id": st.sampled_from(["x", "y", None]), "product_id": st.sampled_from(["p", "q"])}
    ),
    min_size=1,
    max_size=12,
)


def at(day: float | None) -> datetime | None:
    return None if day is None else START + timedelta(days=day)


def transactions(rows: list[dict]) -> pl.DataFrame:
    columns = {name: [row[name] for row in rows] for name in ("customer_id", "amount", "order_id", "product_id")}
    times = {"ordered_at": [at(row["ordered"]) for row in rows], "known_at": [at(row["known"]) for row in rows]}
    texts = dict.fromkeys(("customer_id", "order_id", "product_id"), pl.String)
    return pl.DataFrame(columns | times, schema_overrides=texts | dict.fromkeys(times, pl.Datetime("us")))


def counting(frame: pl.DataFrame, as_of_day: int) -> list[tuple]:
    known = frame.filter(known_before(as_of_day, pl.col("known_day"), pl.col("superseded_day")))
    return sorted(known.select("customer_id", "ordered_day", "amount").rows())


def expected(rows: list[dict], as_of_day: int) -> list[tuple]:
    """The rule in plain Python: of the known rows of a key, those that none with a later known_at of its own corrects.

    On one day, a row with a known_at is later than one without.
    """
    known = [row | {"at": row["ordered"] if row["known"] is None else row["known"]} for row in rows]
    known = [row for row in known if FIRST + max(row["ordered"], row["at"]) < as_of_day]

    def newest(row: dict) -> bool:
        key = ("customer_id", "order_id", "product_id")
        same = [other for other in known if all(other[name] == row[name] for name in key)]
        when = (row["at"], row["known"] is not None)
        return row["order_id"] is None or not any(other["known"] is not None and (other["at"], True) > when for other in same)

    return sorted((row["customer_id"], FIRST + row["ordered"], row["amount"]) for row in known if newest(row))


def normalised(table: str, raw: pl.DataFrame) -> pl.DataFrame:
    return normalise(TABLES[table], raw, Reading()).frame


@given(ROWS, ROWS, st.integers(-1, 14))
def test_a_customers_versions_do_not_depend_on_the_rows_of_others(rows, others, days) -> None:
    mine = [row | {"customer_id": "a", "known": None} for row in rows]
    both = normalised("transactions", transactions([*mine, *({**row, "customer_id": "b"} for row in others)]))
    alone = normalised("transactions", transactions(mine).drop("known_at"))
    assert counting(both.filter(pl.col("customer_id") == "a"), FIRST + days) == counting(alone, FIRST + days)


@given(ROWS, st.integers(-1, 14))
def test_the_newest_known_version_of_a_key_counts(rows, days) -> None:
    assert counting(normalised("transactions", transactions(rows)), FIRST + days) == expected(rows, FIRST + days)


@given(ROWS, st.integers(-1, 14), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(rows, days, random) -> None:
    shuffled = random.sample(rows, len(rows))
    frames = [normalised("transactions", transactions(version)) for version in (rows, shuffled)]
    assert counting(frames[0], FIRST + days) == counting(frames[1], FIRST + days)


@given(ROWS, st.integers(-1, 14))
def test_a_log_that_ends_before_as_of_gives_the_same(rows, days) -> None:
    early = [row for row in rows if max(row["ordered"], row["known"] or 0) < days]
    full = counting(normalised("transactions", transactions(rows)), FIRST + days)
    assert full == (counting(normalised("transactions", transactions(early)), FIRST + days) if early else [])


def test_order_lines_without_known_at_are_no_versions() -> None:
    raw = transactions(
        [{"customer_id": "a", "ordered": day, "known": None, "amount": 1, "order_id": "x", "product_id": "p"} for day in (0, 1)]
    )
    frame = normalised("transactions", raw.drop("known_at"))
    assert frame["superseded_day"].to_list() == [NEVER_DAY, NEVER_DAY]
    assert frame["known_day"].equals(frame["ordered_day"], check_names=False)


def test_an_order_that_lists_a_product_twice_keeps_both_lines() -> None:
    line = {"customer_id": "a", "ordered": 0, "known": 1, "amount": 5, "order_id": "x", "product_id": "p"}
    frame = normalised("transactions", transactions([line, line, line | {"known": 3, "amount": 4}]))
    assert len(counting(frame, FIRST + 2)) == 2
    assert counting(frame, FIRST + 4) == [("a", FIRST, 4)]


def complaints(rows: list[tuple]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=["customer_id", "complaint_id", "opened_at", "closed_at"], orient="row")
    return normalised("complaints", frame.with_columns(pl.col("opened_at", "closed_at").cast(pl.Datetime("us"))))


def test_of_complaints_with_one_number_and_time_the_one_that_got_further_counts() -> None:
    rows = [("a", "1", at(0), at(5)), ("a", "1", at(0), None), ("b", "1", at(0), None)]
    for order in (rows, rows[::-1]):
        frame = complaints(order)
        known = frame.filter(known_before(FIRST + 1, pl.col("known_day"), pl.col("superseded_day")))
        assert sorted(known.select("customer_id", "closed_day").rows()) == [("a", FIRST + 5), ("b", NEVER_DAY)]


def test_a_correction_told_on_the_day_itself_replaces_what_it_corrects() -> None:
    """Whoever writes known_at as a day writes midnight, which lies before the hour of what is corrected."""
    told = {"customer_id": ["a", "a"], "known_at": [None, at(0)]}
    lines = told | {"ordered_at": [at(0.5)] * 2, "order_id": ["x"] * 2, "product_id": ["p"] * 2, "amount": [100, 60]}
    assert counting(normalised("transactions", pl.DataFrame(lines)), FIRST + 1) == [("a", FIRST, 60)]
    cases = told | {"opened_at": [at(0.5)] * 2, "complaint_id": ["1"] * 2, "closed_at": [None, at(0.6)]}
    frame = normalised("complaints", pl.DataFrame(cases))
    assert frame["superseded_day"].to_list() == [FIRST, NEVER_DAY]


def test_complaints_without_a_number_are_no_versions() -> None:
    frame = complaints([("a", None, at(0), None), ("a", None, at(0), None)])
    assert frame["superseded_day"].to_list() == [NEVER_DAY, NEVER_DAY]


def contacts(rows: list[tuple], attribution_days: int = 30) -> pl.DataFrame:
    columns = ["customer_id", "contacted_at", "known_at", "accepted", "converted"]
    times = dict.fromkeys(("contacted_at", "known_at"), pl.Datetime("us")) | dict.fromkeys(("accepted", "converted"), pl.Boolean)
    frame = pl.DataFrame([("a", *row) for row in rows], schema=columns, orient="row", schema_overrides=times)
    return normalise(TABLES["contacts"], frame, Reading(attribution_days=attribution_days)).frame


def test_an_outcome_is_known_from_known_at_else_after_the_attribution_days() -> None:
    rows = [(at(0), None, True, None), (at(0), at(5), None, False), (at(4), at(1), True, True), (at(0), at(5), None, None)]
    frame = contacts(rows)
    assert frame["outcome_day"].to_list() == [FIRST + 30, FIRST + 5, FIRST + 4, NEVER_DAY]
    assert frame["outcome_day"].dtype == frame["known_day"].dtype
    assert contacts(rows[:1], attribution_days=7)["outcome_day"].to_list() == [FIRST + 7]


def test_from_when_outcomes_count_is_reported() -> None:
    columns = {"customer_id": ["a", "b", "c"], "contacted_at": [START] * 3, "known_at": [START, None, at(2)]}
    frame = pl.DataFrame(columns | {"accepted": [True] * 3, "converted": [False] * 3})
    notes = normalise(TABLES["contacts"], frame, Reading(attribution_days=7)).notes
    assert [(note.rows, note.message) for note in notes if "accepted" in note.message] == [
        (1, "accepted and converted count 7 days after the event, as no known_at says when"),
        (1, "accepted and converted count from the day of the event, as known_at says"),
    ]


def test_a_row_is_never_known_later_than_its_outcome() -> None:
    frame = contacts([(at(day), known, True, None) for day in (0, 3) for known in (None, at(1), at(9))])
    assert (frame["outcome_day"] >= frame["known_day"]).all()


def test_contacts_without_outcomes_have_no_day_of_them() -> None:
    frame = pl.DataFrame({"customer_id": ["a"], "contacted_at": [START]})
    assert "outcome_day" not in normalised("contacts", frame).columns
    assert "outcome_day" not in normalised("surveys", frame.rename({"contacted_at": "answered_at"})).columns


def test_rows_that_were_known_before_they_happened_are_told() -> None:
    raw = pl.DataFrame({"customer_id": ["a"] * 3, "opened_at": [at(5)] * 3, "known_at": [at(4), at(5), None]})
    [told] = normalise(TABLES["complaints"], raw.head(1), Reading()).notes
    assert str(told) == "warning  complaints.known_at: lies before opened_at; the row counts from the later of the two (1 row)"
    assert [note.rows for note in normalise(TABLES["complaints"], raw, Reading()).notes if note.column == "known_at"] == [1]


def test_invoices_are_known_before_they_are_due() -> None:
    raw = pl.DataFrame({"customer_id": ["a"], "due_at": [at(5)], "amount": [1.0], "known_at": [at(1)]})
    assert normalise(TABLES["payments"], raw, Reading()).notes == ()
