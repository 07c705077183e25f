"""Compute the figures of docs/concepts and draw its pictures: `python scripts/draw_concepts.py [--again]`.

Without `--again` the pictures are drawn from docs/images/concepts/figures.json as it is; with it, the figures are computed first,
which takes about a minute.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from training.card.plots import BLUE, GREY, INK, ORANGE, titled, write_figure

FOLDER = Path(__file__).parents[1] / "docs" / "images" / "concepts"
PALE_BLUE, PALE_ORANGE, GREEN = "#cfdff0", "#f7dfc3", "#3f8f6b"
Figures = Mapping[str, Any]


def time(found: Figures) -> Figure:
    """When each event of one customer happened, when it became known, and the dates that are asked about."""
    figure, axes = wide(3.4)
    titled(axes, "What had happened, and what was known?", "", "")
    for row, event in enumerate(found["events"]):
        happened, known = day_of(event["happened"]), day_of(event["known"])
        axes.plot([happened, known], [row, row], color=ORANGE, linewidth=2)
        axes.plot(happened, row, marker="o", color=BLUE if happened == known else "white", markeredgecolor=BLUE, markersize=7)
        if happened != known:
            axes.plot(known, row, marker="o", color=ORANGE, markersize=7)
    for asked in found["dates"]:
        axes.axvline(day_of(asked), color=INK, linewidth=1, linestyle="--")
        axes.annotate(f"as_of {asked}", (day_of(asked), -1.2), fontsize=8, ha="center", va="bottom", backgroundcolor="white")
    axes.set_yticks(range(len(found["events"])), [event["what"] for event in found["events"]])
    axes.set_ylim(len(found["events"]) - 0.5, -2)
    calendar(axes)
    return figure


def horizon(found: Figures) -> Figure:
    """Purchases of customers who have just fallen silent, and what followed."""
    figure, axes = wide(4.2)
    titled(axes, "Silent for a month: gone?", f"days from {found['day']}", "")
    axes.axvspan(-30, 0, color=PALE_ORANGE, label="30 days without a purchase")
    axes.axvspan(0, 60, color=PALE_BLUE, label="60 more: what a horizon of 90 days waits for")
    for row, days in enumerate(found["customers"]):
        seen = np.array(days)
        axes.plot([-90, 184], [row, row], color=GREY, linewidth=0.5, zorder=1)
        axes.plot(seen[seen < 0], np.full((seen < 0).sum(), row), "o", color=INK, markersize=4)
        axes.plot(seen[seen >= 0], np.full((seen >= 0).sum(), row), "o", color=GREEN, markersize=6)
    axes.set_yticks(range(len(found["customers"])), [f"customer {row + 1}" for row in range(len(found["customers"]))])
    axes.invert_yaxis()
    axes.set_xlim(-92, 186)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def churn(found: Figures) -> Figure:
    """The chance of staying away by days of silence, for customers of several rhythms."""
    figure, axes = wide(3.6)
    titled(axes, "The same silence means different things", "days since the last purchase", "chance to stay away")
    for level, word in ((found["lapsing_from"], "lapsing"), (found["lost_from"], "lost")):
        axes.axhline(level, color=GREY, linestyle="--", linewidth=1)
        axes.annotate(f"{word} from here", (found["silence"][-1], level), ha="right", va="bottom", fontsize=8, color=INK)
    for (name, curve), colour in zip(found["curves"].items(), (BLUE, ORANGE, GREEN), strict=True):
        axes.plot(found["silence"], curve["churn"], color=colour, linewidth=2, label=f"used to buy {name}")
    axes.set_ylim(0, 1.03)
    percent(axes, "y")
    axes.legend(frameon=False, loc="lower right")
    return figure


def calibration(found: Figures) -> Figure:
    """Churn as forecast and by percentile against what came; true chances of those told about a half."""
    figure, left, right = pair()
    titled(left, "Which number is a probability?", "what was said", "share that churned")
    low, share, high = np.array(found["came"]).T
    left.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="as said")
    left.plot(found["percentile"], share, color=ORANGE, marker="s", label="percentile of risk")
    left.errorbar(found["forecast"], share, yerr=(share - low, high - share), color=BLUE, marker="o", capsize=3, label="forecast")
    percent(left, "xy")
    left.legend(frameon=False)
    half = found["half"]
    titled(right, f"Told about {half['told']:.0%}: what is true?", "true chance to stay away", "share of these customers")
    right.bar(np.arange(10) / 10 + 0.05, half["shares"], width=0.09, color=BLUE)
    right.axvline(half["true"], color=ORANGE, linewidth=2, label=f"their mean: {half['true']:.0%}")
    percent(right, "xy")
    right.legend(frameon=False)
    return figure


def value(found: Figures) -> Figure:
    """What came of customers with one expected value, and how often the tenths went beyond their intervals."""
    figure, left, right = pair()
    band = found["band"]
    titled(left, f"Expected about {band['expected']:.0f} each: what came", "value in the horizon", "customers")
    left.bar(np.arange(25) * 20 + 10, band["counts"], width=18, color=PALE_BLUE)
    marks = (
        ("expected", band["expected"], BLUE, "-"),
        ("low and high", band["low"], ORANGE, "--"),
        ("", band["high"], ORANGE, "--"),
    )
    for name, place, colour, style in marks:
        left.axvline(place, color=colour, linestyle=style, linewidth=2, label=name or None)
    left.legend(frameon=False)
    titled(right, "How often more came than the high end", "tenth of customers, best first", "share above the high end")
    right.bar(range(1, 11), [tenth["above_high"] for tenth in found["tenths"]], color=BLUE)
    right.axhline(0.1, color=ORANGE, linestyle="--", linewidth=2, label="at most so many: 10%")
    right.set_xticks(range(1, 11))
    percent(right, "y")
    right.legend(frameon=False)
    return figure


def uplift(found: Figures) -> Figure:
    """What a call gains by risk, and what a budget gains by the order in which customers are chosen."""
    figure, left, right = pair()
    titled(left, "What a call truly gains", "tenth of customers, riskiest first", "net gain a customer")
    left.bar(range(1, 11), found["gain"], color=[BLUE if gain > 0 else ORANGE for gain in found["gain"]])
    left.axhline(0, color=INK, linewidth=1)
    left.set_xticks(range(1, 11))
    titled(right, f"{found['chosen']:,} contacts, in what order?", "net gain, thousands", "")
    for shift, colour, (action, orders) in zip((-0.2, 0.2), (BLUE, ORANGE), found["actions"].items(), strict=True):
        gains = [one["gain"] / 1_000 for one in orders.values()]
        right.barh(np.arange(len(gains)) + shift, gains, 0.4, color=colour, label=f"a {action}")
    right.set_yticks(range(len(orders)), [f"by {name}" for name in orders])
    right.axvline(0, color=INK, linewidth=1)
    right.invert_yaxis()
    right.legend(frameon=False)
    return figure


def tiers(found: Figures) -> Figure:
    """How value is spread over customers, and what three lists of the same length watch over."""
    figure, left, right = pair()
    titled(left, "Few customers bring most", "customers, best first", "share of expected value")
    left.plot(found["best_first"], found["brought"], color=BLUE, linewidth=2)
    cut = share = 0.0
    for name, tier in list(found["tiers"].items())[:-1]:
        cut, share = cut + tier["customers"] / found["customers"], share + tier["value"]
        left.plot([cut, cut, 0], [0, share, share], color=GREY, linewidth=1, linestyle="--")
        left.annotate(f"down to {name}: {share:.0%}", (cut, share), xytext=(8, -12), textcoords="offset points", fontsize=9)
    percent(left, "xy")
    titled(right, "Lists of one in twenty", "share of what could still be saved", "")
    lists = found["lists"]
    bars = right.barh([f"the {name}" for name in lists], [one["saveable"] for one in lists.values()], color=BLUE)
    right.bar_label(bars, fmt="{:.0%}", padding=3)
    right.set_xlim(0, 1.15 * max(one["saveable"] for one in lists.values()))
    right.invert_yaxis()
    percent(right, "x")
    return figure


USES = {"learned": BLUE, "calibrated": GREEN, "not over": PALE_BLUE, "tested": ORANGE}


def backtests(found: Figures) -> Figure:
    """What one backtest date makes of the dates before it."""
    figure, axes = wide(4)
    titled(axes, f"A forecast of {found['tested'][0]}, tried today", "", "")
    told = set()
    for row, one in enumerate(found["dates"]):
        start, use = day_of(one["date"]), one["use"]
        axes.barh(
            row,
            found["horizon_days"],
            left=start,
            color=USES[use],
            height=0.7,
            label=None if use in told else use,
        )
        told.add(use)
    axes.axvline(day_of(found["tested"][0]), color=INK, linestyle="--", linewidth=1)
    axes.set_yticks(range(len(found["dates"])), [one["date"] for one in found["dates"]], fontsize=8)
    axes.invert_yaxis()
    calendar(axes)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure


def grades(found: Figures) -> Figure:
    """The gains over the simple rivals with their intervals, beside what the grades ask for."""
    figure, axes = wide(3)
    titled(
        axes, f"Grade {found['grade']}: surely better than every simple rival?", "share of the rival's losses that is saved", ""
    )
    names = list(found["gains"])
    low, gain, high = np.array([found["gains"][name] for name in names]).T
    axes.errorbar(gain, range(len(names)), xerr=(gain - low, high - gain), color=BLUE, marker="o", linestyle="none", capsize=4)
    axes.axvline(0, color=INK, linewidth=1)
    axes.axvline(found["clearly"], color=ORANGE, linestyle="--", linewidth=1.5, label="grade A: every interval beyond this line")
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.invert_yaxis()
    percent(axes, "x")
    axes.legend(frameon=False)
    return figure


def wide(height: float) -> tuple[Figure, Axes]:
    """One drawing over the width of a page."""
    figure = Figure(figsize=(7.8, height), layout="constrained")
    return figure, figure.subplots()


def pair() -> tuple[Figure, Axes, Axes]:
    """Two drawings side by side."""
    figure = Figure(figsize=(8.6, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    return figure, left, right


def percent(axes: Axes, which: str) -> None:
    """Tell the axes of these letters, x or y, in whole percents."""
    for letter in which:
        axis = getattr(axes, f"{letter}axis")
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def day_of(text: str) -> float:
    """The place of a date on an axis of days."""
    return date.fromisoformat(text).toordinal()


def calendar(axes: Axes) -> None:
    """Tell the horizontal axis, of days, in months."""
    low, high = axes.get_xlim()
    days = (date.fromordinal(day) for day in range(int(low) + 1, int(high) + 1))
    months = [day for day in days if day.day == 1][::2]
    axes.set_xticks([month.toordinal() for month in months], [f"{month:%b %Y}" for month in months])


PICTURES: Mapping[str, tuple[str, Callable[[Figures], Figure]]] = {
    "time": ("time", time),
    "horizon": ("horizon", horizon),
    "churn": ("churn", churn),
    "calibration": ("calibration", calibration),
    "value": ("value", value),
    "uplift": ("uplift", uplift),
    "tiers": ("tiers", tiers),
    "backtests": ("backtests", backtests),
    "grades": ("backtests", grades),
}
"""The pictures: which part of the figures each shows, and how."""


def draw(folder: Path, figures: Figures) -> None:
    """Draw every picture as SVG; the same figures give the same bytes."""
    for name, (part, picture) in PICTURES.items():
        write_figure(picture(figures[part]), folder / f"{name}.svg")


def main(arguments: list[str] | None = None) -> int:
    """Compute where asked, then draw."""
    parser = argparse.ArgumentParser(description="Draw the pictures of docs/concepts.")
    parser.add_argument("--again", action="store_true", help="compute the figures first, which takes about a minute")
    kept = FOLDER / "figures.json"
    if parser.parse_args(arguments).again:
        from concept_figures import all_figures, as_json  # noqa: PLC0415  # loads all of training

        FOLDER.mkdir(parents=True, exist_ok=True)
        kept.write_text(as_json(all_figures()))
    draw(FOLDER, json.loads(kept.read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
