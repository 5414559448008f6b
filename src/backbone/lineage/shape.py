"""The shape of a query: which datasets its outermost SELECT reads, how they are joined, and what its keys are made of.

Everything here is careful rather than clever: what can't be proved is None, and the caller does the whole work.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from backbone.lineage.aggregates import AGGREGATES
from backbone.model.relations import Relation

How = Literal["first", "inner", "left", "right", "full", "semi", "anti", "comma", "other"]
_VOLATILE = frozenset(
    [
        "random",
        "uuid",
        "gen_random_uuid",
        "uuidv4",
        "uuidv7",
        "now",
        "today",
        "current_date",
        "current_time",
        "current_timestamp",
        "get_current_timestamp",
        "get_current_time",
        "localtime",
        "localtimestamp",
        "transaction_timestamp",
        "nextval",
        "setseed",
    ]
)
_VOLATILE_NODES = (
    exp.Rand, exp.Randn, exp.Uuid, exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp, exp.Localtime,
    exp.Localtimestamp,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """One table of a FROM: the name it goes by, its dataset (None: anything else), and how it is joined."""

    alias: str
    dataset: str | None
    how: How
    using: tuple[str, ...] = ()
    on: exp.Expr | None = None
    table: exp.Expr | None = None


@dataclass(frozen=True, slots=True)
class Shape:
    """A query that is one SELECT (with or without CTEs), and the tables of its FROM in order."""

    select: exp.Select
    sources: tuple[Source, ...]

    def of(self, dataset: str) -> tuple[Source, ...]:
        """The sources that are this dataset."""
        return tuple(s for s in self.sources if s.dataset == dataset)

    def may_miss(self, source: Source) -> bool:
        """Whether an outer join may leave this source's columns null."""
        i = self.sources.index(source)
        return source.how in {"left", "full"} or any(s.how in {"right", "full"} for s in self.sources[i + 1 :])

    @property
    def has_subtotals(self) -> bool:
        """Whether rows are grouped in several ways at once, so that a key may be null for *all*."""
        group = self.select.args.get("group")
        return group is not None and group.find(exp.Rollup, exp.Cube, exp.GroupingSets) is not None

    def joined(self, *hows: How) -> bool:
        """Whether a source is joined in one of these ways."""
        return any(s.how in hows for s in self.sources)


@lru_cache(maxsize=1024)
def parse(query: str) -> exp.Expr | None:
    """The query as an AST, not to be changed, or None where sqlglot can't read it. Several look at each query."""
    try:
        return parse_one(query, dialect="duckdb")
    except (SqlglotError, RecursionError):
        return None


@lru_cache(maxsize=1024)
def read_shape(query: str) -> Shape | None:
    """The shape of a query, or None where it isn't a single SELECT with a FROM."""
    tree = parse(query)
    start = tree.args.get("from_") if isinstance(tree, exp.Select) else None
    if not isinstance(tree, exp.Select) or start is None:
        return None
    joins = [*(start.this.args.get("joins") or ()), *(tree.args.get("joins") or ()), *(tree.args.get("laterals") or ())]
    sources = (_source(start.this, "first"), *(_joined(j) for j in joins))
    names = [s.alias for s in sources]
    return Shape(tree, sources) if len(set(names)) == len(names) else None


def dataset_of(table: exp.Expr) -> str | None:
    """`zone.name` of a table in a query, or None where it names no dataset."""
    if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier):
        return None
    return f"{table.db}.{table.name}".lower() if table.db and not table.catalog else None


def count_reads(tree: exp.Expr, dataset: str) -> int:
    """How often a query names a dataset, subqueries and CTEs included."""
    return sum(dataset_of(t) == dataset for t in tree.find_all(exp.Table))


