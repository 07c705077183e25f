"""The input tables as data: their columns, types and rules. Reading, checking, docs and tests all read this one list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """What a column holds, and so how it is read and kept."""

    ID = "id"  # text or integer, kept as it came
    TEXT = "text"
    TIME = "time"  # kept as a day and an instant
    DATE = "date"  # a calendar day that takes part in no window
    MONEY = "money"  # kept in integer minor units
    NUMBER = "number"
    FLAG = "flag"  # kept as 0.0 and 1.0


@dataclass(frozen=True)
class Column:
    """One column of an input table; `low` and `high` bound its numbers (both included), `choices` its texts."""

    name: str
    kind: Kind
    meaning: str
    required: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One input table.

    `event_time` names the column that says when a row happened (None: rows are no events). Rows with the same `version_key` are
    versions of one thing, where the key is given; `versions_by_known_at` says that a row replaces others only where its own
    `known_at` is given, since order lines repeat a product without correcting it. `unique` must not repeat. `outcomes` names what
    comes of a row: known from `known_at`, where given, else some days after the row's event time.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    event_time: str | None = None
    version_key: tuple[str, ...] = ()
    versions_by_known_at: bool = False
    unique: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError if there is none."""
        return next((column for column in self.columns if column.name == name), None) or _no_column(self.name, name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """The names of the columns that must be there."""
        return tuple(column.name for column in self.columns if column.required)


def _no_column(table: str, name: str) -> Column:
    raise KeyError(f"{table} has no column {name}")


ATTRIBUTION_DAYS = 30
"""How long after a contact its outcome is known, where neither its row nor company.yaml says."""

CUSTOMER = Column("customer_id", Kind.ID, "who; text or integer, kept as it is", required=True)
KNOWN_AT = Column("known_at", Kind.TIME, "when the row became known, if later than it happened")


def _event_table(name: str, meaning: str, columns: tuple[Column, ...], **rules: object) -> Table:
    """A table of events: the first column given is the event time; customer_id and known_at are added."""
    return Table(name, meaning, (CUSTOMER, *columns, KNOWN_AT), event_time=columns[0].name, **rules)  # type: ignore[arg-type]  # the rules are Table's own fields


TRANSACTIONS = _event_table(
    "transactions",
    "Order lines, or orders: purchases and refunds.",
    (
        Column("ordered_at", Kind.TIME, "when it was ordered", required=True),
        Column("amount", Kind.MONEY, "what was paid for the line; negative = refund", required=True),
        Column("order_id", Kind.ID, "the order that the line belongs to; without it every line is an order"),
        Column("quantity", Kind.NUMBER, "number of units", low=-1e9, high=1e9),
        Column("product_id", Kind.ID, "what was bought"),
        Column("category", Kind.TEXT, "its category"),
        Column("brand", Kind.TEXT, "its brand"),
        Column("list_amount", Kind.MONEY, "what the line would have cost without discount"),
        Column("cost", Kind.MONEY, "what the line cost the company"),
        Column("channel", Kind.TEXT, "where it was bought"),
        Column("promised_at", Kind.TIME, "when delivery was promised"),
        Column("delivered_at", Kind.TIME, "when it was delivered; empty = not yet"),
    ),
    version_key=("order_id", "product_id"),
    versions_by_known_at=True,
)

CUSTOMERS = Table(
    "customers",
    "One row per customer: a snapshot. Columns that are not listed are attributes.",
    (
        CUSTOMER,
        Column("joined_at", Kind.TIME, "when they joined"),
        Column("kind", Kind.TEXT, "consumer, trader, supplier ..."),
        Column("account_id", Kind.ID, "the account that several customers share"),
        Column("owner", Kind.TEXT, "who looks after them"),
        Column("name", Kind.TEXT, "what people call them; never a feature"),
        Column("birthday", Kind.DATE, "any valid date; never a feature"),
        Column("consent", Kind.FLAG, "whether they may be contacted"),
        Column("preferred_channel", Kind.TEXT, "how they like to be reached"),
        Column("referred_by", Kind.ID, "the customer who brought them"),
        Column("acquisition_cost", Kind.MONEY, "what winning them cost"),
        Column("service_cost", Kind.MONEY, "what serving them costs a year"),
        Column("wallet", Kind.MONEY, "what they spend a year with everyone"),
        KNOWN_AT,
    ),
    unique=("customer_id",),
)

COMPLAINTS = _event_table(
    "complaints",
    "Complaints and enquiries.",
    (
        Column("opened_at", Kind.TIME, "when it came in", required=True),
        Column("first_response_at", Kind.TIME, "when it was first answered; empty = not yet"),
        Column("closed_at", Kind.TIME, "when it was closed; empty = still open"),
        Column("complaint_id", Kind.ID, "its number; rows with the same one are versions, the newest known counts"),
        Column("kind", Kind.TEXT, "complaint or enquiry; empty = complaint", choices=("complaint", "enquiry")),
        Column("category", Kind.TEXT, "what it is about"),
        Column("severity", Kind.NUMBER, "how bad it is", low=1, high=5),
        Column("satisfaction", Kind.NUMBER, "with the handling; known from closed_at", low=1, high=5),
        Column("cost", Kind.MONEY, "what it cost the company"),
        Column("channel", Kind.TEXT, "how it came in"),
    ),
    version_key=("complaint_id",),
)

PAYMENTS = _event_table(
    "payments",
    "Invoices and when they were paid.",
    (
        Column("due_at", Kind.TIME, "when it is due", required=True),
        Column("amount", Kind.MONEY, "how much is due", required=True),
        Column("paid_at", Kind.TIME, "when it was paid; empty = not yet"),
    ),
)

CONTACTS = _event_table(
    "contacts",
    "Actions taken towards customers, and what came of them.",
    (
        Column("contacted_at", Kind.TIME, "when they were contacted, or would have been (control)", required=True),
        Column("action", Kind.TEXT, "what was done"),
        Column("arm", Kind.TEXT, "treated or control", choices=("treated", "control")),
        Column("propensity", Kind.NUMBER, "the chance with which the arm was drawn", low=0, high=1),
        Column("cost", Kind.MONEY, "what it cost"),
        Column("accepted", Kind.FLAG, "whether the offer was accepted"),
        Column("converted", Kind.FLAG, "whether a purchase followed"),
        Column("reason", Kind.TEXT, "why not: price, service, rival ..."),
    ),
    outcomes=("accepted", "converted"),
)

SURVEYS = _event_table(
    "surveys",
    "Answers to surveys.",
    (
        Column("answered_at", Kind.TIME, "when it was answered", required=True),
        *(
            Column(name, Kind.NUMBER, meaning, low=1, high=10)
            for name, meaning in (
                ("satisfaction", "how satisfied they are"),
                ("expectation", "what they expected"),
                ("quality", "the quality they perceived"),
                ("perceived_value", "the worth they see for the price"),
                ("loyalty", "how likely they buy again"),
            )
        ),
        Column("recommend", Kind.NUMBER, "how likely they recommend", low=0, high=10),
    ),
)

SUBSCRIPTIONS = _event_table(
    "subscriptions",
    "Contracts: when each began and ended.",
    (
        Column("started_at", Kind.TIME, "when it began", required=True),
        Column("ended_at", Kind.TIME, "when it ended; empty = still running"),
        Column("plan", Kind.TEXT, "which plan"),
        Column("price", Kind.MONEY, "its price a month"),
    ),
)

LABELS = Table(
    "labels",
    "Truth that the user supplies: who had left, and what they were worth.",
    (
        CUSTOMER,
        Column("as_of", Kind.TIME, "the date that the label looks ahead from", required=True),
        Column("churned", Kind.FLAG, "whether they left in the horizon"),
        Column("value", Kind.MONEY, "net revenue in the horizon"),
    ),
    unique=("customer_id", "as_of"),
)

TABLES: Mapping[str, Table] = MappingProxyType(
    {table.name: table for table in (TRANSACTIONS, CUSTOMERS, COMPLAINTS, PAYMENTS, CONTACTS, SURVEYS, SUBSCRIPTIONS, LABELS)}
)
"""Every input table, by name."""

REFUNDS = replace(TRANSACTIONS, name="refunds", meaning="Refunds that stand apart: read as transactions, all amounts negative.")
INPUTS: Mapping[str, Table] = MappingProxyType({**TABLES, REFUNDS.name: REFUNDS})
"""What a company's folder may hold: the tables, and refunds, which become transactions."""

EVENT_TABLES: tuple[str, ...] = tuple(name for name, table in TABLES.items() if table.event_time)
"""The tables whose rows are events in time."""

LOGS = ("transactions", "subscriptions")
"""The tables that tell who stayed. A company without either is flat: who left is known only where a label says so."""
