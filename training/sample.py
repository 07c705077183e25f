"""What a training on a sample of customers says of itself."""

from __future__ import annotations

from features.company import Company


def sample_setting(company: Company) -> dict[str, str]:
    """The sample among the settings of a training; empty where it has read everybody."""
    return {"sample": str(company.sampled)} if company.sampled else {}
