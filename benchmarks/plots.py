"""The plots of docs/performance.md, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, BLUE, GREY = "#1f2933", "#2563ab", "#9aa5b1"
STAGE_COLOURS = ("#2563ab", "#d9822b", "#3f9c7a", "#b0487a", "#9aa5b1")
MILLION = 1_000_000


def draw(results: Mapping[str, Any], folder: Path) -> None:
    """Draw what was measured into performance-scaling.svg and performance-where.svg; the same figures give the same bytes."""
    figures = {"scaling": scaling, "where": where}
    with rc_context({"svg.hashsalt": "keepwell", "svg.fonttype": "none", "font.family": "sans-serif", "text.color": INK}):
        for name, make in figures.items():
            if name in results:
                make(results[name]).savefig(folder / f"performance-{name}.svg", metadata={"Date": None})


def scaling(measured: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Seconds by transactions and by dates, each with the line that fits best."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    _line(left, "million transactions, at 12 dates", *_series(measured, "transactions", MILLION))
    _line(right, "dates, of 4 million transactions", *_series(measured, "dates", 1))
    return figure


def _series(measured: Mapping[str, Mapping[str, Any]], kind: str, unit: int) -> tuple[list[float], list[float]]:
    found = {int(name.split()[1]) / unit: float(one["seconds"]) for name, one in measured.items() if name.startswith(kind)}
    return list(found), list(found.values())


def _line(axes: Axes, label: str, work: Sequence[float], seconds: Sequence[float]) -> None:
    slope, start = np.polyfit(work, seconds, 1)
    ends = np.array([0.0, max(work) * 1.05])
    axes.plot(ends, start + slope * ends, color=GREY, linestyle="--", label=f"{start:.2f} s + {slope:.2f} s each")
    axes.plot(work, seconds, color=BLUE, marker="o", linestyle="none", label="measured")
    axes.set(xlabel=label, ylabel="seconds", xlim=(0, None), ylim=(0, None))
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def where(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """The stages of each kind of panel as a bar."""
    figure = Figure(figsize=(9, 2.2), layout="constrained")
    axes = figure.subplots()
    names = {"keepwell-14": "14 columns", "keepwell-all": "whole catalog"}
    begin = np.zeros(len(shares))
    for stage, colour in zip(next(iter(shares.values())), STAGE_COLOURS, strict=True):
        width = np.array([100 * one[stage] for one in shares.values()])
        axes.barh([names[name] for name in shares], width, left=begin, color=colour, label=stage)
        begin += width
    axes.set(xlabel="share of the time, %", xlim=(0, 100))
    axes.invert_yaxis()
    axes.legend(frameon=False, ncols=len(STAGE_COLOURS), loc="lower center", bbox_to_anchor=(0.5, 1.0))
    axes.spines[["top", "right"]].set_visible(False)
    return figure
