"""The card with which somebody works on a customer: whose the customer is, what can be done, what has happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from decisions.labels import Step
from serving.console import format as show
from serving.console.actions import action_title
from serving.console.roles import Right, Visitor
from serving.console.text import label, t
from serving.store.records import PlanItem
from serving.store.work import Happening

TAKE, GIVE_BACK = "take", "give_back"
"""What a form may ask for beside the steps of `decisions.labels.Step`."""

OF_THE_ACTION = (Step.CONTACTED, Step.ACCEPTED, Step.DECLINED, Step.NOT_NOW)
"""The steps that are recorded of an action which somebody has taken."""

LONGEST_NOTE = 4_000
"""Characters."""


@dataclass(frozen=True)
class Button:
    """Sends `step`; `quiet` ones do not stand out."""

    step: str
    name: str
    quiet: bool = False


@dataclass(frozen=True)
class Told:
    """One thing that was recorded: its words, when and by whom, and a note."""

    words: str
    when: str
    note: str


@dataclass(frozen=True)
class WorkCard:
    """`standing` says whose the customer is; `reasons` (word, name) are those of a refusal, where one can be told."""

    standing: str
    buttons: tuple[Button, ...]
    reasons: tuple[tuple[str, str], ...]
    takes_note: bool
    happened: tuple[Told, ...]
    done: str = ""


@dataclass(frozen=True)
class Standing:
    """What is known of the work on a customer: the plan's item, whether they are a control, since when they are left alone."""

    item: PlanItem | None
    control: bool
    left_alone_since: date | None
    happened: Sequence[Happening]


def work_card(visitor: Visitor, known: Standing, decline_reasons: Sequence[str], done: str = "") -> WorkCard:
    """The card as `visitor` sees it; `done` is the step that was recorded just now (empty: none)."""
    buttons = _buttons(visitor, known) if visitor.may(Right.ACT) else ()
    steps = {button.step for button in buttons}
    return WorkCard(
        standing=_standing(visitor, known),
        buttons=buttons,
        reasons=tuple((word, label("decline", word)) for word in decline_reasons) if Step.DECLINED in steps else (),
        takes_note=bool(steps - {TAKE, GIVE_BACK}),
        happened=tuple(map(_told, known.happened)),
        done=t("work.done", step=_step_name(done)) if done else "",
    )


def _standing(visitor: Visitor, known: Standing) -> str:
    if known.left_alone_since is not None:
        return t("work.left_alone", since=show.day(known.left_alone_since))
    if known.control:
        return t("work.control")
    if known.item is None:
        return ""
    if known.item.taken_by is None:
        return t("work.assigned", who=known.item.assigned_to) if known.item.assigned_to else t("work.free")
    since = show.day(known.item.taken_at.date()) if known.item.taken_at else show.MISSING
    key = "work.yours" if known.item.taken_by == visitor.name else "work.taken"
    return t(key, who=known.item.taken_by, since=since)


def _buttons(visitor: Visitor, known: Standing) -> tuple[Button, ...]:
    """What the visitor may do now: a customer of somebody else's, a control, and whoever wants to be left alone stay so.

    That a customer wants to be left alone may be written down by whoever hears of it.
    """
    leave = (Button(Step.DO_NOT_CONTACT, t("work.do_not_contact"), quiet=True),)
    if known.left_alone_since is not None:
        return (Button(Step.CONTACT_AGAIN, t("work.contact_again"), quiet=True),)
    if known.control or known.item is None or known.item.taken_by not in (None, visitor.name):
        return leave
    if known.item.taken_by is None:
        return (Button(TAKE, t("work.take")), *leave)
    steps = tuple(Button(step, _step_name(step)) for step in OF_THE_ACTION)
    return (*steps, *leave, Button(GIVE_BACK, t("work.give_back"), quiet=True))


def _told(happened: Happening) -> Told:
    words = _step_name(happened.step)
    if happened.action:
        words = t("work.told", step=words, action=action_title(happened.action))
    if happened.reason:
        words = t("work.told.reason", words=words, reason=label("decline", happened.reason))
    when = show.day(happened.happened_on)
    return Told(words, t("work.told.by", when=when, who=happened.by) if happened.by else when, happened.note or "")


def _step_name(step: str) -> str:
    return t(f"step.{step}")
