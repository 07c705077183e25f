"""Take back what happened: outcomes are checked against what the store knows, and each counts once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from hashlib import blake2b
from math import isfinite
from typing import Any

from decisions.labels import Step
from decisions.plans.plan_rows import CONTROL
from decisions.policy import Policy
from keepwell.errors import DataError
from serving.store import Store
from serving.store.records import Assignment, Outcome, Recorded

OF_THE_CUSTOMER = (Step.DO_NOT_CONTACT, Step.CONTACT_AGAIN)
"""Steps that need no action: they are of the customer as a whole."""
REACHED = (Step.CONTACTED, Step.NOT_NOW, Step.ACCEPTED, Step.DECLINED)
"""Steps that nobody comes to who was not contacted."""
KEY_CHARACTERS = 200

LONGEST_MEMORY = timedelta(days=730)
"""Contacts before that stand against no action."""


def record_outcomes(
    store: Store,
    company: str,
    rows: Sequence[Outcome],
    *,
    policy: Policy,
    today: date,
    recorded_at: datetime,
    recorded_by: str | None = None,
    names_similar: bool = True,
) -> Recorded:
    """Write what happened, all of it or nothing; what is known under its key already counts once.

    `today` is the day in the company's zone, after which nothing can have happened yet. Raises DataError, which names the first
    that is wrong and the nearest that is known, for an unknown customer, action, step or reason, a day to come, a cost below
    zero, and for two outcomes of `rows` that share a key and differ. Without
    `names_similar` the words name no other customer: those who send outcomes need not know who there is.
    """
    keyed = _keyed(company, rows)
    _check(store, company, keyed, policy, today)
    _require_customers(store, company, keyed, names_similar=names_similar)
    planned = _by_customer(store.outcomes.assignments(company, {row.customer_id for row in keyed}))
    ready = [_with_plan(row, planned.get(row.customer_id, []), recorded_at, recorded_by) for row in keyed]
    new, differing = store.outcomes.add(company, ready)
    controls = sum(row["arm"] == CONTROL and row["step"] in REACHED for row in ready if row["key"] in new)
    return Recorded(len(new), len(rows) - len(new), len(differing), controls)


def default_key(company: str, row: Outcome) -> str:
    """The key of an outcome whose sender gave none: the same customer, action, day and step are the same outcome.

    >>> default_key("shop", Outcome("C1", "accepted", date(2026, 1, 5), "call"))
    'd31112ef20eb1fdf8b51ce8baf71a9d1'
    """
    parts = (company, row.customer_id, row.action or "", row.happened_on.isoformat(), row.step)
    return blake2b("\n".join(f"{len(part)} {part}" for part in parts).encode(), digest_size=16).hexdigest()


def _keyed(company: str, rows: Sequence[Outcome]) -> list[Outcome]:
    """Each outcome once, with its key. Raises DataError where two that differ share one."""
    found: dict[str, Outcome] = {}
    for row in rows:
        keyed = row if row.key else replace(row, key=default_key(company, row))
        key = str(keyed.key)
        if len(key) > KEY_CHARACTERS:
            raise _wrong("key", f"must have at most {KEY_CHARACTERS} characters", key[:60], "send a shorter key")
        if row.key and found.setdefault(key, keyed) != keyed:
            raise _wrong("key", "stands for two outcomes that differ", key, "give each outcome a key of its own, or none")
        found[key] = keyed
    return list(found.values())


def _check(store: Store, company: str, rows: Sequence[Outcome], policy: Policy, today: date) -> None:
    """Raise DataError for the first outcome that cannot be."""
    _require_known("step", [row.step for row in rows], [*map(str, Step)])
    _require_known("reason", [row.reason for row in rows if row.reason is not None], policy.plan.decline_reasons)
    needing = [row for row in rows if row.action is not None or row.step not in OF_THE_CUSTOMER]
    if any(row.action is None for row in needing):
        raise _wrong("action", "is missing", None, f"say which action; only {' and '.join(OF_THE_CUSTOMER)} need none")
    actions = {action.name for action in policy.actions}
    if met := {str(row.action) for row in needing} - actions:
        _require_known("action", sorted(met), sorted(actions | store.outcomes.planned_actions(company)))
    if late := [row.happened_on for row in rows if row.happened_on > today]:
        raise _wrong("on", f"must not be after {today}", str(late[0]), "record what has happened, once it has", len(late))
    if odd := [row.cost for row in rows if row.cost is not None and not (isfinite(row.cost) and row.cost >= 0)]:
        raise _wrong("cost", "must be a number of 0 or more", odd[0], "give what the contact cost, or nothing", len(odd))


def _require_known(column: str, words: Sequence[str], known: Sequence[str]) -> None:
    """Raise DataError for the first word that is not known, with the nearest that is."""
    wrong = [word for word in words if word not in known]
    if wrong:
        near = "".join(f"is it {other}? " for other in get_close_matches(wrong[0].strip().lower(), known, n=1, cutoff=0.5))
        raise _wrong(column, "is not known", wrong[0], f"{near}known are {', '.join(known)}", len(wrong))


def _require_customers(store: Store, company: str, rows: Sequence[Outcome], *, names_similar: bool) -> None:
    """Raise DataError for the first customer whom no scoring and no plan of the company knows."""
    asked = dict.fromkeys(row.customer_id for row in rows)
    known = store.outcomes.known_customers(company, asked)
    if wrong := [customer for customer in asked if customer not in known]:
        similar = store.outcomes.similar_customers(company, wrong[0]) if names_similar else []
        near = "".join(f"is it {other}? " for other in get_close_matches(wrong[0], similar, n=1, cutoff=0.5) or similar[:1])
        hint = f"{near}only customers who were scored or planned for {company!r} can have outcomes"
        raise _wrong("customer_id", f"is no customer of {company!r}", wrong[0], hint, len(wrong))


def _wrong(column: str, rule: str, example: object | None, hint: str, rows: int = 1) -> DataError:
    return DataError("outcomes", column, rule, hint=f"{hint}; nothing was written", rows=rows, example=example)


def _by_customer(planned: Collection[Assignment]) -> Mapping[str, list[Assignment]]:
    found: dict[str, list[Assignment]] = {}
    for assignment in planned:
        found.setdefault(assignment.customer_id, []).append(assignment)
    return found


def _with_plan(row: Outcome, planned: Sequence[Assignment], at: datetime, by: str | None) -> dict[str, Any]:
    """The columns of an outcome, with the newest plan that had the action in mind on its day, where there was one."""
    fitting = [one for one in planned if one.action == row.action and one.as_of <= row.happened_on]
    plan = fitting[-1] if fitting else None
    said = {name: getattr(row, name) for name in Outcome.__dataclass_fields__}
    arm = {name: getattr(plan, name, None) for name in ("plan_id", "arm", "propensity")}
    return {**said, **arm, "recorded_at": at, "recorded_by": by}
