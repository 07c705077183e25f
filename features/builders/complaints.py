"""Complaints: how often a customer complains, what is still open, how fast and how well it was handled. Enquiries apart."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from features.asof import Column
from features.definitions import WINDOWS, Aggregate, Feature, Operations, Summary, Window, feature
from features.formulas import MILLION, mean_millionths, rating_trend, ratio, same

HOUR_US = 3_600_000_000

CLOSING = ("complaints.closed_at",)
RATING = ("complaints.closed_at", "complaints.satisfaction")
NO_COMPLAINT = "no complaint yet"
NO_RATING = "no complaint closed and rated yet"

_complaints = partial(feature, table="complaints", builder="complaints", actionable=True)
_past = partial(_complaints, actionable=False)

COUNT = Aggregate("complaints", "count")
LAST_AGE = Aggregate("complaints", "min", "age")
POINTS = Aggregate("rated_days", "sum", "points")
RATINGS = Aggregate("rated_days", "sum", "ratings")
LAST_POINTS = Aggregate("rated_days", "sum", "points_change")
LAST_RATINGS = Aggregate("rated_days", "sum", "ratings_change")


def _where(condition: str, how: Summary = "count", column: str = "") -> Aggregate:
    return Aggregate("complaints", how, column, where=condition)


def _mean_hours(c: Operations, elapsed_us: Column, count: Column) -> Column:
    return c.divide(c.over(elapsed_us, HOUR_US), count)


def _in_points(c: Operations, millionths: Column) -> Column:
    return c.over(millionths, MILLION)


def _bought_after(c: Operations, recency: Column, complaint_age: Column) -> Column:
    return c.where(recency < complaint_age, 1, c.where(recency >= complaint_age, 0))


def _counts(window: Window) -> Iterator[Feature]:
    complaints, enquiries = Aggregate("complaints", "count", window=window), Aggregate("enquiries", "count", window=window)
    counted = partial(_past, window=window)
    yield counted("complaints", same, (complaints,), ("Complaints", "投诉数"), "Complaints opened.", unit="complaints")
    meaning = "Enquiries opened; they are no complaints."
    yield counted("enquiries", same, (enquiries,), ("Enquiries", "咨询数"), meaning, unit="enquiries", needs=("complaints.kind",))


FEATURES: tuple[Feature, ...] = (
    *(made for window in WINDOWS for made in _counts(window)),
    _complaints(
        "complaints_open",
        same,
        (_where("open"),),
        ("Open complaints", "未结投诉数"),
        "Complaints that are not closed.",
        unit="complaints",
        needs=CLOSING,
    ),
    _complaints(
        "complaints_unanswered",
        same,
        (_where("unanswered"),),
        ("Unanswered complaints", "未响应投诉数"),
        "Complaints without a first response that are not closed either.",
        unit="complaints",
        needs=("complaints.first_response_at",),
    ),
    _complaints(
        "oldest_open_complaint_days",
        same,
        (_where("open", "max", "age"),),
        ("Age of the oldest open complaint", "最早未结投诉天数"),
        "Days since the oldest open complaint was opened.",
        unit="days",
        low=1,
        needs=CLOSING,
        missing="no open complaint",
    ),
    _past(
        "days_since_complaint",
        same,
        (LAST_AGE,),
        ("Days since last complaint", "距上次投诉天数"),
        "A complaint opened yesterday is 1.",
        unit="days",
        low=1,
        missing=NO_COMPLAINT,
    ),
    _complaints(
        "first_response_hours_mean",
        _mean_hours,
        (_where("answered", "sum", "response_us"), _where("answered")),
        ("Mean time to first response", "投诉平均首次响应时长"),
        "Mean hours from opening to first response, of answered complaints.",
        unit="hours",
        needs=("complaints.first_response_at",),
        missing="no complaint answered yet",
    ),
    _complaints(
        "resolve_hours_mean",
        _mean_hours,
        (_where("closed", "sum", "resolve_us"), _where("closed")),
        ("Mean time to resolve", "投诉平均解决时长"),
        "Mean hours from opening to closing, of closed complaints.",
        unit="hours",
        needs=CLOSING,
        missing="no complaint closed yet",
    ),
    _past(
        "complaint_severity_mean",
        mean_millionths,
        (_where("of_known_severity", "sum", "severity"), _where("of_known_severity")),
        ("Mean complaint severity", "平均投诉严重程度"),
        "Mean severity of all complaints.",
        unit="severity 1-5",
        low=1,
        high=5,
        needs=("complaints.severity",),
        missing="no complaint of known severity",
    ),
    _past(
        "complaint_severity_max",
        _in_points,
        (_where("of_known_severity", "max", "severity"),),
        ("Worst complaint severity", "最高投诉严重程度"),
        "Severity of the worst complaint.",
        unit="severity 1-5",
        low=1,
        high=5,
        needs=("complaints.severity",),
        missing="no complaint of known severity",
    ),
    _complaints(
        "complaint_satisfaction_last",
        mean_millionths,
        (LAST_POINTS, LAST_RATINGS),
        ("Last complaint satisfaction", "最近投诉满意度"),
        "Satisfaction with the rated complaint that was closed last; the mean of those closed on the same day.",
        unit="satisfaction 1-5",
        low=1,
        high=5,
        needs=RATING,
        missing=NO_RATING,
    ),
    _complaints(
        "complaint_satisfaction_mean",
        mean_millionths,
        (POINTS, RATINGS),
        ("Mean complaint satisfaction", "平均投诉满意度"),
        "Mean satisfaction with closed complaints.",
        unit="satisfaction 1-5",
        low=1,
        high=5,
        needs=RATING,
        missing=NO_RATING,
    ),
    _complaints(
        "complaint_satisfaction_trend",
        rating_trend,
        (POINTS, RATINGS, LAST_POINTS, LAST_RATINGS),
        ("Complaint satisfaction trend", "投诉满意度变化"),
        "Last satisfaction less the mean of all before it.",
        unit="points",
        low=-4,
        high=4,
        needs=RATING,
        missing="complaints were closed and rated on fewer than two days",
    ),
    _past(
        "complaints_per_order",
        ratio,
        (COUNT, Aggregate("purchase_days", "sum", "orders")),
        ("Complaints per order", "单均投诉数"),
        "All complaints over all orders.",
        unit="complaints per order",
    ),
    _complaints(
        "complaints_reopened",
        same,
        (Aggregate("reopenings", "sum", "reopens"),),
        ("Reopened complaints", "重开投诉次数"),
        "How often a closed complaint came up again: a later version of it that is open or was closed later.",
        unit="times",
        needs=("complaints.closed_at", "complaints.complaint_id"),
    ),
    _complaints(
        "complaints_recovered",
        same,
        (_where("recovered"),),
        ("Recovered complaints", "满意结案投诉数"),
        "Complaints closed with a satisfaction of 4 or 5.",
        unit="complaints",
        needs=RATING,
    ),
    _past(
        "bought_after_complaint",
        _bought_after,
        (Aggregate("purchase_days", "min", "age"), LAST_AGE),
        ("Bought after last complaint", "投诉后是否复购"),
        "1 if there is a purchase on a later day than the last complaint, else 0.",
        unit="yes or no",
        high=1,
        missing=NO_COMPLAINT,
    ),
)
"""All features of this builder, in catalog order."""
