"""Commands about what customers are worth: lifetime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from commands import pipeline
from commands.terminal import AS_JSON, PATH, POLICY, TABLE_FILE, require_no_input, to_json
from commands.tiers import table
from keepwell.errors import ConfigError
from keepwell.progress import Steps

if TYPE_CHECKING:
    import polars as pl

    from decisions.policy import Policy

PARTS = ("first_purchase", "repeats", "cross_sell", "service_savings", "referral", "price_premium")
MOST_BRANDS_SHOWN = 15


class Lever(click.ParamType[tuple[str, float]]):
    """A lever and its value, as margin=0.3."""

    name = "LEVER=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, float]:  # noqa: ANN401  # click's signature
        """Read `lever=number`; wrong text is a usage error."""
        if isinstance(value, tuple):
            return value
        lever, _, number = str(value).partition("=")
        try:
            return lever, float(number)
        except ValueError:
            self.fail(f"{value!r} is no lever with a number; write it as margin=0.3", param, ctx)


@click.command()
@click.argument("scores", type=PATH)
@click.option("--data", type=PATH, help="The company: what customers brought so far, and where their value comes from.")
@click.option(
    "--what-if",
    "levers",
    type=Lever(),
    multiple=True,
    help="Another retention (points), income (share), margin, discount_rate, years, referral_rate, keep_cost, marketing_cost, "
    "as margin=0.3; may be given again.",
)
@click.option("--switching", type=click.Choice(["brand", "category"]), help="How spend goes from one to another; needs --data.")
@POLICY
@click.option("--out", type=TABLE_FILE, help="Where to write a row per customer: .parquet or .csv.")
@AS_JSON
def lifetime(
    scores: Path,
    data: Path | None,
    levers: tuple[tuple[str, float], ...],
    switching: str | None,
    policy: Path | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """What customers are worth over the years: with intervals, in parts, under other terms, and by brand.

    Example: keepwell lifetime scores.parquet --data shop --what-if retention=0.05 --out lifetimes.parquet
    """
    from serving.plans.planning import read_scores
    from serving.plans.policy import read_policy

    if switching is not None and data is None:
        raise ConfigError("--switching reads sales, and there is no --data", hint="say --data DATA")
    _require_own_place(out, scores, data)
    rules, frame = read_policy(policy), read_scores(scores)
    customers, report = _worth(frame, rules, data, switching)
    if levers:
        from serving.batch.lifetime_report import what_if

        report["what_if"] = what_if(frame, rules, dict(levers))
    if out is not None:
        from serving.batch.scoring import write_table

        write_table(customers, out)
    click.echo(to_json(report) if as_json else _in_words(report, dict(levers)))


def _require_own_place(out: Path | None, scores: Path, data: Path | None) -> None:
    """Nothing that is read is written over."""
    if out is not None and out.resolve() == scores.resolve():
        raise ConfigError(f"{out} holds the scores, which are read", hint="choose another name for --out")
    if out is not None and data is not None:
        require_no_input(out, data)


def _worth(scores: pl.DataFrame, policy: Policy, data: Path | None, switching: str | None) -> tuple[pl.DataFrame, dict[str, Any]]:
    """A row per customer, and what they add up to."""
    from serving.batch.lifetime_report import brand_shares, lifetime_sources, lifetimes

    customers = lifetimes(scores, policy)
    report: dict[str, Any] = {
        "as_of": scores["as_of"][0],
        "customers": scores.height,
        "years": policy.lifetime.years,
        "discount_rate": policy.lifetime.discount_rate,
    }
    if data is not None:
        company = pipeline.read(data, Steps())
        sources, report["notes"] = lifetime_sources(scores, company, policy)
        customers = customers.hstack(sources.drop("customer_id"))
        if switching is not None:
            scope, shares = brand_shares(scores, company, switching, policy)
            report["switching"] = {"of": switching, "scope": scope, "brands": [asdict(each) for each in shares]}
    report["equity"] = {name: customers[name].sum() for name in customers.columns if name not in {"customer_id", *INTERVAL}}
    return customers, report


INTERVAL = ("lifetime_low", "lifetime_high")


def _in_words(report: Mapping[str, Any], levers: Mapping[str, float]) -> str:
    equity = report["equity"]
    years = f"{report['years']:g} years at {report['discount_rate']:.1%} a year"
    head = f"{report['customers']:,} customers as of {report['as_of']}, {years}"
    totals = [(f"{name} value", f"{equity[key]:,.0f}") for name, key in _totals(equity).items()]
    pieces = [head, table(("customer equity", "sum"), totals)]
    if "whole_value" in equity:
        pieces.append(table(("of the whole value", "sum"), [(name.replace("_", " "), f"{equity[name]:,.0f}") for name in PARTS]))
        pieces.append("\n".join(f"note: {note}" for note in report["notes"]))
    if "what_if" in report:
        pieces.append(_levers(report["what_if"], levers))
    if "switching" in report:
        pieces.append(_brands(**report["switching"]))
    return "\n\n".join(piece for piece in pieces if piece)


def _totals(equity: Mapping[str, float]) -> dict[str, str]:
    names = ("historical", "current", "potential", "lifetime", "whole")
    return {name: f"{name}_value" for name in names if f"{name}_value" in equity}


def _levers(equities: Mapping[str, float], levers: Mapping[str, float]) -> str:
    today = equities["today"]
    rows = [
        (f"{lever} {value:g}", f"{equities[lever]:,.0f}", f"{equities[lever] - today:+,.0f}") for lever, value in levers.items()
    ]
    return table(("what if", "lifetime value", "change"), [("as things are", f"{today:,.0f}", ""), *rows])


def _brands(of: str, scope: str, brands: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        (each["name"], f"{each['share']:.1%}", f"{each['share_in_a_year']:.1%}", f"{each['value']:,.2f}")
        for each in brands[:MOST_BRANDS_SHOWN]
    ]
    more = len(brands) - len(rows)
    shown = table((f"{of} ({scope})", "share of spend", "in a year", "an average customer's value"), rows)
    return shown + (f"\n... and {more} more: --json shows them all" if more else "")
