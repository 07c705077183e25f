"""The page to sign in on."""

from __future__ import annotations

from dataclasses import dataclass

from serving.console.frame import Frame
from serving.console.text import t


@dataclass(frozen=True)
class SignInPage:
    """The form: `onward` is where it leads, `name` what was tried, `refused` why that did not work (empty: nothing was tried).

    `note` is what was written about a customer in a session that was over by then; it goes on to their page.

    `frame` is always None: whoever has not signed in learns nothing of the scores.
    """

    onward: str
    name: str
    refused: str
    hint: str
    customer_id: str = ""
    note: str = ""
    frame: Frame | None = None


def sign_in_page(
    onward: str, *, alone: bool, name: str = "", refused: str = "", customer_id: str = "", note: str = ""
) -> SignInPage:
    """The page; `alone` is whether the console would open to anybody before people are set up, which asks for no hint."""
    told, hint = t(f"sign_in.refused.{refused}") if refused else "", "" if alone else t("sign_in.hint")
    return SignInPage(onward, name, told, hint, customer_id, note)
