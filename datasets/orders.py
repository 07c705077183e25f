"""What is on the order lines of a simulated shop: products, quantities, prices, discounts, deliveries, refunds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from datasets.population import Floats, Ints, Population, Texts
from datasets.shop import Log

CATEGORIES = ("tea", "coffee", "cups", "sweets", "spices", "kitchen", "gifts", "books")
PRODUCTS_PER_CATEGORY = 12
BRANDS = ("Plain", "Heron", "Lumen", "Old Mill")
USUAL_PRICE = (9.0, 11.0, 14.0, 6.0, 5.0, 28.0, 22.0, 17.0)
NEXT_CATEGORY_ODDS = (
    # Who has bought of the row's category comes to the column's next; a tea drinker looks for cups.
    (0, 2, 9, 4, 2, 1, 1, 1),
    (3, 0, 6, 6, 1, 2, 1, 1),
    (4, 3, 0, 2, 1, 5, 3, 1),
    (2, 3, 1, 0, 4, 1, 6, 1),
    (2, 1, 1, 2, 0, 9, 1, 3),
    (1, 1, 3, 1, 5, 0, 2, 4),
    (1, 1, 2, 5, 1, 1, 0, 6),
    (4, 4, 1, 1, 1, 1, 3, 0),
)


@dataclass(frozen=True)
class Products:
    """The range: category, brand and list price of each product, by position."""

    ids: Texts
    category: Ints
    brand: Texts
    price: Floats


def make_products(rng: np.random.Generator) -> Products:
    """Twelve products in each category, priced around the usual price."""
    category = np.repeat(np.arange(len(CATEGORIES)), PRODUCTS_PER_CATEGORY)
    n = category.size
    return Products(
        ids=np.array([f"P{number:03d}" for number in range(1, n + 1)]),
        category=category,
        brand=rng.choice(BRANDS, n),
        price=np.round(np.array(USUAL_PRICE)[category] * rng.lognormal(0, 0.4, n), 1) - 0.01,
    )


def category_paths(rng: np.random.Generator, customers: int) -> Ints:
    """The order in which each customer comes to the categories, shape (customers, categories): each row a permutation.

    A Markov chain without return: the odds of the next category depend on the one before (`NEXT_CATEGORY_ODDS`).
    """
    k = len(CATEGORIES)
    log_odds = np.log(np.maximum(np.array(NEXT_CATEGORY_ODDS, dtype=float), 1e-9))
    everyone = np.arange(customers)
    path = np.empty((customers, k), dtype=np.int64)
    path[:, 0] = rng.choice(k, customers, p=(0.3, 0.25, 0.08, 0.12, 0.08, 0.07, 0.05, 0.05))
    met = np.zeros((customers, k), dtype=bool)
    met[everyone, path[:, 0]] = True
    for step in range(1, k):
        # The largest log odds plus Gumbel noise is a draw by the odds.
        noisy = np.where(met, -np.inf, log_odds[path[:, step - 1]] + rng.gumbel(size=(customers, k)))
        path[:, step] = noisy.argmax(axis=1)
        met[everyone, path[:, step]] = True
    return path


def order_lines(rng: np.random.Generator, people: Population, log: Log, days: int, start: np.datetime64) -> pl.DataFrame:
    """The `transactions` table: one row per order line and per refund, by time."""
    by_customer = np.lexsort((log.order_day, log.order_customer))
    customer, day, late = log.order_customer[by_customer], log.order_day[by_customer], log.order_late[by_customer]
    order = np.repeat(np.arange(customer.size), 1 + rng.poisson(0.9, customer.size))
    products = make_products(rng)
    product = _chosen_products(rng, len(people), customer, order)
    buyer = customer[order]
    offered = rng.random(order.size) < np.where(people.deal_seeker[buyer], 0.65, 0.1)
    discount = np.where(offered, rng.choice((0.1, 0.2, 0.3), order.size), 0.0)
    quantity = 1 + rng.poisson(people.basket[buyer] - people.basket[buyer].clip(max=1) + 0.2)
    list_amount = np.round(products.price[product] * quantity, 2)
    moment = np.floor((day + rng.beta(3, 2, customer.size)) * 86400)
    promised = day + rng.integers(2, 5, customer.size)
    delivered = promised + np.where(late, rng.integers(1, 9, customer.size), -rng.integers(0, 2, customer.size))
    lines = pl.DataFrame(
        {
            "customer_id": people.ids[buyer],
            "second": moment[order].astype(np.int64),
            "amount": np.round(list_amount * (1 - discount), 2),
            "order_number": order,
            "quantity": quantity,
            "product_id": products.ids[product],
            "category": np.array(CATEGORIES)[products.category[product]],
            "brand": products.brand[product],
            "list_amount": list_amount,
            "channel": np.where(people.trader, "sales", "web")[buyer],
            "promised_day": promised[order],
            "delivered_day": delivered[order],
        }
    ).unique(["order_number", "product_id"], keep="first", maintain_order=True)
    return _finished(pl.concat([lines, _refunds(rng, lines)], how="diagonal"), days, start)


def _chosen_products(rng: np.random.Generator, customers: int, customer: Ints, order: Ints) -> Ints:
    """A product for each line: of one of the categories that the customer has come to by this order, mostly of the first ones."""
    path = category_paths(rng, customers)
    first_order = np.searchsorted(customer, customer)
    earlier_orders = (np.arange(customer.size) - first_order)[order]
    curiosity = rng.beta(1.2, 6.0, customers)[customer[order]]
    reached = np.minimum(np.floor(earlier_orders * curiosity), len(CATEGORIES) - 1)
    step = np.floor((reached + 1) * rng.random(order.size) ** 1.5).astype(np.int64)
    favourite = np.floor(PRODUCTS_PER_CATEGORY * rng.random(order.size) ** 1.7).astype(np.int64)
    return path[customer[order], step] * PRODUCTS_PER_CATEGORY + favourite


def _refunds(rng: np.random.Generator, lines: pl.DataFrame) -> pl.DataFrame:
    """Three lines in a hundred are sent back and refunded 5 to 25 days later, as a row of its own with a negative amount."""
    back = lines.filter(pl.Series(rng.random(lines.height) < 0.03))
    wait = pl.Series(rng.integers(5 * 86400, 25 * 86400, back.height))
    return back.select(
        "customer_id",
        "product_id",
        "category",
        "brand",
        "channel",
        amount=-pl.col("amount"),
        second=pl.col("second") + wait,
    )


def _finished(lines: pl.DataFrame, days: int, start: np.datetime64) -> pl.DataFrame:
    """Real times and ids; only what happened before the end, deliveries of the future still missing."""
    midnight = pl.lit(start.astype("datetime64[us]").item())
    arrived = pl.when(pl.col("delivered_day") < days).then(pl.col("delivered_day"))
    return (
        lines.filter(pl.col("second") < days * 86400)
        .sort("second", "order_number", "product_id", nulls_last=True, maintain_order=True)
        .select(
            "customer_id",
            (midnight + pl.duration(seconds="second")).alias("ordered_at"),
            "amount",
            pl.format("O{}", pl.col("order_number") + 1).alias("order_id"),
            "quantity",
            "product_id",
            "category",
            "brand",
            "list_amount",
            "channel",
            (midnight + pl.duration(days="promised_day")).cast(pl.Date).alias("promised_at"),
            (midnight + pl.duration(days=arrived)).cast(pl.Date).alias("delivered_at"),
        )
    )
