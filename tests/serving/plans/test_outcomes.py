"""Outcomes come back once each, checked by name, and become the contacts from which effects are learned."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Thread

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.labels import Step
from features.reading.assemble import assemble
from keepwell.errors import DataError
from serving.plans.contact_log import COLUMNS, contact_table
from serving.plans.outcome_files import read_outcomes
from serving.plans.outcomes import record_outcomes
from serving.plans.policy import read_policy
from serving.store import Store
from serving.store.records import Assignment, Outcome, Recorded, RecordedOutcome
from tests.serving.store.test_store import filled

POLICY = read_policy()
AT = datetime(2026, 2, 1, 12, tzinfo=UTC)
TODAY = date(2026, 2, 1)
JAN = date(2026, 1, 1)
CALL, CARD = "win_back_call", "birthday_card"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with scores of c0000 and on, and a plan: three treated and one control of one action."""
    made = Store(f"sqlite:///{tmp_path / 'store.db'}")
    made.migrate()
    filled(made)
    load = made.current_load()
    items = pl.DataFrame(
        {
            "customer_id": ["c0000", "c0001", "c0002", "c0003"],
            "action": [CALL] * 4,
            "arm": ["treated"] * 3 + ["control"],
            "propensity": [0.75] * 4,
            "cost": [8.0, 8.0, 8.0, 0.0],
            "expected_net_value": [3.0, 2.0, 1.0, 0.0],
            "churn_probability": [0.5] * 4,
        }
    )
    made.save_plan(load, items, made_at=AT, budget=None, capacities={})
    return made


@pytest.fixture
def company(store: Store) -> str:
    return store.outcomes.companies()[0]


@pytest.fixture
def day(store: Store) -> date:
    """The day after the scores of the store: the plan is known."""
    return store.current_load().as_of + timedelta(days=1)


Record = Callable[..., Recorded]


@pytest.fixture
def record(store: Store, company: str, day: date) -> Record:
    return lambda *rows: record_outcomes(store, company, rows, policy=POLICY, today=day + timedelta(days=60), recorded_at=AT)


def test_what_comes_twice_counts_once(store: Store, company: str, record: Record, day: date) -> None:
    rows = [Outcome("c0000", "contacted", day, CALL), Outcome("c0000", "accepted", day, CALL)]
    assert record(*rows, rows[0]) == Recorded(new=2, known_before=1)
    assert record(*rows) == Recorded(new=0, known_before=2)
    assert record(*rows, Outcome("c0001", "contacted", day, CALL)) == Recorded(new=1, known_before=2)
    assert [one.customer_id for one in store.outcomes.recorded(company)] == ["c0000", "c0000", "c0001"]


def test_the_senders_key_says_what_is_the_same(record: Record, day: date) -> None:
    assert record(Outcome("c0000", "contacted", day, CALL, key="k1")).new == 1
    assert record(Outcome("c0000", "contacted", day, CALL, key="k2")).new == 1
    assert record(Outcome("c0000", "contacted", day, CALL, key="k1")) == Recorded(0, 1)
    assert record(Outcome("c0001", "contacted", day, CALL, key="k1")) == Recorded(0, 1, differing=1)


def test_two_processes_that_send_the_same_at_once_count_once(store: Store, company: str, record: Record, day: date) -> None:
    rows = [Outcome(f"c{place:04d}", "contacted", day, CALL) for place in range(4)]
    told: list[Recorded] = []
    threads = [Thread(target=lambda: told.append(record(*rows))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.new for one in told) == 4
    assert len(store.outcomes.recorded(company)) == 4


def test_an_outcome_knows_the_plan_that_asked_for_it(store: Store, company: str, record: Record, day: date) -> None:
    before = day - timedelta(days=30)
    other = [Outcome("c0000", "contacted", day, CARD), Outcome("c0000", "contacted", before, CALL)]
    told = record(Outcome("c0000", "contacted", day, CALL), Outcome("c0003", "contacted", day, CALL), *other)
    assert told == Recorded(4, 0, controls=1)
    known = {(one.customer_id, one.action, one.happened_on): one for one in store.outcomes.recorded(company)}
    assert (known["c0000", CALL, day].arm, known["c0000", CALL, day].propensity) == ("treated", 0.75)
    assert known["c0003", CALL, day].arm == "control"
    assert known["c0000", CARD, day].plan_id is None
    assert known["c0000", CALL, before].plan_id is None


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"customer_id": "C00002"}, r"customer_id: is no customer of .* 'C00002'\)\n  -> is it c0002\?"),
        ({"customer_id": "c000"}, r"customer_id: is no customer of"),
        ({"action": "winback_call"}, r"action: is not known .* 'winback_call'\)\n  -> is it win_back_call\?"),
        ({"action": None}, r"action: is missing"),
        ({"step": "acepted"}, r"step: is not known .*\n  -> is it accepted\? known are taken, contacted"),
        ({"reason": "prize"}, r"reason: is not known .*\n  -> is it price\?"),
        ({"happened_on": date(2999, 1, 1)}, r"on: must not be after"),
        ({"cost": -1.0}, r"cost: must be a number of 0 or more"),
        ({"cost": float("nan")}, r"cost: must be a number of 0 or more"),
        ({"key": "k" * 201}, r"key: must have at most 200 characters"),
    ],
)
def test_what_cannot_be_is_refused_by_name_and_nothing_is_written(
    store: Store, record: Record, day: date, change: dict[str, object], match: str
) -> None:
    good = {"customer_id": "c0000", "step": "declined", "happened_on": day, "action": CALL}
    with pytest.raises(DataError, match=match):
        record(Outcome(**good), Outcome(**{**good, "customer_id": "c0001", **change}))
    assert store.outcomes.recorded(*store.outcomes.companies()) == ()


