"""Why forecasts are what they are, at the endpoint: the same reasons as in batch scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from keepwell.errors import RequestError
from serving.batch.reasons import reason_lists
from serving.champion import Champion
from serving.endpoints.answer_schemas import ExplainAnswer, Explanation
from serving.endpoints.asked_rows import AskedRows, known, rows_of_features, rows_of_histories
from serving.endpoints.model_facts import is_stale, model_card
from serving.endpoints.schemas import ExplainRequest
from serving.store import Load


def explain(champion: Champion, request: ExplainRequest, today: date) -> ExplainAnswer:
    """Explanations for the raw histories or feature rows of a request, in its order."""
    info, as_of = champion.scorer.info, request.as_of or today
    if request.customers is not None:
        return explained(champion, rows_of_histories(request, info, as_of), as_of)
    ids, features = request.customer_ids or [], request.features or {}
    return explained(champion, rows_of_features(ids, features, info, as_of, allow_hindsight=request.allow_hindsight), as_of)


def explain_stored(
    champion: Champion,
    request: ExplainRequest,
    load: Load,
    asked: Sequence[str],
    stored: Mapping[str, Mapping[str, float | None]],
) -> ExplainAnswer:
    """Explanations of the feature rows of one load of the store, for those of the ids `asked` who have one."""
    if request.as_of not in (None, load.as_of):
        raise RequestError(
            f"the stored feature rows are of {load.as_of}, not of {request.as_of}",
            hint="leave as_of out, or send histories or feature rows of that day",
            status=422,
            code="bad_field",
            field="as_of",
        )
    held, info = [each for each in asked if each in stored], champion.scorer.info
    columns = {name: [stored[each].get(name) for each in held] for name in load.feature_names}
    if lacking := [name for name in info.feature_names if name not in columns]:
        raise RequestError(
            f"the stored feature rows lack {lacking[0]}, which the champion reads",
            hint="score again with the champion",
            status=503,
            code="old_scores",
        )
    read = {name: columns[name] for name in info.feature_names}
    rows = rows_of_features(held, read, info, load.as_of, allow_hindsight=True)
    answer = explained(champion, rows, load.as_of)
    return answer.model_copy(update={"unknown": [each for each in asked if each not in stored]})


def explained(champion: Champion, rows: AskedRows, as_of: date) -> ExplainAnswer:
    """Explanations of rows of features."""
    told: list[dict[str, Any]] = [dict.fromkeys(("churn_probability", "expected_value", "reasons"))] * len(rows.customer_ids)
    if len(rows.places):
        found = champion.scorer.predict(rows.matrix)
        reasons = reason_lists(champion.scorer, rows.matrix, found)
        figures = zip(found.churn_probability.tolist(), found.expected_value.tolist(), reasons, strict=True)
        for place, (churn, value, why) in zip(rows.places, figures, strict=True):
            told[place] = {"churn_probability": churn, "expected_value": known(value), "reasons": why}
    each = zip(rows.customer_ids, told, rows.notes, strict=True)
    return ExplainAnswer(
        model=model_card(champion),
        as_of=as_of,
        stale=is_stale(champion.scorer.info, as_of),
        explanations=[Explanation(customer_id=customer_id, **why, note=note) for customer_id, why, note in each],
    )
