"""The columns of queries, as far as they can be known without running them: no false alarms, some silence."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from backbone.errors import Problem
from backbone.model.names import ZONES
from backbone.project.catalogue import SYSTEM_COLUMNS, Catalogue, Domains, missing_column
from backbone.project.sql import Parsed

if TYPE_CHECKING:
    from sqlglot import exp

Scope = dict[str, Domains | None]
"""What a query reads, by alias."""


def output_columns(query: "exp.Expr", catalogue: Catalogue, ctes: Scope | None = None) -> Domains | None:
    """The columns that a SELECT returns, or None where they can't be known."""
    from sqlglot import exp

    known = dict(ctes or {})
    for cte in query.ctes if isinstance(query, exp.Query) else ():
        names = cte.args["alias"].columns
        known[cte.alias.lower()] = None if names else output_columns(cte.this, catalogue, known)
    if isinstance(query, exp.Subquery):
        return output_columns(query.this, catalogue, known)
    if isinstance(query, exp.SetOperation):
        left = output_columns(query.this, catalogue, known)
        if not query.args.get("by_name") or left is None:
            return left
        right = output_columns(query.expression, catalogue, known)
        return None if right is None else {**right, **left}
    if not isinstance(query, exp.Select) or query.args.get("laterals") or query.find(exp.Columns, exp.Pivot):
        return None
    return _projected(query, read_sources(query, catalogue, known))


def _projected(query: "exp.Select", sources: Scope) -> Domains | None:
    from sqlglot import exp

    columns: dict[str, str] = {}
    for projection in query.expressions:
        if isinstance(projection, exp.Star):
            found = _star(projection, list(sources.values()))
        elif isinstance(projection, exp.Column) and isinstance(projection.this, exp.Star):
            found = _star(projection.this, [sources.get(projection.table.lower())])
        elif projection.output_name:
            found = {projection.output_name: domain_of(projection, sources)}
        else:
            return None
        if found is None:
            return None
        columns |= found
    return columns


def _star(star: "exp.Star", sources: list[Domains | None]) -> Domains | None:
    if star.args.get("rename") or not sources:
        return None
    excepted = {part.name.lower() for part in star.args.get("except_") or ()}
    columns: dict[str, str] = {}
    for source in sources:
        if source is None:
            return None
        columns |= {name: domain for name, domain in source.items() if name.lower() not in excepted}
    for replaced in star.args.get("replace") or ():
        columns[replaced.alias] = ""
    return columns


def domain_of(projection: "exp.Expr", sources: Scope) -> str:
    """The domain of a column that passes unchanged; else it isn't known."""
    from sqlglot import exp

    column = projection.unalias()
    if not isinstance(column, exp.Column):
        return ""
    candidates = [sources.get(column.table.lower())] if column.table else list(sources.values())
    domains = {(source or {}).get(column.name, "") for source in candidates} - {""}
    return domains.pop() if len(domains) == 1 else ""


def read_sources(query: "exp.Select", catalogue: Catalogue, ctes: Scope) -> Scope:
    """What a SELECT reads, by alias, with the columns of each as far as they are known."""
    from sqlglot import exp

    start = query.args.get("from_")
    joins = query.args.get("joins") or ()
    sources: Scope = {}
    for number, source in enumerate([*([start.this] if start else ()), *(join.this for join in joins)]):
        name = (source.alias_or_name or f"?{number}").lower()
        columns: Domains | None = None
        alias = source.args.get("alias")
        if source.args.get("joins") or (alias and alias.columns):
            pass
        elif isinstance(source, exp.Table) and isinstance(source.this, exp.Identifier):
            columns = catalogue.columns(f"{source.db}.{source.name}") if source.db else ctes.get(source.name.lower())
        elif isinstance(source, exp.Subquery):
            columns = output_columns(source, catalogue, ctes)
        sources[name] = columns
    for join in joins:
        # A semi or anti join shows the columns of its left side alone.
        if join.kind in {"SEMI", "ANTI"}:
            sources.pop(join.this.alias_or_name.lower(), None)
    return sources


