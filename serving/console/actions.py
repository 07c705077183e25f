"""What an action is called on a page: the plan keeps one title, the catalogue that comes with Keepwell has two."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from serving.console.language import spoken
from serving.console.text import label
from serving.policy import read_policy


def action_title(action: str, title: str | None) -> str:
    """The title of an action in the language of the page; the plan's own where that is English or nobody translated it.

    >>> action_title("win_back_call", "Win-back call"), action_title("own_idea", None)
    ('Win-back call', 'Own idea')
    """
    translated = _in_chinese().get(action) if spoken() == "zh" else None
    return translated or title or label("action", action)


@cache
def _in_chinese() -> Mapping[str, str]:
    return {action.name: action.title_zh for action in read_policy().actions if action.title_zh}
