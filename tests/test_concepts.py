"""The concept pages: their pictures are what the code draws, and their figures are what the code computed."""

from __future__ import annotations

import json
import re
import runpy
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs" / "concepts").glob("*.md"))
PICTURES = ROOT / "docs" / "images" / "concepts"
KEPT: dict[str, Any] = json.loads((PICTURES / "figures.json").read_text())
DRAWING = runpy.run_path(str(ROOT / "scripts" / "draw_concepts.py"))

HASHED = re.compile(r"[mpCDeja]+[0-9a-f]{8,}(?:_[0-9a-f_]+)?")
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def words_and_numbers(svg: str) -> tuple[list[str], list[float]]:
    """An SVG as what is between its numbers, and the numbers, without the names that hang on them."""
    nameless = HASHED.sub("name", re.sub(r"<dc:title>.*?</dc:title>", "", svg))
    return NUMBER.split(nameless), [float(number) for number in NUMBER.findall(nameless)]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all pictures, drawn now from the figures that are kept."""
    folder = tmp_path_factory.mktemp("concepts")
    DRAWING["draw"](folder, KEPT)
    return folder


@pytest.mark.parametrize("name", DRAWING["PICTURES"])
def test_a_picture_is_what_the_script_draws(drawn: Path, name: str) -> None:
    words, numbers = words_and_numbers((PICTURES / f"{name}.svg").read_text())
    now, places = words_and_numbers((drawn / f"{name}.svg").read_text())
    assert now == words, "run python scripts/draw_concepts.py"
    assert places == pytest.approx(numbers, abs=1)


def test_the_same_figures_give_the_same_bytes(drawn: Path, tmp_path: Path) -> None:
    DRAWING["draw"](tmp_path, KEPT)
    assert [one.read_bytes() for one in sorted(tmp_path.iterdir())] == [one.read_bytes() for one in sorted(drawn.iterdir())]


@pytest.mark.parametrize("name", DRAWING["PICTURES"])
def test_a_picture_is_small_and_stands_on_white_so_that_it_reads_on_dark_pages(name: str) -> None:
    path = PICTURES / f"{name}.svg"
    assert path.stat().st_size < 40_000
    ground = ET.fromstring(path.read_text()).find(".//*[@id='patch_1']/*")
    assert ground is not None
    assert "fill: #ffffff" in ground.attrib["style"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_pictures_of_its_own_told_in_words(page: Path) -> None:
    text = page.read_text()
    told = re.findall(r"!\[([^\]]*)\]\(\.\./images/concepts/(\w+)\.svg\)", text)
    assert all(len(words) > 40 for words, _ in told)
    assert {DRAWING["PICTURES"][name][0] for _, name in told} == {page.stem}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "docs/comparison.md", ROOT / "docs/responsible.md"], ids=lambda page: page.stem)
def test_a_page_ends_with_two_things_to_remember(page: Path) -> None:
    last = page.read_text().rpartition("\n## What to remember\n")[2].strip().splitlines()
    assert len(last) == 2
    assert all(line.startswith("- ") for line in last)


def test_every_picture_is_on_a_page() -> None:
    shown = {name for page in PAGES for name in re.findall(r"images/concepts/(\w+)\.svg", page.read_text())}
    assert shown == set(DRAWING["PICTURES"]) == {path.stem for path in PICTURES.glob("*.svg")}


def percent(share: float) -> str:
    """A share as the pages write it."""
    return f"{100 * share:.0f} %"


def thousands(amount: float) -> str:
    """An amount in whole thousands."""
    return f"{abs(amount) / 1_000:.0f},000"


def facts() -> Iterator[tuple[str, str]]:
    """What the pages say in figures, made from the figures that are kept."""
    yield from time_facts(KEPT["time"])
    yield from horizon_facts(KEPT["horizon"])
    yield from churn_facts(KEPT["churn"])
    yield from calibration_facts(KEPT["calibration"])
    yield from value_facts(KEPT["value"])
    yield from uplift_facts(KEPT["uplift"])
    yield from tier_facts(KEPT["tiers"])
    yield from backtest_facts(KEPT["backtests"])


def time_facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    columns = ("recency_days", "spend_90d", "refunds_90d", "complaint_severity_max")
    for day, row in found["known"].items():
        yield "time", f"| {day} | " + " | ".join(f"{row[name]:.0f}" for name in columns) + " |"
    row = found["with_hindsight"]["2025-04-01"]
    yield "time", "became known | " + " | ".join(f"{row[name]:.0f}" for name in columns) + " |"


def horizon_facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "horizon", f"the first twelve of {found['gone']} customers"
    yield "horizon", f"More than half ({percent(found['back_before_long'])})"
    yield "horizon", f"Another {percent(found['back_later'])} came back even later"
    yield "horizon", f"here {found['advice_days']} days"
    for days in ("30", "60", "90", "180"):
        one = found["horizons"][days]
        assert one["looked_days"] == 330
        yield "horizon", f"| {days} days | {percent(one['churned'])} | {percent(one['returned'])} |"


def churn_facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    weekly, fortnightly, monthly = found["curves"].values()
    yield "churn", f"is *lapsing* after {weekly['lapsing_after']} days and *lost* after {weekly['lost_after']}"
    yield "churn", f"is lapsing after {fortnightly['lapsing_after']}, and lost after {fortnightly['lost_after']}"
    yield "churn", f"lapsing after {monthly['lapsing_after']} days, and half a year of silence does not make them lost"
    assert monthly["lost_after"] is None


def calibration_facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "calibration", f"{found['customers']:,} forecasts"
    yield "calibration", f"was told {percent(found['forecast'][2])} on average, {percent(found['came'][2][1])} left"
    yield "calibration", f"the 45th percentile {percent(found['came'][4][1])} left"
    yield "calibration", f"wrong by {100 * (found['came'][4][1] - found['percentile'][4]):.0f} points"
    half = found["half"]
    yield "calibration", f"The {half['customers']} customers there"
    yield "calibration", f"{percent(half['told'])} on average. Their true mean is {percent(half['true'])}"
    assert half["shares"][-1] == pytest.approx(0.2, abs=0.02)


def value_facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    band = found["band"]
    yield "value", f"{band['customers']} forecasts of a simulated shop, all between 60 and 100, {band['expected']:.0f} on average"
    yield "value", f"What came of them is {band['mean']:.0f} on average"
    low, middle, high = band["quantiles"].values()
    assert low == 0
    yield "value", f"{percent(band['nothing'])} brought nothing at all, half brought less than {middle:.0f}"
    yield "value", f"one in ten more than {high:.0f}"
    yield "value", f"all {found['customers']:,} forecasts the total came to {found['total_ratio']:.2f} times"
    yield "value", f"their means over the group on the left: {band['low']:.1f} and {band['high']:.0f}"
    best = found["tenths"][0]["above_high"]
    yield "value", f"The best tenth comes to {percent(best)}; over everybody it is {percent(found['above_high'])}"


def uplift_facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    called, control = found["stayed"].values()
    yield "uplift", f"campaign of {found['customers']:,} customers, {percent(called)} of those who were called"
    yield "uplift", f"left alone, {percent(control)} were there, too. The call kept {100 * (called - control):.0f} in 100"
    yield "uplift", f"a call that costs {found['cost']:.0f}"
    yield "uplift", f"calling everybody would lose {thousands(found['everybody'])}"
    assert [gain > 0 for gain in found["gain"]] == [True, True] + [False] * 8
    call, coupon = ({name: one["gain"] for name, one in orders.items()} for orders in found["actions"].values())
    yield "uplift", f"the usual list: {thousands(call['risk'])}. A long way from the {thousands(call['the truth'])}"
    yield "uplift", f"**By value at risk**: {thousands(call['value at risk'])}"
    made = found["actions"]["call"]["uplift"]["chosen"]
    yield "uplift", f"{thousands(call['uplift'])}, with {made:,} calls in place of {found['chosen']:,}"
    losses = sorted(thousands(coupon[name]) for name in ("risk", "value", "value at risk"))
    assert max(coupon[name] for name in ("risk", "value", "value at risk")) < 0 < coupon["uplift"]
    yield (
        "uplift",
        f"it loses {losses[0]} to {losses[-1]}. Chosen by uplift, it earns {thousands(coupon['uplift'])}".replace(
            ",000 to", ",000 to"
        ),
    )


def tier_facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "tiers", f"sorts {found['customers']:,} customers"
    vip, major, ordinary, small = (tier["value"] for tier in found["tiers"].values())
    yield "tiers", f"VIPs: {percent(vip)} of all that is expected"
    yield "tiers", f"five in a hundred, it is {percent(vip + major)}"
    yield "tiers", f"twenty in a hundred, {percent(vip + major + ordinary)}"
    yield "tiers", f"the last {percent(small)}"
    for name, one in found["statuses"].items():
        saveable = percent(one["saveable"]) if name != "lost" else ""
        cells = (name, f"{one['customers']:,}", percent(one["value"]), percent(one["at_risk"]), saveable)
        yield "tiers", "| " + " | ".join(cells).replace("|  ", "| ").rstrip()
    yield "tiers", f"hold {percent(found['statuses']['lost']['at_risk'])} of the sum"
    riskiest, valuable, at_risk = found["lists"].values()
    assert riskiest["saveable"] == 0
    yield "tiers", f"one customer in twenty, {riskiest['customers']} of them"
    yield "tiers", f"cover {percent(valuable['saveable'])}: most of them"
    yield "tiers", f"cover {percent(at_risk['saveable'])}."


def backtest_facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    assert found["tested"] == ["2025-11-02", "2025-09-03", "2025-07-05"]
    assert found["grade"] == "A"
    yield "backtests", f"the horizon of {found['horizon_days']} days"
    yield "backtests", f"An AUC of {found['auc']:.3f}"
    uses = [one["use"] for one in found["dates"]]
    yield "backtests", f"![Twelve dates; {['eight', 'nine'][uses.count('learned') - 8]} are learned from, two calibrated on"
    assert len(uses) == 12
    assert uses.count("calibrated") == 2


@pytest.mark.parametrize(("page", "sentence"), list(facts()))
def test_a_page_says_what_was_computed(page: str, sentence: str) -> None:
    text = " ".join((ROOT / "docs" / "concepts" / f"{page}.md").read_text().split())
    assert sentence in text


def test_the_spring_of_one_customer_comes_out_again() -> None:
    cases = runpy.run_path(str(ROOT / "scripts" / "concept_cases.py"))
    assert cases["time_figures"]() == KEPT["time"]


def leaves(found: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of nested dictionaries and lists with the way to it."""
    if isinstance(found, dict | list):
        for key, inner in found.items() if isinstance(found, dict) else enumerate(found):
            yield from leaves(inner, f"{path}/{key}")
    else:
        yield path, found


def alike(now: Any, kept: Any) -> bool:
    """Equal, or numbers so near that trees on another kind of processor explain it."""
    return now == kept or (isinstance(now, int | float) and now == pytest.approx(kept, rel=0.1, abs=0.02))


@pytest.mark.slow
def test_all_figures_come_out_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    import concept_figures

    now = dict(leaves(json.loads(concept_figures.as_json(concept_figures.all_figures()))))
    kept = dict(leaves(KEPT))
    assert now.keys() == kept.keys()
    assert {path: (now[path], kept[path]) for path in kept if not alike(now[path], kept[path])} == {}
