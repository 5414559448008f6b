"""Nested JSON as relations: what goes where, and that nothing of a document is lost on the way."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.engine.duckdb.engine import DuckDBEngine
from backbone.errors import UsageError
from backbone.formats.json_relations import found_children
from backbone.formats.peek import Wanted, peek_file
from backbone.formats.reading import read_records, scan_records
from backbone.model.files import Inside, Template

JSON, LINES = Template(format="json"), Template(format="ndjson")
ITEMS = (Inside("items", (Inside("parts"),)),)


@pytest.fixture(scope="module")
def engine():
    engine = DuckDBEngine()
    yield engine
    engine.close()


def relation(folder: Path, data: str, template: Template, name: str = "f.json"):
    """The rows of one relation, as objects without what is missing, and what is unreadable."""
    path = folder / name
    path.write_bytes(data.encode("utf-8", "surrogateescape"))
    with DuckDBEngine().session() as session:
        records = read_records(path, template, session, scratch=folder / "scratch")
        rows = session.rows(f"SELECT * FROM {records.table} ORDER BY _record")
        bad = session.rows(f"SELECT record, raw, reason FROM {records.unreadable_table} ORDER BY record")
        assert (len(rows), len(bad)) == (records.records, records.unreadable)
        records.drop(session)
    names = ("_record", *records.headers)
    return [{n: v for n, v in zip(names, row, strict=True) if v is not None} for row in rows], bad


def test_objects_become_columns_and_numbers_keep_their_text(tmp_path):
    data = '[{"id": 1, "at": {"city": "Bern", "geo": {"lat": 46.90, "n": 12345678901234567890123}}}, {"id": 1e5}]'

    rows, bad = relation(tmp_path, data, JSON)

    assert rows == [
        {"_record": 1, "id": "1", "at__city": "Bern", "at__geo__lat": "46.90", "at__geo__n": "12345678901234567890123"},
        {"_record": 2, "id": "1e5"},
    ]
    assert bad == []


def test_items_know_their_parent_and_their_place(tmp_path):
    data = '[{"id": 1, "items": [{"s": "x", "parts": [[1, 2], 3]}, "odd"]}, {"items": []}, {"items": {"s": "one"}}]'
    template = Template(format="json", children=ITEMS)

    records, _ = relation(tmp_path, data, template)
    items, _ = relation(tmp_path, data, Template(format="json", children=ITEMS, inside=("items",)))
    parts, _ = relation(tmp_path, data, Template(format="json", children=ITEMS, inside=("items", "parts")))

    assert records == [{"_record": 1, "id": "1"}, {"_record": 2}, {"_record": 3}]
    assert items == [
        {"_record": 1, "..": "1", "..#": "1", "s": "x"},
        {"_record": 2, "..": "1", "..#": "2", "value": "odd"},
        {"_record": 3, "..": "3", "..#": "1", "s": "one"},
    ]
    assert parts == [
        {"_record": 1, "..": "1", "..#": "1", "value": "[1,2]"},
        {"_record": 2, "..": "1", "..#": "2", "value": "3"},
    ]


def test_a_list_that_is_no_relation_stays_json(tmp_path):
    rows, _ = relation(tmp_path, '[{"id": 1, "items": [{"price": 0.10}, [null]]}]', JSON)

    assert rows == [{"_record": 1, "id": "1", "items": '[{"price": 0.10}, [null]]'}]


@pytest.mark.parametrize(
    ("records", "data", "expected"),
    [
        ("data", '{"n": 2, "data": [{"a": 1}, {"a": 2}], "more": {"data": 1}}', [("1", None), ("2", None)]),
        ("r/docs", '{"r": {"docs": {"a": 1}}}', [("1", None)]),
        ("*", '{"x": {"a": 1}, "y": {"a": 2}}', [("1", "x"), ("2", "y")]),
        ("*", '{"x": [{"a": 1}, {"a": 2}], "y": []}', [("1", "x"), ("2", "x")]),
        ("d/*", '[{"d": {"x": {"a": 1}}}, {"d": {"y": {"a": 2}}}, {"e": 1}, 3]', [("1", "x"), ("2", "y")]),
        ("none", '{"n": 2}', []),
    ],
)
def test_records_are_where_the_template_says(tmp_path, records, data, expected):
    rows, bad = relation(tmp_path, data, Template(format="json", records=records))

    assert [(row.get("a"), row.get("key")) for row in rows] == expected
    assert bad == []


def test_what_is_broken_is_set_aside_with_its_text_and_number(tmp_path):
    data = '{"a": {"b": 1}}\n{"a": \n\n[1]\n{"a": {"b": 2, "b": 3}}\n{"a": {"b": "\\ud800"}}\n{"a": {"b": 4}}\n'

    rows, bad = relation(tmp_path, data, LINES, "f.ndjson")

    assert rows == [{"_record": 1, "a__b": "1"}, {"_record": 7, "a__b": "4"}]
    assert [(record, raw) for record, raw, _ in bad] == [
        (2, '{"a":'),
        (4, "[1]"),
        (5, '{"a__b": "2", "a__b": "3"}'),
        (6, '{"a__b": "\\ud800"}'),
    ]


@pytest.mark.parametrize("cut", [10, 300_000, -2])
def test_a_document_that_is_cut_off_says_so(tmp_path, cut):
    data = json.dumps([{"id": i, "at": {"text": "x" * 50}} for i in range(10_000)])[:cut]

    with pytest.raises(UsageError, match=r"f\.json can't be read as json"):
        relation(tmp_path, data, Template(format="json", children=ITEMS))


def test_what_is_nested_too_deep_is_refused_or_stays_json(tmp_path):
    deep = '{"a": ' * 50 + "1" + "}" * 50

    rows, _ = relation(tmp_path, f"[{deep}]", JSON)

    ((_, (header, text)),) = [tuple(row.items()) for row in rows]
    assert header == "__".join("a" * 32)
    assert text == '{"a": ' * 18 + "1" + "}" * 18
    with pytest.raises(UsageError, match="nested too deep"):
        relation(tmp_path, "[" * 100_000, Template(format="json", children=ITEMS))


def test_records_longer_than_what_is_read_at_once_are_whole(tmp_path):
    data = json.dumps([{"at": {"n": 12345, "text": "é" * 700_000}}, {"at": {"n": -1.50}}, 7])

    rows, bad = relation(tmp_path, data, Template(format="json", children=ITEMS))

    assert [(row["at__n"], len(row.get("at__text", ""))) for row in rows] == [("12345", 700_000), ("-1.5", 0)]
    assert bad == [(3, "7", "no object")]


@pytest.mark.parametrize(
    ("data", "records"),
    [
        ({"meta": {"n": 2}, "data": [{"a": 1}, {"a": 2}]}, "data"),
        ({"data": [{"a": 1}]}, "data"),
        ({"response": {"docs": [{"n": 1}, {"n": 2}]}}, "response/docs"),
        ({"users": [{"n": 1}, {"n": 2}], "orders": [{"o": 1}, {"o": 2}, {"o": 3}]}, "orders"),
        ({k: {"name": k, "age": 1} for k in ("u1", "u2", "u3")}, "*"),
        ({k: [{"n": 1}, {"n": 2}] for k in ("2020", "2021", "2022")}, "*"),
        ({"id": 1, "items": [{"s": 1}, {"s": 2}]}, None),
        ({"name": "x", "server": {"host": "h", "port": 1}, "client": {"name": "c"}}, None),
        ({"name": "x", "tags": ["a", "b"]}, None),
        ([{"n": 1, "data": [{"a": 1}, {"a": 2}]}], None),
    ],
)
@pytest.mark.parametrize("indent", [None, 1])
def test_records_are_found_where_they_are(tmp_path, data, records, indent):
    path = tmp_path / "f.json"
    path.write_text(json.dumps(data, indent=indent))

    with DuckDBEngine().session() as session:
        found = peek_file(path, session, scratch=tmp_path / "scratch")

    assert found.template.records == records


def test_another_place_may_be_wanted(tmp_path):
    path = tmp_path / "f.json"
    path.write_text('{"users": [{"n": 1}], "orders": [{"o": 1}, {"o": 2}]}')

    with DuckDBEngine().session() as session:
        found = peek_file(path, session, scratch=tmp_path / "scratch", wanted=Wanted(part="users"))
        with pytest.raises(
            UsageError, match=r"no records under 'user'.*Did you mean 'users'.*Places are: users, orders"
        ):
            peek_file(path, session, scratch=tmp_path / "scratch", wanted=Wanted(part="user"))

    assert [c.name for c in found.columns] == ["n"]


def test_flat_files_are_read_as_they_are_written(tmp_path):
    path = tmp_path / "f.json"
    path.write_text('[{"a": 1, "t": [1]}, {"a": 2}]')

    with DuckDBEngine().session() as session:
        scan_records(path, JSON, session, scratch=tmp_path / "scratch")
        records = read_records(path, JSON, session, scratch=tmp_path / "scratch")
        records.drop(session)

    assert not records.nested
    assert not (tmp_path / "scratch").exists()


KEYS = st.sampled_from(["a", "b", "c", "Order Id", "é"])
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    NUMBERS,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="["), max_size=5),
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=12,
)
RECORDS = st.lists(st.dictionaries(KEYS, DOCUMENTS, max_size=4), min_size=1, max_size=5)


@settings(max_examples=30, deadline=None)
@given(records=RECORDS)
def test_documents_can_be_put_together_again_from_their_relations(engine, records):
    data = json.dumps(records)
    with TemporaryDirectory() as folder, engine.session() as session:
        path = Path(folder) / "f.json"
        path.write_text(data)
        # With a relation that isn't there, flat files go the same way: DuckDB's own reader writes 1e16 another way.
        tree = (*found_children(path, JSON), Inside("none"))

        def read(inside):
            template = Template(format="json", children=tree, inside=inside)
            found = read_records(path, template, session, scratch=Path(folder) / "scratch")
            rows = session.rows(f"SELECT * FROM {found.table} ORDER BY _record")
            assert found.unreadable == 0
            return [
                {h: v for h, v in zip(("_record", *found.headers), row, strict=True) if v is not None} for row in rows
            ]

        made = leaves_of_rows(read, tree, ())

    assert made == [sorted(leaves(record, (), lists_of(tree))) for record in records]


def leaves(value, path, lists, header=""):
    """The scalars of a document with their paths: a place in a list counts, and an object may be a list of one."""
    if header in lists and isinstance(value, dict):
        value = [value]
    if isinstance(value, dict):
        below = [(key, f"{header}__{key}" if header else key, one) for key, one in value.items()]
        return [leaf for key, name, one in below for leaf in leaves(one, (*path, key), lists, name)]
    if isinstance(value, list):
        inside = lists.get(header, {})
        items = [(one, "" if isinstance(one, dict) else "value") for one in value]
        found = [leaves(one, (*path, str(place)), inside, name) for place, (one, name) in enumerate(items, 1)]
        return [leaf for one in found for leaf in one]
    return [] if value is None else [(*path, text(value))]


def lists_of(children):
    return {one.header: lists_of(one.children) for one in children}


def text(value):
    return value if isinstance(value, str) else json.dumps(value)


def leaves_of_rows(read, children, inside):
    """For each row of a relation the scalars that were in its record, with those of the relations inside it."""
    rows = read(inside)
    below = {one.header: (read, one.children, (*inside, one.header)) for one in children}
    made = [
        [leaf for h, v in row.items() if h not in {"_record", "..", "..#"} for leaf in parsed(h, v)] for row in rows
    ]
    for header, where in below.items():
        items = zip(read(where[2]), leaves_of_rows(*where), strict=True)
        for row, found in items:
            made[int(row[".."]) - 1] += [(*path_of(header), row["..#"], *leaf) for leaf in found]
    return [sorted(one) for one in made]


def parsed(header, value):
    path = path_of(header)
    if isinstance(value, str) and value.startswith("["):  # a list beside scalars under the same key
        value = [one if one is None or isinstance(one, str) else json.dumps(one) for one in json.loads(value)]
    if isinstance(value, list):
        return [(*path, str(place), one) for place, one in enumerate(value, 1) if one is not None]
    return [(*path, value)]


def path_of(header):
    """The keys of a header; what is no object in a list has none."""
    return () if header == "value" else tuple(header.split("__"))
