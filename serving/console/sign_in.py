"""The page to sign in on."""

from __future__ import annotations

from dataclasses import dataclass

from serving.console.frame import Frame
from serving.console.text import t


@dataclass(frozen=True)
class SignInPage:
    """The form: `onward` is where it leads, `name` what was tried, `refused` why that did not work (empty: nothing was tried).

    `frame` is always None: whoever has not signed in learns nothing of the scores.
    """

    onward: str
    name: str
    refused: str
    hint: str
    frame: Frame | None = None


def sign_in_page(onward: str, *, alone: bool, name: str = "", refused: str = "") -> SignInPage:
    """The page; `alone` is whether the console would open to anybody before people are set up, which asks for no hint."""
    return SignInPage(onward, name, t(f"sign_in.refused.{refused}") if refused else "", "" if alone else t("sign_in.hint"))
