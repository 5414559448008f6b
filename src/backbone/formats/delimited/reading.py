"""CSV files as records, read by DuckDB's CSV reader in strict mode with nothing left to its own guess."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import UsageError
from backbone.formats.delimited.exact import is_exact, read_exactly
from backbone.formats.delimited.header import body_of, csv_headers
from backbone.formats.delimited.slices import NUMBER, Slice, can_be_cut, numbered, waves
from backbone.formats.encoding import CHUNK_BYTES, transcoded
from backbone.formats.records import Part, Records, Scan, attempt, counted, field_name, fresh_names
from backbone.model.files import Template
from backbone.model.names import literal, path_literal

_MAX_LINE_BYTES = 16 << 20
_BUFFER_BYTES = 32 << 20
"""Said, since DuckDB else makes it 16 times the longest line, which is more than a machine's caches can bear."""
_TORN = "('UNQUOTED VALUE', 'INVALID STATE')"
"""What DuckDB calls quotes that aren't in order, after which it may take one record for another."""


@dataclass(frozen=True, slots=True)
class CsvScan:
    """Implements `Scan`: a file in slices, or as a whole, after counting its records exactly."""

    headers: tuple[str, ...]
    file: Path
    _template: Template
    _scratch: Path
    _names: tuple[str, str]
    natives: tuple[str, ...] = ()
    lists: frozenset[int] = frozenset()
    ways: tuple[bool, ...] = (False, True)

    def waves(self, session: Session, *, whole: bool, nulls: tuple[str, ...] = ()) -> Iterator[tuple[Part, ...]]:
        """See `Scan`."""
        nulls = self._plain(nulls)
        if whole or not can_be_cut(self._template):
            part = self._part(Slice(self.file, 0, 0), nulls)
            yield (replace(part, number=NUMBER, records=counted(session, f"({part.query})")),)
        else:
            width = len(self.headers)
            for wave in waves(self.file, self._template, self._scratch, width=width):
                yield tuple(self._part(one, nulls) for one in wave)

    def _part(self, one: Slice, nulls: tuple[str, ...]) -> Part:
        template = self._template if one.first else replace(self._template, preamble_rows=0, header_rows=0)
        # `row_number` of rows as they come is an order that threads would lose, so that each part runs in one.
        query = _scan(one.path, template, len(self.headers), self._names, nulls=nulls)
        return Part(query, numbered(one), one.before, one.records)

    def with_others(self, others: Sequence["CsvScan"], ids: Sequence[int], nulls: tuple[str, ...]) -> Part | None:
        """This small file and others, as if they were one: their rows come in the order of files."""
        if not can_be_cut(self._template):
            return None
        files, places, before = [one.file for one in (self, *others)], [], 0
        quote = self._template.quotechar.encode()
        for file, file_id in zip(files, ids, strict=True):
            # An open quote at the end is no counted record, and DuckDB doesn't tell of it where files are many.
            if quote and file.read_bytes().count(quote) % 2:
                return None
            (wave,) = waves(file, self._template, self._scratch, width=len(self.headers))
            records = sum(one.records for one in wave)
            places.append(f"({literal(str(file))}, {file_id}::BIGINT, {before}, {records})")
            before += records
        texts = _scan(files, self._template, len(self.headers), self._names, nulls=self._plain(nulls))
        numbered = f"SELECT *, {NUMBER} AS _number FROM ({texts})"
        record = "CASE WHEN _number - before BETWEEN 1 AND records THEN _number - before ELSE error('miscounted') END"
        query = (
            f"SELECT n.*, f.file AS _file, {record} AS _record FROM ({numbered}) AS n "
            f"JOIN (VALUES {', '.join(places)}) AS f (path, file, before, records) ON n.filename = f.path"
        )
        return Part(query, "_record", 0, before)

    def _plain(self, nulls: tuple[str, ...]) -> tuple[str, ...]:
        """Those that the CSV reader can look for."""
        special = {self._template.delimiter, self._template.quotechar, self._template.escapechar, "\n", "\r"} - {""}
        return tuple(text for text in nulls if not any(one in text for one in special))

    def unreadable(self, session: Session) -> int:
        """See `Scan`."""
        errors, scans = self._names
        found = counted(session, errors)
        session.execute(f"DROP TABLE {errors}; DROP TABLE {scans}")
        return found


