"""How fast features are made, and in how much memory, beside what others write for the same.

    python -m benchmarks.speed [table] [scaling] [large] [--quick] [--scratch FOLDER] [--publish]

Without parts named it measures all of them, in about ten minutes on two cores. Every measurement is a process of its own, and
all are taken one after the other in one run, so that ratios hold on any machine. `--quick` does the same on little data, to see
that it works; its ratios mean nothing. `--publish` puts figures and plots into docs/performance.md. The companies that are made
stay under the scratch folder, where the next run finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import company, prepared
from benchmarks.measure import Measured, child, keepwell, lifetimes, lifetimes_python, require_agreement, shares
from benchmarks.peers import COUNTS, FOURTEEN
from benchmarks.running import run

DATES = 12
COUNTS_LINES = ("purchase_days_all", "spend_sd_all", *COUNTS)
"""What the plain cross join takes from order lines, and everything else from purchase days."""


@dataclass(frozen=True)
class Sizes:
    """How much work there is: numbers of transactions and dates, and how often short work is repeated."""

    table: int
    scaling: tuple[int, ...]
    scaling_dates: tuple[int, ...]
    large: int
    csv: int
    repeats: int
    requests: int
    with_lifetimes: bool
    """Whether to make its environment, which takes packages from an index."""


FULL = Sizes(
    4_000_000, (1_000_000, 2_000_000, 4_000_000, 8_000_000), (3, 6, 12, 24), 50_000_000, 1_500_000, 3, 300, with_lifetimes=True
)
QUICK = Sizes(20_000, (10_000, 20_000), (3, 6), 50_000, 10_000, 1, 20, with_lifetimes=False)


def table(scratch: Path, sizes: Sizes) -> dict[str, Measured]:
    """The panel of twelve dates beside its peers, the summary of one date beside `lifetimes`, one customer's row."""
    folder = prepared.prepare(scratch, sizes.table)
    found = {
        "keepwell-14": child("keepwell-14", folder, DATES, sizes.repeats),
        "keepwell-all": child("keepwell-blocks", folder, DATES, sizes.repeats),
        "keepwell-4": child("keepwell-4", folder, 1, sizes.repeats),
        "row": child("row", folder, 1, sizes.requests),
        "matrix": child("matrix", folder, 1, sizes.requests),
    }
    for peer, other_meaning in (("pandas", ()), ("polars", COUNTS_LINES), ("polars-days", ())):
        found[peer] = child(peer, folder, DATES, max(sizes.repeats - 1, 1))
        require_agreement(found["keepwell-14"], found[peer], other_meaning)
    if sizes.with_lifetimes and (python := lifetimes_python(scratch)):
        found["lifetimes"] = lifetimes(python, folder, max(sizes.repeats - 1, 1))
        require_agreement(found["keepwell-4"], found["lifetimes"])
    return found


def scaling(scratch: Path, sizes: Sizes) -> dict[str, Measured]:
    """The fourteen columns of more and more transactions, and at more and more dates."""
    found = {
        f"transactions {count}": child("keepwell-14", prepared.prepare(scratch, count), DATES, sizes.repeats)
        for count in sizes.scaling
    }
    folder = prepared.prepare(scratch, sizes.table)
    return found | {f"dates {count}": child("keepwell-14", folder, count, sizes.repeats) for count in sizes.scaling_dates}


def where(scratch: Path, sizes: Sizes) -> dict[str, dict[str, float]]:
    """The stages of the fourteen columns and of the whole catalog, as shares of the time in the executor."""
    folder = prepared.prepare(scratch, sizes.table)
    return {job: shares(job, folder, DATES) for job in ("keepwell-14", "keepwell-all")}


def large(scratch: Path, sizes: Sizes) -> dict[str, Measured]:
    """Reading, and whole commands on a company that is larger than the memory should hold; a CSV file beside Polars."""
    folder, csv = scratch / f"company-{sizes.large}", scratch / f"csv-{sizes.csv}"
    company.write_benchmark(folder, sizes.large)
    company.write_csv(csv, sizes.csv)
    out = ("--out", scratch / "large.parquet")
    dates = [word for as_of in prepared.dates_back(DATES) for word in ("--as-of", as_of)]
    return {
        "read": child("read", folder, 1, 1),
        "features-14": keepwell("features", folder, *dates, "--columns", ",".join(FOURTEEN), *out),
        "features-all": keepwell("features", folder, *dates[-2:], *out),
        "read-csv": child("read", csv, 1, sizes.repeats),
        "read-csv-polars": child("read-polars", csv, 1, sizes.repeats),
    }


PARTS: Mapping[str, Callable[[Path, Sizes], Mapping[str, Any]]] = {
    "table": table,
    "scaling": scaling,
    "where": where,
    "large": large,
}


if __name__ == "__main__":
    run("benchmarks.speed", "How fast features are made.", PARTS, FULL, QUICK)
