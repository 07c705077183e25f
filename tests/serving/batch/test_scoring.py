from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.catalog import feature_names
from features.company import Company
from keepwell.errors import ConfigError, HistoryError, ModelError
from serving.batch.scoring import load_into_store, score_company, score_types, scoring_panel, write_table
from serving.plans.policy import read_policy
from serving.store import Store
from tests.serving.conftest import AS_OF, HORIZON, renamed
from training.scorer import Scorer

POLICY = read_policy()
DECIDED = ("current_value", "potential_value", "lifetime_value")


def test_every_customer_with_a_purchase_has_one_row_sorted_by_id(shop: Company, scored: pl.DataFrame) -> None:
    bought = shop.tables["transactions"].filter(pl.col("amount") > 0)["customer_id"].unique().sort()
    assert scored["customer_id"].to_list() == bought.to_list()


def test_the_columns_have_the_types_of_the_contract(scored: pl.DataFrame) -> None:
    types = score_types(["churn_probability_90d", "churn_probability_180d"])
    assert scored.columns == list(types)
    assert all(scored.schema[name] == dtype for name, dtype in types.items() if dtype is not None)
    assert scored["as_of"].unique().to_list() == [AS_OF]
    assert scored["horizon_days"].unique().to_list() == [HORIZON]


def test_only_the_columns_that_may_be_are_missing(scored: pl.DataFrame) -> None:
    missing = {name for name in scored.columns if scored[name].null_count()}
    assert missing <= {"credit_grade", "next_category", "reasons", "rfm_cell", "rfm_segment", "moves"}
    assert not any(scored[name].is_nan().any() for name in scored.columns if scored.schema[name] == pl.Float64)


def test_predictions_are_the_scorers_own(shop: Company, scorer: Scorer, scored: pl.DataFrame, panel: pl.DataFrame) -> None:
    found = scorer.predict(panel.select(pl.col(scorer.info.feature_names).fill_null(float("nan"))).to_numpy())
    np.testing.assert_array_equal(scored["churn_probability"], found.churn_probability)
    np.testing.assert_array_equal(scored["value_high"], found.value_high)
    np.testing.assert_array_equal(scored["churn_probability_180d"], found.further_churn[180])
    np.testing.assert_allclose(scored["value_at_risk"], found.churn_probability * found.value_if_active, rtol=1e-12)


def test_churn_never_rises_with_the_horizon(scored: pl.DataFrame) -> None:
    falling = scored.select("churn_probability", "churn_probability_90d", "churn_probability_180d").to_numpy()
    assert (np.diff(falling, axis=1) <= 0).all()
    assert (falling > 0).all()


def sums(scored: pl.DataFrame, target: str) -> pl.DataFrame:
    """What the reasons of each explained customer add up to."""
    exploded = scored.filter(pl.col("reasons").is_not_null()).explode("reasons").unnest("reasons")
    per_customer = exploded.filter(pl.col("target") == target).group_by("customer_id").agg(pl.col("contribution").sum())
    return per_customer.join(scored, on="customer_id")


def test_churn_reasons_add_up_to_the_log_odds(scored: pl.DataFrame) -> None:
    found = sums(scored, "churn")
    p = found["churn_probability"].to_numpy()
    np.testing.assert_allclose(found["contribution"], np.log(p / (1 - p)), rtol=0, atol=1e-9)
    assert found.height == scored.height


def test_value_reasons_add_up_to_the_log_of_the_value(scored: pl.DataFrame) -> None:
    found = sums(scored, "value")
    np.testing.assert_allclose(found["contribution"], np.log(found["expected_value"].to_numpy()), rtol=0, atol=1e-9)
    assert found.height == scored.filter(pl.col("expected_value") > 0).height


def test_the_rest_is_what_the_shown_features_leave(
    shop: Company, scorer: Scorer, panel: pl.DataFrame, scored: pl.DataFrame
) -> None:
    """Adding up is no trick of "all other": with all features written out, the model's own contributions do."""
    matrix = panel.select(pl.col(scorer.info.feature_names).fill_null(float("nan"))).to_numpy()
    explained = scorer.explain(matrix)
    p = scored["churn_probability"].to_numpy()
    np.testing.assert_allclose(explained.churn.sum(axis=1) + explained.churn_baseline, np.log(p / (1 - p)), atol=1e-9)


def test_a_list_of_reasons_is_short_plain_and_ends_with_all_other(scored: pl.DataFrame) -> None:
    for reasons in scored["reasons"].to_list():
        churn = [reason for reason in reasons if reason["target"] == "churn"]
        assert (churn[0]["feature"], churn[-1]["feature"], churn[-1]["name"]) == ("baseline", "all_other", "All other")
        assert len(churn) <= 8
        shown = [abs(reason["contribution"]) for reason in churn[1:-1]]
        assert shown == sorted(shown, reverse=True)
        assert all("_" not in reason["name"] for reason in reasons)


def test_only_the_most_value_at_risk_is_explained(shop: Company, scorer: Scorer, panel: pl.DataFrame) -> None:
    few = score_company(shop, scorer, AS_OF, POLICY, panel=panel, most_explained=7)
    explained = few.filter(pl.col("reasons").is_not_null())
    assert explained.height == 7
    assert explained["value_at_risk"].min() >= few.filter(pl.col("reasons").is_null())["value_at_risk"].max()


