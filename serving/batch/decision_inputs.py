"""What decisions and plans read beside predictions and features: facts from the company's tables, known before `as_of`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from decisions.decide import PREVIOUS
from decisions.plans.actions import days_since_actions, days_to_birthday, recent_contacts
from decisions.policy import Policy
from decisions.schemes.next_category import next_categories
from features.asof import day_number
from features.company import Company

Arrays: TypeAlias = dict[str, npt.NDArray[Any]]
PLACE = "customer_place"
PATHS = {"categories": pl.List(pl.String), "category_days": pl.List(pl.Int32)}
NO_ALTERNATIVE = "no_alternative"
"""An attribute of customers, 1 or 0: they have no other supplier."""


def decision_inputs(company: Company, customer_ids: pl.Series, as_of: date, policy: Policy) -> Arrays:
    """Columns for `decisions.decide` and `decisions.plans.plan`, one entry per customer of `customer_ids`, as the tables allow.

    From customers: wallet and service_cost (currency units), kind, consent, preferred_channel, days_to_birthday, the attribute
    no_alternative; from contacts: days_since_action_<name> of every action of the policy, and contacts_within_<n>_days as its
    caps ask; from transactions with categories: next_category. Missing numbers are NaN, missing texts None. Nothing at or after
    `as_of` counts.
    """
    builders: dict[str, Callable[[], Arrays]] = {
        "customers": lambda: _customer_columns(company, customer_ids, as_of),
        "contacts": lambda: _contact_columns(company, customer_ids, day_number(as_of), policy),
        "transactions": lambda: _next_category(company, customer_ids, day_number(as_of)),
    }
    return _built(company, builders)


def own_inputs(company: Company, customer_ids: pl.Series, as_of: date) -> Arrays:
    """Those of these columns that `decisions.decide` reads and that a customer's own rows tell: all but next_category."""
    return _built(company, {"customers": lambda: _customer_columns(company, customer_ids, as_of)})


def _built(company: Company, builders: Mapping[str, Callable[[], Arrays]]) -> Arrays:
    """The columns of the tables that there are."""
    columns: Arrays = {}
    for table, build in builders.items():
        if table in company.tables:
            columns |= build()
    return columns


def previous_words(previous: pl.DataFrame, customer_ids: pl.Series) -> Arrays:
    """What an earlier scoring said of these customers, as `decide` reads it; None for who was not scored then.

    `previous` has customer_id and any of the columns that `decide` hands on; ids meet as text.
    """
    asked = pl.DataFrame({"customer_id": customer_ids.cast(pl.String)})
    names = [name for name in PREVIOUS if name in previous.columns]
    said = previous.select(pl.col("customer_id").cast(pl.String), pl.col(names).cast(pl.String))
    found = asked.join(said, on="customer_id", how="left", maintain_order="left")
    return {PREVIOUS[name]: np.array(found[name].to_list(), dtype=object) for name in names}


def _known(company: Company, table: str, customer_ids: pl.Series, as_of_day: int) -> pl.DataFrame:
    """The rows of an event table that count at `as_of_day`, with the place of their customer among `customer_ids`."""
    places = pl.DataFrame({"customer_id": customer_ids, PLACE: np.arange(len(customer_ids))})
    return company.known_rows(table, as_of_day).join(places, on="customer_id", how="inner", maintain_order="left")


def _customer_columns(company: Company, customer_ids: pl.Series, as_of: date) -> Arrays:
    """The snapshot of `customers`; a row with a `known_at` counts only when that is before `as_of`."""
    people = company.known_rows("customers", day_number(as_of))
    rows = pl.DataFrame({"customer_id": customer_ids}).join(people, on="customer_id", how="left", maintain_order="left")
    columns: Arrays = {}
    for name in ("wallet", "service_cost"):
        if name in rows.columns:
            columns[name] = (rows[name].cast(pl.Float64) / 10 ** company.scales[f"customers.{name}"]).to_numpy()
    for name in ("kind", "preferred_channel", "consent"):
        if name in rows.columns:
            columns[name] = np.array(rows[name].to_list(), dtype=object)
    if NO_ALTERNATIVE in rows.columns and rows[NO_ALTERNATIVE].dtype.is_numeric():
        columns[NO_ALTERNATIVE] = rows[NO_ALTERNATIVE].cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if "birthday" in rows.columns:
        columns["days_to_birthday"] = days_to_birthday(rows["birthday"].to_numpy(), as_of)
    return columns


def _contact_columns(company: Company, customer_ids: pl.Series, as_of_day: int, policy: Policy) -> Arrays:
    """Days since each action, and contacts within the days of each cap; who was in the control arm was not contacted."""
    rows = _known(company, "contacts", customer_ids, as_of_day)
    if "action" not in rows.columns:
        return {}
    if "arm" in rows.columns:
        rows = rows.filter(pl.col("arm").ne_missing("control"))
    who, day, action = (rows[name].to_numpy() for name in (PLACE, "contacted_day", "action"))
    names = tuple(action.name for action in policy.actions)
    windows = {action.contact_cap.days for action in policy.actions if action.contact_cap}
    return {
        **days_since_actions(who, day, action, names=names, as_of_day=as_of_day, customers=len(customer_ids)),
        **recent_contacts(who, day, windows=windows, as_of_day=as_of_day, customers=len(customer_ids)),
    }


def category_paths(company: Company, customer_ids: pl.Series, as_of: date) -> pl.DataFrame:
    """What leads to the next category, a row for each customer in their order.

    `categories` (list of texts) are those bought of, `category_days` (list of day numbers) when first, by day and then name; both
    null where none is known.
    """
    if "category" not in company.tables["transactions"].columns:
        return pl.DataFrame(schema=PATHS).clear(len(customer_ids))
    first = _with_category(company, customer_ids, day_number(as_of)).group_by(PLACE, "category").agg(pl.col("ordered_day").min())
    ordered = first.sort(PLACE, "ordered_day", "category").group_by(PLACE, maintain_order=True)
    paths = ordered.agg(categories="category", category_days="ordered_day")
    everyone = pl.DataFrame({PLACE: np.arange(len(customer_ids))})
    joined = everyone.join(paths, on=PLACE, how="left", maintain_order="left")
    return joined.select(pl.col(name).cast(dtype) for name, dtype in PATHS.items())


def _next_category(company: Company, customer_ids: pl.Series, as_of_day: int) -> Arrays:
    """The next category by all purchases known; None where there is none."""
    if "category" not in company.tables["transactions"].columns:
        return {}
    rows = _with_category(company, customer_ids, as_of_day)
    names = rows["category"].unique().sort()
    who, day, codes = rows[PLACE].to_numpy(), rows["ordered_day"].to_numpy(), category_codes(rows["category"], names)
    best = next_categories(who, day, codes, customers=len(customer_ids), categories=len(names))
    return {"next_category": np.array([*names, None], dtype=object)[best]}


def category_codes(categories: pl.Series, names: pl.Series) -> npt.NDArray[np.int64]:
    """The place of each category among `names`, which are all of them."""
    places = pl.Series(range(len(names)), dtype=pl.Int64)
    return categories.replace_strict(names, places, return_dtype=pl.Int64).to_numpy()


def _with_category(company: Company, customer_ids: pl.Series, as_of_day: int) -> pl.DataFrame:
    """The purchases of these customers whose category is known."""
    rows = _known(company, "transactions", customer_ids, as_of_day)
    return rows.filter(pl.col("amount") > 0, pl.col("category").is_not_null())
