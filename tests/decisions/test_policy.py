import copy
from pathlib import Path

import pytest
import yaml

import decisions.policy as policy_module
from decisions.policy import Policy
from keepwell.errors import ConfigError

TEXT = (Path(policy_module.__file__).parent / "policy.yaml").read_text(encoding="utf-8")
CONTENT = yaml.safe_load(TEXT)


def changed(path, value):
    """The default content with the key at `path` set to `value` (None: left out)."""
    content = copy.deepcopy(CONTENT)
    place = content
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return content


def test_the_default_policy_is_valid_and_frozen():
    policy = Policy.from_mapping(CONTENT)
    assert policy.tiers.vip == 0.01
    with pytest.raises(ValueError, match="frozen"):
        policy.tiers.vip = 0.5


def test_the_default_catalogue_has_names_in_both_languages_and_an_effect_for_every_action():
    actions = Policy.from_mapping(CONTENT).actions
    assert all(action.title.isascii() and not action.title_zh.isascii() for action in actions)
    assert all(action.kept or action.lift or action.gain for action in actions)
    assert {action.bond for action in actions} == {"financial", "social", "structural"}


@pytest.mark.parametrize(
    ("path", "value", "match"),
    [
        (["unknown"], 1, "unknown: Extra inputs are not permitted"),
        (["tiers", "gold"], 0.1, "tiers.gold: Extra inputs"),
        (["tiers"], None, "tiers: Field required"),
        (["tiers", "vip"], -0.1, "tiers.vip: Input should be greater than or equal to 0, found -0.1"),
        (["tiers", "vip"], 0.9, "vip \\+ major \\+ ordinary must not exceed 1"),
        (["tiers", "vip"], "0.01", "tiers.vip: Input should be a valid number, found '0.01'"),
        (["tiers", "vip"], float("nan"), "tiers.vip: Input should be .*"),
        (["tiers", "protected"], {17: "VIP"}, "tiers.protected.17.*: Input should be a valid string, found 17"),
        (
            ["tiers", "protected"],
            {"17": "small"},
            "tiers.protected.17: Input should be 'VIP', 'major' or 'ordinary', found 'small'",
        ),
        (["hysteresis"], 1.0, "hysteresis: Input should be less than 1"),
        (["abc", "a"], 0.9, "a must not exceed b"),
        (["accounts", "key"], 0.99, "core \\+ key must not exceed 1"),
        (["service", "proactive"], -1, "service.proactive: Input should be greater than or equal to 0"),
        (["status", "lapsing_from"], 1.5, "status.lapsing_from: Input should be less than or equal to 1"),
        (["status", "lost_from"], 0.2, "lapsing_from must not exceed lost_from"),
        (["lifetime", "years"], 0, "lifetime.years: Input should be greater than 0"),
        (["actions", 0, "cost"], -1.0, "actions.0.cost: Input should be greater than or equal to 0"),
        (["actions", 0, "cost"], float("inf"), "actions.0.cost: Input should be a finite number"),
        (["actions", 0, "kept"], {"a": 0.0, "b": 1.0}, "actions.0.kept.a: Input should be greater than 0"),
        (["actions", 0, "kept"], None, "actions.0: an action needs an expected effect"),
        (["actions", 0, "name"], "Call them!", "actions.0.name: String should match pattern"),
        (["actions", 1, "name"], "service_recovery", "two actions are named service_recovery"),
        (["actions", 0, "cooldown_days"], -3, "actions.0.cooldown_days: Input should be greater"),
        (["actions", 0, "name"], "do_nothing", "actions.0.name: do_nothing is always possible"),
        (["actions", 0, "bond"], "golden", "actions.0.bond: Input should be 'financial', 'social' or 'structural'"),
        (["actions", 0, "control"], 1.0, "actions.0.control: Input should be less than 1"),
        (["actions", 0, "capacity"], -1, "actions.0.capacity: Input should be greater than or equal to 0"),
        (["actions", 0, "hours"], -0.5, "actions.0.hours: Input should be greater than or equal to 0"),
        (["actions", 0, "gain"], {"of": "service_cost", "mean": 1.2, "sd": 0.0}, "actions.0.gain.mean: Input should be less"),
        (["actions", 0, "contact_cap"], {"contacts": 0, "days": 30}, "actions.0.contact_cap.contacts: Input should be greater"),
        (["actions", 0, "contact_cap"], {"contacts": 1, "days": 30}, "actions.0: contradictory caps: cooldown_days allows it"),
        (["plan", "left_alone"], "C1", "plan.left_alone: Input should be a valid tuple"),
        (["plan", "holdout_seed"], -1, "plan.holdout_seed: Input should be greater than or equal to 0"),
        (["actions", 0, "when"], 'value_tier == "vip"', "actions.0.when: value_tier is never 'vip'; its words are VIP, major"),
        (["actions", 0, "when"], 'status in ("new", "gone")', "status is never 'gone'; its words are new, active, lapsing, lost"),
        (["actions"], "all", "actions: Input should be a valid tuple"),
    ],
)
def test_a_wrong_policy_is_refused_by_key_rule_and_value(path, value, match):
    with pytest.raises(ConfigError, match=match):
        Policy.from_mapping(changed(path, value))


