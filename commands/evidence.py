"""What came of actions, as a plan reads it: from the contacts of the company, or from a file that was written of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keepwell.errors import ConfigError, DataError, HistoryError
from keepwell.files import write_text

if TYPE_CHECKING:
    from decisions.actions import Effect
    from decisions.evidence import Measured
    from decisions.policy import Policy
    from features.company import Company

AUTO, NONE = "auto", "none"
HINT = "name a file that `keepwell uplift --evidence` wrote, or say auto or none"


@dataclass(frozen=True)
class Evidence:
    """What contacts known before `as_of` say of actions, by the `horizon_days` after each; `notes` tell what they cannot say."""

    company: str
    as_of: date
    horizon_days: int
    measured: tuple[Measured, ...]
    notes: tuple[str, ...] = ()


def evidence_of(company: Company, horizon_days: int, as_of: date) -> Evidence:
    """What the contacts of a company say of each action, as far as they were drawn at random and their horizon is over."""
    from training.uplift_contacts import known_contacts

    if not {"contacts", "transactions"} <= {*company.tables} or "arm" not in company.tables["contacts"].columns:
        return Evidence(company.key, as_of, horizon_days, ())
    try:
        rows = known_contacts(company, horizon_days, as_of).rows
    except HistoryError as error:
        return Evidence(company.key, as_of, horizon_days, (), (error.message,))
    found, notes = [], []
    for (action,), part in rows.group_by("action", maintain_order=True):
        try:
            found.append(_measured(str(action), part))
        except (HistoryError, DataError) as error:
            notes.append(f"{action} keeps its prior: {error.message}")
    return Evidence(company.key, as_of, horizon_days, tuple(found), tuple(notes))


def _measured(action: str, rows: Any) -> Measured:  # noqa: ANN401  # polars is imported by whoever made the rows
    """What came of one action, treated against controls."""
    from decisions.evidence import Measured
    from training.uplift_contacts import action_experiment
    from training.uplift_effects import arm_effects

    [stayed], [value] = (arm_effects(action_experiment(action, rows, outcome)) for outcome in ("stayed", "value"))
    return Measured(
        action=action,
        treated=stayed.treated,
        controls=stayed.controls,
        stayed=stayed.best.value,
        stayed_error=stayed.best.standard_error,
        controls_left=1 - stayed.control,
        value=value.best.value,
        value_error=value.best.standard_error,
        controls_value=value.control,
    )


def effects_and_notes(evidence: Evidence | None, policy: Policy) -> tuple[dict[str, Effect], tuple[str, ...]]:
    """The effect to expect of each action, by its name, and what a plan says of the evidence; no evidence changes no prior.

    Priors and evidence are weighed by the rule of `decisions.evidence`.
    """
    from decisions.actions import prior_effect
    from decisions.evidence import estimates, posterior

    if evidence is None:
        return {}, ()
    actions = {action.name: action for action in policy.actions}
    told = (estimates(one, actions[one.action]) for one in evidence.measured if one.action in actions)
    found = posterior(policy, [estimate for some in told for estimate in some])
    learned = sum(found[name].basis != prior_effect(action).basis for name, action in actions.items())
    if not learned:
        return found, evidence.notes
    line = f"contacts before {evidence.as_of} tell what to expect of {learned} of {len(actions)} actions (column evidence)"
    return found, (line, *evidence.notes)


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


def _from_json(content: Mapping[str, Any]) -> Evidence:
    from decisions.evidence import Measured

    rows: Sequence[Mapping[str, Any]] = content["measured"]
    measured = [Measured(**row) for row in rows]
    for one in measured:
        for field in fields(one)[1:]:
            if not isinstance(value := getattr(one, field.name), int | float) or not math.isfinite(value):
                raise ValueError(f"{field.name} of {one.action} must be a finite number, found {value!r}")
    day = date.fromisoformat(content["as_of"])
    return Evidence(str(content["company"]), day, int(content["horizon_days"]), tuple(measured), tuple(content.get("notes", ())))
