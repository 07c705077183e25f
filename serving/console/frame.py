"""What stands around every page: which scores are shown, and what is stale or missing about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from serving.console import format as show
from serving.console.text import label, meaning, t
from serving.store.records import Load

STALE_AFTER_DAYS = 7
"""Scores older than this, or made from data older than this, are called out."""


@dataclass(frozen=True)
class Notice:
    """A sentence that somebody should act on, and the command that helps (empty: none)."""

    text: str
    command: str = ""


@dataclass(frozen=True)
class Frame:
    """The head of a page: finished texts about the load that is shown, whose id is `load_id`."""

    load_id: int
    company: str
    as_of: str
    horizon: str
    data_until: str
    model: str
    grade: str
    grade_meaning: str
    notices: tuple[Notice, ...]


def frame(load: Load, today: date) -> Frame:
    """The head for `load` as it looks on the day `today`."""
    return Frame(
        load_id=load.id,
        company=load.company,
        as_of=show.day(load.as_of),
        horizon=t("days", count=load.horizon_days),
        data_until=show.day(load.data_until),
        model=t("head.model_name", family=label("family", load.model_family), version=load.model_version),
        grade=load.grade,
        grade_meaning=meaning("grade", load.grade),
        notices=tuple(notices(load, today)),
    )


def notices(load: Load, today: date) -> list[Notice]:
    """What is stale or weak about the scores of `load`, in plain sentences."""
    found = []
    age_days, gap_days = (today - load.as_of).days, (load.as_of - load.data_until).days - 1
    if age_days > STALE_AFTER_DAYS:
        found.append(Notice(t("notice.stale", as_of=show.day(load.as_of), age=t("days", count=age_days)), t("command.score")))
    if gap_days > STALE_AFTER_DAYS:
        found.append(Notice(t("notice.gap", until=show.day(load.data_until), gap=t("days", count=gap_days))))
    if load.grade == "D":
        found.append(Notice(t("notice.weak"), t("command.train")))
    return found
