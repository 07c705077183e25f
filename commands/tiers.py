"""Commands about all customers together: tiers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands import pipeline
from commands.terminal import AS_JSON, PATH, POLICY, TABLE_FILE, require_no_input, to_json
from keepwell.errors import ConfigError, DataError
from keepwell.progress import Steps

if TYPE_CHECKING:
    import polars as pl

    from decisions.migration import Flow
    from decisions.rollup import Group
    from serving.batch.tier_report import Concentration

MOST_GROUPS_SHOWN = 20


@click.command()
@click.argument("scores", type=PATH)
@click.option("--scheme", default="value_tier", show_default=True, help="The words to count: value_tier, abc_class, quadrant ...")
@click.option("--previous", type=PATH, help="The scores of an earlier date: who moved, and with how much value.")
@click.option("--data", type=PATH, help="The company, for --by.")
@click.option("--by", help="Add customers up by this column of customers: kind, account_id, owner ...")
@POLICY
@click.option("--out", type=TABLE_FILE, help="Where to write the groups of --by: .parquet or .csv.")
@AS_JSON
def tiers(
    scores: Path,
    scheme: str,
    previous: Path | None,
    data: Path | None,
    by: str | None,
    policy: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Who brings the value: tiers in figures, how uneven they are, who moved, group by group.

    Example: keepwell tiers scores.parquet --previous last-month.parquet --data shop --by owner
    """
    from serving.plans.planning import read_scores

    if out is not None and data is not None:
        require_no_input(out, data)
    if (data is None) != (by is None) or (out is not None and by is None):
        raise ConfigError("--data, --by and --out belong together", hint="say --data DATA --by owner [--out groups.csv]")
    frame = read_scores(scores)
    report = _report(frame, scheme, None if previous is None else _earlier(previous, frame))
    if data is not None and by is not None:
        report["groups"] = _groups(frame, data, by, policy=policy, out=out)
    click.echo(to_json(_plain(report)) if as_json else _in_words(report, scheme, by))


def _earlier(path: Path, scores: pl.DataFrame) -> pl.DataFrame:
    from serving.plans.planning import read_scores

    frame = read_scores(path)
    if frame["as_of"][0] >= scores["as_of"][0]:
        rule = f"is {frame['as_of'][0]}, which is not before {scores['as_of'][0]}"
        raise DataError("scores", "as_of", rule, hint="name the scores of an earlier date in --previous")
    return frame


def _report(scores: pl.DataFrame, scheme: str, previous: pl.DataFrame | None) -> dict[str, Any]:
    from serving.batch.tier_report import concentration, flows, words_in_figures

    return {
        "as_of": scores["as_of"][0],
        "customers": scores.height,
        "concentration": {name: concentration(scores[name]) for name in ("expected_value", "current_value")},
        "words": words_in_figures(scores, scheme),
        "previous_as_of": None if previous is None else previous["as_of"][0],
        "flows": None if previous is None else flows(previous, scores, scheme),
    }


def _groups(scores: pl.DataFrame, data: Path, by: str, *, policy: Path | None, out: Path | None) -> pl.DataFrame:
    from serving.batch.scoring import write_table
    from serving.batch.tier_report import groups
    from serving.plans.policy import read_policy

    rules, company = read_policy(policy), pipeline.read(data, Steps())
    table = groups(scores, company, by, rules)
    if out is not None:
        write_table(table, out)
    return table


def _plain(report: dict[str, Any]) -> dict[str, Any]:
    """The report as plain values, missing figures null."""
    plain = report | {
        "concentration": {
            name: {"customers": {str(share): part for share, part in each.customers.items()}, "gini": each.gini}
            for name, each in report["concentration"].items()
        },
        "words": [vars(group) for group in report["words"]],
        "flows": None if report["flows"] is None else [vars(flow) for flow in report["flows"]],
    }
    if "groups" in report:
        plain["groups"] = report["groups"].to_dicts()
    return dict(_without_nan(plain))


def _without_nan(value: Any) -> Any:  # noqa: ANN401  # any value that JSON holds
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _in_words(report: dict[str, Any], scheme: str, by: str | None) -> str:
    parts = [
        f"{report['customers']:,} customers as of {report['as_of']}, by {scheme}",
        _figures(scheme, report["words"]),
        "\n".join(_uneven(name, each) for name, each in report["concentration"].items()),
    ]
    if report["flows"] is not None:
        parts += [f"Since {report['previous_as_of']}, with expected values then and now", _moved(report["flows"])]
    if by is not None:
        parts.append(_shown_groups(report["groups"], by))
    return "\n\n".join(parts)


def _figures(scheme: str, words: Sequence[Group]) -> str:
    whole = sum(group.expected_value for group in words)
    header = (scheme, "customers", "churn", "expected value", "of all", "last 365 days", "value at risk", "lifetime value")
    rows = [
        (
            group.name or "none",
            f"{group.customers:,}",
            _share(group.churn_probability),
            f"{group.expected_value:,.0f}",
            _share(group.expected_value / whole if whole > 0 else math.nan),
            *(f"{amount:,.0f}" for amount in (group.current_value, group.value_at_risk, group.lifetime_value)),
        )
        for group in words
    ]
    return table(header, rows)


def _uneven(name: str, spread: Concentration) -> str:
    if math.isnan(spread.gini):
        return f"{name}: nobody brings any"
    told = ", ".join(f"{part:.1%} of customers bring {share:.0%}" for share, part in spread.customers.items())
    return f"{name}: {told} (Gini {spread.gini:.2f})"


def _moved(flows: Iterable[Flow]) -> str:
    rows = [
        (
            flow.was or "not scored",
            flow.now or "not scored",
            *(f"{each:,.0f}" for each in (flow.customers, flow.value_before, flow.value_now)),
        )
        for flow in flows
    ]
    return table(("was", "is", "customers", "value then", "value now"), rows, texts=2)


def _shown_groups(groups: pl.DataFrame, by: str) -> str:
    words = [name for name in (by, "value_tier") if name in groups.columns]
    amounts = ("expected_value", "current_value", "value_at_risk", "lifetime_value")
    header = (*words, "customers", "churn", "expected value", "last 365 days", "value at risk", "lifetime value")
    rows = [
        (
            *(row[name] or "none" for name in words),
            f"{row['customers']:,}",
            _share(row["churn_probability"]),
            *(f"{row[name]:,.0f}" for name in amounts),
        )
        for row in groups.head(MOST_GROUPS_SHOWN).iter_rows(named=True)
    ]
    more = groups.height - len(rows)
    return table(header, rows, texts=len(words)) + (f"\n... and {more:,} more: --out writes them all" if more else "")


def _share(share: float) -> str:
    return "" if math.isnan(share) else f"{share:.1%}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1) -> str:
    """Rows under their header, in columns as wide as they need to be: the first `texts` to the left, figures to the right.

    >>> print(table(("tier", "customers"), [("VIP", "7"), ("small", "800")]))
    tier   customers
    VIP            7
    small        800
    """
    lines = [header, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header))]
    aligned = (
        "  ".join(
            cell.ljust(width) if place < texts else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    )
    return "\n".join(line.rstrip() for line in aligned)
