"""What came of actions reaches the plan: from the contacts of the company, from a file, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from commands.evidence import evidence_of
from decisions.plans.evidence import Measured
from features.company import Company
from features.reading.assemble import assemble
from keepwell.errors import ConfigError, StoreError
from serving.plans.evidence import MOST_KEPT, Evidence, EvidenceShelf, Expected, expected_effects, read_evidence, write_evidence
from serving.plans.policy import read_policy
from tests.commands.conftest import Shop, run

AS_OF = date(2026, 1, 1)
POLICY = read_policy()
CALL = Measured("win_back_call", 900, 300, 0.1, 0.02, 0.5, 4.0, 2.0, 30.0)
FOUND = Evidence("shop", AS_OF, 90, (CALL,))


def company(customers: int, contacted: date, *, propensity: float = 0.5) -> Company:
    """A shop that calls half of its customers; all who are called buy in the month after, of the others one in four."""
    ids = [f"C{place}" for place in range(customers)]
    called = np.arange(customers) % 2 == 0
    buys = called | (np.arange(customers) % 8 == 1)
    later = [ids[place] for place in np.flatnonzero(buys)]
    orders = {
        "customer_id": ids + later,
        "ordered_at": [contacted - timedelta(days=9)] * customers + [contacted + timedelta(days=20)] * len(later),
        "amount": [10.0] * (customers + len(later)),
    }
    contacts = {
        "customer_id": ids,
        "contacted_at": [contacted] * customers,
        "action": ["win_back_call"] * customers,
        "arm": np.where(called, "treated", "control"),
        "propensity": [propensity] * customers,
    }
    return assemble({"transactions": pl.DataFrame(orders), "contacts": pl.DataFrame(contacts)}, key="shop")


def test_contacts_say_how_many_more_stayed_than_of_the_controls() -> None:
    [call] = evidence_of(company(400, AS_OF - timedelta(days=120)), 90, AS_OF).measured
    assert (call.action, call.treated, call.controls) == ("win_back_call", 200, 200)
    assert call.controls_left == pytest.approx(0.75)
    assert call.stayed == pytest.approx(0.75)
    assert call.value == pytest.approx(7.5)


def test_contacts_whose_horizon_is_not_over_say_nothing() -> None:
    found = evidence_of(company(400, AS_OF - timedelta(days=60)), 90, AS_OF)
    assert found.measured == ()
    assert "can teach" in found.notes[0]


def test_an_action_that_was_not_drawn_as_it_says_keeps_its_prior_and_the_plan_says_why() -> None:
    found = evidence_of(company(400, AS_OF - timedelta(days=120), propensity=0.9), 90, AS_OF)
    assert found.measured == ()
    assert found.notes[0].startswith("win_back_call keeps its prior: win_back_call.propensity: promises 40 rows")


def test_a_company_without_arms_has_no_evidence() -> None:
    shop = company(40, AS_OF - timedelta(days=120))
    contacts = shop.tables["contacts"].drop("arm")
    assert evidence_of(replace(shop, tables={**shop.tables, "contacts": contacts}), 90, AS_OF).measured == ()
    alone = {name: table for name, table in shop.tables.items() if name != "contacts"}
    assert evidence_of(replace(shop, tables=alone), 90, AS_OF).measured == ()


def test_evidence_moves_the_effect_of_its_action_alone() -> None:
    found = expected_effects(FOUND, POLICY)
    effects, notes = found.effects, found.notes
    assert effects["win_back_call"].kept == pytest.approx(0.19, abs=0.02)
    assert effects["win_back_call"].basis == "900 contacts, 300 controls"
    assert {effect.basis for name, effect in effects.items() if name != "win_back_call"} == {"prior"}
    assert notes == (f"contacts before 2026-01-01 tell what to expect of 1 of {len(POLICY.actions)} actions (column evidence)",)
    assert expected_effects(None, POLICY) == Expected({}, ())


def test_evidence_of_an_unknown_action_changes_nothing() -> None:
    found = expected_effects(replace(FOUND, measured=(replace(CALL, action="fax"),)), POLICY)
    assert {effect.basis for effect in found.effects.values()} == {"prior"}
    assert found.notes == ()


def test_evidence_comes_back_from_its_file(tmp_path: Path) -> None:
    write_evidence(FOUND, tmp_path / "evidence.json")
    assert read_evidence(tmp_path / "evidence.json", as_of=AS_OF, horizon_days=90, company="shop") == FOUND
    assert read_evidence(tmp_path / "evidence.json", as_of=AS_OF, horizon_days=90, company=None) == FOUND


@pytest.mark.parametrize(
    ("wanted", "match"),
    [
        ({"as_of": AS_OF - timedelta(days=1)}, "contacts until 2026-01-01, and the plan is of 2025-12-31"),
        ({"horizon_days": 30}, "90 days after a contact, and the plan of 30"),
        ({"company": "other"}, "the evidence is of 'shop', and the plan of 'other'"),
    ],
)
def test_evidence_that_a_plan_cannot_use_is_refused(tmp_path: Path, wanted: dict[str, object], match: str) -> None:
    write_evidence(FOUND, tmp_path / "evidence.json")
    with pytest.raises(ConfigError, match=match):
        read_evidence(tmp_path / "evidence.json", **{"as_of": AS_OF, "horizon_days": 90, "company": "shop", **wanted})


TOLD = {"company": "shop", "as_of": "2026-01-01", "horizon_days": 90, "measured": []}
NO_EVIDENCE = (
    "",
    "[]",
    "{}",
    "[" * 100_000,
    '{"measured": 3}',
    json.dumps({**TOLD, "as_of": "soon"}),
    json.dumps({**TOLD, "measured": [{**vars(CALL), "stayed": None}]}),
    json.dumps({**TOLD, "measured": [{**vars(CALL), "further": 1}]}),
)


@pytest.mark.parametrize("text", NO_EVIDENCE)
def test_a_file_that_is_no_evidence_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "evidence.json").write_text(text)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_evidence(tmp_path / "evidence.json", as_of=AS_OF, horizon_days=90, company=None)


def test_every_plan_says_which_it_used(shop: Shop, tmp_path: Path) -> None:
    told = {}
    for asked in ("auto", "none"):
        words = ("--data", shop.data, "--evidence", asked, "--out", tmp_path / f"{asked}.csv", "--json")
        made = run(tmp_path / "home", "plan", shop.scores, *words)
        assert made.exit_code == 0, made.output
        told[asked] = json.loads(made.stdout)
    assert {action["evidence"] for action in told["none"]["by_action"]} == {"prior"}
    simulated = {"win_back_call", "loyalty_reward", "reminder_email"}
    bases = {action["action"]: action["evidence"] for action in told["auto"]["by_action"] if action["action"] in simulated}
    assert any("contacts, " in basis for basis in bases.values())
    assert any("tell what to expect of" in note for note in told["auto"]["notes"])


def test_a_plan_leaves_its_evidence_where_a_service_finds_it(shop: Shop, tmp_path: Path) -> None:
    words = ("--data", shop.data, "--out", tmp_path / "plan.csv")
    for asked in ("none", "auto"):
        assert run(tmp_path / "home", "plan", shop.scores, "--evidence", asked, *words).exit_code == 0
        assert (tmp_path / "home" / "evidence").exists() == (asked == "auto")
    [file] = (tmp_path / "home" / "evidence").rglob("*.json")
    expected = EvidenceShelf(tmp_path / "home" / "evidence").expected(file.parent.name, 90, AS_OF, POLICY)
    assert any("contacts, " in effect.basis for effect in expected.effects.values())


def test_uplift_writes_the_evidence_that_a_plan_reads(shop: Shop, tmp_path: Path) -> None:
    written = tmp_path / "evidence.json"
    made = run(tmp_path / "home", "uplift", shop.data, "--as-of", AS_OF, "--evidence", written)
    assert made.exit_code == 0, made.output
    plans = {}
    for asked in ("auto", written):
        out = tmp_path / "plan.csv"
        planned = run(tmp_path / "home", "plan", shop.scores, "--data", shop.data, "--evidence", asked, "--out", out)
        assert planned.exit_code == 0, planned.output
        plans[asked] = out.read_bytes()
    assert plans["auto"] == plans[written]


def test_the_table_of_an_experiment_is_no_evidence_of_a_company(tmp_path: Path) -> None:
    (tmp_path / "mails.csv").write_text("arm,y\na,1\n")
    words = ("--treatment", "arm", "--control", "a", "--outcome", "y", "--evidence", tmp_path / "evidence.json")
    refused = run(tmp_path / "home", "uplift", tmp_path / "mails.csv", *words)
    assert "--evidence is for a company" in refused.output


def kept_on(shelf: EvidenceShelf, *days: date, **changes: object) -> None:
    for day in days:
        shelf.keep(replace(FOUND, as_of=day, **changes))


def test_the_newest_evidence_known_on_the_day_counts(tmp_path: Path) -> None:
    shelf = EvidenceShelf(tmp_path / "evidence")
    kept_on(shelf, AS_OF - timedelta(days=60), AS_OF + timedelta(days=1), AS_OF - timedelta(days=30))
    kept_on(shelf, AS_OF, horizon_days=30)
    kept_on(shelf, AS_OF, company="other")
    told = shelf.expected("shop", 90, AS_OF, POLICY)
    assert told.notes[0].startswith(f"contacts before {AS_OF - timedelta(days=30)} tell what to expect of 1 of")
    assert told.effects == expected_effects(FOUND, POLICY).effects


def test_without_evidence_the_priors_stand_and_it_is_said(tmp_path: Path) -> None:
    told = EvidenceShelf(tmp_path / "evidence").expected("shop", 90, AS_OF, POLICY)
    assert told == Expected({}, ("what actions do is taken from the policy: no evidence of contacts before 2026-01-01 is kept",))
    assert not (tmp_path / "evidence").exists()


def test_evidence_that_cannot_be_read_leaves_the_priors_and_it_is_said(tmp_path: Path) -> None:
    shelf = EvidenceShelf(tmp_path / "evidence")
    shelf.keep(FOUND).write_text("{")
    told = shelf.expected("shop", 90, AS_OF, POLICY)
    assert told.effects == {}
    assert "cannot be read" in told.notes[0]


def test_old_evidence_goes_and_that_of_other_horizons_stays(tmp_path: Path) -> None:
    shelf = EvidenceShelf(tmp_path / "evidence")
    kept_on(shelf, AS_OF - timedelta(days=400), horizon_days=30)
    kept_on(shelf, *(AS_OF + timedelta(days=day) for day in range(MOST_KEPT + 3)))
    names = sorted(file.name for file in (tmp_path / "evidence" / "shop").iterdir())
    assert len(names) == MOST_KEPT + 1
    assert "2026-01-01_90d.json" not in names
    assert "2024-11-27_30d.json" in names


@pytest.mark.parametrize("company_key", ["..", ".", "a/b", "店铺", "a b"])
def test_the_name_of_a_company_leads_out_of_no_folder(tmp_path: Path, company_key: str) -> None:
    file = EvidenceShelf(tmp_path / "evidence").keep(replace(FOUND, company=company_key))
    assert file.resolve().parent.parent == (tmp_path / "evidence").resolve()


def test_a_folder_that_cannot_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file")
    with pytest.raises(StoreError, match="cannot be kept"):
        EvidenceShelf(tmp_path / "evidence").keep(FOUND)
