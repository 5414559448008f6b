"""What names in a query mean, as DuckDB resolves them: the columns of tables, CTEs, subqueries, joins and unions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from sqlglot import exp

from backbone.lineage.shape import dataset_of, has_aggregate
from backbone.model.names import is_system
from backbone.model.relations import Relation

Cell = tuple[str, str]
"""A dataset and one of its columns; `*` stands for its rows."""
_NO_CELLS: frozenset[Cell] = frozenset()


class Unsure(Exception):  # noqa: N818 - not an error: the caller says less
    """A name or a construction whose meaning isn't known here."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table or result: its name in small letters (None: DuckDB names it) and what it comes from."""

    name: str | None
    cells: frozenset[Cell] = _NO_CELLS
    sql: str = ""
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """A table or result: its columns in order, the datasets that it reads, and what decides which rows it has."""

    columns: tuple[Column, ...]
    tables: frozenset[str] = frozenset()
    filters: frozenset[Cell] = _NO_CELLS


@dataclass(slots=True)
class Scope:
    """The tables that a SELECT's expressions can name, its aliases so far, and the scope around it."""

    tables: dict[str, Known] = field(default_factory=dict)
    datasets: dict[str, str] = field(default_factory=dict)
    columns: list[tuple[str, Column]] = field(default_factory=list)
    aliases: dict[str, Column] = field(default_factory=dict)
    outer: "Scope | None" = None

    @property
    def rows(self) -> frozenset[Cell]:
        """The rows of all tables."""
        return frozenset((t, "*") for known in self.tables.values() for t in known.tables)


