import errno
import sqlite3
from pathlib import Path

import pytest

from backbone.errors import LakeError
from backbone.troubles import explained, trouble


def test_a_full_disk_is_told_with_the_place_its_room_and_what_to_do(tmp_path):
    error = OSError(errno.ENOSPC, "No space left on device", str(tmp_path / "a.parquet"))

    told = trouble(error, Path("/"))

    assert told.startswith(f"no space left for {tmp_path}/a.parquet: ")
    assert " are free there now. " in told
    assert "Make space, or name another folder as `storage: {data: FOLDER}` in backbone.yml; then run again" in told


def test_of_a_copy_the_target_is_named(tmp_path):
    error = OSError(errno.ENOSPC, "No space left on device", "/from/here", None, str(tmp_path / "to"))

    assert trouble(error, Path("/")).startswith(f"no space left for {tmp_path}/to: ")


def test_what_has_no_name_is_told_with_the_folder_in_which_it_happened(tmp_path):
    with pytest.raises(LakeError, match=f"no space left for {tmp_path}: "), explained(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_what_is_not_the_machines_passes(tmp_path):
    assert trouble(ValueError("x"), tmp_path) is None
    with pytest.raises(sqlite3.OperationalError, match="syntax"), explained(tmp_path):
        sqlite3.connect(":memory:").execute("nonsense")
