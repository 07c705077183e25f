"""The pictures of an experiment: who gains, in order, and whether what was told of customers came true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from training.card.plots import BLUE, GREY, INK, ORANGE, canvas, percent
from training.uplift.policy import Group, Qini

COLOURS = (BLUE, ORANGE, INK, GREY)


def qini_figure(curves: Mapping[str, Qini], outcome: str) -> Figure:
    """What is gained when those who gain most are treated first, by arm, with bounds; dashed, when anybody is."""
    figure, axes = canvas("Does it matter who is treated first?", "customers treated", f"{outcome} gained, a customer")
    for place, (name, curve) in enumerate(curves.items()):
        colour = COLOURS[place % len(COLOURS)]
        axes.fill_between(curve.share, curve.low, curve.high, color=colour, alpha=0.12, linewidth=0)
        axes.plot(curve.share, curve.gain, color=colour, label=name)
        axes.plot([0, 1], [0, curve.gain[-1]], color=colour, linestyle="--", linewidth=1)
    percent(axes, "x")
    axes.legend(frameon=False)
    return figure


def calibration_figure(groups: Mapping[str, Sequence[Group]], outcome: str) -> Figure:
    """The effect found in each tenth of the customers against the effect told of them, by arm; bars are 95 % intervals."""
    figure, axes = canvas("Is the effect told the effect found?", f"effect on {outcome}, told", f"effect on {outcome}, found")
    told = [group.told for each in groups.values() for group in each]
    axes.plot([min(told), max(told)], [min(told), max(told)], color=GREY, linestyle="--", label="perfect")
    axes.axhline(0, color=GREY, linewidth=0.8)
    for place, (name, each) in enumerate(groups.items()):
        x = np.array([group.told for group in each])
        y, low, high = np.array([(group.found.value, group.found.low, group.found.high) for group in each]).T
        colour = COLOURS[place % len(COLOURS)]
        axes.errorbar(x, y, yerr=(y - low, high - y), color=colour, marker="o", linestyle="", capsize=3, label=name)
    axes.legend(frameon=False)
    return figure
