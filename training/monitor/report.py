"""What the monitor saw, as one object: its status, its figures for MLflow, and a page for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from math import isnan
from typing import Any

from features.catalog import entry_of
from training.card.document import Block, Bullets, Heading, Paragraph, Picture, Table
from training.metrics.intervals import Interval
from training.monitor.drift import AucLoss, Distribution, Shift
from training.monitor.estimate import Estimate
from training.monitor.matured import KeptPromise
from training.monitor.pictures import shifts_against_limits, then_and_now
from training.monitor.tables import NewWords, TableState

FINE, DRIFT, DEGRADED = "fine", "drift", "degraded"

EXIT_CODES: Mapping[str, int] = {FINE: 0, DRIFT: 10, DEGRADED: 11}
"""What a scheduler acts on. Errors have 1 to 8 (`keepwell/errors.py`)."""

MEANING: Mapping[str, str] = {
    FINE: "nothing that asks for action",
    DRIFT: "the data are no longer what the model learned from: look at what moved, and train again if it is real",
    DEGRADED: "the model does not keep its promises: train again before its scores are used",
}
SHOWN_SHIFTS, SAID_SHIFTS = 20, 8


@dataclass(frozen=True)
class MonitorReport:
    """One look at a champion. `shifts` are sorted, the largest against their limits first; empty without a reference.

    `has_reference` is false for a model whose training left none: then drift of features and scores is not judged. `asked` is how
    many rows a service kept of what it was asked (None: nobody named them), `asked_shifts` how far they lie from the training.
    `remarks` say what else could not be judged.
    """

    company: str
    horizon_days: int
    version: str
    grade: str
    trained_as_of: date
    as_of: date
    data_until: date
    has_reference: bool
    shifts: tuple[Shift, ...]
    scores: tuple[Distribution, ...]
    tables: tuple[TableState, ...]
    new_words: tuple[NewWords, ...]
    estimate: Estimate
    auc_loss: AucLoss | None
    promises: tuple[KeptPromise, ...]
    asked: int | None = None
    asked_shifts: tuple[Shift, ...] = ()
    remarks: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """`degraded` where performance surely fell, else `drift` where data moved, else `fine`."""
        if list(self.broken_promises()):
            return DEGRADED
        return DRIFT if list(self.warnings()) else FINE

    @property
    def drifted(self) -> tuple[Shift, ...]:
        """The shifts beyond their limits."""
        return tuple(shift for shift in self.shifts if shift.is_drift)

    def broken_promises(self) -> Iterator[str]:
        """Where performance surely fell by more than matters, estimated or as it came; of a version the newest date counts."""
        if self.auc_loss is not None and self.auc_loss.is_degraded:
            loss = self.auc_loss
            yield f"the scores promise an AUC of {loss.now.value:.3f}, at training it was {loss.before:.3f}"
        for kept in self._newest_promises():
            yield from (f"as of {kept.as_of} (version {kept.model_version}): {trouble}" for trouble in kept.troubles)

    def warnings(self) -> Iterator[str]:
        """What has moved in the data by more than matters, chance and what is usual."""
        yield from (shift_in_words(shift) for shift in self.drifted)
        yield from self.asked_warnings()
        yield from self.table_warnings()

    def asked_warnings(self) -> Iterator[str]:
        """What the service was asked that the model has not learned from; of many columns, the first."""
        moved = [f"asked of the service: {shift_in_words(shift)}" for shift in self.asked_shifts if shift.is_drift]
        yield from moved[:SAID_SHIFTS]
        if len(moved) > SAID_SHIFTS:
            yield f"asked of the service: and {len(moved) - SAID_SHIFTS} other columns"

    def table_warnings(self) -> Iterator[str]:
        """What is wrong with the tables themselves."""
        yield from (f"{table.name}: {trouble}" for table in self.tables for trouble in table.troubles)
        for words in self.new_words:
            if words.is_trouble:
                yield f"{words.column}: {words.share:.1%} of the newest rows hold new values, as {words.values[0]!r}"

    def notes(self) -> Iterator[str]:
        """What could not be judged."""
        if not self.has_reference:
            yield "the training left no reference, so drift of features and scores is not judged: train again to have one"
        if self.asked is not None and not self.asked_shifts and self.has_reference:
            yield f"the service kept {self.asked:,} rows of this version: too few to be judged"
        yield from self.remarks
        if not self.promises and not self.remarks:
            yield f"no scores are older than the horizon of {self.horizon_days} days, so nothing was held against what came"

    def said(self) -> list[str]:
        """Everything that asks for attention in sentences; of many columns that moved, the first."""
        moved = [shift_in_words(shift) for shift in self.drifted]
        if len(moved) > SAID_SHIFTS:
            moved[SAID_SHIFTS:] = [f"and {len(moved) - SAID_SHIFTS} other columns: see the report"]
        return [*self.broken_promises(), *moved, *self.asked_warnings(), *self.table_warnings(), *self.notes()]

    def figures(self) -> dict[str, float]:
        """The figures for MLflow; names carry direction as in `training.metrics.intervals`."""
        estimated = self.estimate
        figures = {
            "customers": estimated.customers,
            "estimated/churn_auc": estimated.auc.value,
            "estimated/churn_log_loss": estimated.log_loss,
            "estimated/churn_share": estimated.churned,
            "estimated/churn_empc": estimated.profit,
            "estimated/value_campaign_profit": estimated.profit_own_value,
            "drifted_columns": len({shift.column for shift in self.drifted}),
        }
        figures |= {
            f"drift/{shift.column}": shift.value for shift in self.shifts if shift.measure == "distribution" and shift.is_score
        }
        if self.promises:
            kept = self.promises[-1]
            realised = {"churn_auc": kept.auc, "churn_log_loss": kept.log_loss, "value_total_ratio": kept.total_ratio}
            figures |= {f"realised/{name}": interval.value for name, interval in realised.items()}
        return figures

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values, the status and the sentences first."""
        said = {name: list(getattr(self, name)()) for name in ("broken_promises", "warnings", "notes")}
        plain: dict[str, Any] = _without_nan(asdict(self))
        return {"status": self.status, "exit_code": EXIT_CODES[self.status], **said, **plain}

    def page(self) -> list[Block]:
        """The report for people."""
        return [
            Heading(1, f"{self.company}: version {self.version} over {self.horizon_days} days, watched as of {self.as_of}"),
            Paragraph(f"Status: {self.status}, {MEANING[self.status]}."),
            Bullets(self.said()),
            Paragraph(
                f"Trained as of {self.trained_as_of}, grade {self.grade}. The data reach until {self.data_until}; "
                f"{self.estimate.customers:,} customers are scored."
            ),
            *_estimated(self.estimate, self.auc_loss),
            *_promises(self.promises),
            *_shifts(self.shifts, self.scores),
            *_tables(self.tables, self.new_words),
        ]

    def _newest_promises(self) -> list[KeptPromise]:
        """A promise that was broken once and kept since is over."""
        return list({kept.model_version: kept for kept in self.promises}.values())


