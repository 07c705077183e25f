"""The model card and the page of a backtest: how good, when not to trust it, what it is. Written for people, as data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from features.catalog import entry_of
from training.card import trust
from training.card.document import Block, Bullets, Facts, Heading, Paragraph, Picture, Table
from training.card.pictures import of_fold, of_importance
from training.card.words import GRADES, counted, interval_text, number_text, sentence
from training.fitting import LEAST_CLASS, LEAST_ROWS
from training.members.kinds import LifetimeMember
from training.metrics.intervals import CONFIDENCE, METRICS
from training.procedure import ENSEMBLE
from training.splits import LEAST_HISTORY_DAYS

if TYPE_CHECKING:
    from training.evaluation.backtest import Backtest, Fold
    from training.gate import Verdict
    from training.result import BacktestResult, TrainingResult
    from training.scorer import ModelInfo, Predictions

SHOWN_FEATURES = 20
LEADING_FEATURES = 10
"""Features of each target whose reach is watched: others hardly move a forecast."""

KEY_FIGURES: Mapping[str, str] = {
    "churn_auc": "chance to tell a leaver from a stayer",
    "churn_top_decile_lift": "times as many leavers among the riskiest tenth",
    "churn_empc": "currency a customer that a campaign earns",
    "value_top_decile_captured": "of the best tenth's value is in the tenth forecast best",
    "value_total_ratio": "times what came was forecast in total",
}
"""What stands on top of a card, in plain words."""


def model_card(result: TrainingResult, pictures: Sequence[Picture]) -> list[Block]:
    """The whole card, with its `pictures`."""
    info = result.scorer.info
    return [
        Heading(1, f"{info.company}: churn and value over {info.horizon_days} days"),
        Paragraph(headline(result)),
        *_key_figures(result.backtest),
        *pictures,
        Heading(2, "When not to trust this"),
        Bullets(list(warnings(result))),
        *_performance(result.backtest),
        *_gate(result.verdict),
        *_importance(result.importance),
        *_identity(result),
    ]


def backtest_page(result: BacktestResult) -> list[Block]:
    """A backtest by itself, in the words and pictures of a card."""
    tested = result.tested
    return [
        Heading(1, f"{result.company}: {result.horizon_days} days, tried at past dates"),
        Paragraph(f"{_graded(tested.grade, len(tested.folds))}. No model was registered."),
        *_key_figures(tested),
        *_pictures_of(tested),
        Heading(2, "When not to trust this"),
        Bullets([*_about(tested, result.feature_names, result.wanted), *_about_size(result.customers, result.history_days)]),
        *_performance(tested),
    ]


def headline(result: TrainingResult) -> str:
    """One line for people: grade, what it means, and whether the model is the champion."""
    info = result.scorer.info
    rank = "champion" if result.verdict.promote else "challenger"
    said = [
        f"Version {info.version} is the {rank}.",
        f"{_graded_model(info)}.",
        *([f"It learned from {result.settings['sample']}."] if "sample" in result.settings else []),
        *_leaning(result),
        sentence(result.verdict.reason),
    ]
    return " ".join(said)


def _leaning(result: TrainingResult) -> Iterator[str]:
    """That buy-till-you-die speaks alone or for the most part, or that weights rest on no evidence; and what more it takes."""
    info, customers = result.scorer.info, f"{result.customers:,} customer{'s' if result.customers != 1 else ''}"
    if info.family == LifetimeMember.name and not result.backtest.champion:
        missing = LEAST_HISTORY_DAYS + info.horizon_days - result.history_days
        more = f", and {missing:,} more days of history" if missing > 0 else ""
        yield (
            f"Buy-till-you-die speaks alone, from {customers}: to learn from labels takes {LEAST_ROWS} rows, "
            f"{LEAST_CLASS} of each answer{more}."
        )
    elif info.family == ENSEMBLE and result.customers < trust.FEW_CUSTOMERS:
        yield f"With {customers} it leans on buy-till-you-die."
    missing = LEAST_HISTORY_DAYS + 2 * info.horizon_days - result.history_days
    if info.churn == "purchases" and info.family == ENSEMBLE and missing > 0:
        yield f"Its members could not be tried at an earlier date, and weigh alike: that takes {missing:,} more days of history."


def handed_out(tested: Backtest, fold: Fold) -> Predictions:
    """What the model would have forecast at a fold: the procedure's forecast, or that of the rival that takes its place."""
    return fold.rivals[tested.champion] if tested.champion else fold.predictions


def draw(result: TrainingResult) -> list[Picture]:
    """Every picture of the card; the curves are of the newest backtest date and need one."""
    return [*_pictures_of(result.backtest), *of_importance(result.importance, SHOWN_FEATURES)]


def _pictures_of(tested: Backtest) -> list[Picture]:
    return [*of_fold(tested.folds[0], handed_out(tested, tested.folds[0]))] if tested.folds else []


def warnings(result: TrainingResult) -> Iterator[str]:
    """When not to trust the model, as far as its own figures and data tell."""
    info = result.scorer.info
    yield from _about(result.backtest, info.feature_names, trust.WANTED_DATES)
    yield from _about_size(result.customers, result.history_days)
    if result.evidence is not None:
        yield from trust.about_the_data(result.evidence, result.importance, info.horizon_days, LEADING_FEATURES)
    yield from trust.always(info.data_until)


def _about(tested: Backtest, names: tuple[str, ...], wanted: int) -> Iterator[str]:
    return trust.about_the_backtest(tested, [handed_out(tested, fold) for fold in tested.folds], names, wanted)


