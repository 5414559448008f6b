"""Reading a batch of landed files into rows: files in, books out, so that any machine can do it.

All that is written goes to one folder, and nothing else changes: whoever asked for it decides what counts.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.errors import BackboneError, DatasetError
from backbone.formats.reading import read_records
from backbone.formats.records import Records
from backbone.model.files import LandedFile
from backbone.model.names import literal
from backbone.model.rules import Rule
from backbone.model.steps import Failure, OpenLanded
from backbone.zones.formatted.account import CONTRACT, PARSER, Account, Target
from backbone.zones.formatted.at_once import write_at_once, write_together
from backbone.zones.formatted.books import Books, Widening
from backbone.zones.formatted.cells import any_misfit, cells_of, file_name_cells, raw_sql, rows_sql, source_sql
from backbone.zones.formatted.contract import columns_of, match_file, relation_of
from backbone.zones.formatted.drift import Counted, count_misfits, header_drift, type_drift
from backbone.zones.formatted.misfits import settle_misfits

Batch = tuple[LandedFile, ...]
_SMALL_BYTES = 256 << 10
_TOGETHER = 100


def batches(files: Sequence[LandedFile]) -> Iterator[Batch]:
    """The files in order, small ones beside each other together: planning a query costs more than reading them."""
    batch: list[LandedFile] = []
    for file in sorted(files, key=lambda f: f.id):
        if batch and (file.size > _SMALL_BYTES or batch[-1].size > _SMALL_BYTES or len(batch) == _TOGETHER):
            yield tuple(batch)
            batch = []
        batch.append(file)
    if batch:
        yield tuple(batch)


def read_batch(target: Target, open_landed: OpenLanded, session: Session, batch: Batch, folder: Path) -> Books:
    """Read a batch of landed files into Parquet files in a folder; up to the first that needs a wider column.

    Raises:
        DatasetError: a file can't be read at all, or breaks a contract that says `freeze`.
    """
    with open_landed(batch, folder) as files:
        return _read_files(files, Account(target, target.schema, session, folder))


def _read_files(files: Sequence[LandedFile], account: Account) -> Books:
    target, session = account.target, account.session
    for file in files:
        _check_there(file, target)
    if len(files) > 1 and write_together(files, account):
        return account.books()
    for file in files:
        if write_at_once(file, account):
            continue
        records = opened(file, target, session, account.scratch(file))
        try:
            widening = _read_file(file, records, account)
        finally:
            records.drop(session)
        if widening:
            return account.books(widening)
    return account.books()


def opened(file: LandedFile, target: Target, session: Session, scratch: Path) -> Records:
    """A landed file's records.

    Raises:
        DatasetError: it can't be read at all.
    """
    source = target.source
    try:
        return read_records(file.path, source.template, session, scratch=scratch)
    except BackboneError as error:
        hint = f"its template is in sources/{source.name}.yml; look at the file: backbone peek {file.name}"
        message = f"landed file {file.id}, {file.name}: {error}"
        raise DatasetError(Failure(target.dataset, message, source.at, hint=hint)) from error


def _check_there(file: LandedFile, target: Target) -> None:
    size = file.path.stat().st_size if file.path.exists() else None
    if size != file.size:
        now = "is not there any more" if size is None else f"has {size:,} bytes"
        message = f"landed file {file.id}, {file.name}, {now}; it had {file.size:,} bytes when it landed"
        hint = "what has landed must never change. What is damaged, and how to mend it: backbone doctor"
        raise DatasetError(Failure(target.dataset, message, target.source.at, hint=hint))


def _read_file(file: LandedFile, records: Records, account: Account) -> Widening | None:
    if account.source.parent and not records.total:  # no record of the file has items
        return None
    account.rows_in += records.total
    drift: str | Widening = header_drift(file, match_file(account.schema, records.headers), records, account)
    counted: tuple[Counted, ...] = ()
    if not drift:
        positions = match_file(account.schema, records.headers).positions
        counted = count_misfits(records, cells_of(account.schema, positions, account.source.template), account)
        drift = type_drift(file, counted, records, account)
    if isinstance(drift, Widening):
        return drift
    if drift:
        _set_aside(file, records, drift, account)
    else:
        _write(file, records, counted, account)
    if records.unreadable:
        query = f"SELECT record, '{PARSER}' AS rule, reason, raw FROM {records.unreadable_table} ORDER BY record"
        account.quarantine(file, query)
    account.find(account.parser_rule(), tested=records.total)
    return None


def _set_aside(file: LandedFile, records: Records, why: str, account: Account) -> None:
    """Set a whole file's rows aside, because of its contract."""
    reason = f"'{CONTRACT}' AS rule, {literal(why)} AS reason"
    account.quarantine(
        file, f"SELECT _record AS record, {reason}, {raw_sql(records.headers)} AS raw FROM {records.table}"
    )
    account.find(Rule(CONTRACT, CONTRACT, action="quarantine", at=account.source.at), tested=records.records)
    account.notes.append(f"{file.name} was set aside: {why}")


def _write(file: LandedFile, records: Records, counted: Sequence[Counted], account: Account) -> None:
    """Write the rows that fit, and set aside the others."""
    source, cells = account.source, [c.cell for c in counted]
    texts = source_sql(records.table, cells, source.template, records.lists)
    aside = [c.cell for c in counted if c.misfits] if source.bad_values == "quarantine" else []
    kept = f"SELECT * FROM ({texts}) WHERE NOT {any_misfit(aside)}" if aside else texts
    values = {c.column.name: c.typed for c in cells} | file_name_cells(source.file_name, file.name)
    query = rows_sql(kept, values, columns_of(account.schema, source), file)
    account.write_rows(query, relation_of(account.schema, source))
    settle_misfits(file, records, counted, account, tested=records.records)
