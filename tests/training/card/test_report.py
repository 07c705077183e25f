from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from training.card.document import to_html, to_markdown
from training.card.report import draw, handed_out, headline, model_card, warnings
from training.card.words import GRADES
from training.evaluation.backtest import NOT_TESTED, Backtest, graded
from training.gate import Comparison, Verdict
from training.metrics.intervals import METRICS, Interval
from training.record import backtest_metrics
from training.result import TrainingResult
from training.run import importance
from training.scorer import Scorer


@pytest.fixture(scope="module")
def result(scorer: Scorer, tested: Backtest, matrix: np.ndarray) -> TrainingResult:
    return TrainingResult(
        scorer=scorer.graded(tested.grade, len(tested.folds)).versioned("7"),
        verdict=Verdict(
            True, "no worse than the champion", tested.folds[0].as_of, (Comparison("log_loss", 0.5, 0.51, 0.001, 0.01),)
        ),
        backtest=replace(tested, champion=""),
        importance=importance(scorer, matrix),
        settings={"trials": 3, "seed": 0},
        customers=381,
        history_days=400,
        fingerprint="f" * 64,
        run_id="r",
    )


@pytest.fixture(scope="module")
def card(result: TrainingResult) -> str:
    return to_markdown(model_card(result, draw(result)))


def test_every_figure_stands_in_the_card_with_its_meaning(card: str, result: TrainingResult) -> None:
    for name in result.backtest.figures:
        assert f"| {name} | " in card
        if name in METRICS:
            assert (METRICS[name].__doc__ or "").split("\n")[0] in card
    assert "| churn_auc_90d | Over 90 days: the chance that" in card


def test_every_rival_stands_in_the_card(card: str, result: TrainingResult) -> None:
    assert result.backtest.rival_figures
    assert all(f"| {rival} | " in card for rival in result.backtest.rival_figures)


def test_every_date_of_the_backtest_stands_in_the_card(card: str, result: TrainingResult) -> None:
    days = [str(fold.as_of) for fold in result.backtest.folds]
    assert f"| figure | all dates | {' | '.join(days)} |" in card


def test_every_picture_is_told_in_a_sentence(result: TrainingResult) -> None:
    for picture in draw(result):
        assert picture.alt.endswith(".")
        assert len(picture.alt.split()) > 5


def test_the_card_says_whose_figures_they_are_and_when_not_to_trust_it(card: str) -> None:
    assert "before the refit on all dates" in card
    assert "## When not to trust this" in card


def test_the_html_card_holds_every_picture(result: TrainingResult) -> None:
    figures = draw(result)
    assert to_html(model_card(result, figures)).count("<svg") == len(figures) == 6


def test_without_a_backtest_the_card_says_that_nothing_was_measured(result: TrainingResult) -> None:
    untested = replace(result, backtest=NOT_TESTED, scorer=result.scorer.graded("none", 0))
    page = to_markdown(model_card(untested, draw(untested)))
    assert "Not measured" in page
    assert "nothing here has been measured" in page
    assert headline(untested).startswith("Version 7 is the champion. Not graded, since there are too few dates or customers")


@pytest.mark.parametrize(("promote", "rank"), [(True, "champion"), (False, "challenger")])
def test_the_headline_says_what_became_of_the_model(result: TrainingResult, promote: bool, rank: str) -> None:
    line = headline(replace(result, verdict=Verdict(promote, "some reason")))
    assert f"Version 7 is the {rank}." in line
    assert line.endswith("Some reason.")


GAINS: dict[str, Mapping[str, Interval]] = {
    "A": {"recency": Interval(0.2, 0.1, 0.3)},
    "B": {"recency": Interval(0.02, 0.01, 0.03)},
    "C": {"recency": Interval(0.01, -0.01, 0.03)},
    "D": {"recency": Interval(-0.2, -0.3, -0.1)},
}


def test_every_grade_that_can_be_given_is_explained() -> None:
    assert {graded(gains, gains)[0] for gains in GAINS.values()} == set(GRADES) == set(GAINS)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"customers": 99}, "Only 99 customers"),
        ({"history_days": 300}, "300 days of history hold no season twice"),
    ],
)
def test_a_weakness_of_the_data_is_a_warning(result: TrainingResult, change: dict[str, int], said: str) -> None:
    assert any(said in warning for warning in warnings(replace(result, **change)))
    sound = replace(result, customers=10_000, history_days=1_000)
    assert not any(said in warning for warning in warnings(sound))


def test_a_total_that_was_surely_wrong_is_a_warning(result: TrainingResult) -> None:
    def with_ratio(low: float, high: float) -> TrainingResult:
        figures = {"value_total_ratio": Interval((low + high) / 2, low, high)}
        return replace(result, backtest=replace(result.backtest, figures=figures))

    assert any("0.50 times what came" in warning for warning in warnings(with_ratio(0.4, 0.6)))
    assert not any("trust the order" in warning for warning in warnings(with_ratio(0.8, 1.3)))


def test_a_rival_that_takes_the_procedures_place_is_what_the_curves_show(result: TrainingResult) -> None:
    fold = result.backtest.folds[0]
    assert handed_out(result.backtest, fold) is fold.predictions
    assert handed_out(replace(result.backtest, champion="recency"), fold) is fold.rivals["recency"]


def test_metrics_carry_bounds_and_rivals_under_names_that_mlflow_takes(result: TrainingResult) -> None:
    metrics = backtest_metrics(result.backtest)
    auc = result.backtest.figures["churn_auc"]
    assert (metrics["churn_auc"], metrics["interval/churn_auc_low"], metrics["interval/churn_auc_high"]) == (
        auc.value,
        auc.low,
        auc.high,
    )
    assert metrics["rival/recency/churn_auc"] == result.backtest.rival_figures["recency"]["churn_auc"].value
    assert metrics["backtest_dates"] == len(result.backtest.folds)


def test_a_short_history_says_what_its_weights_rest_on_and_a_flat_table_has_none(result: TrainingResult) -> None:
    info, told = result.scorer.info, "weigh alike: that takes"
    assert told not in headline(result)
    short = replace(result, history_days=50)
    assert f"{told} {28 + 2 * info.horizon_days - 50:,} more days" in headline(short)
    flat = replace(short, scorer=replace(result.scorer, info=replace(info, churn="labels")))
    assert told not in headline(flat)