def _about_size(customers: int, history_days: int) -> Iterator[str]:
    if customers < trust.FEW_CUSTOMERS:
        yield (
            f"Only {customers:,} customers: below {trust.FEW_CUSTOMERS:,} the model leans on buy-till-you-die, "
            "which needs little to learn from, and intervals are wide."
        )
    if history_days < trust.TWO_SEASONS_DAYS:
        yield f"{history_days:,} days of history hold no season twice: a total for a season not seen may be far off."


def _key_figures(tested: Backtest) -> list[Block]:
    """The figures that a manager asks for first."""
    shown = {name: tested.figures[name] for name in KEY_FIGURES if name in tested.figures}
    if not shown:
        return []
    facts = [
        (number_text(each.value, 3), KEY_FIGURES[name], f"{name}, {number_text(each.low, 3)} to {number_text(each.high, 3)}")
        for name, each in shown.items()
    ]
    return [Facts(facts)]


def _identity(result: TrainingResult) -> list[Block]:
    info = result.scorer.info
    rows = {
        "family": info.family,
        "trained as of": f"{info.trained_as_of} (nothing at or after it was read)",
        "labels until": str(info.labels_until),
        "data until": str(info.data_until),
        "customers": f"{result.customers:,}",
        "days of history": f"{result.history_days:,}",
        "tables": ", ".join(info.tables),
        "features": f"{len(info.feature_names)}",
        "data fingerprint": result.fingerprint,
        "settings": ", ".join(f"{name} = {number_text(value)}" for name, value in result.settings.items()),
    }
    return [Heading(2, "What it is"), Table(["", ""], [[name, text] for name, text in rows.items()])]


def _performance(tested: Backtest) -> list[Block]:
    if not tested.folds:
        return [
            Heading(2, "How good it was"),
            Paragraph("Not measured: there are too few dates or customers to forecast a past date and wait."),
        ]
    return [
        Heading(2, "How good it was"),
        Paragraph(
            "Each date was forecast from what was known before it, then held against what came. The figures belong to the "
            "procedure at those dates, before the refit on all dates that makes a model: that has no unseen future yet. "
            "The newest date judges the study's recipe, which has not seen it; earlier ones the default recipe. Brackets hold "
            f"the figure with {CONFIDENCE:.0%} confidence, by bootstrap over customers."
        ),
        _figures(tested),
        Heading(2, "Against simple rivals"),
        Paragraph(
            "The gain is the share of the rival's churn and value loss that the procedure saves; the grade rests on its bounds."
        ),
        _rivals(tested),
        Heading(2, "What the figures are"),
        Table(["figure", "what it is"], [[name, _meaning(name)] for name in tested.figures]),
    ]


def _figures(tested: Backtest) -> Table:
    """Every figure of all dates, then by date."""
    dates = [fold.as_of for fold in tested.folds if fold.as_of in tested.figures_by_date] if len(tested.folds) > 1 else []
    rows = [["customers", f"{sum(len(fold.churned) for fold in tested.folds):,}", *(_count(tested, day) for day in dates)]]
    for name, each in tested.figures.items():
        dated = (interval_text(tested.figures_by_date[day].get(name)) for day in dates)
        rows.append([name, interval_text(each), *dated])
    return Table(["figure", "all dates" if dates else "value", *map(str, dates)], rows)


def _count(tested: Backtest, day: object) -> str:
    return "".join(f"{len(fold.churned):,}" for fold in tested.folds if fold.as_of == day)


def _rivals(tested: Backtest) -> Table:
    """One row a rival, the procedure itself first."""
    metrics = list(next(iter(tested.rival_figures.values()), {}))
    rows = [["this procedure", "", *(interval_text(tested.figures.get(metric)) for metric in metrics)]]
    for rival, figures in tested.rival_figures.items():
        rows.append([rival, interval_text(tested.gains.get(rival)), *(interval_text(figures[metric]) for metric in metrics)])
    return Table(["", "gain over it", *metrics], rows)


def _gate(verdict: Verdict) -> list[Block]:
    blocks: list[Block] = [Heading(2, "Against the champion"), Paragraph(sentence(verdict.reason))]
    if verdict.comparisons:
        columns = ["loss (lower is better)", "candidate", "champion", "difference at most", "allowed"]
        numbers = [(c.metric, c.candidate, c.champion, c.high, c.allowed) for c in verdict.comparisons]
        blocks.append(Table(columns, [[name, *(number_text(number) for number in rest)] for name, *rest in numbers]))
    return blocks


def _importance(importance: Mapping[str, Mapping[str, float]]) -> Iterator[Block]:
    for target, weights in importance.items():
        yield Heading(2, f"What moves the forecast of {target}")
        first = list(weights.items())[:SHOWN_FEATURES]
        rows = [[entry.title if (entry := entry_of(name)) else "", name, number_text(weight)] for name, weight in first]
        yield Table(["what it is", "feature", "mean absolute contribution"], rows)


def _graded_model(info: ModelInfo) -> str:
    if info.grade in GRADES and info.churn == "labels":
        return f"Grade {info.grade} by cross-validation: {GRADES[info.grade]}"
    return _graded(info.grade, info.backtest_dates)


def _graded(grade: str, dates: int) -> str:
    if grade not in GRADES:
        return "Not graded, since there are too few dates or customers for a backtest"
    return f"Grade {grade} on {counted(dates, 'backtest date')}: {GRADES[grade]}"


def _meaning(metric: str) -> str:
    """The first sentence of the metric's own description; one of a further horizon says which."""
    name, _, days = re.sub(r"_(\d+)d$", r"|\1", metric).partition("|")
    described = METRICS[name].__doc__ if name in METRICS else None
    first = (described or "").split("\n", maxsplit=1)[0]
    return f"Over {days} days: {first[0].lower()}{first[1:]}" if days and first else first
