"""What a training leaves in MLflow for people to read: inputs, trials, figures, plots, card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from features.asof import day_date
from features.catalog import entry_of
from features.company import Company
from features.vocabulary import left_out
from training.card.document import to_html, to_markdown
from training.card.figures import FILE as CARD
from training.card.figures import card_figures
from training.card.report import draw, headline, model_card, warnings
from training.data import TrainingData
from training.evaluation.backtest import Backtest
from training.evaluation.totals import FILE as TOTALS
from training.evaluation.totals import as_plain, totals
from training.registry import Run

if TYPE_CHECKING:
    from training.result import TrainingResult


def log_inputs(run: Run, known: Company, data: TrainingData, settings: Mapping[str, object]) -> str:
    """Log what goes in; the fingerprint of the data known before `as_of`."""
    fingerprint = known.fingerprint()
    dates = [str(day_date(day)) for day in data.labelled_days]
    run.log_params({"company": known.key, **settings, "rows": len(data), "features": len(data.names), "dates": len(dates)})
    run.log_params({"data_until": data.data_until, "fingerprint": fingerprint})
    run.log_tags({"company": known.key, "horizon_days": data.horizon_days, "as_of": data.as_of})
    run.log_dict({"labelled": dates, "scored": str(data.as_of)}, "dates.json")
    entries = {name: entry_of(name) for name in data.names}
    run.log_dict({name: asdict(entry) for name, entry in entries.items() if entry}, "features.json")
    run.log_text("\n".join(note.message for note in left_out(known, data.as_of, timely=True)), "left_out.txt")
    for name, frame in known.event_tables.items():
        run.log_dataset(frame, f"{known.key}/{name}", fingerprint, context="training")
    return fingerprint


def log_trial(
    run: Run, number: int, settings: Mapping[str, object], figures: Mapping[str, float], *, pruned: bool = False
) -> None:
    """Log one trial of a study as a nested run: what was tried, and what the study sought."""
    with run.child(f"trial {number}") as child:
        child.log_params(flat_settings(settings))
        child.log_metrics(figures)
        child.log_tags({"pruned": pruned})


def log_result(run: Run, result: TrainingResult) -> TrainingResult:
    """Log what came out: figures, plots, card; the result with its card."""
    info, tested = result.scorer.info, result.backtest
    run.log_params({"family": info.family, "grade": info.grade, "labels_until": info.labels_until})
    run.log_params(flat_settings(result.scorer.recipe.as_dict(), "recipe."))
    run.log_metrics(backtest_metrics(tested))
    run.log_tags({"grade": info.grade, "family": info.family, "version": info.version, "promoted": result.verdict.promote})
    run.log_dict(result.scorer.recipe.as_dict(), "recipe.json")
    if result.evidence is not None:
        run.log_dict(result.evidence.as_dict(), "evidence.json")
    run.log_dict(as_plain(totals(tested)), TOTALS)
    run.log_dict(card_figures(result, list(warnings(result))), CARD)
    pictures = draw(result)
    for picture in pictures:
        run.log_figure(picture.figure, picture.path)
    card = model_card(result, pictures)
    run.log_text(to_markdown(card), "card.md")
    page = to_html(card)
    run.log_text(page, "card.html")
    run.log_note(headline(result))
    return replace(result, card=page)


def backtest_metrics(tested: Backtest) -> dict[str, float]:
    """Figures as MLflow names them: `churn_auc`, its bounds `interval/churn_auc_low` and `_high`, `rival/recency/churn_auc`."""
    ours = {name: interval.value for name, interval in tested.figures.items()}
    bounds = {
        f"interval/{name}_{side}": getattr(interval, side)
        for name, interval in tested.figures.items()
        for side in ("low", "high")
    }
    rivals = {
        f"rival/{rival}/{name}": interval.value
        for rival, figures in tested.rival_figures.items()
        for name, interval in figures.items()
    }
    return ours | bounds | rivals | {"backtest_dates": len(tested.folds)}


def flat_settings(values: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Nested settings as one level of names, as MLflow's parameters are.

    >>> flat_settings({"trees": {"leaves": 15}, "ridge": 1.0}, "recipe.")
    {'recipe.trees.leaves': 15, 'recipe.ridge': 1.0}
    """
    flat: dict[str, object] = {}
    for name, value in values.items():
        flat |= flat_settings(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat
