"""An action of one's own is a few lines in the policy file."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import yaml

from decisions.plans.plan import plan
from keepwell.errors import ConfigError
from serving.plans.policy import read_policy

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_shop" / "action.yaml"


def policy_with(actions: list[dict[str, object]], folder: Path) -> Path:
    content = yaml.safe_load((resources.files("decisions") / "policy.yaml").read_text(encoding="utf-8"))
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump({**content, "actions": [*content["actions"], *actions]}, allow_unicode=True), encoding="utf-8")
    return path


def test_a_plan_chooses_an_action_of_ones_own_where_its_condition_holds(tmp_path: Path) -> None:
    policy = read_policy(policy_with(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")), tmp_path))
    customers = {
        "customer_id": np.array([f"C{number}" for number in range(200)], dtype=object),
        "churn_probability": np.tile([0.6, 0.1], 100),
        "expected_value": np.full(200, 300.0),
        "horizon_days": np.full(200, 90),
        "value_at_risk": np.tile([400.0, 40.0], 100),
    }
    made = plan(customers, policy, 500.0)
    chosen = made.columns["customer_id"][made.columns["action"] == "own_saturday_tasting"].tolist()
    assert chosen
    assert all(int(customer[1:]) % 2 == 0 for customer in chosen)


def test_a_second_action_of_the_same_name_is_refused(tmp_path: Path) -> None:
    twice = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8")) * 2
    with pytest.raises(ConfigError, match="own_saturday_tasting"):
        read_policy(policy_with(twice, tmp_path))
