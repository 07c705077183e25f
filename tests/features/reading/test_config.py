from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.reading.config import CompanyConfig, read_config
from keepwell.errors import ConfigError


def config(folder: Path, text: str) -> CompanyConfig:
    path = folder / "company.yaml"
    path.write_bytes(text.encode())
    return read_config(path)


def test_an_empty_file_gives_the_defaults(tmp_path) -> None:
    assert config(tmp_path, "") == CompanyConfig()
    assert (CompanyConfig().zone, CompanyConfig().attribution_days) == ("UTC", 30)


def test_every_key_is_read(tmp_path) -> None:
    read = config(
        tmp_path,
        "company: shop\nzone: Europe/Berlin\ncurrency: EUR\nattribution_days: 14\nstatic: [city]\n"
        "tables:\n  transactions:\n    file: sales.csv\n    separator: ';'\n    time_format: '%d.%m.%Y'\n"
        "    columns: {amount: Betrag}\n"
        "  complaints:\n    url: sqlite:///crm.db\n    query: select * from c where kind = :kind\n    parameters: {kind: 1}",
    )
    assert (read.company, read.zone, read.currency, read.static) == ("shop", "Europe/Berlin", "EUR", ("city",))
    assert read.attribution_days == 14
    assert read.tables["transactions"].columns == {"amount": "Betrag"}
    assert read.tables["complaints"].parameters == {"kind": 1}


def test_a_campaign_of_ones_own_keeps_what_it_does_not_say(tmp_path) -> None:
    read = config(tmp_path, "campaign: {customer_value: 60, incentive: 5}").campaign
    assert (read.customer_value, read.incentive, read.contact, read.alpha, read.beta) == (60, 5, 1, 6, 14)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("compnay: x", "unknown key 'compnay'"),
        ("tables: {transactions: {fiel: x}}", "unknown key 'tables.transactions.fiel'"),
        ("tables: {orders: {file: x}}", "'orders' is no table"),
        ("tables: {transactions: {columns: {amonut: x}}}", "'amonut' is no column of transactions"),
        ("tables: {transactions: {query: select 1}}", "needs url and query together"),
        ("tables: {transactions: {file: x, url: y, query: z}}", "has both a file and a database query"),
        ("tables: {transactions: {separator: ab}}", "separator"),
        ("zone: Mars/Olympus", "'Mars/Olympus' is no IANA time zone"),
        ("company: My Shop", "'My Shop' must be lower-case"),
        ("currency: euro", "'euro' is no ISO 4217 code"),
        ("static: 5", "static"),
        ("attribution_days: 0", "attribution_days: .* greater than or equal to 1"),
        ("attribution_days: 366", "attribution_days: .* less than or equal to 365"),
        ("attribution_days: soon", "attribution_days"),
        ("campaign: {customer: 90}", "unknown key 'campaign.customer'"),
        ("campaign: {customer_value: 9}", "campaign: an incentive of what the customer is worth, or more, can never pay"),
        ("campaign: {contact: -1}", "campaign.contact: .* greater than or equal to 0"),
        ("[1, 2]", "must hold keys and values"),
        ("a: [", "is no readable YAML"),
        ("\x00", "is no readable YAML"),
    ],
)
def test_what_is_wrong_is_named_with_a_way_out(tmp_path, text, fault) -> None:
    with pytest.raises(ConfigError, match=fault) as refused:
        config(tmp_path, text)
    assert refused.value.hint


def test_a_line_that_is_no_yaml_is_told_by_its_place_and_not_by_what_may_be_a_password(tmp_path) -> None:
    with pytest.raises(ConfigError, match=r"mapping values are not allowed here \(line 2, column \d+\)") as refused:
        config(tmp_path, "company: shop\nurl: postgresql://me:secret@host/x: y")
    assert "secret" not in str(refused.value)


def test_an_unknown_key_is_answered_with_the_known_ones(tmp_path) -> None:
    with pytest.raises(ConfigError, match="unknown key") as refused:
        config(tmp_path, "tables: {transactions: {fiel: x}}")
    assert "file, url, query" in refused.value.hint


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text(alphabet=":{}[]-&*!|>'\"% \n\tabz1.", max_size=40))
def test_any_text_is_a_configuration_or_refused(tmp_path, text) -> None:
    with suppress(ConfigError):
        assert isinstance(config(tmp_path, text), CompanyConfig)
