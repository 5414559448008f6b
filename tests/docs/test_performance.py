"""The numbers of docs/performance.md and docs/spark.md are those that were measured."""

from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.page import PAGE, PICTURE, SPARK_PAGE, filled, spark_tables, tables


@pytest.mark.parametrize(("page", "found"), [(PAGE, tables), (SPARK_PAGE, spark_tables)])
def test_the_tables_are_what_the_committed_records_say(page: Path, found: Callable[[], dict[str, str]]) -> None:
    text = page.read_text(encoding="utf-8")

    assert filled(text, found()) == text


def test_the_page_shows_the_picture_that_is_there() -> None:
    assert f"]({PICTURE.parent.name}/{PICTURE.name})" in PAGE.read_text(encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8").startswith("<?xml")
