"""The strings of the pages, by key and in the language that is spoken: `t("nav.today")`.

One table per language; a page, a template or a formatter never holds a sentence of its own.
"""

from __future__ import annotations

from decisions.labels import meanings
from serving.console.language import spoken
from serving.console.text_en import ENGLISH
from serving.console.text_zh import CHINESE

CATALOGUES = {"en": ENGLISH, "zh": CHINESE}
"""Language -> its texts; a test holds that each has all of them."""

MEANINGS = meanings()
"""What the words of the decision columns mean, as decisions/ defines them; a catalogue may say it in its own language."""


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
    return CATALOGUES[spoken()][key].format(**values)


def known(key: str) -> bool:
    """Whether the catalogue has `key`: for names that come from data, such as a feature's."""
    return key in CATALOGUES[spoken()]


def label(group: str, value: str) -> str:
    """The shown name of a value of a closed set; one that a policy brought of its own is made readable.

    >>> label("value_tier", "VIP"), label("action", "birthday_card")
    ('VIP', 'Birthday card')
    """
    readable = value.replace("_", " ")
    return CATALOGUES[spoken()].get(f"{group}.{value}", readable[:1].upper() + readable[1:])


def meaning(group: str, value: str) -> str:
    """What a value of a closed set means, as a sentence; empty where nobody has said.

    >>> meaning("quadrant", "gold"), meaning("value_tier", "platinum")
    ('Brings much now and could bring much next.', '')
    """
    words = MEANINGS.get(group, {}).get(value, "")
    return CATALOGUES[spoken()].get(f"{group}.{value}.means", f"{words[:1].upper()}{words[1:]}{words and '.'}")
