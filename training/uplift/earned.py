"""What actions earned: treated against controls, with bounds that a draw of few controls does not mislead.

What customers spend is skewed: a few bring most. With few controls a standard error is then small just where their mean is low,
and an action without any effect looks as if it surely paid, up to four times as often as it should. So the bounds come from the
draw itself: if the action does the same for each, what would the estimate be, had the arms been drawn otherwise? Each experiment
is drawn again many times with its own chances, and the spread of these estimates is that of ours (Fisher 1935, "The Design of
Experiments"). Estimates are weighted by the inverse of the chances, and adjusted for what each customer was expected to bring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import polars as pl

from keepwell.errors import DataError
from training.arrays import Flags, Floats
from training.metrics.intervals import CONFIDENCE
from training.uplift.contacts import action_experiment
from training.uplift.data import CONTROL, LEAST_IN_ARM, Experiment

DRAWS = 999
CELLS = 4_000_000
"""Draws times customers that are in memory at once."""
SEED = 0
NO_CONTROLS = "nobody was left alone as a control, so what it brought cannot be known"


@dataclass(frozen=True)
class Earned:
    """What `treated` customers brought beyond what they would have, in all, and what they cost.

    `errors` (DRAWS,) are what the estimate is off by in other draws; `unknown` says why nothing is known, and all else is then 0.
    """

    treated: int = 0
    cost: float = 0.0
    value: float = 0.0
    errors: Floats = field(default_factory=lambda: np.zeros(DRAWS), repr=False, compare=False)
    unknown: str = ""

    @property
    def bounds(self) -> tuple[float, float]:
        """The 90 % interval of the value: where an estimate is too high in other draws, ours may be, too."""
        low, high = np.quantile(self.errors, ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2))
        return self.value - float(high), self.value - float(low)


def earned(rows: pl.DataFrame) -> dict[str, Earned]:
    """What each action earned, by its name; an action may have several experiments, as those of two plans.

    `rows` has one row for each customer and action: customer_id, action, experiment, arm, propensity (null: the share of the
    arms), cost, value, and expected_value, that of the scoring before. All count who were drawn, reached or not.
    """
    drawn = rows.filter(pl.col("arm").is_not_null())
    of_action = {str(name): part for (name,), part in drawn.partition_by("action", as_dict=True, maintain_order=True).items()}
    return {name: _earned(name, of_action.get(name, drawn.clear())) for name in rows["action"].unique(maintain_order=True)}


def together(found: Iterable[Earned]) -> Earned:
    """All that is known, as one: values, costs and errors add up, for draws are independent."""
    known = [each for each in found if not each.unknown]
    if not known:
        return Earned(unknown="no action had enough controls")
    treated, cost, value = (sum(getattr(each, name) for each in known) for name in ("treated", "cost", "value"))
    return Earned(treated, cost, value, np.sum([each.errors for each in known], axis=0))


def _earned(action: str, drawn: pl.DataFrame) -> Earned:
    if drawn.filter(pl.col("arm") == "control").is_empty():
        return Earned(unknown=NO_CONTROLS)
    parts = drawn.partition_by("experiment", maintain_order=True)
    found = [_of_experiment(action, part, (SEED, crc32(action.encode()), place)) for place, part in enumerate(parts)]
    whole = together(found)
    return Earned(unknown=found[0].unknown) if whole.unknown else whole


def _of_experiment(action: str, rows: pl.DataFrame, seed: Sequence[int]) -> Earned:
    """What one experiment of an action earned; each has a `seed` of its own, or its draws would be those of another."""
    controls, treated = (rows.filter(pl.col("arm") == arm).height for arm in ("control", "treated"))
    if min(controls, treated) < LEAST_IN_ARM:
        told = (
            f"{controls:,} control{'' if controls == 1 else 's'} and {treated:,} treated, and {LEAST_IN_ARM} of each are needed"
        )
        return Earned(unknown=f"what it brought cannot be known: {told}")
    mean = rows["expected_value"].mean()
    features = rows.select(pl.col("expected_value").fill_null(0.0 if mean is None else mean))
    try:
        experiment = action_experiment(action, rows, "value", features)
    except DataError as error:  # chances that cannot be
        return Earned(unknown=f"what it brought cannot be known: {error.message.removeprefix(f'{action}: ')}")
    effect, errors = effect_with_errors(experiment, seed)
    return Earned(treated, float(rows["cost"].sum()), treated * effect, treated * errors)


def effect_with_errors(experiment: Experiment, seed: int | Sequence[int]) -> tuple[float, Floats]:
    """The mean effect of treatment a customer, and what it is off by in DRAWS other draws of the same customers (DRAWS,)."""
    treated, chance = experiment.arm != CONTROL, 1 - experiment.propensity[:, CONTROL]
    left = experiment.outcome - _explained(experiment, treated, chance)
    effect = _difference(left, treated, chance)
    return effect, _drawn_again(left - effect * treated, chance, np.random.default_rng(seed))


def _drawn_again(without: Floats, chance: Floats, random: np.random.Generator) -> Floats:
    """The difference of the arms in DRAWS other draws of customers (n,) for whom treatment does nothing; 0 for an empty arm."""
    columns = np.column_stack([without / chance, 1 / chance, without / (1 - chance), 1 / (1 - chance)])
    found = []
    for some in np.array_split(np.arange(DRAWS), -(-DRAWS * len(chance) // CELLS)):
        drawn = (random.random((len(some), len(chance)), dtype=np.float32) < chance).astype(np.float64)
        sums = drawn @ columns
        rest = columns.sum(axis=0) - sums
        full = (drawn.sum(axis=1) > 0) & (drawn.sum(axis=1) < len(chance))
        with np.errstate(divide="ignore", invalid="ignore"):
            found.append(np.where(full, sums[:, 0] / sums[:, 1] - rest[:, 2] / rest[:, 3], 0.0))
    return np.concatenate(found)


def _explained(experiment: Experiment, treated: Flags, chance: Floats) -> Floats:
    """What the feature (n, 1) explains of the outcome, by one slope within the arms."""
    x, y = (_within(column, treated, chance) for column in (experiment.matrix[:, 0], experiment.outcome))
    spread = float(x @ x)
    slope = float(x @ y) / spread if spread > 0 else 0.0
    return slope * experiment.matrix[:, 0]


def _within(column: Floats, treated: Flags, chance: Floats) -> Floats:
    """Each row's distance from the mean of its arm."""
    return column - np.where(treated, _mean(column, treated, chance), _mean(column, ~treated, 1 - chance))


def _difference(column: Floats, treated: Flags, chance: Floats) -> float:
    """The mean of the treated less that of the controls, each row weighted by the inverse of its chance."""
    return _mean(column, treated, chance) - _mean(column, ~treated, 1 - chance)


def _mean(column: Floats, some: Flags, chance: Floats) -> float:
    weights = 1 / chance[some]
    return float(weights @ column[some] / weights.sum())
