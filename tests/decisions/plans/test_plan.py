from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decisions.plans.actions import Effect, days_since_actions, days_to_birthday, kept_worth, offers, recent_contacts
from decisions.plans.plan import plan
from decisions.policy import Policy
from keepwell.errors import ConfigError, DataError
from serving.plans.policy import read_policy

POLICY = read_policy()


def small_policy(*actions, **plan_terms):
    """The default policy with another catalogue."""
    content = POLICY.model_dump()
    content["actions"] = [
        {
            "title": "T",
            "title_zh": "题",
            "bond": "social",
            "channel": "call",
            "cost": 1.0,
            "when": "churn_probability >= 0",
            "why": "W",
            **action,
        }
        for action in actions
    ]
    content["plan"] = content["plan"] | plan_terms
    return Policy.from_mapping(content)


def people(rows=4, **columns):
    churn = np.linspace(0.2, 0.8, rows)
    return {
        "customer_id": np.array([f"C{i}" for i in range(rows)]),
        "churn_probability": churn,
        "expected_value": 100 * (1 - churn),
        "value_at_risk": 100 * churn,
        "horizon_days": np.array(365),
    } | columns


KEEP_HALF = {"name": "keep", "kept": {"a": 5.0, "b": 5.0}}


def test_expected_net_value_is_what_is_kept_and_lifted_less_the_cost():
    policy = small_policy({**KEEP_HALF, "lift": {"mean": 0.1, "sd": 0.0}})
    made = plan(people(), policy)
    # One horizon of 365 days: half of the value at risk, a tenth of the expected value, less 1.
    expected = {f"C{i}": 50 * p + 10 * (1 - p) - 1 for i, p in enumerate(np.linspace(0.2, 0.8, 4))}
    assert dict(zip(made.columns["customer_id"], made.columns["expected_net_value"], strict=True)) == pytest.approx(expected)
    assert made.columns["priority"].tolist() == [1, 2, 3, 4]
    assert made.columns["customer_id"].tolist() == ["C3", "C2", "C1", "C0"]
    assert made.cost == 4
    assert made.expected_net_value == pytest.approx(sum(expected.values()))


def test_a_kept_customer_counts_for_the_policys_time_with_the_chance_to_stay():
    columns = people(1, churn_probability=np.array([0.5]), value_at_risk=np.array([50.0]), horizon_days=np.array(90))
    worth = kept_worth(columns, small_policy(KEEP_HALF, value_days=180))[0]
    assert worth == pytest.approx(50 * (1 + 0.5 / 1.1 ** (90 / 365)))


def test_who_was_kept_may_be_taken_to_stay_as_others_do_but_never_less_than_predicted():
    columns = people(2, churn_probability=np.array([0.9, 0.1]), value_at_risk=np.array([50.0, 50.0]), horizon_days=np.array(90))
    worth = kept_worth(columns, small_policy(KEEP_HALF, value_days=180, kept_churn_at_most=0.2))
    assert worth == pytest.approx(50 * (1 + np.array([0.8, 0.9]) / 1.1 ** (90 / 365)))


@settings(deadline=None, max_examples=40)
@given(
    seed=st.integers(0, 1000),
    budget=st.one_of(st.none(), st.sampled_from([0.0, 10.0, 500.0])),
    calls=st.one_of(st.none(), st.integers(0, 5)),
)
def test_a_plan_keeps_its_limits_treats_nobody_twice_and_never_loses(seed, budget, calls):
    rng = np.random.default_rng(seed)
    columns = people(60, value_at_risk=rng.gamma(0.5, 200, 60), status=rng.choice(["new", "active", "lapsing"], 60))
    columns |= {"value_tier": rng.choice(["VIP", "small"], 60), "complaints_open": rng.integers(0, 2, 60)}
    made = plan(columns, POLICY, budget, {} if calls is None else {"call": calls})
    assert made.cost <= (np.inf if budget is None else budget) + 1e-6
    assert len(set(made.columns["customer_id"])) == len(made)
    treated = made.columns["arm"] == "treated"
    assert (made.columns["channel"][treated] == "call").sum() <= (60 if calls is None else calls)
    assert (made.columns["expected_net_value"][treated] > 0).all()
    assert not made.columns["expected_net_value"][~treated].any()
    assert not made.columns["cost"][~treated].any()
    assert made.expected_net_value <= made.bound + 1e-6
    assert made.cost == pytest.approx(made.columns["cost"].sum())