def test_a_condition_that_cannot_be_read_is_refused_when_the_policy_is_read():
    with pytest.raises(ConfigError, match=r"actions.0.when: the condition .* cannot be read"):
        Policy.from_mapping(changed(["actions", 0, "when"], "complaints_open >"))


def test_a_policy_may_have_no_actions_at_all():
    assert Policy.from_mapping(changed(["actions"], [])).channels == ()


ISSUED = {
    "service recovery": {"service_recovery"},
    "before they complain": {"late_delivery_call"},
    "win-back of a lost key account": {"win_back_lost_account", "win_back_key_customer"},
    "key-account review": {"key_account_review"},
    "upgrade from major to VIP": {"upgrade_to_vip"},
    "cross-sell": {"cross_sell"},
    "birthday or anniversary": {"birthday_card", "anniversary_card"},
    "club or structural bond": {"club_membership", "contract_renewal", "shared_ordering"},
    "bad credit": {"prepayment", "payment_reminder"},
    "loyalty reward": {"loyalty_reward"},
    "reminder": {"reminder_email"},
    "satisfaction call": {"satisfaction_call"},
    "reduced service": {"reduced_service"},
}


@pytest.mark.parametrize("kind", ISSUED)
def test_every_kind_of_action_is_in_the_default_catalogue(kind):
    assert ISSUED[kind] <= {action.name for action in Policy.from_mapping(CONTENT).actions}


def test_doing_nothing_has_a_name_in_both_languages():
    titles = Policy.from_mapping(CONTENT).plan.do_nothing
    assert titles.title == "Do nothing"
    assert not titles.title_zh.isascii()


def test_only_what_wins_back_or_collects_reaches_lost_customers_and_discounts_are_marked():
    actions = {action.name: action for action in Policy.from_mapping(CONTENT).actions}
    reaching = {name for name, action in actions.items() if action.reaches_lost}
    assert reaching == {"win_back_lost_account", "win_back_key_customer", "prepayment", "payment_reminder"}
    assert {name for name, action in actions.items() if action.discount} == {"loyalty_reward"}
    assert [name for name, action in actions.items() if action.reduces_service] == ["reduced_service"]


def test_the_schema_names_every_key_of_the_default_policy_and_allows_no_other():
    schema = Policy.model_json_schema()
    assert set(schema["properties"]) >= set(CONTENT)
    action = schema["$defs"]["Action"]
    assert set(action["properties"]) >= {key for each in CONTENT["actions"] for key in each}
    assert action["additionalProperties"] is schema["additionalProperties"] is False
    assert {"name", "cost", "channel", "when", "bond"} <= set(action["required"])
    assert schema["$defs"]["Kept"]["properties"]["a"]["exclusiveMinimum"] == 0