def scan_csv(path: Path, template: Template, _session: Session, scratch: Path) -> Scan | None:
    """A CSV file without footers, to be read as it is written."""
    if template.footer_rows or is_exact(template):
        return None
    file = transcoded(path, template.encoding, scratch)
    _refuse_endless(file)
    names = fresh_names("errors", "scans")
    headers = csv_headers(file, template)
    return CsvScan(headers, file, body_of(file, template, len(headers)), scratch, (names[0], names[1]))


def scan_together(scans: Sequence[Scan], ids: Sequence[int], nulls: tuple[str, ...]) -> tuple[Part, CsvScan] | None:
    """Small files with the same headers as one query, numbered as `_record` of `_file`; None if it takes more."""
    found = [one for one in scans if isinstance(one, CsvScan)]
    if len(found) < len(scans) or len({one.headers for one in found}) > 1:
        return None
    part = found[0].with_others(found[1:], ids, nulls)
    return (part, found[0]) if part else None


def read_csv(path: Path, template: Template, session: Session, scratch: Path) -> Records:
    """Read a CSV file; see `read_records`."""
    file = transcoded(path, template.encoding, scratch)
    _refuse_endless(file)
    headers = csv_headers(file, template)
    why = is_exact(template)
    if not why:
        try:
            records = read_text(file, body_of(file, template, len(headers)), headers, session)
        except UsageError as error:
            why = _said(error)
        else:
            if not records.unreadable or not (template.lenient or records.torn):
                return records
            why = "quotes aren't in order" if records.torn else f"{records.unreadable:,} records are mended"
            records.drop(session)
    return read_exactly(file, template, headers, session, scratch, why=why)


def _said(error: UsageError) -> str:
    """Why DuckDB's reader gave up, in a word."""
    return "line ends of several kinds" if "new line" in str(error).lower() else "the usual reader gave up"


def _refuse_endless(file: Path) -> None:
    """Refuse a line that fills DuckDB's buffer: it would be left out, and not even be told as unreadable."""
    if file.stat().st_size <= _BUFFER_BYTES:
        return
    run = 0
    with file.open("rb") as text:
        while chunk := text.read(CHUNK_BYTES):
            run = 0 if b"\n" in chunk or b"\r" in chunk else run + len(chunk)
            if run > _BUFFER_BYTES - 4 * CHUNK_BYTES:
                raise UsageError(f"{file.name} has a line of more than {run >> 20} MB, which no record is")


def read_text(file: Path, template: Template, headers: tuple[str, ...], session: Session) -> Records:
    """Read a delimited text file in UTF-8 whose headers are known."""
    text, errors, scans, table, bad = fresh_names("text", "errors", "scans", "records", "unreadable")
    query = _scan(file, template, len(headers), (errors, scans))
    attempt(session, f"CREATE TEMP TABLE {text} AS {query}", file, "csv")
    broken = counted(session, errors) > 0
    blanks = _blank_lines(file, template) if broken else ()
    readable = counted(session, text)
    session.execute(f"CREATE TEMP TABLE {bad} AS {_unreadable(errors, blanks, template, readable)}")
    last = readable + counted(session, bad) - template.footer_rows
    session.execute(f"DELETE FROM {bad} WHERE record > {last}")
    unreadable = counted(session, bad)
    session.execute(f"CREATE TEMP VIEW {table} AS {_numbered(text, bad if unreadable else None, len(headers), last)}")
    made = (f"DROP VIEW {table}", *(f"DROP TABLE {name}" for name in (text, bad, errors, scans)))
    torn = counted(session, errors, f"error_type IN {_TORN}") > 0
    return Records(headers, table, bad, last - unreadable if last > 0 else 0, unreadable, torn=torn, made=made)


