"""What a study came to, as lines for people and as plain values for programs."""

from __future__ import annotations

from collections.abc import Iterator

from training.card.words import counted, number_text
from training.metrics.intervals import direction
from training.record import flat_settings
from training.tuning.objectives import DEFAULT
from training.tuning.run_study import StudyResult
from training.tuning.search import Trial


def lines(result: StudyResult) -> Iterator[str]:
    """The study as a person reads it."""
    study, chosen, best = result.study, result.study.chosen, result.study.best
    sought = " and ".join(f"{name} ({'higher' if direction(name) > 0 else 'lower'} is better)" for name in study.objectives)
    pruned = sum(trial.pruned for trial in study.trials)
    yield f"{result.company}: {counted(len(study.trials), 'trial')} for {result.horizon_days} days, as of {result.as_of}"
    yield f"sought     {sought}"
    yield f"judged at  {', '.join(map(str, result.dates))}, on labels known before the newest date of the backtest"
    if pruned:
        yield f"given up   {counted(pruned, 'trial')} early, being worse than the median"
    if chosen is None or best is None:
        return
    if len(study.front) > 1:
        yield f"front      {counted(len(study.front), 'trial')} unbeaten; the best is the one nearest to the best of both"
        for trial in study.front:
            yield f"           trial {trial.number}: {_figures(result, trial)}{'  <- best' if trial == best else ''}"
    yield f"default    {_figures(result, study.trials[0])}, trial 0"
    yield f"best       {_figures(result, best)}, trial {best.number}"
    kept = "the default settings, since the best are not surely better for other customers" if chosen != best else "the best"
    yield f"taken      {kept}"
    yield ""
    settings = flat_settings(chosen.recipe.as_dict())
    yield from (f"  {name} = {number_text(value)}" for name, value in settings.items())
    yield ""
    yield f"Train with it: {_command(result)}"


def _figures(result: StudyResult, trial: Trial) -> str:
    pairs = zip(result.study.objectives, trial.figures, strict=True)
    return ", ".join(f"{name} {number_text(figure)}" for name, figure in pairs)


def _command(result: StudyResult) -> str:
    asked = "".join(f" --objective {name}" for name in result.study.objectives if result.study.objectives != (DEFAULT,))
    seed = f" --seed {result.seed}" if result.seed else ""
    dated = f"--horizon {result.horizon_days}d --as-of {result.as_of}"
    return f"keepwell train DATA {dated} --trials {len(result.study.trials)}{asked}{seed}"


def as_dict(result: StudyResult) -> dict[str, object]:
    """The study as plain values."""
    study = result.study
    trials = [
        {
            "number": trial.number,
            "figures": dict(zip(study.objectives, trial.figures, strict=True)),
            "dates": trial.dates,
            "pruned": trial.pruned,
            "recipe": trial.recipe.as_dict(),
        }
        for trial in study.trials
    ]
    return {
        "company": result.company,
        "horizon_days": result.horizon_days,
        "as_of": result.as_of,
        "dates": result.dates,
        "objectives": study.objectives,
        "trials": trials,
        "front": [trial.number for trial in study.front],
        "best": study.best.number if study.best else None,
        "chosen": study.chosen.number if study.chosen else None,
        "recipe": study.recipe.as_dict(),
        "run_id": result.run_id,
    }