def test_without_money_only_free_actions_are_planned():
    policy = small_policy(KEEP_HALF, {**KEEP_HALF, "name": "smile", "cost": 0.0, "kept": {"a": 1.0, "b": 9.0}})
    assert set(plan(people(), policy, budget=0).columns["action"]) == {"smile"}
    empty = plan(people(), small_policy(KEEP_HALF), budget=0)
    assert len(empty) == empty.cost == empty.expected_net_value == 0
    assert {name: column.shape for name, column in empty.columns.items()} == dict.fromkeys(empty.columns, (0,))


def test_nothing_at_stake_or_nobody_there_is_an_empty_plan():
    assert len(plan(people(value_at_risk=np.zeros(4)), small_policy(KEEP_HALF))) == 0
    assert len(plan(people(value_at_risk=np.full(4, -9.0)), small_policy(KEEP_HALF))) == 0
    assert len(plan(people(value_at_risk=np.full(4, np.nan)), small_policy(KEEP_HALF))) == 0
    assert len(plan(people(0), POLICY)) == 0
    assert len(plan(people(), small_policy())) == 0


def test_an_action_whose_column_is_missing_is_left_out_and_said():
    policy = small_policy({**KEEP_HALF, "when": "tea > 3 and churn_probability > 0"}, {**KEEP_HALF, "name": "other"})
    made = plan(people(), policy)
    assert set(made.columns["action"]) == {"other"}
    assert "keep is left out: there is no column tea" in made.notes


def test_consent_is_asked_for_where_it_is_recorded_and_an_empty_cell_is_a_no():
    policy = small_policy({**KEEP_HALF, "needs_consent": True})
    made = plan(people(consent=np.array([True, False, None, True], dtype=object)), policy)
    assert sorted(made.columns["customer_id"]) == ["C0", "C3"]


@pytest.mark.parametrize(("assumed", "planned", "word"), [(True, 4, "given"), (False, 0, "refused")])
def test_consent_that_is_not_recorded_follows_the_policy_and_is_said(assumed, planned, word):
    made = plan(people(), small_policy({**KEEP_HALF, "needs_consent": True}, consent_where_not_recorded=assumed))
    assert len(made) == planned
    assert any(f"no consent is recorded: it is taken as {word}" in note for note in made.notes)


def test_nobody_is_contacted_again_within_the_cooldown():
    policy = small_policy({**KEEP_HALF, "cooldown_days": 30})
    made = plan(people(days_since_action_keep=np.array([29.0, 30.0, np.nan, 1.0])), policy)
    assert sorted(made.columns["customer_id"]) == ["C1", "C2"]
    assert not any("cooldowns" in note for note in made.notes)
    assert any("cooldowns and contact caps are not applied" in note for note in plan(people(), policy).notes)


def test_a_contact_cap_counts_contacts_of_any_kind():
    policy = small_policy({**KEEP_HALF, "contact_cap": {"contacts": 2, "days": 30}})
    made = plan(people(contacts_within_30_days=np.array([0.0, 1, 2, 5])), policy)
    assert sorted(made.columns["customer_id"]) == ["C0", "C1"]


def test_lost_customers_are_reached_only_by_actions_that_say_so():
    columns = people(status=np.array(["active", "lost", "lapsing", "lost"]))
    assert sorted(plan(columns, small_policy(KEEP_HALF)).columns["customer_id"]) == ["C0", "C2"]
    assert len(plan(columns, small_policy({**KEEP_HALF, "reaches_lost": True}))) == 4
    assert any("lost customers cannot be told" in note for note in plan(people(), small_policy(KEEP_HALF)).notes)


def test_deal_seekers_get_no_discounts():
    policy = small_policy({**KEEP_HALF, "discount": True})
    made = plan(people(relation=np.array(["relational", "transactional", "relational", "transactional"])), policy)
    assert sorted(made.columns["customer_id"]) == ["C0", "C2"]
    unknown = plan(people(), policy)
    assert len(unknown) == 0
    assert "keep is left out: there is no column relation" in unknown.notes


