"""Every feature again, in plain SQL over the normalised tables: a second implementation that shares no code with the first."""

from __future__ import annotations

from tests.features.oracle.attributes import ATTRIBUTES
from tests.features.oracle.basket import BASKET
from tests.features.oracle.complaints import COMPLAINTS
from tests.features.oracle.contacts import CONTACTS
from tests.features.oracle.payments import PAYMENTS
from tests.features.oracle.rfm import RFM
from tests.features.oracle.subscriptions import SUBSCRIPTIONS
from tests.features.oracle.surveys import SURVEYS
from tests.features.oracle.tenure import TENURE

ORACLES = (RFM, TENURE, COMPLAINTS, BASKET, PAYMENTS, SUBSCRIPTIONS, SURVEYS, CONTACTS, ATTRIBUTES)
"""In an order in which their relations can be created; every builder has one."""
