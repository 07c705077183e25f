"""Whole columns of a load, for figures about all customers: read some rows at a time, so that a million need little memory."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from sqlalchemy import select

from serving.store.engine import reading
from serving.store.forecasts import TYPES
from serving.store.reading import Reader
from serving.store.records import Load
from serving.store.schema import feature_rows, scores

_ROWS_AT_ONCE = 50_000


def score_columns(store: Reader, load: Load, names: Sequence[str]) -> pl.DataFrame:
    """These columns of the scores of all customers of a load, in the order of the ids, which are text."""
    query = select(*(scores.c[name] for name in names)).where(scores.c.load_id == load.id).order_by(scores.c.customer_id)
    schema = {name: TYPES.get(type(scores.c[name].type), pl.String) for name in names}
    parts = [pl.DataFrame(schema=schema)]
    with reading(store._engine) as connection:
        for rows in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query).partitions():
            parts.append(pl.DataFrame(dict(zip(names, zip(*rows, strict=True), strict=True)), schema=schema))
    return pl.concat(parts)


def feature_columns(store: Reader, load: Load, names: Sequence[str]) -> pl.DataFrame:
    """customer_id and these features (NaN = missing) of all customers whose rows are kept.

    Features that the load does not have are left out.
    """
    known = [name for name in names if name in load.feature_names]
    schema = {"customer_id": pl.String, **dict.fromkeys(known, pl.Float64)}
    parts = [pl.DataFrame(schema=schema)]
    if not known:
        return parts[0]
    places = [load.feature_names.index(name) for name in known]
    query = select(feature_rows.c.customer_id, feature_rows.c.row).where(feature_rows.c.load_id == load.id)
    with reading(store._engine) as connection:
        for rows in connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query).partitions():
            ids, packed = zip(*rows, strict=True)
            values = np.frombuffer(b"".join(packed), dtype="<f8").reshape(len(ids), len(load.feature_names))[:, places]
            parts.append(pl.DataFrame({"customer_id": ids, **dict(zip(known, values.T, strict=True))}, schema=schema))
    return pl.concat(parts)
