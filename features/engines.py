"""Other engines than our own: the tables of a company on pandas, Polars, DuckDB or Spark, and their panel made there."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

import narwhals as nw
import polars as pl

from features.company import Company
from features.frames import Frame, PanelFrames
from features.panel import panel_blocks
from features.recipe import recipe
from features.writing import write_panel
from keepwell.errors import ConfigError
from keepwell.progress import Progress, Silent

if TYPE_CHECKING:
    from duckdb import DuckDBPyRelation

Native: TypeAlias = Any
"""A table of any engine: of pandas, Polars, DuckDB, PySpark, or of another that Narwhals knows."""

OWN, SPARK = "numpy", "spark"

ENTRANCES: Mapping[str, Callable[[pl.DataFrame], Native]] = MappingProxyType(
    {
        "polars": lambda frame: frame.lazy(),
        "pandas": lambda frame: frame.to_pandas(),
        "duckdb": lambda frame: _duckdb().from_arrow(frame.to_arrow()),
        SPARK: lambda frame: _spark().to_spark(frame),
    }
)
"""Engine -> what makes its table of ours."""

ENGINES = (OWN, *ENTRANCES)
"""The engines that `write_panel_of` knows, our own first."""


def build_frames(frames: Mapping[str, Native], scales: Mapping[str, int], dates: Sequence[date], names: Sequence[str]) -> Native:
    """The panel on any engine: normalised tables in, one table of the same kind out, its rows in no order.

    Columns as of `build_panel`. Eager tables (Polars, pandas) give an eager one. Of lazy ones, nothing is computed before the
    result is used (Polars, PySpark), or each date at once (DuckDB).
    ConfigError for a name that the catalog lacks, for no dates, and for no transactions.
    """
    if not dates:
        raise ConfigError("no dates to build features for", hint="give at least one date")
    if "transactions" not in frames:
        raise ConfigError("features need transactions, and they are not there", hint="give them under the name transactions")
    tables = {name: nw.from_native(frame) for name, frame in frames.items()}
    if tables["transactions"].implementation in (nw.Implementation.PYSPARK, nw.Implementation.PYSPARK_CONNECT):
        return _spark().spark_panel(frames, scales, dates, names)
    on_duckdb = tables["transactions"].implementation is nw.Implementation.DUCKDB
    settle = _computed_by(frames["transactions"]) if on_duckdb else _as_it_is
    panel = PanelFrames({name: table.lazy() for name, table in tables.items()}, scales, recipe(names), settle)
    rows = nw.concat([settle(panel.at(as_of)) for as_of in sorted(set(dates))])
    eager = isinstance(tables["transactions"], nw.DataFrame)
    return nw.maybe_reset_index(rows.collect()).to_native() if eager else rows.to_native()


def start(engine: str, out: Path) -> None:
    """Refuse early what cannot work: ConfigError where an engine is not installed, or cannot write to such a name."""
    if engine == SPARK:
        if out.suffix != ".parquet":
            raise ConfigError(f"Spark writes a folder of Parquet files, not {out.name!r}", hint="let the name end in .parquet")
        _spark().local_session()


def write_panel_of(
    company: Company, out: Path, engine: str = OWN, *, dates: Sequence[date], names: Sequence[str], progress: Progress = Silent()
) -> int:
    """Make the panel of a company on one of ENGINES and write it to `out`; the number of its rows.

    One file (Parquet or CSV), sorted by `as_of`, `customer_id`; of Spark a folder of Parquet files, in no order.
    Raises ConfigError as `start` and `features.writing` do.
    """
    start(engine, out)
    with progress.step(f"Building features for {len(dates)} date{'s' if len(dates) > 1 else ''}"):
        if engine == OWN:
            return write_panel(panel_blocks(company, dates, names, progress), out, progress)
        with progress.step(f"Handing {len(company.tables)} tables to {engine}"):
            frames = {name: ENTRANCES[engine](frame) for name, frame in company.tables.items()}
        with progress.step(f"Running {engine}"):
            panel = build_frames(frames, company.scales, dates, names)
            return _write_on_spark(panel, out) if engine == SPARK else write_panel([to_polars(panel)], out)


def to_polars(panel: Native) -> pl.DataFrame:
    """A panel of any engine in Polars, as `build_panel` gives it: sorted by date and customer, missing is null."""
    frame = pl.DataFrame(pl.from_arrow(nw.from_native(panel).lazy().collect(nw.Implementation.PYARROW).to_arrow()))
    numbers = pl.col(pl.Float64).fill_nan(None)
    return frame.with_columns(pl.col("as_of").cast(pl.Date), numbers).sort("as_of", "customer_id")


def _write_on_spark(panel: Native, out: Path) -> int:
    from features.spark_words import in_our_words  # noqa: PLC0415  # an extra, and slow to import

    with written_folder(out) as folder, in_our_words():
        panel.write.parquet(str(folder))
    return int(pl.scan_parquet(sorted(out.glob("*.parquet")), glob=False).select(pl.len()).collect().item())


@contextmanager
def written_folder(path: Path) -> Iterator[Path]:
    """`keepwell.files.written_whole` for a folder: yield a name beside `path`, and put what was made there in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as beside:
        made = Path(beside) / "made"
        yield made
        if path.exists():
            path.rename(Path(beside) / "replaced")
        made.rename(path)


def _as_it_is(frame: Frame) -> Frame:
    return frame


def _computed_by(relation: DuckDBPyRelation) -> Callable[[Frame], Frame]:
    """What computes the rows of a frame on the connection of a relation: put off, a few dates nest deeper than DuckDB allows."""

    def computed(frame: Frame) -> Frame:
        computed_rows = frame.to_native().to_arrow_table()  # noqa: F841  # DuckDB finds it by its name
        made: Frame = nw.from_native(relation.query("relation", "SELECT * FROM computed_rows"))
        return made

    return computed


def _duckdb() -> ModuleType:
    import duckdb  # noqa: PLC0415  # a fifth of a second that only its users should pay

    return duckdb


def _spark() -> Any:  # noqa: ANN401  # a module
    """`features.spark`; ConfigError where PySpark is not installed."""
    try:
        from features import spark  # noqa: PLC0415  # an extra, and slow to import
    except ImportError as error:
        raise ConfigError(f"Spark is not installed: {error}", hint='pip install "keepwell[spark]", with Java 17') from error
    return spark
