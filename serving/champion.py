"""The champion that answers now: looked for again every few seconds, and swapped as one object."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from features.catalog import entry_of
from features.tables import EVENT_TABLES
from keepwell.errors import KeepwellError, ModelError
from serving.endpoints.requests import feature_rows
from serving.endpoints.schemas import Customer

if TYPE_CHECKING:
    from serving.prediction_log import Floats, PredictionLog
    from training.registry import ModelFolder, Predictions, Predictor

log = logging.getLogger("keepwell.serving")

LOOKS_TO_SKIP = 11
"""So many looks after a version has failed, it is tried again: a minute, where looks are five seconds apart."""


@dataclass(frozen=True)
class Champion:
    """One model version with what it serves. A request takes one and keeps it: an answer never comes from two versions."""

    company: str
    horizon_days: int
    version: str
    scorer: Predictor
    log: PredictionLog | None = None

    def predict(self, matrix: Floats, as_of: date) -> Predictions:
        """Forecasts for rows of features, a sample of which is kept where the settings say so."""
        found = self.scorer.predict(matrix)
        if self.log is not None:
            self.log.note(self.scorer.info, as_of, matrix, found)
        return found


class Models(Protocol):
    """Where champions are looked for: a registry, or a folder of models."""

    def champions(self) -> tuple[tuple[str, int], ...]:
        """Every (company, horizon in days) that has one."""

    def champion_version(self, company: str, horizon_days: int) -> str:
        """The version of one."""

    def scorer(self, company: str, horizon_days: int, version: str) -> Predictor:
        """The model itself."""


class SeveralChampionsError(ModelError):
    """More than one champion fits the settings: nobody but the user can choose."""


class Holder:
    """Holds the champion of one company and horizon.

    `company` and `horizon_days` left open (None) mean the only one that has a champion. `trouble` is why the last look failed
    (None: it did not); the champion before it then stays. `kept` is where each champion is also kept on disk: a service that
    starts while the registry is away begins with the one of last time, and says so. `log` keeps a sample of predictions.
    """

    def __init__(
        self,
        registry: Models,
        company: str | None = None,
        horizon_days: int | None = None,
        *,
        kept: ModelFolder | None = None,
        log: PredictionLog | None = None,
    ) -> None:
        self._registry, self._company, self._horizon_days, self._kept = registry, company, horizon_days, kept
        self.log = log
        self._refused: tuple[str, int, str] | None = None
        self._looks_to_skip = 0
        self._is_of_last_time = False
        self.champion: Champion | None = None
        self.trouble: KeepwellError | None = None

    def require(self) -> Champion:
        """The champion; ModelError says what to run when there is none."""
        if self.champion is None:
            raise self.trouble or ModelError("the champion is not loaded yet", hint="try again in a few seconds")
        return self.champion

    def begin(self) -> None:
        """Serve the champion of last time at once, where there is one; what `refresh` then finds in the registry replaces it.

        A registry takes seconds to open, a folder none. Never raises.
        """
        self.champion = self._of_last_time()
        if self.champion is None:
            self.refresh()
        else:
            self._is_of_last_time = True

    def refresh(self) -> None:
        """Look for a new champion, try it out, and only then put it in place. Never raises; takes up to a second."""
        before = self.champion
        try:
            found = self._look()
        except SeveralChampionsError as error:
            if self._is_of_last_time:
                self.champion = None  # it is not for us to choose
            self._note(error)
        except Exception as error:
            if self.champion is None:
                self.champion, self._is_of_last_time = self._of_last_time(), True
            self._note(_in_words(error))
        else:
            self.champion, self.trouble, self._is_of_last_time = found, None, False
            if found is not before:
                self._keep(found)

    def _look(self) -> Champion:
        """The champion of the registry: the one in place while it still is, else loaded and tried out."""
        company, horizon_days = self._choose(self._registry)
        wanted = (company, horizon_days, self._registry.champion_version(company, horizon_days))
        now = None if self._is_of_last_time else self.champion  # another registry may count its versions anew
        if now is not None and (now.company, now.horizon_days, now.version) == wanted:
            return now
        if wanted == self._refused and self._looks_to_skip > 0 and self.trouble is not None:
            self._looks_to_skip -= 1  # it failed a moment ago: to load it at each look would cost too much
            raise self.trouble
        self._refused, self._looks_to_skip = wanted, LOOKS_TO_SKIP
        found = self._loaded(self._registry, *wanted)
        self._refused = None
        return found

    def _choose(self, models: Models) -> tuple[str, int]:
        if self._company is not None and self._horizon_days is not None:
            return self._company, self._horizon_days
        fitting = [
            (company, horizon_days)
            for company, horizon_days in models.champions()
            if self._company in (None, company) and self._horizon_days in (None, horizon_days)
        ]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            raise ModelError("there is no champion to serve", hint="train one: keepwell train DATA --horizon 90d --as-of DATE")
        known = ", ".join(f"{company} ({days}d)" for company, days in fitting)
        raise SeveralChampionsError(
            f"there are {len(fitting)} champions, and one service serves one: {known}",
            hint="choose with KEEPWELL_COMPANY and KEEPWELL_HORIZON",
        )

    def _of_last_time(self) -> Champion | None:
        """The champion that was kept on disk; None where there is none, or it is no good."""
        if self._kept is None:
            return None
        try:
            company, horizon_days = self._choose(self._kept)
            return self._loaded(self._kept, company, horizon_days, self._kept.champion_version(company, horizon_days))
        except Exception as error:
            log.debug("there is no champion of last time: %s", error)  # looked for every few seconds
            return None

    def _loaded(self, models: Models, company: str, horizon_days: int, version: str) -> Champion:
        """A version, loaded and tried out. Raises what is wrong with it."""
        scorer = models.scorer(company, horizon_days, version)
        if (scorer.info.company, scorer.info.horizon_days) != (company, horizon_days):
            raise ModelError(f"version {version} is a model of {scorer.info.company!r}", hint="promote another version")
        try_out(scorer)
        log.info("champion %s of %s (%d days) is in place", version, company, horizon_days)
        return Champion(company, horizon_days, version, scorer, self.log)

    def _keep(self, champion: Champion) -> None:
        if self._kept is not None:
            try:
                self._kept.keep(champion.scorer)
            except OSError as error:
                log.warning("the champion cannot be kept for a later start: %s", error)

    def _note(self, error: KeepwellError) -> None:
        if self.trouble is None or self.trouble.message != error.message:
            log.warning("%s%s", "the champion in place stays: " if self.champion else "", error.message)
        self.trouble = error


def _in_words(error: Exception) -> KeepwellError:
    if isinstance(error, KeepwellError):
        return error
    log.error("looking for the champion failed", exc_info=error)
    return ModelError(f"the champion cannot be loaded: {error}", hint="the server's log says more")


def try_out(scorer: Predictor) -> None:
    """Let a scorer predict two made-up customers, from raw history on; ModelError when it cannot, or makes no sense."""
    info = scorer.info
    if unknown := [name for name in info.feature_names if entry_of(name) is None]:
        raise ModelError(
            f"the model reads the feature {unknown[0]!r}, which this version of Keepwell does not have",
            hint="serve it with the version that trained it, or train again",
        )
    if info.churn != "purchases":
        _try_out_unseen(scorer)
        return
    _, rows = feature_rows(_made_up_customers(info.trained_as_of), info, info.trained_as_of)
    found = scorer.predict(rows)
    chances = np.stack([found.churn_probability, *found.further_churn.values()])
    figures = np.stack([*chances, found.expected_value, found.value_if_active, found.value_low, found.value_high])
    in_order = (found.value_low <= found.value_high).all() and ((chances > 0) & (chances < 1)).all()
    if not (np.isfinite(figures).all() and in_order):
        raise ModelError("the model failed its try-out: a prediction is not finite or out of range", hint="train again")


def _try_out_unseen(scorer: Predictor) -> None:
    """Let a scorer that takes no histories predict a customer of whom nothing is known."""
    churn = scorer.predict(np.full((1, len(scorer.info.feature_names)), np.nan)).churn_probability
    if not ((churn > 0) & (churn < 1)).all():
        raise ModelError("the model failed its try-out: a probability is out of range", hint="train again")


def _made_up_customers(as_of: date) -> list[Any]:
    """One with a single purchase, one with a longer history and a complaint."""

    def day(ago: int) -> str:
        return (as_of - timedelta(days=ago)).isoformat()

    nothing: dict[str, list[Any]] = {name: [] for name in EVENT_TABLES}
    once = {**nothing, "customer_id": 1, "transactions": [{"ordered_at": day(1), "amount": 10.0}]}
    often = [{"ordered_at": day(ago), "amount": 25.0, "order_id": ago} for ago in (400, 200, 90, 30)]
    often.append({"ordered_at": day(20), "amount": -5.0})
    complaints = [{"opened_at": day(25), "severity": 4.0}]
    regular = {**nothing, "customer_id": 2, "joined_at": day(500), "transactions": often, "complaints": complaints}
    return [Customer.model_validate(once), Customer.model_validate(regular)]
