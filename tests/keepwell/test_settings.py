from __future__ import annotations

from pathlib import Path

import pytest

from keepwell.errors import ConfigError
from keepwell.settings import Settings, described_settings


def test_an_unknown_setting_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="unknown setting KEEPWELL_HOOME"):
        Settings.from_environment({"KEEPWELL_HOOME": "x"})


def test_other_programs_variables_are_ignored() -> None:
    assert Settings.from_environment({"PATH": "/bin"}) == Settings()


def test_a_child_process_reads_back_what_its_parent_wrote() -> None:
    settings = Settings(home="/srv/kw", company="shop", horizon="90d")
    assert Settings.from_environment(settings.to_environment()) == settings


def test_state_lies_below_home_unless_said_otherwise(tmp_path: Path) -> None:
    settings = Settings(home=str(tmp_path))
    assert settings.resolved_store_url == f"sqlite:///{tmp_path / 'store.db'}"
    assert settings.resolved_tracking_uri == f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert Settings(store_url="postgresql://db/kw").resolved_store_url == "postgresql://db/kw"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="cannot assign"):
        Settings().home = "elsewhere"  # type: ignore[misc]


def test_every_setting_says_what_it_means() -> None:
    assert all(meaning.endswith(".") for _, _, meaning in described_settings())


def test_jobs_are_run_where_they_are_taken_unless_that_is_elsewhere() -> None:
    assert Settings(jobs_root="/data").runs_jobs
    assert not Settings().runs_jobs
    assert not Settings(jobs_root="/data", jobs_elsewhere="true").runs_jobs
    with pytest.raises(ConfigError, match="KEEPWELL_JOBS_ELSEWHERE is 'yes'"):
        _ = Settings(jobs_elsewhere="yes").runs_jobs
