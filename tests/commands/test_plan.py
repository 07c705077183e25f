"""`keepwell plan` as a user types it: limits, the frontier, JSON, the schema, and what is refused."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from decisions.policy import Policy
from serving.plans.policy import read_policy
from tests.commands.conftest import Keepwell

ROWS = 200


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """Scores of some invented customers."""
    rng = np.random.default_rng(0)
    churn, value = rng.beta(1, 1, ROWS), rng.lognormal(4, 1, ROWS)
    frame = pl.DataFrame(
        {
            "customer_id": [f"C{place}" for place in range(ROWS)],
            "as_of": [date(2026, 1, 1)] * ROWS,
            "horizon_days": pl.Series([90] * ROWS, dtype=pl.Int32),
            "churn_probability": churn,
            "expected_value": value * (1 - churn),
            "value_at_risk": value * churn,
            "status": np.where(churn > 0.9, "lost", np.where(churn > 0.5, "lapsing", "active")),
            "value_tier": rng.choice(["VIP", "ordinary", "small"], ROWS),
            "relation": rng.choice(["relational", "transactional"], ROWS),
            "model_version": ["1"] * ROWS,
        }
    )
    frame.write_parquet(tmp_path / "scores.parquet")
    return tmp_path / "scores.parquet"


def with_policy(tmp_path: Path, **first_action: object) -> Path:
    """The default policy with changes to its first action, as a file."""
    content = read_policy().model_dump(mode="json")
    content["actions"][0] |= first_action
    (tmp_path / "policy.yaml").write_text(yaml.safe_dump(content))
    return tmp_path / "policy.yaml"


def test_the_json_of_a_plan_tells_its_bound_its_limits_and_what_each_action_brings(
    keepwell: Keepwell, scores: Path, tmp_path: Path
) -> None:
    words = ("--budget", 100, "--capacity", "call=4", "--hours", "call=2", "--out", tmp_path / "plan.csv", "--json")
    made = keepwell("plan", scores, *words)
    assert made.exit_code == 0, made.output
    told, plan = json.loads(made.stdout), pl.read_csv(tmp_path / "plan.csv")
    assert told["cost"] == pytest.approx(plan["cost"].sum())
    assert told["actions"] + told["controls"] == plan.height
    assert told["expected_net_value"] <= told["bound"]
    assert 0 <= told["gap"] < 0.05
    limits = {limit["name"]: limit for limit in told["limits"]}
    assert list(limits) == ["budget", "call contacts", "call hours"]
    assert all(limit["used"] <= limit["amount"] + 1e-9 for limit in limits.values())
    assert limits["budget"]["shadow_price"] > 0
    assert sum(action["customers"] for action in told["by_action"]) == plan.height
    assert {action["evidence"] for action in told["by_action"]} == {"prior"}


def test_the_frontier_is_written_as_a_picture_and_as_figures(keepwell: Keepwell, scores: Path, tmp_path: Path) -> None:
    picture, figures = tmp_path / "frontier.svg", tmp_path / "frontier.json"
    words = ("--budget", 100, "--out", tmp_path / "plan.csv", "--frontier", picture, "--frontier", figures)
    made = keepwell("plan", scores, *words)
    assert made.exit_code == 0, made.output
    assert picture.read_text().startswith("<?xml")
    worth = [point["expected_net_value"] for point in json.loads(figures.read_text())]
    assert len(worth) == 25
    assert worth == pytest.approx(sorted(worth), rel=2e-3, abs=1e-6)


def test_the_plan_says_how_good_it_is_and_what_one_more_unit_would_bring(
    keepwell: Keepwell, scores: Path, tmp_path: Path
) -> None:
    made = keepwell("plan", scores, "--budget", 100, "--capacity", "call=4", "--out", tmp_path / "plan.csv")
    assert "no other choice can be expected to bring more" in made.stderr
    assert "one more unit of money would bring" in made.stderr
    assert "leave them alone, so that the effect can be measured" in made.stderr


def test_the_schema_is_printed_without_scores_and_knows_the_catalogue(keepwell: Keepwell) -> None:
    printed = keepwell("plan", "--schema")
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == Policy.model_json_schema()
    action = json.loads(printed.stdout)["$defs"]["Action"]["properties"]
    assert action["control"]["description"].startswith("The share of those chosen who are left alone")


@pytest.mark.parametrize(
    ("words", "match"),
    [
        (("--capacity", "fax=2"), "no action uses the channel 'fax'"),
        (("--capacity", "call=2", "--capacity", "call=3"), "--capacity gives call both 2 and 3"),
        (("--hours", "call=2", "--hours", "call=3"), "--hours gives call both 2 and 3"),
        (("--hours", "post=2"), "no action of the channel post takes any hours"),
        (("--budget", "-5"), "the budget must be 0 or more, found -5"),
        (("--budget", "nan"), "the budget must be 0 or more, found nan"),
        (("--frontier", "scores.parquet"), "must end in .png or .svg or .json"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_written(
    keepwell: Keepwell, scores: Path, tmp_path: Path, words: tuple[str, ...], match: str
) -> None:
    before = sorted(tmp_path.iterdir())
    refused = keepwell("plan", scores, *words, "--out", tmp_path / "plan.csv")
    assert refused.exit_code != 0
    assert match in refused.output
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"when": "complaint_open > 0"}, "actions.0 (service_recovery): there is no column 'complaint_open'"),
        ({"cost": -1.0}, "actions.0.cost: Input should be greater than or equal to 0, found -1.0"),
        ({"control": 1.5}, "actions.0.control: Input should be less than 1, found 1.5"),
        ({"contact_cap": {"contacts": 1, "days": 60}}, "actions.0: contradictory caps"),
        ({"when": "__import__('os')"}, "is not understood at"),
        ({"when": "status > 3"}, "orders or adds a text and a number"),
    ],
)
def test_a_wrong_policy_is_refused_and_nothing_is_written(
    keepwell: Keepwell, scores: Path, tmp_path: Path, change: dict[str, object], match: str
) -> None:
    refused = keepwell("plan", scores, "--policy", with_policy(tmp_path, **change), "--out", tmp_path / "plan.csv")
    assert refused.exit_code == 4, refused.output
    assert match in refused.output
    assert not (tmp_path / "plan.csv").exists()


def test_an_unknown_column_is_refused_with_the_nearest_one_there_is(keepwell: Keepwell, scores: Path, tmp_path: Path) -> None:
    policy = with_policy(tmp_path, when="complaint_open > 0")
    refused = keepwell("plan", scores, "--policy", policy, "--out", tmp_path / "plan.csv")
    assert "is it complaints_open?" in refused.output


def test_two_outputs_of_one_name_are_refused(keepwell: Keepwell, scores: Path, tmp_path: Path) -> None:
    words = ("--frontier", tmp_path / "f.png", "--frontier", tmp_path / "f.png", "--out", tmp_path / "plan.csv")
    refused = keepwell("plan", scores, *words)
    assert "two outputs have one name" in refused.output
    assert not (tmp_path / "plan.csv").exists()


def test_what_libraries_print_is_kept_apart_from_our_output() -> None:
    code = (
        "import ctypes, os\n"
        "from commands.terminal import libraries_on_stderr\n"
        "print('before', flush=True)\n"
        "with libraries_on_stderr():\n"
        "    ctypes.CDLL(None).puts(b'a line of a library')\n"
        "print('after')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    assert done.stdout == "before\nafter\n"
    assert "a line of a library" in done.stderr
