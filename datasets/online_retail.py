"""Reader of Online Retail II (UCI 502): two years of a British shop for gifts, as its workbook or as one CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import polars as pl
from fastexcel import FastExcelError

from datasets.folder import Imported, write_company
from keepwell.errors import DataError

RETAIL_YAML = """\
# Online Retail II (UCI Machine Learning Repository 502, CC BY 4.0): orders of a British shop for gifts, 2009 to 2011.
company: online-retail-2
zone: Europe/London
currency: GBP
static: [country]
"""
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "order_id": ("Invoice", "InvoiceNo"),
    "product_id": ("StockCode",),
    "quantity": ("Quantity",),
    "ordered_at": ("InvoiceDate",),
    "price": ("Price", "UnitPrice"),
    "customer_id": ("Customer ID", "CustomerID"),
    "country": ("Country",),
}
"""Our names and those of the published files: the second edition of the data, and the first."""

TIME_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M")
"""How copies of the data as CSV write times: the first that reads all is taken."""

CANCELLED = "C"
A_WEEK = timedelta(days=7)
"""Within a sheet times rise; where a CSV file steps back by more than a week, the second sheet begins."""


def online_retail(path: Path, folder: Path) -> Imported:
    """Write the lines of the workbook (.xlsx) or CSV file at `path` to `folder`, with each customer's country.

    The amount of a line is quantity times price; an invoice that begins with C was cancelled, and its amounts are negative. Lines
    without a customer are left out. The sheets overlap in December 2010: an invoice counts in the sheet that comes first.
    A customer's country is that of their first line. Raises DataError for a file of another form.
    """
    lines = _lines(path)
    first_sheet = pl.col("sheet") == pl.col("sheet").min().over("order_id")
    named = pl.col("customer_id").is_not_null()
    kept = lines.filter(first_sheet & named)
    if kept.is_empty():
        raise DataError("transactions", "Customer ID", "is empty in every line", hint=f"is {path} the whole published file?")
    countries = (
        kept.sort("ordered_at", maintain_order=True)
        .group_by("customer_id")
        .agg(pl.col("country").first(), moved=pl.col("country").n_unique() > 1)
    )
    customers = countries.select("customer_id", "country").sort("customer_id")
    transactions = kept.select("customer_id", "ordered_at", _amount(), "order_id", "quantity", "product_id")
    write_company(folder, RETAIL_YAML, {"transactions": transactions, "customers": customers})
    return Imported(
        transactions.height,
        customers.height,
        {
            "lines without a customer were left out": lines.filter(first_sheet & ~named).height,
            "lines of a second sheet were left out: the sheet before has their invoices": lines.filter(~first_sheet).height,
            "lines belong to cancelled invoices: negative amounts": kept.filter(_is_cancelled()).height,
            "lines are worth 0: kept, and no purchases": transactions.filter(pl.col("amount") == 0).height,
            "customers with several countries have that of their first line": int(countries["moved"].sum()),
        },
    )


def _is_cancelled() -> pl.Expr:
    return pl.col("order_id").str.to_uppercase().str.starts_with(CANCELLED)


def _amount() -> pl.Expr:
    worth = (pl.col("quantity") * pl.col("price")).round(3)  # prices have up to three decimals; a product has float noise
    return pl.when(_is_cancelled()).then(-worth.abs()).otherwise(worth).alias("amount")


def _lines(path: Path) -> pl.DataFrame:
    """All lines under our names and in our types, in the order of the file, with the number of their sheet."""
    try:
        if path.suffix == ".csv":  # only descriptions, which are not read, hold other letters than those of UTF-8
            line = _typed(path, pl.read_csv(path, infer_schema=False, encoding="utf8-lossy", glob=False))
            return line.with_columns(sheet=(pl.int_range(pl.len()) >= _second_sheet(line["ordered_at"])).cast(pl.Int32))
        sheets = pl.read_excel(path, sheet_id=0, infer_schema_length=None)
    except (pl.exceptions.PolarsError, FastExcelError, OSError, ValueError) as error:
        reason = " ".join(str(error).split("\n")[0].split())[:200]
        hint = f"give online_retail_II.xlsx as published, or a .csv file of its columns: is {path} one?"
        raise DataError("transactions", None, f"cannot be read: {reason}", hint=hint) from error
    return pl.concat(_typed(path, sheet).with_columns(sheet=pl.lit(n, dtype=pl.Int32)) for n, sheet in enumerate(sheets.values()))


def _second_sheet(times: pl.Series) -> int:
    """The row where the second sheet begins in a file that holds both, one after the other; else the number of rows."""
    steps = times.diff()
    back = steps.min()
    return int(steps.arg_min() or 0) if isinstance(back, timedelta) and back < -A_WEEK else len(times)


def _typed(path: Path, raw: pl.DataFrame) -> pl.DataFrame:
    found = {ours: next((name for name in names if name in raw.columns), None) for ours, names in COLUMNS.items()}
    absent = [COLUMNS[ours][0] for ours, name in found.items() if name is None]
    if absent:
        hint = f"is {path} Online Retail II? Its columns are {', '.join(names[0] for names in COLUMNS.values())}"
        raise DataError("transactions", absent[0], "is missing", hint=hint)
    columns = {ours: raw[str(name)] for ours, name in found.items()}
    numbers = {ours: _complete(columns[ours], columns[ours].cast(pl.Float64, strict=False)) for ours in ("quantity", "price")}
    texts = {ours: _code(columns[ours]) for ours in ("order_id", "product_id", "customer_id", "country")}
    times = _complete(columns["ordered_at"], _times(columns["ordered_at"]))
    return pl.DataFrame({"ordered_at": times, **numbers, **texts})


def _code(raw: pl.Series) -> pl.Series:
    """Codes as text: workbooks hold them as numbers, and 13085 may arrive as 13085.0."""
    return raw.cast(pl.String).str.strip_chars().str.replace(r"^(\d+)\.0$", "$1").replace("", None)


def _times(raw: pl.Series) -> pl.Series:
    if raw.dtype != pl.String:
        return raw.cast(pl.Datetime("us"), strict=False)
    readings = (raw.str.to_datetime(time_format, time_unit="us", strict=False) for time_format in TIME_FORMATS)
    return min(readings, key=pl.Series.null_count)


def _complete(raw: pl.Series, read: pl.Series) -> pl.Series:
    """`read`; DataError when something of `raw` could not be, or is empty."""
    if read.null_count():
        wrong = raw.filter(read.is_null())
        hint = "give the file as it was published"
        rule = "must be a time" if read.dtype.is_temporal() else "must be a number"
        raise DataError("transactions", raw.name, rule, hint=hint, rows=len(wrong), example=wrong[0])
    return read
