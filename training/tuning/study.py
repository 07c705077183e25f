"""A study that is kept and recorded: the search of `training.tuning.search` under its name, each trial a nested run."""

from __future__ import annotations

from dataclasses import dataclass, replace

from features.campaign import DEFAULT_CAMPAIGN
from keepwell.progress import Progress, Silent
from training.data import TrainingData
from training.record import log_trial
from training.registry import Run
from training.tuning.objectives import DEFAULT
from training.tuning.search import Trial, Tuned, tune


@dataclass(frozen=True)
class Study:
    """What is asked of a study, and the database and name under which it is kept and resumed."""

    storage_url: str | None
    trials: int
    seed: int
    objectives: tuple[str, ...] = (DEFAULT,)
    name: str = "keepwell"

    def named(self, name: str) -> Study:
        """The same study under a name of its own."""
        return replace(self, name=name)


def study_name(data: TrainingData, seed: int, fingerprint: str) -> str:
    """The name of a study: whatever would change its trials is in it, but for their number, so that a longer one goes on."""
    name = f"{data.company} {data.horizon_days}d as of {data.as_of}, seed {seed}, {fingerprint[:16]}"
    return name if data.campaign == DEFAULT_CAMPAIGN else f"{name}, {data.campaign.told}"


def tuned(data: TrainingData, run: Run | None, study: Study, progress: Progress = Silent()) -> Tuned:
    """Carry a study through; each of its trials is a nested run of `run`, those of an earlier, broken attempt too."""

    def on_trial(trial: Trial) -> None:
        if run is not None:
            figures = dict(zip(study.objectives, trial.figures, strict=True)) | {"dates": float(trial.dates)}
            log_trial(run, trial.number, trial.recipe.as_dict(), figures, pruned=trial.pruned)
        progress.count(trial.number + 1, study.trials)

    with progress.step(f"tuning, {study.trials} trials"):
        return tune(
            data,
            trials=study.trials,
            seed=study.seed,
            objectives=study.objectives,
            storage_url=study.storage_url,
            study_name=study.name,
            on_trial=on_trial,
        )
