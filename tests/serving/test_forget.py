"""Forgetting customers: nothing of them is left in the store, its file, its lists in memory and the results of jobs."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Table, select, text
from starlette.testclient import TestClient

from keepwell.errors import StoreError
from keepwell.settings import Settings
from serving.console.app import console_app
from serving.forgetting import Forgotten, forget_customers
from serving.plans.outcomes import record_outcomes
from serving.plans.policy import read_policy
from serving.store import CustomerFilter, Store
from serving.store.audit import Deed
from serving.store.engine import reading, writing
from serving.store.records import Outcome
from serving.store.tables import metadata
from serving.store.views import SavedView
from tests.serving.console.shop import AS_OF, NOW, customer_ids, event_rows, feature_frame, save_plan, score_rows

COMPANY = "northwind-tea"
CUSTOMERS = 40
WHO, OTHER = "C00005", "C00006"
NAME = "Theodora Unmistakable"


def load(store: Store, ids: list[str] | None = None, company: str = COMPANY) -> None:
    """Scores, features, events, names and a plan of these customers (None: of all)."""
    ids = customer_ids(CUSTOMERS) if ids is None else ids
    among = pl.col("customer_id").is_in(ids)
    names = [NAME if each == WHO else "Jonas Weber" for each in ids]
    events = pl.DataFrame([row for each in ids[:8] for row in event_rows(each, 5)], infer_schema_length=None)
    made = store.load_scores(
        score_rows(CUSTOMERS).filter(among),
        company=company,
        loaded_at=NOW,
        features=feature_frame(CUSTOMERS).filter(among),
        events=events,
        people=pl.DataFrame({"customer_id": ids, "name": names}),
    )
    save_plan(store, made, ids)


def work_on(store: Store) -> None:
    """Outcomes, wishes, notes, deeds and saved views about customers."""
    told = [
        Outcome(WHO, "contacted", date(2026, 4, 1), "winback_call", note="She will think it over"),
        Outcome(WHO, "do_not_contact", date(2026, 4, 2), note="please do not"),
        Outcome(OTHER, "contacted", date(2026, 4, 1), "winback_call", note=f"a friend of c00005, {WHO}7 and X-{WHO}"),
    ]
    moment = datetime(2026, 4, 3, tzinfo=UTC)
    record_outcomes(store, COMPANY, told, policy=read_policy(), today=date(2026, 4, 3), recorded_at=moment, recorded_by="Lena")
    store.audit.add([Deed(NOW, "Lena", "customer seen", COMPANY, each) for each in (WHO, OTHER, WHO)])
    for name, query in (("her", f"q={WHO}"), (f"like {WHO}", "status=active"), ("mine", "status=active")):
        store.views.save(COMPANY, "Lena", SavedView(name, query), at=NOW)


def run_jobs(store: Store, folder: Path) -> None:
    """A job that is done, with its file; one whose error names a customer; one that was killed while it wrote."""
    for name, ending in (("done", "parquet"), ("also-done", "csv")):
        store.jobs.add(name, "score", COMPANY, {"data": "shop", "as_of": None}, at=NOW)
        job = store.jobs.claim("afar:1", NOW)
        (folder / name).mkdir(parents=True)
        rows = score_rows(CUSTOMERS).drop("reasons")
        rows.write_parquet(folder / name / "scores.parquet") if ending == "parquet" else rows.write_csv(
            folder / name / "scores.csv"
        )
        store.jobs.finish(job, NOW, result=f"{name}/scores.{ending}")
    store.jobs.add("failed", "score", COMPANY, {"data": "shop", "as_of": None}, at=NOW)
    error = {
        "code": "bad_data",
        "message": f"customers.customer_id: must be unique (2 rows, for example '{WHO}')",
        "hint": "look",
    }
    store.jobs.fail(store.jobs.claim("afar:1", NOW), NOW, error)
    (folder / "failed").mkdir()
    (folder / "failed" / ".scores.parquet.x7").write_text(f"half of {WHO}")


everywhere = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store on SQLite; on PostgreSQL, too, for facts that hold `everywhere`."""
    if getattr(request, "param", "sqlite") == "postgresql":
        return str(request.getfixturevalue("postgres_schema_url"))
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with closing(Store(store_url)) as made:
        made.migrate()
        yield made


@pytest.fixture
def home(store: Store, store_url: str, tmp_path: Path) -> Settings:
    """A home with everything filled: two scorings, plans, work, jobs; and another company, whose customers have the same ids."""
    made = Settings(home=str(tmp_path), store_url=store_url)
    load(store)
    load(store)
    load(store, company="another")
    work_on(store)
    run_jobs(store, made.jobs_folder)
    return made


