"""A procedure: everything that turns the labels known at a date into a scorer, so that it can be tried at earlier dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from features.asof import day_date
from training.arrays import Floats, Ints, probability_of
from training.data import TrainingData, population_edges
from training.fitting import lifetime_at, members_at, outlook_at, season_at
from training.horizons import Further, FurtherTrial, Learned, fit_further, further_trial
from training.members.kinds import LifetimeMember, Member
from training.members.own import is_own
from training.members.stack import Blend, equal_blend, fit_amount_blend, fit_churn_blend, fit_habits, habit_of, leaning
from training.quantiles import DEFAULT_SPREAD, Spread, fit_spread
from training.recipe import Recipe
from training.scorer import BOUGHT, REFUNDED, ModelInfo, Scorer
from training.season import Effect, log_level, log_odds_shift, measure_season
from training.splits import cut_days

CALIBRATION_CUTS = 2
"""How many horizons back members are fitted again, to be forecast out of time."""

MOST_REFUNDED = 0.2
ENSEMBLE = "ensemble"
UNGRADED = "none"


@dataclass(frozen=True)
class OutOfTime:
    """Members' forecasts of rows that none of them has learned from, and what came."""

    logits: Floats
    log_amounts: Floats
    churned: Floats
    value: Floats
    churn_offset: Floats
    amount_offset: Floats
    recent_spend: Floats
    habit: Ints
    further: FurtherTrial

    @property
    def refund_rate(self) -> float:
        """What those who bought nothing were refunded, as a share of their last 90 days' spend."""
        stayed_away = self.churned == 1
        spent = float(np.nansum(self.recent_spend[stayed_away]))
        return float(np.clip(-self.value[stayed_away].sum() / spent, 0, MOST_REFUNDED)) if spent > 0 else 0.0


def fit_procedure(data: TrainingData, day: int, recipe: Recipe, seed: int) -> Scorer:
    """The scorer that would have been trained at `day` (a date of the panel): only labels that end at or before it count.

    Weights, levels and quantiles come from forecasts out of time, the members then learn from all complete dates. Where the
    history is too short for that, buy-till-you-die, which needs no labels, tells of levels and quantiles, and the weights are
    those that evidence would have moved.
    """
    members = members_at(data, day, recipe, seed)
    trial = out_of_time(data, day, tuple(member.name for member in members), recipe, seed)
    trial = trial or out_of_time(data, day, (LifetimeMember.name,), recipe, seed)
    family = ENSEMBLE if len(members) > 1 else LifetimeMember.name
    return assemble(data, day, recipe, members, trial, family=family)


def assemble(
    data: TrainingData, day: int, recipe: Recipe, members: tuple[Member, ...], trial: OutOfTime | None, *, family: str
) -> Scorer:
    """Blend members as their forecasts out of time deserve; without any, all count alike and nothing is calibrated.

    Forecasts of buy-till-you-die alone calibrate, but tell nothing of the weights.
    """
    churn, amount = (equal_blend(len(members)),) * 2
    tried, spread, refund_rate = churn, DEFAULT_SPREAD, 0.0
    if trial is not None:
        season, customers = _forecast_season(data, day), int((data.day == day).sum())
        own = sum(is_own(member.name) for member in members)
        tried_all = trial.logits.shape[1] == len(members)
        churn, amount = fit_blends(trial, recipe, customers, own if tried_all else 0)
        tried, spread, refund_rate = churn, _spread(trial, churn, amount, season), trial.refund_rate
        if not tried_all:
            churn, amount = (Blend(leaning(len(members), customers, own), 0.0),) * 2
        churn, amount = replace(churn, shift=season[0].mean), replace(amount, shift=season[1].mean)
        churn, amount = anchored(churn, amount, members, lifetime_at(data, day), data.at(day))
    info = _info(data, day, family)
    scorer = Scorer(info, recipe, members, churn=churn, amount=amount, spread=spread, refund_rate=refund_rate)
    return replace(scorer, further=_further(data, day, scorer, trial, tried))


def _forecast_season(data: TrainingData, day: int) -> tuple[Effect, Effect]:
    """What the horizon from `day` will add to the log-odds of churn and to the log amount."""
    return outlook_at(data, day).forecast(day, data.horizon_days), season_at(data, day).forecast_amount(day)


def _further(data: TrainingData, day: int, scorer: Scorer, trial: OutOfTime | None, tried: Blend) -> Further | None:
    """What the scorer tells of the other horizons of the data; `tried` is the blend of what was tried."""
    if not data.further:
        return None
    learned = None
    if trial is not None:
        own_now = scorer.log_odds(data.at(day).matrix)
        own = tried.combine(trial.logits, trial.habit)
        learned = Learned(trial.further, own, own_now, outlook_at(data, day), scorer.recipe.prior_rows)
    return fit_further(data, day, lifetime_at(data, day), learned)


