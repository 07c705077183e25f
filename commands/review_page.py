"""A review for people: the page, section by section, and the few lines of the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isnan

from commands.review_pictures import action_bars, calibration_curve, forecast_bars, promise_bars
from commands.review_words import EVERYONE, amount, bounds, figure_text, money, number, percent
from decisions.labels import Tier
from decisions.migration import Flow
from decisions.reviews.actions import ORDER, ActionReview
from decisions.reviews.measures import MEASURES, Measure, Measured
from decisions.reviews.review import Review
from training.card.document import Block, Bullets, Facts, Heading, Paragraph, Table

NOT_SCORED = "not scored"
BRACKETS = "Brackets hold a figure with 90 % confidence."


def page(review: Review) -> list[Block]:
    """The whole review as blocks."""
    told = f"From {review.since} to {review.as_of}. {review.customers:,} customers were scored on the first day by version"
    return [
        Heading(1, f"{review.company} in review"),
        Paragraph(
            f"{told} {review.model_version}, over {review.horizon_days} days. {BRACKETS} "
            f"Amounts are in {review.currency or 'the currency of the data'}."
        ),
        Facts([*_headline(review)]),
        *_notes(review),
        *_promises(review),
        *_changes(review),
        *_actions(review),
        *_service(review),
        *_reasons(review),
        *_forecast(review),
        *_equity(review),
    ]


def _headline(review: Review) -> Iterator[tuple[str, str, str]]:
    """What a manager wants to see first."""
    if review.promises:
        whole = review.promises[0]
        yield f"{whole.churned.value:.1%}", "left", f"{whole.churn_promised:.1%} forecast"
        if not isnan(whole.value_ratio.value):
            yield amount(whole.value_came), "came in", f"{amount(whole.value_promised)} forecast"
    if not isnan(review.earned.value):
        yield amount(review.earned.value), "earned by actions", f"{bounds(review.earned)}, for {amount(review.spent)} spent"
    if review.forecast is not None:
        total = review.forecast.total
        told = f"{bounds(total)}, " if not isnan(total.low) else ""
        yield (
            amount(total.value),
            f"forecast for the next {review.forecast.horizon_days} days",
            f"{told}from {review.forecast.as_of}",
        )
    if review.equity:
        whole_equity = review.equity[0]
        yield amount(whole_equity.value_now), "customer equity", f"{amount(whole_equity.value_then)} before"


def _notes(review: Review) -> list[Block]:
    return [Heading(2, "What could not be told"), Bullets(review.notes)] if review.notes else []


def _promises(review: Review) -> list[Block]:
    if not review.promises:
        return []
    rows = [
        [
            each.tier or EVERYONE,
            f"{each.customers:,}",
            f"{each.churn_promised:.1%}",
            percent(each.churned),
            amount(each.value_promised),
            amount(each.value_came),
            number(each.value_ratio, 2),
            each.trouble or "as forecast",
        ]
        for each in review.promises
    ]
    columns = ["tier", "customers", "churn forecast", "churned", "value forecast", "value that came", "came / forecast", ""]
    told = (
        "A forecast is as it should be unless it is surely off by more than matters: 5 points of churn, or a total below 0.75 or "
        "above 1.33 times what was forecast."
    )
    return [
        Heading(2, "Predicted against actual"),
        Paragraph(told),
        Table(columns, rows),
        promise_bars(review.promises),
        calibration_curve(review.calibration),
    ]


def _changes(review: Review) -> list[Block]:
    meaning = {
        "won": ("", "brought since"),
        "lost": ("brought in the year before", "brought since"),
        "won back": ("brought in the year before", "brought since"),
        "upgraded": ("expected then", "expected now"),
        "downgraded": ("expected then", "expected now"),
    }
    rows = [
        [
            each.change,
            f"{each.customers:,}",
            *(
                f"{amount(value)} {words}" if words else ""
                for value, words in zip((each.value_before, each.value_after), meaning[each.change], strict=True)
            ),
        ]
        for each in review.changes
    ]
    blocks: list[Block] = [
        Heading(2, "Customers won, lost and moved"),
        Paragraph("Lost: was not given up when scored, and left as the model means it. Won back: was given up, and came back."),
        Table(["", "customers", "before", "after"], rows),
    ]
    return [*blocks, *_tier_moves(review)]


def _tier_moves(review: Review) -> list[Block]:
    """Who was where and who is where, as a matrix."""
    if not review.tier_moves:
        return []
    cells = {(flow.was, flow.now): flow for flow in review.tier_moves}
    rows_of, columns_of = (
        [word for word in (*map(str, Tier), None) if word in found] for found in map(set, zip(*cells, strict=True))
    )
    rows = [[was or NOT_SCORED, *(_cell(cells.get((was, now))) for now in columns_of)] for was in rows_of]
    told = (
        f"Rows: the tier on {review.since}; columns: on {review.now_as_of}. In each cell the customers, and what they were "
        "expected to bring then and are now."
    )
    header = ["was", *(word or NOT_SCORED for word in columns_of)]
    return [Heading(3, "From tier to tier"), Paragraph(told), Table(header, rows)]


def _cell(flow: Flow | None) -> str:
    return "" if flow is None else f"{flow.customers:,}: {amount(flow.value_before)} to {amount(flow.value_now)}"


def _actions(review: Review) -> list[Block]:
    if not review.actions:
        return []
    rows = [
        [
            each.facts.title,
            *(amount(count) for count in (each.facts.planned, each.facts.controls, each.facts.done)),
            "" if each.facts.accepted is None else f"{each.facts.accepted:,}",
            amount(each.facts.cost),
            money(each.facts.incremental_value),
            number(each.return_on_spend, 1),
        ]
        for each in review.actions
        if each.facts.planned or each.facts.done
    ]
    columns = ["action", "planned", "controls", "done", "accepted", "cost", "incremental value", "return on spend"]
    rule = (
        "Incremental value is what the treated brought beyond their controls from the day after the draw until "
        f"{review.as_of}; what comes later is not in it. Keep: even its low bound covers the cost. Stop: not even its high bound "
        "does. Start: planned or worth planning, and nobody did it. Measure: chance still allows both, or there were no controls."
    )
    pictures = (
        [action_bars(review.actions)] if any(not isnan(each.facts.incremental_value.value) for each in review.actions) else []
    )
    return [
        Heading(2, "Actions"),
        Paragraph(rule),
        *([Table(columns, rows)] if rows else []),
        *pictures,
        *_verdicts(review.actions),
    ]


def _verdicts(actions: Sequence[ActionReview]) -> Iterator[Block]:
    """What to do, one list for each verdict."""
    for verdict in ORDER:
        if said := [f"{each.facts.title}: {each.why}." for each in actions if each.verdict == verdict]:
            yield Heading(3, f"To {verdict}")
            yield Bullets(said)


def _service(review: Review) -> list[Block]:
    if not review.measures:
        return []
    blocks: list[Block] = [
        Heading(2, "Service against its targets"),
        Paragraph(
            "By the tier at the beginning. Met: the figure reaches the target. Missed: it surely does not. Open: it does not, "
            "and that may be chance."
        ),
    ]
    rows = []
    for measure in MEASURES:
        found = [each for each in review.measures if each.measure == measure.name]
        rows += [
            [
                measure.title if not place else "",
                each.tier or EVERYONE,
                _of(each, measure),
                figure_text(each.figure, is_share=measure.is_share),
                _target(each, is_share=measure.is_share),
                each.verdict,
            ]
            for place, each in enumerate(found)
        ]
    return [*blocks, Table(["measure", "tier", "of", "figure", "target", ""], rows)]


def _of(each: Measured, measure: Measure) -> str:
    """How many cases a figure is of; of complaints also their number."""
    cases = f"{each.count:,} {measure.of}"
    return f"{each.figure.value * each.count / 100:,.0f} of {cases}" if measure.name == "complaints_per_hundred" else cases


def _target(each: Measured, *, is_share: bool) -> str:
    return "" if isnan(each.target) else f"{each.target:.0%}" if is_share else f"{each.target:g}"


def _reasons(review: Review) -> list[Block]:
    if not review.reasons:
        return []
    rows = [
        [each.reason, f"{each.customers:,}", "" if each.left is None else f"{each.left:,}", amount(each.current_value)]
        for each in review.reasons
    ]
    columns = ["reason", "customers", "of whom left", "brought in the year before"]
    return [Heading(2, "Reasons that customers gave"), Table(columns, rows)]


def _forecast(review: Review) -> list[Block]:
    if review.forecast is None:
        return []
    forecast = review.forecast
    words = (
        f"The customers of {forecast.as_of} are expected to bring {money(forecast.total)} in the next "
        f"{forecast.horizon_days} days; who comes after that day is not in it."
    )
    tiers = [_group_row(each.name, each.customers, each.expected_value) for each in forecast.by_tier]
    blocks: list[Block] = [
        Heading(2, "Forecast of sales"),
        Paragraph(words),
        Table(["tier", "customers", "expected value"], tiers),
        *([forecast_bars(forecast)] if len(tiers) > 1 else []),
    ]
    if forecast.by_owner:
        owners = [_group_row(each.name, each.customers, each.expected_value) for each in forecast.by_owner]
        blocks.append(Table(["owner", "customers", "expected value"], owners))
    if forecast.past:
        earlier = [[str(each.as_of), f"{each.customers:,}", amount(each.promised), amount(each.came)] for each in forecast.past]
        blocks += [Heading(3, "What the interval rests on"), Table(["from", "customers", "forecast", "came"], earlier)]
    return blocks


def _group_row(name: str | None, customers: int, value: float) -> list[str]:
    return [name or "nobody", f"{customers:,}", amount(value)]


def _equity(review: Review) -> list[Block]:
    if not review.equity:
        return []
    rows = [
        [
            each.tier or EVERYONE,
            f"{each.customers_then:,}",
            amount(each.value_then),
            f"{each.customers_now:,}",
            amount(each.value_now),
        ]
        for each in review.equity
    ]
    columns = ["tier", f"customers {review.since}", "lifetime value", f"customers {review.now_as_of}", "lifetime value"]
    return [Heading(2, "Customer equity"), Paragraph("The sum of all lifetime values, then and now."), Table(columns, rows)]
