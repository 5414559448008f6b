"""XML, HTML, GeoJSON and fixed-width text."""

from pathlib import Path

import pytest

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats.peek import Wanted, peek_file
from backbone.formats.reading import read_records
from backbone.model.files import Template

Rows = list[tuple[object, ...]]


def look(
    tmp_path: Path, name: str, text: str | bytes, template: Template | None = None, part: str | None = None
) -> tuple[Template, tuple[str, ...], Rows]:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with DuckDBEngine().session() as session:
        peeked = peek_file(path, session, scratch=tmp_path / "scratch", template=template, wanted=Wanted(part))
        records = read_records(path, peeked.template, session, scratch=tmp_path / "scratch")
        rows = session.rows(f"SELECT * FROM {records.table} ORDER BY _record")
        return peeked.template, records.headers, rows


ORDERS = """<?xml version="1.0"?>
<o:shop xmlns:o="urn:x"><name>S</name><orders>
  <order id="1"><who><name>Zoë &amp; co</name></who><tag>a</tag><tag>b</tag><!-- c -->
    <paid cur="EUR">1.50</paid></order>
  <order id="2"><who><name>Li</name></who></order>
</orders></o:shop>"""


def test_a_repeated_element_is_a_record(tmp_path: Path) -> None:
    template, headers, rows = look(tmp_path, "f.xml", ORDERS)

    assert template.records == "shop/orders/order"
    assert headers == ("id", "who__name", "tag", "paid__cur", "paid")
    assert rows == [(1, "1", "Zoë & co", '["a", "b"]', "EUR", "1.50"), (2, "2", "Li", None, None, None)]


def test_another_element_can_be_asked_for(tmp_path: Path) -> None:
    template = Template(format="xml", records="shop/orders/order/who")

    assert look(tmp_path, "f.xml", ORDERS, template)[1:] == (("name",), [(1, "Zoë & co"), (2, "Li")])
    with pytest.raises(UsageError, match="no element shop/order with anything in it"):
        look(tmp_path, "f.xml", ORDERS, Template(format="xml", records="shop/order"))


def test_entities_and_outside_references_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden")
    entity = f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{tmp_path}/secret">]>'

    with pytest.raises(UsageError, match="entities of its own"):
        look(tmp_path, "f.xml", f"<?xml version='1.0'?>{entity}<a><b>&x;</b><b>1</b></a>")


@pytest.mark.parametrize("text", ["<?xml version='1.0'?><a><b>1</b><b>", "<?xml version='1.0'?><a><b></a>"])
def test_broken_xml_says_where(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"no well-formed XML: .*line 1"):
        look(tmp_path, "f.xml", text)


PAGE = """<html><body><table><tr><td>menu</td></tr></table><table>
<tr><th rowspan=2>Name</th><th colspan=2>Scores</th></tr><tr><th>first</th><th>second</th></tr>
<tr><td>Zoë<script>x</script></td><td>1</td><td>2<br>3</td></tr><tr><td>Li</td><td>4</td><td>5</td></tr>
<tr><td>Bo</td><td>6</td><td>7</td></tr></table></body></html>"""


def test_the_largest_table_of_a_page_is_read_with_its_spans(tmp_path: Path) -> None:
    template, headers, rows = look(tmp_path, "f.html", PAGE)

    assert (template.table, template.header_rows) == ("2", 2)
    assert headers == ("Name", "Scores first", "Scores second")
    assert rows == [(1, "Zoë", "1", "2 3"), (2, "Li", "4", "5"), (3, "Bo", "6", "7")]


def test_pages_without_such_a_table_say_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="numbered from 1 to 2"):
        look(tmp_path, "f.html", PAGE, part="3")
    with pytest.raises(UsageError, match="has no table"):
        look(tmp_path, "f.html", "<html><p>x</p></html>")


def test_features_are_records_with_their_geometry(tmp_path: Path) -> None:
    text = """{"type": "FeatureCollection", "features": [
      {"type": "Feature", "id": 7, "properties": {"n": 1.10, "l": [1], "ok": true, "t": "Zoë"},
       "geometry": {"type": "Point", "coordinates": [1.5, -2]}},
      {"type": "Feature", "properties": {"n": null}, "geometry": {"type": "Polygon",
       "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}},
      {"type": "Feature", "properties": null, "geometry": null}]}"""

    _, headers, rows = look(tmp_path, "f.json", text)

    assert headers == ("id", "n", "l", "ok", "t", "geometry")
    assert rows == [
        (1, "7", "1.10", "[1]", "true", "Zoë", "POINT (1.5 -2)"),
        (2, None, None, None, None, None, "POLYGON ((0 0, 1 0, 1 1, 0 0))"),
        (3, None, None, None, None, None, None),
    ]
    with pytest.raises(UsageError, match="ends within a feature"):
        look(tmp_path, "g.json", text[:200])


def test_columns_of_fixed_widths(tmp_path: Path) -> None:
    text = "name      city   n\nZoë A     Paris  1\nMaria     Rome  22\n"

    template, headers, rows = look(tmp_path, "f.txt", text)

    assert template.widths == (10, 6, 2)
    assert headers == ("name", "city", "n")
    assert rows == [(1, "Zoë A", "Paris", "1"), (2, "Maria", "Rome", "22")]


def test_widths_are_said_where_columns_touch(tmp_path: Path) -> None:
    template = Template(format="fixed_width", widths=(3, 2, 4), header_rows=0)

    assert look(tmp_path, "f.txt", b"abc12wxyz and more\n\nd  3 v\n\xff  4 w\n", template)[2] == [
        (1, "abc", "12", "wxyz and more"),
        (2, "d", "3", "v"),
    ]
