"""English: the words of the pages on models, on the review of a quarter, and on who did what."""

from __future__ import annotations

OFFICE = {
    "nav.models": "Models",
    "nav.review": "Review",
    "nav.audit": "Record",
    "moment": "{day}, {time} UTC",
    # Who did what
    "audit.title": "Who did what",
    "audit.lead": "Every sign-in, every customer looked at, every step and change, newest first. It cannot be changed.",
    "audit.when": "When",
    "audit.who": "Person or key",
    "audit.what": "What",
    "audit.customer": "Customer",
    "audit.detail": "Detail",
    "audit.all": "Everything",
    "audit.none": "Nothing is on record here.",
    "audit.newest": "Newest",
    "audit.older": "Older",
    "deed.recorded": "Recorded: {step}",
    "deed.customer seen": "Looked at a customer",
    "deed.customer taken": "Took a customer on",
    "deed.customer given back": "Gave a customer back",
    "deed.signed in": "Signed in",
    "deed.signed out": "Signed out",
    "deed.sign-in refused": "Sign-in refused",
    "deed.user added": "Added a person",
    "deed.user changed": "Changed a person",
    "deed.key created": "Made a key",
    "deed.key revoked": "Revoked a key",
    "deed.plan made": "Asked for a plan",
    "deed.outcomes recorded": "Recorded outcomes",
    "deed.job asked for": "Asked for a job",
    "deed.job cancelled": "Cancelled a job",
    "deed.model rolled back": "Went back to the model before",
}