def test_one_key_for_two_outcomes_is_refused(record: Record, day: date) -> None:
    with pytest.raises(DataError, match="key: stands for two outcomes that differ"):
        record(Outcome("c0000", "contacted", day, CALL, key="k"), Outcome("c0001", "contacted", day, CALL, key="k"))


def test_an_action_that_left_the_policy_is_known_from_its_plan(store: Store, company: str, day: date) -> None:
    without = POLICY.model_copy(update={"actions": tuple(one for one in POLICY.actions if one.name != CALL)})
    rows = [Outcome("c0000", "contacted", day, CALL)]
    assert record_outcomes(store, company, rows, policy=without, today=day, recorded_at=AT).new == 1


def test_who_wants_no_contact_is_left_alone_until_they_may_be_contacted_again(
    store: Store, company: str, record: Record, day: date
) -> None:
    record(Outcome("c0000", "do_not_contact", day), Outcome("c0001", "do_not_contact", day, CALL))
    assert store.outcomes.left_alone(company) == {"c0000", "c0001"}
    record(Outcome("c0000", "contact_again", day - timedelta(days=1)))
    assert "c0000" in store.outcomes.left_alone(company)
    record(Outcome("c0000", "contact_again", day + timedelta(days=1)))
    assert store.outcomes.left_alone(company) == {"c0001"}
    record(Outcome("c0000", "do_not_contact", day))  # sent again: known, and changes nothing
    assert store.outcomes.left_alone(company) == {"c0001"}


def test_who_wants_no_contact_leaves_the_lists_of_plans_made_before(store: Store, record: Record, day: date) -> None:
    plan = store.plan(store.current_load())
    record(Outcome("c0001", "do_not_contact", day))
    assert [item.customer_id for item in store.plan_items(plan)] == ["c0000", "c0002"]
    assert len(store.plan_items(plan, controls=True)) == 4


def test_outcomes_of_a_plan_outlive_its_load(store: Store, company: str, record: Record, day: date) -> None:
    for _ in range(5):
        filled(store)
    assert record(Outcome("c0000", "contacted", day, CALL)).new == 1
    assert {one.arm for one in store.outcomes.assignments(company, ["c0003"])} == {"control"}


def test_on_postgresql_outcomes_are_the_same(postgres_url: str) -> None:
    store = Store(postgres_url)
    store.migrate()
    filled(store)
    day = store.current_load().as_of
    rows = [Outcome("c0000", "contacted", day, CALL), Outcome("c0001", "do_not_contact", day)]
    told = [record_outcomes(store, "acme", rows, policy=POLICY, today=day, recorded_at=AT) for _ in range(2)]
    assert told == [Recorded(2, 0), Recorded(0, 2)]
    assert store.outcomes.left_alone("acme") == {"c0001"}
    assert [one.recorded_at for one in store.outcomes.recorded("acme")] == [AT, AT]
    with pytest.raises(DataError, match=r"is it c0002\?"):
        record_outcomes(store, "acme", [Outcome("C2", "contacted", day, CALL)], policy=POLICY, today=day, recorded_at=AT)
    store.close()


# From a file


def test_a_file_of_steps_is_read(tmp_path: Path) -> None:
    (tmp_path / "o.csv").write_text(
        "customer_id;action;step;on;key;cost;mood\n00042;card;accepted;05/01/2026;k1;1.5;good\n00043;card;;;;;\n00044;card;contacted;31/01/2026;;;\n"
    )
    rows, unread = read_outcomes(tmp_path / "o.csv")
    assert rows == [
        Outcome("00042", "accepted", date(2026, 1, 5), "card", "k1", 1.5),
        Outcome("00044", "contacted", date(2026, 1, 31), "card"),
    ]
    assert unread == ("mood",)


