"""Contacts in SQL."""

from __future__ import annotations

from tests.features.oracle.words import Oracle, Queries, for_each_window

RELATIONS = """
CREATE TABLE approaches AS
    SELECT *, contacted_day AS day FROM contacts
    WHERE arm IS DISTINCT FROM 'control' AND known_day < $day AND superseded_day >= $day;
CREATE TABLE outcomes AS
    SELECT customer_id, outcome_day AS day, accepted, converted,
           max(outcome_day) FILTER (accepted = 1) OVER (PARTITION BY customer_id) AS accepting_day
    FROM approaches WHERE outcome_day < $day;
"""


def windowed(label: str, ages: str) -> Queries:
    accepted, replied = f"count(*) FILTER ({ages} AND accepted = 1)", f"count(accepted) FILTER ({ages})"
    made = {
        f"contact_acceptances_{label}": f"coalesce({accepted}, 0)",
        f"contact_conversions_{label}": f"coalesce(count(*) FILTER ({ages} AND converted = 1), 0)",
        **({f"contact_response_share_{label}": f"{accepted} / nullif({replied}, 0)"} if label in ("90d", "365d", "all") else {}),
    }
    contacts = ("approaches", f"coalesce(count(*) FILTER ({ages}), 0)")
    return {f"contacts_{label}": contacts, **{name: ("outcomes", sql) for name, sql in made.items()}}


CONTACTS = Oracle(
    RELATIONS,
    {
        **for_each_window(windowed),
        "days_since_contact": ("approaches", "$day - max(day)"),
        "days_since_contact_accepted": ("outcomes", "$day - max(accepting_day)"),
        "contacts_declined_since_accepted": (
            "outcomes",
            "coalesce(count(*) FILTER (accepted = 0 AND day > coalesce(accepting_day, -1000000)), 0)",
        ),
    },
)
