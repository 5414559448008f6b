"""The SQL that turns the text of a file's records into rows, and sets aside what doesn't fit."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from backbone.formats.casting import INTEGER_FORM, cast, is_token, misfits, no_such, present
from backbone.formats.markers import tokens_of
from backbone.formats.numbers import fits, is_marked
from backbone.formats.quick_casts import has_guard, is_usual, quick, settled, tried_value, usual
from backbone.formats.records import field_name
from backbone.model.domains import sql_type
from backbone.model.files import Column, FileNamePattern, LandedFile, Template
from backbone.model.names import literal, quoted
from backbone.zones.formatted.contract import Schema

_EXACT_FLOATS = 1 << 53
_SHOWN = 60
_USUAL = "usual"
"""The name under which it is told whether all that was tried on a record is right."""
_OF_DIGITS = frozenset({"integer", "decimal", "float", "date", "time", "timestamp", "timestamp_tz"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of a file as SQL over `source_sql`: `value` is its text, NULL where missing.

    `tokens` are those that are still in it: no form of its domain has them, so that the cast makes them NULL anyway.
    `native` says that `value` is no text, but of the domain's own type already.
    """

    column: Column
    position: int
    exact: bool = False
    tokens: tuple[str, ...] = ()
    native: bool = False

    @property
    def checked(self) -> bool:
        """Whether there are texts that the column's domain can't hold."""
        return self.column.domain not in {"text", "text[]"}

    @property
    def raw(self) -> str:
        """The text in the file, or its own value."""
        return f"n{self.position + 1}" if self.native else field_name(self.position)

    @property
    def value(self) -> str:
        """The text, NULL where missing."""
        return f"p{self.position + 1}"

    @property
    def typed(self) -> str:
        """The value in its domain; NULL where it doesn't fit."""
        return f"t{self.position + 1}" if self.checked else self.value

    @property
    def tried(self) -> str:
        """What DuckDB's own cast makes of the value."""
        return f"q{self.position + 1}"

    @property
    def guarded(self) -> bool:
        """Whether it can be told for little that what was tried is right."""
        return not (self.native or self.exact) and has_guard(self.column)

    @property
    def misfit(self) -> str:
        """Whether the value is there and doesn't fit."""
        if self.column.domain.endswith("[]"):
            return misfits(self.value, self.column)
        there = f"{self.typed} IS NULL AND {self.value} IS NOT NULL"
        text = f"CAST({self.value} AS VARCHAR)" if self.native else self.value
        return f"CASE WHEN {there} THEN NOT {is_token(text, self.tokens)} ELSE false END"

    @property
    def tried_sql(self) -> str:
        """The cast that is tried on every value."""
        if self.native:
            return f"{self.value} AS {self.tried}"
        return f"{quick(self.value, self.column)} AS {self.tried}"

    @property
    def typed_sql(self) -> str:
        """The exact cast. An integer that a float can't hold exactly doesn't fit a float that must be exact."""
        if self.column.domain.endswith("[]"):
            return f"{cast(self.value, self.column)} AS {self.typed}"
        if self.native:
            return f"{usual(self.value, self.column.domain)} AS {self.typed}"
        typed = settled(self.value, self.tried, self.column, self.tokens)
        if self.guarded:
            typed = f"CASE WHEN {_USUAL} THEN {tried_value(self.tried, self.column)} ELSE {typed} END"
        if self.exact:
            large = f"abs(TRY_CAST({self.value} AS HUGEINT)) > {_EXACT_FLOATS}"
            typed = f"CASE WHEN {fits(self.value, INTEGER_FORM)} AND {large} THEN NULL ELSE {typed} END"
        return f"{typed} AS {self.typed}"


def native_cells(cells: Sequence[Cell], natives: Sequence[str], template: Template) -> tuple[Cell, ...]:
    """The cells, with the file's own values where their texts would be spelled as usual and never mean *missing*."""

    def is_native(cell: Cell) -> bool:
        column, tokens = cell.column, {token.strip().lower() for token in tokens_of(cell.column, template)}
        odd = any(c.isdigit() for token in tokens for c in token) or not tokens.isdisjoint({"true", "false"})
        spelled = column.format or is_marked(column)
        return natives[cell.position] == sql_type(column.domain) and not (odd or spelled or cell.exact)

    return tuple(replace(c, native=True) if natives and is_native(c) else c for c in cells)


