"""A large invented company, made in seconds: the work of the benchmarks. Every table and column that features read has data.

`datasets.simulate` tells the story of each customer day by day; here only the shape counts: how many, how often, in which order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from datasets.folder import write_company
from keepwell.files import written_whole

FIRST_DAY, UNTIL = date(2024, 1, 1), date(2026, 1, 1)
DAYS = (UNTIL - FIRST_DAY).days
LAST_START = 626
"""The day until which customers go on to come; it decides how many rows the early dates have."""

CUSTOMERS_PER_TRANSACTION, LINES_PER_ORDER = 0.15, 1.5
REFUNDED, UNPAID = 0.03, 0.05
ROWS_PER_FILE = 5_000_000
"""More transactions than these are written as a folder of files, customer after customer, so that any number can be made."""

CATEGORIES = tuple(f"aisle {number:02}" for number in range(1, 13))
COMPANY_YAML = "company: benchmark\ncurrency: EUR\nstatic: [city, plan, age]\n"

Days = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]


def write_benchmark(folder: Path, transactions: int, seed: int = 0) -> None:
    """Write a company with this many transactions and 0.15 customers for each; nothing happens when the folder is there.

    The last thing written is company.yaml, so a folder that has it is whole. The same arguments give the same values.
    """
    if (folder / "company.yaml").exists():
        return
    rng = np.random.default_rng(seed)
    customers = round(transactions * CUSTOMERS_PER_TRANSACTION)
    start = rng.uniform(0, LAST_START, customers)
    lines = folder / "transactions"
    lines.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(_transactions(rng, start, transactions)):
        with written_whole(lines / f"part-{number:03}.parquet") as temporary:
            part.write_parquet(temporary)
    tables = {
        "customers": _customers(rng, start),
        "complaints": _complaints(rng, start, transactions // 20),
        "payments": _payments(rng, start, transactions // 20),
        "surveys": _surveys(rng, start, transactions // 40),
        "contacts": _contacts(rng, start, transactions * 3 // 40),
    }
    write_company(folder, COMPANY_YAML, tables)


def write_csv(folder: Path, transactions: int, seed: int = 0) -> None:
    """Write the transactions of such a company alone, as one CSV file; nothing happens when it is there."""
    if (folder / "transactions.csv").exists():
        return
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, LAST_START, round(transactions * CUSTOMERS_PER_TRANSACTION))
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / "transactions.csv") as temporary:
        pl.concat(_transactions(rng, start, transactions)).write_csv(temporary)


def _transactions(rng: np.random.Generator, start: Days, rows: int) -> Iterator[pl.DataFrame]:
    """The order lines, sorted by time as a log is; in several parts each has customers of its own."""
    parts = -(-rows // ROWS_PER_FILE)
    for customers in np.array_split(np.arange(len(start)), parts):
        yield _order_lines(rng, customers, start, round(rows * len(customers) / len(start)))


def _order_lines(rng: np.random.Generator, customers: Places, start: Days, rows: int) -> pl.DataFrame:
    """`rows` lines of orders of these customers, at least one each: a few buy much, and each fades at a time of their own."""
    orders = max(len(customers), round(rows / LINES_PER_ORDER))
    eagerness = np.cumsum(rng.gamma(0.7, size=len(customers)))
    more = np.searchsorted(eagerness, rng.uniform(0, eagerness[-1], orders - len(customers)))
    buyer = customers[np.concatenate([np.arange(len(customers)), more])]
    fade = rng.uniform(0.2, 1.0, len(start))
    share = np.concatenate([np.zeros(len(customers)), rng.random(orders - len(customers))])
    ordered = start[buyer] + share * fade[buyer] * (DAYS - start[buyer])
    order = np.concatenate([np.arange(orders), rng.integers(orders, size=rows - orders)])
    order = order[np.argsort(ordered[order], kind="stable")]
    paid = np.maximum(rng.lognormal(2.5, 0.8, rows), 0.01).round(2)
    refunded = (rng.random(rows) < REFUNDED) & (share[order] > 0)
    delivery = np.ceil(ordered + rng.gamma(2.0, 1.5, orders))[order]
    product = (rng.random(rows) ** 2 * 5_000).astype(np.int64)
    return pl.DataFrame(
        {
            "customer_id": buyer[order] + 1,
            "ordered_at": _instants(ordered[order]),
            "amount": np.where(refunded, -paid, paid),
            "order_id": customers[0] * 100 + order,
            "quantity": rng.integers(1, 5, rows),
            "product_id": product,
            "category": _words(CATEGORIES, product % len(CATEGORIES)),
            "brand": _words(tuple(f"brand {number:02}" for number in range(40)), product % 40),
            "list_amount": (paid * np.where(rng.random(rows) < 0.3, 1.2, 1.0)).round(2),
            "cost": (paid * 0.6).round(2),
            "channel": _words(("web", "app", "shop"), rng.integers(3, size=rows)),
            "promised_at": _instants(np.floor(ordered[order]) + 4),
            "delivered_at": _instants(delivery),
        }
    )


def _customers(rng: np.random.Generator, start: Days) -> pl.DataFrame:
    n = len(start)
    return pl.DataFrame(
        {
            "customer_id": np.arange(n) + 1,
            "joined_at": _instants(np.floor(start - rng.integers(0, 60, n))),
            "wallet": rng.lognormal(6.0, 0.7, n).round(2),
            "consent": rng.random(n) < 0.8,
            "city": _words(("Aachen", "Basel", "Calais", "Delft"), rng.integers(4, size=n)),
            "plan": _words(("basic", "plus", "family"), rng.integers(3, size=n)),
            "age": rng.integers(18, 90, n),
        }
    )


def _complaints(rng: np.random.Generator, start: Days, rows: int) -> pl.DataFrame:
    customer, opened = _moments(rng, start, rows)
    answered, closed = opened + rng.exponential(1.0, rows), opened + rng.exponential(6.0, rows)
    return pl.DataFrame(
        {
            "customer_id": customer + 1,
            "opened_at": _instants(opened),
            "first_response_at": _instants(answered),
            "closed_at": _instants(closed),
            "kind": _words(("complaint", "enquiry"), rng.integers(2, size=rows)),
            "category": _words(("damaged", "late", "billing"), rng.integers(3, size=rows)),
            "severity": rng.integers(1, 6, rows),
            "satisfaction": np.where(closed < DAYS, rng.integers(1, 6, rows), np.nan),
        }
    )


def _payments(rng: np.random.Generator, start: Days, rows: int) -> pl.DataFrame:
    customer, bought = _moments(rng, start, rows)
    due = np.floor(bought) + 30
    paid = np.where(rng.random(rows) < UNPAID, np.inf, due + rng.normal(-2.0, 8.0, rows))
    return pl.DataFrame(
        {
            "customer_id": customer + 1,
            "due_at": FIRST_DAY_64 + due.astype("timedelta64[D]"),
            "amount": rng.lognormal(3.0, 0.8, rows).round(2),
            "paid_at": _instants(paid),
        }
    )


def _surveys(rng: np.random.Generator, start: Days, rows: int) -> pl.DataFrame:
    customer, answered = _moments(rng, start, rows)
    questions = ("satisfaction", "expectation", "quality", "perceived_value", "loyalty")
    answers = {name: rng.integers(1, 11, rows) for name in questions}
    recommend = {"recommend": rng.integers(0, 11, rows)}
    return pl.DataFrame({"customer_id": customer + 1, "answered_at": _instants(answered), **answers, **recommend})


def _contacts(rng: np.random.Generator, start: Days, rows: int) -> pl.DataFrame:
    customer, contacted = _moments(rng, start, rows)
    return pl.DataFrame(
        {
            "customer_id": customer + 1,
            "contacted_at": _instants(contacted),
            "action": _words(("call", "letter", "voucher"), rng.integers(3, size=rows)),
            "arm": _words(("treated", "control"), (rng.random(rows) < 0.1).astype(np.int64)),
            "accepted": rng.random(rows) < 0.2,
            "converted": rng.random(rows) < 0.1,
        }
    )


FIRST_DAY_64 = np.datetime64(FIRST_DAY)


def _moments(rng: np.random.Generator, start: Days, rows: int) -> tuple[Places, Days]:
    """Random customers, each at a random time since they came; sorted by time."""
    customer = rng.integers(len(start), size=rows)
    day = start[customer] + rng.random(rows) * (DAYS - start[customer])
    order = np.argsort(day, kind="stable")
    return customer[order], day[order]


def _instants(days: Days) -> npt.NDArray[np.datetime64]:
    """Days since FIRST_DAY as instants to the second; what lies past the last day has not happened yet."""
    instants = FIRST_DAY_64 + (np.minimum(days, DAYS) * 86_400).astype("timedelta64[s]")
    return np.where(days < DAYS, instants, np.datetime64("NaT")).astype("datetime64[us]")


def _words(words: tuple[str, ...], places: Places) -> pl.Series:
    return pl.Series(words)[places]
