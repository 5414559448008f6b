"""The usual file, whose header is known and whose values fit: read and written in one query, nothing kept in between.

Whether that was right shows afterwards. Records with a value that doesn't fit were marked; if they are few, they are
looked at again and taken out. All else (unreadable records, drift) is left to the longer way, which tells exactly.
"""

from collections.abc import Sequence
from pathlib import Path

from backbone.errors import BackboneError
from backbone.formats.csv_reading import Scan
from backbone.formats.reading import scan_records
from backbone.formats.records import Records, fresh_names
from backbone.model.files import LandedFile
from backbone.model.names import literal, quoted
from backbone.model.rules import Rule
from backbone.zones.formatted.account import PARSER, Account
from backbone.zones.formatted.cells import (
    Cell,
    cells_of,
    counts_sql,
    file_name_cells,
    marked_record,
    rows_sql,
    source_sql,
)
from backbone.zones.formatted.contract import Match, columns_of, contract_of, match_file, relation_of
from backbone.zones.formatted.drift import Counted
from backbone.zones.formatted.misfits import settle_misfits


def write_at_once(file: LandedFile, account: Account) -> bool:
    """Write a file's rows; False, with nothing done, where that takes the longer way."""
    scan = _scan(file, account)
    match = match_file(account.schema, scan.headers) if scan else None
    if scan is None or match is None or _is_drift(match, account):
        return False
    cells = cells_of(account.schema, match.positions, account.source.template)
    path = account.staging.new_file(account.staging.step.dataset)
    rows = _write_marked(file, scan, cells, path, account)
    if rows is None:
        path.unlink(missing_ok=True)
        return False
    settled = False
    try:
        settled = _settle(file, scan, cells, (path, rows), account)
    finally:
        if not settled:
            path.unlink(missing_ok=True)
    if not settled:
        return False
    account.notes += [f"{file.name} lacks column {c.name}" for c in match.missing]
    account.find(Rule(PARSER, PARSER, action="quarantine", at=account.source.at), tested=rows)
    return True


def _scan(file: LandedFile, account: Account) -> Scan | None:
    try:
        return scan_records(file.path, account.source.template, scratch=_scratch(file, account))
    except BackboneError:  # the longer way says what is wrong
        return None


def _scratch(file: LandedFile, account: Account) -> Path:
    return account.staging.scratch / f"{account.source.name}-{file.id}"


def _is_drift(match: Match, account: Account) -> bool:
    return bool(match.new) or any(contract_of(c, account.source) != "evolve" for c in match.missing)


def _write_marked(file: LandedFile, scan: Scan, cells: Sequence[Cell], path: Path, account: Account) -> int | None:
    """Write all records, and return how many; None if some are unreadable."""
    source = account.source
    values = {c.column.name: c.typed for c in cells} | file_name_cells(source.file_name, file.name)
    texts = source_sql(f"({scan.query})", cells, source.template)
    query = rows_sql(texts, values, columns_of(account.schema, source), file, marked_record(cells))
    try:
        written = account.session.write(query, path, ordered=True, relation=relation_of(account.schema, source))
        return None if scan.unreadable(account.session) else written.rows
    except BackboneError:  # such as line ends of two kinds, which the longer way can read
        return None
    finally:
        scan.drop(account.session)


def _settle(file: LandedFile, scan: Scan, cells: Sequence[Cell], written: tuple[Path, int], account: Account) -> bool:
    """Take out what doesn't fit of what was written (where, how many rows); False if that is too much."""
    path, rows = written
    marked = f"read_parquet({literal(str(path))}) WHERE _record < 0"
    bad = int(account.session.rows(f"SELECT count(*) FROM {marked}")[0][0])
    records = Records((), "", "", 0, 0)
    counted = tuple(Counted(c, 0, 0) for c in cells)
    if bad:
        records = _marked_texts(scan.again(), marked, bad, account)
        counted = _counted(records, cells, path, account)
    try:
        if any(c.drifts for c in counted):
            return False
        account.rows_in += rows
        if bad:
            _rewrite(path, account)
        else:
            _keep(path, rows, account)
        settle_misfits(file, records, counted, account, tested=rows)
    finally:
        records.drop(account.session)
    return True


def _marked_texts(scan: Scan, marked: str, bad: int, account: Account) -> Records:
    """The texts of the marked records, which the file is read again for."""
    (table,) = fresh_names("records")
    account.session.execute(
        f"CREATE TEMP TABLE {table} AS SELECT s.* FROM ({scan.query}) AS s "
        f"SEMI JOIN (SELECT -_record AS number FROM {marked}) AS m ON s._record = m.number"
    )
    scan.drop(account.session)
    return Records(scan.headers, table, "", bad, 0, made=(f"DROP TABLE {table}",))


def _counted(records: Records, cells: Sequence[Cell], path: Path, account: Account) -> tuple[Counted, ...]:
    """Misfits are all among the marked records; the other values are those that were written."""
    session, checked = account.session, [c for c in cells if c.checked]
    texts = source_sql(records.table, checked, account.source.template)
    misfits = {c.position: int(n) for c, n in zip(checked, session.rows(counts_sql(texts, checked))[0], strict=True)}
    written = ", ".join(f"count({quoted(c.column.name)})" for c in checked)
    there = session.rows(f"SELECT {written} FROM read_parquet({literal(str(path))})")[0]
    values = {c.position: int(n) + misfits[c.position] for c, n in zip(checked, there, strict=True)}
    return tuple(Counted(c, values.get(c.position, 0), misfits.get(c.position, 0)) for c in cells)


def _rewrite(path: Path, account: Account) -> None:
    """Take the marked records out of what was written, or only the marks where their values are NULL now."""
    rows = f"FROM read_parquet({literal(str(path))})"
    if account.source.bad_values == "quarantine":
        query = f"SELECT * {rows} WHERE _record > 0"
    else:
        query = f"SELECT * REPLACE (abs(_record) AS _record) {rows}"
    account.write_rows(query, relation_of(account.schema, account.source))
    path.unlink()


def _keep(path: Path, rows: int, account: Account) -> None:
    account.rows_out += rows
    if rows:
        account.added.append(path)
    else:
        path.unlink()
