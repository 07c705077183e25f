"""One measurement in a process of its own, so that no other one's memory or warmth counts.

    python -m benchmarks.child JOB FOLDER DATES REPEATS

FOLDER is a company that `benchmarks.prepared` made. The clock runs from tables in memory to the whole result in memory; the
best of the repeats counts. Prints one line of JSON: seconds, processor seconds, peak memory of the whole process, rows, columns,
and sums of the result by column and date, by which the measured are seen to do the same work.
"""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from benchmarks import peers, prepared, where
from features.asof import day_number
from features.panel import build_panel, panel_blocks
from features.reading.sources import read_company

FOUR = peers.FOURTEEN[:4]
Job = Callable[[Path, Sequence[date]], Callable[[], Any]]


class Timed(NamedTuple):
    """The result of a piece of work, the least wall seconds it took, and the processor seconds of that run."""

    result: Any
    seconds: float
    processor: float


def timed(work: Callable[[], Any], repeats: int) -> Timed:
    """Run `work` as often as asked; no result is kept while the next is made."""
    runs: list[tuple[float, float]] = []
    result = None
    for _ in range(repeats):
        del result
        started, busy = time.perf_counter(), time.process_time()
        result = work()
        runs.append((time.perf_counter() - started, time.process_time() - busy))
    return Timed(result, *min(runs))


def _keepwell(names: Sequence[str] | None) -> Job:
    def prepare(folder: Path, dates: Sequence[date]) -> Callable[[], Any]:
        company = prepared.load(folder)
        return lambda: build_panel(company, dates, names)

    return prepare


class Passed(NamedTuple):
    """What went by without being kept: how many rows and columns."""

    shape: tuple[int, int]
    columns: tuple[str, ...] = ()


def _keepwell_blocks(folder: Path, dates: Sequence[date]) -> Callable[[], Passed]:
    """The whole catalog, block by block and none of them kept, as `keepwell features` writes it."""
    company = prepared.load(folder)

    def work() -> Passed:
        shapes = [block.shape for block in panel_blocks(company, dates)]
        return Passed((sum(rows for rows, _ in shapes), shapes[0][1]))

    return work


def _read(folder: Path, _: Sequence[date]) -> Callable[[], Any]:
    return lambda: read_company(folder).tables["transactions"]


def _read_with_polars(folder: Path, _: Sequence[date]) -> Callable[[], Any]:
    return lambda: pl.read_csv(folder / "transactions.csv", try_parse_dates=True)


def _pandas(folder: Path, dates: Sequence[date]) -> Callable[[], Any]:
    lines, days = prepared.purchases_for_pandas(folder), [day_number(as_of) for as_of in dates]
    return lambda: peers.pandas_loop(lines, days)


def _polars(cross_join: Callable[..., pl.DataFrame]) -> Job:
    def prepare(folder: Path, dates: Sequence[date]) -> Callable[[], Any]:
        lines, days = prepared.purchases(folder).drop("ordered_us"), [day_number(as_of) for as_of in dates]
        return lambda: cross_join(lines, days, "streaming")

    return prepare


JOBS: Mapping[str, Job] = {
    "keepwell-14": _keepwell(peers.FOURTEEN),
    "keepwell-4": _keepwell(FOUR),
    "keepwell-all": _keepwell(None),
    "keepwell-blocks": _keepwell_blocks,
    "read": _read,
    "read-polars": _read_with_polars,
    "pandas": _pandas,
    "polars": _polars(peers.polars_cross_join),
    "polars-days": _polars(peers.polars_day_cross_join),
}


def measure(job: str, folder: Path, dates: Sequence[date], repeats: int) -> dict[str, Any]:
    """What the module says, as plain values."""
    done = timed(JOBS[job](folder, dates), repeats)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    told = {"seconds": done.seconds, "processor": done.processor, "peak_gb": peak_gb}
    rows, columns = done.result.shape
    return told | {"rows": rows, "columns": columns, "figures": figures(done.result)}


def figures(rows: Any) -> dict[str, float]:  # noqa: ANN401  # a Polars or a pandas frame
    """The sum of each of the fourteen columns at each date; nothing of what is no panel."""
    if "as_of" not in rows.columns:
        return {}
    if isinstance(rows, pl.DataFrame):
        names = [name for name in peers.FOURTEEN if name in rows.columns]
        sums = rows.group_by("as_of").agg(pl.col(names).sum()).rows_by_key("as_of", named=True, unique=True)
    else:
        sums = rows.groupby("as_of")[list(peers.FOURTEEN)].sum().to_dict("index")
    return {f"{name} {prepared.iso(as_of)}": float(total) for as_of, one in sums.items() for name, total in one.items()}


def measure_request(job: str, folder: Path, repeats: int) -> dict[str, Any]:
    """The median seconds of one customer's features from 200 events: `row` as the endpoint makes them, `matrix` from tables."""
    from benchmarks import request  # noqa: PLC0415  # the service's models are of no use to the other jobs

    endpoint, matrix = request.work(folder)
    runs = [timed(endpoint if job == "row" else matrix, 1) for _ in range(repeats)]
    medians = {name: statistics.median(getattr(run, name) for run in runs) for name in ("seconds", "processor")}
    return {**medians, "rows": 1, "columns": matrix()[1].shape[1]}


def main(job: str, folder: Path, dates: int, repeats: int) -> None:
    """Print the measurement of a job, of a request, or with `where:` before a job, the shares of its stages."""
    all_dates = prepared.dates_back(dates)
    if job in ("row", "matrix"):
        told = measure_request(job, folder, repeats)
    elif job.startswith("where:"):
        told = where.shares(JOBS[job.removeprefix("where:")](folder, all_dates))
    else:
        told = measure(job, folder, all_dates, repeats)
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
