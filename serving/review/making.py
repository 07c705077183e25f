"""A review put together: scorings then and now, what came, what was done, each laid out as `decisions` wants it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl

from decisions.policy import Policy
from decisions.reviews.actions import ActionFacts, ActionReview, review_actions
from decisions.reviews.changes import WON, Change, Equity, equity, losses, moves
from decisions.reviews.figures import UNKNOWN, Between
from decisions.reviews.forecast import PastTotal, total_between
from decisions.reviews.promises import calibration, promises
from decisions.reviews.review import Forecast, Reason, Review
from features.company import Company
from features.contracts import leaves_by_contract
from keepwell.errors import DataError
from serving.batch.tier_report import flows, grouped, words_in_figures
from serving.review.service import service

SCORES = (
    "customer_id",
    "churn_probability",
    "expected_value",
    "value_at_risk",
    "current_value",
    "potential_value",
    "lifetime_value",
    "status",
    "value_tier",
    "loyalty",
)
"""The columns of scores that a review reads."""


@dataclass(frozen=True)
class Measured:
    """What an action brought beyond what would have come, and what that cost; `unknown` says why it is not known, else ""."""

    value: Between
    cost: float
    unknown: str


NOTHING = Measured(UNKNOWN, 0.0, "nothing was done")


@dataclass(frozen=True)
class Wanted:
    """For how many customers the planner would choose an action now, and the net value it expects of that."""

    customers: int
    net_value: float


@dataclass(frozen=True)
class Material:
    """All that a review is made of; `then` and `now` (None: nobody has been scored since) have the columns SCORES, ids as text.

    `came` is what the customers of `since` did in its horizon (customer_id, churned, value; None: it is not over), `newcomers`
    who came since (customer_id, value), `work` what was done (`serving.review.work`), `effects` and `wanted` go by the name of
    the action, `earned` is of all together, `past` are earlier totals, newest first. `next_as_of` is the
    date of the first scoring after `as_of` that the store has; `hindsight_until` says until when the model of `then` had seen
    what came, where that is after `since`.
    """

    company: Company
    policy: Policy
    since: date
    as_of: date
    horizon_days: int
    model_version: str
    then: pl.DataFrame
    came: pl.DataFrame | None
    newcomers: pl.DataFrame
    work: pl.DataFrame
    effects: Mapping[str, Measured]
    earned: Measured
    now: pl.DataFrame | None = None
    now_as_of: date | None = None
    wanted: Mapping[str, Wanted] = field(default_factory=dict)
    past: tuple[PastTotal, ...] = ()
    next_as_of: date | None = None
    hindsight_until: date | None = None


def make_review(made_of: Material) -> Review:
    """The review. What cannot be told is left empty, and a note says why."""
    then, now, came = made_of.then, made_of.now, made_of.came
    told = then.filter(pl.col("churn_probability").is_not_null())
    judged = None if came is None else told.join(came, on="customer_id", how="inner", maintain_order="left")
    return Review(
        company=made_of.company.key,
        currency=made_of.company.currency,
        since=made_of.since,
        as_of=made_of.as_of,
        now_as_of=made_of.now_as_of,
        horizon_days=made_of.horizon_days,
        model_version=made_of.model_version,
        customers=then.height,
        promises=() if judged is None else promises(_words(judged["value_tier"]), *_numbers(judged, *PROMISED)),
        calibration=() if judged is None else calibration(*_numbers(judged, "churn_probability", "churned")),
        tier_moves=() if now is None else flows(then, now, "value_tier"),
        changes=_changes(then, now, judged, made_of.newcomers),
        actions=_actions(made_of),
        earned=made_of.earned.value,
        spent=made_of.earned.cost,
        measures=service(made_of.company, then, now, since=made_of.since, as_of=made_of.as_of, policy=made_of.policy),
        reasons=_reasons(made_of.work, then, came),
        forecast=None if now is None or made_of.now_as_of is None else _forecast(made_of, now, made_of.now_as_of),
        equity=() if now is None or not then["lifetime_value"].count() else _equity(then, now),
        notes=tuple(_notes(made_of, judged)),
    )


PROMISED = ("churn_probability", "churned", "expected_value", "value")


def require_scores(scores: pl.DataFrame) -> pl.DataFrame:
    """The columns SCORES, ids as text. DataError for the first that is missing."""
    for name in SCORES:
        if name not in scores.columns:
            raise DataError("scores", name, "is missing", hint="name scores that this version of `keepwell score` wrote")
    numbers = pl.col(SCORES[1:7]).cast(pl.Float64).fill_nan(None)
    return scores.select(SCORES).with_columns(pl.col("customer_id").cast(pl.String), numbers)


def _actions(made_of: Material) -> tuple[ActionReview, ...]:
    """Every action that was planned, done, or would be chosen now."""
    titles = {action.name: action.title for action in made_of.policy.actions}
    names = dict.fromkeys([*titles, *made_of.work["action"].unique().sort()])
    parts = {name: made_of.work.filter(pl.col("action") == name) for name in names}
    return review_actions([_facts(made_of, name, titles.get(name, name), rows) for name, rows in parts.items()])


def _facts(made_of: Material, name: str, title: str, rows: pl.DataFrame) -> ActionFacts:
    effect = made_of.effects.get(name, NOTHING)
    wanted = made_of.wanted.get(name, Wanted(0, 0.0))
    return ActionFacts(
        action=name,
        title=title,
        planned=int(rows["planned"].sum()),
        controls=int((rows["arm"] == "control").sum()),
        done=int(rows["done"].sum()),
        accepted=_count(rows["accepted"]),
        declined=_count(rows["declined"]),
        cost=float(rows["cost"].sum()),
        measured_cost=effect.cost,
        incremental_value=effect.value,
        unknown=effect.unknown,
        wanted=wanted.customers,
        wanted_value=wanted.net_value,
    )


def _count(flags: pl.Series) -> int | None:
    """How many are true; None where nothing is known of any."""
    return int(flags.sum()) if flags.count() else None


def _changes(
    then: pl.DataFrame, now: pl.DataFrame | None, judged: pl.DataFrame | None, newcomers: pl.DataFrame
) -> tuple[Change, ...]:
    won = Change(WON, newcomers.height, 0.0, float(newcomers["value"].sum()))
    left = () if judged is None else losses(_words(judged["status"]), *_numbers(judged, "churned", "current_value", "value"))
    if now is None or not then["value_tier"].count():
        return (won, *left)
    both = _both(then, now)
    return (won, *left, *moves(*_pair(both, "value_tier"), *_numbers(both, "expected_value", "expected_value_now")))


def _both(then: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
    """The customers of either scoring, columns of the later one with `_now`."""
    return then.join(now, on="customer_id", how="full", coalesce=True, suffix="_now").sort("customer_id")


def _equity(then: pl.DataFrame, now: pl.DataFrame) -> tuple[Equity, ...]:
    both = _both(then, now)
    return equity(*_pair(both, "value_tier"), *_numbers(both, "lifetime_value", "lifetime_value_now"))


def _reasons(work: pl.DataFrame, then: pl.DataFrame, came: pl.DataFrame | None) -> tuple[Reason, ...]:
    """Each reason with its customers, those first who brought most."""
    given = work.filter(pl.col("reason").is_not_null()).select("reason", "customer_id").unique().sort("customer_id")
    left = (
        given.with_columns(churned=None)
        if came is None
        else given.join(came, on="customer_id", how="left", maintain_order="left")
    )
    rows = left.join(then.select("customer_id", "current_value"), on="customer_id", how="left", maintain_order="left")
    sums = (pl.len(), pl.col("churned").sum(), pl.col("current_value").sum())
    told = rows.group_by("reason", maintain_order=True).agg(sums).sort("current_value", "reason", descending=[True, False])
    return tuple(
        Reason(row["reason"], row["len"], None if came is None else int(row["churned"]), float(row["current_value"]))
        for row in told.iter_rows(named=True)
    )


def _forecast(made_of: Material, now: pl.DataFrame, as_of: date) -> Forecast:
    """What the customers of the later scoring are expected to bring."""
    dated = now.with_columns(as_of=pl.lit(as_of))
    people = made_of.company.tables.get("customers")
    owned = people is not None and "owner" in people.columns
    known = now["expected_value"].drop_nulls()
    return Forecast(
        as_of=as_of,
        horizon_days=made_of.horizon_days,
        total=total_between(float(known.sum()), len(known), made_of.past),
        by_tier=words_in_figures(dated, "value_tier"),
        by_owner=grouped(dated, made_of.company, "owner") if owned else (),
        past=made_of.past,
    )


def _notes(made_of: Material, judged: pl.DataFrame | None) -> Iterator[str]:
    """What could not be told, or not in earnest, and how to come by it."""
    if made_of.hindsight_until is not None:
        learned = f"version {made_of.model_version} had learned from what came until {made_of.hindsight_until}"
        yield f"{learned}, so what it said of {made_of.since} was hindsight and no promise"
    if judged is None:
        over = made_of.since + timedelta(days=made_of.horizon_days)
        yield f"the {made_of.horizon_days} days from {made_of.since} are not over before {over}, so promises cannot be judged yet"
    elif missing := made_of.then.height - judged.height:
        gone = "had no running contract then" if leaves_by_contract(made_of.company) else "are not in the data any more"
        yield f"{missing:,} customers who were scored {gone}; they are left out where promises are judged"
    if made_of.now is None:
        score = f"keepwell score DATA --as-of {made_of.as_of} --out now.parquet, then --now now.parquet"
        way_out = f"the next is of {made_of.next_as_of}: say --as-of {made_of.next_as_of}" if made_of.next_as_of else score
        yield f"there is no scoring up to {made_of.as_of}, so tier moves, equity and the forecast cannot be told; {way_out}"
    elif not made_of.past:
        yield "the model was never tried at an earlier date, so the forecast has no interval"
    for table, what in (("complaints", "complaints"), ("surveys", "satisfaction and loyalty")):
        if table not in made_of.company.tables:
            yield f"there is no table {table}, so nothing is told of {what}"
    if made_of.work.is_empty():
        yield "no action was planned or recorded in this time"


def _pair(both: pl.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    return _words(both[name]), _words(both[f"{name}_now"])


def _words(column: pl.Series) -> np.ndarray:
    return np.array(column.to_list(), dtype=object)


def _numbers(frame: pl.DataFrame, *names: str) -> list[np.ndarray]:
    return [frame[name].cast(pl.Float64).fill_null(math.nan).to_numpy() for name in names]
