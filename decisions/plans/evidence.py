"""From priors to evidence: what the catalogue expects of an action gives way to what came of it.

The rule. A prior counts as normal with its own mean and variance (those of the Beta for the share kept), an estimate as normal
with its standard error, and both are weighed by the inverse of their variances: little evidence moves the prior little, much
evidence takes its place. Unlike a Beta, the result may be below zero, so that an action can be found to drive customers away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from decisions.plans.actions import Effect, prior_effect
from decisions.plans.catalogue import Action, Gain, Kept, Lift
from decisions.policy import Policy
from keepwell.errors import DataError

LEAST_IN_ARM = 30
"""Customers in each arm, below which a standard error is no measure of what is not known."""

EffectPart: TypeAlias = Literal["kept", "lift", "gain"]
PARTS: tuple[EffectPart, ...] = ("kept", "lift", "gain")


@dataclass(frozen=True)
class Estimate:
    """What an experiment says of one part of an action's effect, in the unit of `decisions.plans.actions.Effect`.

    `treated` and `controls` are the customers of the two arms. Raises DataError for a figure that is not finite, or a standard
    error of zero, which would claim to know all.
    """

    action: str
    part: EffectPart
    value: float
    standard_error: float
    treated: int
    controls: int

    def __post_init__(self) -> None:
        """Refuse what cannot be weighed."""
        if not (math.isfinite(self.value) and math.isfinite(self.standard_error) and self.standard_error > 0):
            rule = f"{self.part} of {self.action} is {self.value:g} with standard error {self.standard_error:g}"
            raise DataError("estimates", None, rule, hint="give finite figures and a standard error above zero")


@dataclass(frozen=True)
class Measured:
    """What came of an action in the time of one horizon: treated against controls, a customer, each with its standard error.

    `stayed` is the difference of the shares that bought, `value` that of net revenue; `controls_left` and `controls_value` are
    the share of controls that did not buy, and what a control brought.
    """

    action: str
    treated: int
    controls: int
    stayed: float
    stayed_error: float
    controls_left: float
    value: float
    value_error: float
    controls_value: float


def estimates(measured: Measured, action: Action) -> tuple[Estimate, ...]:
    """What `measured` says of those parts of the effect that the catalogue expects of the action.

    Kept is the difference of those who stayed over the controls who left. Lift is what else the treated brought, over what a
    control brought: those whom the action kept are taken to bring what a control who stayed does, where it is to keep any. The
    standard errors take what is divided by as known, and that of the lift is rather too wide, for what stays also spends. A part
    that nothing can be said of is left out.

    >>> from decisions.plans.catalogue import Kept
    >>> call = Action.model_construct(name="call", kept=Kept(a=3, b=17), lift=None)
    >>> [one] = estimates(Measured("call", 900, 100, 0.05, 0.01, 0.5, 4.0, 1.0, 30.0), call)
    >>> one.part, one.value, one.standard_error
    ('kept', 0.1, 0.02)
    """
    made: list[tuple[EffectPart, float, float]] = []
    if action.kept and measured.controls_left > 0:
        made.append(("kept", measured.stayed / measured.controls_left, measured.stayed_error / measured.controls_left))
    if action.lift and measured.controls_value > 0 and measured.controls_left < 1:
        per_stayer = measured.controls_value / (1 - measured.controls_left) if action.kept else 0.0
        further = measured.value - measured.stayed * per_stayer
        error = math.hypot(measured.value_error, measured.stayed_error * per_stayer)
        made.append(("lift", further / measured.controls_value, error / measured.controls_value))
    arms = (measured.treated, measured.controls)
    return tuple(Estimate(measured.action, part, value, error, *arms) for part, value, error in made if error > 0)


def posterior(policy: Policy, found: Iterable[Estimate]) -> dict[str, Effect]:
    """The effect to expect of every action of the policy, by its name, once the estimates `found` are weighed in.

    Several estimates of one part are taken as independent. Estimates of fewer than LEAST_IN_ARM customers in an arm, of parts
    that the catalogue does not expect of the action, and of actions that it does not have, change nothing. The basis says how
    many customers the evidence has, or "prior".
    """
    enough = [one for one in found if min(one.treated, one.controls) >= LEAST_IN_ARM]
    return {action.name: _effect(action, [one for one in enough if one.action == action.name]) for action in policy.actions}


def weighed(mean: float, variance: float, evidence: Iterable[Estimate]) -> tuple[float, float]:
    """(mean, variance) of what is expected after the evidence; a prior without variance is certain and stays.

    >>> weighed(0.25, 0.25, [Estimate("call", "kept", 0.75, 0.5, 500, 500)])
    (0.5, 0.125)
    """
    for one in evidence:
        weight = variance / (variance + one.standard_error**2)
        mean, variance = mean + weight * (one.value - mean), variance * (1 - weight)
    return mean, variance


def prior_moments(prior: Kept | Lift | Gain) -> tuple[float, float]:
    """(mean, variance) of a prior of the catalogue.

    >>> prior_moments(Kept(a=1, b=1))
    (0.5, 0.08333333333333333)
    """
    if isinstance(prior, Kept):
        total = prior.a + prior.b
        return prior.mean, prior.a * prior.b / (total**2 * (total + 1))
    return prior.mean, prior.sd**2


def _effect(action: Action, evidence: list[Estimate]) -> Effect:
    """The prior effect of an action, with each part that there is evidence of weighed anew."""
    told = {part: [one for one in evidence if one.part == part] for part in PARTS if getattr(action, part)}
    means = {part: weighed(*prior_moments(getattr(action, part)), found)[0] for part, found in told.items() if found}
    if not means:
        return prior_effect(action)
    prior = prior_effect(action)
    return Effect(**{part: means.get(part, getattr(prior, part)) for part in PARTS}, basis=_basis(told))


def _basis(told: dict[EffectPart, list[Estimate]]) -> str:
    """Customers behind the part that most is known of: the parts are of the same customers."""
    treated, controls = max((sum(one.treated for one in found), sum(one.controls for one in found)) for found in told.values())
    return f"{treated:,} contacts, {controls:,} controls"
