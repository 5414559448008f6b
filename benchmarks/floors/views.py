"""Trivial views by hand in a DuckLake, in one transaction: `views.py first N`, `… changed I`, `… nothing`.

`first` makes N tables in chains of ten that read each other; `changed` makes table I again with what reads it.
`nothing` compares the bytes of all files with digests of the last time, and the lake's last snapshot: no engine.
"""

import hashlib
import json
import sqlite3
import sys
from pathlib import Path

DIGESTS = Path("digests.json")


def make(numbers: range, *, first: bool, plus: int = 1) -> None:
    """Make tables in one transaction."""
    from lake import opened  # type: ignore[import-not-found] # a script beside this one

    connection = opened()
    connection.execute("BEGIN")
    if first:
        connection.execute("CREATE TABLE lake.one AS FROM read_csv('data/one.csv')")
    for i in numbers:
        read = "one" if i % 10 == 0 else f"v{i - 1}"
        if not first:
            connection.execute(f"DROP TABLE lake.v{i}")
        connection.execute(
            f"CREATE TABLE lake.v{i} AS SELECT n + {plus if i == numbers[0] else 1} AS n FROM lake.{read}"
        )
    connection.execute("COMMIT")
    connection.close()
    DIGESTS.write_text(json.dumps(digests()))


def digests() -> dict[str, str]:
    """A digest of each file of the project, and the lake's last snapshot."""
    found = {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(Path("exploitation").iterdir())
    }
    with sqlite3.connect("file:catalogue.sqlite?mode=ro", uri=True) as catalogue:
        last = catalogue.execute("SELECT max(snapshot_id) FROM ducklake_snapshot").fetchone()[0]
    return found | {"snapshot": str(last)}


def main(what: str, number: str = "0") -> None:
    """Do one of the three."""
    n = int(number)
    if what == "first":
        make(range(n), first=True)
    elif what == "changed":
        make(range(n, n - n % 10 + 10), first=False, plus=2)
    elif json.loads(DIGESTS.read_text()) != digests():
        sys.exit("something has changed")


if __name__ == "__main__":
    main(*sys.argv[1:])
