"""The frontier of a plan, for people and for programs: a picture and JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path

from decisions.plans.frontier import Frontier
from decisions.plans.plan import Plan
from keepwell.files import write_text, written_whole

INK, BLUE, ORANGE, GREY = "#1f2933", "#2563ab", "#d9822b", "#9aa5b1"


def write_frontier(curve: Frontier, made: Plan, path: Path) -> None:
    """Write the frontier, with the plan on it, as .json, .png or .svg; whole or not at all."""
    if path.suffix == ".json":
        write_text(path, json.dumps(frontier_facts(curve), indent=2) + "\n")
    else:
        _draw(curve, made, path)


def frontier_facts(curve: Frontier) -> list[dict[str, float]]:
    """One entry a budget: budget, expected_net_value, shadow_price."""
    rows = zip(curve.budget.tolist(), curve.expected_net_value.tolist(), curve.shadow_price.tolist(), strict=True)
    return [{"budget": budget, "expected_net_value": worth, "shadow_price": price} for budget, worth, price in rows]


def _draw(curve: Frontier, made: Plan, path: Path) -> None:
    from matplotlib import rc_context  # noqa: PLC0415  # a plan without a picture needs no matplotlib
    from matplotlib.figure import Figure  # noqa: PLC0415

    with rc_context({"svg.hashsalt": "keepwell", "font.size": 10, "text.color": INK, "axes.edgecolor": GREY}):
        figure = Figure(figsize=(7.2, 4.2), layout="constrained")
        axes = figure.add_subplot()
        axes.plot(curve.budget, curve.expected_net_value, color=BLUE, label="best plan of each budget")
        axes.plot(made.cost, made.expected_net_value, "o", color=ORANGE, label="this plan, less its controls")
        if math.isfinite(made.limits[0].amount) and made.limits[0].amount <= curve.budget[-1]:
            axes.axvline(made.limits[0].amount, color=GREY, linestyle=":", label="its budget")
        axes.set(xlabel="budget", ylabel="expected net value", title="What is another unit of budget worth?")
        axes.spines[["top", "right"]].set_visible(False)
        axes.set(xlim=(0, None), ylim=(0, None))
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.legend(frameon=False, loc="lower right")
        with written_whole(path) as temporary:
            figure.savefig(temporary, format=path.suffix[1:], dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
