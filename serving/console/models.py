"""The page of models: who forecasts now, how good that is, what has drifted, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from decisions.reviews.figures import share_between
from serving.console import format as show
from serving.console.calibration import Calibration, Group, calibration_chart
from serving.console.frame import Frame
from serving.console.review_sections import Section
from serving.console.sentences import said
from serving.console.text import label, meaning, t
from serving.model_desk import Version

CHAMPION, PREVIOUS = "champion", "previous"
SHARES = frozenset({"churn_calibration_error", "value_top_decile_captured"})
FIGURES = (
    "churn_auc",
    "churn_top_decile_lift",
    "churn_log_loss",
    "churn_calibration_error",
    "value_rank_correlation",
    "value_top_decile_captured",
    "value_total_ratio",
)
"""The figures of a card that the page shows, where they are known."""

STATUSES = ("fine", "drift", "degraded")


@dataclass(frozen=True)
class VersionCard:
    """One version: what it is called, what it is, and what the gate said of it (empty: nothing)."""

    title: str
    means: str
    name: str
    grade: str
    grade_means: str
    facts: tuple[tuple[str, str], ...]
    gate: str


@dataclass(frozen=True)
class Watch:
    """The last look at the champion; `said` are the monitor's own sentences."""

    status: str
    tone: str
    when: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class WayBack:
    """What the button to go back does: to which version, in words; `asked` once it has been pressed and is to be confirmed.

    `reason` is what stands in the form, `refused` why the last one was not done (empty: none was refused).
    """

    version: str
    text: str
    asked: bool
    reason: str
    refused: str


@dataclass(frozen=True)
class ModelsPage:
    """All of it; `warnings` say when not to trust the champion, `done` that the champion has just changed."""

    frame: Frame | None
    lead: str
    versions: tuple[VersionCard, ...]
    figures: Section | None
    calibration: Calibration | None
    warnings: tuple[str, ...]
    watch: Watch | None
    way_back: WayBack | None
    done: str
    company: str
    horizon_days: int


def models_page(
    frame: Frame | None,
    key: tuple[str, int],
    versions: Sequence[Version],
    watched: Mapping[str, Any] | None,
    *,
    may_roll_back: bool,
    asked: bool = False,
    reason: str = "",
    refused: bool = False,
    done: str = "",
) -> ModelsPage:
    """Put the page together; `asked` that the way back is to be confirmed, `done` the version that it led to.

    `refused` that it was not taken, since the champion had changed; `reason` is what was given for it.
    """
    by_alias = {version.alias: version for version in versions}
    champion = by_alias.get(CHAMPION)
    card = champion.card if champion else {}
    company, horizon_days = key
    return ModelsPage(
        frame=frame,
        lead=t("models.lead", company=company, days=t("days", count=horizon_days)),
        versions=tuple(map(_version_card, versions)),
        figures=_figures(versions),
        calibration=calibration_chart(list(_groups(card))),
        warnings=tuple(said(str(each)) for each in card.get("warnings", ())),
        watch=_watch(watched) if watched else None,
        way_back=_way_back(by_alias, asked=asked, reason=reason, refused=refused) if may_roll_back else None,
        done=t("models.done", version=done) if champion and done == champion.version else "",
        company=company,
        horizon_days=horizon_days,
    )


def _version_card(version: Version) -> VersionCard:
    facts = {
        "trained_as_of": show.day(version.trained_as_of),
        "labels_until": show.day(version.labels_until),
        "registered_at": show.moment(version.registered_at),
        "customers": show.number(version.card.get("customers")),
        "decided_by": version.decided_by,
    }
    return VersionCard(
        title=t(f"models.{version.alias}"),
        means=t(f"models.{version.alias}.means"),
        name=t("head.model_name", family=label("family", version.family), version=version.version),
        grade=version.grade,
        grade_means=meaning("grade", version.grade),
        facts=tuple((t(f"models.fact.{name}"), text) for name, text in facts.items() if text),
        gate=said(version.gate) if version.gate else "",
    )


def _figures(versions: Sequence[Version]) -> Section | None:
    """The figures of all versions beside each other; None where no training left any."""
    told = [version for version in versions if version.card.get("figures")]
    if not told:
        return None
    known = [name for name in FIGURES if any(name in version.card["figures"] for version in told)]
    head = (t("models.figure"), *(f"{t(f'models.{version.alias}')} ({version.version})" for version in told))
    rows = tuple((t(f"metric.{name}"), *(_figure(name, version.card["figures"].get(name)) for version in told)) for name in known)
    return Section("figures", t("models.figures"), t("models.figures.lead"), head, rows)


def _figure(name: str, bounds: Sequence[float | None] | None) -> str:
    if bounds is None or bounds[0] is None:
        return show.MISSING
    value, low, high = (
        show.number(each if name not in SHARES or each is None else 100 * each, 1 if name in SHARES else 3) for each in bounds
    )
    told = t("review.between", value=value, low=low, high=high)
    return f"{told} %" if name in SHARES else told


def _groups(card: Mapping[str, Any]) -> Iterator[Group]:
    for each in card.get("calibration", ()):
        yield Group(each["customers"], each["promised"], share_between(each["left"], each["customers"]))


def _watch(report: Mapping[str, Any]) -> Watch:
    status = report["status"] if report.get("status") in STATUSES else "degraded"
    told = [said(str(each)) for part in ("broken_promises", "warnings", "notes") for each in report.get(part, ())]
    when = t("models.watch.when", as_of=_day(report.get("as_of")), version=report.get("version", show.MISSING))
    return Watch(t(f"models.watch.{status}"), "done" if status == "fine" else "refused", when, tuple(told))


def _day(written: object) -> str:
    """A date of a report, which is text there; a dash where it is none."""
    try:
        return show.day(date.fromisoformat(str(written)))
    except ValueError:
        return show.MISSING


def _way_back(by_alias: Mapping[str, Version], *, asked: bool, reason: str, refused: bool) -> WayBack | None:
    """The way back; None where there is nothing to go back to."""
    previous, champion = by_alias.get(PREVIOUS), by_alias.get(CHAMPION)
    if previous is None:
        return None
    text = t("models.back.text", version=previous.version, champion=champion.version if champion else show.MISSING)
    return WayBack(previous.version, text, asked, reason, t("models.back.changed") if refused else "")
