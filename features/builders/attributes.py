"""Attributes: what customers are, as features.

The name of such a feature says all that its definition needs:

    attr_household_size      a number, a flag or an amount, as it is
    attr_signed_on_days_ago  the days from a date to `as_of`
    attr_plan_is_gold        1 where a text is this one, 0 where it is another

So the features of a model are its vocabulary, and nothing about a population is kept here.
`features.vocabulary` chooses those of a company.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from types import MappingProxyType
from typing import Literal
from urllib.parse import unquote

from features.asof import Column
from features.definitions import ALL_TIME, YEAR, Aggregate, Computed, Feature, Operations, View, feature
from features.formulas import same, taken
from features.tables import CUSTOMERS, Kind
from features.views.customers import ATTRIBUTES

How = Literal["number", "days", "text"]
KINDS: Mapping[How, str] = MappingProxyType({"number": "number", "days": "date", "text": "text"})
"""How an attribute is taken -> what its column holds."""

PREFIX, IS, DAYS_AGO = "attr_", "_is_", "_days_ago"
_OF_TEXT = re.compile(f"{PREFIX}(?P<column>.+?){IS}(?P<value>.+)")

LONGEST_NAME = 60
"""Characters that the name of a column may have."""

UNUSABLE = f"cannot be an attribute: rename it: {LONGEST_NAME} printable characters, no {IS} in it, no {DAYS_AGO} at its end"
"""What is said of a column for which `is_usable` does not hold."""

WALLET = "wallet"
"""The listed column that a feature of the catalog reads as an attribute."""

ATTRIBUTE_COLUMNS = ("kind", "owner", "consent", "preferred_channel", "acquisition_cost", "service_cost", WALLET)
"""The listed columns of customers that are attributes where they are declared static."""

NOT_KNOWN = "not known of this customer"

_MONEY = tuple(column.name for column in CUSTOMERS.columns if column.kind is Kind.MONEY)
_FLAGS = tuple(column.name for column in CUSTOMERS.columns if column.kind is Kind.FLAG)


@dataclass(frozen=True)
class Attribute:
    """What the name of a feature of an attribute says: the column of `customers`, how it is taken, and which text is asked for.

    >>> parsed("attr_plan_is_gold"), parsed("attr_age"), parsed("recency_days")
    (Attribute(column='plan', how='text', value='gold'), Attribute(column='age', how='number', value=''), None)
    """

    column: str
    how: How
    value: str = ""

    @property
    def name(self) -> str:
        """The name of the feature; `parsed` is the way back."""
        ends = {"number": "", "days": DAYS_AGO, "text": f"{IS}{self.value}"}
        return f"{PREFIX}{self.column}{ends[self.how]}"

    @property
    def title(self) -> str:
        """Its column in readable words.

        >>> Attribute("household_size", "number").title
        'Household size'
        """
        words = self.column.replace("_", " ")
        return f"{words[0].upper()}{words[1:]}"

    @property
    def described(self) -> str:
        """What it takes, in words.

        >>> Attribute("plan", "text", "gold").described
        "text attribute 'plan'"
        """
        return f"{KINDS[self.how]} attribute {self.column!r}"


def parsed(name: str) -> Attribute | None:
    """The attribute behind the name of a feature; None for other features."""
    if of_text := _OF_TEXT.fullmatch(name):
        return Attribute(of_text["column"], "text", of_text["value"])
    column = name.removeprefix(PREFIX)
    if column == name or not column.removesuffix(DAYS_AGO):
        return None
    return Attribute(column.removesuffix(DAYS_AGO), "days" if column.endswith(DAYS_AGO) else "number")


def is_usable(column: str) -> bool:
    """Whether a column can be an attribute: whether the names of its features can be read in one way only.

    >>> is_usable("plan"), is_usable("is_new"), is_usable("plan_is_new"), is_usable("joined_days_ago")
    (True, True, False, False)
    """
    readable = column.isprintable() and len(column) <= LONGEST_NAME
    return readable and IS not in f"{column}_" and not column.endswith(DAYS_AGO)


@lru_cache(maxsize=4096)
def attribute_feature(name: str) -> Feature | None:
    """The definition of the feature of an attribute, made from its name; None for a name that is none of an attribute."""
    attribute = parsed(name)
    if attribute is None:
        return None
    column, value, title = attribute.column, attribute.value, attribute.title
    inputs, needs = (_known_value(name),), (f"customers.{column}",)
    of_customers = partial(feature, name, table="customers", builder="attributes", needs=needs, missing=NOT_KNOWN, low=None)
    if attribute.how == "text":
        meaning = f"1 where the attribute {column!r} is {value!r}, 0 where it is another."
        titles = f"{title}: {value}", f"属性{title}：{value}"
        return of_customers(same, inputs, titles, meaning, unit="yes or no", low=0, high=1)
    if attribute.how == "days":
        meaning = f"Days from the date in the attribute {column!r} to as_of; negative for a date to come."
        return of_customers(_days_ago, inputs, (f"{title}, days ago", f"距{title}天数"), meaning, unit="days")
    meaning, titles = f"The attribute {column!r}, as it is.", (title, f"属性{title}")
    if column in _MONEY:
        return of_customers(partial(_money, amounts=f"customers.{column}"), inputs, titles, meaning, unit="currency")
    return of_customers(same, inputs, titles, meaning, unit="yes or no" if column in _FLAGS else "as given")


def attributes_view(columns: Iterable[str]) -> View:
    """The view of attributes with these columns, each of which stands for a feature."""
    found = {column: parsed(unquote(column)) for column in columns}
    attributes = {column: attribute for column, attribute in found.items() if attribute}
    texts = frozenset(attribute.column for attribute in attributes.values() if attribute.how == "text")
    made = {column: _computed(attribute) for column, attribute in attributes.items()}
    return replace(ATTRIBUTES, columns={**ATTRIBUTES.columns, **made}, texts=texts)


def _computed(attribute: Attribute) -> Computed:
    if attribute.how != "text":
        return taken(attribute.column)
    return Computed(partial(_is_value, value=attribute.value), (attribute.column,))


def _is_value(c: Operations, text: Column, *, value: str) -> Column:
    """1 where a text is the value, 0 where it is another."""
    return c.where(~c.is_missing(text), c.where(text == value, 1, 0))


def _days_ago(c: Operations, day: Column) -> Column:
    return c.as_of_day - day


def _money(c: Operations, minor_units: Column, *, amounts: str) -> Column:
    return c.money(minor_units, amounts)


def _known_value(name: str) -> Aggregate:
    """The one value that a customer has; in names of columns inside, Spark would take a dot or a backtick for more than that."""
    column = name.replace("%", "%25").replace(".", "%2E").replace("`", "%60")
    return Aggregate(ATTRIBUTES.name, "max", column, ALL_TIME)


def _wallet_share(c: Operations, spend: Column, wallet: Column) -> Column:
    known = c.where(wallet > 0, c.money(wallet, f"customers.{WALLET}"))
    return c.divide(c.money(spend, "transactions.amount"), known)


FEATURES: tuple[Feature, ...] = (
    feature(
        "wallet_share",
        _wallet_share,
        (Aggregate("purchase_days", "sum", "spend", YEAR), _known_value(f"{PREFIX}{WALLET}")),
        ("Share of wallet", "钱包份额"),
        "Spend over what the customer spends a year with everyone; above 1 where that figure is too low.",
        unit="share",
        table="customers",
        builder="basket",
        window=YEAR,
        missing="the customer's spend with everyone is not known, or not above 0",
        actionable=True,
        needs=(f"customers.{WALLET}",),
    ),
)
"""The features of the catalog that read a column of customers."""
