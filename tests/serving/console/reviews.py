"""A review with a figure of each kind, as a command could have kept it, and models as a registry could have them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from decisions.migration import Flow
from decisions.reviews.actions import ActionFacts, review_actions
from decisions.reviews.changes import Change, Equity
from decisions.reviews.figures import UNKNOWN, Between
from decisions.reviews.forecast import PastTotal
from decisions.reviews.measures import Measured
from decisions.reviews.promises import Calibrated, Promise
from decisions.reviews.review import Forecast, Reason, Review
from decisions.rollup import Group
from serving.model_desk import ModelDesk, Version
from tests.serving.console.shop import AS_OF, NASTY_NAME, NOW

NAN = float("nan")
KEPT = ActionFacts("winback_call", "Win-back call", 30, 6, 24, 9, 5, 96.0, 96.0, Between(800.0, 210.0, 1400.0))
STOPPED = replace(KEPT, action="discount", title="Discount", incremental_value=Between(10.0, -60.0, 80.0))
OPEN = replace(KEPT, action="gift", title=NASTY_NAME, incremental_value=Between(90.0, -60.0, 240.0))
UNMEASURED = ActionFacts("visit", "Visit", 3, 0, 3, None, None, 60.0, unknown="no controls")
WANTED = ActionFacts("birthday_card", "Birthday card", 0, 0, 0, None, None, 0.0, wanted=1200, wanted_value=340.5)
PLANNED = ActionFacts("mail", "Mail", 40, 8, 0, None, None, 0.0)


def a_review(since: date = date(2026, 1, 1), until: date = date(2026, 4, 1)) -> Review:
    """Every section, with what is missing in places."""
    whole = Promise(None, 1200, 0.21, Between(0.24, 0.22, 0.26), 90_000.0, 84_000.0, Between(0.93, 0.8, 1.1), "")
    broken = replace(whole, tier="VIP", trouble="more left than was forecast; they brought less than was forecast")
    unpaid = replace(whole, tier="small", value_promised=NAN, value_came=NAN, value_ratio=UNKNOWN)
    measure = Measured("first_response_hours", None, 80, Between(9.1, 7.0, 11.2), NAN, "")
    return Review(
        company="northwind-tea",
        currency="EUR",
        since=since,
        as_of=until,
        now_as_of=until,
        horizon_days=90,
        model_version="3",
        customers=1200,
        promises=(whole, broken, unpaid),
        calibration=tuple(Calibrated(120, i / 12, Between(i / 11, max(0.0, i / 11 - 0.05), i / 11 + 0.05)) for i in range(10)),
        tier_moves=(
            Flow("VIP", "VIP", 10, 900.0, 950.0),
            Flow("major", "VIP", 2, 90.0, 150.0),
            Flow(None, "small", 40, 0.0, 300.0),
        ),
        changes=(Change("won", 40, 0.0, 300.0), Change("lost", 200, 9000.0, NAN), Change("upgraded", 2, 90.0, 150.0)),
        actions=review_actions([KEPT, STOPPED, OPEN, UNMEASURED, WANTED, PLANNED]),
        earned=Between(900.0, 150.0, 1650.0),
        spent=288.0,
        measures=(
            measure,
            replace(measure, tier="VIP", target=4.0, verdict="missed"),
            Measured("recovered_share", "VIP", 8, Between(0.75, 0.4, 0.93), 0.7, "met"),
        ),
        reasons=(Reason("price", 12, 5, 640.0), Reason("<i>own words</i>", 1, None, 10.0)),
        forecast=Forecast(
            as_of=until,
            horizon_days=90,
            total=Between(88_000.0, 79_000.0, 97_000.0),
            by_tier=(Group("VIP", 12, 0.1, 40_000.0, 50_000.0, 30_000.0, 4000.0, 200_000.0),),
            by_owner=(Group(None, 12, 0.1, 40_000.0, 50_000.0, 30_000.0, 4000.0, 200_000.0),),
            past=(PastTotal(since, 1200, 90_000.0, 84_000.0, 0.05),),
        ),
        equity=(Equity(None, 1200, 410_000.0, 1170, 402_000.0),),
        notes=("there is no table surveys, so nothing is told of satisfaction and loyalty",),
    )


class FixedDesk(ModelDesk):
    """A desk whose registry has three versions and one look of the monitor, and needs no MLflow."""

    def __init__(self) -> None:
        pass

    def first(self, company: str | None, horizon_days: int | None) -> tuple[str, int]:
        return company or "northwind-tea", horizon_days or 90

    def versions(self, company: str, horizon_days: int) -> tuple[Version, ...]:
        calibration = [{"customers": 120, "promised": i / 12, "left": 11 * i} for i in range(10)]
        figures = {
            "churn_auc": [0.81, 0.79, 0.83],
            "value_total_ratio": [None, None, None],
            "value_top_decile_captured": [0.4, 0.3, 0.5],
        }
        card = {"customers": 1200, "figures": figures, "calibration": calibration, "warnings": [NASTY_NAME]}
        champion = Version("champion", "3", "stack", "B", AS_OF, AS_OF, NOW, "surely better", "ann", card)
        return (
            champion,
            replace(champion, alias="challenger", version="4"),
            replace(champion, alias="previous", version="2", card={}),
        )

    def watched(self, company: str, horizon_days: int) -> dict[str, object]:
        return {"status": "drift", "as_of": "2026-04-01", "version": "3", "warnings": [NASTY_NAME]}
