"""Tables and queries of databases, a JSON object a row: exact numbers and texts, and NULL told from the empty text.

With a cursor column only what is new is fetched. A value of it may come again in rows that are committed later, so that
rows are asked for from the last value on, that one included, and those of them that have landed are left out: they are
known by their digests.
"""

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import date, datetime
from datetime import time as time_of_day
from hashlib import blake2b
from math import isfinite
from pathlib import Path
from typing import Any, Protocol

from backbone.connectors.fetching import Fetched, Note, Question, secret_parts
from backbone.errors import OriginError

_TOLD_EVERY_SECONDS = 0.5


class Reading(Protocol):
    """A database as it is at one moment."""

    mark: str
    binary: str

    def rows(
        self, query: str, values: Sequence[object] = ()
    ) -> AbstractContextManager[tuple[list[str], Iterable[Any]]]:
        """The names of a query's columns, and its rows as they come."""


@dataclass(slots=True)
class _Cursor:
    """Where the cursor stands: the last value, and how often each row with it was seen."""

    value: Any = None
    seen: Counter[str] = field(default_factory=Counter)

    def take(self, value: Any, digest: str) -> None:
        if value != self.value:
            self.value, self.seen = value, Counter()
        self.seen[digest] += 1


def fetch_rows(question: Question, part: Path, note: Note) -> Fetched | None:
    """Write the new rows of a table or query to a file; None where there are none.

    Raises:
        OriginError: the database can't be reached, or refuses.
    """
    parts = secret_parts(question)
    name = f"{parts['table'].rpartition('.')[2]}.ndjson" if "table" in parts else "query.ndjson"
    name = name.replace("/", "_").lstrip(".")
    with _opened(parts, question) as reading:
        if "cursor" not in parts:
            rows = _write(_lines(reading, f"SELECT * FROM {_relation(parts)}"), part, question, note)
            if not rows and question.memory is not None:
                raise OriginError(f"{question.told} has no rows any more. What has landed stays as it was")
            return Fetched(name, "{}") if rows else None
        known = json.loads(question.memory) if question.memory else None
        now = _Cursor()
        rows = _write(_new_lines(reading, parts, known, now, question), part, question, note)
    return Fetched(name, json.dumps({"value": now.value, "seen": now.seen})) if rows else None


def _opened(parts: Mapping[str, str], question: Question) -> AbstractContextManager[Reading]:
    if "sqlite" in parts:
        from backbone.connectors.sqlite_origin import reading_sqlite

        return reading_sqlite(question.root / parts["sqlite"], question.told)
    from backbone.connectors.postgres_origin import reading_postgres

    return reading_postgres(parts["postgres"], question.told)


def _relation(parts: Mapping[str, str]) -> str:
    if "table" in parts:
        return ".".join(_quoted(name) for name in parts["table"].split("."))
    return f"({parts['query'].rstrip().rstrip(';')}) AS q"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _lines(reading: Reading, query: str, values: Sequence[object] = ()) -> Iterator[str]:
    with reading.rows(query, values) as (names, rows):
        for row in rows:
            yield _line(names, row)


def _line(names: Sequence[str], row: Sequence[Any]) -> str:
    return json.dumps(dict(zip(names, map(plain, row), strict=True)), ensure_ascii=False)


def _new_lines(
    reading: Reading, parts: Mapping[str, str], known: Any, now: _Cursor, question: Question
) -> Iterator[str]:
    """The rows from the last value of the cursor on that have not landed."""
    relation, column = _relation(parts), _quoted(parts["cursor"])
    with reading.rows(f"SELECT count(*) FROM {relation} WHERE {column} IS NULL") as (_, counted):
        ((nulls,),) = counted
    if nulls:
        raise OriginError(
            f"{question.told}: `{parts['cursor']}` is null in {nulls:,} of its rows, which would never be fetched. "
            "Name a cursor that each row has, or none: then all rows are fetched each time"
        )
    where, values = (f" WHERE {column}{reading.binary} >= {reading.mark}", [known["value"]]) if known else ("", [])
    query = f"SELECT * FROM {relation}{where} ORDER BY {column}{reading.binary}"
    landed = Counter(known["seen"]) if known else Counter[str]()
    with reading.rows(query, values) as (names, rows):
        if parts["cursor"] not in names:
            raise OriginError(f"{question.told} has no column '{parts['cursor']}'. It has: {', '.join(names)}")
        at = names.index(parts["cursor"])
        for row in rows:
            line = _line(names, row)
            digest = blake2b(line.encode(), digest_size=12).hexdigest()
            now.take(plain(row[at]), digest)
            if landed[digest] > 0:
                landed[digest] -= 1
            else:
                yield line


def _write(lines: Iterable[str], part: Path, question: Question, note: Note) -> int:
    """Write lines to a file; returns how many."""
    rows, told = 0, time.monotonic()
    with part.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(f"{line}\n")
            rows += 1
            if time.monotonic() - told > _TOLD_EVERY_SECONDS:
                told = time.monotonic()
                note(f"{question.told}, {rows:,} rows")
    return rows


def plain(value: Any) -> Any:  # noqa: PLR0911 - a table
    """A database's value as JSON has it: what JSON can't hold exactly becomes the text of it, bytes hexadecimal."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if isfinite(value) else str(value)
        case datetime() | date() | time_of_day():
            return value.isoformat()
        case bytes() | memoryview():
            return bytes(value).hex()
        case list() | tuple():
            return [plain(one) for one in value]
        case dict():
            return {str(key): plain(one) for key, one in value.items()}
    return str(value)
