"""The files that the how-to pages begin with, small: what a reader of each page has at hand."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

import polars as pl
from sqlalchemy import create_engine, text

from datasets.simulate import simulate

UNTIL = date(2026, 1, 1)


def sales_with_clear_names(path: Path) -> None:
    """The file of the quickstart for data scientists: an export in English, with names of its own."""
    header = ("Client No", "Ordered", "Line total", "Doc", "Pcs", "Dept")
    days = [UNTIL - timedelta(days=number) for number in range(1, 400)]
    path.parent.mkdir()
    write_csv(path, header, [(f"C{n % 37}", day, 5 + n % 11, f"D{n}", 1 + n % 3, "tea") for n, day in enumerate(days)])


def chinese_export(path: Path) -> None:
    """The file of the Chinese quickstart: GB 18030, positive refunds, guests without a number."""
    header = ("订单号", "会员号", "下单时间", "实付金额", "数量", "品类", "类型")
    rows = []
    for number in range(400):
        day, member = UNTIL - timedelta(days=1 + number), f"会员{number % 37:03d}" if number % 11 else ""
        rows.append((f"D{number}", member, f"{day} 10:30", 5 + number % 9, 1, "茶叶", "退货" if number % 17 == 0 else "销售"))
    path.parent.mkdir()
    write_csv(path, header, rows, encoding="gb18030")


def purchases(path: Path) -> None:
    """A log of purchases as libraries for buy-till-you-die models take it, of two customers."""
    rows = [
        ("a", "2025-03-01", 10),
        ("a", "2025-03-11", 20),
        ("a", "2025-03-11", 5),
        ("a", "2025-12-20", 25),
        ("b", "2025-12-01", 5),
    ]
    write_csv(path, ("customer_id", "ordered_at", "amount"), rows)


def monthly_sheet(path: Path) -> None:
    """A spreadsheet with a row a customer and a column a month, of two years; empty where nothing was sold."""
    months = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]
    rows = [(f"{number:03d}", *(number + 0.5 if (number + place) % 3 else "" for place in range(24))) for number in range(60)]
    write_csv(path, ("Customer", *months), rows)


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


def invoices_and_traders(folder: Path, customers: int = 3000) -> None:
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


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], encoding: str = "utf-8") -> None:
    """Write `rows` below `header`."""
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