def test_protected_customers_keep_their_service():
    content = small_policy({**KEEP_HALF, "reduces_service": True}).model_dump()
    content["tiers"]["protected"] = {"C2": "VIP"}
    assert sorted(plan(people(), Policy.from_mapping(content)).columns["customer_id"]) == ["C0", "C1", "C3"]


def test_who_is_to_be_left_alone_is_in_no_plan():
    made = plan(people(), small_policy(KEEP_HALF, left_alone=["C1", "C3"]))
    assert sorted(made.columns["customer_id"]) == ["C0", "C2"]


def test_a_preferred_channel_is_respected_by_the_words_that_customers_use():
    policy = small_policy(
        {**KEEP_HALF, "respects_preference": True},
        {**KEEP_HALF, "name": "mail", "channel": "email", "respects_preference": True},
        channel_words={"phone": "call"},
    )
    said = np.array(["Phone", "email", "pigeon", None], dtype=object)
    made = plan(people(preferred_channel=said), policy)
    chosen = dict(zip(made.columns["customer_id"], made.columns["action"], strict=True))
    assert chosen["C0"] == "keep"
    assert chosen["C1"] == "mail"
    assert {"C2", "C3"} <= set(chosen)  # no wish that we could follow
    only_mail = plan(people(preferred_channel=said), small_policy({**KEEP_HALF, "channel": "email", "respects_preference": True}))
    assert sorted(only_mail.columns["customer_id"]) == ["C0", "C1", "C2", "C3"]  # nothing of ours is called phone here


def test_a_gain_is_a_share_of_a_money_column():
    policy = small_policy({"name": "dun", "gain": {"of": "payment_amount_overdue", "mean": 0.2, "sd": 0.1}})
    made = plan(people(payment_amount_overdue=np.array([100.0, 0, np.nan, 5])), policy)
    assert made.columns["customer_id"].tolist() == ["C0"]
    assert made.expected_net_value == pytest.approx(0.2 * 100 - 1)
    assert "dun is left out: there is no column payment_amount_overdue" in plan(people(), policy).notes


def test_what_outcomes_taught_takes_the_place_of_the_prior_and_is_said():
    policy = small_policy(KEEP_HALF, {**KEEP_HALF, "name": "other", "kept": {"a": 1.0, "b": 9.0}})
    made = plan(people(1), policy, effects={"other": Effect(kept=0.9, lift=0.0, basis="1,234 contacts")})
    assert made.columns["action"].tolist() == ["other"]
    assert made.columns["evidence"].tolist() == ["1,234 contacts"]
    assert made.expected_net_value == pytest.approx(0.9 * 20 - 1)
    assert plan(people(1), policy).columns["evidence"].tolist() == ["prior"]


def test_contacts_are_counted_in_whole_windows_before_the_day():
    counts = recent_contacts(np.array([0, 0, 0, 1]), np.array([5, 9, 10, 2]), windows=(1, 5), as_of_day=10, customers=2)
    np.testing.assert_array_equal(counts["contacts_within_1_days"], [1, 0])
    np.testing.assert_array_equal(counts["contacts_within_5_days"], [2, 0])


def test_the_reason_says_why_what_is_at_stake_and_what_it_brings():
    reason = plan(people(1), small_policy({**KEEP_HALF, "why": "A complaint is open"})).columns["reason"][0]
    assert reason == (
        "A complaint is open. The chance that they stay away for 365 days is 20%, which puts 20.00 at risk; "
        "after its cost of 1.00 the action is expected to bring 9.00. Next best: Do nothing."
    )


@pytest.mark.parametrize("budget", [-1, float("nan"), -float("inf")])
def test_a_negative_budget_is_refused(budget):
    with pytest.raises(ConfigError, match="the budget must be 0 or more"):
        plan(people(), POLICY, budget)


def test_a_channel_that_no_action_uses_is_refused_with_those_there_are():
    with pytest.raises(ConfigError, match=r"no action uses the channel 'fax'(.|\n)*call, email, post, visit"):
        plan(people(), POLICY, capacities={"fax": 3})


def test_a_negative_capacity_is_refused():
    with pytest.raises(ConfigError, match="the capacity of call must be 0 or more"):
        plan(people(), POLICY, capacities={"call": -1})