class Walk:
    """Follows names through a query over given inputs."""

    def __init__(self, inputs: Mapping[str, Relation]) -> None:
        self._inputs = inputs

    def query(self, node: exp.Expr, ctes: Mapping[str, Known] | None = None, outer: Scope | None = None) -> Known:
        """The columns of a query's result.

        Raises:
            Unsure: they can't be told.
        """
        within = dict(ctes or {})
        with_ = node.args.get("with_")
        if with_ is not None:
            if with_.args.get("recursive"):
                raise Unsure
            for cte in with_.expressions:
                within[cte.alias.lower()] = _renamed(self.query(cte.this, within, outer), cte)
        if isinstance(node, exp.Subquery | exp.Paren):
            return self.query(node.this, within, outer)
        if isinstance(node, exp.SetOperation):
            return _combined(node, self.query(node.this, within, outer), self.query(node.expression, within, outer))
        if isinstance(node, exp.Select):
            return self._select(node, within, outer)
        raise Unsure

    def _select(self, select: exp.Select, ctes: Mapping[str, Known], outer: Scope | None) -> Known:
        if select.args.get("windows") or select.args.get("laterals") or select.args.get("pivots"):
            raise Unsure
        scope = Scope(outer=outer)
        filters = self._from(select, scope, ctes)
        columns: list[Column] = []
        totals: list[bool] = []
        for projection in select.expressions:
            made = self._projected(projection, scope, ctes)
            columns += made
            totals += [has_aggregate(projection)] * len(made)
            scope.aliases |= {c.name: c for c in made if c.name is not None and not projection.is_star}
        for part in ("where", "group", "having", "qualify", "order", "distinct"):
            clause = select.args.get(part)
            if clause is not None:
                filters |= self._decided_by(clause, scope, ctes)
        if select.args.get("group") or select.args.get("distinct"):
            # GROUP BY ALL, GROUP BY 1 and DISTINCT go by the projections.
            filters |= frozenset(
                cell for c, total in zip(columns, totals, strict=True) if not total for cell in c.cells
            )
        tables = frozenset(t for known in scope.tables.values() for t in known.tables)
        return Known(tuple(columns), tables, filters)

    def _decided_by(self, clause: exp.Expr, scope: Scope, ctes: Mapping[str, Known]) -> frozenset[Cell]:
        try:
            return self._cells(clause, scope, ctes)[0]
        except Unsure:
            return scope.rows

    def _from(self, select: exp.Select, scope: Scope, ctes: Mapping[str, Known]) -> frozenset[Cell]:
        start = select.args.get("from_")
        if start is None:
            return _NO_CELLS
        filters = self._table(start.this, scope, ctes)
        scope.columns = [(start.this.alias_or_name.lower(), c) for c in scope.tables[_name(start.this)].columns]
        for join in [*(start.this.args.get("joins") or ()), *(select.args.get("joins") or ())]:
            filters |= self._join(join, scope, ctes)
        return filters

    def _join(self, join: exp.Join, scope: Scope, ctes: Mapping[str, Known]) -> frozenset[Cell]:
        filters = self._table(join.this, scope, ctes)
        alias = _name(join.this)
        right = scope.tables[alias]
        using = [c.name.lower() for c in join.args.get("using") or ()]
        if join.method.upper() == "NATURAL":
            using = [c.name for c in right.columns if c.name and any(c.name == m.name for _, m in scope.columns)]
        both = {c.name: c for c in right.columns if c.name in using}
        if join.side.upper() in {"RIGHT", "FULL"}:
            scope.columns = [
                (a, replace(c, cells=c.cells | both[c.name].cells) if c.name in both else c) for a, c in scope.columns
            ]
        filters |= frozenset(cell for c in both.values() for cell in c.cells)
        filters |= frozenset(cell for _, c in scope.columns if c.name in using for cell in c.cells)
        if join.args.get("on") is not None:
            widened = _widened(scope, [(alias, c) for c in right.columns])
            filters |= self._decided_by(join.args["on"], widened, ctes)
        if join.kind.upper() in {"SEMI", "ANTI"}:
            scope.tables[alias] = Known((), right.tables)
        else:
            scope.columns += [(alias, c) for c in right.columns if c.name not in using]
        return filters

    def _table(self, table: exp.Expr, scope: Scope, ctes: Mapping[str, Known]) -> frozenset[Cell]:
        """Add a table to the scope; return what decides which rows it has."""
        if any(table.args.get(part) for part in ("pivots", "sample", "version", "when")):
            raise Unsure
        dataset = dataset_of(table)
        if isinstance(table, exp.Subquery):
            known = self.query(table.this, ctes, scope)
        elif isinstance(table, exp.Table) and not table.db and table.name.lower() in ctes:
            known = ctes[table.name.lower()]
        elif dataset in self._inputs:
            known = self._input(str(dataset))
            scope.datasets[_name(table)] = str(dataset)
        else:
            raise Unsure
        name = _name(table)
        if name in scope.tables:
            raise Unsure
        scope.tables[name] = _renamed(known, table)
        return known.filters

    def _input(self, dataset: str) -> Known:
        names = self._inputs[dataset].names
        columns = tuple(Column(n.lower(), frozenset({(dataset, n)}), n) for n in names)
        return Known(columns, frozenset({dataset}))

    def _projected(self, projection: exp.Expr, scope: Scope, ctes: Mapping[str, Known]) -> list[Column]:
        star = projection if isinstance(projection, exp.Star) else projection.this if projection.is_star else None
        if star is not None:
            if not isinstance(star, exp.Star) or not isinstance(projection, exp.Star | exp.Column):
                raise Unsure  # COLUMNS(*) and the like: how many columns there are isn't known
            return self._starred(star, projection, scope, ctes)
        name = projection.alias_or_name.lower() if isinstance(projection, exp.Alias | exp.Column) else None
        sql = projection.unalias().sql(dialect="duckdb", comments=False)
        try:
            cells, partial = self._cells(projection.unalias(), scope, ctes)
        except Unsure:
            cells, partial = scope.rows, True
        return [Column(name, cells, sql, partial)]

    def _starred(self, star: exp.Star, projection: exp.Expr, scope: Scope, ctes: Mapping[str, Known]) -> list[Column]:
        table = projection.table.lower() if isinstance(projection, exp.Column) else ""
        if table and table not in scope.tables:
            raise Unsure
        columns = list(scope.tables[table].columns) if table else [c for _, c in scope.columns]
        left_out = {_lower(e) for e in star.args.get("except_") or ()}
        shown = [c for c in columns if c.name is None or not (is_system(c.name) or c.name in left_out)]
        shown = [replace(c, sql=c.name or c.sql) for c in shown]
        for one in star.args.get("replace") or ():
            (made,) = self._projected(one, scope, ctes)
            shown = [made if c.name == made.name else c for c in shown]
        renamed = {_lower(one.this): one.alias.lower() for one in star.args.get("rename") or ()}
        return [replace(c, name=renamed.get(c.name or "", c.name)) for c in shown]

    def _cells(self, node: exp.Expr, scope: Scope, ctes: Mapping[str, Known]) -> tuple[frozenset[Cell], bool]:
        """The cells that an expression's value depends on, and whether some can't be told."""
        if isinstance(node, exp.Lambda | exp.Comprehension | exp.Columns | exp.Placeholder):
            raise Unsure
        if isinstance(node, exp.Query):
            known = self.query(node, ctes, scope)
            cells = known.filters.union(*(c.cells for c in known.columns))
            return cells | {(t, "*") for t in known.tables}, any(c.partial for c in known.columns)
        if isinstance(node, exp.Column) and not isinstance(node.this, exp.Star):
            return self._column(node, scope)
        if isinstance(node, exp.Star) or (isinstance(node, exp.Column) and isinstance(node.this, exp.Star)):
            return scope.rows, False
        parts = [self._cells(child, scope, ctes) for child in node.iter_expressions()]
        return frozenset(c for cells, _ in parts for c in cells), any(partial for _, partial in parts)

    def _column(self, column: exp.Column, scope: Scope) -> tuple[frozenset[Cell], bool]:
        path = [part.name.lower() for part in column.parts]
        here: Scope | None = scope
        while here is not None:
            found = _resolve(path, here)
            if found is not None:
                return frozenset(c for one in found for c in one.cells), any(one.partial for one in found)
            here = here.outer
        raise Unsure


