"""What is counted of complaints and enquiries."""

from __future__ import annotations

from features.asof import NEVER_DAY, Column, known_before
from features.definitions import Computed, Operations, View
from features.formulas import happened, known, later_day, millionths, not_happened, positive, taken
from features.views.ratings import rating_days

SATISFIED = 4.0
"""From which satisfaction (1-5) a customer counts as satisfied."""


def _is_complaint(c: Operations, kind: Column) -> Column:
    return c.is_missing(kind) | (kind != "enquiry")


def _is_enquiry(_: Operations, kind: Column) -> Column:
    return kind == "enquiry"


def _is_rated_complaint(c: Operations, kind: Column, closed_day: Column, satisfaction: Column) -> Column:
    return _is_complaint(c, kind) & (closed_day < NEVER_DAY) & ~c.is_missing(satisfaction)


def _is_seen_complaint(c: Operations, kind: Column, complaint_id: Column, known_day: Column, superseded_day: Column) -> Column:
    """A version that counted on at least one day; so no two versions of a complaint became known on the same day."""
    return _is_complaint(c, kind) & ~c.is_missing(complaint_id) & (superseded_day > known_day)


def _elapsed_us(c: Operations, start_us: Column, end_day: Column, end_us: Column) -> Column:
    """Microseconds from start to end; 0 where there is no end yet, so that nothing is taken from NEVER_US."""
    return c.where(end_day < NEVER_DAY, end_us, start_us) - start_us


def _reopens(c: Operations, day: Column, closed_day: Column, was_closed_day: Column, later: Column) -> Column:
    """1 for a version that was open, or was closed again later, when an older version had been closed before."""
    return c.where((was_closed_day <= day) & (closed_day >= day) & later, 1, 0)


def _is_later(_: Operations, us: Column, other_us: Column) -> Column:
    return us > other_us


def _unanswered(c: Operations, first_response_day: Column, closed_day: Column) -> Column:
    """Neither answered nor closed: who closes a complaint has answered it."""
    return not_happened(c, first_response_day) & not_happened(c, closed_day)


def _recovered(c: Operations, closed_day: Column, satisfaction: Column) -> Column:
    return known_before(c.as_of_day, closed_day) & (satisfaction >= SATISFIED)


COMPLAINTS = View(
    name="complaints",
    table="complaints",
    keep=Computed(_is_complaint, ("kind",)),
    columns={
        "day": taken("opened_day"),
        "first_response_day": taken("first_response_day"),
        "closed_day": taken("closed_day"),
        "satisfaction": taken("satisfaction"),
        "response_us": Computed(_elapsed_us, ("opened_us", "first_response_day", "first_response_us")),
        "resolve_us": Computed(_elapsed_us, ("opened_us", "closed_day", "closed_us")),
        "severity": Computed(millionths, ("severity",)),
        "severity_known": Computed(known, ("severity",)),
    },
    conditions={
        "open": Computed(not_happened, ("closed_day",)),
        "closed": Computed(happened, ("closed_day",)),
        "answered": Computed(happened, ("first_response_day",)),
        "unanswered": Computed(_unanswered, ("first_response_day", "closed_day")),
        "recovered": Computed(_recovered, ("closed_day", "satisfaction")),
        "of_known_severity": Computed(positive, ("severity_known",)),
    },
)

ENQUIRIES = View(
    name="enquiries",
    table="complaints",
    keep=Computed(_is_enquiry, ("kind",)),
    columns={"day": taken("opened_day")},
)

RATED_DAYS = rating_days(
    "rated_days",
    "complaints",
    keep=Computed(_is_rated_complaint, ("kind", "closed_day", "satisfaction")),
    day=Computed(later_day, ("closed_day", "known_day")),
    millionths=Computed(millionths, ("satisfaction",)),
)

REOPENINGS = View(
    name="reopenings",
    table="complaints",
    keep=Computed(_is_seen_complaint, ("kind", "complaint_id", "known_day", "superseded_day")),
    columns={
        "day": taken("known_day"),
        "complaint_id": taken("complaint_id"),
        "closed_day": taken("closed_day"),
        "closed_us": taken("closed_us"),
    },
    within=("customer_id", "complaint_id"),
    previous={"was_closed_day": "closed_day", "was_closed_us": "closed_us"},
    later={
        "closed_later": Computed(_is_later, ("closed_us", "was_closed_us")),
        "reopens": Computed(_reopens, ("day", "closed_day", "was_closed_day", "closed_later")),
    },
    all_versions=True,
)
