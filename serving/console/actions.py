"""What an action is called on a page: the plan keeps one title, the catalogue that comes with Keepwell has two."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from serving.console.language import spoken
from serving.console.text import label
from serving.plans.policy import read_policy


def action_title(action: str, title: str | None = None) -> str:
    """The title of an action in the language of the page; the plan's own where that is English or nobody translated it.

    >>> action_title("win_back_call"), action_title("win_back_call", "Ring them up"), action_title("own_idea")
    ('Win-back call', 'Ring them up', 'Own idea')
    """
    known = _titles().get(action, {})
    chinese = known.get("zh") if spoken() == "zh" else None
    return chinese or title or known.get("en") or label("action", action)


def title_in_words(title: str) -> str:
    """An English title of an action in the language of the page, where it is one that comes with Keepwell.

    >>> title_in_words("Win-back call"), title_in_words("Our own idea")
    ('Win-back call', 'Our own idea')
    """
    ours = {each["en"]: each for each in (*_titles().values(), _nothing())}
    return ours[title][spoken()] if title in ours else title


def is_known(action: str) -> bool:
    """Whether an action comes with Keepwell."""
    return action in _titles()


@cache
def _nothing() -> Mapping[str, str]:
    titles = read_policy().plan.do_nothing
    return {"en": titles.title, "zh": titles.title_zh}


@cache
def _titles() -> Mapping[str, Mapping[str, str]]:
    """Action -> language -> title, of the actions that come with Keepwell."""
    return {action.name: {"en": action.title, "zh": action.title_zh} for action in read_policy().actions}