def _scan(
    file: Path | Sequence[Path],
    template: Template,
    width: int,
    names: tuple[str, str],
    *,
    nulls: tuple[str, ...] = (),
) -> str:
    errors, scans = names
    columns = ", ".join(f"{literal(field_name(i))}: 'VARCHAR'" for i in range(width))
    options = {
        "auto_detect": "false",
        "header": "true" if template.header_rows else "false",
        "skip": str(template.preamble_rows),
        "delim": literal(template.delimiter),
        "quote": literal(template.quotechar),
        "escape": literal(template.escapechar if template.quotechar else ""),
        "columns": "{" + columns + "}",
        "nullstr": f"[{', '.join(map(literal, dict.fromkeys(('', *nulls))))}]",
        "strict_mode": "true",
        "store_rejects": "true",
        "rejects_table": literal(errors),
        "rejects_scan": literal(scans),
        "max_line_size": str(_MAX_LINE_BYTES),
        "buffer_size": str(_BUFFER_BYTES),
    }
    listed = ", ".join(f"{key} = {value}" for key, value in options.items())
    if isinstance(file, Path):
        return f"SELECT * FROM read_csv({path_literal(file)}, {listed})"
    return f"SELECT * FROM read_csv([{', '.join(map(path_literal, file))}], {listed}, filename = true)"


def _unreadable(errors: str, blanks: tuple[int, ...], template: Template, readable: int) -> str:
    """Unreadable records, numbered, each once however many errors it has.

    DuckDB's `line` counts records from 1 (a quoted line end doesn't count), but also the header, the preamble and
    blank lines, which are no records.
    """
    line_ends = "chr(10) || chr(13)"
    place = f"line_byte_position + length(csv_line) - length(ltrim(csv_line, {line_ends}))"
    blank = f"len(list_filter([{', '.join(map(str, blanks))}], lambda b: b < place))" if blanks else "0"
    lines = (
        f"SELECT line, row_number() OVER (ORDER BY line) AS i, min({place}) AS place, "
        f"first(ltrim(csv_line, {line_ends}) ORDER BY column_idx) AS raw, "
        f"first(error_message ORDER BY byte_position, column_idx) AS reason FROM {errors} GROUP BY line"
    )
    # The number of good records before it never falls, and is never more than there are, whatever broken quotes and
    # stray carriage returns do to DuckDB's count of lines: so no record is numbered beyond the last.
    before = f"max(line - {template.header_rows + template.preamble_rows} - {blank} - i) OVER (ORDER BY line)"
    good = f"least({before}, {readable})"
    return f"SELECT good + i AS record, raw, reason FROM (SELECT {good} AS good, i, raw, reason FROM ({lines}))"


def _numbered(text: str, bad: str | None, width: int, last: int) -> str:
    """The records of a text table with their numbers.

    Before the i-th unreadable record r there are r - i good ones, so good record k moves on by the number of
    unreadable ones that have fewer than k good ones before them.
    """
    fields = ", ".join(f"t.{field_name(i)}" for i in range(width))
    if bad is None:
        return f"SELECT t.rowid + 1 AS _record, {fields} FROM {text} AS t WHERE t.rowid < {last}"
    numbered = f"SELECT record, row_number() OVER (ORDER BY record) AS i FROM {bad}"
    before = f"SELECT record - i AS good, max(i) AS moved FROM ({numbered}) GROUP BY 1"
    return (
        f"SELECT * FROM (SELECT t.rowid + 1 + coalesce(b.moved, 0) AS _record, {fields} FROM {text} AS t "
        f"ASOF LEFT JOIN ({before}) AS b ON t.rowid + 1 > b.good) WHERE _record <= {last} ORDER BY _record"
    )


def _blank_lines(file: Path, template: Template) -> tuple[int, ...]:
    """Where blank lines after the preamble and outside of quotes begin, in bytes from 1."""
    places: list[int] = []
    position, quotes, quote = 1, 0, template.quotechar.encode()
    with file.open("rb", buffering=CHUNK_BYTES) as lines:
        for number, line in enumerate(lines):
            if number >= template.preamble_rows:
                if not quotes & 1 and not line.rstrip(b"\r\n"):
                    places.append(position)
                quotes += line.count(quote) if quote else 0
            position += len(line)
    return tuple(places)
