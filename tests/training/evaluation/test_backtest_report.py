from __future__ import annotations

from datetime import date

import pytest

from features.company import Company
from keepwell.errors import HistoryError
from tests.training.conftest import AS_OF, HORIZON
from training.card.document import to_markdown
from training.card.report import backtest_page
from training.data import TrainingData
from training.evaluation.backtest import Backtest
from training.evaluation.backtest_report import as_dict, lines
from training.evaluation.run_backtest import run_backtest
from training.recipe import Recipe
from training.result import BacktestResult
from training.tuning.study import Study


@pytest.fixture(scope="module")
def result(tested: Backtest, shop_data: TrainingData) -> BacktestResult:
    return BacktestResult("shop", HORIZON, AS_OF, 5, tested, Recipe(), None, 381, 400, {"dates": 5}, shop_data.names)


def test_every_figure_and_every_rival_has_its_line(result: BacktestResult) -> None:
    text = "\n".join(lines(result))
    for name in (*result.tested.figures, *result.tested.rival_figures):
        assert f"\n{name} " in text


def test_a_wish_for_more_dates_than_there_are_is_answered(result: BacktestResult) -> None:
    assert "5 dates were asked for; the history allows 3." in list(lines(result))
    assert "Only 3 backtest dates of the 5 wanted" in to_markdown(backtest_page(result))


def test_the_dates_of_the_plain_values_are_those_of_the_folds(result: BacktestResult) -> None:
    told = as_dict(result)
    assert [day["as_of"] for day in told["dates"]] == [fold.as_of for fold in result.tested.folds]
    assert told["figures"]["churn_auc"]["value"] == result.tested.figures["churn_auc"].value


def test_a_history_without_a_past_date_is_refused(shop: Company) -> None:
    with pytest.raises(HistoryError, match="past date"):
        run_backtest(shop, HORIZON, date(2023, 12, 20), dates=3, study=Study(None, 0, 0))