@pytest.mark.parametrize("name", ["customer_id", "churn_probability", "value_at_risk", "expected_value", "horizon_days"])
def test_a_missing_score_column_is_named(name):
    columns = people()
    del columns[name]
    with pytest.raises(DataError, match=f"scores.{name}: is missing"):
        plan(columns, POLICY)


def test_columns_of_different_lengths_are_refused():
    with pytest.raises(DataError, match="one length"):
        plan(people(expected_value=np.ones(3)), POLICY)


def test_inputs_are_not_changed():
    columns = people(consent=np.array([1.0, np.nan, 0, 1]))
    before = {name: column.copy() for name, column in columns.items()}
    plan(columns, POLICY, 100)
    for name, column in before.items():
        np.testing.assert_array_equal(columns[name], column)


def test_every_default_action_can_be_offered_when_all_columns_are_there():
    columns = people(
        status=np.array(["lapsing", "new", "active", "lost"]),
        value_tier=np.array(["VIP", "small", "ordinary", "major"]),
        lifecycle=np.array(["decline", "exploration", "stable", "decline"]),
        relation=np.array(["relational", "transactional", "relational", "relational"]),
        next_category=np.array(["tea", None, "cups", None], dtype=object),
        complaints_open=np.array([1.0, 0, 0, 0]),
        complaints_90d=np.array([1.0, 0, 1, 0]),
        days_since_complaint=np.array([3.0, np.nan, 20, np.nan]),
        days_to_birthday=np.array([3.0, 200, 3, 100]),
        days_to_anniversary=np.array([3.0, 200, 3, 100]),
        deliveries_overdue=np.array([0.0, 1, 0, 0]),
        days_since_late_delivery=np.array([np.nan, 3, np.nan, np.nan]),
        account_class=np.array(["core", "other", "promising", "key"]),
        quadrant=np.array(["gold", "burden", "burden", "star"]),
        service_level=np.array(["partnership", "basic", "basic", "basic"]),
        kind=np.array(["trader", "consumer", "trader", None], dtype=object),
        contracts_running=np.array([1.0, 0, 0, 0]),
        credit_grade=np.array(["A", "B", "D", None], dtype=object),
        payments_overdue=np.array([0.0, 1, 2, 0]),
        payment_amount_overdue=np.array([0.0, 100, 200, 0]),
        service_cost=np.array([5.0, 50, 50, 50]),
        consent=np.ones(4),
        days_since_action_reminder_email=np.full(4, np.nan),
    )
    offered = offers(columns, POLICY)
    assert offered.notes == ()
    possible = np.isfinite(offered.net).any(axis=0)
    nobody = [action.name for action, offered_to in zip(POLICY.actions, possible, strict=True) if not offered_to]
    assert nobody == ["upgrade_to_vip"]  # an active major customer: there is none among these four


def test_an_active_major_customer_with_room_to_grow_is_invited_to_the_vip_circle():
    columns = people(
        2,
        value_tier=np.array(["major", "VIP"]),
        status=np.array(["active", "active"]),
        quadrant=np.array(["star", "gold"]),
        value_at_risk=np.zeros(2),
        expected_value=np.array([2000.0, 9000]),
    )
    made = plan(columns, POLICY)
    assert dict(zip(made.columns["customer_id"], made.columns["action"], strict=True)) == {"C0": "upgrade_to_vip"}


def test_days_since_an_action_are_counted_from_the_last_one_before_the_day():
    columns = days_since_actions(
        np.array([0, 0, 1, 1]),
        np.array([5, 9, 10, 2]),
        np.array(["call", "call", "call", None], dtype=object),
        names=("call", "mail"),
        as_of_day=10,
        customers=3,
    )
    np.testing.assert_array_equal(columns["days_since_action_call"], [1, np.nan, np.nan])
    np.testing.assert_array_equal(columns["days_since_action_mail"], [np.nan] * 3)


@given(st.dates(date(1900, 1, 1), date(2020, 12, 31)), st.dates(date(2021, 1, 1), date(2030, 12, 31)))
def test_a_birthday_comes_within_a_year_and_on_its_day(born, as_of):
    wait = days_to_birthday(np.array([born], dtype="datetime64[D]"), as_of)[0]
    assert 0 <= wait <= 366
    coming = (np.datetime64(as_of) + int(wait)).item()
    assert (coming.month, coming.day) in {(born.month, born.day), (3, 1) if (born.month, born.day) == (2, 29) else None}
