"""The reader of Ta-Feng: four months of a grocer in Taiwan, as the file of all months that is handed around."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from datasets.folder import Imported, write_company
from keepwell.errors import DataError

TA_FENG_YAML = """\
# Ta-Feng: purchases at a grocer in Taiwan, November 2000 to February 2001.
company: ta-feng
zone: Asia/Taipei
currency: TWD
static: [age_group, area]
"""
FIELDS = {
    "TRANSACTION_DT": "ordered_at",
    "CUSTOMER_ID": "customer_id",
    "AGE_GROUP": "age_group",
    "PIN_CODE": "area",
    "PRODUCT_SUBCLASS": "category",
    "PRODUCT_ID": "product_id",
    "AMOUNT": "quantity",
    "ASSET": "cost",
    "SALES_PRICE": "amount",
}
"""What the file calls its columns, and what we call them."""

UNKNOWN = "Unknown"


def ta_feng(path: Path, folder: Path) -> Imported:
    """Write the CSV at `path` to `folder`: a line is a product on a day, and a customer's lines of one day are one order.

    Amount and cost are of the line. A customer's age group and area are those of the first line; where it says Unknown, they are
    missing. Ids keep their leading zeros. Raises DataError for a file of another form.
    """
    lines = _lines(path)
    day = pl.col("ordered_at").str.to_date("%m/%d/%Y", strict=False)
    numbers = pl.col("quantity", "cost", "amount").cast(pl.Float64, strict=False)
    typed = lines.with_columns(day, numbers).with_row_index("line")
    wrong = typed.filter(pl.any_horizontal(pl.col("ordered_at", "customer_id", "amount").is_null()))
    if wrong.height or typed.is_empty():
        example = lines.row(wrong["line"][0]) if wrong.height else None
        told = "a line must have a date as 11/30/2000, a customer and a price"
        raise DataError("transactions", None, told, hint=_is_it(path), rows=wrong.height, example=example)
    transactions = typed.select(
        "customer_id",
        "ordered_at",
        "amount",
        pl.format("{}-{}", "ordered_at", "customer_id").alias("order_id"),
        "quantity",
        "product_id",
        "category",
        "cost",
    )
    customers = typed.group_by("customer_id", maintain_order=True).agg(pl.col("age_group", "area").first().replace(UNKNOWN, None))
    write_company(folder, TA_FENG_YAML, {"transactions": transactions, "customers": customers})
    free = transactions.filter(pl.col("amount") == 0).height
    return Imported(transactions.height, customers.height, {"lines are worth 0: kept, and no purchases": free})


def _lines(path: Path) -> pl.DataFrame:
    """The file's columns under our names, all as text."""
    try:
        read = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        raise DataError("transactions", None, f"{path.name} is no table of comma-separated values", hint=_is_it(path)) from error
    missing = [name for name in FIELDS if name not in read.columns]
    if missing:
        raise DataError("transactions", missing[0], "is missing in the file", hint=_is_it(path))
    return read.select(pl.col(theirs).str.strip_chars().alias(ours) for theirs, ours in FIELDS.items())


def _is_it(path: Path) -> str:
    return f"is {path} the Ta-Feng file of all months (ta_feng_all_months_merged.csv)?"
