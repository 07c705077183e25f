"""The command that looks back on a quarter."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commands import pipeline
from commands.terminal import AS_JSON, DATA, HORIZON, PATH, POLICY, REPORT, Day, libraries_on_stderr, require_no_input, to_json
from keepwell.errors import ConfigError, DataError, HistoryError, ModelError
from keepwell.files import write_text
from keepwell.progress import Steps
from keepwell.settings import Settings

if TYPE_CHECKING:
    import polars as pl

    from decisions.policy import Policy
    from decisions.reviews.forecast import PastTotal
    from decisions.reviews.review import Review
    from features.company import Company
    from serving.review.making import Material, Measured, Wanted
    from serving.review.scores import Scoring
    from serving.store import Store
    from training.registry import Registry
    from training.uplift.earned import Earned


@click.command()
@DATA
@click.option("--since", type=Day(), required=True, help="The day of the scores that are looked back on.")
@click.option(
    "--as-of", type=Day(), help="Until when it is judged; only what was known before counts. Default: once the horizon is over."
)
@HORIZON
@click.option("--scores", type=PATH, help="The scores of --since. Default: those in the store.")
@click.option(
    "--now", type=PATH, help="Later scores, for moves, equity and forecast. Default: the newest in the store up to --as-of."
)
@POLICY
@REPORT
@AS_JSON
@click.pass_obj
def review(
    settings: Settings,
    data: Path,
    since: date,
    as_of: date | None,
    horizon: int | None,
    scores: Path | None,
    now: Path | None,
    policy: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Look back on a quarter: promises and what came, actions and what they earned, service, and what to expect next.

    The console shows it, too, on its page Review.

    Example: keepwell review shop --since 2025-10-01 --report review.html
    """
    from commands.review_page import page
    from commands.review_words import in_words
    from features.tables import LOGS
    from serving.plans.policy import read_policy
    from serving.review.shelf import ReviewShelf
    from training.card.document import to_html

    if report is not None:
        require_no_input(report, data)
    steps, rules = Steps(), read_policy(policy)
    company = pipeline.read(data, steps)
    if not set(LOGS) & set(company.tables):
        raise ModelError(
            "a flat table knows one date: nothing comes after it", hint="a review needs transactions or subscriptions"
        )
    found = _look_back(settings, company, rules, since=since, as_of=as_of, horizon=horizon, scores=scores, now=now, steps=steps)
    ReviewShelf(settings.reviews_folder).keep(found)
    if report is not None:
        with steps.step("Writing the page"):
            write_text(report, to_html(page(found)))
    click.echo(to_json(found.as_dict()) if as_json else in_words(found))


def _look_back(
    settings: Settings,
    company: Company,
    policy: Policy,
    *,
    since: date,
    as_of: date | None,
    horizon: int | None,
    scores: Path | None,
    now: Path | None,
    steps: Steps,
) -> Review:
    """Find both scorings, bring together what the review is made of, and make it."""
    from serving.review.making import make_review
    from serving.store import Store

    store = Store(settings.resolved_store_url)
    store.migrate()
    registry, then = pipeline.open_registry(settings), _then(store, company, since, horizon, scores)
    until = _judged_until(company, since, as_of, then.horizon_days)
    later = _now(store, company, then, until, now)
    material = _material(registry, store, company, policy, then=then, until=until, steps=steps)
    return make_review(material if later is None else _with_later(material, registry, store, then=then, later=later, steps=steps))


def _material(
    registry: Registry, store: Store, company: Company, policy: Policy, *, then: Scoring, until: date, steps: Steps
) -> Material:
    """What came and was done since, and what that earned."""
    from serving.review.making import Material, require_scores
    from serving.review.scores import next_scoring
    from serving.review.work import work
    from training.since import came_since, newcomers

    since, outcomes = then.as_of, store.outcomes
    learned = _learned_until(registry, company, then)
    with steps.step("What came since"):
        came = came_since(company, since, then.horizon_days, until)
        told = outcomes.recorded(company.key, since=since, before=until)
        done = work(company, outcomes.assignments(company.key), told, since, until)
        scored = require_scores(then.frame)
        effects, all_earned = _effects(company, done, scored, until)
    return Material(
        company=company,
        policy=policy,
        since=since,
        as_of=until,
        horizon_days=then.horizon_days,
        model_version=then.model_version,
        then=scored,
        came=came,
        newcomers=newcomers(company, since, until),
        work=done,
        effects=effects,
        earned=all_earned,
        hindsight_until=None if learned is None or learned <= since else learned,
        next_as_of=next_scoring(store, company.key, until, then.horizon_days),
    )


def _with_later(made: Material, registry: Registry, store: Store, *, then: Scoring, later: Scoring, steps: Steps) -> Material:
    """And what to expect next, by the later scores; scores made in hindsight tell nothing of how far totals go astray."""
    from serving.review.making import require_scores

    came = made.came if made.hindsight_until is None else None
    return replace(
        made,
        now=require_scores(later.frame),
        now_as_of=later.as_of,
        wanted=_wanted(store, made.company, later, made.policy, steps),
        past=_past(registry, made.company, then, came, later),
    )


def _then(store: Store, company: Company, since: date, horizon: int | None, path: Path | None) -> Scoring:
    from serving.review.scores import scoring_then

    if path is None:
        return scoring_then(store, company.key, since, horizon)
    found = _of_file(path, company, horizon)
    if found.as_of != since:
        raise DataError(
            "scores", "as_of", f"is {found.as_of}, and the review is since {since}", hint=f"say --since {found.as_of}"
        )
    return found


