"""The whole of `keepwell uplift`: from a table or a company's contacts to studies, and to what each customer is told to get."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.company import Company
from features.panel import build_panel
from keepwell.errors import ConfigError, HistoryError
from keepwell.progress import Progress
from training.arrays import Floats
from training.uplift.contacts import OUTCOMES, action_experiment, contact_features, known_contacts, moderators
from training.uplift.data import CONTROL
from training.uplift.model import Uplift
from training.uplift.policy import best_arms, net_gains
from training.uplift.study import Judged, Study, judge_elsewhere, study, unbalanced
from training.uplift.table import Encoding, Layout, encoding_of, require_columns, table_experiment


@dataclass(frozen=True)
class Asked:
    """How to study: the share of the customers that may be treated at most, the seed, who is told of progress."""

    share: float
    seed: int
    progress: Progress


@dataclass(frozen=True)
class TableStudy:
    """The study of a table, how its columns were read, and what is to be said of them."""

    study: Study
    layout: Layout
    encoding: Encoding
    notes: tuple[str, ...]


def study_table(frame: pl.DataFrame, layout: Layout, keep: Collection[str], asked: Asked) -> TableStudy:
    """Study the experiment in a table without the columns in which its arms differ more than chance allows, but those to `keep`.

    What differs was written down after the treatment, or because of it. Raises what `table_experiment` raises.
    """
    require_columns(frame, [*layout.named, *keep])
    every = encoding_of(frame, layout)
    with asked.progress.step("Comparing the arms"):
        experiment = table_experiment(frame, layout, every)
        odd = unbalanced(experiment)
    columns = dict.fromkeys(column for (column, _), name in zip(every.columns, every.names, strict=True) if name in odd)
    left_out = [column for column in columns if column not in keep]
    encoding = Encoding(tuple(each for each in every.columns if each[0] not in left_out))
    kept = [place for place, (column, _) in enumerate(every.columns) if column not in left_out]
    chosen = replace(experiment, names=encoding.names, matrix=experiment.matrix[:, kept])
    done = study(chosen, share=asked.share, seed=asked.seed, progress=asked.progress)
    return TableStudy(done, layout, encoding, tuple(_notes(frame, layout, encoding, left_out)))


def judge_table(made: TableStudy, frame: pl.DataFrame, asked: Asked) -> Judged | None:
    """Judge the model of a study on the customers of another table; None where the table does not say what came of them."""
    if made.study.model is None or not {made.layout.treatment, made.layout.outcome} <= set(frame.columns):
        return None
    experiment = table_experiment(frame, made.layout, made.encoding)
    if experiment.arms != made.study.experiment.arms:
        raise ConfigError(
            f"the arms of the second table are {', '.join(experiment.arms)}",
            hint=f"the model knows {', '.join(made.study.experiment.arms)}: bring customers of these",
        )
    with asked.progress.step("Judging the choice of other customers"):
        return judge_elsewhere(made.study.model, experiment, share=asked.share, seed=asked.seed)


def table_rows(made: TableStudy, frame: pl.DataFrame | None, learned_from: pl.DataFrame, asked: Asked) -> pl.DataFrame:
    """What each customer of a table is told to get (`told_rows`); of the table learned from where `frame` is None."""
    judged, model = _learned(made.study)
    table = learned_from if frame is None else frame
    uplift = judged.uplift if frame is None else model.uplift(made.encoding.matrix(table))
    ids = pl.Series("row", range(len(table))) if made.layout.customer is None else table[made.layout.customer]
    return told_rows(ids, {"": (made.study, uplift)}, made.layout.worth(table), asked)


def study_company(
    company: Company, as_of: date, asked: Asked, *, horizon_days: int, outcome: str, value: float, costs: Mapping[str, float]
) -> tuple[dict[str, Study], tuple[str, ...]]:
    """(the study of each action of the company's contacts, by its name; what is to be said of those that cannot be studied).

    A treatment costs what `costs` say of its action, or of "", all actions; else the mean cost of the contacts.

    Raises ConfigError for an outcome that contacts do not have, HistoryError where no action can be studied.
    """
    if outcome not in OUTCOMES:
        raise ConfigError(
            f"contacts have no outcome {outcome!r}", hint=f"say --outcome {', '.join(OUTCOMES[:-1])} or {OUTCOMES[-1]}"
        )
    contacts = known_contacts(company, horizon_days, as_of)
    names = moderators(company, contacts.rows, as_of)
    with asked.progress.step("Building features at the days of the contacts"):
        features = contact_features(company, contacts.rows, names, asked.progress)
    studies, refused = {}, []
    for (action,), rows in contacts.rows.with_row_index("place").group_by("action", maintain_order=True):
        try:
            experiment = action_experiment(str(action), rows, outcome, features[rows["place"]])
        except HistoryError as error:
            refused.append(error)
            continue
        cost = costs.get(str(action), costs.get("", float(experiment.costs[1])))
        priced = replace(experiment, worth=np.full(len(experiment), value), costs=np.array([0.0, cost]))
        studies[str(action)] = study(priced, share=asked.share, seed=asked.seed, progress=asked.progress)
    if not studies:
        raise refused[0]
    if unknown := sorted(set(costs) - {"", *studies}):
        raise ConfigError(f"--cost names {unknown[0]!r}, which is no action", hint=f"actions are {', '.join(studies)}")
    left_out = tuple(f"left out: {count:,} contacts {why}" for why, count in contacts.left_out.items())
    return studies, (*left_out, *(f"left out: {error.message}" for error in refused), *_doubts(studies))


def company_rows(company: Company, as_of: date, studies: Mapping[str, Study], value: float, asked: Asked) -> pl.DataFrame:
    """What each customer of a company is told to get at `as_of` (`told_rows`), of the actions that could be learned."""
    learned = {action: each for action, each in studies.items() if each.model is not None}
    if not learned:
        _learned(next(iter(studies.values())))
    with asked.progress.step("Building features of today's customers"):
        names = next(iter(learned.values())).experiment.names
        panel = build_panel(company, [as_of], names)
        matrix = panel.select(pl.col(names).fill_null(np.nan)).to_numpy()
    told = {action: (each, _learned(each)[1].uplift(matrix)) for action, each in learned.items()}
    return told_rows(panel["customer_id"], told, np.full(len(panel), value), asked)


def told_rows(ids: pl.Series, told: Mapping[str, tuple[Study, Uplift]], worth: Floats, asked: Asked) -> pl.DataFrame:
    """One row for each customer and arm but the controls: what the arm is told to do, and whether it is the one to choose.

    A unit of the outcome is worth `worth` (n,) of each customer.

    Columns: the id, arm, uplift, uplift_low, uplift_high (in units of the outcome), net_gain (in money), chosen (the arm that
    gains most, at most one a customer, for at most the share that was asked), do_not_disturb (the arm surely does harm).
    """
    places = [(each, uplift, place) for each, uplift in told.values() for place in range(CONTROL + 1, len(each.experiment.arms))]
    gains = [net_gains(uplift, worth, each.experiment.costs)[:, place] for each, uplift, place in places]
    best = best_arms(np.column_stack([np.zeros(len(ids)), *gains]), asked.share, asked.seed)
    frames = [
        _arm_frame(ids, each, uplift, place).with_columns(net_gain=pl.Series(gain), chosen=pl.Series(best == number))
        for number, ((each, uplift, place), gain) in enumerate(zip(places, gains, strict=True), start=1)
    ]
    columns = (ids.name, "arm", "uplift", "uplift_low", "uplift_high", "net_gain", "chosen", "do_not_disturb")
    return pl.concat(frames).select(columns)


def _arm_frame(ids: pl.Series, of: Study, uplift: Uplift, place: int) -> pl.DataFrame:
    """The rows of one arm."""
    arm = of.experiment.arms[place]
    return ids.to_frame().with_columns(
        arm=pl.lit(arm),
        uplift=pl.Series(uplift.effect[:, place]),
        uplift_low=pl.Series(uplift.low[:, place]),
        uplift_high=pl.Series(uplift.high[:, place]),
        do_not_disturb=pl.Series(_harmed(of, uplift.high[:, place], arm)),
    )


def _harmed(of: Study, high: Floats, arm: str) -> NDArray[np.bool_]:
    """Whose upper bound is below zero, where what came of such customers confirmed it."""
    confirmed = of.judged is not None and bool(of.judged.harmed[arm][0].any())
    harmed: NDArray[np.bool_] = (high < 0) & confirmed
    return harmed


def _learned(of: Study) -> tuple[Judged, Any]:
    if of.judged is None or of.model is None:
        hint = "bring more rows, or features to tell customers apart by; the average effects need neither"
        raise HistoryError("nothing can be said of single customers", hint=hint)
    return of.judged, of.model


def _notes(frame: pl.DataFrame, layout: Layout, encoding: Encoding, left_out: list[str]) -> list[str]:
    """What a reader should know of the columns."""
    told = [
        f"{column} differs between the arms, so it was written down after the draw: left out; if it was known before, "
        f"say --keep-column {column}"
        for column in left_out
    ]
    apart = {*layout.named, *left_out, *(column for column, _ in encoding.columns)}
    useless = [column for column in frame.columns if column not in apart]
    if layout.features is None and useless:
        told.append(f"no feature is made of {', '.join(useless)}: texts without common values")
    return told


def _doubts(studies: Mapping[str, Study]) -> list[str]:
    """Actions whose arms were not alike before they were drawn."""
    return [
        f"{action}: treated and controls differ before the contact, so they were hardly drawn: {', '.join(each.unbalanced)}"
        for action, each in studies.items()
        if each.unbalanced
    ]
