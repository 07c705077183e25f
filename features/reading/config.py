"""`company.yaml`: where each table is, and which of the user's names mean what. Unknown keys are refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from features.campaign import Campaign
from features.reading.config_values import Divisor, Encoding, NumberExample, Translation, Word, Words, Zone
from features.tables import ATTRIBUTION_DAYS, INPUTS, Kind, Table
from keepwell.errors import ConfigError

FILE_NAME = "company.yaml"
KEY_PATTERN = r"[a-z0-9][a-z0-9_-]{0,62}"


class TableConfig(BaseModel):
    """Where one table is: a `file` (or folder of files), or a `url` and a `query`, or a `source`; else the usual file name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str | None = Field(default=None, description="file or folder, relative to company.yaml")
    url: str | None = Field(default=None, description="SQLAlchemy URL of a database; it is only read")
    query: str | None = Field(default=None, description="one SELECT; :names are taken from parameters")
    source: str | None = Field(default=None, description="a source of your own, as own_json_lines (docs/extending.md)")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="values for the :names of the query, or for a source of your own"
    )
    columns: dict[str, str] = Field(default_factory=dict, description="our column name: yours")
    separator: str | None = Field(default=None, pattern=r"^[\t !#-~]$", description="what separates the columns of a CSV file")
    encoding: Encoding = Field(
        default="utf-8", description="how a CSV file is encoded, as windows-1252 or utf-16; default: UTF-8"
    )
    time_format: str | dict[str, str] | None = Field(
        default=None,
        description="how times are written, as %d/%m/%Y %H:%M or seconds (since 1970), of all columns or each; default: ISO 8601",
    )
    zone: Zone | None = Field(
        default=None, description="zone that naive times of this table are written in, if not the company's"
    )
    numbers: NumberExample | None = Field(default=None, description="how this table writes 1234.56")
    divide_by: dict[str, Divisor] = Field(
        default_factory=dict, description="our column name: what its numbers are divided by, as 100 for cents"
    )
    values: dict[str, Translation] = Field(default_factory=dict, description="our column name: {your word: ours}; null = missing")
    constants: dict[str, Word] = Field(default_factory=dict, description="our column name: its value in every row")
    negative_where: dict[str, Words] = Field(
        default_factory=dict, description="your column name: its words for refunds, whose amounts are then negative"
    )
    skip_rows_without: tuple[str, ...] = Field(
        default=(), description="our columns: rows in which one of them is empty are left out, and counted"
    )

    @model_validator(mode="after")
    def _one_source(self) -> TableConfig:
        if self.file and (self.url or self.query):
            raise ValueError("has both a file and a database query: give one")
        if self.source and (self.file or self.url or self.query):
            raise ValueError("has a source of its own and a file or a database query: give one")
        if bool(self.url) != bool(self.query):
            raise ValueError("needs url and query together")
        return self


class CompanyConfig(BaseModel):
    """All of `company.yaml`; every key is optional."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    company: str | None = Field(default=None, description="the company's key: its models and scores are filed under it")
    zone: Zone = Field(default="UTC", description="IANA time zone that days and naive times belong to")
    currency: str | None = Field(default=None, description="ISO 4217 code of all amounts, for display")
    attribution_days: int = Field(
        default=ATTRIBUTION_DAYS,
        ge=1,
        le=365,
        description="days after a contact when its outcome is known, if it has no known_at",
    )
    campaign: Campaign = Field(
        default_factory=Campaign, description="the retention campaign by which figures of profit count, in your currency"
    )
    static: tuple[str, ...] = Field(
        default=(), description="columns of customers that never change, and so may be used at any date"
    )
    leave_out: tuple[str, ...] = Field(
        default=(), description="columns taken as not there: of customers, or of another table, as complaints.category"
    )
    leave_out_customers: str | None = Field(
        default=None, min_length=1, description="file with customer_id, relative to company.yaml: customers taken as not there"
    )
    features: tuple[str, ...] = Field(
        default=(), description="modules with features of your own: importable names, as my_shop.features"
    )
    tables: dict[str, TableConfig] = Field(default_factory=dict, description="one entry for each table that needs one")

    @field_validator("company")
    @classmethod
    def _plain_key(cls, key: str | None) -> str | None:
        if key is not None and not re.fullmatch(KEY_PATTERN, key):
            raise ValueError(f"{key!r} must be lower-case letters, digits, - and _, at most 63, and begin with a letter or digit")
        return key

    @field_validator("currency")
    @classmethod
    def _three_letters(cls, currency: str | None) -> str | None:
        if currency is not None and not re.fullmatch(r"[A-Z]{3}", currency):
            raise ValueError(f"{currency!r} is no ISO 4217 code, as EUR")
        return currency

    @model_validator(mode="after")
    def _used_or_left_out(self) -> CompanyConfig:
        if both := sorted(set(self.static) & set(self.leave_out)):
            raise ValueError(f"{both[0]!r} is under static and under leave_out: give one")
        return self

    @field_validator("tables")
    @classmethod
    def _known_tables(cls, tables: dict[str, TableConfig]) -> dict[str, TableConfig]:
        for name, table in tables.items():
            if name not in INPUTS:
                raise ValueError(f"{name!r} is no table; there are {', '.join(INPUTS)}")
            _refuse_misplaced(INPUTS[name], table)
        return tables


def _refuse_misplaced(table: Table, settings: TableConfig) -> None:
    """Raise ValueError for a key that speaks of a column that `table` has not, or that has another kind."""
    attributes = settings.values if table.name == "customers" else ()  # they have values too
    formats = settings.time_format if isinstance(settings.time_format, dict) else ()
    by_column = (settings.columns, settings.divide_by, settings.values, settings.constants, settings.skip_rows_without, formats)
    for name in sorted({name for names in by_column for name in names} - {*table.names, *attributes}):
        raise ValueError(f"{name!r} is no column of {table.name}; there are {', '.join(table.names)}")
    for name in sorted(settings.divide_by):
        if table.column(name).kind not in (Kind.MONEY, Kind.NUMBER):
            raise ValueError(f"{name!r} holds {table.column(name).kind}, and can be divided by nothing")
    for name in sorted(set(settings.constants) & set(settings.columns)):
        raise ValueError(f"{name!r} is under columns and under constants: give one")
    if settings.negative_where and table.name != "transactions":
        raise ValueError(f"negative_where tells refunds among transactions, and {table.name} has none")


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
    model: type[BaseModel] = CompanyConfig
    if len(fault["loc"]) > 1:
        model = Campaign if fault["loc"][0] == "campaign" else TableConfig
    return f"known keys here are {', '.join(model.model_fields)}"


def _one_line(error: Exception) -> str:
    """What is wrong and where; not the line itself, as it may hold a password."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{error.problem} (line {error.problem_mark.line + 1}, column {error.problem_mark.column + 1})"
    return " ".join(str(error).split())