def forget(home: Settings, store: Store, *ids: str, **options: bool) -> Forgotten:
    return forget_customers(home, store, COMPANY, ids or (WHO,), at=NOW, by="Ada", **options)


def rows(engine: Engine, table: Table) -> list[tuple[object, ...]]:
    with reading(engine) as connection:
        return [tuple(row) for row in connection.execute(select(table).order_by(*table.primary_key)).all()]


def named(store: Store, company: str = COMPANY) -> dict[str, int]:
    """In how many rows of each table the customer is named, those of the other company left aside."""
    found = {}
    for table in metadata.sorted_tables:
        of_others = {row[0] for row in rows(store._engine, metadata.tables["loads"]) if row[1] != company}
        of_others_plans = {row[0] for row in rows(store._engine, metadata.tables["plans"]) if row[2] != company}
        aside = {"load_id": of_others, "plan_id": of_others_plans}
        first = table.c.keys()[0]
        texts = [" ".join(map(str, row)).lower() for row in rows(store._engine, table) if row[0] not in aside.get(first, ())]
        found[table.name] = sum(WHO.lower() in each.replace(f"{WHO}7".lower(), "") for each in texts)
    return {name: count for name, count in found.items() if count}


@everywhere
def test_no_table_names_a_forgotten_customer(home: Settings, store: Store) -> None:
    assert set(named(store)) >= {"scores", "feature_rows", "events", "plan_items", "outcomes", "do_not_contact", "audit", "jobs"}
    found = forget(home, store)
    left = named(store)
    assert left == {"outcomes": 1}  # X-C00005 is a word of its own, and somebody else's
    assert (found.found, found.kept.scores, found.kept.plan_items, found.kept.outcomes, found.kept.unwilling) == (1, 2, 2, 2, 1)
    assert (found.kept.lists, found.kept.notes, found.kept.views, found.kept.jobs, found.files) == (2, 1, 2, 1, 2)


@everywhere
def test_others_keep_all_they_have(home: Settings, store: Store) -> None:
    before = {each.name: rows(store._engine, each) for each in metadata.sorted_tables}
    forget(home, store)
    for table in ("scores", "feature_rows", "events", "plan_items"):
        after = set(rows(store._engine, metadata.tables[table]))
        gone = [row for row in before[table] if row not in after]
        assert {row[1] for row in gone} == {WHO}
        assert len(after) == len(before[table]) - len(gone)
    of_another = [row for row in rows(store._engine, metadata.tables["scores"]) if row[0] == 3]
    assert len(of_another) == CUSTOMERS
    assert [view.name for view in store.views.of(COMPANY, "Lena")] == ["mine"]


def test_notes_of_others_lose_the_id_and_nothing_else(home: Settings, store: Store) -> None:
    forget(home, store)
    (left,) = store.outcomes.recorded(COMPANY)
    assert left.note == f"a friend of forgotten, {WHO}7 and X-{WHO}"
    assert store.jobs.get("failed").error["message"] == "customers.customer_id: must be unique (2 rows, for example 'forgotten')"


def test_the_audit_says_what_was_done_and_not_to_whom(home: Settings, store: Store) -> None:
    forget(home, store)
    newest, *older = store.audit.latest()
    assert (newest.actor, newest.what, newest.company, newest.customer_id) == ("Ada", "customers forgotten", COMPANY, None)
    assert "scores 2" in newest.detail
    assert sorted(deed.customer_id for deed in older if deed.what == "customer seen") == [OTHER, "forgotten", "forgotten"]


