"""What a study of an experiment says: lines for a terminal, plain values for programs, a page with pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from training.card.document import Block, Bullets, Heading, Paragraph, Picture, Table
from training.card.words import counted, number_text
from training.uplift.data import CONTROL
from training.uplift.effects import ArmEffect, Figure
from training.uplift.learners import LEARNERS
from training.uplift.plots import calibration_figure, qini_figure
from training.uplift.study import LEAST_TO_LEARN, Judged, Study

OURS = "by uplift"


def signed(figure: Figure) -> str:
    """A difference with its bounds.

    >>> signed(Figure(0.0766, 0.0034, 0.07, 0.0832))
    '+0.0766 [+0.07, +0.0832]'
    """
    value, low, high = (("" if each < 0 else "+") + number_text(each, 3) for each in (figure.value, figure.low, figure.high))
    return f"{value} [{low}, {high}]"


def plain(figure: Figure) -> str:
    """A figure with its bounds.

    >>> plain(Figure(0.1402, 0.0035, 0.1333, 0.1471))
    '0.1402 [0.1333, 0.1471]'
    """
    return "{} [{}, {}]".format(*(number_text(each) for each in (figure.value, figure.low, figure.high)))


def lines(study: Study) -> list[str]:
    """The study in lines."""
    told = [line for each in study.effects for line in _effect_lines(each)]
    if study.judged is None:
        return [*told, f"  who gains more than others is not asked: {_why_not(study)}"]
    return [*told, *_knowledge(study), *judged_lines(study.judged)]


def judged_lines(judged: Judged) -> list[str]:
    """Policies, Qini coefficients and harm in lines."""
    return [*_policy_lines(judged), *_harm_lines(judged)]


def as_dict(study: Study) -> dict[str, Any]:
    """The study as plain values."""
    experiment, judged = study.experiment, study.judged
    return {
        "name": experiment.name,
        "control": experiment.arms[CONTROL],
        "rows": len(experiment),
        "features": list(experiment.names),
        "unbalanced": dict(study.unbalanced),
        "effects": [
            {
                "arm": each.arm,
                "treated": each.treated,
                "controls": each.controls,
                "control": each.control,
                "estimates": {way: vars(figure) for way, figure in each.estimates.items()},
            }
            for each in study.effects
        ],
        "learners": _learner_facts(study),
        "judged": None if judged is None else judged_facts(judged),
    }


def judged_facts(judged: Judged) -> dict[str, Any]:
    """Policies, curves, calibration and harm as plain values."""
    return {
        "rows": len(judged.experiment),
        "policies": {
            name: {
                "treated": each.treated,
                "value": vars(each.value),
                "over": {other: vars(by) for other, by in each.over.items()},
            }
            for name, each in judged.policies.items()
        },
        "qini": {
            name: {
                "share": curve.share.tolist(),
                "gain": curve.gain.tolist(),
                "low": curve.low.tolist(),
                "high": curve.high.tolist(),
                "auuc": vars(curve.area),
                "coefficient": vars(curve.coefficient),
            }
            for name, curve in judged.curves.items()
        },
        "calibration": {
            arm: [{"customers": one.customers, "told": one.told, "found": vars(one.found)} for one in groups]
            for arm, groups in judged.groups.items()
        },
        "do_not_disturb": {
            arm: {"customers": int(who.sum()), "effect": None if found is None else vars(found)}
            for arm, (who, found) in judged.harmed.items()
        },
    }


def page(studies: Sequence[Study], title: str) -> list[Block]:
    """Studies as blocks of one page, their pictures among them."""
    blocks: list[Block] = [Heading(1, title)]
    for study in studies:
        blocks += [Heading(2, study.experiment.name), *_blocks(study)]
    return blocks


def _blocks(study: Study) -> Iterator[Block]:
    outcome, judged = study.experiment.name, study.judged
    ways = list(study.effects[0].estimates)
    yield Table(
        ["arm", "treated", "controls", "control", *ways],
        [
            [
                each.arm,
                f"{each.treated:,}",
                f"{each.controls:,}",
                number_text(each.control),
                *map(signed, each.estimates.values()),
            ]
            for each in study.effects
        ],
    )
    if judged is None:
        yield Paragraph(f"Who gains more than others is not asked: {_why_not(study)}.")
        return
    yield Bullets([line.strip() for line in (*_knowledge(study), *_harm_lines(judged))])
    yield Table(
        ["policy", "treated", "net value a customer", "by uplift is over it by"],
        [
            [name, f"{each.treated:.0%}", plain(each.value), "" if name == OURS else signed(judged.policies[OURS].over[name])]
            for name, each in judged.policies.items()
        ],
    )
    slug = "".join(letter if letter.isalnum() else "_" for letter in outcome)
    yield Picture(f"plots/qini_{slug}.png", _qini_words(judged), qini_figure(judged.curves, outcome))
    words = "Each dot is a tenth of the customers, by the effect told of them before; on the line it came true."
    yield Picture(f"plots/calibration_{slug}.png", words, calibration_figure(judged.groups, outcome))


def _effect_lines(effect: ArmEffect) -> Iterator[str]:
    controls = f"{counted(effect.controls, 'control')} with {number_text(effect.control)} on average"
    yield f"{effect.arm}: {signed(effect.best)}; {effect.treated:,} treated, {controls}"
    for way, figure in effect.estimates.items():
        yield f"  {way:<20} {signed(figure)}"


def _knowledge(study: Study) -> Iterator[str]:
    """What the learners know of each arm beyond the average."""
    for facts in _learner_facts(study) or []:
        weights = ", ".join(f"{name} {weight:.2f}" for name, weight in facts["weights"].items() if weight)
        known = (
            f"customers seem to differ (weights of learners: {weights})" if weights else "no difference between customers shows"
        )
        yield f"  {facts['arm']}: {known}"


def _learner_facts(study: Study) -> list[dict[str, Any]] | None:
    if study.model is None:
        return None
    return [
        {
            "arm": arm,
            "weights": dict(zip(LEARNERS, blend.weights.tolist(), strict=True)),
            "average": vars(blend.average),
            "slope": vars(blend.slope),
        }
        for arm, blend in zip(study.experiment.arms[CONTROL + 1 :], study.model.blends, strict=True)
    ]


def _policy_lines(judged: Judged) -> Iterator[str]:
    yield "  net value a customer, of customers not learned from, and by how much treating by uplift is better:"
    width = max(map(len, judged.policies))
    for name, each in judged.policies.items():
        over = "" if name == OURS else f"  {signed(judged.policies[OURS].over[name])}"
        yield f"    {name:<{width}}  treated {each.treated:>4.0%}  {plain(each.value)}{over}"
    for name, curve in judged.curves.items():
        area = number_text(curve.area.value)
        yield f"  Qini coefficient of {name}: {signed(curve.coefficient)}, area under the uplift curve {area}"


def _harm_lines(judged: Judged) -> Iterator[str]:
    for arm, (who, found) in judged.harmed.items():
        if found is None:
            yield f"  {arm}: hardly anybody is surely harmed"
        elif who.any():
            yield f"  {arm}: do not disturb {counted(int(who.sum()), 'customer')}: effect on them {signed(found)}"
        else:
            yield f"  {arm}: some look harmed, but what came of them does not confirm it: {signed(found)}"


def _qini_words(judged: Judged) -> str:
    told = "; ".join(f"{name} {signed(curve.coefficient)}" for name, curve in judged.curves.items())
    return f"The area between each curve and its dashed line, treatment at random, is the Qini coefficient: {told}."


def _why_not(study: Study) -> str:
    if not study.experiment.names:
        return "there is no feature"
    return f"it takes {LEAST_TO_LEARN} rows in every arm, and the smallest has {int(study.experiment.counts.min())}"
