"""A small shop and a model of it, made once for all tests of training that need something real."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from datasets.simulate import simulate
from features.asof import day_number
from features.company import Company
from features.reading.sources import read_company
from training.data import TrainingData, training_data
from training.evaluation.backtest import Backtest, backtest
from training.procedure import fit_procedure
from training.recipe import Recipe
from training.run import one_blas_thread
from training.scorer import Scorer

AS_OF, HORIZON = date(2024, 12, 1), 30


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """As `train` does it: on a few thousand rows two threads wait for each other more than they work."""
    with one_blas_thread():
        yield


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of 400 customers and 14 months, of which one lies after AS_OF."""
    folder = tmp_path_factory.mktemp("companies") / "shop"
    simulate(folder, customers=400, months=14, seed=1, until=date(2025, 1, 1))
    return folder


@pytest.fixture(scope="session")
def shop(shop_folder: Path) -> Company:
    return read_company(shop_folder)


@pytest.fixture(scope="session")
def shop_data(shop: Company) -> TrainingData:
    return training_data(shop, HORIZON, AS_OF)


@pytest.fixture(scope="session")
def scorer(shop_data: TrainingData) -> Scorer:
    return fit_procedure(shop_data, day_number(AS_OF), Recipe(), seed=0)


@pytest.fixture(scope="session")
def matrix(shop_data: TrainingData) -> np.ndarray:
    """The newest rows of the shop."""
    return shop_data.at(day_number(AS_OF)).matrix


@pytest.fixture(scope="session")
def tested(shop_data: TrainingData) -> Backtest:
    return backtest(shop_data, Recipe(), seed=0)
