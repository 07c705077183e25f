"""The loop closes: four quarters of score, plan, contact and outcome bring more than to do nothing or to call whoever is at risk.

All arms live in the same simulated shop with the same luck (`datasets.living`), so what differs between them comes from what was
done. The shop is told nothing of what its actions do: the catalogue's priors are wrong, and what corrects them is a pilot of
random contacts, and the controls of each plan.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from datasets.living import LivingShop
from datasets.shop import ContactEffect, Effects
from decisions.plans.allocate import allocate
from serving.plans.policy import read_policy
from tests.commands.conftest import run

CUSTOMERS, SEED, BUDGET = 2500, 1, 1000.0
FIRST, HISTORY_DAYS, QUARTER_DAYS, QUARTERS, TAIL_DAYS = date(2023, 1, 1), 730, 91, 4, 182
JUDGED_DAYS = QUARTERS * QUARTER_DAYS + TAIL_DAYS
EFFECTS = Effects(
    campaign_share=0.08,
    campaign_recency_days=180,
    contacts={
        "consumer_call": ContactEffect(8.0, 0.40, 0.05, 0.5, {"deal_seeker": 0.05}),
        "consumer_reward": ContactEffect(4.0, 0.05, 0.02, 0.5, {"deal_seeker": 0.10}),
        "trader_visit": ContactEffect(40.0, 0.10, 0.05, 0.5, {"trader": 0.50}),
        "reminder": ContactEffect(0.2, 0.03, 0.01, 0.5),
    },
)
WHEN = {"trader_visit": 'kind == "trader"', "reminder": "churn_probability >= 0"}
BELIEVED = {"consumer_call": 0.2, "consumer_reward": 0.3, "trader_visit": 0.2, "reminder": 0.05}
"""What the catalogue expects, each worth ten customers of evidence: the reward is thought better than the call."""
TOLD = {"consumer_call": 0.33, "consumer_reward": 0.06, "trader_visit": 0.50, "reminder": 0.03}
"""What is true of the average customer of each action."""
NEAR = 0.7
"""How near the plan that learns is to come to the same plan that is told what its actions do."""
RISK_ACTION = {"trader": "trader_visit", "consumer": "consumer_call"}
"""Whoever treats by risk knows at least which action works best."""


def shop() -> LivingShop:
    """The shop on the first day of the four quarters."""
    made = LivingShop(CUSTOMERS, seed=SEED, effects=EFFECTS, first_day=FIRST, lasts_days=HISTORY_DAYS + JUDGED_DAYS)
    made.live(HISTORY_DAYS)
    made.shop.campaigns = False
    return made


def policy_file(path: Path, kept: dict[str, float], customers: float) -> Path:
    """The default policy with the shop's own actions, whose priors are worth so many customers."""
    content = read_policy().model_dump(mode="json")
    content["plan"]["value_days"] = JUDGED_DAYS
    content["actions"] = [
        {
            "name": name,
            "title": name,
            "title_zh": name,
            "bond": "social",
            "channel": "call",
            "cost": effect.cost,
            "when": WHEN.get(name, 'kind == "consumer"'),
            "why": "It may help",
            "kept": {"a": kept[name] * customers, "b": (1 - kept[name]) * customers},
            "control": 0.2,
        }
        for name, effect in EFFECTS.contacts.items()
    ]
    path.write_text(yaml.safe_dump(content))
    return path


class Firm:
    """A company that keeps the shop's books and runs `keepwell` on them, each quarter anew."""

    def __init__(self, place: Path, made: LivingShop) -> None:
        place.mkdir()
        self.place, self.shop = place, made

    def keepwell(self, *words: object) -> None:
        done = run(self.place / "home", *words)
        assert done.exit_code == 0, done.output

    def score(self) -> pl.DataFrame:
        """Write down what happened, learn from it, and score."""
        today, data, scores = self.shop.today, self.place / "data", self.place / "scores.parquet"
        self.shop.write(data)
        self.keepwell("train", data, "--horizon", "90d", "--as-of", today, "--trials", 0)
        self.keepwell("score", data, "--as-of", today, "--out", scores, "--explain", 0)
        return pl.read_parquet(scores)

    def plan(self, policy: Path, *words: object) -> pl.DataFrame:
        out = self.place / "plan.parquet"
        words = ("--data", self.place / "data", "--policy", policy, "--budget", BUDGET, "--out", out, *words)
        self.keepwell("plan", self.place / "scores.parquet", *words)
        return pl.read_parquet(out)

    def report(self, treated: pl.DataFrame, policy: Path) -> None:
        """Tell `keepwell` who was contacted, and put what it makes of it among the contacts of the company."""
        told, contacts = self.place / "done.parquet", self.place / "data" / "contacts" / "keepwell.parquet"
        treated.select("customer_id", "action", step=pl.lit("contacted"), on=pl.lit(self.shop.today)).write_parquet(told)
        self.keepwell("outcome", told, "--as-of", self.shop.today, "--policy", policy)
        self.keepwell("outcome", "--export", contacts)


