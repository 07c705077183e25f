"""The page of who saw and did what: newest first, of one person, of one customer, or all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keepwell.errors import RequestError
from serving.console import format as show
from serving.console.frame import Frame
from serving.console.sentences import in_words
from serving.console.text import known, label, t
from serving.console.urls import Urls
from serving.store.audit import FORGOTTEN, Deed

PAGE_SIZE = 50
LAST_NUMBER = 2**63 - 1
RECORDED = "recorded "
"""What the audit calls an outcome begins so; the step follows."""


@dataclass(frozen=True)
class AuditQuery:
    """Of whom deeds are asked: of one person or key, about one customer, before one deed; empty and None mean of all."""

    who: str = ""
    customer_id: str = ""
    before: int | None = None

    @classmethod
    def read(cls, parameters: Mapping[str, str]) -> AuditQuery:
        """Read the parameters of a URL. Raises RequestError for a `before` that numbers no deed.

        >>> AuditQuery.read({"who": " ann ", "before": "70"})
        AuditQuery(who='ann', customer_id='', before=70)
        """
        before = parameters.get("before", "")
        if before and not (before.isascii() and before.isdigit() and 0 < int(before[:20]) <= LAST_NUMBER):
            raise RequestError(f"there is no deed {before[:30]!r}", hint="go back to the newest ones", field="before")
        who, customer_id = (parameters.get(name, "").strip() for name in ("who", "customer"))
        return cls(who, customer_id, int(before) if before else None)

    def parameters(self, before: int | None = None) -> dict[str, str]:
        """What leads to the same deeds from `before` on (None: from the newest)."""
        given = {"who": self.who, "customer": self.customer_id, "before": "" if before is None else str(before)}
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class DeedLine:
    """One deed; `customer_link` is empty where it was about no customer."""

    when: str
    who: str
    who_link: str
    what: str
    customer: str
    customer_link: str
    detail: str


@dataclass(frozen=True)
class AuditPage:
    """The deeds that were asked for; `people` are names to choose from, `newest` and `older` lead on where not empty."""

    frame: Frame | None
    who: str
    customer_id: str
    people: tuple[str, ...]
    lines: tuple[DeedLine, ...]
    newest: str
    older: str


def audit_page(
    frame: Frame | None, query: AuditQuery, deeds: Sequence[tuple[int, Deed]], *, people: Sequence[str], urls: Urls
) -> AuditPage:
    """Put the page together; `deeds` are with their numbers, one more than are shown where there are older ones."""
    shown = deeds[:PAGE_SIZE]
    return AuditPage(
        frame=frame,
        who=query.who,
        customer_id=query.customer_id,
        people=tuple(people),
        lines=tuple(_line(deed, urls) for _, deed in shown),
        newest=urls.audit(query.parameters()) if query.before is not None else "",
        older=urls.audit(query.parameters(shown[-1][0])) if len(deeds) > PAGE_SIZE else "",
    )


def _line(deed: Deed, urls: Urls) -> DeedLine:
    linked = deed.customer_id not in (None, FORGOTTEN)
    return DeedLine(
        when=show.moment(deed.at),
        who=deed.actor,
        who_link=urls.audit({"who": deed.actor}),
        what=_what(deed.what),
        customer=t("audit.forgotten") if deed.customer_id == FORGOTTEN else deed.customer_id or "",
        customer_link=urls.customer(str(deed.customer_id)) if linked else "",
        detail=in_words(deed.detail or ""),
    )


def _what(what: str) -> str:
    """A deed in the words of the page.

    >>> _what("signed in"), _what("recorded accepted"), _what("something of a later version")
    ('Signed in', 'Recorded: Accepted', 'Something of a later version')
    """
    step = f"step.{what.removeprefix(RECORDED)}"
    if what.startswith(RECORDED) and known(step):
        return t("deed.recorded", step=t(step))
    return label("deed", what)
