"""The console as one ASGI application: which page answers which path.

The views are plain functions, which run in threads: a slow query never holds up the service around them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from decisions.policy import Policy
from keepwell.errors import KeepwellError
from serving.console.headers import SafeHeaders
from serving.console.language import ChooseLanguage
from serving.console.pages import Page, endpoint
from serving.console.render import STATIC
from serving.console.roles import Right
from serving.console.views import (
    audit,
    customer,
    customers,
    failures,
    fresh,
    models,
    plan,
    plan_acts,
    portfolio,
    review,
    sign_in,
    today,
    views,
    work,
)
from serving.console.views.context import Context
from serving.console.what_if import Foresee
from serving.model_desk import ModelDesk
from serving.plans.evidence import EvidenceShelf
from serving.review.shelf import ReviewShelf
from serving.store import Store

PAGES = {
    "/": Page(today.today),
    "/load.json": Page(fresh.load, quiet=True),
    "/customers": Page(customers.customers),
    "/customers.csv": Page(customers.customers_csv),
    "/customers.xlsx": Page(customers.customers_xlsx),
    "/customers/views": Page(act=views.act, act_right=Right.READ),
    "/customers/one": Page(customer.customer),
    "/customers/work": Page(act=work.act, again=work.again),
    "/plan": Page(plan.plan, act=plan_acts.act, act_right=Right.PLAN),
    "/plan.csv": Page(plan.plan_csv),
    "/portfolio": Page(portfolio.portfolio),
    "/models": Page(models.models, act=models.roll_back, act_right=Right.ROLL_BACK),
    "/review": Page(review.review),
    "/audit": Page(audit.audit, Right.AUDIT),
    "/sign-in": Page(sign_in.show, act=sign_in.come_in, open=True),
    "/sign-out": Page(act=sign_in.go_out, act_right=Right.READ),
}
"""Path -> what answers it, and what that takes."""


def console_app(
    store: Callable[[], Store],
    *,
    now: Callable[[], datetime],
    company: str | None = None,
    horizon_days: int | None = None,
    alone: bool = True,
    reviews: ReviewShelf | None = None,
    desk: ModelDesk | None = None,
    foresee: Foresee | None = None,
    policy: Policy | None = None,
    evidence: EvidenceShelf | None = None,
) -> ASGIApp:
    """The console, to be mounted anywhere.

    `store` hands out the store, `now` the instant: by it scores count as stale and sessions end. `company` and `horizon_days`
    choose the scores to show; None: those loaded last. Until somebody is set up, `alone` lets in whoever comes, as on one's
    own machine; without it nobody comes in. `reviews` are those that were made, `desk` tells of the models (None: there
    is nothing to tell).
    `foresee` asks the champion what it would say of other figures (None: nobody can be asked). `policy` has the rules of plans
    (None: those that Keepwell brings), `evidence` what is known of the effects of actions (None: their priors alone).
    """
    console = Context(store, now, company, horizon_days, alone, reviews, desk, foresee, policy, evidence)
    routes = [Route(path, endpoint(console, page), methods=page.methods) for path, page in PAGES.items()]
    failing = {HTTPException: failures.refused, KeepwellError: failures.failed, Exception: failures.broken}
    handlers = {error: partial(view, console) for error, view in failing.items()}
    app = Starlette(routes=[*routes, Mount("/static", StaticFiles(directory=STATIC))], exception_handlers=handlers)
    # Outermost, so that the page of an unforeseen error is kept as safe as the others.
    return SafeHeaders(ChooseLanguage(app))
