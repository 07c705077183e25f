import json
from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.checks.check import check_report, require_history
from features.checks.odd_times import Suspicion
from features.company import Company
from features.reading.assemble import assemble
from keepwell.errors import ConfigError, HistoryError

START = datetime(2020, 1, 1)


def shop(days: int, customers: int = 300, amount: float = 10.0) -> Company:
    """Customers who each buy on the first and the last of so many days."""
    ids = [f"c{n}" for n in range(customers)]
    ordered = [START] * customers + [START + timedelta(days=days - 1)] * customers
    transactions = pl.DataFrame({"customer_id": ids * 2, "ordered_at": ordered, "amount": [amount] * len(ordered)})
    return assemble({"transactions": transactions}, key="shop")


FLAT = assemble(
    {
        "customers": pl.DataFrame({"customer_id": ["a"], "age": [3]}),
        "labels": pl.DataFrame({"customer_id": ["a"], "as_of": [START], "churned": [1]}),
    },
    key="flat",
)


def test_history_is_enough_when_a_purchase_lies_before_a_whole_horizon() -> None:
    require_history(shop(100), date(2020, 4, 1), 90)
    require_history(shop(100), date(2020, 1, 2))
    with pytest.raises(
        HistoryError, match="a horizon of 91 days is longer than the history: the first purchase is 91 days before 2020-04-01"
    ):
        require_history(shop(100), date(2020, 4, 1), 91)


def test_a_purchase_on_as_of_is_not_known() -> None:
    with pytest.raises(HistoryError, match="no purchase is known before 2020-01-01") as refused:
        require_history(shop(100), date(2020, 1, 1))
    assert "2020-01-01" in refused.value.hint


def test_refunds_alone_make_no_customer() -> None:
    with pytest.raises(HistoryError, match="no transaction has a positive amount"):
        require_history(shop(100, amount=-1.0), date(2021, 1, 1))


def test_a_horizon_is_at_least_a_day() -> None:
    with pytest.raises(ConfigError, match="a horizon of 0 days is none"):
        require_history(shop(100), date(2020, 4, 1), 0)


def test_what_needs_purchases_is_refused_with_what_to_add() -> None:
    with pytest.raises(HistoryError, match="there are no transactions") as refused:
        require_history(FLAT, date(2026, 1, 1))
    assert "customer_id, ordered_at and amount" in refused.value.hint


@pytest.mark.parametrize(
    ("days", "customers", "complete", "verdict"),
    [(90, 300, 0, "no"), (91, 300, 1, "thin"), (270, 300, 2, "thin"), (271, 300, 3, "yes"), (271, 199, 3, "thin")],
)
def test_the_verdict_counts_whole_horizons_and_customers(days, customers, complete, verdict) -> None:
    report = check_report(shop(days, customers), 90)
    assert (report.horizons[0].complete, report.horizons[0].verdict) == (complete, verdict)
    assert report.trainable == (verdict != "no")


@pytest.mark.parametrize("days", range(85, 100))
def test_the_verdict_agrees_with_what_train_requires(days) -> None:
    company = shop(days)
    report = check_report(company, 90)
    assert report.as_of == date(2020, 1, 1) + timedelta(days=days)
    if report.trainable:
        require_history(company, report.as_of, 90)
    else:
        with pytest.raises(HistoryError, match="longer than the history"):
            require_history(company, report.as_of, 90)


def test_the_report_reads_well_and_answers_first() -> None:
    lines = check_report(shop(400)).lines()
    assert lines[0] == "Can I train on this?  Yes, for a horizon of 30d, 60d, 90d."
    text = "\n".join(lines)
    assert "customers  300 with a purchase before 2021-02-04" in text
    assert "purchases  600 and 0 refunds in 400 days since 2020-01-01" in text
    assert "transactions          600 rows,       300 customers, 2020-01-01 to 2021-02-03" in text
    assert "180d  thin (2 whole horizons passed; a yes takes 141 more days of history)" in text
    assert "complaints: Complaints and enquiries; for " in text
    assert "transactions.quantity: number of units" in text
    assert "leaks" not in text


def test_no_leak_is_told_only_where_somebody_looked() -> None:
    found = Suspicion("attribute", "customers.gone", "alone tells who left", "remove it")
    assert "leaks      nothing looks like one" in check_report(shop(400), leaks=()).lines()
    lines = check_report(shop(400), leaks=(found,)).lines()
    assert "leaks      1 to look at, below" in lines
    assert lines[lines.index("looks like a leak") + 1] == "  customers.gone: alone tells who left"


def test_the_report_says_why_not_and_what_to_do() -> None:
    report = check_report(FLAT)
    assert not report.trainable
    assert report.lines()[:2] == [
        "Can I train on this?  No: there are no transactions",
        f"  -> {report.way_out}",
    ]
    assert not check_report(shop(100, amount=-1.0)).trainable


def test_the_report_is_plain_json() -> None:
    report = json.loads(json.dumps(check_report(shop(400), 90).as_dict()))
    assert report["as_of"] == "2021-02-04"
    assert report["horizons"] == [
        {"days": 90, "complete": 4, "verdict": "yes", "lacking_days": 0, "lacking_customers": 0},
    ]
    assert report["tables"][0]["customers"] == 300


@given(st.integers(2, 400), st.integers(1, 400), st.sampled_from([1, 30, 90, 180]))
@settings(max_examples=40, deadline=None)
def test_what_is_asked_for_is_just_enough_for_a_yes(days: int, customers: int, horizon: int) -> None:
    [check] = check_report(shop(days, customers), horizon).horizons
    more = shop(days + check.lacking_days, customers + check.lacking_customers)
    assert check_report(more, horizon).answer == f"Yes, for a horizon of {horizon}d."
    if check.lacking_days:
        assert check_report(shop(days + check.lacking_days - 1, 400), horizon).horizons[0].verdict != "yes"
    if check.lacking_customers:
        assert check_report(shop(days, customers + check.lacking_customers - 1), horizon).horizons[0].verdict != "yes"


@pytest.mark.parametrize(
    ("days", "customers", "way_out"),
    [
        (224, 300, "for a plain yes at 90d: 47 more days of history, or a horizon of 60d"),
        (271, 80, "for a plain yes at 90d: 120 more customers"),
        (100, 199, "for a plain yes at 90d: 171 more days of history, or a horizon of 30d; and 1 more customer"),
        (20, 300, "for a plain yes at 90d: 251 more days of history"),
        (50, 300, "for a plain yes at 90d: 221 more days of history, or a horizon of 14d"),
        (271, 300, None),
    ],
)
def test_the_way_to_a_yes_is_told_in_days_and_customers(days: int, customers: int, way_out: str | None) -> None:
    assert check_report(shop(days, customers), 90).way_out == way_out


def test_a_horizon_that_is_proposed_gets_a_yes() -> None:
    assert check_report(shop(100), 30).answer == "Yes, for a horizon of 30d."
    assert check_report(shop(50), 14).answer == "Yes, for a horizon of 14d."