def test_a_file_of_contacts_is_read_as_their_steps(tmp_path: Path) -> None:
    pl.DataFrame(
        {
            "customer_id": [7, 8, 9],
            "action": ["call"] * 3,
            "contacted_at": [datetime(2026, 1, 5, 9), datetime(2026, 1, 6), datetime(2026, 1, 7)],
            "accepted": [True, False, None],
            "converted": [True, False, None],
            "reason": [None, "price", None],
            "cost": [4.0, None, None],
            "key": ["a", "b", None],
        }
    ).write_parquet(tmp_path / "o.parquet")
    rows, unread = read_outcomes(tmp_path / "o.parquet")
    assert unread == ()
    assert [(row.customer_id, row.step, row.key, row.cost, row.reason) for row in rows] == [
        ("7", "contacted", "a/contacted", 4.0, None),
        ("7", "accepted", "a/accepted", None, None),
        ("7", "converted", "a/converted", None, None),
        ("8", "contacted", "b/contacted", None, None),
        ("8", "declined", "b/declined", None, "price"),
        ("9", "contacted", None, None, None),
    ]


def test_in_the_file_of_a_plan_the_reason_is_not_why_somebody_declined(tmp_path: Path) -> None:
    (tmp_path / "plan.csv").write_text(
        "customer_id,action,runner_up,reason,step,on\na,call,card,They are at risk.,contacted,2026-01-05\n"
    )
    [row], unread = read_outcomes(tmp_path / "plan.csv")
    assert row.reason is None
    assert unread == ("runner_up", "reason")


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "is an empty file"),
        ("customer,step,on\n1,accepted,2026-01-01\n", "customer_id: is missing"),
        ("customer_id,step\n1,accepted\n", "outcomes.on: is missing"),
        ("customer_id,step,on\n,accepted,2026-01-01\n", "customer_id: must not be empty"),
        ("customer_id,step,on\n1,accepted,\n", "outcomes.on: must not be empty"),
        ("customer_id,step,on\n1,accepted,soon\n", "outcomes.on"),
        ("customer_id,step,on,cost\n1,accepted,2026-01-01,-3\n", "outcomes.cost: must lie in 0 to"),
        ("customer_id,step,on,cost\n1,accepted,2026-01-01,much\n", "outcomes.cost"),
        ("customer_id,contacted_at,accepted\n1,2026-01-01,perhaps\n", "outcomes.accepted"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, match: str) -> None:
    (tmp_path / "o.csv").write_text(text)
    with pytest.raises(DataError, match=match):
        read_outcomes(tmp_path / "o.csv")


# Back to the contacts table


def happened(customer: str, step: str, after: int, action: str = "call", **told: object) -> RecordedOutcome:
    plain = dict.fromkeys(RecordedOutcome.__dataclass_fields__)
    base = {"key": f"{customer}{step}{after}", "customer_id": customer, "action": action, "step": step, "recorded_at": AT}
    return RecordedOutcome(**{**plain, **base, "happened_on": JAN + timedelta(days=after), **told})


def planned(customer: str, arm: str | None = "treated", propensity: float | None = 0.5, plan_id: int = 1) -> Assignment:
    return Assignment(plan_id, JAN, customer, "call", arm, propensity, 8.0 if arm == "treated" else 0.0)


def of_plan(customer: str, step: str, after: int, arm: str = "treated", **told: object) -> RecordedOutcome:
    return happened(customer, step, after, plan_id=1, arm=arm, propensity=0.5, **told)


