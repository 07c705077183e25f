"""The words that decisions use, each scheme in its order: one class per column, each word with its meaning.

The members are plain texts; `meaning` is what pages and docs show.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Label(StrEnum):
    """A word with its meaning; the members of a class are all the words of one column."""

    meaning: str

    def __new__(cls, word: str, meaning: str) -> Label:
        """Make a text that knows what it means."""
        label = str.__new__(cls, word)
        label._value_ = word
        label.meaning = meaning
        return label


class Status(Label):
    """How far a customer is from leaving, by churn probability."""

    NEW = "new", "first purchase only lately: too early to say more"
    ACTIVE = "active", "likely to buy again within the horizon"
    LAPSING = "lapsing", "more likely to stay away than to buy within the horizon"
    LOST = "lost", "almost certain to stay away within the horizon"


class Tier(Label):
    """The pyramid, by expected value: a share of customers each."""

    VIP = "VIP", "the few customers with the highest expected value"
    MAJOR = "major", "the next, still far above the rest"
    ORDINARY = "ordinary", "the broad middle by expected value"
    SMALL = "small", "all others, and whoever is expected to bring nothing"


class AbcClass(Label):
    """Who brings the money: customers by what all of them are expected to bring."""

    A = "A", "the few customers who bring most of the expected value"
    B = "B", "the next, who bring a good part of the rest"
    C = "C", "the many others, who bring little or nothing"
    NEGATIVE = "negative", "is expected to cost money: more comes back than is bought"


class AccountClass(Label):
    """Customers as accounts: whom to look after in person."""

    CORE = "core", "the accounts with the highest expected value"
    KEY = "key", "the accounts next to the core"
    PROMISING = "promising", "small so far, but could bring most among the small"
    OTHER = "other", "all other accounts"


class Quadrant(Label):
    """Current value against potential value, each high or low."""

    GOLD = "gold", "brings much now and could bring much next"
    STAR = "star", "brings little now, could bring much next"
    STREAM = "stream", "brings much now, little more to come"
    BURDEN = "burden", "brings little now and little more to come"


class Lifecycle(Label):
    """Where the relation stands, from the first tries to the end."""

    PROSPECT = "prospect", "joined, and has not bought yet: listed, not scored"
    EXPLORATION = "exploration", "few purchases so far: both sides are trying each other"
    BUILD_UP = "build-up", "a young or growing relation"
    STABLE = "stable", "a settled relation"
    DECLINE = "decline", "likely to stay away, or much longer away than usual"


class Loyalty(Label):
    """Attachment against repeat buying, and what else holds a customer."""

    PREMIUM = "premium", "buys again and again, and is attached"
    INERTIA = "inertia", "buys again and again out of habit, without attachment"
    PRICE = "price", "buys again and again, mostly at a discount"
    INCENTIVE = "incentive", "buys again and again, in answer to offers"
    MONOPOLY = "monopoly", "buys again and again for lack of an alternative"
    NONE = "none", "does not buy again and again"


class Relation(Label):
    """What kind of buyer this is: treat a relation as a relation, and give a deal-seeker no discounts."""

    RELATIONAL = "relational", "comes back over a long time, mostly without discounts"
    TRANSACTIONAL = "transactional", "bought once or seldom, or mostly on offer"


class CreditGrade(Label):
    """How invoices were paid so far."""

    A = "A", "pays in time"
    B = "B", "pays late now and then"
    C = "C", "often pays late, or owes something overdue"
    D = "D", "owes something long overdue"


class ServiceLevel(Label):
    """How closely to look after a customer."""

    PARTNERSHIP = "partnership", "works with us on what we offer: a named person, shared plans"
    PROACTIVE = "proactive", "is called before there is a reason to"
    ACCOUNTABLE = "accountable", "is asked afterwards whether all was well"
    REACTIVE = "reactive", "is told how to reach us, and answered soon"
    BASIC = "basic", "gets the standard service at the lowest cost"


class RfmSegment(Label):
    """Recency, frequency and money as a name: each of the 125 cells of the R, F and M scores has exactly one."""

    CHAMPION = "champion", "bought lately, buys often, spends much"
    LOYAL = "loyal", "buys often, and not long ago"
    BIG_SPENDER = "big spender", "buys seldom, but for much money, and not long ago"
    GROWING = "growing", "bought lately, and begins to buy more often"
    NEWCOMER = "newcomer", "bought just now, seldom before"
    PROMISING = "promising", "bought lately, seldom before"
    NEEDS_ATTENTION = "needs attention", "an average customer who begins to stay away"
    ABOUT_TO_SLEEP = "about to sleep", "bought seldom, and begins to stay away"
    AT_RISK = "at risk", "used to buy often, and has stayed away for long"
    CANNOT_LOSE = "cannot lose", "was one of the most frequent, and has stayed away longest"
    HIBERNATING = "hibernating", "bought seldom, a long time ago"
    GONE = "gone", "bought seldom, longest ago"


class Step(Label):
    """What came of an action for one customer, one word for each thing that happened."""

    TAKEN = "taken", "somebody has taken it on"
    CONTACTED = "contacted", "the customer was reached"
    NOT_NOW = "not_now", "was reached, and would rather be asked another time"
    ACCEPTED = "accepted", "took what was offered"
    DECLINED = "declined", "did not want it, for a reason where one was given"
    CONVERTED = "converted", "bought, renewed or stayed in answer to it"
    DO_NOT_CONTACT = "do_not_contact", "wants to be left alone: no plan has them from then on"
    CONTACT_AGAIN = "contact_again", "may be contacted again"


SCHEMES: Mapping[str, type[Label]] = {
    "status": Status,
    "value_tier": Tier,
    "abc_class": AbcClass,
    "account_class": AccountClass,
    "quadrant": Quadrant,
    "lifecycle": Lifecycle,
    "loyalty": Loyalty,
    "relation": Relation,
    "credit_grade": CreditGrade,
    "service_level": ServiceLevel,
    "rfm_segment": RfmSegment,
}
"""The class of words of each decision column that is a word."""


def meanings() -> dict[str, dict[str, str]]:
    """Column -> word -> meaning, for pages and docs.

    >>> meanings()["quadrant"]["star"]
    'brings little now, could bring much next'
    """
    return {column: {str(label): label.meaning for label in words} for column, words in SCHEMES.items()}
