"""What a worker of the service holds: the settings, the store and the champion. Nothing is opened before it is needed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from functools import cached_property

import numpy as np
from starlette.types import ASGIApp

from keepwell.errors import ConfigError, StoreError
from keepwell.settings import Settings
from serving.champion import Champion, Holder
from serving.console.what_if import Forecast, Forecasts
from serving.endpoints.answer_schemas import ExplainAnswer, OutcomesAnswer, PlanAnswer, ScoresAnswer
from serving.endpoints.asked_rows import known
from serving.endpoints.explain import explain_stored
from serving.endpoints.schemas import ExplainRequest, OutcomeRow, OutcomesRequest, PlanRequest, ScoresRequest
from serving.endpoints.stored_scores import stored_scores
from serving.jobs.desk import JobDesk
from serving.model_desk import ModelDesk
from serving.plans.evidence import EvidenceShelf
from serving.plans.outcomes import LONGEST_MEMORY, record_outcomes
from serving.plans.policy import read_policy
from serving.prediction_log import PredictionLog
from serving.store import Load, Store
from serving.store.records import Outcome
from training.registry import ModelFolder, Registry, prepare_to_load

log = logging.getLogger("keepwell.serving")

WRITER_WAITS_S = 20.0
"""How long a request waits to write: it must still be answered in time, and what waits holds one of few threads."""


class State:
    """The parts that the endpoints bring together; `now` tells the instant, in UTC."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self.settings, self.now = settings, now
        self.company = settings.company or None
        self.horizon_days = _days(settings.horizon)
        self.store, self.store_is_away = Store(settings.resolved_store_url, writer_waits_s=WRITER_WAITS_S), False
        self.policy = read_policy(settings.policy_path)
        self.evidence = EvidenceShelf(settings.evidence_folder)
        self.holder = _holder(settings, self.company, self.horizon_days)

    @cached_property
    def console(self) -> ASGIApp:
        """The console on the same store; what it shows takes half a second to import."""
        from serving.console.app import console_app  # noqa: PLC0415  # see above
        from serving.review.shelf import ReviewShelf  # noqa: PLC0415  # see above

        alone, reviews = not self.settings.asks_for_keys, ReviewShelf(self.settings.reviews_folder)
        return console_app(
            lambda: self.store,
            now=self.now,
            company=self.company,
            horizon_days=self.horizon_days,
            alone=alone,
            reviews=reviews,
            desk=None if self.settings.models_path else ModelDesk(_registry(self.settings)),
            foresee=self.foresee,
            policy=self.policy,
            evidence=self.evidence,
        )

    def foresee(self, load: Load, rows: Sequence[Mapping[str, float | None]]) -> Forecasts | None:
        """What the champion says of rows of features, for the console, which then shows them beside the scores of `load`.

        None where there is no champion of the same company and horizon, or it reads features that are not kept.
        """
        champion = self.holder.champion
        if champion is None or (champion.company, champion.horizon_days) != (load.company, load.horizon_days):
            return None
        names = champion.scorer.info.feature_names
        if not all(row.keys() >= set(names) for row in rows):
            return None
        matrix = np.array([[np.nan if row[name] is None else row[name] for name in names] for row in rows], dtype=np.float64)
        found = champion.scorer.predict(matrix)  # not the champion's own predict: its log is for questions about customers
        figures = zip(found.churn_probability.tolist(), map(known, found.expected_value.tolist()), strict=True)
        return Forecasts(champion.version, tuple(Forecast(*each) for each in figures))

    def this_day(self) -> date:
        """The day that it is, in UTC."""
        return self.now().date()

    @property
    def desk(self) -> JobDesk:
        """Where jobs are asked for."""
        return JobDesk(self.store.jobs, self.settings.jobs_root_path, self.settings.jobs_folder, self.company)

    def open(self) -> None:
        """Bring the store's schema to this version and look for the champion; trouble is logged and answered, never raised."""
        try:
            self.store.migrate()
        except StoreError as error:
            log.warning("%s", error)
        prepare_to_load()
        self.holder.begin()

    def look_into_store(self) -> int | None:
        """How many jobs wait; None while the store cannot be read, which `store_is_away` says from then on."""
        try:
            waiting = self.store.jobs.waiting()
        except StoreError as error:
            if not self.store_is_away:
                log.warning("the store is away: %s", error.message)
            self.store_is_away = True
            return None
        self.store_is_away = False
        return waiting

    def close(self) -> None:
        """Write what is pending, and let go of the store."""
        if self.holder.log is not None:
            self.holder.log.close()
        self.store.close()

    def scores(self, request: ScoresRequest) -> ScoresAnswer:
        """Batch scores by id of the company and horizon that are served; StoreError when there are none for them."""
        load, asked = self.require_load(), list(dict.fromkeys(map(str, request.customer_ids)))
        return stored_scores(load, asked, self.store.customers_by_id(load, asked), self.this_day())

    def explain_stored(self, champion: Champion, request: ExplainRequest) -> ExplainAnswer:
        """Explanations by id, from the feature rows beside the latest batch scores; StoreError when there are none."""
        load, asked = self.require_load(), list(dict.fromkeys(map(str, request.customer_ids or ())))
        return explain_stored(champion, request, load, asked, self.store.features_by_id(load, asked))

    def plan(self, request: PlanRequest) -> PlanAnswer:
        """The best plan for customers by id, from the latest batch scores; StoreError when there are none."""
        # Solvers take half a second that a start has not.
        from serving.endpoints.stored_plan import contact_columns, plan_answer, plan_of  # noqa: PLC0415  # see above

        load, asked = self.require_load(), list(dict.fromkeys(map(str, request.customer_ids)))
        rows = self.store.customers_by_id(load, asked)
        found, unknown = [rows[each] for each in asked if each in rows], [each for each in asked if each not in rows]
        features, unwilling = self.store.features_by_id(load, [*rows]), self.store.outcomes.left_alone(load.company)
        today, ids = self.this_day(), [row.customer_id for row in found]
        recorded = self.store.outcomes.recorded(load.company, since=today - LONGEST_MEMORY)
        contacts = contact_columns(recorded, ids, self.policy, today)
        expected = self.evidence.expected(load.company, load.horizon_days, load.as_of, self.policy)
        made = plan_of(load, found, features, request, self.policy, unwilling=unwilling, contacts=contacts, expected=expected)
        return plan_answer(load, made, unknown, today)

    def record(self, request: OutcomesRequest, today: date, recorded_by: str | None) -> OutcomesAnswer:
        """Record what happened in the company that is served; `today` is the day there. DataError where anything is wrong."""
        company, _ = self.served()
        rows = [_outcome(row) for row in request.outcomes]
        found = record_outcomes(
            self.store,
            company,
            rows,
            policy=self.policy,
            today=today,
            recorded_at=self.now(),
            recorded_by=recorded_by,
            names_similar=False,  # a key of the scope `outcome` alone may not look customers up
        )
        return OutcomesAnswer(company=company, **asdict(found))

    def require_load(self) -> Load:
        """The latest batch scores of the company and horizon that are served; StoreError when there are none."""
        load = self.store.current_load(*self.served())
        if load is None:
            raise StoreError("there are no scores yet", hint="score first: keepwell score DATA --as-of DATE --out FILE")
        return load

    def served(self) -> tuple[str, int]:
        """The company and horizon of the settings; the champion's where they leave one open. ModelError when it is not known."""
        if self.company is not None and self.horizon_days is not None:
            return self.company, self.horizon_days
        champion = self.holder.require()
        return champion.company, champion.horizon_days


