"""The experiments in a company's contacts: each action with its controls, as of the day of each contact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from features.asof import day_date, day_number
from features.company import Company
from features.panel import panel_blocks, panel_names
from keepwell.errors import DataError, HistoryError
from keepwell.progress import Progress, Silent
from training.arrays import Floats, Ints
from training.uplift.data import Experiment, checked, observed_propensity
from training.uplift.outcomes import contact_outcomes

OUTCOMES = ("value", "stayed", "converted")
"""What may be asked of a contact: net revenue of the horizon, a purchase in it, what the table itself says."""

MOST_DATES = 60
"""Dates at which features are built; where contacts are of more days, each takes those of the nearest date not after it."""

MODERATORS = (
    "recency_days",
    "overdue_ratio",
    "gap_days_mean",
    "purchase_days_90d",
    "purchase_days_365d",
    "spend_90d",
    "spend_365d",
    "spend_mean_all",
    "spend_180d_to_previous",
    "days_since_first_purchase",
    "active_month_share",
    "categories_365d",
    "discounted_line_share_365d",
    "refund_share_365d",
    "late_delivery_share_365d",
    "complaints_90d",
    "complaints_open",
    "days_since_complaint",
    "complaint_satisfaction_last",
    "late_payment_share_365d",
    "survey_satisfaction_last",
    "survey_recommend_last",
    "contacts_90d",
    "days_since_contact",
    "contact_response_share_365d",
)
"""Features by which an effect may differ, where nobody names others: few, for effects are small beside what they hide in."""


@dataclass(frozen=True)
class Contacted:
    """The contacts that can teach, by action, and how many others there are, by why they cannot."""

    rows: pl.DataFrame
    left_out: Mapping[str, int]


def known_contacts(company: Company, horizon_days: int, as_of: date) -> Contacted:
    """The contacts known before `as_of` whose arm is known and whose horizon is over, with what came (`uplift.outcomes`).

    Raises DataError where the company has no contacts or no transactions, HistoryError where none can teach.
    """
    if lacking := [name for name in ("contacts", "transactions") if name not in company.tables]:
        hint = "bring contacts with arm treated or control, as a plan writes them, and the transactions around them"
        raise DataError(lacking[0], None, "is missing, and an experiment needs it", hint=hint)
    day = day_number(as_of)
    known = company.known_rows("contacts", day)
    absent = [name for name in ("action", "arm", "propensity", "cost", "converted", "outcome_day") if name not in known.columns]
    drawn = known.with_columns(pl.lit(None).alias(name) for name in absent).filter(pl.col("arm").is_not_null())
    told = drawn.with_columns(
        pl.col("action").cast(pl.String).fill_null("contact"),
        pl.col("cost") / 10 ** company.scales.get("contacts.cost", 0),
        converted=pl.when(pl.col("outcome_day") < day).then(pl.col("converted").cast(pl.Float64)),
    )
    rows = contact_outcomes(company, told, horizon_days, day)
    left_out = {
        "have no arm, so nobody was drawn": known.height - drawn.height,
        f"have not had {horizon_days} days yet": drawn.height - rows.height,
    }
    if rows.is_empty():
        why = "; ".join(f"{count:,} {words}" for words, count in left_out.items() if count) or "there is none"
        hint = "wait until outcomes are known, or say a shorter --horizon"
        raise HistoryError(f"no contact before {as_of} can teach: {why}", hint=hint)
    return Contacted(
        rows.sort("action", "contacted_day", "customer_id"), {words: count for words, count in left_out.items() if count}
    )


def moderators(company: Company, rows: pl.DataFrame, as_of: date) -> tuple[str, ...]:
    """The features to look for differences by: those of MODERATORS that the tables allow, and the attributes known in time.

    `rows` are those of `known_contacts`; what is known only as of today's export says nothing of the days of old contacts.
    """
    first = day_date(int(rows["contacted_day"].min()))  # type: ignore[arg-type]  # an int32 column that is not empty
    allowed = panel_names(company, [first, as_of])
    return tuple(name for name in allowed if name in MODERATORS or name.startswith("attr_"))


def contact_features(company: Company, rows: pl.DataFrame, names: Sequence[str], progress: Progress = Silent()) -> pl.DataFrame:
    """The features `names` of the rows of `known_contacts`, in their order: what was known before the day of each contact.

    Null where the customer had not bought yet. Where contacts are of more than MOST_DATES days, features are of the nearest
    of so many dates not after the contact.
    """
    days = rows["contacted_day"].unique().sort()
    dates = days.gather(np.unique(np.linspace(0, len(days) - 1, min(len(days), MOST_DATES)).round().astype(np.int64)))
    wanted = rows.select("customer_id", place=pl.int_range(pl.len()), as_of=_newest_not_after(rows["contacted_day"], dates))
    blocks = panel_blocks(company, [day_date(day) for day in dates], names, progress)
    found = pl.concat([wanted.join(block, on=["customer_id", "as_of"], how="inner") for block in blocks])
    return wanted.join(found, on="place", how="left", maintain_order="left").select(names)


def _newest_not_after(day: pl.Series, dates: pl.Series) -> pl.Series:
    """For each day number the newest of the ascending `dates` that is not after it, as a date."""
    places = dates.search_sorted(day, side="right") - 1
    return dates.gather(places).cast(pl.Date)


def action_experiment(action: str, rows: pl.DataFrame, outcome: str, features: pl.DataFrame | None = None) -> Experiment:
    """The experiment of one action: `rows` of `known_contacts`, with `features` of the same rows where there are any.

    A row without `converted`, where that is the outcome, is left out. Raises what `checked` raises.
    """
    known = rows[outcome].is_not_null()
    chosen = rows.filter(known)
    arm = (chosen["arm"] == "treated").to_numpy().astype(np.int64)
    cost = chosen.filter(chosen["arm"] == "treated")["cost"].mean()
    matrix = np.empty((len(arm), 0)) if features is None else features.filter(known).fill_null(np.nan).to_numpy()
    return checked(
        Experiment(
            name=action,
            arms=("control", action),
            names=() if features is None else tuple(features.columns),
            arm=arm,
            propensity=_propensity(chosen["propensity"].cast(pl.Float64), arm),
            outcome=chosen[outcome].to_numpy(),
            matrix=matrix,
            customer=chosen["customer_id"].rank("dense").to_numpy().astype(np.int64) - 1,
            worth=np.ones(len(arm)),
            costs=np.array([0.0, cost if isinstance(cost, float) else 0.0]),
        )
    )


def _propensity(treated: pl.Series, arm: Ints) -> Floats:
    """The chances (n, 2) of control and treatment; the shares observed where nobody wrote them down.

    Raises DataError where some rows have a propensity and others none.
    """
    missing = treated.null_count()
    if missing == len(treated):
        return observed_propensity(arm, 2)
    if missing:
        hint = "write the chance of being treated into every row of the action, or into none"
        raise DataError("contacts", "propensity", "is missing in some rows of an action", hint=hint, rows=missing)
    chance = treated.to_numpy()
    return np.column_stack([1 - chance, chance])
