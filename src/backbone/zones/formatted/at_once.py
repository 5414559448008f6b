"""The usual file, whose header is known and whose values fit: read and written side by side, nothing kept in between.

Records with a value that doesn't fit are left out of what is written. Which they are shows by the numbers that aren't
there, and the file is read again for their texts alone. All else (unreadable records, drift) is left to the longer way,
which tells exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from backbone.errors import BackboneError, EngineError
from backbone.formats.delimited.reading import scan_together
from backbone.formats.reading import scan_records
from backbone.formats.records import Part, Records, Scan, counted, field_name, fresh_names
from backbone.model.files import LandedFile
from backbone.model.names import literal, quoted
from backbone.zones.formatted.account import Account
from backbone.zones.formatted.cells import (
    Cell,
    cells_of,
    counts_sql,
    file_name_cells,
    fitting,
    native_cells,
    rows_sql,
    source_sql,
    tokens_of_all,
)
from backbone.zones.formatted.contract import Match, columns_of, contract_of, match_file, relation_of
from backbone.zones.formatted.drift import Counted
from backbone.zones.formatted.misfits import settle_misfits


@dataclass(slots=True)
class _Reading:
    """One attempt at a file: what was written, with its rows, and how many records there should be."""

    file: LandedFile
    scan: Scan
    cells: Sequence[Cell]
    account: Account
    whole: bool
    written: dict[Path, int] = field(default_factory=dict)
    records: int = 0

    @property
    def rows(self) -> int:
        return sum(self.written.values())

    @property
    def native(self) -> tuple[Cell, ...]:
        return native_cells(self.cells, self.scan.natives, self.account.source.template)

    @property
    def checked(self) -> list[Cell]:
        return [c for c in self.cells if c.checked]

    def rows_of(self, records: str) -> str:
        """SQL: the rows of records (a query) with their texts and values."""
        source = self.account.source
        values = {c.column.name: c.typed for c in self.cells} | file_name_cells(source.file_name, self.file.name)
        return rows_sql(records, values, columns_of(self.account.schema, source), self.file)

    def typed(self, records: str, *, left_out: bool = False) -> str:
        """SQL: records (a table or query) with their values; those left out are read from their texts alone."""
        cells = self.cells if left_out else self.native
        return source_sql(records, cells, self.account.source.template, self.scan.lists)


def write_at_once(file: LandedFile, account: Account) -> bool:
    """Write a file's rows; False, with nothing done, where that takes the longer way."""
    scan = _scan(file, account)
    match = match_file(account.schema, scan.headers) if scan else None
    if scan is None or match is None or _is_drift(match, account):
        return False
    cells = cells_of(account.schema, match.positions, account.source.template)
    # Where odd quotes or blank lines make the counts of the parts wrong, the file is read as a whole.
    if not any(_is_settled(_Reading(file, scan, cells, account, whole)) for whole in scan.ways):
        return False
    account.notes += [f"{file.name} lacks column {c.name}" for c in match.missing]
    return True


def write_together(files: Sequence[LandedFile], account: Account) -> bool:
    """Write the rows of several small files by one query; False, with nothing done, where one of them takes more."""
    scans = [scan for file in files if (scan := _scan(file, account))]
    match = match_file(account.schema, scans[0].headers) if len(scans) == len(files) else None
    if match is None or _is_drift(match, account) or account.source.file_name:
        return False
    cells = cells_of(account.schema, match.positions, account.source.template)
    nulls = tokens_of_all(cells, account.source.template)
    found = scan_together(scans, [file.id for file in files], nulls)
    if found is None or not _written_together(*found, cells, account):
        return False
    for file in files:
        account.notes += [f"{file.name} lacks column {c.name}" for c in match.missing]
    return True


def _written_together(part: Part, scan: Scan, cells: Sequence[Cell], account: Account) -> bool:
    source, schema = account.source, account.schema
    usual = f"SELECT * FROM ({source_sql(f'({part.query})', cells, source.template)}) WHERE {fitting(cells)}"
    rows = rows_sql(usual, {c.column.name: c.typed for c in cells}, columns_of(schema, source), None)
    path = account.new_file()
    try:
        written = account.session.write(rows, path, relation=relation_of(schema, source)).rows
        complete = not scan.unreadable(account.session) and written == part.records
    except EngineError:  # the next way says why
        path.unlink(missing_ok=True)
        return False
    if not complete or not written:
        path.unlink()
    if complete:
        account.added += [path] if written else []
        account.rows_in += written
        account.rows_out += written
        for rule in (*(account.type_rule(c.column) for c in cells if c.checked), account.parser_rule()):
            account.find(rule, tested=written)
    return complete


def _scan(file: LandedFile, account: Account) -> Scan | None:
    try:
        return scan_records(file.path, account.source.template, account.session, scratch=account.scratch(file))
    except BackboneError:  # the longer way says what is wrong
        return None


def _is_drift(match: Match, account: Account) -> bool:
    return bool(match.new) or any(contract_of(c, account.source) != "evolve" for c in match.missing)


def _is_settled(reading: _Reading) -> bool:
    settled = False
    try:
        settled = _write(reading) and _settle(reading)
    except EngineError:  # such as line ends of two kinds, which the longer way can read
        return False
    finally:
        if not settled:
            for path in reading.written:
                path.unlink(missing_ok=True)
    return settled


