"""The pictures of a model card, and of a choice of horizon. Every function gives a figure; no global state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from keepwell.files import written_whole
from training.arrays import Flags, Floats
from training.metrics.profit import profit_curve

if TYPE_CHECKING:
    from training.horizon_report import HorizonReport

BINS = 10
INK, BLUE, ORANGE, GREY = "#1f2933", "#2563ab", "#d9822b", "#9aa5b1"


def calibration_curve(churned: Flags, probability: Floats) -> Figure:
    """Churn as forecast against churn as it came, in ten groups of equal size; bars are 95 % Wilson intervals."""
    groups = [group for group in np.array_split(np.argsort(probability, kind="stable"), BINS) if len(group)]
    forecast = np.array([probability[group].mean() for group in groups])
    low, share, high = np.array([wilson_interval(int(churned[group].sum()), len(group)) for group in groups]).T
    figure, axes = canvas("Is a forecast of 30 % right 30 times in 100?", "churn probability, forecast", "share that churned")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="perfect")
    axes.errorbar(forecast, share, yerr=(share - low, high - share), color=BLUE, marker="o", capsize=3, label="model")
    percent(axes, "xy")
    axes.legend(frameon=False)
    return figure


def gain_curve(churned: Flags, probabilities: Mapping[str, Floats]) -> Figure:
    """The share of all churners found among the riskiest customers, one curve for each model of `probabilities`."""
    figure, axes = canvas("How many leavers are found by asking the riskiest first?", "customers asked", "churners found")
    asked = np.linspace(0, 1, 101)
    axes.plot([0, max(churned.mean(), 1e-9), 1], [0, 1, 1], color=GREY, linestyle=":", label="perfect")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="at random")
    for name, probability, style in _curves(probabilities):
        axes.plot(asked, gains(churned, probability, asked), label=name, **style)
    percent(axes, "xy")
    axes.legend(frameon=False)
    return figure


def profit_curves(gains: Floats, risks: Mapping[str, Floats]) -> Figure:
    """What a campaign earns a customer, by the share contacted, one curve for each order of `risks`; a dot marks its best.

    `gains` (n,) are what the contact of each customer brings, in currency (`training.metrics.profit`).
    """
    figure, axes = canvas("How many should be asked for a campaign to pay?", "customers asked", "profit a customer")
    depths = np.linspace(0, 1, 101)
    axes.plot([0, 1], [0, float(gains.mean())], color=GREY, linestyle="--", label="at random")
    for name, risk, style in _curves(risks):
        asked, profit = profit_curve(gains, risk)
        axes.plot(depths, np.interp(depths, asked, profit), label=name, **style)
        best = int(np.argmax(profit))
        axes.plot(asked[best], profit[best], marker="o", **style)
    percent(axes, "x")
    axes.legend(frameon=False)
    return figure


def value_deciles(value: Floats, expected: Floats) -> Figure:
    """Mean value as forecast and as it came, by tenth of the customers in order of expected value."""
    groups = [group for group in np.array_split(np.argsort(-expected, kind="stable"), BINS) if len(group)]
    figure, axes = canvas(
        "Is the value right from the best customers to the least?", "tenth of the customers, best first", "mean value"
    )
    place = np.arange(len(groups))
    axes.bar(place - 0.2, [expected[group].mean() for group in groups], 0.4, color=BLUE, label="forecast")
    axes.bar(place + 0.2, [value[group].mean() for group in groups], 0.4, color=ORANGE, label="as it came")
    axes.set_xticks(place, [str(tenth + 1) for tenth in place])
    axes.legend(frameon=False)
    return figure


def importance_bars(importance: Mapping[str, float], title: str) -> Figure:
    """The features that move the forecast most, by mean absolute contribution; `importance` is in order, largest first."""
    figure, axes = canvas(title, "mean absolute contribution", "", height=4.6)
    names = list(importance)
    axes.barh(names[::-1], [importance[name] for name in names[::-1]], color=BLUE)
    axes.tick_params(axis="y", labelsize=8)
    return figure


def horizon_choice(report: HorizonReport, most_returned: float) -> Figure:
    """What each horizon would call churn and how many come back from it, beside the gaps between purchases.

    Up to `most_returned` (a share) of those called lost may come back.
    """
    figure = Figure(figsize=(10.5, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    days = [one.days for one in report.horizons]
    titled(left, "After how long a silence has a customer left?", "horizon, days", "share of customers")
    left.plot(days, _known(one.churned for one in report.horizons), color=BLUE, marker="o", label="churned")
    back = _known(one.returned for one in report.horizons)
    left.plot(days, back, color=ORANGE, marker="s", linestyle="--", label="of the newly gone, came back")
    left.axhline(most_returned, color=ORANGE, linewidth=1, linestyle=":", label=f"so many may: {most_returned:.0%}")
    titled(right, "How long are the gaps between purchases?", "gap, days", "gaps that are no longer")
    right.plot(list(report.gap_days.values()), [int(share.rstrip("%")) / 100 for share in report.gap_days], color=BLUE)
    for axes, ticks in ((left, days), (right, [1, 7, *days])):
        axes.set_xscale("log")
        axes.set_xticks(ticks, [str(tick) for tick in ticks])
        axes.minorticks_off()
        axes.set_ylim(0, 1)
        percent(axes, "y")
        if report.advice.horizon_days:
            mark = f"{report.advice.horizon_days}d {'fits' if report.advice.fits else 'comes nearest'}"
            axes.axvline(report.advice.horizon_days, color=INK, linewidth=1, label=mark)
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as its file's ending says; the same figure gives the same bytes."""
    # Letters stay letters: the file is a tenth of what it is with drawn ones.
    with rc_context({"svg.hashsalt": "keepwell", "svg.fonttype": "none"}), written_whole(path) as temporary:
        figure.savefig(temporary, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})


