"""Records with values that don't fit: set aside with their texts, or noted where the values become NULL."""

from collections.abc import Sequence

from backbone.formats.casting import no_such
from backbone.formats.records import Records
from backbone.model.files import LandedFile
from backbone.zones.formatted.account import Account
from backbone.zones.formatted.books import EXAMPLES
from backbone.zones.formatted.cells import bad_rows_sql, shown_sql, source_sql
from backbone.zones.formatted.drift import Counted


def settle_misfits(
    file: LandedFile, records: Records, counted: Sequence[Counted], account: Account, *, tested: int
) -> None:
    """Account for the misfits of a file's cells; `records` has at least the records with one."""
    for each in counted:
        if each.cell.checked:
            account.find(account.type_rule(each.cell.column), tested=tested)
    broken = [c for c in counted if c.misfits]
    if not broken:
        return
    texts = source_sql(records.table, [c.cell for c in broken], account.source.template, records.lists)
    if account.source.bad_values == "quarantine":
        account.quarantine(file, bad_rows_sql(texts, [c.cell for c in broken], records.headers))
    else:
        _note_nulls(file, texts, broken, account)


def _note_nulls(file: LandedFile, texts: str, broken: Sequence[Counted], account: Account) -> None:
    for counted in broken:
        cell = counted.cell
        example = (
            f"SELECT _record, {shown_sql(cell.value)} FROM ({texts}) WHERE {cell.misfit} ORDER BY 1 LIMIT {EXAMPLES}"
        )
        shown = [f"{file.id}:{n} {v} is {no_such(cell.column.domain)}" for n, v in account.session.rows(example)]
        account.find(account.type_rule(cell.column), broken=counted.misfits, examples=shown)
