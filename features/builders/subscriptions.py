"""Subscriptions: contracts begun, running and ended, how long they last and what they cost a month.

A contract counts from the day after it began, its end from the day after that; until then the contract is running. Ends that
were told in advance are not known before they have come.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from features.asof import Column
from features.definitions import ALL_TIME, SHARE_WINDOWS, Aggregate, Feature, Operations, Window, feature
from features.formulas import ratio, same

ENDED, PRICED = ("subscriptions.ended_at",), ("subscriptions.price",)
NONE_RUNS, NONE_ENDED = "no contract is running", "no contract has ended"

_contract = partial(feature, table="subscriptions", builder="subscriptions")
_ending = partial(_contract, needs=ENDED)
_priced = partial(_contract, needs=PRICED)


def _contracts(how: str, column: str = "", where: str = "", window: Window = ALL_TIME) -> Aggregate:
    return Aggregate("contracts", how, column, window, where)  # type: ignore[arg-type]  # one of the four summaries


def _mean_price(c: Operations, prices: Column, priced: Column) -> Column:
    return c.divide(c.money(prices, "subscriptions.price"), priced)


def _price(c: Operations, prices: Column, priced: Column) -> Column:
    return c.where(priced > 0, c.money(prices, "subscriptions.price"))


def _age_to_term(c: Operations, age: Column, term_days: Column, ended: Column) -> Column:
    return c.divide(age * ended, term_days)


def _counts(window: Window) -> Iterator[Feature]:
    titles, meaning = ("Contracts begun", "新签合同数"), "Contracts that began, changes of plan and renewals included."
    begun = _contracts("count", window=window)
    yield _contract("contracts_begun", same, (begun,), titles, meaning, unit="contracts", window=window)
    titles, meaning = ("Contracts ended", "到期合同数"), "Contracts that ended, whether another followed or not."
    ended = Aggregate("contract_ends", "count", window=window)
    yield _ending("contracts_ended", same, (ended,), titles, meaning, unit="contracts", window=window)


RUNNING_AGE = _contracts("max", "age", "running")
RUNNING_PRICES = _contracts("sum", "price", "running"), _contracts("sum", "priced", "running")
TERM_DAYS, ENDS = _contracts("sum", "term_days", "ended"), _contracts("count", where="ended")

FEATURES: tuple[Feature, ...] = (
    *(made for window in SHARE_WINDOWS for made in _counts(window)),
    _contract(
        "contracts_running",
        same,
        (_contracts("count", where="running"),),
        ("Running contracts", "在用合同数"),
        "Contracts that have begun and not ended.",
        unit="contracts",
    ),
    _contract(
        "contract_running_days",
        same,
        (RUNNING_AGE,),
        ("Age of the oldest running contract", "最早在用合同天数"),
        "Days since the oldest running contract began.",
        unit="days",
        low=1,
        missing=NONE_RUNS,
    ),
    _contract(
        "days_since_contract_begun",
        same,
        (_contracts("min", "age"),),
        ("Days since the newest contract began", "距最近签约天数"),
        "Days since a contract last began, running or not.",
        unit="days",
        low=1,
        missing="no contract has begun",
    ),
    _contract(
        "days_since_first_contract",
        same,
        (_contracts("max", "age"),),
        ("Days since the first contract began", "距首次签约天数"),
        "Days since the first contract of all began.",
        unit="days",
        low=1,
        missing="no contract has begun",
    ),
    _ending(
        "days_since_contract_ended",
        same,
        (Aggregate("contract_ends", "min", "age"),),
        ("Days since a contract ended", "距最近合同到期天数"),
        "Days since a contract last ended, whether another followed or not.",
        unit="days",
        low=1,
        missing=NONE_ENDED,
    ),
    _ending(
        "contract_term_days_mean",
        ratio,
        (TERM_DAYS, ENDS),
        ("Mean term of contracts", "平均合同天数"),
        "Mean days from beginning to end, of the contracts that have ended.",
        unit="days",
        missing=NONE_ENDED,
    ),
    _ending(
        "contract_age_to_term",
        _age_to_term,
        (RUNNING_AGE, TERM_DAYS, ENDS),
        ("Age of the contract over the usual term", "在用合同时长与平均时长之比"),
        "Days since the oldest running contract began, over the mean term of those that have ended.",
        unit="ratio",
        missing="no contract is running, or none has ended",
    ),
    _priced(
        "contract_price",
        _price,
        RUNNING_PRICES,
        ("Price of running contracts", "在用合同月费"),
        "What all running contracts cost a month.",
        unit="currency",
        low=None,
        missing="no running contract has a price",
        actionable=True,
    ),
    _priced(
        "contract_price_mean_all",
        _mean_price,
        (_contracts("sum", "price"), _contracts("sum", "priced")),
        ("Mean price of contracts", "合同平均月费"),
        "Mean monthly price of all contracts that have begun.",
        unit="currency",
        low=None,
        missing="no contract has a price",
    ),
)
"""All features of this builder, in catalog order."""
