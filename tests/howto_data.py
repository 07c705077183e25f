"""The files that the how-to pages begin with, small: what a reader of each page has at hand."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from random import Random

import polars as pl
from sqlalchemy import create_engine, text

from datasets.simulate import simulate

UNTIL = date(2026, 1, 1)


def shop_export(folder: Path, customers: int = 400) -> None:
    """`sales.csv` as a German shop exports it: semicolons, decimal commas, refunds told by a column, windows-1252."""
    simulate(folder / "practice", customers=customers, months=18, seed=11, until=UNTIL)
    sales = pl.read_parquet(folder / "practice" / "transactions.parquet")
    rows = sales.select(
        Auftragsnr="order_id",
        Kundennr="customer_id",
        Bestelldatum=pl.col("ordered_at").dt.strftime("%d.%m.%Y %H:%M"),
        Warengruppe="category",
        Menge="quantity",
        Betrag=pl.col("amount").abs().map_elements(german, return_dtype=pl.String),
        Belegart=pl.when(pl.col("amount") < 0).then(pl.lit("Gutschrift")).otherwise(pl.lit("Rechnung")),
    )
    (folder / "sales.csv").write_bytes(rows.write_csv(separator=";").encode("windows-1252"))


def german(amount: float) -> str:
    """
    >>> german(1234.5)
    '1.234,50'
    """
    return f"{amount:,.2f}".translate(str.maketrans(",.", ".,"))


def telco_table(folder: Path, customers: int = 600) -> None:
    """`my-telco/telco.csv`: a row a customer; who pays by the month and came lately leaves most often."""
    draw = Random(1)
    rows = []
    for number in range(customers):
        tenure, monthly = draw.randint(0, 72), round(draw.uniform(18, 118), 2)
        contract, leaves = draw.choice([("Month-to-month", 0.6), ("Month-to-month", 0.6), ("One year", 0.15), ("Two year", 0.05)])
        payment, gender = draw.choice(["Electronic check", "Mailed check", "Bank transfer"]), draw.choice(["Female", "Male"])
        left = draw.random() < leaves * (1.3 - tenure / 72)
        total = round(tenure * monthly, 2) if tenure else ""
        rows.append((f"{number:04d}-KWL", gender, tenure, contract, payment, monthly, total, "Yes" if left else "No"))
    header = ("customerID", "gender", "tenure", "Contract", "PaymentMethod", "MonthlyCharges", "TotalCharges", "Churn")
    (folder / "my-telco").mkdir()
    write_csv(folder / "my-telco" / "telco.csv", header, rows)


def wholesale_exports(folder: Path, customers: int = 3000) -> None:
    """`my-wholesale/invoices.csv` with a row an invoice, `traders.csv` with a row a trader."""
    simulate(folder / "practice", customers=customers, months=18, seed=3, until=UNTIL)
    traders = pl.read_parquet(folder / "practice" / "customers.parquet").filter(pl.col("kind") == "trader")
    orders = pl.read_parquet(folder / "practice" / "transactions.parquet").join(traders, on="customer_id", how="semi")
    invoices = (
        orders.filter(pl.col("amount") > 0)
        .group_by("order_id", "customer_id", pl.col("ordered_at").dt.date().alias("day"), maintain_order=True)
        .agg(pl.col("amount").sum().round(2))
        .with_columns(due=pl.col("day") + pl.duration(days=30), delay=pl.col("customer_id").str.slice(1).cast(pl.Int64) % 40)
        .with_columns(paid=pl.col("day") + pl.duration(days=10 + pl.col("delay")))
        .with_columns(paid=pl.when(pl.col("paid") < UNTIL).then("paid"))
    )
    (folder / "my-wholesale").mkdir()
    invoices.select(
        InvoiceNo="order_id", Account="customer_id", InvoiceDate="day", DueDate="due", Net="amount", PaidOn="paid"
    ).write_csv(folder / "my-wholesale" / "invoices.csv")
    traders.select(
        Account="customer_id", Firm="name", Group="account_id", Rep="owner", Since="joined_at", YearlyDemand="wallet"
    ).write_csv(folder / "my-wholesale" / "traders.csv")


def postgres_shop(url: str, folder: Path, customers: int = 300) -> None:
    """The tables `orders`, `order_lines` and `tickets` of the page, in the database at `url`."""
    simulate(folder / "practice", customers=customers, months=14, seed=2, until=UNTIL)
    sales = pl.read_parquet(folder / "practice" / "transactions.parquet").filter(pl.col("amount") > 0)
    tickets = pl.read_parquet(folder / "practice" / "complaints.parquet")
    orders = sales.group_by("order_id", maintain_order=True).agg(pl.col("customer_id", "ordered_at").first())
    engine = create_engine(url)
    with engine.begin() as database:
        database.execute(text("CREATE TABLE orders (order_no text, customer_no text, placed_at timestamptz, status text)"))
        database.execute(
            text("CREATE TABLE order_lines (order_no text, product_no text, product_group text, pieces int, net numeric)")
        )
        database.execute(
            text("CREATE TABLE tickets (customer_no text, opened timestamp, answered timestamp, closed timestamp, severity int)")
        )
        fill = text("INSERT INTO orders VALUES (:order_id, :customer_id, :ordered_at, 'shipped')")
        database.execute(fill, orders.to_dicts())
        fill = text("INSERT INTO order_lines VALUES (:order_id, :product_id, :category, :quantity, :amount)")
        database.execute(fill, sales.select("order_id", "product_id", "category", "quantity", "amount").to_dicts())
        fill = text("INSERT INTO tickets VALUES (:customer_id, :opened_at, :first_response_at, :closed_at, :severity)")
        database.execute(
            fill, tickets.select("customer_id", "opened_at", "first_response_at", "closed_at", "severity").to_dicts()
        )
    engine.dispose()


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write `rows` below `header`."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