def _write(reading: _Reading) -> bool:
    """Write the records that fit; False if some are unreadable."""
    account, scan = reading.account, reading.scan
    nulls = tokens_of_all(reading.cells, account.source.template)
    for wave in scan.waves(account.session, whole=reading.whole, nulls=nulls):
        path = account.new_file()
        reading.written[path] = 0
        rows = " UNION ALL ".join(_fitting_rows(part, reading) for part in wave)
        relation = relation_of(account.schema, account.source)
        reading.written[path] = account.session.write(rows, path, relation=relation).rows
        reading.records = wave[-1].before + wave[-1].records
        if scan.unreadable(account.session):
            return False
    return True


def _fitting_rows(part: Part, reading: _Reading) -> str:
    # Numbered after the casts: DuckDB moves no condition below a window, where it would cast every value twice.
    numbered = f"SELECT *, {part.number} AS _record FROM ({reading.typed(f'({part.query})')})"
    return reading.rows_of(f"SELECT * FROM ({numbered}) WHERE {fitting(reading.native)} AND {part.sound}")


def _settle(reading: _Reading) -> bool:
    """Account for what was written and what was not; False if that is too much, or the numbers aren't right."""
    account, missing = reading.account, reading.records - reading.rows
    records = _left_out(reading) if missing else Records((), "", "", 0, 0)
    try:
        if records.records != missing or _is_odd(records, reading):
            return False
        misfits = _counted(records, reading)
        if any(c.drifts for c in misfits):
            return False
        _keep(reading, records)
        tested = reading.rows + records.records
        account.rows_in += tested
        settle_misfits(reading.file, records, misfits, account, tested=tested)
        account.find(account.parser_rule(), tested=tested)
    finally:
        records.drop(account.session)
    return True


def _left_out(reading: _Reading) -> Records:
    """The texts of the records that were not written."""
    (table,) = fresh_names("records")
    session, scan = reading.account.session, reading.scan
    fields = ", ".join(field_name(i) for i in range(len(scan.headers)))
    for number, wave in enumerate(scan.waves(session, whole=reading.whole)):
        texts = " UNION ALL ".join(
            f"SELECT {part.number} AS _record, {fields}, {part.sound} AS _sound FROM ({part.query})" for part in wave
        )
        path = list(reading.written)[number]
        missing = _missing(path, wave[0].before + 1, wave[-1].before + wave[-1].records)
        left_out = f"SELECT t.* FROM ({texts}) AS t SEMI JOIN ({missing}) AS m ON t._record = m.number"
        session.execute(f"INSERT INTO {table} {left_out}" if number else f"CREATE TEMP TABLE {table} AS {left_out}")
        scan.unreadable(session)
    return Records(scan.headers, table, "", counted(session, table), 0, scan.lists, made=(f"DROP TABLE {table}",))


def _missing(path: Path, first: int, last: int) -> str:
    """SQL: the numbers of records that weren't written, by a bit for each: a tenth of a join with all that were."""
    bits = f"SELECT bitstring_agg(_record, {first}, {max(first, last)}) AS bits FROM {_parquet([path])}"
    unset = f"coalesce(get_bit(bits, (i - {first})::INTEGER), 0) = 0"  # no bits: nothing was written
    return f"SELECT i AS number FROM range({first}, {last + 1}) AS r(i), ({bits}) WHERE {unset}"


def _is_odd(records: Records, reading: _Reading) -> bool:
    """Whether a record was left out for something else than a value that doesn't fit."""
    if not records.records:
        return False
    texts = reading.typed(records.table, left_out=True)
    odd = f"SELECT 1 FROM ({texts}) WHERE NOT _sound OR {fitting(reading.cells)} LIMIT 1"
    return bool(reading.account.session.rows(odd))


def _counted(records: Records, reading: _Reading) -> tuple[Counted, ...]:
    """Misfits are all among the records left out; the other values of their columns are those that were written."""
    session, checked = reading.account.session, reading.checked
    row = (
        session.rows(counts_sql(reading.typed(records.table, left_out=True), checked))[0]
        if records.records and checked
        else ()
    )
    misfits = {c.position: int(n) for c, n in zip(checked, row, strict=False) if n}
    broken = [c for c in checked if c.position in misfits]
    if not broken:
        return tuple(Counted(c, 0, 0) for c in reading.cells)
    there = ", ".join(f"count({quoted(c.column.name)})" for c in broken)
    row = session.rows(f"SELECT {there} FROM {_parquet(list(reading.written))}")[0]
    values = {c.position: int(n) + misfits[c.position] for c, n in zip(broken, row, strict=True)}
    return tuple(Counted(c, values.get(c.position, 0), misfits.get(c.position, 0)) for c in reading.cells)


def _keep(reading: _Reading, records: Records) -> None:
    """Keep what was written, and write the records left out, too, where values that don't fit become NULL."""
    account = reading.account
    account.rows_out += reading.rows
    for path, rows in reading.written.items():
        if rows:
            account.added.append(path)
        else:
            path.unlink()
    if records.records and account.source.bad_values == "null":
        query = reading.rows_of(f"SELECT * FROM ({reading.typed(records.table, left_out=True)})")
        account.write_rows(query, relation_of(account.schema, account.source))


def _parquet(paths: Sequence[Path]) -> str:
    return f"read_parquet([{', '.join(literal(str(path)) for path in paths)}])"
