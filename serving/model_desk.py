"""What the console tells of models, and going back to the one before: out of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from keepwell.errors import ModelError, RequestError
from training.registry import Registry

ALIASES = ("champion", "challenger", "previous")
CARD = "card.json"
MONITOR, REPORT = "keepwell/monitor", "report.json"


@dataclass(frozen=True)
class Version:
    """One version of a model. `gate` and `decided_by` are what its training and a person said (empty: nothing).

    `card` has the figures of its training as `training.card.figures` writes them; empty where it left none.
    """

    alias: str
    version: str
    family: str
    grade: str
    trained_as_of: date | None
    labels_until: date | None
    registered_at: datetime
    gate: str
    decided_by: str
    card: Mapping[str, Any]


class ModelDesk:
    """The models of a registry. All methods raise ModelError when it cannot be used."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def first(self, company: str | None, horizon_days: int | None) -> tuple[str, int] | None:
        """The first model of this company and horizon (None: of any); None where there is none."""
        known = self._registry.models()
        return next((key for key in known if company in (None, key[0]) and horizon_days in (None, key[1])), None)

    def versions(self, company: str, horizon_days: int) -> tuple[Version, ...]:
        """The champion, the challenger and the previous champion, as far as there are any."""
        found = ((alias, self._registry.version(company, horizon_days, alias)) for alias in ALIASES)
        return tuple(self._told(company, horizon_days, alias, version) for alias, version in found if version is not None)

    def watched(self, company: str, horizon_days: int) -> Mapping[str, Any] | None:
        """The newest report of `keepwell monitor` on a champion, as its JSON has it; None before the first."""
        return self._registry.newest_logged(MONITOR, company, horizon_days, REPORT)

    def roll_back(self, company: str, horizon_days: int, to: str, *, by: str, reason: str) -> str | None:
        """Let the champion and the one before it, `to`, change places; the version that was replaced.

        Raises RequestError where another version is the previous one by now, ModelError where it cannot be read.
        """
        # MLflow takes seconds that a start has not.
        from training.registry.promotion import rollback  # noqa: PLC0415  # see above

        if self._registry.version(company, horizon_days, "previous") != to:
            raise RequestError(
                f"version {to[:20]!r} is no longer the previous one",
                hint="look again: the champion has changed",
                status=409,
                code="champion_changed",
            )
        return rollback(self._registry, company, horizon_days, by=by, reason=reason).replaced

    def _told(self, company: str, horizon_days: int, alias: str, version: str) -> Version:
        tags = self._registry.tags(company, horizon_days, version)
        return Version(
            alias=alias,
            version=version,
            family=tags.get("family", ""),
            grade=tags.get("grade", ""),
            trained_as_of=_day(tags.get("trained_as_of")),
            labels_until=_day(tags.get("labels_until")),
            registered_at=self._registry.registered_at(company, horizon_days, version),
            gate=tags.get("gate", ""),
            decided_by=tags.get("decided_by", ""),
            card=self._registry.trained_with(company, horizon_days, version, CARD) or {},
        )


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise ModelError(f"a version has the date {text!r}", hint="train again") from error
