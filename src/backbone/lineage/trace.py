"""From one row of a view back to the rows of its inputs. This makes SQL text; others run it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from backbone.lineage.shape import (
    Shape,
    Source,
    dataset_of,
    has_aggregate,
    key_expressions,
    own_nodes,
    owner,
    read_shape,
)
from backbone.model.names import FILE, RECORD, quoted
from backbone.model.relations import Relation

_BEYOND_ROWS = ("limit", "offset", "sample", "qualify", "windows", "laterals")


@dataclass(frozen=True, slots=True)
class Contribution:
    """The rows of one input that a row comes from: a SELECT of `columns`.

    These are `_file` and `_record` where the input has them, else all its columns. Tables must be shown with system
    columns to run it.
    """

    dataset: str
    sql: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Provenance:
    """The way back from a row: what each input contributed; `grouped` rows come from a group of rows.

    `exact` says that these rows and no others made it; if not, `why` says what is missing.
    """

    contributions: tuple[Contribution, ...]
    grouped: bool
    exact: bool = True
    why: str = ""


def provenance_queries(query: str, key: Mapping[str, str], inputs: Mapping[str, Relation]) -> Provenance | None:
    """SELECTs of the rows of each input that one row of a view comes from.

    Args:
        query: the view's query.
        key: columns of the row, with their values as SQL literals.
        inputs: the relations of the datasets that the query reads, system columns included.

    Returns:
        None where the query is no single SELECT of datasets that can be followed; rows of the inputs that agree with
        the key are then the best that can be shown, and approximate.
    """
    shape = read_shape(query)
    if shape is None or not _can_follow(shape, inputs):
        return None
    expressions = key_expressions(shape, tuple(key), inputs)
    if expressions is None:
        return None
    is_row = [
        exp.NullSafeEQ(this=exp.paren(expressions[c].copy()), expression=exp.maybe_parse(v, dialect="duckdb"))
        for c, v in key.items()
    ]
    found = tuple(_contribution(shape, s, is_row, inputs) for s in shape.sources if s.how != "anti")
    also = sorted({d for t in shape.select.find_all(exp.Table) if (d := dataset_of(t))} - {c.dataset for c in found})
    grouped = bool(shape.select.args.get("group") or shape.select.args.get("distinct") or has_aggregate(shape.select))
    return Provenance(found, grouped, not also, f"the query looks at {', '.join(also)} too" if also else "")


def _can_follow(shape: Shape, inputs: Mapping[str, Relation]) -> bool:
    select = shape.select
    distinct = select.args.get("distinct")
    if any(select.args.get(part) for part in _BEYOND_ROWS) or any(isinstance(n, exp.Window) for n in own_nodes(select)):
        return False
    natural = any(j.method.upper() == "NATURAL" for j in select.find_all(exp.Join))
    if natural or shape.has_subtotals or (distinct and distinct.args.get("on")):
        return False
    return all(s.dataset in inputs for s in shape.sources)


def _contribution(
    shape: Shape, source: Source, is_row: Sequence[exp.Expr], inputs: Mapping[str, Relation]
) -> Contribution:
    dataset = str(source.dataset)
    names = inputs[dataset].names
    columns = (FILE, RECORD) if {FILE, RECORD} <= set(names) else names
    cells = [
        exp.column(exp.to_identifier(c, quoted=True), table=exp.to_identifier(source.alias, quoted=True))
        for c in columns
    ]
    conditions = [*is_row]
    if shape.may_miss(source):
        given = (exp.Not(this=exp.Is(this=c.copy(), expression=exp.Null())) for c in cells)
        conditions.append(exp.or_(*given))
    query = _with_source(shape, source)
    for part in ("group", "having", "order", "distinct"):
        query.set(part, None)
    _write_out_aliases(query, shape, inputs)
    query.set("expressions", cells)
    query.set("distinct", exp.Distinct())
    sql = query.where(*conditions, copy=False).sql(dialect="duckdb", comments=False)
    return Contribution(dataset, f"{sql} ORDER BY {', '.join(quoted(c) for c in columns)}", columns)


def _with_source(shape: Shape, source: Source) -> exp.Select:
    """The query, with a semi join read as a join where the rows of its right side are asked for."""
    query = shape.select.copy()
    if source.how == "semi":
        for join in query.find_all(exp.Join):
            if join.this == source.table:
                join.set("kind", None)
    return query


def _write_out_aliases(query: exp.Select, shape: Shape, inputs: Mapping[str, Relation]) -> None:
    """DuckDB lets a WHERE name an alias of the SELECT: the projection goes, so that its expression is written there."""
    made = {p.alias.lower(): p.this for p in query.expressions if isinstance(p, exp.Alias)}
    where = query.args.get("where")
    for column in list(where.find_all(exp.Column)) if where else []:
        if not column.table and owner(shape, column, inputs) is None and column.name.lower() in made:
            column.replace(exp.paren(made[column.name.lower()].copy()))