def gains(churned: Flags, probability: Floats, asked: Floats) -> Floats:
    """The share of churners among the `asked` share of customers with the highest probability; 0 where nobody churned.

    >>> gains(np.array([True, False, False, True]), np.array([0.9, 0.1, 0.2, 0.6]), np.array([0.0, 0.25, 0.5, 1.0]))
    array([0. , 0.5, 1. , 1. ])
    """
    found = np.concatenate([[0.0], np.cumsum(churned[np.argsort(-probability, kind="stable")])])
    share: Floats = np.interp(asked * len(churned), np.arange(len(found)), found) / max(found[-1], 1.0)
    return share


def wilson_interval(hits: int, trials: int) -> tuple[float, float, float]:
    """(low, share, high): the 95 % score interval of a share, which stays within 0 and 1 (Wilson 1927).

    >>> tuple(round(number, 3) for number in wilson_interval(0, 10))
    (0.0, 0.0, 0.278)
    """
    z, share = 1.959964, hits / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    return max(0.0, min(share, float(centre - half))), share, min(1.0, max(share, float(centre + half)))


def _curves(orders: Mapping[str, Floats]) -> Iterator[tuple[str, Floats, dict[str, Any]]]:
    """Each order of the customers with its colour; the first, the model's, lies on top of the others and is the thickest."""
    for place, (name, order) in enumerate(orders.items()):
        yield name, order, {"color": (BLUE, ORANGE, INK)[place % 3], "linewidth": 2.4 if place == 0 else 1.4, "zorder": 5 - place}


def canvas(title: str, x: str, y: str, height: float = 3.8) -> tuple[Figure, Axes]:
    """An empty figure with its axes named."""
    figure = Figure(figsize=(5.6, height), layout="constrained")
    axes = figure.subplots()
    titled(axes, title, x, y)
    return figure, axes


def titled(axes: Axes, title: str, x: str, y: str) -> None:
    """Give axes their title and names."""
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)


def _known(shares: Iterable[float | None]) -> list[float]:
    """Shares for a line that has a hole where nothing is known."""
    return [np.nan if share is None else share for share in shares]


def percent(axes: Axes, which: str) -> None:
    """Tell the axes of these letters, x or y, in percent."""
    for letter in which:
        getattr(axes, f"{letter}axis").set_major_formatter(PercentFormatter(1.0))