def _without_nan(value: Any) -> Any:  # noqa: ANN401  # plain values, however nested
    """What is not known is null in JSON, which has no NaN."""
    if isinstance(value, dict):
        return {name: _without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and isnan(value) else value


def shift_in_words(shift: Shift) -> str:
    """One shift, with the plain name of its column.

    >>> shift_in_words(Shift("recency_days", "missing share", 0.3, 0.05, 0.0, 0.3, 0.2))
    'Days since last purchase (recency_days): missing for 30.0% of customers, at training 0.0%'
    """
    entry = entry_of(shift.column)
    name = f"{entry.title} ({shift.column})" if entry else shift.column
    if shift.measure == "missing share":
        return f"{name}: missing for {_percent(shift.now)} of customers, at training {_percent(shift.before)}"
    means = f"mean {_number(shift.now)}, at training {_number(shift.before)}"
    if shift.measure == "mean":
        return f"{name}: {means}"
    return f"{name}: distribution moved by {shift.value:.2f}, limit {shift.limit:.2f} ({means})"


def _estimated(estimated: Estimate, loss: AucLoss | None) -> list[Block]:
    before = "" if loss is None else f"{loss.before:.3f}"
    rows = [
        ["AUC of churn", _interval(estimated.auc), before],
        ["log loss of churn", f"{estimated.log_loss:.4f}", ""],
        ["share that will churn", f"{estimated.churned:.1%}", ""],
        ["profit a customer of the campaign (EMPC)", f"{estimated.profit:,.2f}", ""],
        ["the same with each customer's own value", f"{estimated.profit_own_value:,.2f}", ""],
    ]
    told = (
        "No label has come yet: these figures hold if the probabilities still mean what they say. Brackets hold the figure with "
        "90 % confidence. A change in how customers of one kind behave shows only when labels come. Profit is that of this "
        f"campaign: {estimated.campaign}."
    )
    return [Heading(2, "Estimated performance"), Paragraph(told), Table(["figure", "now", "at training"], rows)]


def _promises(promises: tuple[KeptPromise, ...]) -> list[Block]:
    if not promises:
        return []
    rows = [
        [
            str(kept.as_of),
            f"{kept.model_version} ({kept.source})",
            f"{kept.customers:,}",
            f"{kept.churned_promised:.1%} / {kept.churned.value:.1%}",
            f"{kept.auc_promised:.3f} / {_interval(kept.auc)}",
            _interval(kept.total_ratio),
            "; ".join(kept.troubles) or "kept",
        ]
        for kept in promises
    ]
    told = "Promised / came, brackets with 90 % confidence; the total is the value promised over the value that came."
    columns = ["as of", "version", "customers", "churned", "AUC", "total", ""]
    return [
        Heading(2, "Promises and what came"),
        Paragraph(told),
        Table(columns, rows),
    ]


def _shifts(shifts: tuple[Shift, ...], scores: tuple[Distribution, ...]) -> list[Block]:
    if not shifts:
        return []
    rows = [
        [shift.column, shift.measure, f"{shift.value:.3f}", f"{shift.limit:.3f}", "drift" if shift.is_drift else ""]
        for shift in shifts[:SHOWN_SHIFTS]
    ]
    told = f"The {len(rows)} of {len(shifts)} shifts that come nearest to their limits, or lie beyond."
    most = "The columns nearest to their limits; the table below has their figures."
    return [
        Heading(2, "Drift"),
        Picture("plots/drift.png", most, shifts_against_limits(shifts)),
        *(Picture(f"plots/{each.column}.png", _told(each), then_and_now(each)) for each in scores),
        Paragraph(told),
        Table(["column", "of its", "shift", "limit", ""], rows),
    ]


def _told(distribution: Distribution) -> str:
    """The picture of a score in words."""
    first, last = (f"{distribution.before[place]:.0%} then, {distribution.now[place]:.0%} now" for place in (0, -1))
    return f"{distribution.column} at training and now: in the lowest bin {first}; in the highest {last}."


def _tables(tables: tuple[TableState, ...], words: tuple[NewWords, ...]) -> list[Block]:
    columns = ["table", "rows, 28 days", "the 28 before", "silent days", "longest gap", ""]
    rows = [
        [
            table.name,
            *(map(_count, (table.rows, table.rows_before, table.silent_days, table.longest_gap_days))),
            "; ".join(table.troubles),
        ]
        for table in tables
    ]
    new = [f"{each.column}: {each.share:.1%} of the newest rows hold new values, as {', '.join(each.values)}" for each in words]
    return [Heading(2, "Tables"), Table(columns, rows), *([Bullets(new)] if new else [])]


def _interval(interval: Interval) -> str:
    return f"{interval.value:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"


def _number(value: float | None) -> str:
    return "missing" if value is None else f"{value:,.4g}"


def _count(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
