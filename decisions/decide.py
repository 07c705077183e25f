"""From predictions and features to the decision columns: one pure function of columns and a policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from decisions.columns import Columns, Floats, Ints, Texts, number, require
from decisions.lifetimes.lifetime import lifetime_value
from decisions.policy import Policy
from decisions.population import Population, kinds_of
from decisions.schemes.bands import Cuts
from decisions.schemes.credit import credit_grade
from decisions.schemes.lifecycle import lifecycle, new_to_category, relation, status
from decisions.schemes.loyalty import attached, loyalty
from decisions.schemes.quadrants import potential_value, quadrant
from decisions.schemes.rfm_segments import previous_segments, rfm_cells, rfm_scores, rfm_segment
from decisions.schemes.service import service_level
from decisions.schemes.tiers import abc_class, account_class, protected_floors, value_tier
from decisions.schemes.verdict import History, Verdict, moves

REQUIRED = ("churn_probability", "expected_value", "value_if_active", "horizon_days")
"""The predictions, without which nothing can be decided."""

OPTIONAL = (
    "net_spend_365d",
    "purchase_days_all",
    "purchase_days_365d",
    "days_since_first_purchase",
    "active_month_share",
    "overdue_ratio",
    "spend_180d_to_previous",
    "complaints_open",
    "complaint_satisfaction_last",
    "survey_recommend_last",
    "discount_share_365d",
    "contact_acceptances_365d",
    "no_alternative",
    "late_payment_share_all",
    "oldest_overdue_payment_days",
    "wallet",
    "service_cost",
    "recency_days",
    "days_since_newest_category",
    "spend_365d",
    "kind",
    "previous_tier",
    "previous_abc_class",
    "previous_account_class",
    "previous_quadrant",
    "previous_status",
    "previous_lifecycle",
    "previous_loyalty",
    "previous_relation",
    "previous_service_level",
    "previous_rfm_cell",
    "next_category",
)
"""Columns that sharpen the decisions; `docs/decisions.md` says what stands in where one is missing."""

PREVIOUS: Mapping[str, str] = {
    "value_tier": "previous_tier",
    **{
        name: f"previous_{name}"
        for name in ("abc_class", "account_class", "quadrant", "status", "lifecycle", "loyalty", "relation", "service_level")
    },
    "rfm_cell": "previous_rfm_cell",
}
"""The columns that the last scoring hands on, by the column of scores that holds them."""

TEXTS = {"kind", "next_category", *PREVIOUS.values()}


def missing_inputs(columns: Columns) -> tuple[str, ...]:
    """The optional columns that `columns` lack, to be said beside the decisions."""
    return tuple(name for name in OPTIONAL if name not in columns)


def decide(
    columns: Columns,
    policy: Policy,
    edges: Mapping[str, Sequence[float]] | None = None,
    among: Population | None = None,
) -> dict[str, npt.NDArray[np.generic]]:
    """The decision columns of customers, each of shape (n,).

    `columns` holds arrays of shape (n,) (a scalar stands for all): the predictions of `REQUIRED`, any of `OPTIONAL`, and
    customer_id, by which the policy protects. Missing numbers are NaN, missing texts None. `edges` are the model's, for the R, F
    and M scores; `among` says what all customers together say, where these are only some of them. Raises DataError where a
    required column is missing. Labels are texts and never missing, but for credit_grade (no invoices), next_category (no category
    left, or none known), rfm_cell and rfm_segment (no edges), and moves (no move).
    """
    require(columns, REQUIRED, "a decision")
    rows = int(np.shape(columns["churn_probability"])[0])
    of = {name: number(columns, name, rows) for name in (*REQUIRED, *OPTIONAL) if name not in TEXTS}
    past = _histories(columns, policy, rows)
    money = _money(of, policy)
    rfm = _rfm(of, edges, past["rfm_cell"])
    cuts = {} if among is None else _cuts(among, _texts(columns, "kind", rows))
    customers = None if among is None else among.tier_customers
    floors = protected_floors(columns.get("customer_id"), policy.tiers.protected)
    worth = _worth(of, money["potential_value"], policy, past, floors=floors, cuts=cuts, customers=customers)
    verdicts = {**worth, **_behaviour(of, policy, past)}
    before = {scheme: past[scheme].previous for scheme in verdicts}
    if rfm is not None:
        verdicts["rfm_segment"], before["rfm_segment"] = rfm_segment(rfm), previous_segments(past["rfm_cell"].previous, rows)
    return {
        **money,
        "rfm_segment": np.full(rows, None, dtype=object),  # unless the model has edges
        **{scheme: verdict.words for scheme, verdict in verdicts.items()},
        "credit_grade": credit_grade(of["late_payment_share_all"], of["oldest_overdue_payment_days"], policy.credit),
        "rfm_cell": np.full(rows, None, dtype=object) if rfm is None else rfm_cells(rfm),
        "next_category": _texts(columns, "next_category", rows),
        "new_to_category": new_to_category(of["days_since_first_purchase"], of["days_since_newest_category"], policy.lifecycle),
        "moves": moves(verdicts, before, rows),
    }


def _histories(columns: Columns, policy: Policy, rows: int) -> dict[str, History]:
    """What the last scoring said in each scheme, and which customers are compared with each other."""
    groups: Ints | None = None
    if policy.split_by_kind:
        groups = kinds_of(_texts(columns, "kind", rows), rows)[1]
    return {scheme: History(columns.get(name), policy.hysteresis, groups) for scheme, name in PREVIOUS.items()}


def _money(of: Columns, policy: Policy) -> dict[str, Floats]:
    churn, expected, horizon = of["churn_probability"], of["expected_value"], of["horizon_days"]
    terms = policy.lifetime
    return {
        "value_at_risk": churn * of["value_if_active"],
        "current_value": of["net_spend_365d"],
        "potential_value": potential_value(of["wallet"], of["net_spend_365d"], expected, horizon),
        "lifetime_value": lifetime_value(churn, expected, horizon, yearly_rate=terms.discount_rate, years=terms.years),
    }


def _cuts(among: Population, kinds: Texts) -> dict[str, Cuts]:
    """The cuts of all customers, for each of some."""
    groups = among.groups(kinds)
    return {scheme: among.of(scheme, groups) for scheme in among.cuts}


def _worth(
    of: Columns,
    potential: Floats,
    policy: Policy,
    past: Mapping[str, History],
    *,
    floors: Ints | None,
    cuts: Mapping[str, Cuts],
    customers: Ints | None,
) -> dict[str, Verdict]:
    """Tiers, classes, quadrant and the service that follows: what money says; where `cuts` are silent, these are all."""
    expected, current = of["expected_value"], of["net_spend_365d"]
    tier = value_tier(expected, policy.tiers, past["value_tier"], floors, cuts.get("value_tier"))
    cost = np.where(np.isnan(of["service_cost"]), policy.lifetime.service_cost, of["service_cost"])
    yearly = expected * 365 / of["horizon_days"]
    return {
        "value_tier": tier,
        "abc_class": abc_class(expected, policy.abc, past["abc_class"], cuts.get("abc_class")),
        "account_class": account_class(expected, potential, policy.accounts, past["account_class"], cuts.get("account_class")),
        "quadrant": quadrant(current, potential, policy.quadrants, past["quadrant"], cuts.get("quadrant")),
        "service_level": service_level(tier.codes, yearly, cost, policy.service, past["service_level"], customers=customers),
    }


def _behaviour(of: Columns, policy: Policy, past: Mapping[str, History]) -> dict[str, Verdict]:
    """Status, lifecycle, loyalty and relation: what the history of purchases says."""
    churn, age, bought = of["churn_probability"], of["days_since_first_purchase"], of["purchase_days_all"]
    stage = lifecycle(
        churn_probability=churn,
        purchase_days=bought,
        days_since_first_purchase=age,
        overdue_ratio=of["overdue_ratio"],
        spend_growth=of["spend_180d_to_previous"],
        policy=policy.lifecycle,
        history=past["lifecycle"],
    )
    is_attached = attached(
        recommend=of["survey_recommend_last"],
        complaint_satisfaction=of["complaint_satisfaction_last"],
        active_month_share=of["active_month_share"],
        days_since_first_purchase=age,
        complaints_open=of["complaints_open"],
        policy=policy.loyalty,
        history=past["loyalty"],
    )
    bond = loyalty(
        purchase_days=of["purchase_days_365d"],
        is_attached=is_attached,
        no_alternative=of["no_alternative"] == 1,
        discount_share=of["discount_share_365d"],
        contacts_accepted=of["contact_acceptances_365d"],
        policy=policy.loyalty,
        history=past["loyalty"],
    )
    return {
        "status": status(churn, age, policy.status, past["status"]),
        "lifecycle": stage,
        "loyalty": bond,
        "relation": relation(bought, age, of["discount_share_365d"], policy.relation, past["relation"]),
    }


def _rfm(of: Columns, edges: Mapping[str, Sequence[float]] | None, history: History) -> Ints | None:
    """The R, F and M scores by the model's edges, (n, 3); None where it has none."""
    if not edges:
        return None
    return rfm_scores(of["recency_days"], of["purchase_days_365d"], of["spend_365d"], edges, history)


def _texts(columns: Columns, name: str, rows: int) -> Texts:
    """The column as Python texts, None where missing, all None where there is no such column."""
    if name not in columns:
        return np.full(rows, None, dtype=object)
    return np.asarray(columns[name], dtype=object)
