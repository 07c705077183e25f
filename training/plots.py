"""The pictures of a model card. Every function takes arrays of one value a customer and gives a figure; no global state."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from training.arrays import Flags, Floats

BINS = 10
INK, BLUE, ORANGE, GREY = "#1f2933", "#2563ab", "#d9822b", "#9aa5b1"


def calibration_curve(churned: Flags, probability: Floats) -> Figure:
    """Churn as forecast against churn as it came, in ten groups of equal size; bars are 95 % Wilson intervals."""
    groups = [group for group in np.array_split(np.argsort(probability, kind="stable"), BINS) if len(group)]
    forecast = np.array([probability[group].mean() for group in groups])
    low, share, high = np.array([wilson_interval(int(churned[group].sum()), len(group)) for group in groups]).T
    figure, axes = _canvas("Is a forecast of 30 % right 30 times in 100?", "churn probability, forecast", "share that churned")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="perfect")
    axes.errorbar(forecast, share, yerr=(share - low, high - share), color=BLUE, marker="o", capsize=3, label="model")
    _percent(axes, "xy")
    axes.legend(frameon=False)
    return figure


def gain_curve(churned: Flags, probabilities: Mapping[str, Floats]) -> Figure:
    """The share of all churners found among the riskiest customers, one curve for each model of `probabilities`."""
    figure, axes = _canvas("How many leavers are found by asking the riskiest first?", "customers asked", "churners found")
    asked = np.linspace(0, 1, 101)
    axes.plot([0, max(churned.mean(), 1e-9), 1], [0, 1, 1], color=GREY, linestyle=":", label="perfect")
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="at random")
    for (name, probability), color in zip(probabilities.items(), (BLUE, ORANGE, INK), strict=False):
        axes.plot(asked, gains(churned, probability, asked), color=color, label=name)
    _percent(axes, "xy")
    axes.legend(frameon=False)
    return figure


def value_deciles(value: Floats, expected: Floats) -> Figure:
    """Mean value as forecast and as it came, by tenth of the customers in order of expected value."""
    groups = [group for group in np.array_split(np.argsort(-expected, kind="stable"), BINS) if len(group)]
    figure, axes = _canvas(
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
    figure, axes = _canvas(title, "mean absolute contribution", "")
    names = list(importance)
    axes.barh(names[::-1], [importance[name] for name in names[::-1]], color=BLUE)
    axes.tick_params(axis="y", labelsize=8)
    return figure


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


def _canvas(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _percent(axes: Axes, which: str) -> None:
    for letter in which:
        getattr(axes, f"{letter}axis").set_major_formatter(PercentFormatter(1.0))