def own_nodes(root: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes of a SELECT or expression without those of its subqueries and CTEs."""
    for node in root.walk(prune=lambda n: n is not root and isinstance(n, exp.Query | exp.CTE)):
        if node is root or not isinstance(node, exp.Query | exp.CTE):
            yield node


def is_volatile(tree: exp.Expr) -> bool:
    """Whether a query's result depends on more than its inputs, such as the time."""
    return any(
        isinstance(n, _VOLATILE_NODES)
        or (isinstance(n, exp.Anonymous) and n.name.lower() in _VOLATILE)
        or (isinstance(n, exp.Column) and not n.table and n.name.lower() in _VOLATILE)
        for n in tree.walk()
    )


def conjuncts(condition: exp.Expr | None) -> tuple[exp.Expr, ...]:
    """The parts of a condition that must all be true."""
    node = condition.this if isinstance(condition, exp.Where) else condition
    if node is None:
        return ()
    node = node.unnest()
    return tuple(c for part in node.flatten() for c in conjuncts(part)) if isinstance(node, exp.And) else (node,)


def owner(shape: Shape, column: exp.Column, relations: Mapping[str, Relation]) -> Source | None:
    """The source that a column belongs to, or None where that isn't sure."""
    name, table = column.name.lower(), column.table.lower()
    if table:
        found = [s for s in shape.sources if s.alias == table and _has(s, name, relations) is not False]
        wanted = f"{column.db}.{table}".lower() if column.db else None
        return next((s for s in found if wanted is None or s.dataset == wanted), None)
    having = [s for s in shape.sources if s.how not in {"semi", "anti"}]
    if any(_has(s, name, relations) is None for s in having):
        return None
    having = [s for s in having if _has(s, name, relations)]
    merged = all(name in s.using for s in having[1:])
    return having[0] if having and merged else None


def key_expressions(
    shape: Shape, key: tuple[str, ...], relations: Mapping[str, Relation]
) -> dict[str, exp.Expr] | None:
    """The expression over input rows that makes each key column, or None where one isn't such an expression."""
    found = {column: _projected(shape, column.lower(), relations) for column in key}
    return {c: e for c, e in found.items() if e is not None} if all(found.values()) else None


def _projected(shape: Shape, column: str, relations: Mapping[str, Relation]) -> exp.Expr | None:
    own = [p for p in shape.select.expressions if isinstance(p, exp.Alias | exp.Column) and not p.is_star]
    named = [p for p in own if p.alias_or_name.lower() == column]
    if len(named) == 1:
        expression = named[0].unalias()
        return expression if _is_row_wise(expression) else None
    stars = [p for p in shape.select.expressions if p.is_star]
    if (
        named
        or len(stars) != 1
        or any((stars[0].find(exp.Star) or stars[0]).args.get(a) for a in ("replace", "rename"))
    ):
        return None
    table = stars[0].table if isinstance(stars[0], exp.Column) else None
    plain = exp.column(exp.to_identifier(column, quoted=True), table=table or None)
    return plain if isinstance(stars[0], exp.Star | exp.Column) and owner(shape, plain, relations) else None


def _is_row_wise(expression: exp.Expr) -> bool:
    refused = (exp.AggFunc, exp.Window, exp.Query, exp.Unnest, exp.Explode, exp.Columns, exp.Star)
    return expression.find(*refused) is None and not has_aggregate(expression) and not is_volatile(expression)


def expression_over(
    shape: Shape, source: Source, expression: exp.Expr, relations: Mapping[str, Relation]
) -> exp.Expr | None:
    """An expression rewritten over the columns of one source alone, named `t`, by what its joins say is equal; or None.

    For a source that an outer join may leave out (`left`), only columns of the tables before it are replaced by its
    own: where it is matched they are equal.
    """
    same = _equals(shape, relations)
    copy = expression.copy()
    holder = exp.Paren(this=copy)
    for column in list(holder.find_all(exp.Column)):
        here = owner(shape, column, relations)
        name = _reach(here, column.name.lower(), source, same) if here else None
        if name is None:
            return None
        column.replace(exp.column(exp.to_identifier(name, quoted=True), table="t"))
    return holder.this if expression.find(exp.Column) else None


def has_aggregate(node: exp.Expr) -> bool:
    """Whether an expression, or a SELECT apart from its subqueries, computes over several rows (windows apart)."""
    return any(
        isinstance(n, exp.AggFunc) or (isinstance(n, exp.Anonymous) and n.name.lower() in AGGREGATES)
        for n in own_nodes(node)
        if not n.find_ancestor(exp.Window)
    )


def _source(table: exp.Expr, how: How, using: tuple[str, ...] = (), on: exp.Expr | None = None) -> Source:
    plain = isinstance(table, exp.Table) and not any(table.args.get(a) for a in ("pivots", "sample", "when", "version"))
    return Source(
        alias=(table.alias_or_name or f"?{id(table)}").lower(),
        dataset=dataset_of(table) if plain else None,
        how=how if plain or isinstance(table, exp.Subquery) else "other",
        using=using,
        on=on,
        table=table,
    )


def _joined(join: exp.Expr) -> Source:
    if not isinstance(join, exp.Join):
        return _source(join, "other")
    using = tuple(c.name.lower() for c in join.args.get("using") or ())
    return _source(join.this, _how(join), using, join.args.get("on"))


def _how(join: exp.Join) -> How:
    if join.method or not isinstance(join.this, exp.Table | exp.Subquery):
        return "other"
    side, kind = join.side.upper(), join.kind.upper()
    if kind in {"SEMI", "ANTI"}:
        return "semi" if kind == "SEMI" else "anti"
    if side in {"LEFT", "RIGHT", "FULL"}:
        return side.lower()  # type: ignore[return-value]  # one of the three
    return "inner" if join.args.get("on") or join.args.get("using") else "comma"


def _has(source: Source, column: str, relations: Mapping[str, Relation]) -> bool | None:
    if source.dataset is None or source.dataset not in relations:
        return None
    return column in {n.lower() for n in relations[source.dataset].names}


_Cell = tuple[str, str]


def _equals(shape: Shape, relations: Mapping[str, Relation]) -> set[tuple[_Cell, _Cell]]:
    """Pairs `(a, b)` of columns such that a's value can be read from b's wherever b's row takes part."""
    pairs: set[tuple[_Cell, _Cell]] = set()
    for i, source in enumerate(shape.sources):
        both = source.how in {"inner", "comma"}
        for left, right in _conditions(shape, i, relations):
            if source.how in {"inner", "left", "semi", "anti", "comma"}:
                pairs.add((left, right))
            if both:
                pairs.add((right, left))
    return pairs


def _conditions(shape: Shape, i: int, relations: Mapping[str, Relation]) -> Iterator[tuple[_Cell, _Cell]]:
    source = shape.sources[i]
    for name in source.using:
        before = next((s for s in shape.sources[:i] if _has(s, name, relations)), None)
        if before and _same_domain((before, name), (source, name), relations):
            yield (before.alias, name), (source.alias, name)
    condition = source.on or (shape.select.args.get("where") if source.how == "comma" else None)
    for part in conjuncts(condition):
        if isinstance(part, exp.EQ) and isinstance(part.this, exp.Column) and isinstance(part.expression, exp.Column):
            a, b = (owner(shape, c, relations) for c in (part.this, part.expression))
            cells = {part.this: a, part.expression: b}
            for here, there in ((part.this, part.expression), (part.expression, part.this)):
                left, right = cells[here], cells[there]
                if (
                    left
                    and right is source
                    and left is not source
                    and _same_domain((left, here.name.lower()), (source, there.name.lower()), relations)
                ):
                    yield (left.alias, here.name.lower()), (source.alias, there.name.lower())


def _same_domain(a: tuple[Source, str], b: tuple[Source, str], relations: Mapping[str, Relation]) -> bool:
    domains = [_domains(relations.get(s.dataset or "")).get(name) for s, name in (a, b)]
    return domains[0] is not None and domains[0] == domains[1]


def _domains(relation: Relation | None) -> dict[str, str]:
    return {a.name.lower(): a.domain for a in relation.attributes} if relation else {}


def _reach(here: Source, name: str, source: Source, same: set[tuple[_Cell, _Cell]]) -> str | None:
    """The column of `source` whose value is that of `here.name`, following equalities."""
    seen = {(here.alias, name)}
    frontier = list(seen)
    while frontier:
        cell = frontier.pop()
        if cell[0] == source.alias:
            return cell[1]
        new = {b for a, b in same if a == cell} - seen
        seen |= new
        frontier += new
    return None