def cells_of(schema: Schema, positions: dict[str, int], template: Template) -> tuple[Cell, ...]:
    """The cells of the columns that a file has."""
    return tuple(
        Cell(c, positions[c.name], c.name in schema.exact, _left_in(c, template))
        for c in schema.all
        if c.name in positions
    )


def _left_in(column: Column, template: Template) -> tuple[str, ...]:
    """Tokens that needn't be looked for in each value: without digits, they are no number and no time."""
    tokens = tokens_of(column, template)
    timely = column.domain.partition("(")[0] in _OF_DIGITS
    return tokens if timely and not any(any(c.isdigit() for c in token) for token in tokens) else ()


def tokens_of_all(cells: Sequence[Cell], template: Template) -> tuple[str, ...]:
    """What means *missing* in each of the cells."""
    first, *others = [[t.strip() for t in tokens_of(c.column, template)] for c in cells] or [[]]
    return tuple(token for token in first if all(token in tokens for tokens in others))


def source_sql(records: str, cells: Sequence[Cell], template: Template, lists: frozenset[int] = frozenset()) -> str:
    """Records (a table or query) with `p1`, `p2` …: the texts with NULL for what means *missing*; `t1` …: typed."""
    texts = ", ".join(["*", *(f"{_text(c, template, is_list=c.position in lists)} AS {c.value}" for c in cells)])
    checked = [c for c in cells if c.checked]
    tried = ", ".join(["*", *(c.tried_sql for c in checked)])
    typed = ", ".join(["*", *(c.typed_sql for c in checked)])
    guards = " AND ".join(is_usual(c.value, c.tried, c.column) for c in cells if c.guarded) or "true"
    # One SELECT in another, so that nothing is computed twice. In a CASE, a condition ends at the first that is false.
    usual = f"SELECT *, CASE WHEN {guards} THEN true ELSE false END AS {_USUAL}"
    return f"SELECT {typed} FROM ({usual} FROM (SELECT {tried} FROM (SELECT {texts} FROM {records})))"


def _text(cell: Cell, template: Template, *, is_list: bool) -> str:
    """A list stays one where its column is a list, else it becomes JSON text."""
    if cell.native:
        return cell.raw
    if is_list:
        return cell.raw if cell.column.domain.endswith("[]") else f"to_json({cell.raw})::VARCHAR"
    if cell.column.domain.endswith("[]"):
        return f"CASE WHEN {cell.raw} IS NOT NULL THEN [{cell.raw}] END"
    return cell.raw if cell.tokens else present(cell.raw, tokens_of(cell.column, template))


def counts_sql(source: str, cells: Sequence[Cell]) -> str:
    """One row: misfits per cell, in order."""
    counts = ", ".join(f"coalesce(count_if({c.misfit}), 0)::BIGINT" for c in cells)
    return f"SELECT {counts} FROM ({source})"


def values_sql(source: str, cells: Sequence[Cell]) -> str:
    """One row: values that aren't missing per cell, in order."""
    counts = ", ".join(f"count({present(c.value, c.tokens)})" for c in cells)
    return f"SELECT {counts} FROM ({source})"


def rows_sql(source: str, values: Mapping[str, str], columns: Sequence[Column], file: LandedFile | None) -> str:
    """The rows of a file in the order of `columns`, given SQL for those that it has; the others are NULL.

    Without a file, the source tells it as `_file`.
    """
    listed = [f"{values.get(c.name, f'CAST(NULL AS {sql_type(c.domain)})')} AS {quoted(c.name)}" for c in columns]
    return (
        f"SELECT {', '.join([f'{file.id}::BIGINT AS _file' if file else '_file', '_record', *listed])} FROM ({source})"
    )


def fitting(cells: Sequence[Cell]) -> str:
    """Whether all values of a record fit."""
    checked = [c for c in cells if c.checked]
    if not checked:
        return "true"
    if any(c.column.domain.endswith("[]") for c in checked):  # a list is there even if an element doesn't fit
        return f"NOT {any_misfit(checked)}"
    complete = " AND ".join(f"{c.typed} IS NOT NULL" for c in checked)
    usual = " AND ".join([_USUAL, *(f"{c.typed} IS NOT NULL" for c in checked if not c.guarded)])
    return f"CASE WHEN {usual} THEN true WHEN {complete} THEN true ELSE NOT {any_misfit(checked)} END"


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