Act = Callable[[LivingShop, int], pl.DataFrame]
"""What is done today: customer_id and action, where the days are those that are left to judge."""


def run_year(act: Act, made: LivingShop) -> tuple[float, float]:
    """(revenue of the judged days, cost) of a year in which `act` says what to do each quarter."""
    cost = 0.0
    for quarter in range(QUARTERS):
        done = act(made, JUDGED_DAYS - quarter * QUARTER_DAYS)
        made.contact(done["customer_id"].to_list(), done["action"].to_list())
        cost += sum(EFFECTS.contacts[action].cost for action in done["action"])
        made.live(QUARTER_DAYS)
    made.live(TAIL_DAYS)
    return made.revenue(HISTORY_DAYS), cost


def nobody(_: LivingShop, __: int) -> pl.DataFrame:
    return pl.DataFrame(schema={"customer_id": pl.String, "action": pl.String})


def clairvoyant(made: LivingShop, days: int) -> pl.DataFrame:
    """Knows each customer's hidden chance of leaving, and what each action does to them."""
    names = list(EFFECTS.contacts)
    costs = np.array([effect.cost for effect in EFFECTS.contacts.values()])
    net = np.column_stack([made.true_gain(name, days) for name in names]) - costs
    choice = allocate(net, costs[:, None], np.array([BUDGET])).choice
    who = np.flatnonzero(choice >= 0)
    return pl.DataFrame({"customer_id": made.people.ids[who], "action": np.array(names)[choice[who]]})


def by_risk(firm: Firm) -> Act:
    """The riskiest first, whom the budget reaches, of those who are not lost."""

    def act(made: LivingShop, _: int) -> pl.DataFrame:
        scores = firm.score().filter(pl.col("status") != "lost").sort("churn_probability", descending=True)
        kinds = pl.DataFrame({"customer_id": made.people.ids, "kind": np.where(made.people.trader, "trader", "consumer")})
        rows = scores.join(kinds, on="customer_id", maintain_order="left").with_columns(
            action=pl.col("kind").replace_strict(RISK_ACTION)
        )
        costs = pl.col("action").replace_strict({name: effect.cost for name, effect in EFFECTS.contacts.items()})
        return rows.filter(costs.cum_sum() <= BUDGET)

    return act


def by_plan(firm: Firm, policy: Path, *words: object) -> Act:
    """The whole loop: score, plan, contact who is to be treated, tell what was done."""

    def act(_: LivingShop, __: int) -> pl.DataFrame:
        firm.score()
        treated = firm.plan(policy, *words).filter(pl.col("arm") == "treated")
        firm.report(treated, policy)
        return treated

    return act


@pytest.mark.slow
def test_four_quarters_of_plan_and_outcome_bring_more_than_nothing_and_than_treating_by_risk(tmp_path: Path) -> None:
    alone, _ = run_year(nobody, shop())

    def gain(act: Act, made: LivingShop) -> float:
        revenue, cost = run_year(act, made)
        assert cost <= QUARTERS * BUDGET + 1e-6
        return revenue - alone - cost

    firms = {name: Firm(tmp_path / name, shop()) for name in ("risk", "learning", "told")}
    believed = policy_file(tmp_path / "believed.yaml", BELIEVED, customers=10)
    truth = policy_file(tmp_path / "truth.yaml", TOLD, customers=1e6)
    risk = gain(by_risk(firms["risk"]), firms["risk"].shop)
    learning = gain(by_plan(firms["learning"], believed), firms["learning"].shop)
    told = gain(by_plan(firms["told"], truth, "--evidence", "none"), firms["told"].shop)
    best = gain(clairvoyant, shop())
    assert learning > 0, "the plan brings more than it costs"
    assert learning > 2 * risk, (learning, risk)
    assert learning > NEAR * told, (learning, told)
    assert learning < best, (learning, best)
