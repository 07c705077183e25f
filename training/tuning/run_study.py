"""A study by itself: recipes tried at past dates, each a nested run in MLflow, nothing registered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from features.checks.check import require_history
from features.company import Company
from keepwell.errors import HistoryError
from keepwell.progress import Progress, Silent
from training.data import training_data
from training.fitting import LEAST_CLASS, LEAST_ROWS
from training.record import flat_settings, log_inputs
from training.registry import Registry, model_name
from training.run import known_until, one_blas_thread
from training.tuning.objectives import checked
from training.tuning.rehearsal import rehearsals
from training.tuning.search import Tuned
from training.tuning.study import Study, study_name, tuned

EXPERIMENT = "keepwell/tune"


@dataclass(frozen=True)
class StudyResult:
    """What a study of a company came to; `dates` are those on which recipes were judged, newest first."""

    company: str
    horizon_days: int
    as_of: date
    dates: tuple[date, ...]
    seed: int
    study: Tuned
    run_id: str


def run_study(
    company: Company,
    horizon_days: int,
    as_of: date,
    *,
    trials: int,
    seed: int,
    objectives: Sequence[str],
    registry: Registry,
    progress: Progress = Silent(),
) -> StudyResult:
    """Carry a study of `trials` through, from what was known before `as_of`; it is the one that `train` goes on with.

    HistoryError where no past date can be judged, ConfigError for unknown objectives.
    """
    sought = checked(objectives)
    require_history(company, as_of, horizon_days)
    known = known_until(company, as_of)
    data = training_data(known, horizon_days, as_of, progress)
    dates = tuple(rehearsal.as_of for rehearsal in rehearsals(data))
    if not dates:
        raise HistoryError(
            f"no past date can judge settings for a horizon of {horizon_days} days: it takes {LEAST_ROWS} customers then, and "
            f"{LEAST_ROWS} rows before, with {LEAST_CLASS} who churned and {LEAST_CLASS} who did not in both",
            hint="bring more customers, or three horizons of history and more; `keepwell train --trials 0` needs no study",
        )
    settings = {"horizon_days": horizon_days, "as_of": as_of, "trials": trials, "seed": seed, "objective": " and ".join(sought)}
    settings["campaign"] = company.campaign.told
    with one_blas_thread(), registry.run(EXPERIMENT, f"{model_name(known.key, horizon_days)} as of {as_of}") as run:
        fingerprint = log_inputs(run, known, data, settings)
        study = Study(registry.study_storage(), trials, seed, sought, study_name(data, seed, fingerprint))
        found = tuned(data, run, study, progress)
        run.log_params(flat_settings(found.recipe.as_dict(), "recipe."))
        if found.chosen:
            run.log_metrics(dict(zip(sought, found.chosen.figures, strict=True)))
            run.log_tags({"chosen_trial": found.chosen.number})
        run.log_dict(found.recipe.as_dict(), "recipe.json")
    return StudyResult(known.key, horizon_days, as_of, dates, seed, found, run.id)