def test_the_same_input_gives_the_same_bytes(shop: Company, scorer: Scorer, scored: pl.DataFrame, tmp_path: Path) -> None:
    write_table(scored, tmp_path / "one.parquet")
    write_table(score_company(shop, scorer, AS_OF, POLICY), tmp_path / "two.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_later_events_change_nothing(shop: Company, scorer: Scorer) -> None:
    as_of = date(2024, 11, 1)
    earlier = renamed(scorer, labels_until=as_of)
    day = (as_of - date(1970, 1, 1)).days
    known = {
        name: frame.filter(pl.col("known_day") < day) if "known_day" in frame.columns else frame
        for name, frame in shop.tables.items()
    }
    truncated = Company(shop.key, shop.zone, known, shop.scales, shop.attributes, ())
    whole, cut = (score_company(company, earlier, as_of, POLICY) for company in (shop, truncated))
    assert whole.equals(cut)


def test_hindsight_is_refused_unless_it_is_asked_for(shop: Company, scorer: Scorer) -> None:
    as_of = date(2024, 12, 1)
    with pytest.raises(ModelError, match="learned from what happened until 2025-01-01, which is after 2024-12-01"):
        score_company(shop, scorer, as_of, POLICY)
    assert score_company(shop, scorer, as_of, POLICY, allow_hindsight=True).height > 0


def test_a_model_of_another_company_is_refused(shop: Company, scorer: Scorer) -> None:
    with pytest.raises(ModelError, match="belongs to company 'other'"):
        score_company(shop, renamed(scorer, company="other"), AS_OF, POLICY)


def without(company: Company, table: str, column: str | None = None) -> Company:
    tables = {name: frame for name, frame in company.tables.items() if column or name != table}
    if column:
        tables[table] = tables[table].drop(column)
    return Company(company.key, company.zone, tables, company.scales, company.attributes, ())


def test_a_table_that_the_model_reads_and_the_data_lack_is_named(shop: Company, scorer: Scorer) -> None:
    with pytest.raises(ModelError, match="have no table complaints"):
        score_company(without(shop, "complaints"), scorer, AS_OF, POLICY)


def test_a_column_that_the_model_reads_and_the_data_lack_is_named(shop: Company, scorer: Scorer) -> None:
    with pytest.raises(ModelError, match=r"have no column transactions\.category"):
        score_company(without(shop, "transactions", "category"), scorer, AS_OF, POLICY)


def reading(scorer: Scorer, *names: str) -> Scorer:
    return renamed(scorer, feature_names=(*scorer.info.feature_names, *names))


def test_the_panel_of_scores_has_the_catalog_and_the_attributes_that_the_model_reads(shop: Company, scorer: Scorer) -> None:
    info = reading(scorer, "attr_city_is_Atlantis").info
    panel = scoring_panel(shop, info, AS_OF)
    assert panel.columns == ["customer_id", "as_of", *dict.fromkeys((*feature_names(shop), *info.feature_names))]
    cities = panel.select(pl.col("^attr_city_is_.*$").sum()).row(0, named=True)
    assert cities.pop("attr_city_is_Atlantis") == 0
    assert cities
    assert all(cities.values())


@pytest.mark.parametrize(
    ("name", "lack"),
    [
        ("attr_plan_is_gold", "text attribute 'plan'"),
        ("attr_city", "number attribute 'city'"),
        ("attr_x_days_ago", "date attribute 'x'"),
    ],
)
def test_an_attribute_that_the_model_reads_and_the_data_lack_is_named(
    shop: Company, scorer: Scorer, name: str, lack: str
) -> None:
    with pytest.raises(ModelError, match=f"the model reads {name}, and the data have no {lack}"):
        score_company(shop, reading(scorer, name), AS_OF, POLICY)


def test_nobody_to_score_is_an_error(shop: Company, scorer: Scorer) -> None:
    with pytest.raises(HistoryError, match="2020-01-01"):
        scoring_panel(shop, scorer.info, date(2020, 1, 1))


def test_csv_keeps_reasons_as_json(scored: pl.DataFrame, tmp_path: Path) -> None:
    write_table(scored, tmp_path / "scores.csv")
    read = pl.read_csv(tmp_path / "scores.csv", schema_overrides={"customer_id": pl.String})
    assert read.columns == scored.columns
    assert json.loads(read["reasons"][0]) == list(scored["reasons"][0])
    assert read["churn_probability"].to_list() == scored["churn_probability"].to_list()


def test_parquet_gives_back_the_same_table(scored: pl.DataFrame, tmp_path: Path) -> None:
    write_table(scored, tmp_path / "deep" / "scores.parquet")
    assert pl.read_parquet(tmp_path / "deep" / "scores.parquet").equals(scored)


def test_another_suffix_is_refused_and_nothing_is_written(scored: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"must end in \.parquet or \.csv"):
        write_table(scored, tmp_path / "scores.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_said(scored: pl.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write_table(scored, tmp_path / "file" / "scores.csv")


def test_the_store_gets_scores_features_timelines_and_names(
    shop: Company, scored: pl.DataFrame, panel: pl.DataFrame, tmp_path: Path
) -> None:
    store = Store(f"sqlite:///{tmp_path / 'store.db'}")
    load = load_into_store(store, shop, scored, panel, loaded_at=datetime(2025, 1, 1, tzinfo=UTC))
    assert load.currency == shop.currency == "EUR"
    customer_id = scored["customer_id"][0]
    row, features = store.customer(load, customer_id), store.features(load, customer_id)
    assert row.name == shop.tables["customers"].filter(pl.col("customer_id") == customer_id)["name"].item()
    assert features["recency_days"] == panel["recency_days"][0]
    timeline = store.timeline(load, customer_id)
    assert max(event.day for event in timeline if event.kind == "purchase") == date.fromordinal(
        AS_OF.toordinal() - int(features["recency_days"])
    )
    assert store.summary(load).complaints_open == panel["complaints_open"].sum()
