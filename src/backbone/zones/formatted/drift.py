"""Drift: a file whose header or values differ from the schema, and what the contract makes of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from backbone.errors import DatasetError, shown_value
from backbone.formats.casting import no_such
from backbone.formats.decisions import keeps_type
from backbone.formats.inference import infer_columns
from backbone.formats.records import Records
from backbone.model.files import Column, Contract, LandedFile
from backbone.model.project import Source
from backbone.model.rules import Location
from backbone.model.steps import Failure
from backbone.zones.formatted.account import Account
from backbone.zones.formatted.books import Widening
from backbone.zones.formatted.cells import Cell, counts_sql, shown_sql, source_sql, values_sql
from backbone.zones.formatted.contract import Match, contract_of, relation_of, widenings

_HEADERS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Counted:
    """The values of one cell in one file, and those that don't fit; 0 and 0 where all do."""

    cell: Cell
    values: int
    misfits: int

    @property
    def drifts(self) -> bool:
        """Whether so many don't fit that the column has another type in this file."""
        return not keeps_type(self.misfits, self.values) or (self.cell.exact and self.misfits > 0)


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference: what the contract says to it and where, in words what it is, and how it is accepted."""

    contract: Contract
    what: str
    accept: str
    at: Location


def count_misfits(records: Records, cells: Sequence[Cell], account: Account) -> tuple[Counted, ...]:
    """Count, in one pass, the misfits of all cells whose domain isn't text, and the values of those that have some."""
    session, template = account.session, account.source.template
    checked = [c for c in cells if c.checked]
    misfits: dict[str, int] = {}
    if checked and records.records:
        row = session.rows(counts_sql(source_sql(records.table, checked, template, records.lists), checked))[0]
        misfits = {c.column.name: int(count) for c, count in zip(checked, row, strict=True) if count}
    broken = [c for c in checked if c.column.name in misfits]
    values: dict[str, int] = {}
    if broken:
        row = session.rows(values_sql(source_sql(records.table, broken, template, records.lists), broken))[0]
        values = {c.column.name: int(count) for c, count in zip(broken, row, strict=True)}
    return tuple(Counted(c, values.get(c.column.name, 0), misfits.get(c.column.name, 0)) for c in cells)


def header_drift(file: LandedFile, match: Match, records: Records, account: Account) -> str:
    """Let the schema grow by a file's new columns, or say why the file is set aside.

    Raises:
        DatasetError: the contract says `freeze`.
    """
    source = account.source
    drifts = [_new_column(records.headers[i], source) for i in match.new]
    drifts += [
        _drift(c, source, f"column {c.name} is missing", f"a new spelling of {c.name} goes under its header")
        for c in match.missing
    ]
    if refused := _judge(drifts, file, account):
        return refused
    if not match.positions and match.missing:
        return _stranger(records) if records.total else ""
    if match.new:
        _grow(file, match, records, account)
    account.notes += [f"{file.name} lacks column {c.name}" for c in match.missing]
    return ""


def _stranger(records: Records) -> str:
    """Why a file is set aside that has none of the known columns: it isn't one of this source's, or has no header."""
    first = ", ".join(shown_value(header) for header in records.headers[:_HEADERS_SHOWN])
    return f"it has none of the source's columns; its first record, taken for a header, is {first}"


def type_drift(file: LandedFile, counted: Sequence[Counted], records: Records, account: Account) -> str | Widening:
    """Ask for wider columns where a file's values need them, or say why the file is set aside, or nothing.

    Raises:
        DatasetError: the contract says `freeze`.
    """
    drifting = [c for c in counted if c.drifts and widenings(c.cell.column.domain)]
    drifts = [
        _drift(c.cell.column, account.source, _told(c, records, account), f"a wider type for {c.cell.column.name}")
        for c in drifting
    ]
    if refused := _judge(drifts, file, account):
        return refused
    if not drifting:
        return ""
    wider = {c.cell.column.name: _wider(c, records, account) for c in drifting}
    became = ", ".join(f"{name} became {domain}" for name, domain in wider.items())
    return Widening(wider, f"{became}: in {file.name} {'; '.join(d.what for d in drifts)}")


def _new_column(header: str, source: Source) -> Drift:
    shown = f"'{shown_value(header)}'"
    return _drift(None, source, f"new column {shown}", f"{shown} goes under columns")


def _drift(column: Column | None, source: Source, what: str, accept: str) -> Drift:
    at = column.contract_at if column and column.contract else source.contract_at
    return Drift(contract_of(column, source), what, accept, at)


def _grow(file: LandedFile, match: Match, records: Records, account: Account) -> None:
    taken = {a.name for a in relation_of(account.schema, account.source).attributes}
    for inferred in infer_columns(records, account.session, match.new):
        tokens = tuple(inferred.missing) or None
        column = replace(inferred.column, name=_free(inferred.column.name, taken), null_tokens=tokens)
        taken.add(column.name)
        account.schema = replace(account.schema, evolved=(*account.schema.evolved, column))
        account.notes.append(f"{file.name} brought column {column.name} ({column.domain})")


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return free


def _judge(drifts: Sequence[Drift], file: LandedFile, account: Account) -> str:
    frozen = [d for d in drifts if d.contract == "freeze"]
    if frozen:
        message = f"landed file {file.id}, {file.name}: {'; '.join(d.what for d in frozen)} (contract: freeze)"
        hint = f"accept it in sources/{account.source.name}.yml ({frozen[0].accept}), or say contract: evolve there"
        raise DatasetError(Failure(account.target.dataset, message, frozen[0].at, hint=hint))
    return "; ".join(d.what for d in drifts if d.contract == "quarantine")


def _told(counted: Counted, records: Records, account: Account) -> str:
    cell = counted.cell
    texts = source_sql(records.table, [cell], account.source.template, records.lists)
    example = account.session.rows(f"SELECT {shown_sql(cell.value)} FROM ({texts}) WHERE {cell.misfit} LIMIT 1")[0][0]
    share = counted.misfits / counted.values
    values = f"{counted.misfits:,} of {counted.values:,} values of {cell.column.name} ({share:.1%})"
    return f"{values} {'is' if counted.misfits == 1 else 'are'} {no_such(cell.column.domain)}, such as {example}"


def _wider(counted: Counted, records: Records, account: Account) -> str:
    """The narrowest wider domain that the file's values fit."""
    column = counted.cell.column
    *narrow, widest = widenings(column.domain)
    for domain in narrow:
        cell = replace(counted.cell, column=replace(column, domain=domain), exact=True)
        (again,) = count_misfits(records, [cell], account)
        if keeps_type(again.misfits, again.values):
            return domain
    return widest
