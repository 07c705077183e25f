"""What came of actions, as plans read it: figures of a company's contacts, kept as small files for whoever has no data.

    evidence/shop/2026-04-01_90d.json

Evidence is counted where the data are; a service finds the newest that was known on the day of its scores.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from keepwell.errors import ConfigError, StoreError
from keepwell.files import write_text

if TYPE_CHECKING:
    from decisions.plans.actions import Effect
    from decisions.plans.evidence import Measured
    from decisions.policy import Policy

HINT = "name a file that `keepwell uplift --evidence` wrote, or say auto or none"
MOST_KEPT = 12
"""Files of one company; the oldest dates beyond are removed."""


@dataclass(frozen=True)
class Evidence:
    """What contacts known before `as_of` say of actions, by the `horizon_days` after each; `notes` tell what they cannot say."""

    company: str
    as_of: date
    horizon_days: int
    measured: tuple[Measured, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Expected:
    """The effect to expect of each action, by its name (none: the policy's priors), and what a plan says of that."""

    effects: Mapping[str, Effect]
    notes: tuple[str, ...]


def expected_effects(evidence: Evidence | None, policy: Policy) -> Expected:
    """What a plan expects of actions: priors and evidence, by the rule of `decisions.plans.evidence`; None changes no prior."""
    # What follows takes numbers and solvers, and reading a file does not.
    from decisions.plans.actions import prior_effect  # noqa: PLC0415  # see above
    from decisions.plans.evidence import estimates, posterior  # noqa: PLC0415  # see above

    if evidence is None:
        return Expected({}, ())
    actions = {action.name: action for action in policy.actions}
    told = (estimates(one, actions[one.action]) for one in evidence.measured if one.action in actions)
    found = posterior(policy, [estimate for some in told for estimate in some])
    learned = sum(found[name].basis != prior_effect(action).basis for name, action in actions.items())
    if not learned:
        return Expected(found, evidence.notes)
    line = f"contacts before {evidence.as_of} tell what to expect of {learned} of {len(actions)} actions (column evidence)"
    return Expected(found, (line, *evidence.notes))


def write_evidence(evidence: Evidence, path: Path) -> None:
    """Write the evidence as JSON, for `keepwell plan --evidence FILE`."""
    write_text(path, json.dumps(asdict(evidence), indent=2, default=str, ensure_ascii=False) + "\n")


def read_evidence(path: Path, *, as_of: date, horizon_days: int, company: str | None) -> Evidence:
    """The evidence in a file for a plan of that date and horizon; `company` None: any.

    Raises ConfigError where it is none, of another company or horizon, or of days that the plan cannot know of.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        found = _from_json(content)
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise ConfigError(f"the evidence {path} cannot be read: {error}", hint=HINT) from None
    if found.as_of > as_of:
        told = f"the evidence is of contacts until {found.as_of}, and the plan is of {as_of}"
        raise ConfigError(told, hint="a plan knows only what came before it: make the evidence with that --as-of")
    if found.horizon_days != horizon_days:
        told = f"the evidence is of {found.horizon_days} days after a contact, and the plan of {horizon_days}"
        raise ConfigError(told, hint=f"make the evidence with --horizon {horizon_days}d")
    if company is not None and found.company != company:
        raise ConfigError(f"the evidence is of {found.company!r}, and the plan of {company!r}", hint=HINT)
    return found


class EvidenceShelf:
    """The evidence below `folder`, which is made when the first is kept."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, evidence: Evidence) -> Path:
        """Write evidence, in the place of what was kept of the same date, and give its file.

        Raises StoreError where it cannot be written.
        """
        file = self._place(evidence.company) / f"{evidence.as_of}_{evidence.horizon_days}d.json"
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_evidence(evidence, file)
            for old in self._files(evidence.company, evidence.horizon_days)[MOST_KEPT:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"the evidence cannot be kept: {error}", hint="look at the folder and its rights") from error
        return file

    def expected(self, company: str, horizon_days: int, as_of: date, policy: Policy) -> Expected:
        """What a plan of that date expects of actions, by the newest evidence known then; without any the priors stand."""
        known = [file for file in self._files(company, horizon_days) if file.name[:10] <= as_of.isoformat()]
        if not known:
            nothing = f"what actions do is taken from the policy: no evidence of contacts before {as_of} is kept"
            return Expected({}, (nothing,))
        try:
            evidence = read_evidence(known[0], as_of=as_of, horizon_days=horizon_days, company=company)
        except ConfigError as error:
            return Expected({}, (f"what actions do is taken from the policy: {error.message}",))
        return expected_effects(evidence, policy)

    def _files(self, company: str, horizon_days: int) -> list[Path]:
        """Of one company and horizon, the newest date first."""
        return sorted(self._place(company).glob(f"????-??-??_{horizon_days}d.json"), reverse=True)

    def _place(self, company: str) -> Path:
        return self.folder / quote(company, safe=" ").replace(".", "%2E")  # `..` is a name, too


def _from_json(content: Mapping[str, Any]) -> Evidence:
    from decisions.plans.evidence import Measured  # noqa: PLC0415  # as above

    rows: Sequence[Mapping[str, Any]] = content["measured"]
    measured = [Measured(**row) for row in rows]
    for one in measured:
        for field in fields(one)[1:]:
            if not isinstance(value := getattr(one, field.name), int | float) or not math.isfinite(value):
                raise ValueError(f"{field.name} of {one.action} must be a finite number, found {value!r}")
    day = date.fromisoformat(content["as_of"])
    return Evidence(str(content["company"]), day, int(content["horizon_days"]), tuple(measured), tuple(content.get("notes", ())))