def test_no_byte_of_the_home_names_a_forgotten_customer(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(Store(url)) as store:
        store.migrate()
        made = Settings(home=str(tmp_path), store_url=url)
        for _ in range(6):  # older loads are removed: their pages are free, and still hold rows
            load(store)
        run_jobs(store, made.jobs_folder)
        assert holding(tmp_path, WHO)
        assert holding(tmp_path, NAME)
        found = forget(made, store)
        assert found.clean
        assert (holding(tmp_path, WHO), holding(tmp_path, NAME)) == ([], [])
        assert OTHER in store.customer_ids(store.current_load())


def holding(folder: Path, word: str) -> list[str]:
    """The files below a folder that hold a word, in their bytes or, of Parquet, in their values."""
    found = []
    for file in sorted(each for each in folder.rglob("*") if each.is_file()):
        texts = [file.read_bytes()]
        if file.suffix == ".parquet":
            texts.append(pl.read_parquet(file).write_ndjson().encode())
        if any(word.encode() in each for each in texts):
            found.append(file.name)
    return found


def test_results_of_jobs_keep_the_others_as_they_were(home: Settings, store: Store) -> None:
    whole = score_rows(CUSTOMERS).drop("reasons")
    forget(home, store)
    left = whole.filter(pl.col("customer_id") != WHO)
    assert pl.read_parquet(home.jobs_folder / "done" / "scores.parquet").equals(left)
    assert (home.jobs_folder / "also-done" / "scores.csv").read_text() == left.write_csv()
    assert not list(home.jobs_folder.rglob(".scores.*"))


def test_the_second_time_nothing_is_found_and_nothing_changes(home: Settings, store: Store) -> None:
    forget(home, store)
    before = {each.name: rows(store._engine, each) for each in metadata.sorted_tables}
    again = forget(home, store)
    assert (again.found, again.kept.rows, again.files) == (0, 0, 0)
    assert {each.name: rows(store._engine, each) for each in metadata.sorted_tables} == before


@everywhere
def test_a_trial_counts_the_same_and_changes_nothing(home: Settings, store: Store) -> None:
    before = {each.name: rows(store._engine, each) for each in metadata.sorted_tables}
    files = {file: file.read_bytes() for file in home.jobs_folder.rglob("*") if file.is_file()}
    tried = forget(home, store, dry_run=True)
    assert {each.name: rows(store._engine, each) for each in metadata.sorted_tables} == before
    assert {file: file.read_bytes() for file in files} == files
    done = forget(home, store)
    assert (tried.kept, tried.files, tried.found) == (done.kept, done.files, done.found)


def test_a_wish_for_no_contact_can_be_kept_without_its_note(home: Settings, store: Store) -> None:
    tried = forget(home, store, keep_wishes=True, dry_run=True)
    found = forget(home, store, keep_wishes=True)
    assert (found.kept.unwilling, found.kept.wish_notes, found.wishes_kept) == (0, 1, 1)
    assert tried.kept == found.kept
    assert "1 had asked for no contact: the id and the day of the wish stay" in " ".join(found.notes)
    assert store.outcomes.left_alone(COMPANY) == {WHO}
    with reading(store._engine) as connection:
        assert connection.execute(text("SELECT note, since FROM do_not_contact")).one()[0] is None
    again = forget(home, store, keep_wishes=True)
    assert (again.kept.rows - again.kept.audit, again.wishes_kept) == (0, 1)


def test_the_figures_of_loads_and_plans_are_of_those_who_are_left(home: Settings, store: Store) -> None:
    before = store.plan(store.current_load(COMPANY))
    forget(home, store)
    current = store.current_load(COMPANY)
    after = store.plan(current)
    assert current.customers == CUSTOMERS - 1
    assert (after.customers, after.cost) == (before.customers - 1, before.cost - 4.0)
    assert after.expected_net_value == pytest.approx(before.expected_net_value - 45.0)


def test_a_service_that_holds_the_list_in_memory_shows_the_customer_no_more(home: Settings, store: Store, store_url: str) -> None:
    with (
        closing(Store(store_url)) as serving,
        TestClient(console_app(lambda: serving, now=lambda: NOW, company=COMPANY)) as console,
    ):
        assert WHO in console.get(f"/customers?q={WHO}").text
        held = serving.current_load(COMPANY)
        wanted = CustomerFilter(action="winback_call")
        assert OTHER in serving.customer_ids(held, wanted)
        forget(home, store)
        assert f">{WHO}<" not in console.get("/customers").text
        assert console.get(f"/customers/{WHO}").status_code == 404
        record = console.get("/audit").text
        assert "Forgot customers" in record
        assert WHO not in record
        assert "<td>forgotten</td>" in record
        assert WHO not in serving.customer_ids(serving.current_load(COMPANY))
        assert serving.customers(held).total == CUSTOMERS - 1  # whoever still has the load of before in hand sees nobody, too
        assert NAME not in console.get("/customers").text


def test_a_list_from_before_there_were_lists_forgets_too(home: Settings, store: Store) -> None:
    with writing(store._engine) as connection:
        connection.execute(metadata.tables["score_lists"].delete())
    assert WHO in store.customer_ids(store.current_load(COMPANY))
    forget(home, store)
    assert WHO not in store.customer_ids(store.current_load(COMPANY))


def test_what_fails_half_way_leaves_the_store_whole(home: Settings, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {each.name: rows(store._engine, each) for each in metadata.sorted_tables}
    monkeypatch.setattr("serving.store.forget._count_plans", lambda *_: (_ for _ in ()).throw(OSError("no room")))
    with pytest.raises(StoreError, match="no room"):
        forget(home, store)
    assert {each.name: rows(store._engine, each) for each in metadata.sorted_tables} == before


@everywhere
def test_two_at_once_forget_both_customers(home: Settings, store: Store, store_url: str) -> None:
    troubles: list[BaseException] = []

    def work(who: str) -> None:
        try:
            with closing(Store(store_url)) as mine:
                forget(home, mine, who)
        except BaseException as error:  # told below, in the test's own thread
            troubles.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in (WHO, OTHER)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not troubles
    assert not {WHO, OTHER} & {*store.customer_ids(store.current_load(COMPANY))}
    assert store.current_load(COMPANY).customers == CUSTOMERS - 2


def test_results_that_are_elsewhere_and_jobs_that_wait_are_told_of(home: Settings, store: Store) -> None:
    shutil.rmtree(home.jobs_folder / "done")
    store.jobs.add("waiting", "score", COMPANY, {"data": "shop", "as_of": None}, at=NOW)
    notes = " ".join(forget(home, store).notes)
    assert "results of 1 jobs are not on this machine" in notes
    assert "a job of this company waits or runs" in notes


def test_who_was_never_there_gets_a_hint_at_whom_may_be_meant(home: Settings, store: Store) -> None:
    assert "is another one meant? there is 'C00005'" in " ".join(forget(home, store, "c0005").notes)


def test_who_was_never_there_is_told_of_no_other_customer(home: Settings, store: Store) -> None:
    for unlike in ("C00050000", "C99999", "nobody"):
        assert "meant" not in " ".join(forget(home, store, unlike).notes)


def test_short_ids_are_not_looked_for_in_what_people_wrote(home: Settings, store: Store) -> None:
    store.views.save(COMPANY, "Lena", SavedView("top 7", "q=7"), at=NOW)
    assert "ids of fewer than 4 characters" in " ".join(forget(home, store, "7").notes)
    assert "top 7" in [view.name for view in store.views.of(COMPANY, "Lena")]


@settings(max_examples=10)
@given(st.sets(st.sampled_from(customer_ids(CUSTOMERS)), max_size=CUSTOMERS - 1))
def test_a_store_that_forgot_is_a_store_that_never_knew(who: set[str]) -> None:
    everybody = customer_ids(CUSTOMERS)
    with closing(Store("sqlite://")) as forgot, closing(Store("sqlite://")) as never:
        forgot.migrate()
        never.migrate()
        load(forgot)
        forgot.forgetting.forget(COMPANY, sorted(who), at=NOW, by="Ada")
        load(never)
        for table in ("scores", "feature_rows", "events", "plan_items"):
            expected = [row for row in rows(never._engine, metadata.tables[table]) if row[1] not in who]
            assert rows(forgot._engine, metadata.tables[table]) == expected
        listed = forgot.listing(forgot.current_load()).frame
        assert set(listed["customer_id"]) == set(everybody) - who
        assert forgot.current_load().customers == len(everybody) - len(who)


def test_a_file_in_which_others_are_at_work_is_cleared_another_time(
    home: Settings, store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.store.engine.CLEARING_WAITS_MS", 50)
    with closing(Store(store_url)) as other:
        with reading(other._engine) as connection:
            connection.execute(text("SELECT count(*) FROM scores"))
            found = forget(home, store)
        assert not found.clean
        assert "run the same again later" in " ".join(found.notes)
        with writing(other._engine):
            assert not store.forgetting.clean()
    assert forget(home, store).clean


def test_a_store_without_a_file_is_cleared_as_well() -> None:
    with closing(Store("sqlite://")) as store:
        store.migrate()
        load(store)
        assert store.forgetting.clean()


def test_a_day_of_scores_before_is_forgotten_as_well(store: Store) -> None:
    load(store)
    earlier = score_rows(CUSTOMERS).with_columns(as_of=pl.lit(date(2026, 1, 1)))
    store.load_scores(earlier, company=COMPANY, loaded_at=NOW)
    store.forgetting.forget(COMPANY, [WHO], at=NOW, by="Ada")
    assert WHO not in set(store.words_before(COMPANY, 90, AS_OF, ["status"])["customer_id"])
