"""Measurements as tables in Markdown, and into docs/performance.md."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import plots

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
LIBRARIES = ("numpy", "polars", "pandas", "lightgbm")
PEAK_GB, LARGE_GB = 6, 20
TRAINING_SECONDS, TRAINING_GB = 900, 8
Results = Mapping[str, Any]
"""Part -> name -> the values of a measurement, as `benchmarks.speed` keeps them."""


def tables(results: Results) -> str:
    """All tables for which something was measured."""
    return "\n\n".join(made(results).values())


def made(results: Results) -> dict[str, str]:
    """The text for each place of the page, as far as it was measured."""
    tables = {name: "\n".join(make(results[name])) for name, make in TABLES.items() if name in results}
    return {"machine": machine(), **tables}


def machine() -> str:
    """What the figures were taken on, as far as it matters."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{os.cpu_count()} cores, {memory:.0f} GB, Python {platform.python_version()}, {versions}."


def _against_peers(one: Results) -> Iterator[str]:
    """The rows of what was promised; a peer that could not be measured is said to be so."""
    ours, four, everything = (one[name] for name in ("keepwell-14", "keepwell-4", "keepwell-all"))
    yield "| measured | seconds | processor | peak GB | against Keepwell's | asked for |\n|---|---|---|---|---|---|"
    yield _row("**Keepwell**, 14 columns, 12 dates", ours, "", f"under {PEAK_GB} GB")
    yield _row("a pandas loop over the dates", one["pandas"], _ratio(one["pandas"], ours), "at least 5")
    yield _row("a Polars cross join of the lines", one["polars"], _ratio(one["polars"], ours), "at least 3")
    yield _row("a Polars cross join of purchase days", one["polars-days"], _ratio(one["polars-days"], ours), "")
    yield _row("**Keepwell**, 4 columns, one date", four, "", "")
    if "lifetimes" in one:
        yield _row("the summary of `lifetimes`", one["lifetimes"], _ratio(one["lifetimes"], four), "at least 20")
    else:
        yield "| the summary of `lifetimes` | not measured | | | | at least 20 |"
    yield _row(
        f"**Keepwell**, the whole catalog, {everything['columns'] - 2} columns", everything, _ratio(everything, ours), "under 4"
    )
    yield _request("**Keepwell**, one customer's row from 200 events, as the endpoint makes it", one["matrix"], "under 3 ms")
    yield _request("the same, with the request's checks and conversions", one["row"], "")


def _row(what: str, one: Mapping[str, Any], ratio: str, asked: str) -> str:
    return f"| {what} | {one['seconds']:.2f} | {one['processor']:.1f} | {one['peak_gb']:.1f} | {ratio} | {asked} |"


def _request(what: str, one: Mapping[str, Any], asked: str) -> str:
    return f"| {what}, {one['columns']} columns | {one['seconds'] * 1e3:.1f} ms | {one['processor'] * 1e3:.1f} ms | | | {asked} |"


def _ratio(one: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    return f"{one['seconds'] / ours['seconds']:.1f} times"


def _scaling(one: Results) -> Iterator[str]:
    yield "| work | seconds | peak GB | rows |\n|---|---|---|---|"
    for name, measured in one.items():
        kind, count = name.split()
        yield f"| {int(count):,} {kind} | {measured['seconds']:.2f} | {measured['peak_gb']:.1f} | {measured['rows']:,} |"


def _large(one: Results) -> Iterator[str]:
    whats = {
        "read": "reading the Parquet files and checking every rule",
        "features-14": "`keepwell features`, 12 dates, 14 columns",
        "features-all": "`keepwell features`, one date, the whole catalog",
        "read-csv": "reading the CSV file and checking every rule",
        "read-csv-polars": "`polars.read_csv` of the same file, nothing checked",
    }
    yield f"| work | seconds | processor | peak GB (at most {LARGE_GB}) |\n|---|---|---|---|"
    for name, what in whats.items():
        yield f"| {what} | {one[name]['seconds']:.1f} | {one[name]['processor']:.1f} | {one[name]['peak_gb']:.1f} |"


def _models(one: Results) -> Iterator[str]:
    """Ours beside LightGBM with the same trees."""
    fit, predict, explain = (one[job] for job in ("fit", "predict", "explain"))
    yield "| measured | seconds | processor | against LightGBM's | asked for |\n|---|---|---|---|---|"
    yield from _beside_lightgbm(f"fitting to {fit['rows']:,} rows of {fit['columns']} features", fit, "at most 1.5")
    yield _model_row("the same, with the two earlier fits that it is calibrated on", fit["procedure"], fit["lightgbm"], "")
    yield from _beside_lightgbm(f"scoring {predict['rows']:,} customers", predict, "at most 1.5")
    yield from _beside_lightgbm(f"the reasons of {explain['rows']:,} customers", explain, "")


def _beside_lightgbm(what: str, one: Results, asked: str) -> Iterator[str]:
    yield _model_row(f"LightGBM alone, {what}", one["lightgbm"], None, "")
    yield _model_row(f"**Keepwell**, {what}", one["keepwell"], one["lightgbm"], asked)


def _model_row(what: str, one: Mapping[str, Any], library: Mapping[str, Any] | None, asked: str) -> str:
    ratio = f"{one['processor'] / library['processor']:.2f} times" if library else ""
    return f"| {what} | {one['seconds']:.2f} | {one['processor']:.2f} | {ratio} | {asked} |"


def _training(one: Results) -> Iterator[str]:
    yield f"| `keepwell train` | seconds (at most {TRAINING_SECONDS}) | processor | peak GB (at most {TRAINING_GB}) |"
    yield "|---|---|---|---|"
    for name, measured in one.items():
        customers, trials = map(int, name.split())
        work = f"{customers:,} customers, {trials} trials"
        yield f"| {work} | {measured['seconds']:.0f} | {measured['processor']:.0f} | {measured['peak_gb']:.1f} |"


TABLES: Mapping[str, Callable[[Results], Iterator[str]]] = {
    "table": _against_peers,
    "scaling": _scaling,
    "large": _large,
    "models": _models,
    "training": _training,
}


def publish(results: Results) -> None:
    """Put the tables between the markers of the page, and draw the plots beside it."""
    page = PAGE.read_text()
    for name, text in made(results).items():
        page = re.sub(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", partial(_filled, text), page, flags=re.DOTALL)
    PAGE.write_text(page)
    plots.draw(results, PAGE.parent / "images")


def _filled(text: str, markers: re.Match[str]) -> str:
    return f"{markers[1]}{text}\n{markers[2]}"
