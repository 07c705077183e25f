"""The command that says what actions brought, and who gains by them: uplift."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands import pipeline
from commands.terminal import (
    AS_JSON,
    AS_OF,
    DATA,
    PATH,
    REPORT,
    SEED,
    TABLE_FILE,
    Days,
    OutFile,
    named_by,
    require_no_input,
    to_json,
    today,
)
from keepwell.errors import ConfigError
from keepwell.files import write_text
from keepwell.progress import Steps

if TYPE_CHECKING:
    import polars as pl

    from training.uplift.run import Asked
    from training.uplift.study import Judged, Study
    from training.uplift.table import Layout

LEAST_SHARE = 0.001


class OfArm(click.ParamType[tuple[str, str]]):
    """Something of one arm, as mail=0.5, or of every arm, as 0.5: the name of the arm is empty then."""

    name = "[ARM=]VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:  # noqa: ANN401, ARG002  # click's signature
        """Split at the last sign of equality."""
        if isinstance(value, tuple):
            return value
        arm, _, said = str(value).rpartition("=")
        return arm, said


@dataclass(frozen=True)
class Found:
    """What the command tells: the studies, what is to be said of them, the judgement of other customers, the rows to write."""

    studies: tuple[Study, ...]
    notes: tuple[str, ...]
    elsewhere: Judged | None
    rows: pl.DataFrame | None


@click.command()
@DATA
@click.option("--treatment", help="Of a table: the column that says who got what.")
@click.option("--control", help="Of a table: the value of --treatment that stands for nothing done.")
@click.option("--outcome", help="Of a table: the column of what came. Of a company: value (the default), stayed or converted.")
@click.option("--value", default="1", show_default=True, help="What one unit of the outcome is worth; of a table also a column.")
@click.option("--cost", "costs", type=OfArm(), multiple=True, help="What one treatment costs: .5, or mail=.5; may be repeated.")
@click.option(
    "--propensity",
    "chances",
    type=OfArm(),
    multiple=True,
    help="Column of the chance of treatment, or mail=COLUMN; may be repeated.",
)
@click.option("--customer", help="Of a table: the column of ids, where a customer may have several rows, and for --out.")
@click.option(
    "--feature", "features", multiple=True, help="Of a table: a column to tell customers apart by. Default: all others."
)
@click.option("--without", multiple=True, help="Of a table: a column that is no feature; may be repeated.")
@click.option(
    "--keep-column", "keep", multiple=True, help="Of a table: a feature although the arms differ in it; may be repeated."
)
@AS_OF
@click.option(
    "--horizon", type=Days(), default="90d", show_default=True, help="Of a company: the time after a contact that counts."
)
@click.option(
    "--share",
    type=click.FloatRange(LEAST_SHARE, 1),
    default=1.0,
    show_default=True,
    help="The most customers to treat, as a share.",
)
@click.option(
    "--apply", "others", type=PATH, help="Another table: tell its customers, and judge that if it says what came of them."
)
@click.option("--out", type=TABLE_FILE, help="Write what each customer is told to get: .parquet or .csv.")
@click.option("--evidence", type=OutFile(".json"), help="Of a company: write what `keepwell plan --evidence FILE` reads.")
@REPORT
@SEED
@AS_JSON
def uplift(
    data: Path,
    as_of: date | None,
    horizon: int,
    outcome: str | None,
    value: str,
    costs: tuple[tuple[str, str], ...],
    share: float,
    others: Path | None,
    out: Path | None,
    evidence: Path | None,
    report: Path | None,
    seed: int,
    as_json: bool,
    **columns: Any,  # noqa: ANN401  # the options that name columns of a table
) -> None:
    """What each action brought against a control drawn at random, and who gains by it.

    DATA is a company with contacts, or one table of an experiment: then --treatment, --control and --outcome name its columns.
    Figures are of customers that were not learned from.

    Example: keepwell uplift mailing.csv --treatment segment --control "No E-Mail" --outcome visit --value 1 --cost .04 --share .3
    """
    from training.uplift.run import Asked

    asked, prices = Asked(share, seed, Steps()), {arm: _number("--cost", cost) for arm, cost in costs}
    _require_apart(data, others, out, evidence, report)
    if (columns["treatment"] is None and not data.is_file()) or data.suffix in (".yaml", ".yml"):
        _refuse_for_companies(columns | {"others": others})
        day_and_horizon = (as_of, horizon)
        told, worth = out is not None, _number("--value", value)
        found = _of_company(data, day_and_horizon, outcome or "value", worth, prices, asked, told=told, evidence=evidence)
    elif evidence is not None:
        raise ConfigError("--evidence is for a company", hint="a plan learns from the contacts of its company: name its folder")
    else:
        layout = _layout(columns, outcome, value, prices)
        found = _of_table(data, layout, columns["keep"], others, asked, told=out is not None)
    _write(found, out, report, data.stem)
    for note in found.notes:
        click.echo(f"  {note}", err=True)
    click.echo(to_json(_as_dict(found)) if as_json else "\n".join(_lines(found)))


def _write(found: Found, out: Path | None, report: Path | None, name: str) -> None:
    """Write who is told to get what, and the report, where they are wanted."""
    if out is not None and found.rows is not None:
        from serving.batch.scoring import write_table

        write_table(found.rows, out)
    if report is not None:
        from training.card.document import to_html
        from training.uplift.report import page

        write_text(report, to_html(page(found.studies, f"What actions brought: {name}")))


def _layout(columns: dict[str, Any], outcome: str | None, value: str, prices: dict[str, float]) -> Layout:
    """Which column of the table is what."""
    from training.uplift.table import Layout

    lacking = [
        f"--{name}"
        for name, said in (("treatment", columns["treatment"]), ("control", columns["control"]), ("outcome", outcome))
        if said is None
    ]
    if lacking:
        hint = "say which column is the treatment, which value of it is the control, and which column is what came"
        raise ConfigError(f"a table of an experiment needs {' and '.join(lacking)}", hint=hint)
    return Layout(
        treatment=columns["treatment"],
        outcome=str(outcome),
        control=columns["control"],
        propensities=dict(columns["chances"]),
        customer=columns["customer"],
        features=columns["features"] or None,
        without=columns["without"],
        value=float(value) if _is_number(value) else value,
        cost=prices.get("", 0.0),
        costs={arm: cost for arm, cost in prices.items() if arm},
    )


def _of_table(data: Path, layout: Layout, keep: tuple[str, ...], others: Path | None, asked: Asked, *, told: bool) -> Found:
    from training.uplift.run import judge_table, study_table, table_rows
    from training.uplift.table import read_table

    with asked.progress.step(f"Reading {data}"):
        words = (layout.treatment, layout.customer)
        with named_by("DATA"):
            frame = read_table(data, words)
        with named_by("--apply"):
            other = None if others is None else read_table(others, words)
    made = study_table(frame, layout, keep, asked)
    elsewhere = None if other is None else judge_table(made, other, asked)
    rows = table_rows(made, other, frame, asked) if told else None
    return Found((made.study,), made.notes, elsewhere, rows)


def _of_company(
    data: Path,
    when: tuple[date | None, int],
    outcome: str,
    value: float,
    prices: dict[str, float],
    asked: Asked,
    *,
    told: bool,
    evidence: Path | None,
) -> Found:
    from commands.evidence import evidence_of
    from serving.plans.evidence import write_evidence
    from training.uplift.run import company_rows, study_company

    company = pipeline.read(data, asked.progress)
    as_of, horizon = when[0] or today(company), when[1]
    pipeline.tell_what_counts(company, as_of)
    studies, notes = study_company(company, as_of, asked, horizon_days=horizon, outcome=outcome, value=value, costs=prices)
    rows = company_rows(company, as_of, studies, value, asked) if told else None
    if evidence is not None:
        write_evidence(evidence_of(company, horizon, as_of), evidence)
    return Found(tuple(studies.values()), notes, None, rows)


def _lines(found: Found) -> list[str]:
    from training.uplift.report import judged_lines, lines

    told = [line for each in found.studies for line in lines(each)]
    return told if found.elsewhere is None else [*told, "other customers:", *judged_lines(found.elsewhere)]


def _as_dict(found: Found) -> dict[str, Any]:
    from training.uplift.report import as_dict, judged_facts

    elsewhere = None if found.elsewhere is None else judged_facts(found.elsewhere)
    return {"notes": found.notes, "experiments": [as_dict(each) for each in found.studies], "applied": elsewhere}


def _refuse_for_companies(columns: dict[str, Any]) -> None:
    """Raise ConfigError for an option that only a table of an experiment has."""
    options = {"chances": "propensity", "features": "feature", "keep": "keep-column", "others": "apply"}
    if given := [options.get(name, name) for name, said in columns.items() if said]:
        hint = "a company's contacts say who was treated; to study one table, name its file"
        raise ConfigError(f"--{given[0]} is for a table of an experiment", hint=hint)


def _require_apart(data: Path, others: Path | None, *written: Path | None) -> None:
    """Raise ConfigError where what is written would take the place of what is read."""
    for place in filter(None, written):
        if place.resolve() in {data.resolve(), *([others.resolve()] if others else [])}:
            raise ConfigError(f"{place} is read, so it cannot be written", hint="choose another name")
        if data.is_dir() or data.suffix in (".yaml", ".yml"):
            require_no_input(place, data)


def _number(option: str, text: str) -> float:
    if not _is_number(text):
        raise ConfigError(f"{option} {text!r} is no number", hint="write it as .5; of one arm as mail=.5")
    return float(text)


def _is_number(text: str) -> bool:
    """Whether a text is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
