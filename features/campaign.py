"""The retention campaign by which money is counted: what a contact costs, what an offer costs, what a kept customer is worth."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Campaign(BaseModel):
    """Amounts in the company's currency, and the Beta(alpha, beta) of the share of leavers who take the offer and stay.

    The defaults are those of Verbraken, Verbeke and Baesens (2013), so that figures compare with what others publish.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer_value: float = Field(default=200.0, gt=0, allow_inf_nan=False, description="what the mean customer kept is worth")
    incentive: float = Field(default=10.0, ge=0, allow_inf_nan=False, description="what an offer costs, once it is taken")
    contact: float = Field(default=1.0, ge=0, allow_inf_nan=False, description="what it costs to contact a customer")
    alpha: float = Field(
        default=6.0, gt=0, allow_inf_nan=False, description="of the Beta(alpha, beta) of leavers who take the offer"
    )
    beta: float = Field(default=14.0, gt=0, allow_inf_nan=False, description="alpha / (alpha + beta) of them do, on average")

    @model_validator(mode="after")
    def _may_pay(self) -> Campaign:
        if self.incentive >= self.customer_value:
            raise ValueError("an incentive of what the customer is worth, or more, can never pay")
        return self

    @property
    def acceptance(self) -> float:
        """The mean share of leavers who take the offer and stay."""
        return self.alpha / (self.alpha + self.beta)

    @property
    def told(self) -> str:
        """All of it in one line: what two figures must have in common to be compared.

        >>> Campaign(customer_value=60, incentive=5).told
        'a customer is worth 60, an offer costs 5, a contact 1, Beta(6, 14) of leavers take the offer'
        """
        worth = f"a customer is worth {self.customer_value:g}, an offer costs {self.incentive:g}, a contact {self.contact:g}"
        return f"{worth}, Beta({self.alpha:g}, {self.beta:g}) of leavers take the offer"


DEFAULT_CAMPAIGN = Campaign()
