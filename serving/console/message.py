"""A page that has one thing to say: an error, or that there is nothing to show yet."""

from __future__ import annotations

from dataclasses import dataclass

from keepwell.errors import KeepwellError
from serving.console.frame import Frame
from serving.console.sentences import said
from serving.console.text import known, t


@dataclass(frozen=True)
class MessagePage:
    """A title, a sentence, the way out, and commands that help; `frame` is always None: there are no scores to speak of."""

    title: str
    text: str
    hint: str
    commands: tuple[str, ...] = ()
    frame: Frame | None = None


def empty_page() -> MessagePage:
    """What a store without scores shows: how to fill it."""
    commands = (t("command.train"), t("command.score"), t("command.plan"))
    return MessagePage(t("empty.title"), t("empty.text"), t("empty.hint"), commands)


def no_review_page() -> MessagePage:
    """What the page of reviews shows before the first one is made."""
    return MessagePage(t("no_review.title"), t("no_review.text"), t("no_review.hint"), (t("command.review"),))


def no_models_page(*, exported: bool) -> MessagePage:
    """What the page of models shows where there are none, or where they were `exported` from somewhere else."""
    title = t("no_models.title")
    if exported:
        return MessagePage(title, t("no_models.exported"), "")
    return MessagePage(title, t("no_models.text"), t("no_models.hint"), (t("command.train"),))


def status_page(status: int) -> MessagePage:
    """The page of an HTTP status that has no better explanation."""
    key = f"error.{status}" if known(f"error.{status}") else "error.500"
    return MessagePage(t(key), t(f"{key}.text"), t("error.hint"))


def no_customer_page(customer_id: str) -> MessagePage:
    """The page for an id that the scores do not hold."""
    return MessagePage(t("no_customer.title"), t("no_customer.text", customer_id=customer_id), t("no_customer.hint"))


def error_page(error: KeepwellError, status: int) -> MessagePage:
    """The page of an error of our own, which brings its way out."""
    key = f"error.{status}" if known(f"error.{status}") else "error.500"
    return MessagePage(t(key), said(error.message), said(error.hint))