def rows_of(table: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return table.select(columns).rows()


def test_a_contact_has_all_that_came_of_it_and_a_later_answer_begins_another() -> None:
    told = [
        happened("a", "contacted", 0, cost=2.0),
        happened("a", "declined", 3, reason="price"),
        happened("a", "accepted", 29),
        happened("a", "accepted", 30),
        happened("a", "converted", 80),
    ]
    table = contact_table(told, [], answer_days=30)
    assert dict(table.schema) == dict(COLUMNS)
    assert rows_of(table, "contacted_at", "accepted", "converted", "reason", "cost", "arm") == [
        (JAN, True, False, "price", 2.0, None),
        (JAN + timedelta(days=30), True, False, None, None, None),
    ]


def test_an_answer_on_the_day_of_the_contact_belongs_to_it_in_whichever_order_they_were_told() -> None:
    table = contact_table([happened("a", "converted", 0), happened("a", "contacted", 0)], [], answer_days=30)
    assert rows_of(table, "contacted_at", "converted") == [(JAN, True)]


def test_controls_are_there_once_their_action_was_begun_and_the_treated_who_were_reached() -> None:
    plan = [*(planned(f"t{place}") for place in range(4)), *(planned(f"c{place}", "control") for place in range(2))]
    assert contact_table([], plan, answer_days=30).is_empty()
    table = contact_table([of_plan("t0", "contacted", 2), of_plan("t1", "accepted", 9)], plan, answer_days=30)
    assert sorted(rows_of(table, "customer_id", "arm", "cost", "accepted")) == [
        ("c0", "control", 0.0, None),
        ("c1", "control", 0.0, None),
        ("t0", "treated", 8.0, False),
        ("t1", "treated", 8.0, True),
    ]
    # Half of the treated were reached, of each two drawn one is a control: .25 against .5.
    assert table["propensity"].to_list() == pytest.approx([1 / 3] * 4)
    controls = table.filter(arm="control")["contacted_at"].sort().to_list()
    assert controls == [JAN + timedelta(days=2), JAN + timedelta(days=9)]


def test_as_planned_has_all_who_were_drawn_with_the_chance_of_the_draw() -> None:
    plan = [planned("t0"), planned("t1"), planned("c0", "control"), planned("c1", "control")]
    told = [of_plan("t0", "contacted", 2), of_plan("c0", "contacted", 3, arm="control")]
    table = contact_table(told, plan, answer_days=30, as_planned=True)
    assert sorted(rows_of(table, "customer_id", "arm", "propensity")) == [
        ("c0", "control", 0.5),
        ("c1", "control", 0.5),
        ("t0", "treated", 0.5),
        ("t1", "treated", 0.5),
    ]


def test_a_control_who_was_contacted_all_the_same_is_a_contact_that_no_draw_chose() -> None:
    told = [of_plan("t0", "contacted", 2), of_plan("c0", "contacted", 3, arm="control")]
    table = contact_table(told, [planned("t0"), planned("c0", "control"), planned("c1", "control")], answer_days=30)
    assert sorted(rows_of(table, "customer_id", "arm")) == [("c0", None), ("c1", "control"), ("t0", "treated")]


def test_only_the_first_contact_of_a_plan_was_drawn() -> None:
    told = [of_plan("t0", "contacted", 2), of_plan("t0", "contacted", 5)]
    table = contact_table(told, [planned("t0"), planned("c0", "control")], answer_days=30)
    assert rows_of(table, "customer_id", "arm") == [("c0", "control"), ("t0", "treated"), ("t0", None)]


def test_a_plan_without_controls_teaches_nothing() -> None:
    table = contact_table(
        [happened("t0", "contacted", 2, plan_id=1, arm="treated", propensity=1.0)],
        [planned("t0", propensity=1.0)],
        answer_days=30,
    )
    assert rows_of(table, "customer_id", "arm", "propensity") == [("t0", None, None)]


def test_a_control_of_two_plans_of_one_date_is_there_once() -> None:
    plan = [planned("t0"), planned("c0", "control"), planned("t0", plan_id=2), planned("c0", "control", plan_id=2)]
    told = [of_plan("t0", "contacted", 2), happened("t0", "contacted", 4, plan_id=2, arm="treated", propensity=0.5)]
    table = contact_table(told, plan, answer_days=30)
    assert table.filter(arm="control").height == 1


STEPS = st.tuples(
    st.sampled_from("abc"), st.sampled_from([*map(str, Step)]), st.integers(0, 100), st.sampled_from(["call", "card"])
)


@given(st.lists(STEPS, max_size=30), st.integers(1, 90))
def test_the_order_in_which_outcomes_are_told_changes_nothing(steps: list[tuple[str, str, int, str]], answer_days: int) -> None:
    told = [happened(*step) for step in steps]
    once = contact_table(told, [], answer_days=answer_days)
    assert once.equals(contact_table(told[::-1], [], answer_days=answer_days))
    assert once.select("customer_id", "action", "contacted_at").is_duplicated().sum() == 0


def test_the_contacts_table_is_one_that_a_company_can_have() -> None:
    plan = [planned("t0"), planned("c0", "control")]
    contacts = contact_table([of_plan("t0", "contacted", 2), of_plan("t0", "declined", 4, reason="rival")], plan, answer_days=30)
    bought = pl.DataFrame({"customer_id": ["t0", "c0"], "ordered_at": [JAN, JAN], "amount": [1.0, 2.0]})
    company = assemble({"transactions": bought, "contacts": contacts}, key="shop")
    assert company.tables["contacts"]["arm"].to_list() == ["control", "treated"]