def out_of_time(data: TrainingData, day: int, names: Sequence[str], recipe: Recipe, seed: int) -> OutOfTime | None:
    """Forecasts by members fitted a horizon, two ... before `day`, of the dates since; None where no such members exist."""
    known = data.known_at(day)
    trials = []
    for cut in cut_days(data.labelled_days, day, data.horizon_days, CALIBRATION_CUTS):
        members = members_at(data, cut, recipe, seed)
        wanted = [member for member in members if member.name in names]
        if len(wanted) == len(names):
            rows = known.rows((known.day >= cut) & (known.day < cut + data.horizon_days))
            trials.append(_trial(rows, wanted, lifetime_at(data, cut)))
    if not trials:
        return None
    arrays = [field.name for field in fields(OutOfTime) if field.name != "further"]
    further = FurtherTrial(*map(np.concatenate, zip(*(trial.further for trial in trials), strict=True)))
    return OutOfTime(**{name: np.concatenate([getattr(trial, name) for trial in trials]) for name in arrays}, further=further)


def _trial(rows: TrainingData, members: Sequence[Member], lifetime: LifetimeMember) -> OutOfTime:
    churn_offset, amount_offset = measure_season(rows, lifetime).offsets(rows.day)
    return OutOfTime(
        logits=np.column_stack([member.churn_logit(rows.matrix) for member in members]),
        log_amounts=np.column_stack([member.log_amount(rows.matrix) for member in members]),
        churned=rows.churned,
        value=rows.value,
        churn_offset=churn_offset,
        amount_offset=amount_offset,
        recent_spend=rows.column(REFUNDED),
        habit=habit_of(rows.column(BOUGHT)),
        further=further_trial(rows, lifetime),
    )


def fit_blends(trial: OutOfTime, recipe: Recipe, customers: int, own: int = 0) -> tuple[Blend, Blend]:
    """Weights and levels of churn and amount; the fewer `customers` there are, the more buy-till-you-die counts.

    The `own` members before the last, one's own, count as far as the forecasts speak for them.
    """
    bought, prior = trial.churned == 0, leaning(trial.logits.shape[1], customers, own)
    rows = trial.logits, trial.churned, trial.churn_offset
    churn = fit_churn_blend(*rows, recipe.prior_rows, prior)
    if len(prior) > 1:
        churn = fit_habits(churn, *rows, habit=trial.habit, prior_rows=recipe.prior_rows)
    if not bought.any():
        return churn, equal_blend(trial.logits.shape[1])
    offset = trial.amount_offset[bought]
    amount = fit_amount_blend(trial.log_amounts[bought], trial.value[bought], offset, recipe.prior_rows, prior)
    return churn, amount


def anchored(
    churn: Blend, amount: Blend, members: Sequence[Member], lifetime: LifetimeMember, newest: TrainingData
) -> tuple[Blend, Blend]:
    """The blends, moved so that all customers together churn and buy as much as buy-till-you-die and the season have it.

    The season is measured against buy-till-you-die, which keeps its level from date to date; the level of what was learned
    from a few dates does not travel as well. `newest` are the customers of the date.
    """
    matrix, habit = newest.matrix, habit_of(newest.column(BOUGHT))
    logits = churn.combine(np.column_stack([member.churn_logit(matrix) for member in members]), habit)
    log_amounts = amount.combine(np.column_stack([member.log_amount(matrix) for member in members]))
    wanted_logits = lifetime.churn_logit(matrix) + churn.shift
    wanted_log_amounts = lifetime.log_amount(matrix) + amount.shift
    churn_gap = log_odds_shift(logits, float(probability_of(wanted_logits).mean()))
    active = 1 - probability_of(wanted_logits)
    amount_gap = log_level(np.exp(wanted_log_amounts), log_amounts, active)
    return (
        replace(churn, intercept=churn.intercept + churn_gap),
        replace(amount, intercept=amount.intercept + amount_gap),
    )


def _spread(trial: OutOfTime, churn: Blend, amount: Blend, season: tuple[Effect, Effect]) -> Spread:
    """The spread around forecasts whose season came out one standard deviation livelier, and one quieter, than forecast."""
    churn_sd, amount_sd = (effect.sd for effect in season)
    log_odds = churn.combine(trial.logits, trial.habit) + trial.churn_offset
    log_amount = amount.combine(trial.log_amounts) + trial.amount_offset
    active = 1 - probability_of(np.concatenate([log_odds - churn_sd, log_odds + churn_sd]))
    expected = np.exp(np.concatenate([log_amount + amount_sd, log_amount - amount_sd]))
    return fit_spread(active, expected, np.tile(trial.value, 2), np.tile(trial.churned, 2))


def _info(data: TrainingData, day: int, family: str) -> ModelInfo:
    ends = [labelled + data.horizon_days for labelled in data.labelled_days if labelled + data.horizon_days <= day]
    return ModelInfo(
        company=data.company,
        horizon_days=data.horizon_days,
        trained_as_of=day_date(day),
        labels_until=day_date(max(ends, default=day)),  # without labels, purchases up to the date were learned from
        data_until=min(data.data_until, day_date(day)),
        feature_names=data.names,
        family=family,
        grade=UNGRADED,
        backtest_dates=0,
        version="",
        tables=data.tables,
        decimals=data.decimals,
        edges=population_edges(data, day),
        zone=data.zone,
        attribution_days=data.attribution_days,
    )
