"""The records of several files of one archive as those of one file, numbered one after the other."""

from collections.abc import Sequence

from backbone.engine.protocol import Session
from backbone.errors import UsageError, shown_value
from backbone.formats.archives import listed
from backbone.formats.headers import normal_header
from backbone.formats.records import Records, field_name, fresh_names


def joined(names: Sequence[str], parts: Sequence[Records], session: Session, archive: str) -> Records:
    """The records of files by their names; the columns are those of the first, by their headers.

    Raises:
        UsageError: they don't have the same headers.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    keys = [_keys(one.headers) for one in parts]
    for name, key, one in zip(names, keys, parts, strict=True):
        if set(key) != set(keys[0]):
            odd = shown_value(next(iter(set(key) ^ set(keys[0])))[0])
            raise UsageError(
                f"{archive} has several files: {listed(names)}. They have different columns: '{odd}' isn't in both "
                f"{names[0]} and {name}. Say which a source reads, by name or pattern: --member {name}"
            )
        if {key.index(keys[0][i]) for i in first.lists} != one.lists:
            raise UsageError(
                f"{archive}: a column is a list in {names[0]}, and not in {name}. Say which: --member {name}"
            )
    table, bad = fresh_names("records", "unreadable")
    rows, faults, before = [], [], 0
    for key, one in zip(keys, parts, strict=True):
        fields = ", ".join(f"{field_name(key.index(wanted))} AS {field_name(i)}" for i, wanted in enumerate(keys[0]))
        rows.append(f"SELECT _record + {before} AS _record, {fields} FROM {one.table}")
        faults.append(f"SELECT record + {before} AS record, raw, reason FROM {one.unreadable_table}")
        before += one.total
    session.execute(f"CREATE TEMP VIEW {table} AS {' UNION ALL '.join(rows)}")
    session.execute(f"CREATE TEMP VIEW {bad} AS {' UNION ALL '.join(faults)}")
    made = (f"DROP VIEW {table}", f"DROP VIEW {bad}", *(statement for one in parts for statement in one.made))
    records, unreadable = sum(one.records for one in parts), sum(one.unreadable for one in parts)
    nested = any(one.nested for one in parts)
    return Records(first.headers, table, bad, records, unreadable, first.lists, _domains(keys, parts), nested, made)


def _keys(headers: Sequence[str]) -> list[tuple[str, int]]:
    """Headers as they are compared, each with how many of its kind come before it."""
    names = [normal_header(header) for header in headers]
    return [(name, names[:i].count(name)) for i, name in enumerate(names)]


def _domains(keys: Sequence[list[tuple[str, int]]], parts: Sequence[Records]) -> tuple[str, ...]:
    """The domain of each column in typed files: that of all, `float` for numbers, else text."""
    if not all(one.domains for one in parts):
        return ()
    return tuple(
        _common({one.domains[key.index(wanted)] for key, one in zip(keys, parts, strict=True)}) for wanted in keys[0]
    )


def _common(domains: set[str]) -> str:
    if len(domains) == 1:
        return next(iter(domains))
    return (
        "float" if domains <= {"integer", "float"} else "text[]" if all(d.endswith("[]") for d in domains) else "text"
    )
