"""English: the words of the list of customers that its further filters, columns and views need."""

from __future__ import annotations

LIST = {
    "customers.more_filters": "More filters",
    "customers.columns": "Columns",
    "customers.workbook": "Download for Excel",
    "views.title": "My views",
    "views.keep": "Keep this list as a view",
    "views.name": "Name of the view",
    "views.save": "Save",
    "views.forget": "Delete the view “{name}”",
    "filter.lifecycle": "Lifecycle",
    "filter.relation": "Relation",
    "filter.kind": "Kind",
    "filter.owner": "Owner",
    "filter.account": "Account",
    "filter.complaint": "Complaint",
    "filter.complaint.open": "open",
    "filter.complaint.overdue": "past its time",
    "filter.churn_from": "Churn from (%)",
    "filter.churn_to": "Churn up to (%)",
    "filter.value_from": "Expected value from",
    "filter.value_to": "Expected value up to",
    "column.owner": "Owner",
    "column.kind": "Kind",
    "column.account_id": "Account",
    "column.complaints_open": "Open complaints",
    "kind.consumer": "Consumer",
    "kind.trader": "Trader",
    "kind.supplier": "Supplier",
}
