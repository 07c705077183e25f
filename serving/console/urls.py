"""Every link of the console is made here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from serving.console.query import START


@dataclass(frozen=True)
class Urls:
    """Links below `base`, the path at which the console is mounted; `style_version` renews a cached style sheet.

    >>> Urls("/console").customer("a/b?c&d")
    '/console/customers/one?id=a%2Fb%3Fc%26d'
    """

    base: str
    style_version: str = ""

    def today(self) -> str:
        """The page of the day."""
        return f"{self.base}/"

    def customers(self, parameters: Mapping[str, str] = START.parameters) -> str:
        """The list of customers, as `parameters` ask for it."""
        return self._with_query("/customers", parameters)

    def customers_csv(self, parameters: Mapping[str, str]) -> str:
        """The same list as a file."""
        return self._with_query("/customers.csv", parameters)

    def customers_xlsx(self, parameters: Mapping[str, str]) -> str:
        """The same list as a workbook."""
        return self._with_query("/customers.xlsx", parameters)

    def views(self) -> str:
        """Where the forms go that save a view of the list or forget it."""
        return f"{self.base}/customers/views"

    def customer(self, customer_id: str, done: str = "") -> str:
        """One customer. The id goes in the query, since it may hold any character; `done` is what was just recorded."""
        return self._with_query("/customers/one", {"id": customer_id, **({"done": done} if done else {})})

    def customer_form(self) -> str:
        """Where the form of the sliders goes, which names the customer itself."""
        return f"{self.base}/customers/one"

    def fresh(self) -> str:
        """Which scores are current, for scripts."""
        return f"{self.base}/load.json"

    def work(self) -> str:
        """Where the forms go that record what happened to a customer."""
        return f"{self.base}/customers/work"

    def models(self, done: str = "") -> str:
        """The models; `done` is the version that has just become the champion."""
        return self._with_query("/models", {"done": done} if done else {})

    def models_back(self, reason: str = "", refused: str = "") -> str:
        """The models, with the form that confirms the way back; with what was written in it, where it was refused."""
        more = {"reason": reason, "refused": refused} if refused else {}
        return f"{self._with_query('/models', {'back': '1', **more})}#back"

    def review(self, name: str = "") -> str:
        """A review by its name; empty: the newest one."""
        return self._with_query("/review", {"of": name} if name else {})

    def audit(self, parameters: Mapping[str, str] | None = None) -> str:
        """Who did what, as `parameters` ask for it; None: all."""
        return self._with_query("/audit", parameters or {})

    def plan(self, parameters: Mapping[str, str] | None = None) -> str:
        """The plan, its list as `parameters` ask for it, or tried under the limits that they say; None: as it stands."""
        return self._with_query("/plan", parameters or {})

    def plan_csv(self, parameters: Mapping[str, str]) -> str:
        """The plan's list as a file."""
        return self._with_query("/plan.csv", parameters)

    def portfolio(self) -> str:
        """All customers together."""
        return f"{self.base}/portfolio"

    def sign_in(self, onward: str = "") -> str:
        """The page to sign in on; `onward` is where it leads, a path of the console."""
        return self._with_query("/sign-in", {"next": onward} if onward not in ("", "/") else {})

    def sign_out(self) -> str:
        """Where the form that ends a session goes."""
        return f"{self.base}/sign-out"

    def below(self, path: str) -> str:
        """A path of the console, with its query, as it is mounted."""
        return f"{self.base}{path}"

    def static(self, name: str) -> str:
        """A file of the folder `static`."""
        return self._with_query(f"/static/{name}", {"v": self.style_version} if self.style_version else {})

    def _with_query(self, path: str, parameters: Mapping[str, str]) -> str:
        query = urlencode(parameters)
        return f"{self.base}{path}{'?' if query else ''}{query}"
