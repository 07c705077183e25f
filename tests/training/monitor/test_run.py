"""A champion watched on a small shop: fine as it is, drift and broken promises where something is wrong, all of it kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import mlflow
import numpy as np
import polars as pl
import pytest

from features.asof import day_number
from features.company import Company
from keepwell.errors import HistoryError, ModelError
from tests.training.conftest import AS_OF, HORIZON
from training.data import TrainingData
from training.labels import labels
from training.monitor.matured import Forecasts, KeptPromise, kept_promises
from training.monitor.record import EXPERIMENT, log_monitoring
from training.monitor.reference import FILE, make_reference
from training.monitor.report import EXIT_CODES, MonitorReport
from training.monitor.run import MADE_AGAIN, monitor
from training.monitor.tables import categories_before, new_words, rows_before, table_states
from training.registry import Registry
from training.run import by_date, importance, known_until
from training.scorer import Scorer

LATER = AS_OF + timedelta(days=HORIZON)
Change = Callable[[pl.DataFrame], pl.DataFrame]


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory, shop: Company, shop_data: TrainingData, scorer: Scorer, matrix: np.ndarray
) -> tuple[Registry, Scorer]:
    """A registry whose champion left a reference, and the champion."""
    home = tmp_path_factory.mktemp("home")
    registry = Registry(f"sqlite:///{home / 'mlflow.db'}", home / "artifacts")
    with registry.run("keepwell/train", "training") as run:
        version = run.register(scorer, matrix[:1])
        reference = make_reference(
            known_until(shop, AS_OF), by_date(shop_data), shop_data.names, scorer, importance(scorer, matrix)
        )
        run.log_text(reference.as_json(), FILE)
    registry.promote(scorer.info.company, HORIZON, version)
    return registry, scorer.versioned(version)


@pytest.fixture(scope="module")
def seen(shop: Company, watched: tuple[Registry, Scorer]) -> MonitorReport:
    registry, champion = watched
    return monitor(shop, champion, LATER, registry=registry)


def changed(shop: Company, table: str, change: Change) -> Company:
    return replace(shop, tables={**shop.tables, table: change(shop.tables[table])})


def test_a_shop_that_goes_on_as_before_is_fine(seen: MonitorReport) -> None:
    assert (seen.status, list(seen.warnings()), list(seen.broken_promises())) == ("fine", [], [])
    assert seen.has_reference
    assert {shift.column for shift in seen.shifts} > {"recency_days", "churn_probability", "expected_value"}


def test_what_the_champion_said_when_it_was_trained_is_held_against_what_came(seen: MonitorReport, shop: Company) -> None:
    (kept,) = seen.promises
    came = labels(shop, [AS_OF], HORIZON, LATER)
    assert (kept.as_of, kept.source, kept.customers) == (AS_OF, MADE_AGAIN, came.height)
    assert kept.churned.value == pytest.approx(came["churned"].mean())
    assert kept.auc.low <= kept.auc.value <= kept.auc.high
    assert kept.total_ratio.low < kept.total_ratio.value < kept.total_ratio.high


def test_a_look_reads_nothing_at_or_after_its_date(shop: Company, watched: tuple[Registry, Scorer], seen: MonitorReport) -> None:
    registry, champion = watched
    assert monitor(known_until(shop, LATER), champion, LATER, registry=registry) == seen


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("transactions", lambda t: t.with_columns(amount=pl.col("amount") * 4), "expected_value"),
        ("transactions", lambda t: t.filter(pl.col("ordered_day") < day_number(LATER) - 9), "transactions: nothing for 9 days"),
        ("transactions", lambda t: t.filter(pl.col("ordered_day") % 5 != 0), "rows known at training are gone"),
        ("transactions", lambda t: t.with_columns(channel=pl.lit("kiosk")), "transactions.channel: 100.0% of the newest rows"),
        ("complaints", lambda t: t.filter(pl.col("opened_day") < 0), "complaints"),
    ],
)
def test_what_has_gone_wrong_is_named(
    shop: Company, watched: tuple[Registry, Scorer], table: str, change: Change, said: str
) -> None:
    registry, champion = watched
    report = monitor(changed(shop, table, change), champion, LATER, registry=registry)
    assert report.status != "fine"
    assert any(said in told for told in report.warnings())


def test_a_table_that_is_gone_is_missing_and_not_an_error(shop: Company, watched: tuple[Registry, Scorer]) -> None:
    registry, champion = watched
    without = replace(shop, tables={name: table for name, table in shop.tables.items() if name != "payments"})
    told = list(monitor(without, champion, LATER, registry=registry).warnings())
    assert any(said.startswith("payments: the table is gone") for said in told)
    assert any("missing for 100.0% of customers" in said for said in told)


def test_a_model_without_a_reference_is_watched_by_what_there_is(
    shop: Company, watched: tuple[Registry, Scorer], seen: MonitorReport, matrix: np.ndarray
) -> None:
    registry, champion = watched
    with registry.run("keepwell/train", "an older version of Keepwell") as run:
        older = champion.versioned(run.register(champion, matrix[:1]))
    report = monitor(shop, older, LATER, registry=registry)
    assert not report.has_reference
    assert (report.shifts, report.auc_loss) == ((), None)
    assert report.estimate == seen.estimate
    assert any("the training left no reference" in note for note in report.notes())


def test_a_log_in_which_nobody_has_bought_is_refused_in_words(shop: Company, watched: tuple[Registry, Scorer]) -> None:
    registry, champion = watched
    returned = changed(shop, "transactions", lambda rows: rows.with_columns(amount=-pl.col("amount").abs()))
    with pytest.raises(HistoryError, match=f"nobody has bought before {LATER}, so there is nobody to watch"):
        monitor(returned, champion, LATER, registry=registry)
    with pytest.raises(ModelError, match=f"is of transactions, and the data have none before {LATER}"):
        monitor(changed(shop, "transactions", pl.DataFrame.clear), champion, LATER, registry=registry)


def test_a_date_before_the_training_is_refused(shop: Company, watched: tuple[Registry, Scorer]) -> None:
    registry, champion = watched
    with pytest.raises(ModelError, match=f"trained as of {AS_OF}, which is after 2024-10-01"):
        monitor(shop, champion, date(2024, 10, 1), registry=registry)


def scores_of(shop: Company, day: date, churn: Callable[[np.ndarray], np.ndarray]) -> Forecasts:
    """Forecasts that make of what came whatever `churn` says, and whose values are right."""
    came = labels(shop, [day], HORIZON, day + timedelta(days=HORIZON))
    value = came["value"].to_numpy().clip(0)
    columns = {"churn_probability": churn(came["churned"].to_numpy()), "expected_value": value}
    quantiles = {"value_low": value * 0.5, "value_high": value * 2}
    return Forecasts(day, "7", "file", came.select("customer_id").with_columns(**columns, **quantiles))


def test_a_promise_is_kept_when_it_came_as_it_was_said(shop: Company, scorer: Scorer) -> None:
    good = scores_of(shop, AS_OF, lambda churned: np.where(churned, 0.98, 0.02))
    (kept,) = kept_promises(shop, [good], scorer.info, LATER)
    assert kept.auc.value == 1
    assert kept.total_ratio.value == pytest.approx(1, abs=0.02)
    assert kept.troubles == ()


@pytest.mark.parametrize(
    ("churn", "said"),
    [
        (lambda churned: np.where(np.arange(len(churned)) % 2, 0.9, 0.1), "AUC 0.5"),
        (lambda churned: np.where(churned, 0.3, 0.1), "churned, promised"),
    ],
)
def test_a_promise_that_was_surely_broken_is_told(
    shop: Company, scorer: Scorer, churn: Callable[[np.ndarray], np.ndarray], said: str
) -> None:
    (kept,) = kept_promises(shop, [scores_of(shop, AS_OF, churn)], scorer.info, LATER)
    assert any(said in trouble for trouble in kept.troubles)


def test_scores_are_judged_once_their_horizon_is_over_and_oldest_first(shop: Company, scorer: Scorer) -> None:
    days = [AS_OF + timedelta(days=1), AS_OF, AS_OF - timedelta(days=40)]
    given = [scores_of(shop, day, lambda churned: np.where(churned, 0.9, 0.1)) for day in days[1:]]
    unripe = replace(given[0], as_of=days[0])
    assert [kept.as_of for kept in kept_promises(shop, [unripe, *given], scorer.info, LATER)] == [days[2], days[1]]


def test_ids_meet_whether_they_are_texts_or_numbers_and_strangers_are_passed_over(shop: Company, scorer: Scorer) -> None:
    scores = scores_of(shop, AS_OF, lambda churned: np.where(churned, 0.9, 0.1))
    as_text = replace(scores, scores=scores.scores.with_columns(pl.col("customer_id").cast(pl.String)))
    nobody = replace(scores, scores=scores.scores.with_columns(customer_id=pl.lit("nobody")))
    (kept,) = kept_promises(shop, [as_text, nobody], scorer.info, LATER)
    assert kept.customers == scores.scores.height


def test_scores_without_quantiles_are_judged_without_them(shop: Company, scorer: Scorer) -> None:
    scores = scores_of(shop, AS_OF, lambda churned: np.where(churned, 0.9, 0.1))
    bare = replace(scores, scores=scores.scores.drop("value_low", "value_high"))
    (kept,) = kept_promises(shop, [bare], scorer.info, LATER)
    assert kept.above_high_share is kept.below_low_share is None
    assert np.isfinite(kept.auc.value)


def test_figures_of_value_are_of_the_customers_whose_value_is_known(shop: Company, scorer: Scorer) -> None:
    """Who has none is neither above nor below what was promised, and takes nothing from what is known of the others."""
    good = scores_of(shop, AS_OF, lambda churned: np.where(churned, 0.9, 0.1))
    money = ("expected_value", "value_low", "value_high")

    def kept_where(known: pl.Expr) -> KeptPromise:
        some = good.scores.with_columns(pl.when(known).then(name).alias(name) for name in money)
        (kept,) = kept_promises(shop, [replace(good, scores=some)], scorer.info, LATER)
        return kept

    half = kept_where(pl.int_range(pl.len()) % 2 == 0)
    (alone,) = kept_promises(shop, [replace(good, scores=good.scores.gather_every(2))], scorer.info, LATER)
    assert half.total_ratio.value == pytest.approx(alone.total_ratio.value)
    assert half.above_high_share is not None
    assert alone.above_high_share is not None
    assert half.above_high_share.value == pytest.approx(alone.above_high_share.value)
    nothing = kept_where(pl.lit(value=False))
    assert np.isnan(nothing.total_ratio.value)
    assert nothing.above_high_share is nothing.below_low_share is None
    assert nothing.troubles == ()


def test_a_broken_promise_degrades_until_a_newer_one_is_kept(seen: MonitorReport) -> None:
    kept = seen.promises[0]
    broken = replace(kept, as_of=AS_OF - timedelta(days=60), troubles=("AUC 0.600, promised 0.800",))
    assert replace(seen, promises=(broken,)).status == "degraded"
    assert EXIT_CODES["degraded"] == 11
    assert replace(seen, promises=(broken, kept)).status == "fine"


def test_a_look_is_kept_in_mlflow(watched: tuple[Registry, Scorer], seen: MonitorReport, tmp_path: Path) -> None:
    registry, _ = watched
    run_id = log_monitoring(registry, seen)
    client = mlflow.MlflowClient(registry.tracking_uri)
    run = client.get_run(run_id)
    assert client.get_experiment(run.info.experiment_id).name == EXPERIMENT
    assert run.data.tags["status"] == "fine"
    assert run.data.params["as_of"] == str(LATER)
    assert run.data.metrics["estimated/churn_auc"] == pytest.approx(seen.estimate.auc.value)
    assert run.data.metrics["realised/churn_auc"] == pytest.approx(seen.promises[0].auc.value)
    assert {file.path for file in client.list_artifacts(run_id)} == {"plots", "report.html", "report.json", "report.md"}
    told = json.loads(Path(client.download_artifacts(run_id, "report.json", str(tmp_path))).read_text())
    assert (told["status"], told["exit_code"], told["version"]) == ("fine", 0, seen.version)


def test_words_of_the_last_weeks_that_training_did_not_know_are_counted(shop: Company) -> None:
    known = categories_before(shop, day_number(AS_OF))
    assert "transactions.channel" in known
    assert "customers.name" not in known
    assert new_words(shop, LATER, known) == []
    first, *rest = known["transactions.channel"]
    (found,) = new_words(shop, LATER, {"transactions.channel": tuple(rest)})
    assert found.values == (first,)
    assert 0 < found.share < 1


def test_rows_that_came_later_are_no_loss(shop: Company) -> None:
    then = {name: rows // 2 for name, rows in rows_before(known_until(shop, AS_OF), day_number(AS_OF)).items()}
    for state in table_states(known_until(shop, LATER), LATER, then, AS_OF):
        assert state.rows_vanished is not None
        assert state.rows_vanished <= 0
        assert state.troubles == ()
