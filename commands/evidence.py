"""What came of actions, counted among the contacts of a company: for plans, and for those who make them without the data."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from keepwell.errors import DataError, HistoryError
from serving.plans.evidence import Evidence

if TYPE_CHECKING:
    from decisions.plans.evidence import Measured
    from features.company import Company

AUTO, NONE = "auto", "none"


def evidence_of(company: Company, horizon_days: int, as_of: date) -> Evidence:
    """What the contacts of a company say of each action, as far as they were drawn at random and their horizon is over."""
    from training.uplift.contacts import known_contacts

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
    from decisions.plans.evidence import Measured
    from training.uplift.contacts import action_experiment
    from training.uplift.effects import arm_effects

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
