"""JSON files as records: an array of objects, objects one after the other, or one object per line.

Flat objects are read as they are written. What is nested, or has its records elsewhere, becomes lines of flat ones
first: see `json_relations`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import UsageError
from backbone.formats.delimited.reading import read_text
from backbone.formats.delimited.slices import NUMBER, Slice, numbered, waves
from backbone.formats.encoding import transcoded
from backbone.formats.json_relations import found_children, write_lines
from backbone.formats.records import Part, Records, Scan, attempt, counted, field_name, fresh_names
from backbone.model.files import Inside, Template
from backbone.model.names import literal, path_literal

_MAX_OBJECT_BYTES = 64 << 20
_NO_DELIMITER = "\x01"
_TWICE = "a key is there twice, and only one of its values could be kept"
_HAS_TWINS = "(len(json_keys(json)) > len(list_distinct(json_keys(json))))"
_KIND = "json_type(json_extract(json, {}))"
_HEAD_RECORDS = 1000
_LINED = "newline_delimited"
_LINES = Template(delimiter=_NO_DELIMITER, quotechar="", escapechar="", header_rows=0)


@dataclass(frozen=True, slots=True)
class JsonScan:
    """Implements `Scan`: flat objects, read as texts. One with an unknown key or a nested value isn't sound."""

    headers: tuple[str, ...]
    _file: Path
    _scratch: Path
    _form: str
    natives: tuple[str, ...] = ()
    lists: frozenset[int] = frozenset()
    ways: tuple[bool, ...] = (False,)

    def waves(
        self,
        session: Session,
        *,
        whole: bool,  # noqa: ARG002 - the protocol's
        nulls: tuple[str, ...] = (),  # noqa: ARG002 - the protocol's
    ) -> Iterator[tuple[Part, ...]]:
        """See `Scan`."""
        if self._form == _LINED:
            for wave in waves(self._file, _LINES, self._scratch, width=2):
                yield tuple(self._part(one.path, numbered(one), one) for one in wave)
        else:
            records = counted(session, f"({_objects(self._file, self._form)})")
            yield (self._part(self._file, NUMBER, Slice(self._file, 0, records)),)

    def _part(self, path: Path, number: str, one: Slice) -> Part:
        known = f"[{', '.join(literal(key) for key in self.headers)}]"
        pointers = f"[{', '.join(_pointer(key) for key in self.headers)}]"
        texts = f"json_extract_string(json, {pointers}) AS texts, json_keys(json) AS keys"
        fields = ", ".join(f"texts[{i + 1}] AS {field_name(i)}" for i in range(len(self.headers)))
        objects = f"SELECT {texts} FROM ({_objects(path, self._form)})"
        flat = " AND ".join(_is_flat(field_name(i)) for i in range(len(self.headers)))
        # Not `{}` either: what is no object has no keys, and tells so for much less than its type.
        usual = f"len(keys) > 0 AND list_has_all({known}, keys) AND len(list_distinct(keys)) = len(keys)"
        sound = f"(keys = {known} OR ({usual})) AND {flat}"
        return Part(f"SELECT keys, {fields} FROM ({objects})", number, one.before, one.records, sound)

    def unreadable(self, session: Session) -> int:  # noqa: ARG002 - the protocol's
        """See `Scan`."""
        return 0


class _NestedError(Exception):
    """There are nested objects, or lists of them."""


def scan_json(path: Path, template: Template, session: Session, scratch: Path) -> Scan | None:
    """An array of objects, or objects one after the other, to be read as it is written, or as lines of flat ones."""
    file = _utf8(path, template, scratch)
    return _scan(file, template, _form(file), session, scratch)


def scan_ndjson(path: Path, template: Template, session: Session, scratch: Path) -> Scan | None:
    """One object per line, to be read as it is written, or as lines of flat ones."""
    return _scan(_utf8(path, template, scratch), template, _LINED, session, scratch)