def check_query_columns(parsed: Parsed, catalogue: Catalogue, own: Domains | None, problems: list[Problem]) -> None:
    """Note columns of a query that nothing it reads can have.

    A name is taken for right where any input, alias or other name in the query could provide it. `own` are the columns
    of a dataset that the query calls `view`.
    """
    from sqlglot import exp

    used = [column for column in parsed.all(exp.Column) if isinstance(column.this, exp.Identifier)]
    if not used or parsed.all(exp.Pivot, exp.Columns, exp.Unnest, exp.Lateral, exp.Values):
        return
    tables: Scope = {}
    for table in parsed.all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            return
        alias, columns = table.alias_or_name.lower(), _read(table, catalogue, own)
        names = table.args.get("alias")
        if names and names.columns:
            columns = None
        # One alias may stand for two tables in different subqueries: then either's columns are right.
        tables[alias] = (
            {**(tables[alias] or {}), **columns} if alias in tables and columns and tables[alias] else columns
        )
    made, origins = _made(parsed), _origins(parsed)
    for column in used:
        _check(column, tables, made, parsed, origins, problems)


def _read(table: "exp.Table", catalogue: Catalogue, own: Domains | None) -> Domains | None:
    if table.db:
        return catalogue.columns(f"{table.db}.{table.name}")
    # A CTE's columns come from its tables and aliases, which are looked at themselves.
    return own if table.name == "view" else {}


def _made(parsed: Parsed) -> set[str]:
    """All names that a query itself makes, in lower case."""
    from sqlglot import exp

    made = {"all", "this"}
    for node in parsed.all(
        exp.Alias, exp.TableAlias, exp.CTE, exp.PropertyEQ, exp.Kwarg, exp.Lambda, exp.Comprehension
    ):
        made.add(node.alias.lower() if not isinstance(node, exp.TableAlias) else node.name.lower())
        made.update(part.name.lower() for part in node.iter_expressions() if isinstance(part, exp.Identifier))
        if isinstance(node, (exp.PropertyEQ, exp.Kwarg, exp.Comprehension)):
            made.add(node.this.name.lower())
    return made


def _check(
    column: "exp.Column",
    tables: Scope,
    made: set[str],
    parsed: Parsed,
    origins: Mapping[str, set[str]],
    problems: list[Problem],
) -> None:
    identifiers = column.parts
    if len(identifiers) > 2 and identifiers[0].name in ZONES and identifiers[1].name.lower() in tables:  # noqa: PLR2004  zone.name.column
        identifiers = identifiers[1:]
    parts = [part.name for part in identifiers]
    qualifier = parts[0].lower() if len(parts) > 1 else ""
    name = parts[1] if qualifier in tables else parts[0]
    lowered = name.lower()
    if lowered in made or lowered in SYSTEM_COLUMNS or "(" in name:
        return
    candidates = {qualifier: tables[qualifier]} if qualifier in tables else tables
    if qualifier in made and qualifier not in tables:
        return
    known: dict[str, str] = {}
    for columns in candidates.values():
        if columns is None or (qualifier in tables and not columns):
            return
        known |= columns
    if lowered in {k.lower() for k in known} | set(tables) or not known:
        return
    where = f"what {qualifier} stands for" if qualifier in tables else "any dataset that is read here"
    if len(candidates) == 1:
        datasets = origins.get(next(iter(candidates)), set())
        where = next(iter(datasets)) if len(datasets) == 1 else where
    shown = identifiers[1] if qualifier in tables else identifiers[0]
    problems.append(parsed.place(shown).problem(missing_column(name, known, where)))


def _origins(parsed: Parsed) -> dict[str, set[str]]:
    """What each alias stands for."""
    from sqlglot import exp

    found: dict[str, set[str]] = {}
    for table in parsed.all(exp.Table):
        named = f"{table.db}.{table.name}" if table.db else table.name
        found.setdefault(table.alias_or_name.lower(), set()).add(named)
    return found
