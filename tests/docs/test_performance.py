"""The numbers of docs/performance.md are those that were measured."""

from benchmarks.page import PAGE, PICTURE, filled, tables


def test_the_tables_are_what_the_committed_records_say() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert filled(text, tables()) == text


def test_the_page_shows_the_picture_that_is_there() -> None:
    assert f"]({PICTURE.parent.name}/{PICTURE.name})" in PAGE.read_text(encoding="utf-8")
    assert PICTURE.read_text(encoding="utf-8").startswith("<?xml")
