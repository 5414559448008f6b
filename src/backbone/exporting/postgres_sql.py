"""A project's domains and checks in PostgreSQL's SQL.

A check is carried over only where both are known to mean the same by it: a list of what is known, not of what isn't.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from backbone.errors import shown_value
from backbone.model.names import literal

if TYPE_CHECKING:
    from sqlglot import exp

_TYPES = {
    "text": "text", "integer": "bigint", "float": "double precision", "boolean": "boolean", "date": "date",
    "time": "time", "timestamp": "timestamp", "timestamp_tz": "timestamptz", "binary": "bytea", "json": "json",
}  # fmt: skip
_KNOWN = {
    "Column", "Identifier", "Literal", "Boolean", "Null", "Paren", "And", "Or", "Not", "EQ", "NEQ", "GT", "GTE", "LT",
    "LTE", "Is", "NullSafeEQ", "NullSafeNEQ", "In", "Between", "Add", "Sub", "Mul", "Neg", "Case", "If", "Coalesce",
    "Length", "Abs", "RegexpFullMatch", "Tuple", "Cast", "DataType", "DataTypeParam",
}  # fmt: skip
_ORDERED = {"GT", "GTE", "LT", "LTE", "Between"}
_NAMED = {"d": "0-9", "w": "0-9A-Za-z_"}


class NotCarriedError(Exception):
    """A check has something that PostgreSQL hasn't, or may mean otherwise; the message says what."""


def postgres_type(domain: str) -> str:
    """PostgreSQL's type for a domain. Its arrays have the same length everywhere, so lists of lists become JSON."""
    if domain.endswith("[]"):
        inner = domain[:-2]
        if inner.endswith("[]") or inner == "json":
            return "json"
        return "varchar[]" if inner == "text" else f"{postgres_type(inner)}[]"
    return f"numeric(18,{domain[8:-1]})" if domain.startswith("decimal(") else _TYPES[domain]


def carried(sql: str, columns: Mapping[str, str]) -> str:
    """A check in PostgreSQL's SQL.

    Args:
        sql: the check in DuckDB's.
        columns: the domains of the table's columns.

    Raises:
        NotCarriedError: it can't be carried over.
    """
    from sqlglot import exp, parse_one
    from sqlglot.errors import SqlglotError

    try:
        tree = parse_one(f"({sql}\n)", dialect="duckdb")
        for node in list(tree.walk()):
            _check(node, columns)
        for column in list(tree.find_all(exp.Column)):
            column.set("this", exp.to_identifier(_own_name(column.name, columns), quoted=True))
        return tree.transform(_translated).sql(dialect="postgres")
    except SqlglotError as error:
        raise NotCarriedError(str(error).splitlines()[0]) from error


def _own_name(name: str, columns: Mapping[str, str]) -> str:
    """A column's own spelling: DuckDB takes no account of large and small letters, PostgreSQL does."""
    return next((one for one in columns if one.lower() == name.lower()), name)


def _domains(node: "exp.Expr", columns: Mapping[str, str]) -> Iterator[str]:
    from sqlglot import exp

    for column in node.find_all(exp.Column):
        yield columns.get(_own_name(column.name, columns), "")


def _check(node: "exp.Expr", columns: Mapping[str, str]) -> None:
    """Refuse what may mean something else.

    Raises:
        NotCarriedError: it may.
    """
    from sqlglot import exp

    name = type(node).__name__
    if name not in _KNOWN:
        said = shown_value(node.sql(dialect="duckdb"))
        raise NotCarriedError(f"PostgreSQL may see `{said}` otherwise, or not know it")
    if isinstance(node, exp.Column) and (node.table or _own_name(node.name, columns) not in columns):
        raise NotCarriedError(f"{node.sql(dialect='duckdb')} is no column")
    if isinstance(node, exp.Cast) and not isinstance(node.this, exp.Literal):
        raise NotCarriedError("PostgreSQL may convert values otherwise")
    if name in _ORDERED and any(domain == "text" for domain in _domains(node, columns)) and not node.find(exp.Length):
        raise NotCarriedError("PostgreSQL may order texts otherwise")
    if isinstance(node, exp.Length) and any(domain != "text" for domain in _domains(node, columns)):
        raise NotCarriedError("PostgreSQL counts the entries of a list otherwise")


def _translated(node: "exp.Expr") -> "exp.Expr":
    from sqlglot import exp

    if not isinstance(node, exp.RegexpFullMatch):
        return node
    if not isinstance(node.expression, exp.Literal) or node.args.get("options"):
        raise NotCarriedError("PostgreSQL may read the regular expression otherwise")
    pattern = exp.Literal.string(f"^(?:{_pattern(node.expression.name)})$")
    return exp.paren(exp.RegexpLike(this=node.this.copy(), expression=pattern))


def _pattern(pattern: str) -> str:
    r"""A regular expression of RE2 in PostgreSQL's dialect.

    Example:
        >>> _pattern(r"[A-Z\d]{2}\.x.")
        '[A-Z0-9]{2}\\.x[^\\n]'

    Raises:
        NotCarriedError: it has what PostgreSQL hasn't, or reads otherwise.
    """
    written, within = [], False
    for part in re.findall(r"\\.|\(\?:|\(\?|\[\^?\]?|.", pattern, re.DOTALL):
        if part == "(?" or (within and part.startswith("[")) or part == "\\":
            raise NotCarriedError(f"PostgreSQL may read the regular expression {literal(pattern)} otherwise")
        if part.startswith("["):
            within = True
        elif part == "]":
            within = False
        if part[0] == "\\" and part[1:].isalnum():
            named = _NAMED.get(part[1:])
            if named is None:
                raise NotCarriedError(f"PostgreSQL may read {part} in a regular expression otherwise")
            written.append(named if within else f"[{named}]")
        else:
            written.append("[^\\n]" if part == "." and not within else part)
    return "".join(written)
