"""What a customer's lifetime value is made of, as the tables tell it: first purchase, prices, categories, costs, referrals."""

from __future__ import annotations

import polars as pl

from features.asof import day_number
from features.company import Company
from keepwell.errors import DataError

YEAR_DAYS = 365


def purchases(company: Company, scores: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """The scored customers' purchases known at the date of the scores: customer_id, ordered_day, amount, spend, and `columns`.

    Lines where one of `columns` is missing are left out. DataError where there is no such column.
    """
    table = company.tables["transactions"]
    for name in columns:
        if name not in table.columns:
            raise DataError(
                "transactions", name, "is missing, and the report asks for it", hint="bring the column, or leave it out"
            )
    rows = company.known_rows("transactions", day_number(scores["as_of"][0]), "customer_id", "ordered_day", "amount", *columns)
    ids = scores["customer_id"].cast(rows.schema["customer_id"], strict=False)
    rows = rows.filter(
        pl.col("amount") > 0, pl.col("customer_id").is_in(ids.implode()), *(pl.col(name).is_not_null() for name in columns)
    )
    return rows.with_columns(spend=pl.col("amount") / 10 ** company.scales["transactions.amount"])


def lifetime_facts(scores: pl.DataFrame, company: Company) -> pl.DataFrame:
    """What the tables say of each scored customer, in the order of the scores.

    first_day, first_price, net_spend, paid, listed, cross_share, referrals (a year), and, as the tables allow, acquisition_cost,
    service_cost, was_referred. Amounts are in currency units. Without anything to tell them by, the shares and referrals are 0.
    """
    if "transactions" not in company.tables:
        raise DataError(
            "transactions", None, "there is no such table", hint="leave --data out: scores alone have lifetime values"
        )
    day = day_number(scores["as_of"][0])
    ids = scores["customer_id"].cast(company.tables["transactions"].schema["customer_id"], strict=False)
    facts = pl.DataFrame({"customer_id": ids})
    for more in (
        _of_purchases(company, scores),
        _of_prices(company, scores),
        _of_categories(company, scores, day),
        _of_people(company, day),
    ):
        if more is not None:
            facts = facts.join(more, on="customer_id", how="left", maintain_order="left")
    _require_known(scores, facts, company)
    zero = [pl.lit(0.0).alias(name) for name in ("paid", "listed", "cross_share", "referrals") if name not in facts.columns]
    facts = facts.with_columns(zero).with_columns(
        pl.col("paid", "listed", "cross_share", "referrals", "net_spend").fill_null(0.0)
    )
    tenure = pl.max_horizontal((day - pl.col("first_day")) / YEAR_DAYS, 1.0)
    return facts.with_columns(referrals=pl.col("referrals") / tenure)


def _require_known(scores: pl.DataFrame, facts: pl.DataFrame, company: Company) -> None:
    """Raise DataError where a scored customer has bought nothing here before the date of the scores."""
    strangers = scores["customer_id"].filter(facts["first_day"].is_null())
    if len(strangers):
        rule = f"is no customer of {company.key} as of {scores['as_of'][0]}"
        hint = "name the data that the scores were made from in --data, or score again"
        raise DataError("scores", "customer_id", rule, hint=hint, rows=len(strangers), example=strangers[0])


def _of_purchases(company: Company, scores: pl.DataFrame) -> pl.DataFrame:
    """first_day, first_price (all bought on it) and net_spend (refunds subtracted)."""
    bought = purchases(company, scores)
    first = bought.group_by("customer_id").agg(first_day=pl.col("ordered_day").min())
    opening = bought.join(first, on="customer_id").filter(pl.col("ordered_day") == pl.col("first_day"))
    rows = company.known_rows("transactions", day_number(scores["as_of"][0]), "customer_id", "amount")
    net = rows.group_by("customer_id").agg(net_spend=pl.col("amount").sum() / 10 ** company.scales["transactions.amount"])
    prices = opening.group_by("customer_id").agg(first_price=pl.col("spend").sum())
    return first.join(prices, on="customer_id").join(net, on="customer_id")


def _of_prices(company: Company, scores: pl.DataFrame) -> pl.DataFrame | None:
    """What was paid and listed: sums over the lines that have a list price."""
    if "list_amount" not in company.tables["transactions"].columns:
        return None
    rows = purchases(company, scores, "list_amount").filter(pl.col("list_amount") > 0)
    listed = pl.col("list_amount").sum() / 10 ** company.scales["transactions.list_amount"]
    return rows.group_by("customer_id").agg(paid=pl.col("spend").sum(), listed=listed)


def _of_categories(company: Company, scores: pl.DataFrame, day: int) -> pl.DataFrame | None:
    """cross_share: how much of the last year's spend is for categories that were not among those of the first day."""
    if "category" not in company.tables["transactions"].columns:
        return None
    rows = purchases(company, scores, "category")
    started = rows.group_by("customer_id", "category").agg(started=pl.col("ordered_day").min())
    rows = rows.join(started, on=["customer_id", "category"])
    is_new = pl.col("started") > pl.col("ordered_day").min().over("customer_id")
    rows = rows.with_columns(is_new=is_new).filter(pl.col("ordered_day") >= day - YEAR_DAYS)
    share = (pl.col("spend") * pl.col("is_new")).sum() / pl.col("spend").sum()
    return rows.group_by("customer_id").agg(cross_share=share)


def _of_people(company: Company, day: int) -> pl.DataFrame | None:
    """acquisition_cost and service_cost where they are columns of customers; referrals: how many customers name this one."""
    if "customers" not in company.tables:
        return None
    people = company.known_rows("customers", day)
    costs = [name for name in ("acquisition_cost", "service_cost") if name in people.columns]
    facts = people.select("customer_id", *(pl.col(name) / 10 ** company.scales[f"customers.{name}"] for name in costs))
    if "referred_by" not in people.columns:
        return facts
    won = people.filter(pl.col("referred_by").is_not_null()).group_by("referred_by").agg(referrals=pl.len().cast(pl.Float64))
    won = won.select(pl.col("referred_by").cast(facts.schema["customer_id"], strict=False).alias("customer_id"), "referrals")
    referred = people.select("customer_id", was_referred=pl.col("referred_by").is_not_null())
    return facts.join(won, on="customer_id", how="left").join(referred, on="customer_id", how="left")
