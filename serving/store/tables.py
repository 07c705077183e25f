"""Every table of the store, from the modules that declare them."""

from __future__ import annotations

from serving.store import access_schema, job_schema, list_schema, work_schema
from serving.store.schema import metadata

DECLARING = (access_schema, job_schema, list_schema, work_schema)
"""Importing them is what fills `metadata`."""

__all__ = ["DECLARING", "metadata"]
