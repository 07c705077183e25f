"""Sentences that are kept as text, in the language of the page: the reasons and notes of plans, and what gate and monitor said.

They are written in English where they are made, by parts of Keepwell that speak to files and programs. Another language has them
as a phrasebook: the English sentence with a name for each of its figures, and the same in its own words. What is in no
phrasebook, as a reason of a policy of one's own, is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache
from itertools import zip_longest

from features.catalog import CATALOG, entry_of
from serving.console import format as show
from serving.console.actions import action_title, is_known, title_in_words
from serving.console.language import spoken
from serving.console.needs import needed
from serving.console.text import label, t
from serving.console.text_zh_model_sentences import MODEL_SENTENCES
from serving.console.text_zh_sentences import DETAILS, SENTENCES

PHRASEBOOKS: Mapping[tuple[str, str], Mapping[str, str]] = {
    ("zh", "sentences"): {**SENTENCES, **MODEL_SENTENCES},
    ("zh", "details"): DETAILS,
}
"""(Language, what for) -> English -> the same in this language. Figures are named alike; a digit tells two of a kind apart."""

_FIGURE = re.compile(r"\{([a-z_]+)(\d*)\}")
_TITLE_AND_NAME = re.compile(r"(?P<title>.+) \((?P<name>\w+)\)")
_STOPS = (".", "!", "?", "。", "？", "）")


def said(sentence: str) -> str:
    """A sentence of Keepwell's in the language of the page, with a capital and a stop; one that nobody translated as it is.

    >>> said("no past contacts are known: cooldowns and contact caps are not applied")
    'No past contacts are known: cooldowns and contact caps are not applied.'
    """
    told = _translated(sentence, "sentences")
    if told is not None:
        return told if told.endswith(_STOPS) else f"{told}。"
    begins = sentence[:1] if sentence.startswith("keepwell ") else sentence[:1].upper()  # a command is written as it is typed
    return f"{begins}{sentence[1:]}{'' if sentence.endswith(_STOPS) or not sentence else '.'}"


def in_words(part: str) -> str:
    """The same for what is no whole sentence, as it stands."""
    told = _translated(part, "sentences")
    return part if told is None else told


def details(text: str) -> str:
    """The details of an event: words of the company's own, and among them ours of how it went.

    >>> details("late delivery, severity 4, still open"), details("win_back_call")
    ('late delivery, severity 4, still open', 'Win-back call')
    """
    return t("list_joint").join(t("list.comma").join(map(_detail, part.split(", "))) for part in text.split("; "))


def _detail(piece: str) -> str:
    if is_known(piece):
        return action_title(piece)
    told = _translated(piece, "details")
    return piece if told is None else told


def _translated(text: str, book: str) -> str | None:
    """The text in the language that is spoken; None in English, and for what the phrasebook does not have."""
    for pattern, told in _patterns(spoken(), book):
        if found := pattern.fullmatch(text):
            return _filled(told, found)
    return None


def _filled(told: str, found: re.Match[str]) -> str:
    return told.format(**{name: _shown(name, value) for name, value in found.groupdict().items()})


@cache
def _patterns(language: str, book: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """What the sentences of a phrasebook look like, and how they are told; the ones with most words of their own come first."""
    sentences = sorted(PHRASEBOOKS.get((language, book), {}).items(), key=lambda each: -len(_FIGURE.sub("", each[0])))
    return tuple((re.compile(_pattern(english), re.DOTALL), told) for english, told in sentences)


def _pattern(english: str) -> str:
    r"""A sentence with named figures as a regular expression.

    >>> _pattern("{count} rows: {money2}")
    '(?P<count>.+?)\\ rows:\\ (?P<money2>-?[\\d,]+\\.\\d\\d)'
    """
    parts = _FIGURE.split(english)  # text, kind, digit, text, kind, digit, text
    looks = (f"(?P<{kind}{digit}>{_LOOKS.get(kind, '.+?')})" for kind, digit in zip(parts[1::3], parts[2::3], strict=True))
    return "".join(text + look for text, look in zip_longest(map(re.escape, parts[::3]), looks, fillvalue=""))


def _shown(name: str, value: str) -> str:
    """A figure of a sentence, by the kind that its name says."""
    kind = _SHOWN.get(name.rstrip("0123456789"))
    return kind(value) if kind else value


def _day(value: str) -> str:
    try:
        return show.day(date.fromisoformat(value))
    except ValueError:
        return value


def _listed(shown: Callable[[str], str], joint: str = ", ") -> Callable[[str], str]:
    between = {", ": "list.comma", "; ": "list_joint"}[joint]
    return lambda value: t(between).join(map(shown, value.split(joint)))


def _feature(value: str) -> str:
    """A feature by its title and its name, or by its title in quotation marks."""
    if found := _TITLE_AND_NAME.fullmatch(value):
        entry = entry_of(found["name"])
        return value if entry is None else t("feature.named", title=entry.title_zh, name=found["name"])
    title = value.strip('"')
    return t("feature.quoted", title=_titles().get(title, title))


def _feature_shares(value: str) -> str:
    """Shares of customers by feature, as 3% in "Days since last purchase", 4% in "Spend, last 90 days"."""
    parts = (part.partition(" in ") for part in re.split(r", (?=\d+% in )", value))
    return t("list.comma").join(f"{_feature(title)} {share}" for share, _, title in parts)


@cache
def _titles() -> Mapping[str, str]:
    """English title of a feature of the catalog -> its Chinese one."""
    return {entry.title: entry.title_zh for entry in CATALOG.values()}


def _limit(value: str) -> str:
    """A limit as `decisions.plans.limits` calls it."""
    if value == "budget":
        return t("plan.budget")
    name, _, kind = value.rpartition(" ")
    return t(f"limit.{kind}", of=action_title(name) if kind == "capacity" else label("channel", name))


def _further(value: str) -> str:
    """The sentences that follow the first ones of a reason, one after the other; they begin with a space."""
    told = []
    while found := next(((words, match) for pattern, words in _tails() if (match := pattern.match(value))), None):
        told.append(_filled(*found))
        value = value[found[1].end() :]
    return "".join([*told, value])


def _tails() -> list[tuple[re.Pattern[str], str]]:
    return [each for each in _patterns(spoken(), "sentences") if each[0].pattern.startswith(re.escape(" "))]


_LOOKS: Mapping[str, str] = {
    "money": r"-?[\d,]+\.\d\d",
    "further": r"| .+",
    "limit": r"budget|\w+ (?:contacts|hours|capacity)",
}
"""Kinds of figures that end where they no longer look so; any other ends where the sentence goes on."""

_SHOWN: Mapping[str, Callable[[str], str]] = {
    "action": action_title,
    "actions": _listed(action_title),
    "title": title_in_words,
    "day": _day,
    "columns": _listed(needed),
    "feature": _feature,
    "features": _feature_shares,
    "limit": _limit,
    "part": in_words,
    "parts": _listed(in_words, "; "),
    "further": _further,
}
"""How the figures of a kind are shown; those of any other are shown as they are."""
