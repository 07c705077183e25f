"""The strings of the pages, by key: `t("nav.today")`.

One table per language; a page, a template or a formatter never holds a sentence of its own.
"""

from __future__ import annotations

from serving.console.text_en import ENGLISH


def t(key: str, /, **values: object) -> str:
    """The text of `key` with `values` filled in; `count` chooses between `key.one` and `key.other`.

    Raises KeyError for an unknown key: a page that lacks its words is a bug, which the tests of the catalogue find.

    >>> t("nav.today")
    'Today'
    >>> t("days", count=1), t("days", count=3)
    ('1 day', '3 days')
    """
    if "count" in values:
        key = f"{key}.one" if values["count"] == 1 else f"{key}.other"
    return ENGLISH[key].format(**values)


def known(key: str) -> bool:
    """Whether the catalogue has `key`: for names that come from data, such as a feature's."""
    return key in ENGLISH


def label(group: str, value: str) -> str:
    """The shown name of a value of a closed set, or the value itself where a policy brought one of its own.

    >>> label("tier", "VIP"), label("tier", "platinum")
    ('VIP', 'platinum')
    """
    key = f"{group}.{value}"
    return ENGLISH.get(key, value)


def meaning(group: str, value: str) -> str:
    """What a value of a closed set means, in a sentence; empty where it is unknown."""
    return ENGLISH.get(f"{group}.{value}.means", "")
