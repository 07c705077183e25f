"""`company.yaml`: where each table is, and which of the user's names mean what. Unknown keys are refused."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Any

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.tables import ATTRIBUTION_DAYS, TABLES
from keepwell.errors import ConfigError

FILE_NAME = "company.yaml"
KEY_PATTERN = r"[a-z0-9][a-z0-9_-]{0,62}"


class TableConfig(BaseModel):
    """Where one table is: a `file` (or folder of files), or a `url` and a `query`; without either, the usual file name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str | None = Field(default=None, description="file or folder, relative to company.yaml")
    url: str | None = Field(default=None, description="SQLAlchemy URL of a database; it is only read")
    query: str | None = Field(default=None, description="one SELECT; :names are taken from parameters")
    parameters: dict[str, Any] = Field(default_factory=dict, description="values for the :names of the query")
    columns: dict[str, str] = Field(default_factory=dict, description="our column name: yours")
    time_format: str | None = Field(default=None, description="how times are written, as %d/%m/%Y %H:%M; default: ISO 8601")
    separator: str | None = Field(default=None, pattern=r"^[\t !#-~]$", description="what separates the columns of a CSV file")
    encoding: str = Field(default="utf-8", description="how a CSV file is encoded, as windows-1252 or utf-16; default: utf-8")

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, encoding: str) -> str:
        try:
            return codecs.lookup(encoding).name
        except (LookupError, ValueError) as error:
            raise ValueError(f"{encoding!r} is no encoding, as utf-8, windows-1252 or utf-16") from error

    @model_validator(mode="after")
    def _one_source(self) -> TableConfig:
        if self.file and (self.url or self.query):
            raise ValueError("has both a file and a database query: give one")
        if bool(self.url) != bool(self.query):
            raise ValueError("needs url and query together")
        return self


class CompanyConfig(BaseModel):
    """All of `company.yaml`; every key is optional."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    company: str | None = Field(default=None, description="the company's key: its models and scores are filed under it")
    zone: str = Field(default="UTC", description="IANA time zone that days and naive times belong to")
    currency: str | None = Field(default=None, description="ISO 4217 code of all amounts, for display")
    attribution_days: int = Field(
        default=ATTRIBUTION_DAYS,
        ge=1,
        le=365,
        description="days after a contact when its outcome is known, if it has no known_at",
    )
    static: tuple[str, ...] = Field(default=(), description="attributes that never change, and so may be used at any date")
    tables: dict[str, TableConfig] = Field(default_factory=dict, description="one entry for each table that needs one")

    @field_validator("company")
    @classmethod
    def _plain_key(cls, key: str | None) -> str | None:
        if key is not None and not re.fullmatch(KEY_PATTERN, key):
            raise ValueError(f"{key!r} must be lower-case letters, digits, - and _, at most 63, and begin with a letter or digit")
        return key

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            pl.Series([0]).cast(pl.Datetime("us")).dt.replace_time_zone(zone)
        except (pl.exceptions.PolarsError, ValueError) as error:
            raise ValueError(f"{zone!r} is no IANA time zone, as Europe/Berlin or UTC") from error
        return zone

    @field_validator("currency")
    @classmethod
    def _three_letters(cls, currency: str | None) -> str | None:
        if currency is not None and not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValueError(f"{currency!r} is no ISO 4217 code, as EUR")
        return currency

    @field_validator("tables")
    @classmethod
    def _known_tables(cls, tables: dict[str, TableConfig]) -> dict[str, TableConfig]:
        for name, table in tables.items():
            if name not in TABLES:
                raise ValueError(f"{name!r} is no table; there are {', '.join(TABLES)}")
            unknown = sorted(set(table.columns) - set(TABLES[name].names))
            if unknown:
                raise ValueError(f"{unknown[0]!r} is no column of {name}; there are {', '.join(TABLES[name].names)}")
        return tables


def read_config(path: Path) -> CompanyConfig:
    """The checked content of a `company.yaml`; ConfigError names the key that is wrong and the way out."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"{path} is no readable YAML: {_one_line(error)}", hint="correct it; docs/data.md has an example"
        ) from error
    if content is None:
        content = {}
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold keys and values", hint="docs/data.md has an example")
    try:
        return CompanyConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_first_fault(error)}", hint=_way_out(error)) from error


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"unknown key {place!r}"
    return f"{place}: {fault['msg'].removeprefix('Value error, ')}" if place else fault["msg"]


def _way_out(error: ValidationError) -> str:
    fault = error.errors(include_url=False)[0]
    if fault["type"] != "extra_forbidden":
        return "correct it; docs/data.md lists every key"
    model = CompanyConfig if len(fault["loc"]) == 1 else TableConfig
    return f"known keys here are {', '.join(model.model_fields)}"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
