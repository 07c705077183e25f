from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from starlette.testclient import TestClient

from decisions.plans.evidence import Measured
from decisions.plans.plan import plan
from serving.endpoints.stored_plan import contact_columns, kinds
from serving.plans.evidence import Evidence
from serving.plans.planning import feature_columns, plan_columns, plan_scores, plan_table
from serving.plans.policy import read_policy
from serving.store.records import RecordedOutcome
from tests.serving.conftest import AS_OF, HORIZON
from tests.serving.test_service import error


def asked(loaded: TestClient, scored: pl.DataFrame, **limits: Any) -> dict[str, Any]:
    answer = loaded.post("/v1/plan", json={"customer_ids": scored["customer_id"].to_list(), **limits})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_plan_over_http_brings_at_least_what_scores_alone_allow(loaded: TestClient, scored: pl.DataFrame) -> None:
    """The stored feature rows let more actions be weighed than the score columns do."""
    limits = {"budget": 300.0, "capacities": {"call": 10}}
    answer = asked(loaded, scored, **limits)
    alone = plan_scores(scored, read_policy(), budget=300.0, capacities={"call": 10})
    assert answer["bound"] >= alone.bound - 1e-9
    assert len(answer["items"]) > 0
    assert {item["customer_id"] for item in answer["items"]} <= set(scored["customer_id"])
    assert (answer["as_of"], answer["model"]["horizon_days"], answer["unknown"]) == (AS_OF.isoformat(), HORIZON, [])


def test_a_plan_over_http_is_the_best_for_scores_and_feature_rows(
    loaded: TestClient, scored: pl.DataFrame, panel: pl.DataFrame
) -> None:
    policy = loaded.state.policy
    features = feature_columns(panel.drop("customer_id", "as_of"), AS_OF)
    ids, store = scored["customer_id"].to_list(), loaded.state.store
    rows = store.customers_by_id(store.current_load(), ids)
    known = {"consent": np.ones(scored.height), **kinds([rows[each] for each in ids]), **contact_columns([], ids, policy, AS_OF)}
    expected = plan_table(plan({**features, **plan_columns(scored, policy), **known}, policy, 200.0))
    found = pl.DataFrame(asked(loaded, scored, budget=200.0, consenting=scored["customer_id"].to_list())["items"])
    for name in ("customer_id", "action", "arm", "reason", "runner_up", "priority"):
        assert found[name].to_list() == expected[name].to_list(), name
    assert found["expected_net_value"].to_list() == pytest.approx(expected["expected_net_value"].to_list(), rel=1e-9)


def test_only_who_has_consented_gets_what_needs_consent(loaded: TestClient, scored: pl.DataFrame) -> None:
    needing = {action.name for action in loaded.state.policy.actions if action.needs_consent}
    ids = scored["customer_id"].to_list()

    def who(consenting: list[str]) -> set[str]:
        items = asked(loaded, scored, consenting=consenting)["items"]
        return {item["customer_id"] for item in items if item["action"] in needing}

    assert who([]) == set()
    assert who(ids[:40]) <= set(ids[:40])
    assert len(who(ids)) > len(who(ids[:40])) > 0


def test_who_was_contacted_lately_is_in_a_cooldown() -> None:
    """What was reached and accepted on one day is one contact; what was only taken on is none."""
    policy, nobody = read_policy(), dict.fromkeys(("recorded_by", "plan_id", "arm", "propensity", "cost", "reason", "note"))
    steps = [("a", "contacted"), ("a", "accepted"), ("b", "taken"), ("c", "contacted")]
    at = datetime(2025, 1, 1, tzinfo=UTC)
    recorded = [RecordedOutcome(f"{who} {step}", who, "win_back_call", step, AS_OF, at, **nobody) for who, step in steps]
    columns = contact_columns(recorded, ["a", "b"], policy, AS_OF)
    np.testing.assert_array_equal(columns["days_since_action_win_back_call"], [1, np.nan])
    caps = [column for name, column in columns.items() if name.startswith("contacts_within")]
    assert caps
    for column in caps:
        np.testing.assert_array_equal(column, [1, 0])


def test_limits_hold_and_have_prices(loaded: TestClient, scored: pl.DataFrame) -> None:
    answer = asked(loaded, scored, budget=50.0, capacities={"call": 3})
    limits = {limit["name"]: limit for limit in answer["limits"]}
    assert answer["cost"] == pytest.approx(limits["budget"]["used"])
    assert limits["budget"]["used"] <= 50.0
    assert limits["call contacts"]["used"] <= 3
    assert any(limit["shadow_price"] > 0 for limit in limits.values())
    assert asked(loaded, scored)["limits"][0]["amount"] is None


def test_who_is_unknown_is_told_and_a_plan_for_nobody_is_empty(loaded: TestClient) -> None:
    answer = loaded.post("/v1/plan", json={"customer_ids": ["nobody", "nobody"], "budget": 10}).json()
    assert (answer["unknown"], answer["items"], answer["cost"]) == (["nobody"], [], 0)


