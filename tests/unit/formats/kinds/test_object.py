import hashlib
import wave
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfWriter

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.formats.peek import peek_file
from backbone.formats.reading import read_records
from backbone.model.files import Template


def look(path: Path, template: Template | None = None) -> dict[str, object]:
    with DuckDBEngine().session() as session:
        template = peek_file(path, session, scratch=path.parent / "scratch", template=template).template
        records = read_records(path, template, session, scratch=path.parent / "scratch")
        ((number, *values),) = session.rows(f"SELECT * FROM {records.table}")
        assert number == 1
        assert template.format == "object"
        return dict(zip(records.headers, values, strict=True))


def test_an_image_with_its_date_and_place(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0132] = "2024:01:05 10:11:12"
    exif.get_ifd(0x8825).update({1: "N", 2: (41.0, 23.0, 24.0), 3: "W", 4: (2.0, 10.0, 12.0)})
    Image.new("RGB", (30, 20)).save(tmp_path / "f.jpg", exif=exif)

    found = look(tmp_path / "f.jpg")

    assert found["sha256"] == hashlib.sha256((tmp_path / "f.jpg").read_bytes()).hexdigest()
    assert (found["uri"], found["media_type"]) == ("f.jpg", "image/jpeg")
    assert (found["width"], found["height"], found["taken_at"]) == ("30", "20", "2024-01-05 10:11:12")
    assert (found["latitude"], found["longitude"]) == ("41.39", "-2.17")


def test_pages_and_duration(tmp_path: Path) -> None:
    pages = PdfWriter()
    pages.add_blank_page(100, 100)
    pages.add_blank_page(100, 100)
    pages.write(tmp_path / "f.pdf")
    with wave.open(str(tmp_path / "f.wav"), "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(2 * 8000 * 3 // 2))

    assert look(tmp_path / "f.pdf")["pages"] == "2"
    assert look(tmp_path / "f.wav")["duration"] == "1.5"


@pytest.mark.parametrize("data", [b"\x89PNG\r\n\x1a\n cut", b"%PDF-1.7 cut", b"ID3 cut"])
def test_of_damaged_objects_checksum_and_size_are_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "f").write_bytes(data)

    found = look(tmp_path / "f")

    assert found["size"] == str(len(data))
    assert (found["width"], found["pages"], found["duration"]) == (None, None, None)


def test_any_file_is_an_object_where_a_template_says_so(tmp_path: Path) -> None:
    (tmp_path / "f.txt").write_text("hello")

    assert look(tmp_path / "f.txt", Template(format="object"))["media_type"] == "text/plain"
