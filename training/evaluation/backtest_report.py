"""What a backtest came to, as lines for people and as plain values for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from training.card.words import GRADES, counted, interval_text
from training.evaluation.backtest import Fold
from training.metrics.intervals import CONFIDENCE, Interval
from training.result import BacktestResult

LEGEND = (
    f"Brackets hold a figure with {CONFIDENCE:.0%} confidence, by bootstrap over customers. What each means: docs/training.md.",
    "The gain is the share of a rival's churn and value loss that is saved; the grade rests on its bounds.",
)


def lines(result: BacktestResult) -> Iterator[str]:
    """The backtest as a person reads it."""
    tested, dates = result.tested, len(result.tested.folds)
    yield f"{result.company}: churn and value over {result.horizon_days} days, known before {result.as_of}"
    yield f"Grade {tested.grade} on {counted(dates, 'backtest date')}: {GRADES[tested.grade]}."
    if dates < result.wanted:
        yield f"{counted(result.wanted, 'date was', 'dates were')} asked for; the history allows {dates}."
    if tested.champion:
        yield f"keepwell train would hand out the rival {tested.champion!r} in place of the model."
    yield ""
    yield from _table(["", *(str(fold.as_of) for fold in tested.folds), "all dates"], _rows(result))
    yield ""
    rivals = [[name, *_by_rival(result, name)] for name in tested.rival_figures]
    metrics = list(next(iter(tested.rival_figures.values()), {}))
    yield from _table(["rival", "gain over it", *metrics], rivals)
    yield ""
    yield from LEGEND


def _rows(result: BacktestResult) -> list[list[str]]:
    """Customers and every figure, by date and of all dates."""
    tested, folds = result.tested, result.tested.folds
    counts = [len(fold.churned) for fold in folds]
    rows = [["customers", *(f"{count:,}" for count in (*counts, sum(counts)))]]
    rows.append(["churned", *(f"{share:.1%}" for share in (*map(_churned, folds), _churned_of_all(folds)))])
    for name, figure in tested.figures.items():
        # A further horizon is judged only at dates at which it is over.
        dated = (tested.figures_by_date[fold.as_of].get(name) for fold in folds)
        rows.append([name, *(interval_text(each) for each in (*dated, figure))])
    for name, gain in tested.gains.items():
        dated = (tested.gains_by_date[fold.as_of][name] for fold in folds)
        rows.append([f"gain over {name}", *(interval_text(each) for each in (*dated, gain))])
    return rows


def _by_rival(result: BacktestResult, rival: str) -> Iterator[str]:
    yield interval_text(result.tested.gains[rival])
    yield from (interval_text(figure) for figure in result.tested.rival_figures[rival].values())


def _churned(fold: Fold) -> float:
    return float(fold.churned.mean())


def _churned_of_all(folds: Sequence[Fold]) -> float:
    return sum(int(fold.churned.sum()) for fold in folds) / sum(len(fold.churned) for fold in folds)


def as_dict(result: BacktestResult) -> dict[str, object]:
    """The backtest as plain values; a figure is its value and bounds."""
    tested = result.tested
    dates = [
        {
            "as_of": fold.as_of,
            "customers": len(fold.churned),
            "churned_share": _churned(fold),
            "figures": _plain(tested.figures_by_date[fold.as_of]),
            "gains": _plain(tested.gains_by_date[fold.as_of]),
        }
        for fold in tested.folds
    ]
    return {
        "company": result.company,
        "horizon_days": result.horizon_days,
        "as_of": result.as_of,
        "grade": tested.grade,
        "champion": tested.champion or None,
        "dates_wanted": result.wanted,
        "dates": dates,
        "figures": _plain(tested.figures),
        "gains": _plain(tested.gains),
        "rivals": {name: _plain(figures) for name, figures in tested.rival_figures.items()},
        "recipe": result.recipe.as_dict(),
        "settings": result.settings,
    }


def _plain(figures: Mapping[str, Interval]) -> dict[str, dict[str, float]]:
    return {name: vars(interval) for name, interval in figures.items()}


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the first column to the left and the others to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        ).rstrip()
        for row in (head, *rows)
    ]