def _of_file(path: Path, company: Company, horizon: int | None) -> Scoring:
    """The scores in a file. Raises DataError for those of another company or another horizon."""
    from features.tables import LOGS
    from serving.review.scores import scoring_of_file

    found = scoring_of_file(path)
    if horizon not in {None, found.horizon_days}:
        rule = f"is {found.horizon_days}, and the review is over {horizon} days"
        raise DataError("scores", "horizon_days", rule, hint=f"name scores of that horizon, not {path}")
    ids = found.frame.select(_text("customer_id"))
    if not any(table in company.tables and ids.join(_known(company, table), on="customer_id").height for table in LOGS):
        rule = f"has no customer of {company.key}"
        raise DataError("scores", "customer_id", rule, hint="name the scores of this company", example=ids["customer_id"][0])
    return found


def _known(company: Company, table: str) -> pl.DataFrame:
    return company.tables[table].select(_text("customer_id").unique())


def _judged_until(company: Company, since: date, as_of: date | None, horizon_days: int) -> date:
    """The end of the time that is looked back on. Raises HistoryError where the data do not reach it."""
    from features.checks.check import day_after_last_transaction

    until = as_of or since + timedelta(days=horizon_days)
    if until <= since:
        raise ConfigError(f"--as-of {until} is not after --since {since}", hint="a review looks back on the days between them")
    end = day_after_last_transaction(company) or company.data_until(until) + timedelta(days=1)
    if (until - end).days > pipeline.SILENT_DAYS:
        so_far = f"for what can be said so far: --as-of {end}" if end > since else f"nothing is known after {since} yet"
        raise HistoryError(
            f"the data end before {end}, and the review is judged until {until}", hint=f"bring newer data, or {so_far}"
        )
    return until


def _now(store: Store, company: Company, then: Scoring, until: date, path: Path | None) -> Scoring | None:
    from serving.review.scores import scoring_now

    if path is None:
        return scoring_now(store, company.key, then.as_of, until, then.horizon_days)
    found = _of_file(path, company, then.horizon_days)
    if not then.as_of < found.as_of <= until:
        rule = f"is {found.as_of}, which is not after {then.as_of} and up to {until}"
        raise DataError("scores", "as_of", rule, hint="name later scores in --now, of a day that --as-of reaches")
    return found


def _effects(company: Company, done: pl.DataFrame, scored: pl.DataFrame, until: date) -> tuple[dict[str, Measured], Measured]:
    """What each action brought, by its controls, and all of them together."""
    from training.since import value_after
    from training.uplift.earned import earned, together

    rows = done.with_columns(value=value_after(company, done, until))
    rows = rows.join(scored.select("customer_id", "expected_value"), on="customer_id", how="left", maintain_order="left")
    found = earned(rows)
    return {name: _measured(one) for name, one in found.items()}, _measured(together(found.values()))


def _measured(found: Earned) -> Measured:
    from decisions.reviews.figures import UNKNOWN, Between
    from serving.review.making import Measured

    return Measured(UNKNOWN if found.unknown else Between(found.value, *found.bounds), found.cost, found.unknown)


def _wanted(store: Store, company: Company, now: Scoring, policy: Policy, steps: Steps) -> dict[str, Wanted]:
    """What the planner would choose now, without any limit; nothing where the scores hold no money to weigh."""
    import numpy as np

    from serving.plans.planning import plan_scores
    from serving.review.making import Wanted

    if now.frame["expected_value"].null_count() or now.frame["value_at_risk"].null_count():
        return {}
    with steps.step("What the planner would choose now"), libraries_on_stderr():
        made = plan_scores(now.frame, policy, company=company, unwilling=store.outcomes.left_alone(company.key))
    actions, net = made.columns["action"].astype(str), made.columns["expected_net_value"]
    return {
        str(name): Wanted(int((actions == name).sum()), float(net[actions == name].sum())) for name in np.unique(actions).tolist()
    }


def _learned_until(registry: Registry, company: Company, scoring: Scoring) -> date | None:
    """Until when the model of these scores had seen what came; None where it is not in this home any more."""
    try:
        return registry.scorer(company.key, scoring.horizon_days, scoring.model_version).info.labels_until
    except ModelError:
        return None


def _past(registry: Registry, company: Company, then: Scoring, came: pl.DataFrame | None, now: Scoring) -> tuple[PastTotal, ...]:
    """Totals promised before and what came of them, newest first: of the backtest, and of `then` (None: it tells nothing)."""
    from decisions.reviews.forecast import PastTotal
    from training.evaluation.totals import FILE, Total, from_plain, total

    try:
        kept = registry.trained_with(company.key, now.horizon_days, now.model_version, FILE)
    except ModelError:  # scores of a model that is not in this home
        kept = None
    horizon = timedelta(days=now.horizon_days)
    found: dict[date, Total] = {
        each.as_of: each for each in from_plain(kept or {"totals": []}) if each.as_of + horizon <= now.as_of
    }
    if came is not None and then.as_of + horizon <= now.as_of:
        promised = then.frame.select(customer_id=_text("customer_id"), expected="expected_value")
        rows = promised.join(came, on="customer_id").drop_nulls(["expected", "value"])
        if rows.height and rows["expected"].sum() > 0:
            found[then.as_of] = total(then.as_of, rows["expected"].to_numpy(), rows["value"].to_numpy())
    newest = sorted(found.values(), key=lambda each: each.as_of, reverse=True)
    return tuple(PastTotal(**vars(each)) for each in newest)


def _text(name: str) -> pl.Expr:
    import polars as pl

    return pl.col(name).cast(pl.String)