def _scan(file: Path, template: Template, form: str, session: Session, scratch: Path) -> Scan | None:
    if not _is_apart(template):
        scan, nested = _scanned(file, form, session, scratch)
        if not nested:
            return scan
    return _scanned(write_lines(file, template, scratch), _LINED, session, scratch)[0]


def _scanned(file: Path, form: str, session: Session, scratch: Path) -> tuple[Scan | None, bool]:
    """A file of flat objects, and whether the first of them aren't flat."""
    head = f"SELECT {NUMBER} AS _record, json FROM ({_objects(file, form)}) LIMIT {_HEAD_RECORDS}"
    keys, twice = _keys(session, head)
    try:
        _lists(session, head, keys)
    except _NestedError:
        return None, True
    return JsonScan(keys, file, scratch, form) if keys and not twice else None, False


def _is_apart(template: Template) -> bool:
    """Whether a file's records are not simply those that it holds one after the other."""
    return bool(template.records or template.children or template.inside)


def _form(file: Path) -> str:
    return "array" if _first_character(file) == "[" else "unstructured"


def _objects(file: Path, form: str) -> str:
    options = f"format = {literal(form)}, maximum_object_size = {_MAX_OBJECT_BYTES}"
    return f"SELECT json FROM read_json_objects({path_literal(file)}, {options})"


def _is_flat(text: str) -> str:
    """SQL: whether a text can't be a list or an object."""
    return f"coalesce({text} < '[' OR ({text} >= '\\' AND {text} < '{{') OR {text} >= '|', true)"


def read_json(path: Path, template: Template, session: Session, scratch: Path) -> Records:
    """Read an array of objects, or objects one after the other."""
    return _read(_utf8(path, template, scratch), template, session, scratch, _read_objects)


def read_ndjson(path: Path, template: Template, session: Session, scratch: Path) -> Records:
    """Read one object per line. The record's number is that of its line, blank lines included."""
    return _read(_utf8(path, template, scratch), template, session, scratch, _read_lines)


def children_of(path: Path, template: Template, scratch: Path) -> tuple[Inside, ...]:
    """The lists in a file's records that need relations of their own."""
    return found_children(_utf8(path, template, scratch), template)


def _read(
    file: Path, template: Template, session: Session, scratch: Path, read_flat: Callable[[Path, Session], Records]
) -> Records:
    if not _is_apart(template):
        try:
            return read_flat(file, session)
        except _NestedError:
            pass
    try:
        return replace(_read_lines(write_lines(file, template, scratch), session), nested=True)
    except _NestedError as error:  # what Python's parser takes for no JSON, DuckDB takes for nested
        msg = f"{file.name} has lines that are no JSON. Mend them, or fetch the file again"
        raise UsageError(msg) from error


def _read_objects(file: Path, session: Session) -> Records:
    documents, bad = fresh_names("documents", "unreadable")
    attempt(session, f"CREATE TEMP TABLE {documents} AS {_objects(file, _form(file))}", file, "json")
    session.execute(
        f"CREATE TEMP TABLE {bad} AS SELECT rowid + 1 AS record, json::VARCHAR AS raw, 'no object' AS reason "
        f"FROM {documents} WHERE coalesce(json_type(json), '') <> 'OBJECT'"
    )
    good = f"SELECT rowid + 1 AS _record, json FROM {documents} WHERE json_type(json) = 'OBJECT'"
    return _records(session, good, documents, bad)


def _read_lines(file: Path, session: Session) -> Records:
    lines = read_text(file, _LINES, ("line",), session)
    documents, bad = fresh_names("documents", "unreadable")
    line = field_name(0)
    valid = f"json_valid({line}) AND json_type(CASE WHEN json_valid({line}) THEN {line} END) = 'OBJECT'"
    session.execute(
        f"CREATE TEMP TABLE {documents} AS SELECT _record, {line}::JSON AS json FROM {lines.table} WHERE {valid}"
    )
    session.execute(
        f"CREATE TEMP TABLE {bad} AS SELECT * FROM {lines.unreadable_table} UNION ALL "
        f"SELECT _record, {line}, CASE WHEN json_valid({line}) THEN 'no object' ELSE 'no JSON' END FROM {lines.table} "
        f"WHERE trim({line}) <> '' AND NOT ({valid}) ORDER BY 1"
    )
    lines.drop(session)
    return _records(session, f"SELECT _record, json FROM {documents}", documents, bad)


