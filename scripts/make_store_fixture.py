"""Make the small store that tests keep for every later version: `tests/fixtures/store-<REVISION>.sql`.

    .venv/bin/python scripts/make_store_fixture.py 0004

Run it once for a revision, with the version of Keepwell that has it as its newest, and never again: what an old version wrote
must open in every new one.
"""

from __future__ import annotations

import json
import sqlite3
import struct
import sys
import tempfile
from pathlib import Path

from serving.store.engine import open_engine, writing
from serving.store.migrate import upgrade_to

FIXTURES = Path(__file__).parents[1] / "tests" / "fixtures"

LOAD = {
    "id": 1,
    "company": "acme",
    "horizon_days": 90,
    "as_of": "2026-01-01",
    "data_until": "2025-12-31",
    "loaded_at": "2026-01-01 06:00:00.000000",
    "model_version": "3",
    "model_family": "ensemble",
    "grade": "B",
    "currency": "EUR",
    "customers": 2,
    "feature_names": json.dumps(["recency_days", "spend_90d"]),
    "current": True,
}
SCORES = [
    {
        "load_id": 1,
        "customer_id": "00001",
        "name": "Ann",
        "churn_probability": 0.25,
        "expected_value": 80.0,
        "value_at_risk": 20.0,
    },
    {"load_id": 1, "customer_id": "名😀", "churn_probability": 0.75, "expected_value": 8.0, "value_at_risk": 6.0},
]
FEATURES = [{"load_id": 1, "customer_id": "00001", "row": struct.pack("<2d", 12.0, float("nan"))}]
EVENTS = [{"load_id": 1, "customer_id": "00001", "day": "2025-12-30", "kind": "purchase", "count": 2, "amount": 40.5}]
PLAN = {
    **{"id": 1, "load_id": 1, "company": "acme", "horizon_days": 90, "as_of": "2026-01-01", "model_version": "3"},
    **{"made_at": "2026-01-01 07:00:00.000000", "budget": 100.0, "capacities": json.dumps({"call": 5}), "cost": 4.0},
    **{"expected_net_value": 11.0, "customers": 1, "notes": json.dumps(["a note"])},
}
ITEMS = [
    {
        **{
            "plan_id": 1,
            "customer_id": "00001",
            "priority": 1,
            "action": "call",
            "title": "Call",
            "channel": "call",
            "cost": 4.0,
        },
        **{"expected_net_value": 11.0, "churn_probability": 0.25, "value_at_risk": 20.0, "reason": "most at risk"},
    }
]
ROWS = {"loads": [LOAD], "scores": SCORES, "feature_rows": FEATURES, "events": EVENTS, "plans": [PLAN], "plan_items": ITEMS}
"""What the first revision can hold; later ones only added to it."""


def main() -> None:
    """Write the fixture of the revision named on the command line."""
    revision = sys.argv[1]
    fixture = FIXTURES / f"store-{revision}.sql"
    if fixture.exists():
        sys.exit(f"{fixture} is there already: an older version made it, and it stays")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        engine = open_engine(f"sqlite:///{file}")
        with writing(engine) as connection:
            upgrade_to(connection, revision)
        engine.dispose()
        with sqlite3.connect(file) as connection:
            for table, rows in ROWS.items():
                for row in rows:
                    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
                    connection.execute(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', tuple(row.values()))  # noqa: S608  # our own words
            connection.commit()
            fixture.write_text("\n".join(connection.iterdump()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
