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
        (["actions"], "all", "actions: Input should be a valid tuple"),
    ],
)
def test_a_wrong_policy_is_refused_by_key_rule_and_value(path, value, match):
    with pytest.raises(ConfigError, match=match):
        Policy.from_mapping(changed(path, value))


def test_a_condition_that_cannot_be_read_is_refused_when_the_policy_is_read():
    with pytest.raises(ConfigError, match="cannot be read"):
        Policy.from_mapping(changed(["actions", 0, "when"], "complaints_open >"))


def test_a_policy_may_have_no_actions_at_all():
    assert Policy.from_mapping(changed(["actions"], [])).channels == ()
