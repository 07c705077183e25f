"""What `keepwell bench` tells: a table for each company, the machine and the versions, as Markdown or plain values."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepwell import __version__
from keepwell.files import write_text

if TYPE_CHECKING:
    from training.evaluation.comparison import Comparison
    from training.metrics.intervals import Interval

BEGIN, END = "<!-- bench -->", "<!-- /bench -->"
"""A page that has these marks keeps its own words; what is between them is replaced."""

LIBRARIES = ("numpy", "scipy", "polars", "lightgbm", "scikit-learn", "mlflow")
TITLES = {
    "keepwell": "**Keepwell** (90 % bounds)",
    "last_period": "last period again",
    "logistic_ridge": "logistic + ridge, RFM",
    "lightgbm": "LightGBM, RFM",
    "textbook": "BG/NBD + Gamma-Gamma",
    "logistic_all": "logistic, all features",
    "lightgbm_all": "LightGBM, all features",
}
ARROWS = {1: "higher", -1: "lower", 0: "near 1"}


def write_page(out: Path, made: Sequence[Comparison], day: date) -> None:
    """Write the tables as a page, or between the marks of the page that is there."""
    text, tables = out.read_text(encoding="utf-8") if out.is_file() else "", page(made, day)
    if BEGIN in text and END in text:
        between = f"{BEGIN}\n{tables}\n{END}"
        write_text(out, re.sub(f"{BEGIN}.*{END}", lambda _: between, text, flags=re.DOTALL))
    else:
        write_text(out, f"# Keepwell and its peers\n\n{tables}\n")


def page(made: Sequence[Comparison], day: date) -> str:
    """All tables, and what they were made with."""
    return "\n\n".join([f"{day}: {machine()}", *("\n".join(_section(each)) for each in made)])


def machine() -> str:
    """Cores, memory and versions, in a sentence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, Keepwell {__version__}, {versions}."


def _section(one: Comparison) -> Iterator[str]:
    from training.metrics.intervals import direction

    yield f"### {one.company}, {one.horizon_days} days from {one.as_of}\n"
    yield (
        f"{one.customers:,} customers, of whom {one.churned_share:.1%} left; {one.value_mean:,.2f} each in the mean. "
        f"Handed out: {_handed_out(one)}.\n"
    )
    yield f"| figure | better | {TITLES['keepwell']} | {' | '.join(TITLES[peer] for peer in one.peers)} | beside the best |"
    yield "|---|---|" + "---:|" * (1 + len(one.peers)) + "---|"
    for name, ours in one.figures["keepwell"].items():
        figures = " | ".join(_number(one.figures[peer][name].value) for peer in one.peers)
        verdict = one.gains[one.best_peer(name)][name].verdict
        yield f"| `{name}` | {ARROWS[direction(name)]} | {_bounded(ours)} | {figures} | {verdict} |"
    yield f"| ahead, level, behind | | | {' | '.join(_tally(one, peer) for peer in one.peers)} | |"
    above, below = (one.outside[name] for name in ("value_above_high_share", "value_below_low_share"))
    yield f"\nOutside the promised 10 % to 90 %: {above:.1%} of the customers above, {below:.1%} below."


def _handed_out(one: Comparison) -> str:
    """In words: the model, or the rival that had surely beaten it at earlier dates."""
    if one.grade == "D":
        return f"the simple rival `{one.family}`, which had beaten the models at earlier dates (grade D)"
    return f"the {one.family}, grade {one.grade}"


def _tally(one: Comparison, peer: str) -> str:
    """On how many figures we are surely better than a peer, neither, and surely worse."""
    verdicts = [gain.verdict for gain in one.gains[peer].values()]
    return ", ".join(str(verdicts.count(word)) for word in ("ahead", "level", "behind"))


def _bounded(one: Interval) -> str:
    return f"**{_number(one.value)}** ({_number(one.low)} to {_number(one.high)})"


def _number(value: float) -> str:
    """Four digits behind the point for shares, less for amounts.

    >>> _number(0.80571), _number(14.3246), _number(2197.0906)
    ('0.8057', '14.32', '2,197.1')
    """
    size = abs(value)
    return f"{value:.4f}" if size < 10 else f"{value:.2f}" if size < 1000 else f"{value:,.1f}"


def as_dict(made: Sequence[Comparison], day: date) -> dict[str, Any]:
    """The same for programs."""
    return {"day": day, "machine": machine(), "comparisons": [asdict(each) for each in made]}
