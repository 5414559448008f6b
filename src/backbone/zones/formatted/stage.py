"""Staging a formatted dataset: landed files become Parquet files of rows, small ones together, or say why not."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from backbone.engine.protocol import Each, Session, one_by_one
from backbone.errors import DatasetError
from backbone.formats.peek import peek_records
from backbone.model.files import ITEM_COLUMNS, Column, LandedFile
from backbone.model.names import quoted_dataset
from backbone.model.project import Source
from backbone.model.steps import Failure, Format, OpenLanded, Staged, Staging
from backbone.zones.formatted.account import Target
from backbone.zones.formatted.books import Books, all_findings, summed
from backbone.zones.formatted.contract import Schema, relation_of, schema_now
from backbone.zones.formatted.reading import batches, opened, read_batch


def stage_formatted(staging: Staging, session: Session, each: Each = one_by_one) -> tuple[Staged, ...]:
    """Read landed files into `formatted.NAME`: the new ones, or all of them; `each` says where.

    The relations inside a source's records follow, one after the other. Where a file needs a wider column, all files
    are read again from landing: typed rows have lost what they looked like (`007`).

    Raises:
        DatasetError: a file can't be read at all, or breaks a contract that says `freeze`.
    """
    relations = zip(staging.step.outputs, _source(staging).relations, strict=True)
    return tuple(_stage_one(staging, session, each, dataset, source) for dataset, source in relations)


def _stage_one(staging: Staging, session: Session, each: Each, dataset: str, source: Source) -> Staged:
    full = staging.how == "full"
    files, notes = staging.all_files if full else staging.files, list[str]()
    with _folder(staging.scratch / source.name) as folder:
        target = Target(source, dataset, staging.run, Schema(()))
        target = replace(target, schema=_schema(staging, session, target, folder))
        while True:
            with _folder(folder / "rows") as rows:
                books = _read(files, target, partial(each, session), staging.open_landed, rows)
                last = books[-1] if books else None
                if last is None or last.widening is None:
                    schema = last.schema if last else target.schema
                    return _staged(staging, session, replace(target, schema=schema), books, full=full, notes=notes)
            target = replace(target, schema=last.schema.widened(last.widening.domains))
            files, full = staging.all_files, True
            notes += [*(note for one in books for note in one.notes), last.widening.note]


def _source(staging: Staging) -> Source:
    if not isinstance(staging.step.work, Format):
        msg = f"{staging.step.dataset} is no formatted dataset"
        raise TypeError(msg)
    return staging.step.work.source


def _schema(staging: Staging, session: Session, target: Target, scratch: Path) -> Schema:
    """The schema to begin with. All files read anew show by themselves what the published relation was widened for."""
    columns = target.source.columns or _inferred(staging, session, target, scratch)
    current = staging.current.get(target.dataset)
    return schema_now(target.source, columns, current.relation if current and staging.how == "incremental" else None)


def _inferred(staging: Staging, session: Session, target: Target, scratch: Path) -> tuple[Column, ...]:
    """The columns of the first file that has some, for a source that declares none."""
    source = target.source
    for file in sorted(staging.all_files, key=lambda f: f.id):
        folder = scratch / str(file.id)
        with staging.open_landed([file], folder) as (opened_file,):
            if found := _inferred_from(opened_file, target, session, folder):
                return found
    if source.parent:
        return ITEM_COLUMNS
    if staging.all_files:
        message, hint = "no landed file has a column", f"say its columns in sources/{source.name}.yml"
        raise DatasetError(Failure(target.dataset, message, source.at, hint=hint))
    return ()


def _inferred_from(file: LandedFile, target: Target, session: Session, scratch: Path) -> tuple[Column, ...]:
    template, records = target.source.template, opened(file, target, session, scratch)
    try:
        peeked = peek_records(records, template, session)
    finally:
        records.drop(session)
    found = dict.fromkeys((*template.null_tokens, *peeked.template.null_tokens))
    columns = tuple(c if c.null_tokens else replace(c, null_tokens=tuple(found)) for c in peeked.columns)
    return (*ITEM_COLUMNS, *columns[len(ITEM_COLUMNS) :]) if columns and target.source.parent else columns


def _read(
    files: Sequence[LandedFile],
    target: Target,
    each: Callable[..., Iterator[Books]],
    open_landed: OpenLanded,
    folder: Path,
) -> list[Books]:
    """The books of all batches, in order, up to one that needs wider columns.

    Columns that a batch brings are those of all that come after it, as if each were read after the other.
    """
    done, waiting = list[Books](), list(batches(files))
    while waiting:
        work = partial(read_batch, target, open_landed)
        for books in each(work, tuple(waiting), folder / str(len(waiting))):
            done.append(books)
            del waiting[0]
            if books.widening:
                return done
            if books.schema != target.schema:
                target = replace(target, schema=books.schema)
                break
    return done


@contextmanager
def _folder(path: Path) -> Iterator[Path]:
    """A folder that goes with all that is still in it."""
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _staged(
    staging: Staging, session: Session, target: Target, books: Sequence[Books], *, full: bool, notes: Sequence[str]
) -> Staged:
    source, dataset, ledger = target.source, target.dataset, summed(books)
    if not ledger.balances:
        message = (
            f"the ledger doesn't balance: {ledger.rows_in:,} records in, {ledger.rows_out:,} rows out, "
            f"{ledger.quarantined:,} quarantined"
        )
        raise DatasetError(Failure(dataset, message, source.at, hint="this is a defect of Backbone"))
    notes = [*notes, *(note for one in books for note in one.notes)]
    return Staged(
        dataset=dataset,
        relation=relation_of(target.schema, source),
        replaces=full or dataset not in staging.current,
        added=tuple(path.replace(staging.new_file(dataset)) for one in books for path in one.added),
        ledger=ledger if full else None,
        delta=ledger,
        findings=all_findings(books),
        quarantined=tuple(
            path.replace(staging.new_file("governance.quarantine")) for one in books for path in one.quarantined
        ),
        rows=ledger.rows_out + (0 if full else _present(staging, dataset, session)),
        note="; ".join(dict.fromkeys(notes)),
    )


def _present(staging: Staging, dataset: str, session: Session) -> int:
    """How many rows are published already."""
    current = staging.current.get(dataset)
    if current is None:
        return 0
    session.show(current)
    return int(session.rows(f"SELECT count(*) FROM {quoted_dataset(current.dataset)}")[0][0])
