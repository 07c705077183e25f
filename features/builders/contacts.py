"""Contacts: how often the company approached a customer, and what came of it. Who was held out as control was not contacted.

An outcome counts from the day on which it is known: `known_at` where that is given, else once the attribution days have passed.
Windows of outcomes look at that day.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from features.asof import Column
from features.definitions import ALL_TIME, SHARE_WINDOWS, WINDOWS, Aggregate, Feature, Operations, Window, feature
from features.formulas import ratio, same

ACCEPTED = ("contacts.accepted",)
NOTHING_ACCEPTED = "no contact accepted yet"

_contacts = partial(feature, table="contacts", builder="contacts", actionable=True)
_outcomes = partial(_contacts, actionable=False)

REPLIES = Aggregate("outcome_days", "sum", "replies")
REPLIES_WHEN_LAST_ACCEPTED = Aggregate("outcome_days", "max", "replies_so_far", where="accepting")


def _sum(column: str, window: Window = ALL_TIME) -> Aggregate:
    return Aggregate("outcome_days", "sum", column, window)


def _since(c: Operations, replies: Column, replies_when_accepted: Column) -> Column:
    return c.where(c.is_missing(replies_when_accepted), replies, replies - replies_when_accepted)


def _counts(window: Window) -> Iterator[Feature]:
    contacts = Aggregate("contacts", "count", window=window)
    titles, meaning = ("Contacts", "触达次数"), "Times that the company contacted the customer."
    yield _contacts("contacts", same, (contacts,), titles, meaning, unit="contacts", window=window)
    outcomes = partial(_outcomes, unit="contacts", window=window)
    inputs, titles = (_sum("acceptances", window),), ("Accepted contacts", "触达响应次数")
    meaning = "Contacts of which it became known that the offer was accepted."
    yield outcomes("contact_acceptances", same, inputs, titles, meaning, needs=ACCEPTED)
    inputs, titles = (_sum("conversions", window),), ("Converted contacts", "触达转化次数")
    meaning = "Contacts of which it became known that a purchase followed."
    yield outcomes("contact_conversions", same, inputs, titles, meaning, needs=("contacts.converted",))


def _response_share(window: Window) -> Feature:
    inputs = (_sum("acceptances", window), _sum("replies", window))
    meaning = "Share accepted of the contacts of which it became known whether they were."
    return _outcomes(
        "contact_response_share",
        ratio,
        inputs,
        ("Response share", "触达响应率"),
        meaning,
        unit="share",
        window=window,
        high=1,
        needs=ACCEPTED,
        missing="of no contact this became known in the window",
    )


FEATURES: tuple[Feature, ...] = (
    *(made for window in WINDOWS for made in _counts(window)),
    *map(_response_share, SHARE_WINDOWS),
    _contacts(
        "days_since_contact",
        same,
        (Aggregate("contacts", "min", "age"),),
        ("Days since last contact", "距上次触达天数"),
        "A contact of yesterday is 1.",
        unit="days",
        low=1,
        missing="no contact yet",
    ),
    _outcomes(
        "days_since_contact_accepted",
        same,
        (Aggregate("outcome_days", "min", "age", where="accepting"),),
        ("Days since last acceptance", "距上次触达响应天数"),
        "Days since it last became known that a contact was accepted.",
        unit="days",
        low=1,
        needs=ACCEPTED,
        missing=NOTHING_ACCEPTED,
    ),
    _outcomes(
        "contacts_declined_since_accepted",
        _since,
        (REPLIES, REPLIES_WHEN_LAST_ACCEPTED),
        ("Contacts declined in a row", "连续未响应触达次数"),
        "Contacts of which it became known that they were not accepted, on days after the last acceptance.",
        unit="contacts",
        needs=ACCEPTED,
    ),
)
"""All features of this builder, in catalog order."""
