"""The pictures of a review, each with a sentence that says what it shows."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import TYPE_CHECKING

import numpy as np

from decisions.reviews.actions import ActionReview
from decisions.reviews.promises import Calibrated, Promise
from decisions.reviews.review import Forecast
from training.card.document import Picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 5.6, 3.8


def promise_bars(promises: Sequence[Promise]) -> Picture:
    """Churn as forecast and as it came, by tier."""
    from training.card.plots import BLUE, ORANGE

    figure, axes = _canvas("Did they leave as was forecast?")
    place = np.arange(len(promises))
    came = np.array([each.churned.value for each in promises])
    error = np.array([[each.churned.value - each.churned.low, each.churned.high - each.churned.value] for each in promises]).T
    axes.bar(place - 0.2, [each.churn_promised for each in promises], 0.4, color=BLUE, label="forecast")
    axes.bar(place + 0.2, came, 0.4, color=ORANGE, label="as it came", yerr=error, capsize=3)
    axes.set_xticks(place, [each.tier or "all" for each in promises])
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set(ylabel="share that left")
    axes.legend(frameon=False)
    whole = promises[0]
    words = f"{whole.churn_promised:.0%} of all were forecast to leave, and {whole.churned.value:.0%} did; bars hold 90 %."
    return Picture("plots/promises.png", words, figure)


def calibration_curve(groups: Sequence[Calibrated]) -> Picture:
    """Churn as forecast against churn as it came, in groups of like risk."""
    from training.card.plots import BLUE, GREY

    figure, axes = _canvas("Is a forecast of 30 % right 30 times in 100?")
    promised = [each.churn_promised for each in groups]
    came = np.array([each.churned.value for each in groups])
    error = np.array([[each.churned.value - each.churned.low, each.churned.high - each.churned.value] for each in groups]).T
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="perfect")
    axes.errorbar(promised, came, yerr=error, color=BLUE, marker="o", capsize=3, label="forecasts")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set(xlabel="churn probability, forecast", ylabel="share that left")
    axes.legend(frameon=False)
    safe, risky = groups[0], groups[-1]
    words = (
        f"Of the safest tenth {safe.churn_promised:.0%} were forecast to leave and {safe.churned.value:.0%} did; of the riskiest "
        f"tenth {risky.churn_promised:.0%}, and {risky.churned.value:.0%} did."
    )
    return Picture("plots/calibration.png", words, figure)


def action_bars(actions: Sequence[ActionReview]) -> Picture:
    """What each measured action brought beyond its controls, beside what it cost."""
    from training.card.plots import BLUE, GREY, ORANGE

    known = [each for each in actions if not isnan(each.facts.incremental_value.value)][::-1]
    figure, axes = _canvas("Which actions earn more than they cost?", 1.4 + 0.6 * len(known))
    place = np.arange(len(known))
    value = np.array([each.facts.incremental_value.value for each in known])
    error = np.array(
        [[found.value - found.low, found.high - found.value] for found in (each.facts.incremental_value for each in known)]
    ).T
    axes.errorbar(value, place, xerr=error, fmt="o", color=BLUE, capsize=3, label="incremental value, 90 %")
    axes.plot([each.facts.measured_cost for each in known], place, "D", color=ORANGE, label="cost")
    axes.axvline(0, color=GREY, linewidth=1)
    axes.set_yticks(place, [each.facts.title for each in known], fontsize=8)
    axes.set_ylim(-0.6, len(known) - 0.4)
    axes.set(xlabel="value")
    figure.legend(loc="outside lower center", frameon=False, ncols=2)
    sure = [each.facts.title for each in known if each.verdict == "keep"]
    words = f"Surely worth their cost: {', '.join(sure)}." if sure else "No action has surely earned its cost yet."
    return Picture("plots/actions.png", words, figure)


def forecast_bars(forecast: Forecast) -> Picture:
    """What each tier is expected to bring."""
    from training.card.plots import BLUE

    groups = forecast.by_tier
    figure, axes = _canvas(f"What will the next {forecast.horizon_days} days bring?")
    axes.bar(range(len(groups)), [each.expected_value for each in groups], color=BLUE)
    axes.set_xticks(range(len(groups)), [each.name or "no tier" for each in groups])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set(ylabel="expected value")
    most = max(groups, key=lambda each: each.expected_value)
    share = most.expected_value / forecast.total.value if forecast.total.value > 0 else 0.0
    return Picture("plots/forecast.png", f"{share:.0%} is expected from {most.name or 'other'} customers.", figure)


def _canvas(title: str, height: float = HEIGHT) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    from training.card.plots import INK

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title, loc="left", color=INK, fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
