from __future__ import annotations

import errno
from pathlib import Path

import pytest

from keepwell.files import written_whole


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "scores.csv"
    place.write_text("old")

    def fail_half_way() -> None:
        with written_whole(place) as temporary:
            temporary.write_text("ne")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        fail_half_way()
    assert place.read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_what_the_system_refuses_is_told_alike_whichever_library_was_refused(tmp_path: Path) -> None:
    place = tmp_path / "scores.parquet"
    with pytest.raises(OSError, match=r"No space left on device: .*scores\.parquet'$") as refused, written_whole(place):
        raise RuntimeError("parquet: underlying IO error: No space left on device (os error 28)")
    assert refused.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc, where no file can be made")
def test_a_place_that_takes_no_file_is_told_by_its_own_name() -> None:
    with pytest.raises(OSError, match=r": '/proc/scores\.csv'$"), written_whole(Path("/proc/scores.csv")):
        pass


def test_the_temporary_file_keeps_the_suffix_that_writers_look_at(tmp_path: Path) -> None:
    with written_whole(tmp_path / "new" / "scores.parquet") as temporary:
        assert temporary.suffix == ".parquet"
        temporary.write_text("whole")
    assert (tmp_path / "new" / "scores.parquet").read_text() == "whole"


def test_a_finished_file_is_readable_as_any_other(tmp_path: Path) -> None:
    with written_whole(tmp_path / "ours") as temporary:
        temporary.write_text("x")
    (tmp_path / "usual").write_text("x")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode
