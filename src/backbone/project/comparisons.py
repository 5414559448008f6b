"""Columns that a query compares with each other, whose domains don't fit: found before a run stumbles over a value."""

from typing import TYPE_CHECKING

from backbone.project.catalogue import Catalogue
from backbone.project.columns import Scope, domain_of, output_columns, read_sources
from backbone.project.sql import Parsed

if TYPE_CHECKING:
    from sqlglot import exp

    from backbone.errors import Problem

_TEXT = ("text", "json")


def check_compared_domains(parsed: Parsed, catalogue: Catalogue, problems: "list[Problem]") -> None:
    """Note each equality of a text column with one that is no text: DuckDB would read every text as the other's domain.

    One text that can't be read so fails the view, and `007` equals 7.
    """
    from sqlglot import exp

    ctes: Scope = {cte.alias.lower(): output_columns(cte.this, catalogue) for cte in parsed.all(exp.CTE)}
    for select in parsed.all(exp.Select):
        joins = select.args.get("joins") or ()
        if not joins:
            continue
        sources = read_sources(select, catalogue, ctes)
        conditions = [join.args.get("on") for join in joins] + [select.args.get("where")]
        for condition in filter(None, conditions):
            for equal in condition.find_all(exp.EQ):
                if equal.find_ancestor(exp.Select) is select:
                    _check(equal, sources, parsed, problems)
        for join in joins:
            for name in join.args.get("using") or ():
                _check_using(name, join.this.alias_or_name.lower(), sources, parsed, problems)


def _check(equal: "exp.EQ", sources: Scope, parsed: Parsed, problems: "list[Problem]") -> None:
    from sqlglot import exp

    sides = (equal.this, equal.expression)
    if not all(isinstance(side, exp.Column) for side in sides):
        return
    domains = [domain_of(side, sources) for side in sides]
    if _clash(*domains):
        text, other = sides if domains[0] in _TEXT else sides[::-1]
        first, second = (side.sql(dialect="duckdb") for side in sides)
        hint = f"CAST({other.sql(dialect='duckdb')} AS VARCHAR)"
        what = f"{first} is {domains[0]} and {second} is {domains[1]}"
        problems.append(parsed.place(equal).problem(f"{what}: they can't be compared safely. Write {hint}, or give "
                                                    f"{text.name} a `type` rule in trusted"))  # fmt: skip


def _check_using(name: "exp.Expr", joined: str, sources: Scope, parsed: Parsed, problems: "list[Problem]") -> None:
    before = {(s or {}).get(name.name, "") for alias, s in sources.items() if alias != joined} - {""}
    here = (sources.get(joined) or {}).get(name.name, "")
    if len(before) == 1 and _clash(here, there := before.pop()):
        what = f"'{name.name}' is {there} on one side of the join and {here} on the other"
        problems.append(
            parsed.place(name).problem(f"{what}. Write ON with a CAST, or give it a `type` rule in trusted")
        )


def _clash(one: str, other: str) -> bool:
    """Whether one is text and the other something else that is known."""
    return bool(one and other) and (one in _TEXT) != (other in _TEXT)