def _records(session: Session, good: str, documents: str, bad: str) -> Records:
    keys, twice = _keys(session, good)
    if twice:
        session.execute(f"INSERT INTO {bad} SELECT _record, json::VARCHAR, '{_TWICE}' FROM ({good}) WHERE {_HAS_TWINS}")
        good = f"SELECT * FROM ({good}) WHERE NOT {_HAS_TWINS}"
    try:
        lists = _lists(session, good, keys)
    except _NestedError:
        session.execute(f"DROP TABLE {documents}")
        session.execute(f"DROP TABLE {bad}")
        raise
    (table,) = fresh_names("records")
    scalars = [k for i, k in enumerate(keys) if i not in lists]
    place = {key: number for number, key in enumerate(scalars, 1)}
    fields = [
        f"CAST(json_extract(json, {_pointer(key)}) AS VARCHAR[]) AS {field_name(i)}"
        if i in lists
        else f"texts[{place[key]}] AS {field_name(i)}"
        for i, key in enumerate(keys)
    ]
    pointers = f"[{', '.join(_pointer(key) for key in scalars)}]" if scalars else "[]::VARCHAR[]"
    texts = f"SELECT *, json_extract_string(json, {pointers}) AS texts FROM ({good})"
    session.execute(f"CREATE TEMP TABLE {table} AS SELECT {', '.join(['_record', *fields])} FROM ({texts})")
    session.execute(f"DROP TABLE {documents}")
    made = (f"DROP TABLE {table}", f"DROP TABLE {bad}")
    return Records(keys, table, bad, counted(session, table), counted(session, bad), lists, made=made)


def _keys(session: Session, good: str) -> tuple[tuple[str, ...], bool]:
    """All keys, in the order in which they first appear, and whether some object has one twice."""
    rows = session.rows(f"SELECT json_keys(json) AS keys, min(_record) FROM ({good}) GROUP BY 1 ORDER BY 2")
    names = tuple(dict.fromkeys(key for keys, _ in rows for key in keys))
    return names, any(len(set(keys)) < len(keys) for keys, _ in rows)


def _lists(session: Session, good: str, keys: tuple[str, ...]) -> frozenset[int]:
    """The positions of the keys whose values are lists of scalars.

    Raises:
        _NestedError: there are nested objects, or lists of them.
    """
    if not keys:
        return frozenset()
    tests = [test for key in keys for test in _shape_tests(_pointer(key))]
    found = session.rows(f"SELECT {', '.join(tests)} FROM ({good})")[0]
    if any(found[::3]):
        raise _NestedError
    return frozenset(i for i in range(len(keys)) if found[3 * i + 1] and not found[3 * i + 2])


def _shape_tests(pointer: str) -> tuple[str, str, str]:
    kind = _KIND.format(pointer)
    inner = f"list_has_any(json_type(json_extract(json, {pointer}), '$[*]'), ['OBJECT', 'ARRAY'])"
    nested = f"bool_or({kind} = 'OBJECT' OR ({kind} = 'ARRAY' AND {inner}))"
    return nested, f"bool_or({kind} = 'ARRAY')", f"bool_or({kind} NOT IN ('ARRAY', 'NULL'))"


def _pointer(key: str) -> str:
    return literal("/" + key.replace("~", "~0").replace("/", "~1"))


def _utf8(path: Path, template: Template, scratch: Path) -> Path:
    with path.open("rb") as file:
        marked = file.read(3) == b"\xef\xbb\xbf"
    return transcoded(path, "utf-8-sig" if marked else template.encoding, scratch)


def _first_character(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        while block := file.read(1024):
            if text := block.lstrip():
                return text[0]
    return ""
