"""The pictures of a report: how near the columns are to their limits, and the scores then and now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from training.monitor.drift import Distribution, Shift

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 12
WIDTH, HEIGHT = 5.6, 4.2


def shifts_against_limits(shifts: Sequence[Shift]) -> Figure:
    """The shifts that come nearest to their limits, as shares of them; beyond 1 is drift."""
    from matplotlib.figure import Figure  # noqa: PLC0415  # a look without a page needs no matplotlib

    from training.card.plots import BLUE, GREY, ORANGE  # noqa: PLC0415

    shown = list(shifts[:SHOWN])[::-1]
    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.subplots()
    colours = [ORANGE if shift.is_drift else BLUE for shift in shown]
    names = [shift.column if shift.measure == "distribution" else f"{shift.column}, {shift.measure}" for shift in shown]
    axes.barh(range(len(shown)), [shift.value / shift.limit for shift in shown], color=colours)
    axes.set_yticks(range(len(shown)), names, fontsize=8)
    axes.axvline(1, color=GREY, linestyle="--")
    axes.set(title="Which columns have moved?", xlabel="shift, as a share of its limit")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def then_and_now(distribution: Distribution) -> Figure:
    """Shares of the customers in the bins of the training, at training and now."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    from training.card.plots import BLUE, ORANGE  # noqa: PLC0415

    figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
    axes = figure.subplots()
    place = np.arange(len(distribution.now))
    axes.bar(place - 0.2, distribution.before, 0.4, color=BLUE, label="at training")
    axes.bar(place + 0.2, distribution.now, 0.4, color=ORANGE, label="now")
    edges = [f"{edge:,.3g}" for edge in distribution.edges]
    axes.set_xticks(place, [f"to {edge}" for edge in edges] + ["above"], rotation=45, ha="right", fontsize=8)
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.set(title=f"{distribution.column}: then and now", ylabel="share of the customers")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    return figure
