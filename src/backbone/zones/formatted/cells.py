"""The SQL that turns the text of a file's records into rows, and sets aside what doesn't fit."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from backbone.formats.casting import INTEGER_FORM, cast, fits, is_token, misfits, no_such, present
from backbone.formats.markers import tokens_of
from backbone.formats.records import Records, field_name
from backbone.model.domains import sql_type
from backbone.model.files import Column, FileNamePattern, LandedFile, Template
from backbone.model.names import literal, quoted
from backbone.zones.formatted.contract import Schema

_EXACT_FLOATS = 1 << 53
_SHOWN = 60
_OF_DIGITS = frozenset({"integer", "decimal", "float", "date", "time", "timestamp", "timestamp_tz"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of a file as SQL: `value` is its text in `source_sql`, NULL where missing.

    `tokens` are those that are still in it: no form of its domain has them, so that the cast makes them NULL anyway.
    """

    column: Column
    value: str
    exact: bool = False
    tokens: tuple[str, ...] = ()

    @property
    def checked(self) -> bool:
        """Whether there are texts that the column's domain can't hold."""
        return self.column.domain not in {"text", "text[]"}

    @property
    def typed(self) -> str:
        """The value in its domain."""
        return cast(self.value, self.column)

    @property
    def misfit(self) -> str:
        """Whether the value is there and doesn't fit."""
        unfit = misfits(self.value, self.column)
        if self.tokens:
            unfit = f"({unfit} AND NOT {is_token(self.value, self.tokens)})"
        if not self.exact:
            return unfit
        large = f"abs(TRY_CAST({self.value} AS HUGEINT)) > {_EXACT_FLOATS}"
        return f"({unfit} OR coalesce({fits(self.value, INTEGER_FORM)} AND {large}, false))"


def cells_of(schema: Schema, positions: dict[str, int], template: Template) -> tuple[Cell, ...]:
    """The cells of the columns that a file has."""
    return tuple(
        Cell(c, f"p{positions[c.name] + 1}", c.name in schema.exact, _left_in(c, template))
        for c in schema.all
        if c.name in positions
    )


def _left_in(column: Column, template: Template) -> tuple[str, ...]:
    """Tokens that needn't be looked for in each value: without digits, they are no number and no time."""
    tokens = tokens_of(column, template)
    timely = column.domain.partition("(")[0] in _OF_DIGITS
    return tokens if timely and not any(any(c.isdigit() for c in token) for token in tokens) else ()


def source_sql(records: Records, cells: Sequence[Cell], template: Template) -> str:
    """The records, with `p1`, `p2` …: the texts with NULL for what means *missing*; beside them the raw texts."""
    texts = []
    for cell in cells:
        raw = f"c{cell.value[1:]}"
        tokens = tokens_of(cell.column, template)
        if int(cell.value[1:]) - 1 in records.lists:
            texts.append(_list_text(raw, cell))
        elif cell.column.domain.endswith("[]"):
            texts.append(f"CASE WHEN {raw} IS NOT NULL THEN [{raw}] END AS {cell.value}")
        else:
            texts.append(f"{raw if cell.tokens else present(raw, tokens)} AS {cell.value}")
    return f"SELECT {', '.join(['*', *texts])} FROM {records.table}"


def _list_text(raw: str, cell: Cell) -> str:
    """A list stays one where its column is a list, else it becomes JSON text."""
    return f"{raw} AS {cell.value}" if cell.column.domain.endswith("[]") else f"to_json({raw})::VARCHAR AS {cell.value}"


def counts_sql(source: str, cells: Sequence[Cell]) -> str:
    """One row: misfits per cell, in order."""
    counts = ", ".join(f"coalesce(count_if({c.misfit}), 0)::BIGINT" for c in cells)
    return f"SELECT {counts} FROM ({source})"


def values_sql(source: str, cells: Sequence[Cell]) -> str:
    """One row: values that aren't missing per cell, in order."""
    counts = ", ".join(f"count({present(c.value, c.tokens)})" for c in cells)
    return f"SELECT {counts} FROM ({source})"


def rows_sql(
    source: str, cells: Sequence[Cell], file: LandedFile, columns: Sequence[Column], named: dict[str, str]
) -> str:
    """The rows of a file in the order of `columns`; what it lacks is NULL."""
    typed = {c.column.name: c.typed for c in cells} | named
    listed = ", ".join(
        f"{typed.get(c.name, f'CAST(NULL AS {sql_type(c.domain)})')} AS {quoted(c.name)}" for c in columns
    )
    return f"SELECT {file.id}::BIGINT AS _file, _record, {listed} FROM ({source})"


def bad_rows_sql(source: str, cells: Sequence[Cell], headers: Sequence[str]) -> str:
    """Records with a value that doesn't fit: the first such column is why."""
    rule = " ".join(f"WHEN {c.misfit} THEN {literal(rule_name(c.column))}" for c in cells)
    reason = " ".join(f"WHEN {c.misfit} THEN {_reason(c)}" for c in cells)
    return (
        f"SELECT _record AS record, CASE {rule} END AS rule, CASE {reason} END AS reason, {raw_sql(headers)} AS raw "
        f"FROM ({source}) WHERE {any_misfit(cells)}"
    )


def any_misfit(cells: Sequence[Cell]) -> str:
    """Whether any value of a record doesn't fit."""
    return "(" + " OR ".join(c.misfit for c in cells) + ")"


def rule_name(column: Column) -> str:
    """The name of the rule that a column's values fit its domain."""
    return f"type({column.name})"


def raw_sql(headers: Sequence[str]) -> str:
    """The record as a JSON object, as the file has it."""
    pairs = ", ".join(f"{literal(h)}, {field_name(i)}" for i, h in enumerate(headers))
    return f"CAST(json_object({pairs}) AS VARCHAR)"


def shown_sql(value: str) -> str:
    """A value as a message may show it: quoted, cut at 60 characters, control characters escaped."""
    plain = f"regexp_replace(CAST({value} AS VARCHAR), '[[:cntrl:]]', '\\\\x', 'g')"
    return (
        f"'''' || CASE WHEN length({plain}) > {_SHOWN} THEN left({plain}, {_SHOWN - 1}) || '…' ELSE {plain} END || ''''"
    )


def file_name_cells(pattern: FileNamePattern | None, name: str) -> dict[str, str]:
    """SQL of the columns that come from a landed file's name; NULL where the name doesn't fit the pattern."""
    if pattern is None:
        return {}
    match = re.fullmatch(pattern.pattern, name)
    groups = match.groups() if match else ()
    texts = [*(None if g is None else literal(g) for g in groups), *[None] * len(pattern.into)]
    return {
        column.name: cast(text, column) if text else f"CAST(NULL AS {sql_type(column.domain)})"
        for column, text in zip(pattern.into, texts, strict=False)
    }


def _reason(cell: Cell) -> str:
    return f"{shown_sql(cell.value)} || {literal(' is ' + no_such(cell.column.domain))}"
