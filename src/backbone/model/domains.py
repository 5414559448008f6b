"""Domains: the types of the canonical model, and how DuckDB spells them.

A domain is a plain string: `text`, `integer` (64 bits), `decimal(S)` (18 digits, S after the point), `float`,
`boolean`, `date`, `time`, `timestamp`, `timestamp_tz`, `binary`, `json`, or `T[]` for a list of T.
"""

import re

_SQL_TYPES = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamp_tz": "TIMESTAMP WITH TIME ZONE",
    "binary": "BLOB",
    "json": "JSON",
}
SCALAR_DOMAINS = tuple(_SQL_TYPES)
_DECIMAL = re.compile(r"decimal\((\d{1,2})\)")
_SQL_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")
DECIMAL_DIGITS = 18
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"}
_UNSIGNED = {"U" + name for name in _INTEGERS}
_OTHERS = {
    "VARCHAR": "text",
    "FLOAT": "float",
    "DOUBLE": "float",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIME": "time",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_NS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp_tz",
    "BLOB": "binary",
    "JSON": "json",
    "UUID": "text",
    "BIT": "text",
    '"NULL"': "text",
    "NULL": "text",
}


def is_domain(text: str) -> bool:
    """Whether `text` names a domain."""
    if text.endswith("[]"):
        return is_domain(text[:-2])
    match = _DECIMAL.fullmatch(text)
    return text in _SQL_TYPES or (match is not None and int(match[1]) <= DECIMAL_DIGITS)


def sql_type(domain: str) -> str:
    """DuckDB's type for a domain, such as `DECIMAL(18,2)` for `decimal(2)`."""
    if domain.endswith("[]"):
        return sql_type(domain[:-2]) + "[]"
    if match := _DECIMAL.fullmatch(domain):
        return f"DECIMAL({DECIMAL_DIGITS},{match[1]})"
    return _SQL_TYPES[domain]


def domain_of(duckdb_type: str) -> str:
    """The domain that holds a value of DuckDB's type; structures without a domain become `json`.

    HUGEINT, which every `sum` of integers has, becomes `integer`: Parquet has no 128-bit integers and DuckDB
    would write them as DOUBLE. The cast to the domain fails loudly where a value doesn't fit. A decimal with more
    digits after the point than a domain can have becomes `float`.
    """
    name = duckdb_type.strip()
    if name.endswith("[]"):
        return domain_of(name[:-2]) + "[]"
    if name in _INTEGERS | _UNSIGNED:
        return "integer"
    if match := _SQL_DECIMAL.fullmatch(name):
        return f"decimal({match[2]})" if int(match[2]) <= DECIMAL_DIGITS else "float"
    if name.startswith("ENUM"):
        return "text"
    return _OTHERS.get(name, "json")
