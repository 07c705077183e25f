"""The score columns as data: type, unit, range, meaning, and what a missing value says (docs/scores.md lists them)."""

from __future__ import annotations

from typing import Any, NamedTuple

import polars as pl

from decisions.labels import SCHEMES
from serving.batch.reasons import REASONS

NO_PURCHASES = "a flat table or contracts"
"""Where all that is made from purchases is missing."""

NO_VALUE = "a flat table without `value`, contracts without `price`"


class ScoreColumn(NamedTuple):
    """One column of the scores; `dtype` None: as it came. `missing` says where a value may be missing; "" is nowhere."""

    name: str
    dtype: Any
    unit: str
    range: str
    meaning: str
    missing: str = ""

    @property
    def type(self) -> str:
        """The type in words.

        >>> SCORE_COLUMNS[0].type, SCORE_COLUMNS[1].type
        ('text or integer', 'date')
        """
        return "text or integer" if self.dtype is None else TYPE_WORDS[self.dtype]


TYPE_WORDS: dict[Any, str] = {
    pl.Date: "date",
    pl.Int32: "32-bit integer",
    pl.Float64: "64-bit float",
    pl.String: "text",
    pl.Boolean: "true or false",
    REASONS: "list of entries",
}


def _money(name: str, range_: str, meaning: str, missing: str) -> ScoreColumn:
    return ScoreColumn(name, pl.Float64, "currency", range_, meaning, missing)


def _word(name: str, meaning: str, missing: str = NO_PURCHASES) -> ScoreColumn:
    return ScoreColumn(name, pl.String, "word", ", ".join(SCHEMES[name]), meaning, missing)


SCORE_COLUMNS = (
    ScoreColumn("customer_id", None, "id", "", "as it came: `00001` stays `00001`"),
    ScoreColumn("as_of", pl.Date, "day", "", "the date of the prediction; only what was known strictly before it counts"),
    ScoreColumn(
        "horizon_days", pl.Int32, "days", "0 and up", "the time looked ahead, `[as_of, as_of + horizon_days)`; 0: not said"
    ),
    ScoreColumn(
        "churn_probability",
        pl.Float64,
        "chance",
        "0 to 1",
        "that no purchase comes in the horizon (that the contract ends, that the label is true); calibrated on a later date "
        "than the models learned from",
    ),
    _money(
        "expected_value", "any", "net revenue expected in the horizon, refunds subtracted; margin where costs are given", NO_VALUE
    ),
    _money("value_low", "any", "the 10 % quantile of that value: of ten such customers, about one brings less", NO_VALUE),
    _money("value_high", "`value_low` and up", "the 90 % quantile: of ten such customers, about one brings more", NO_VALUE),
    _money(
        "value_at_risk", "any", "`churn_probability` times what the customer brings in the horizon if they stay active", NO_VALUE
    ),
    _money(
        "current_value",
        "any",
        "net spend of the last 365 days",
        NO_PURCHASES,
    ),
    _money("potential_value", "0 and up", "what they could bring in the next 365 days", NO_PURCHASES),
    _money("lifetime_value", "any", "the expected value of the years ahead, while they stay, discounted", NO_PURCHASES),
    _word("status", "how near to leaving", "a flat table"),
    _word("value_tier", "the pyramid, by expected value"),
    _word("quadrant", "current value against potential value"),
    _word("lifecycle", "how far the relation has come"),
    _word("loyalty", "what holds them"),
    _word("relation", "deal-seeker or lasting relation"),
    _word("credit_grade", "how they pay their invoices", f"{NO_PURCHASES}; a customer without invoices"),
    _word("service_level", "how closely they are looked after"),
    ScoreColumn(
        "next_category",
        pl.String,
        "category",
        "your own categories",
        "the most likely next new category",
        f"{NO_PURCHASES}; none is known",
    ),
    _word("abc_class", "who brings most of the expected value"),
    _word("account_class", "key accounts, by expected value"),
    ScoreColumn(
        "rfm_cell",
        pl.String,
        "three digits",
        "111 to 555",
        "the R, F and M scores by the model's edges, 5 the best",
        f"{NO_PURCHASES}; a model without edges",
    ),
    _word("rfm_segment", "the name of the cell", f"{NO_PURCHASES}; a model without edges"),
    ScoreColumn(
        "moves",
        pl.String,
        "text",
        "",
        "which words changed since the last scoring, and why",
        f"{NO_PURCHASES}; nothing moved",
    ),
    ScoreColumn(
        "new_to_category",
        pl.Boolean,
        "flag",
        "",
        "a customer of long standing who lately came to a category",
        NO_PURCHASES,
    ),
    ScoreColumn("reasons", REASONS, "", "", "why: [signed contributions](#reasons) that add up", "not among those explained"),
    ScoreColumn("model_version", pl.String, "", "", "which model made the row"),
    ScoreColumn(
        "model_family",
        pl.String,
        "word",
        "",
        "of which kind it is: an ensemble, buy-till-you-die alone, or a simple rule that was better",
    ),
    ScoreColumn(
        "grade", pl.String, "word", "A, B, C, D, none", "by backtests against simple rivals; none: too few dates or customers"
    ),
    ScoreColumn("data_until", pl.Date, "day", "", "the day of the last event that was known"),
)
"""The score columns in order; those of further horizons (FURTHER) follow churn_probability."""

FURTHER = ScoreColumn(
    "churn_probability_<days>d",
    pl.Float64,
    "chance",
    "0 to 1",
    "the same over a further horizon that the history allows; without contracts never higher for a longer horizon",
)
"""A column for each of the further horizons that the model tells of."""