def _outcome(row: OutcomeRow) -> Outcome:
    """An outcome of a request as the store keeps it, where all ids are texts."""
    more = row.model_dump(include={"action", "key", "cost", "reason", "note"})
    return Outcome(str(row.customer_id), row.step, row.on, **more)


def _holder(settings: Settings, company: str | None, horizon_days: int | None) -> Holder:
    """Champions out of the folder of exported models, where one is named; else out of the registry, and kept on disk."""
    log = _prediction_log(settings)
    if settings.models_path is not None:
        return Holder(ModelFolder(settings.models_path), company, horizon_days, log=log)
    return Holder(_registry(settings), company, horizon_days, kept=ModelFolder(settings.kept_models), log=log)


def _registry(settings: Settings) -> Registry:
    return Registry(settings.resolved_tracking_uri, settings.artifact_root)


def _prediction_log(settings: Settings) -> PredictionLog | None:
    """The log of predictions; None where none are kept, which is the rule."""
    if settings.logged_share == 0:
        return None
    return PredictionLog(settings.predictions_folder, settings.logged_share, settings.logged_bytes)


def _days(horizon: str) -> int | None:
    """A horizon setting as days; None for an empty one."""
    number = horizon.removesuffix("d")
    if not horizon:
        return None
    if not (number.isascii() and number.isdigit() and int(number) > 0):
        raise ConfigError(f"KEEPWELL_HORIZON is {horizon!r}, which is no number of days", hint="write it as 90d")
    return int(number)
