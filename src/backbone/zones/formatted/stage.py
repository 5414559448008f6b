"""Staging a formatted dataset: landed files become Parquet files of rows, small ones together, or say why not."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from backbone.engine.protocol import Session
from backbone.errors import BackboneError, DatasetError
from backbone.formats.peek import peek_records
from backbone.formats.reading import read_records
from backbone.formats.records import Records
from backbone.model.files import Column, LandedFile
from backbone.model.names import literal, quoted_dataset
from backbone.model.project import Source
from backbone.model.rules import Rule
from backbone.model.steps import Failure, Format, Ledger, Staged, Staging
from backbone.zones.formatted.account import CONTRACT, PARSER, Account
from backbone.zones.formatted.at_once import write_at_once, write_together
from backbone.zones.formatted.cells import any_misfit, cells_of, file_name_cells, raw_sql, rows_sql, source_sql
from backbone.zones.formatted.contract import Schema, columns_of, match_file, relation_of, schema_now
from backbone.zones.formatted.drift import Counted, Widening, count_misfits, header_drift, type_drift
from backbone.zones.formatted.misfits import settle_misfits

_SMALL_BYTES = 256 << 10
_TOGETHER = 100


def stage_formatted(staging: Staging, session: Session) -> tuple[Staged, ...]:
    """Read landed files into `formatted.NAME`: the new ones, or all of them.

    Where a file needs a wider column, all files are read again from landing: typed rows have lost what they looked
    like (`007`).

    Raises:
        DatasetError: a file can't be read at all, or breaks a contract that says `freeze`.
    """
    source = _source(staging)
    full = staging.how == "full"
    schema, files = _schema(staging, session, source), staging.all_files if full else staging.files
    notes: list[str] = []
    while True:
        account = Account(source, schema, staging, session)
        try:
            widening = _read_files(files, account)
        except BaseException:
            account.discard()
            raise
        if widening is None:
            return (_staged(account, full=full, notes=notes),)
        account.discard()
        schema, files, full = account.schema.widened(widening.domains), staging.all_files, True
        notes += [*account.notes, widening.note]


def _source(staging: Staging) -> Source:
    if not isinstance(staging.step.work, Format):
        msg = f"{staging.step.dataset} is no formatted dataset"
        raise TypeError(msg)
    return staging.step.work.source


def _schema(staging: Staging, session: Session, source: Source) -> Schema:
    """The schema to begin with. All files read anew show by themselves what the published relation was widened for."""
    columns = source.columns or _inferred(staging, session, source)
    current = staging.current.get(staging.step.dataset)
    return schema_now(source, columns, current.relation if current and staging.how == "incremental" else None)


def _inferred(staging: Staging, session: Session, source: Source) -> tuple[Column, ...]:
    """The columns of the first file that has some, for a source that declares none."""
    for file in sorted(staging.all_files, key=lambda f: f.id):
        with staging.open_landed([file]) as (opened,):
            if found := _inferred_from(opened, staging, session, source):
                return found
    if staging.all_files:
        message, hint = "no landed file has a column", f"say its columns in sources/{source.name}.yml"
        raise DatasetError(Failure(staging.step.dataset, message, source.at, hint=hint))
    return ()


def _inferred_from(file: LandedFile, staging: Staging, session: Session, source: Source) -> tuple[Column, ...]:
    records = _opened(file, staging, session)
    try:
        peeked = peek_records(records, source.template, session)
    finally:
        records.drop(session)
    found = dict.fromkeys((*source.template.null_tokens, *peeked.template.null_tokens))
    return tuple(c if c.null_tokens else replace(c, null_tokens=tuple(found)) for c in peeked.columns)


def _opened(file: LandedFile, staging: Staging, session: Session) -> Records:
    source = _source(staging)
    try:
        return read_records(file.path, source.template, session, scratch=staging.scratch / f"{source.name}-{file.id}")
    except BackboneError as error:
        hint = f"its template is in sources/{source.name}.yml; look at the file: backbone peek {file.name}"
        message = f"landed file {file.id}, {file.name}: {error}"
        raise DatasetError(Failure(staging.step.dataset, message, source.at, hint=hint)) from error


def _check_there(file: LandedFile, staging: Staging) -> None:
    size = file.path.stat().st_size if file.path.exists() else None
    if size != file.size:
        now = "is not there any more" if size is None else f"has {size:,} bytes"
        message = f"landed file {file.id}, {file.name}, {now}; it had {file.size:,} bytes when it landed"
        hint = "what has landed must never change. What is damaged, and how to mend it: backbone doctor"
        raise DatasetError(Failure(staging.step.dataset, message, _source(staging).at, hint=hint))


def _read_files(files: Sequence[LandedFile], account: Account) -> Widening | None:
    for together in _batches(files):
        with account.staging.open_landed(together) as opened:
            for file in opened:
                _check_there(file, account.staging)
            if len(opened) > 1 and write_together(opened, account):
                continue
            if widening := _read_singly(opened, account):
                return widening
    return None


def _batches(files: Sequence[LandedFile]) -> Iterator[list[LandedFile]]:
    """The files in order, small ones beside each other together: planning a query costs more than reading them."""
    batch: list[LandedFile] = []
    for file in sorted(files, key=lambda f: f.id):
        if batch and (file.size > _SMALL_BYTES or batch[-1].size > _SMALL_BYTES or len(batch) == _TOGETHER):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def _read_singly(files: Sequence[LandedFile], account: Account) -> Widening | None:
    for file in files:
        if write_at_once(file, account):
            continue
        records = _opened(file, account.staging, account.session)
        try:
            if widening := _read_file(file, records, account):
                return widening
        finally:
            records.drop(account.session)
    return None


def _read_file(file: LandedFile, records: Records, account: Account) -> Widening | None:
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


def _staged(account: Account, *, full: bool, notes: Sequence[str]) -> Staged:
    staging = account.staging
    ledger = Ledger(account.rows_in, account.rows_out, account.set_aside)
    if not ledger.balances:
        message = (
            f"the ledger doesn't balance: {ledger.rows_in:,} records in, {ledger.rows_out:,} rows out, "
            f"{ledger.quarantined:,} quarantined"
        )
        raise DatasetError(
            Failure(staging.step.dataset, message, account.source.at, hint="this is a defect of Backbone")
        )
    return Staged(
        dataset=staging.step.dataset,
        relation=relation_of(account.schema, account.source),
        replaces=full or staging.step.dataset not in staging.current,
        added=tuple(account.added),
        ledger=ledger if full else None,
        delta=ledger,
        findings=account.found(),
        quarantined=tuple(account.quarantined),
        rows=ledger.rows_out + (0 if full else _present(staging, account.session)),
        note="; ".join(dict.fromkeys((*notes, *account.notes))),
    )


def _present(staging: Staging, session: Session) -> int:
    """How many rows are published already."""
    current = staging.current.get(staging.step.dataset)
    if current is None:
        return 0
    session.show(current)
    return int(session.rows(f"SELECT count(*) FROM {quoted_dataset(current.dataset)}")[0][0])
