"""The store: scores, feature rows, events and plans behind SQLAlchemy; SQLite by default, any SQLAlchemy URL.

A **load** is one scoring run. It is written in one transaction whose last act is to become the current one, so a reader
sees the old load or the new one, whole. Customer ids are text here.
"""

from serving.store.records import CustomerFilter, CustomerPage, Event, Load, Plan, PlanItem, ScoreRow, Summary, TierCount
from serving.store.store import Store

__all__ = ["CustomerFilter", "CustomerPage", "Event", "Load", "Plan", "PlanItem", "ScoreRow", "Store", "Summary", "TierCount"]
