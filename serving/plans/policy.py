"""Read the policy of decisions from a file: the only place that does."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import yaml

from decisions.policy import Policy
from keepwell.errors import ConfigError


def read_policy(path: Path | None = None) -> Policy:
    """The policy in the YAML file at `path`; the default policy (`decisions/policy.yaml`) for None.

    Raises ConfigError for a file that is missing or no YAML, an unknown or missing key, and a value out of its range.

    >>> read_policy().tiers.vip
    0.01
    """
    return Policy.from_mapping(_mapping(_text(path), path))


def _text(path: Path | None) -> str:
    if path is None:
        return (resources.files("decisions") / "policy.yaml").read_text(encoding="utf-8")
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the policy file {path} cannot be read: {error}", hint="name an existing YAML file") from None


def _mapping(text: str, path: Path | None) -> dict[str, object]:
    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"the policy file {path} is no YAML: {error}", hint="compare it with decisions/policy.yaml") from None
    if not isinstance(content, dict):
        raise ConfigError(f"the policy file {path} holds no keys", hint="copy decisions/policy.yaml and change what you like")
    return content
