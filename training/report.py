"""The model card: what a model is, how good its procedure was, when not to trust it. Written for people, as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from features.catalog import entry_of
from training import plots
from training.document import Block, Bullets, Heading, Paragraph, Picture, Table
from training.metrics import CONFIDENCE, METRICS
from training.words import GRADES, interval_text, number_text, sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from training.backtest import Backtest, Fold
    from training.gate import Verdict
    from training.result import TrainingResult
    from training.scorer import ModelInfo, Predictions

SHOWN_FEATURES = 20
SHOWN_RIVALS = ("recency", "lifetime")
FEW_CUSTOMERS = 1_000
WANTED_DATES = 3
FAIR_TOTAL = (0.85, 1.15)
"""A forecast total within these times of what came is fair."""


def model_card(result: TrainingResult, figures: Mapping[str, Figure]) -> list[Block]:
    """The whole card; `figures` by the path under which they are stored."""
    info = result.scorer.info
    return [
        Heading(1, f"{info.company}: churn and value over {info.horizon_days} days"),
        Paragraph(headline(result)),
        *_identity(result),
        *_performance(result.backtest),
        *(Picture(path, _caption(path), figure) for path, figure in figures.items()),
        *_gate(result.verdict),
        Heading(2, "When not to trust this"),
        Bullets(list(warnings(result))),
        *_importance(result.importance),
    ]


def headline(result: TrainingResult) -> str:
    """One line for people: grade, what it means, and whether the model is the champion."""
    info = result.scorer.info
    rank = "champion" if result.verdict.promote else "challenger"
    return f"Version {info.version} is the {rank}. {_graded(info)}. {sentence(result.verdict.reason)}"


def handed_out(tested: Backtest, fold: Fold) -> Predictions:
    """What the model would have forecast at a fold: the procedure's forecast, or that of the rival that takes its place."""
    return fold.rivals[tested.champion] if tested.champion else fold.predictions


def draw(result: TrainingResult) -> dict[str, Figure]:
    """Every figure of the card by its path; the curves are of the newest backtest date and need one."""
    bars = {
        f"plots/importance_{target}.png": plots.importance_bars(_first(weights), f"What moves the forecast of {target}")
        for target, weights in result.importance.items()
    }
    return bars if not result.backtest.folds else _draw_fold(result.backtest, result.backtest.folds[0]) | bars


def _draw_fold(tested: Backtest, fold: Fold) -> dict[str, Figure]:
    model = handed_out(tested, fold)
    rivals = {name: rival.churn_probability for name, rival in fold.rivals.items() if name in SHOWN_RIVALS}
    return {
        "plots/calibration.png": plots.calibration_curve(fold.churned, model.churn_probability),
        "plots/gain.png": plots.gain_curve(fold.churned, {"model": model.churn_probability, **rivals}),
        "plots/value_deciles.png": plots.value_deciles(fold.value, model.expected_value),
    }


def warnings(result: TrainingResult) -> Iterator[str]:
    """When not to trust the model, as far as its own figures tell."""
    info, backtest = result.scorer.info, result.backtest
    if not backtest.folds:
        yield "There are too few dates or customers for a backtest: nothing here has been measured."
    elif len(backtest.folds) < WANTED_DATES:
        yield f"Only {len(backtest.folds)} backtest date(s) of the {WANTED_DATES} wanted: one season may look like the rule."
    if info.grade in {"C", "D"}:
        yield f"Grade {info.grade}: a simple rule does as well; do not read much into single customers."
    ratio = backtest.figures.get("value_total_ratio")
    if ratio is not None and not (ratio.low <= FAIR_TOTAL[1] and ratio.high >= FAIR_TOTAL[0]):
        yield f"The total was forecast at {ratio.value:.2f} times what came: trust the order of the customers, not the sum."
    if result.customers < FEW_CUSTOMERS:
        yield f"Only {result.customers:,} customers: intervals are wide, and the model leans on a few assumptions about buying."
    if result.history_days < 2 * 365:
        yield f"{result.history_days:,} days of history hold no season twice: a total for a season not seen may be far off."
    yield f"A forecast for a date long after {info.data_until} is of a world that may have changed: train again on newer data."
    yield "A market-wide event (a strike, a rival's closure, a pandemic) is not in the model."
    yield "Contributions say what moved the forecast, not what would move the customer: only a holdout measures an action."


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
    dates = ", ".join(str(fold.as_of) for fold in tested.folds)
    return [
        Heading(2, "How good it was"),
        Paragraph(
            f"Forecast as of {dates}, then held against what came. The figures belong to the procedure at those dates, before "
            "the refit on all dates that made this model: the model itself has no unseen future yet. The newest date judges the "
            "study's recipe, which has not seen it; earlier ones the default recipe. Brackets hold the figure "
            f"with {CONFIDENCE:.0%} confidence, by bootstrap over customers."
        ),
        Table(
            ["figure", "value", "what it is"],
            [[name, interval_text(each), _meaning(name)] for name, each in tested.figures.items()],
        ),
        Heading(2, "Against simple rivals"),
        Paragraph(
            "The gain is the share of the rival's churn and value loss that the procedure saves; the grade rests on its bounds."
        ),
        _rivals(tested),
    ]


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
        rows = [
            [name, entry.title if (entry := entry_of(name)) else "", number_text(weight)]
            for name, weight in _first(weights).items()
        ]
        yield Table(["feature", "what it is", "mean absolute contribution"], rows)


def _graded(info: ModelInfo) -> str:
    if info.grade not in GRADES:
        return "Not graded, since there are too few dates or customers for a backtest"
    dates = "1 backtest date" if info.backtest_dates == 1 else f"{info.backtest_dates} backtest dates"
    where = "by cross-validation" if info.churn == "labels" else f"on {dates}"
    return f"Grade {info.grade} {where}: {GRADES[info.grade]}"


def _first(weights: Mapping[str, float]) -> dict[str, float]:
    return dict(sorted(weights.items(), key=lambda item: -item[1])[:SHOWN_FEATURES])


def _meaning(metric: str) -> str:
    """The first sentence of the metric's own description."""
    described = METRICS[metric].__doc__ if metric in METRICS else None
    return (described or "").split("\n", maxsplit=1)[0]


def _caption(path: str) -> str:
    words: Sequence[str] = path.removeprefix("plots/").removesuffix(".png").split("_")
    return " ".join(words)
