"""The choice of a horizon: laws on random companies, and companies whose right horizon is known because they were made so."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from features.checks.check import day_after_last_transaction, require_history
from features.company import Company
from features.panel import build_panel
from features.reading.assemble import assemble
from features.reading.sources import read_company
from keepwell.errors import HistoryError
from tests.features.strategies import Story, stories
from training.card.plots import horizon_choice, write_figure
from training.data import training_data
from training.horizon import HorizonFacts
from training.horizon_report import MOST_RETURNED, advise, horizon_report
from training.labels import labels
from training.run import known_until

START, AS_OF = date(2022, 1, 1), date(2024, 1, 1)
SHARED = Path(__file__).parents[2].parent / "shared"


def shop(days: dict[str, list[int]]) -> Company:
    """Customers who bought on such days after START."""
    rows = [(customer, START + timedelta(days=int(day)), 1.0) for customer, each in days.items() for day in each]
    return assemble(
        {"transactions": pl.DataFrame(rows, schema=["customer_id", "ordered_at", "amount"], orient="row")}, key="shop"
    )


def leavers(rng: np.random.Generator, gap: int, customers: int = 500, span: int = 730) -> dict[str, list[int]]:
    """Customers who buy every `gap` days or so, until they leave one day and never come back."""
    found = {}
    for number in range(customers):
        begin, end = rng.integers(0, span // 2), rng.integers(span // 4, 2 * span)
        days = np.arange(begin, min(end, span), gap) + rng.integers(0, max(gap // 4, 1))
        found[f"c{number}"] = [day for day in days if day < span] or [int(begin)]
    return found


def pausers(rng: np.random.Generator, customers: int = 500, span: int = 730) -> dict[str, list[int]]:
    """Customers who never leave: some buy every month or so, some once or twice a year."""
    usual_gaps = rng.uniform(20, 250, customers)
    days = {f"c{number}": np.cumsum(1 + rng.exponential(gap, 60)).astype(int) for number, gap in enumerate(usual_gaps)}
    return {customer: each[each < span].tolist() for customer, each in days.items()}


LEAVERS = shop(leavers(np.random.default_rng(1), gap=20))
PAUSERS = shop(pausers(np.random.default_rng(1)))


@settings(max_examples=25, deadline=None)
@given(stories(), st.integers(0, 10))
def test_later_events_and_the_order_of_rows_change_nothing(story: Story, seed: int) -> None:
    company = story.company()
    assume(_has_customers(company, story.as_of))
    report = horizon_report(company, story.as_of)
    assert horizon_report(known_until(company, story.as_of), story.as_of) == report
    assert horizon_report(story.shuffled(seed).company(), story.as_of) == report


@settings(max_examples=25, deadline=None)
@given(stories())
def test_every_customer_has_one_status_at_every_horizon(story: Story) -> None:
    """The lost are flagged, not dropped: as many customers as there are rows of features."""
    company = story.company()
    assume(_has_customers(company, story.as_of))
    report = horizon_report(company, story.as_of)
    rows = build_panel(company, [story.as_of], ["recency_days"]).height
    assert report.customers == rows
    assert {sum(one.statuses.values()) for one in report.horizons} == {rows}


def _has_customers(company: Company, as_of: date) -> bool:
    try:
        require_history(company, as_of)
    except HistoryError:
        return False
    return True


@pytest.mark.parametrize("days", [30, 90, 180])
def test_the_share_churned_is_what_training_would_see(days: int) -> None:
    facts = next(one for one in horizon_report(LEAVERS, AS_OF).horizons if one.days == days)
    truth = labels(LEAVERS, facts.dates, days, AS_OF)
    by_date = truth.group_by("as_of").agg(pl.col("churned").mean())["churned"]
    assert facts.churned == pytest.approx(by_date.mean())
    assert facts.churned_range == pytest.approx((by_date.min(), by_date.max()))
    learned_from = training_data(LEAVERS, days, AS_OF).labelled_days
    assert tuple(day.toordinal() - date(1970, 1, 1).toordinal() for day in facts.dates) == learned_from
    assert facts.customers == truth.filter(pl.col("as_of") == max(facts.dates)).height


def test_customers_who_leave_for_good_get_the_shortest_horizon_that_outlasts_their_gaps() -> None:
    report = horizon_report(LEAVERS, AS_OF)
    assert (report.advice.horizon_days, report.advice.fits) == (30, True)
    assert report.lines()[0] == "Which horizon?  30d"
    assert report.gap_days["50%"] == 20
    slow = horizon_report(shop(leavers(np.random.default_rng(2), gap=50)), AS_OF)
    assert (slow.advice.horizon_days, slow.advice.fits) == (60, True)
    thirty, sixty = slow.horizons[:2]
    assert thirty.returned is not None
    assert sixty.returned is not None
    assert thirty.returned > MOST_RETURNED >= sixty.returned
    assert f"at 30d it is {thirty.returned:.0%}, too many" in slow.advice.reasons


def test_customers_who_only_pause_fit_no_horizon_and_are_told_so() -> None:
    report = horizon_report(PAUSERS, AS_OF)
    assert (report.advice.horizon_days, report.advice.fits) == (180, False)
    assert report.lines()[0] == "Which horizon?  180d, the nearest; none fits"
    assert report.advice.way_out is not None
    assert "a long pause rather than a goodbye" in report.advice.way_out
    assert all(one.lost_after_days is None for one in report.horizons if one.days <= 30)


def test_silence_tells_who_is_lost_as_the_status_of_scores_does() -> None:
    """Buyers of every 20 days who have been silent for 60 are lost; those of last week are not."""
    facts = horizon_report(LEAVERS, AS_OF).horizons[0]
    assert facts.lapsing_after_days is not None
    assert facts.lost_after_days is not None
    assert 10 <= facts.lapsing_after_days <= facts.lost_after_days <= 40
    panel = build_panel(LEAVERS, [AS_OF], ["recency_days", "days_since_first_purchase"])
    silent = panel.filter((pl.col("recency_days") >= facts.lost_after_days) & (pl.col("days_since_first_purchase") > 30))
    assert facts.statuses["lost"] == silent.height > 100


@pytest.mark.parametrize(
    ("company", "as_of", "reason", "way_out"),
    [
        (LEAVERS, date(2022, 3, 1), "1 of 3 whole horizons have passed at 30d", "bring 34 more days of history"),
        (shop(leavers(np.random.default_rng(1), 20, customers=60)), AS_OF, "customers tell too little", "more customers"),
        (shop({f"c{n}": list(range(0, 730, 5)) for n in range(300)}), AS_OF, "hardly anyone leaves", "forecast what"),
        (shop({f"c{n}": [n % 600] for n in range(300)}), AS_OF, "too few to watch", "bought twice"),
    ],
)
def test_what_cannot_be_judged_says_what_is_lacking(company: Company, as_of: date, reason: str, way_out: str) -> None:
    report = horizon_report(company, as_of)
    assert report.advice.horizon_days is None
    assert reason in report.advice.reasons[0]
    assert way_out in str(report.advice.way_out)
    assert report.lines()[0] == "Which horizon?  none can be judged yet"


@pytest.mark.parametrize("days_more", [33, 34])
def test_the_days_that_are_asked_for_are_just_enough(days_more: int) -> None:
    advice = horizon_report(LEAVERS, date(2022, 3, 1) + timedelta(days=days_more)).advice
    assert ("whole horizons have passed at 30d" in advice.reasons[0]) == (days_more < 34)


def test_a_horizon_is_not_judged_by_a_look_shorter_than_itself() -> None:
    """A watch of three days finds next to nobody who came back: that must not make a short horizon fit."""
    short = facts(30, 0.01, looked_days=3, watched_days=3)
    assert advise([short], history_days=1_000).horizon_days is None
    assert advise([replace(short, looked_days=40, watched_days=40)], history_days=1_000).fits


def test_a_longer_horizon_that_may_fit_says_what_it_takes() -> None:
    advice = advise([facts(90, 0.4), facts(180, 0.15, complete=2)], history_days=500)
    assert (advice.horizon_days, advice.fits) == (90, False)
    assert advice.reasons[1] == "180d may fit (15% so far), but needs 41 more days of history"
    unknown = advise([facts(90, 0.4), facts(180, None, complete=2)], history_days=500)
    assert unknown.reasons[1] == "a longer one, 180d, needs 41 more days of history"


def test_a_short_look_is_owned_up_to() -> None:
    advice = advise([facts(30, 0.1, looked_days=40, watched_days=40)], history_days=1_000)
    assert "nobody could be watched for longer than 40 days yet: ask again when more have passed" in advice.reasons


def facts(days: int, returned: float | None, **changes: object) -> HorizonFacts:
    usual = HorizonFacts(days, (AS_OF,), 5, 3.0, 500, 0.5, (0.4, 0.6), 400, returned, returned, 365, 365, 0.9, None, None, {})
    return replace(usual, **changes)  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.lists(st.integers(0, 9), min_size=5, max_size=5))
def test_the_advice_is_the_shortest_that_fits_else_the_one_fewest_come_back_from(
    shares: list[float], complete: list[int]
) -> None:
    given_facts = [facts(30 * (n + 1), share, complete=k) for n, (share, k) in enumerate(zip(shares, complete, strict=True))]
    ready = [one for one in given_facts if one.complete >= 3]
    advice = advise(given_facts, history_days=1_000)
    fitting = [one.days for one in ready if (one.returned or 0) <= MOST_RETURNED]
    assert advice.fits == bool(fitting)
    if fitting:
        assert advice.horizon_days == min(fitting)
    elif ready:
        assert advice.horizon_days in {one.days for one in ready if one.returned == min(other.returned or 0 for other in ready)}
    else:
        assert advice.horizon_days is None


def test_a_flat_table_has_no_gaps_to_choose_from() -> None:
    flat = {
        "customers": pl.DataFrame({"customer_id": ["a"]}),
        "labels": pl.DataFrame({"customer_id": ["a"], "as_of": [START], "churned": [1]}),
    }
    with pytest.raises(HistoryError, match="there are no transactions") as refused:
        horizon_report(assemble(flat, key="flat"), AS_OF)
    assert "ask whoever made them" in refused.value.hint


def test_the_report_is_plain_json() -> None:
    plain = json.loads(json.dumps(asdict(horizon_report(LEAVERS, AS_OF)), default=str, allow_nan=False))
    assert plain["as_of"] == "2024-01-01"
    assert plain["horizons"][4]["statuses"]["new"] >= 0


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_picture_is_drawn_whole_and_the_same_each_time(tmp_path: Path, ending: str) -> None:
    for name in ("one", "two"):
        write_figure(horizon_choice(horizon_report(PAUSERS, AS_OF), MOST_RETURNED), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"one.{ending}").read_bytes() == (tmp_path / f"two.{ending}").read_bytes()
    assert (tmp_path / f"one.{ending}").stat().st_size > 5_000
    assert len(list(tmp_path.iterdir())) == 2


def test_the_picture_of_a_company_without_gaps_can_be_drawn(tmp_path: Path) -> None:
    figure = horizon_choice(horizon_report(shop({"a": [0], "b": [40]}), AS_OF), MOST_RETURNED)
    figure.canvas.draw()
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "After how long a silence has a customer left?",
        "How long are the gaps between purchases?",
    ]


@pytest.mark.skipif(not SHARED.exists(), reason="the shared data are not here")
@pytest.mark.parametrize(("name", "days", "fits"), [("online_retail_2", 180, False), ("cdnow", 90, False)])
def test_real_shops_have_customers_who_come_back(name: str, days: int, fits: bool) -> None:
    company = read_company(SHARED / "data" / name / "history")
    as_of = day_after_last_transaction(company)
    assert as_of is not None
    report = horizon_report(company, as_of)
    assert (report.advice.horizon_days, report.advice.fits) == (days, fits)
    returned = [one.returned for one in report.horizons if one.returned is not None]
    assert returned == sorted(returned, reverse=True)
