from pathlib import Path

import pytest

from backbone.formats.lines import line_of
from backbone.model.files import Template


@pytest.mark.parametrize(
    ("text", "record", "line"),
    [
        ("a,b\n1,x\n2,y\n", 2, 3),
        ('a,b\n1,"p\nq"\n2,y\n', 2, 4),
        ('a,b\n1,x\n\n2,y\n\n\n3,"p\nq"\n4,z\n', 3, 7),
        ('a,b\n1,x\n\n2,y\n\n\n3,"p\nq"\n4,z\n', 4, 9),
        ("a\n1\n\n3\n", 3, 4),
        ("a,b\n1,x\n", 7, None),
    ],
)
def test_a_record_begins_on_its_line(tmp_path: Path, text: str, record: int, line: int | None) -> None:
    (tmp_path / "a.csv").write_text(text)

    assert line_of(tmp_path / "a.csv", Template(), record) == line
