"""Features of one's own: found, named, tried against the laws, and then like ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features import own
from features.arrays import feature_matrix
from features.catalog import CATALOG, feature_names, find, panel_names
from features.definitions import Aggregate, Computed, Feature, Total, View, Window, feature
from features.engines import build_frames, to_polars
from features.formulas import ratio, same, taken
from features.own import Builder, take_in
from features.panel import build_panel
from features.reading.sources import read_company
from features.trial import DATES, known_company, trial_company
from keepwell.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_shop"
NAMES = ("own_weekend_share_365d", "own_weekend_share_all")


@pytest.fixture(autouse=True)
def nothing_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each test begins without features of one's own, and leaves none."""
    forget()
    yield
    monkeypatch.undo()
    forget()


def forget() -> None:
    from features.recipe import forget_recipes

    own._FEATURES.clear()
    own._VIEWS.clear()
    own.installed_names.cache_clear()
    own.module_names.cache_clear()
    forget_recipes()


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))


@pytest.fixture
def installed(example: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example as `pip install` leaves it: a folder of metadata on the path."""
    metadata = tmp_path / "site" / "own_shop-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: own-shop\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[keepwell.features]\nweekend = own_shop.features\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))


def of_purchases(name: str, inputs: tuple[Aggregate, ...], formula: object = same, **facts: object) -> Feature:
    return feature(
        name,
        formula,  # type: ignore[arg-type]
        inputs,
        ("Title", "题"),
        "Meaning.",
        unit="days",
        table="transactions",
        builder="test",
        **facts,  # type: ignore[arg-type]
    )


PURCHASES = (Aggregate("purchase_days", "count"),)


def shop(folder: Path, config: str = "") -> Path:
    folder.mkdir(exist_ok=True)
    rows = [
        "a,2026-01-03,10",
        "a,2026-01-05,10",
        "b,2026-01-04,5",
        "b,2026-01-10,5",
    ]  # a Saturday, a Monday, a Sunday, a Saturday
    (folder / "transactions.csv").write_text("\n".join(["customer_id,ordered_at,amount", *rows]))
    if config:
        (folder / "company.yaml").write_text(config)
    return folder


def test_company_yaml_names_the_module_of_a_builder(example: None, tmp_path: Path) -> None:
    company = read_company(shop(tmp_path / "shop", "features: [own_shop.features]"))
    assert panel_names(company, [date(2026, 2, 1)])[-2:] == NAMES
    panel = build_panel(company, [date(2026, 1, 10), date(2026, 2, 1)], NAMES)
    assert panel[NAMES[1]].to_list() == [0.5, 1.0, 0.5, 1.0]


def test_a_builder_of_one_company_is_no_business_of_another(example: None, tmp_path: Path) -> None:
    with_builder = read_company(shop(tmp_path / "with", "features: [own_shop.features]"))
    assert NAMES[0] in feature_names(with_builder)
    assert NAMES[0] not in feature_names(read_company(shop(tmp_path / "without")))


def test_an_installed_package_adds_its_features_to_every_company(installed: None, tmp_path: Path) -> None:
    assert find(NAMES[0]).entry.title == "Weekend share, last 365 days"
    assert set(NAMES) <= set(feature_names(read_company(shop(tmp_path / "shop"))))
    assert set(NAMES) <= set(feature_names({"transactions"}))
    assert not set(NAMES) & set(CATALOG)


def test_where_the_package_is_missing_the_feature_says_so() -> None:
    with pytest.raises(ConfigError, match="own_weekend_share_all is a feature of one's own, and it is not here\n  -> install"):
        find(NAMES[1])


def test_a_module_that_does_not_import_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'no_such_shop.features' of company.yaml do not import \(ModuleNotFoundError"):
        read_company(shop(tmp_path / "shop", "features: [no_such_shop.features]"))


@pytest.mark.parametrize("late", [False, True])
def test_the_laws_hold_for_the_example_at_other_dates(example: None, late: bool) -> None:
    own.module_names("own_shop.features")
    company, as_of = trial_company(late=late), date(2024, 5, 5)
    panel = build_panel(company, [as_of], NAMES)
    assert panel.equals(build_panel(known_company(company, 19_848), [as_of], NAMES))
    histories = {name: {column.name: column.to_numpy() for column in frame} for name, frame in company.tables.items()}
    ids, matrix = feature_matrix(histories, company.scales, as_of, NAMES)
    assert ids.tolist() == panel["customer_id"].to_list()
    np.testing.assert_array_equal(matrix, panel.select(pl.col(NAMES).fill_null(float("nan"))).to_numpy())
    on_pandas = {name: frame.to_pandas() for name, frame in company.tables.items()}
    assert to_polars(build_frames(on_pandas, company.scales, [as_of], NAMES)).equals(panel)


def test_the_example_is_what_a_calendar_says(example: None) -> None:
    own.module_names("own_shop.features")
    company = trial_company(late=False)
    bought = company.known_rows("transactions", 19_848).filter(pl.col("amount") > 0)
    weekend = bought.select("customer_id", pl.col("ordered_day").cast(pl.Date).dt.weekday() >= 6)
    wanted = weekend.group_by("customer_id").mean().sort("customer_id")["ordered_day"].to_list()
    assert build_panel(company, [date(2024, 5, 5)], NAMES)[NAMES[1]].to_list() == pytest.approx(wanted)


NEXT_DAYS = View(
    name="own_next_days",
    table="transactions",
    columns={"day": taken("ordered_day"), "amount": taken("amount")},
    keys=("day",),
    totals={"spend": Total("sum", "amount")},
    following={"next_day": "day"},
)
DELIVERIES = View(
    name="own_deliveries", table="transactions", columns={"day": taken("ordered_day"), "delivered": taken("delivered_day")}
)


@pytest.mark.parametrize(
    ("view", "column"), [(NEXT_DAYS, "next_day"), (DELIVERIES, "delivered")], ids=["the next purchase", "a time filled in later"]
)
def test_a_feature_that_looks_ahead_is_refused(view: View, column: str) -> None:
    leak = of_purchases("own_leak", (Aggregate(view.name, "max", column),))
    with pytest.raises(ConfigError, match="own_leak changes when events at or after as_of are added: it looks ahead"):
        take_in(Builder((leak,), (view,)))
    with pytest.raises(ConfigError, match="it is not here"):
        find("own_leak")


def test_a_refused_name_may_be_given_to_a_better_definition() -> None:
    leak = of_purchases("own_again", (Aggregate("own_next_days", "max", "next_day"),))
    with pytest.raises(ConfigError, match="looks ahead"):
        take_in(Builder((leak,), (NEXT_DAYS,)))
    take_in(Builder((of_purchases("own_again", PURCHASES),)))
    panel = build_panel(trial_company(late=False), DATES, ["own_again", "purchase_days_all"])
    assert panel["own_again"].equals(panel["purchase_days_all"])


def test_what_depends_on_the_order_of_rows_is_refused() -> None:
    day = {"day": taken("ordered_day"), "amount": taken("amount")}
    view = View(name="own_lines", table="transactions", columns=day, running={"so_far": "amount"})
    shaky = of_purchases("own_shaky", (Aggregate("own_lines", "max", "so_far", Window(oldest=90)),), low=None)
    with pytest.raises(ConfigError, match=r"own_shaky .*(order of rows|looks ahead|one request|Polars)"):
        take_in(Builder((shaky,), (view,)))


@pytest.mark.parametrize(
    ("builder", "told"),
    [
        (Builder((of_purchases("spend_90d", PURCHASES),)), "'spend_90d' cannot be the name of a feature"),
        (Builder((of_purchases("own_Share", PURCHASES),)), "'own_Share' cannot be the name"),
        (Builder((of_purchases("own_few", PURCHASES, high=3),)), "own_few says 0 to 3, and gave"),
        (
            Builder((of_purchases("own_log", PURCHASES, lambda c, x: c.log(x)),)),
            "own_log: cannot be computed .*no attribute 'log'",
        ),
        (Builder((of_purchases("own_x", (Aggregate("orders", "count"),)),)), "own_x reads the view 'orders', which there is not"),
        (Builder((of_purchases("own_x", (Aggregate("refunds", "sum", "spend"),)),)), "own_x reads refunds.spend, which"),
        (Builder((of_purchases("own_x", (Aggregate("refunds", "count", where="big"),)),)), "the condition 'big' of refunds"),
        (Builder((), (View(name="refunds", table="transactions", columns={}),)), "'refunds' cannot be the name of a view"),
        (Builder((), (View(name="own_truth", table="labels", columns={}),)), "own_truth is of the table 'labels'"),
        (Builder(("own_x",)), "FEATURES holds 'own_x', which is no Feature"),  # type: ignore[arg-type]
        (object(), "object has no FEATURES"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_breaks_a_rule_is_refused_in_words(builder: object, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        take_in(builder)


def test_one_name_has_one_definition() -> None:
    first = Builder((of_purchases("own_twice", PURCHASES),))
    assert take_in(first) == take_in(first) == ("own_twice",)
    with pytest.raises(ConfigError, match="own_twice is defined twice"):
        take_in(Builder((of_purchases("own_twice", (*PURCHASES, *PURCHASES), ratio),)))


def test_an_attribute_may_be_read() -> None:
    inputs = (Aggregate("attributes", "max", "attr_household_size"),)
    take_in(Builder((of_purchases("own_household", inputs, needs=("customers.household_size",)),)))
    assert "own_household" not in feature_names(trial_company(late=False))


def test_a_condition_that_knows_the_date_is_no_leak() -> None:
    happened = Computed(lambda c, day: day < c.as_of_day, ("delivered",))
    view = View(
        name="own_delivered",
        table="transactions",
        columns={"day": taken("ordered_day"), "delivered": taken("delivered_day")},
        conditions={"happened": happened},
    )
    take_in(Builder((of_purchases("own_delivered", (Aggregate("own_delivered", "count", where="happened"),)),), (view,)))