def _widened(scope: Scope, more: list[tuple[str, Column]]) -> Scope:
    """A scope as it is within a join's condition, where the right table's columns can be named."""
    return Scope(scope.tables, scope.datasets, [*scope.columns, *more], scope.aliases, scope.outer)


def _resolve(path: list[str], scope: Scope) -> list[Column] | None:
    """What a name means in one scope: a column before an alias, a table's column before a structure's field."""
    first, *rest = path
    if rest and len(path) >= 3 and f"{first}.{rest[0]}" == scope.datasets.get(rest[0]):  # noqa: PLR2004 - zone, name, column
        return _of_table(scope, rest[0], rest[1])
    if rest and first in scope.tables:
        return _of_table(scope, first, rest[0])
    found = [c for _, c in scope.columns if c.name == first]
    if len(found) > 1:
        raise Unsure
    if found:
        return found
    if first in scope.aliases:
        return [scope.aliases[first]]
    return list(scope.tables[first].columns) if not rest and first in scope.tables else None


def _of_table(scope: Scope, table: str, name: str) -> list[Column]:
    found = [c for c in scope.tables[table].columns if c.name == name]
    if len(found) != 1:
        raise Unsure
    return found


def _combined(node: exp.SetOperation, left: Known, right: Known) -> Known:
    tables, filters = left.tables | right.tables, left.filters | right.filters
    if not isinstance(node, exp.Union):
        others = frozenset(cell for c in right.columns for cell in c.cells)
        return Known(left.columns, tables, filters | others)
    if node.args.get("by_name"):
        return Known(_by_name(left.columns, right.columns), tables, filters)
    if len(left.columns) != len(right.columns):
        raise Unsure
    pairs = zip(left.columns, right.columns, strict=True)
    return Known(tuple(_either(a, b) for a, b in pairs), tables, filters)


def _by_name(left: Iterable[Column], right: Iterable[Column]) -> tuple[Column, ...]:
    first, second = {c.name: c for c in left}, {c.name: c for c in right}
    if None in first or None in second:
        raise Unsure
    merged = [_either(c, second[name]) if name in second else c for name, c in first.items()]
    return (*merged, *(c for name, c in second.items() if name not in first))


def _either(a: Column, b: Column) -> Column:
    sql = a.sql if a.sql == b.sql else " | ".join(s for s in (a.sql, b.sql) if s)
    return Column(a.name, a.cells | b.cells, sql, a.partial or b.partial)


def _renamed(known: Known, aliased: exp.Expr) -> Known:
    alias = aliased.args.get("alias")
    names = [c.name.lower() for c in alias.columns] if isinstance(alias, exp.TableAlias) else []
    if len(names) > len(known.columns):
        raise Unsure
    kept = known.columns[len(names) :]
    return replace(known, columns=(*(replace(c, name=n) for c, n in zip(known.columns, names, strict=False)), *kept))


def _name(table: exp.Expr) -> str:
    return (table.alias_or_name or f"?{id(table)}").lower()


def _lower(node: exp.Expr | str) -> str:
    return (node if isinstance(node, str) else node.name).lower()