@pytest.mark.parametrize(
    ("limits", "code", "part"),
    [
        ({"budget": -1}, "bad_field", "greater than or equal to 0"),
        ({"capacities": {"pigeon": 3}}, "bad_limit", "pigeon"),
        ({"hours": {"email": 3}}, "bad_limit", "email"),
        ({"capacities": {"call": "3"}}, "bad_field", "number"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(loaded: TestClient, limits: dict[str, Any], code: str, part: str) -> None:
    assert part in error(loaded.post("/v1/plan", json={"customer_ids": ["a"], **limits}), 422, code)["message"]


def one_outcome(scored: pl.DataFrame, **changes: Any) -> dict[str, Any]:
    row = {"customer_id": scored["customer_id"][1], "step": "contacted", "on": AS_OF.isoformat(), "action": "loyalty_reward"}
    return {"outcomes": [{**row, **changes}]}


def test_an_outcome_counts_once_under_its_key(loaded: TestClient, scored: pl.DataFrame) -> None:
    body = one_outcome(scored, key="once")
    first, again = (loaded.post("/v1/outcomes", json=body).json() for _ in range(2))
    assert [(told["new"], told["known_before"], told["differing"]) for told in (first, again)] == [(1, 0, 0), (0, 1, 0)]
    other = loaded.post("/v1/outcomes", json=one_outcome(scored, key="once", step="declined")).json()
    assert (other["new"], other["differing"]) == (0, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"step": "praised"}, "outcomes[0].step"),
        ({"on": (AS_OF + timedelta(days=9999)).isoformat()}, "outcomes.on"),
        ({"customer_id": "nobody"}, "outcomes.customer_id"),
        ({"action": "flowers"}, "outcomes.action"),
        ({"action": None}, "outcomes.action"),
        ({"cost": -1}, "outcomes[0].cost"),
        ({"reason": "weather"}, "outcomes.reason"),
        ({"key": "x" * 201}, "outcomes[0].key"),
        ({"colour": "red"}, "outcomes[0].colour"),
    ],
)
def test_an_outcome_that_cannot_be_is_refused_by_name(
    loaded: TestClient, scored: pl.DataFrame, changes: dict[str, Any], field: str
) -> None:
    assert error(loaded.post("/v1/outcomes", json=one_outcome(scored, **changes)), 422, "bad_field")["field"] == field


def test_who_wants_no_contact_is_in_no_plan(loaded: TestClient, scored: pl.DataFrame) -> None:
    chosen = asked(loaded, scored, budget=300.0)["items"][0]["customer_id"]
    wish = {"customer_id": chosen, "step": "do_not_contact", "on": AS_OF.isoformat()}
    assert loaded.post("/v1/outcomes", json={"outcomes": [wish]}).status_code == 200
    answer = asked(loaded, scored, budget=300.0)
    assert chosen not in {item["customer_id"] for item in answer["items"]}
    assert any("1 customer wants no contact" in note for note in answer["notes"])
    loaded.post("/v1/outcomes", json={"outcomes": [{**wish, "step": "contact_again"}]})


def test_a_plan_over_http_goes_by_the_newest_evidence_and_says_so(loaded: TestClient, scored: pl.DataFrame) -> None:
    shelf, company = loaded.state.evidence, loaded.state.require_load().company
    ids = scored["customer_id"].to_list()
    priors = asked(loaded, scored, consenting=ids)
    assert {item["evidence"] for item in priors["items"]} == {"prior"}
    assert any("no evidence of contacts before" in note for note in priors["notes"])
    useless = [
        Measured(action.name, 90_000, 90_000, 0.0, 1e-4, 0.5, 0.0, 1e-3, 30.0)
        for action in loaded.state.policy.actions
        if action.name == priors["items"][0]["action"]
    ]
    file = shelf.keep(Evidence(company, AS_OF, HORIZON, tuple(useless)))
    learned = asked(loaded, scored, consenting=ids)
    file.unlink()
    assert any(note.startswith(f"contacts before {AS_OF} tell what to expect of 1 of") for note in learned["notes"])
    count = {
        name: sum(item["action"] == useless[0].action for item in told["items"])
        for name, told in (("prior", priors), ("now", learned))
    }
    assert count["now"] < count["prior"]


def test_what_needs_consent_is_named_where_nobody_is(loaded: TestClient, scored: pl.DataFrame) -> None:
    [told] = [note for note in asked(loaded, scored)["notes"] if "consent" in note]
    assert told.startswith("nobody is named in `consenting`, so what needs consent is left out: ")
    assert all(action.name in told for action in loaded.state.policy.actions if action.needs_consent)
    named = asked(loaded, scored, consenting=scored["customer_id"].to_list())["notes"]
    assert [note for note in named if "consent" in note] == []
