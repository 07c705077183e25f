"""What a person decides about champions: promote a version, or go back to the one before. Each decision is a run in MLflow."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from features.catalog import entry_of
from keepwell.errors import ModelError
from training.registry.client import Registry
from training.registry.mlflow_home import model_name

if TYPE_CHECKING:
    from training.loading import Predictor

EXPERIMENT = "keepwell/promotions"
GATE = "gate"
"""The tag of a version that holds what the gate said of it."""

ALIASES = ("champion", "challenger", "previous")


@dataclass(frozen=True)
class Decision:
    """Who made which version the champion in the place of which (None: of none), and why.

    `gate` is what its training said of it.
    """

    company: str
    horizon_days: int
    change: str
    version: str
    replaced: str | None
    family: str
    grade: str
    trained_as_of: str
    gate: str
    by: str
    reason: str


def promote(registry: Registry, company: str, horizon_days: int, version: str, *, by: str, reason: str) -> Decision:
    """Make a version the champion, named by its number or by an alias such as `challenger`; the champion so far becomes previous.

    Raises ModelError where there is no such version, it cannot be read, or it is the champion already.
    """
    number = _numbered(registry, company, horizon_days, version)
    replaced = registry.version(company, horizon_days, "champion")
    if replaced == number:
        hint = "name another version, or nothing needs doing"
        raise ModelError(f"version {number} of {model_name(company, horizon_days)} is the champion already", hint=hint)
    scorer = readable(registry, company, horizon_days, number)
    registry.promote(company, horizon_days, number)
    return _recorded(registry, scorer, change="promote", replaced=replaced, by=by, reason=reason)


def rollback(registry: Registry, company: str, horizon_days: int, *, by: str, reason: str) -> Decision:
    """Let the champion and the one before it change places, so that a second rollback undoes the first.

    The champion itself is not read: it may be damaged. Raises ModelError where there is no previous one, or it cannot be read.
    """
    champion, previous = (registry.version(company, horizon_days, alias) for alias in ("champion", "previous"))
    if previous is None:
        hint = "the first champion has none before it; to take another version: keepwell promote DATA VERSION"
        raise ModelError(f"{model_name(company, horizon_days)} has no previous champion to go back to", hint=hint)
    scorer = readable(registry, company, horizon_days, previous)
    registry.swap_previous(company, horizon_days, previous)
    return _recorded(registry, scorer, change="rollback", replaced=champion, by=by, reason=reason)


def readable(registry: Registry, company: str, horizon_days: int, version: str) -> Predictor:
    """The scorer of a version; ModelError where it is damaged, or reads a feature that this version of Keepwell does not have."""
    scorer = registry.scorer(company, horizon_days, version)
    if unknown := [name for name in scorer.info.feature_names if entry_of(name) is None]:
        raise ModelError(
            f"version {version} reads the feature {unknown[0]!r}, which this version of Keepwell does not have",
            hint="use the version of Keepwell that trained it, or train again",
        )
    return scorer


def _numbered(registry: Registry, company: str, horizon_days: int, version: str) -> str:
    if version not in ALIASES:
        return version
    number = registry.version(company, horizon_days, version)
    if number is None:
        hint = "a training names its candidate so where the gate refuses it; else name a version by its number"
        raise ModelError(f"{model_name(company, horizon_days)} has no {version}", hint=hint)
    return number


def _recorded(registry: Registry, scorer: Predictor, *, change: str, replaced: str | None, by: str, reason: str) -> Decision:
    """Log the decision as a run of its own, whose time is MLflow's, and note it on the version."""
    info = scorer.info
    company, horizon_days, version = info.company, info.horizon_days, info.version
    gate = registry.tags(company, horizon_days, version).get(GATE, "")
    facts = (info.family, info.grade, str(info.trained_as_of))
    decision = Decision(company, horizon_days, change, version, replaced, *facts, gate, by, reason)
    with registry.run(EXPERIMENT, f"{change} {model_name(company, horizon_days)} to version {version}") as run:
        run.log_params(asdict(decision))
        run.log_tags({"company": company, "horizon_days": horizon_days, "change": change})
        run.log_note(f"{by} made version {version} the champion in place of {replaced or 'none'}. {reason}".strip())
    registry.tag(company, horizon_days, version, {"decided_by": by, "decided_because": reason, "decided_in_run": run.id})
    return decision
