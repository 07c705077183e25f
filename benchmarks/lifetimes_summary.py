"""The RFM summary of the `lifetimes` package, timed. Runs in an environment of its own, and so needs nothing of Keepwell.

    python lifetimes_summary.py PURCHASES.npz 2026-01-01 REPEATS

The file holds `customer_id`, `ordered` (datetime64) and `amount` of every purchase. Prints one line of JSON, as
`benchmarks.child` does.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np
import pandas as pd


def main(file: str, as_of: str, repeats: int) -> None:
    """Time the summary `repeats` times; the figures are those of our four columns."""
    from lifetimes.utils import (  # type: ignore[import-not-found]  # noqa: PLC0415  # there in its own environment alone
        summary_data_from_transaction_data,
    )

    with np.load(file) as arrays:
        purchases = pd.DataFrame({"customer_id": arrays["customer_id"], "ordered": arrays["ordered"], "amount": arrays["amount"]})
    seconds, processor = [], []
    for _ in range(repeats):
        started, busy = time.perf_counter(), time.process_time()
        summary = summary_data_from_transaction_data(
            purchases, "customer_id", "ordered", "amount", observation_period_end=as_of, include_first_transaction=True
        )
        seconds.append(time.perf_counter() - started)
        processor.append(time.process_time() - busy)
    columns = {
        "recency_days": summary["T"] - summary["recency"],
        "days_since_first_purchase": summary["T"],
        "purchase_days_all": summary["frequency"],
        "spend_all": summary["frequency"] * summary["monetary_value"],
    }
    told = {
        "seconds": min(seconds),
        "processor": min(processor),
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "rows": len(summary),
        "columns": len(columns),
        "figures": {f"{name} {as_of}": float(values.sum()) for name, values in columns.items()},
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
