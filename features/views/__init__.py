"""The event views: what is counted, once for both executors; one module for each kind of event."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from features.definitions import View
from features.views.baskets import CATEGORY_DAYS, CHANNEL_DAYS, COSTED_LINES, DELIVERIES, DUE_DELIVERIES, PRODUCT_DAYS
from features.views.complaints import COMPLAINTS, ENQUIRIES, RATED_DAYS, REOPENINGS
from features.views.contacts import CONTACTS, OUTCOME_DAYS
from features.views.customers import ATTRIBUTES, JOININGS
from features.views.payments import PAYMENTS
from features.views.purchases import PURCHASE_DAYS, REFUNDS
from features.views.subscriptions import CONTRACT_ENDS, CONTRACTS
from features.views.surveys import ANSWERS, QUALITY_GAPS, SURVEYS

__all__ = ["ATTRIBUTES", "PURCHASE_DAYS", "VIEWS"]

VIEWS: Mapping[str, View] = MappingProxyType(
    {
        view.name: view
        for view in (
            *(PURCHASE_DAYS, REFUNDS),
            *(CATEGORY_DAYS, PRODUCT_DAYS, CHANNEL_DAYS, COSTED_LINES, DUE_DELIVERIES, DELIVERIES),
            *(COMPLAINTS, ENQUIRIES, RATED_DAYS, REOPENINGS),
            PAYMENTS,
            *(SURVEYS, *ANSWERS, QUALITY_GAPS),
            *(CONTACTS, OUTCOME_DAYS),
            *(CONTRACTS, CONTRACT_ENDS),
            *(JOININGS, ATTRIBUTES),
        )
    }
)
"""Every view, by name."""
