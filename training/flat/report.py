"""The card of a model of a flat table or of contracts: what it is, how good it was, when not to trust it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from training.card import plots
from training.card.document import Block, Bullets, Heading, Paragraph, Picture, Table, to_html, to_markdown
from training.card.figures import FILE as CARD
from training.card.figures import card_figures
from training.card.report import SHOWN_FEATURES, handed_out, headline
from training.flat.fitting import FOLDS
from training.metrics.intervals import CONFIDENCE, METRICS
from training.record import backtest_metrics, flat_settings

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from training.metrics.intervals import Interval
    from training.registry import Run
    from training.result import TrainingResult

FEW_CUSTOMERS = 1_000
WANTED_DATES = 3


def log_flat_result(run: Run, result: TrainingResult, left_out: Collection[str] = ()) -> TrainingResult:
    """Log what came out: figures, plots, card; the result with its card."""
    info, recipe = result.scorer.info, result.scorer.recipe.as_dict()
    run.log_params({"family": info.family, "grade": info.grade, "labels_until": info.labels_until})
    run.log_params(flat_settings(recipe, "recipe."))
    run.log_metrics(backtest_metrics(result.backtest))
    run.log_tags({"grade": info.grade, "family": info.family, "version": info.version, "promoted": result.verdict.promote})
    run.log_dict(recipe, "recipe.json")
    run.log_dict(card_figures(result, list(_warnings(result))), CARD)
    figures = _draw(result)
    for path, figure in figures.items():
        run.log_figure(figure, path)
    card = _card(result, left_out, figures)
    run.log_text(to_markdown(card), "card.md")
    page = to_html(card)
    run.log_text(page, "card.html")
    run.log_note(headline(result))
    return replace(result, card=page)


def _draw(result: TrainingResult) -> dict[str, Figure]:
    bars = {
        f"plots/importance_{target}.png": plots.importance_bars(
            dict(list(weights.items())[:SHOWN_FEATURES]), f"What moves the forecast of {target}"
        )
        for target, weights in result.importance.items()
    }
    if not result.backtest.folds:
        return bars
    fold = result.backtest.folds[0]
    forecast = handed_out(result.backtest, fold)
    rivals = {name: rival.churn_probability for name, rival in fold.rivals.items()}
    return {
        "plots/calibration.png": plots.calibration_curve(fold.churned, forecast.churn_probability),
        "plots/gain.png": plots.gain_curve(fold.churned, {"model": forecast.churn_probability, **rivals}),
        **bars,
    }


def _card(result: TrainingResult, left_out: Collection[str], figures: Mapping[str, Figure]) -> list[Block]:
    info = result.scorer.info
    what = "churn as its labels have it" if info.churn == "labels" else f"contracts that end within {info.horizon_days} days"
    return [
        Heading(1, f"{info.company}: {what}"),
        Paragraph(headline(result)),
        *_identity(result, left_out),
        *_performance(result),
        *(Picture(path, path.removeprefix("plots/").removesuffix(".png"), figure) for path, figure in figures.items()),
        Heading(2, "Against the champion"),
        Paragraph(f"{result.verdict.reason}."),
        Heading(2, "When not to trust this"),
        Bullets(list(_warnings(result))),
        *_importance(result.importance),
    ]


def _identity(result: TrainingResult, left_out: Collection[str]) -> list[Block]:
    info = result.scorer.info
    rows = {
        "family": info.family,
        "labels until": str(info.labels_until),
        "customers": f"{result.customers:,}",
        "features": f"{len(info.feature_names):,}",
        "columns left out, since they give the label away": ", ".join(left_out) or "none",
        "data fingerprint": result.fingerprint,
        "settings": ", ".join(f"{name} = {value}" for name, value in result.settings.items()),
    }
    return [Heading(2, "What it is"), Table(["", ""], [[name, text] for name, text in rows.items()])]


def _performance(result: TrainingResult) -> list[Block]:
    tested = result.backtest
    if not tested.folds:
        return [Heading(2, "How good it was"), Paragraph("Not measured: there are too few dates or contracts for a past date.")]
    metrics = list(next(iter(tested.rival_figures.values())))
    ours = [["this procedure", "", *(_told(tested.figures[metric]) for metric in metrics)]]
    rivals = [
        [rival, _told(tested.gains[rival]), *(_told(figures[metric]) for metric in metrics)]
        for rival, figures in tested.rival_figures.items()
    ]
    return [
        Heading(2, "How good it was"),
        Paragraph(f"{_how(result)} Brackets hold the figure with {CONFIDENCE:.0%} confidence, by bootstrap over customers."),
        Table(["figure", "value", "what it is"], [[name, _told(each), _meaning(name)] for name, each in tested.figures.items()]),
        Heading(2, "Against simple rivals"),
        Paragraph("The gain is the share of the rival's churn log loss that the procedure saves; the grade rests on its bounds."),
        Table(["", "gain over it", *metrics], [*ours, *rivals]),
    ]


def _how(result: TrainingResult) -> str:
    if result.scorer.info.churn == "labels":
        return (
            f"Each customer was forecast by models that learned from others: {FOLDS} parts of the customers, each forecast from "
            "the other parts, and that several times with other parts where the table is small. The figures belong to the "
            "procedure; the model itself has then learned from all labelled customers. The study that chose the settings has "
            "seen the same customers in other parts."
        )
    dates = ", ".join(str(fold.as_of) for fold in result.backtest.folds)
    return (
        f"Forecast as of {dates}, then held against what came. The figures belong to the procedure at those dates, before the "
        "refit on all dates that made this model."
    )


def _warnings(result: TrainingResult) -> Iterator[str]:
    info = result.scorer.info
    if info.churn == "labels":
        yield "There is no time in a flat table: the figures are of other customers at the same date, not of a later one."
        yield "A column that was written after the answer was known makes every figure here too good."
    elif len(result.backtest.folds) < WANTED_DATES:
        yield f"{len(result.backtest.folds)} backtest dates of the {WANTED_DATES} wanted: one season may look like the rule."
    if info.grade in {"C", "D"}:
        yield f"Grade {info.grade}: a simple rule does as well; do not read much into single customers."
    if result.customers < FEW_CUSTOMERS:
        yield f"Only {result.customers:,} customers: intervals are wide."
    yield "Contributions say what moved the forecast, not what would move the customer: only a holdout measures an action."


def _importance(importance: Mapping[str, Mapping[str, float]]) -> Iterator[Block]:
    for target, weights in importance.items():
        shown = list(weights.items())[:SHOWN_FEATURES]
        yield Heading(2, f"What moves the forecast of {target}")
        yield Table(["", "mean absolute contribution"], [[name, f"{weight:.4g}"] for name, weight in shown])


def _meaning(metric: str) -> str:
    """The first sentence of the metric's own description."""
    return (METRICS[metric].__doc__ or "").split("\n", maxsplit=1)[0]


def _told(interval: Interval) -> str:
    return f"{interval.value:.4g} [{interval.low:.4g}, {interval.high:.4g}]"
