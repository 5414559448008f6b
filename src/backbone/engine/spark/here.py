"""What is asked of few rows is answered in this process: it costs DuckDB a millisecond, and Spark half a second."""

from dataclasses import dataclass, field
from itertools import count
from math import prod
from typing import TYPE_CHECKING, Any

from backbone.engine.duckdb.engine import FEW_ROWS
from backbone.model.names import quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from backbone.engine.duckdb.session import DuckDBSession
    from backbone.engine.spark.expressions import Node

    Action = Callable[[DuckDBSession], None]

ROWS = 10_000_000
"""A question that reads more rows than this is Spark's; whatever is written is."""
PAIRS = FEW_ROWS**2
"""So is one whose joins would give, or compare, more rows than this."""
_HASHED = {"COMPARE_EQUAL", "COMPARE_NOT_DISTINCT_FROM"}
"""Comparisons by which rows are looked up, and not each compared with each."""
_FILTERS = {"SEMI", "ANTI", "MARK", "SINGLE"}
"""Joins that give each row of their left side once at most."""
_FETCHED = "__fetched"


@dataclass(slots=True)
class Here:
    """A session of DuckDB's to which all is shown that a step on Spark sees, once something is asked of it.

    Hashes differ between engines, and ties may be broken otherwise. So what is made of few rows is made in both, in
    each from its own, and nothing is made here of what Spark made.
    """

    session: "DuckDBSession"
    told: "list[Action]" = field(default_factory=list)
    numbers: "Iterator[int]" = field(default_factory=count)

    def tell(self, action: "Action") -> None:
        """Say what the session would have been told, had it been asked before."""
        self.told.append(action)

    def execute(self, sql: str) -> None:
        """Say it of a statement."""
        self.tell(lambda session: session.execute(sql))

    def stand_in(self, name: str, columns: "Sequence[tuple[str, str]]") -> None:
        """An empty table for one that Spark alone has, so that views can name it."""
        listed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
        self.execute(f"CREATE OR REPLACE TABLE {name} ({listed})")

    def asked(self) -> "DuckDBSession":
        """The session, which knows all that it was told."""
        while self.told:
            self.told.pop(0)(self.session)
        return self.session

    def make(self, name: str, query: str) -> int:
        """Make a table, and tell its rows."""
        session = self.asked()
        session.execute(f"CREATE OR REPLACE TABLE {name} AS {query}")
        return int(session.rows(f"SELECT count(*) FROM {name}")[0][0])

    def fetch(self, query: str, form: str, reader: "DuckDBSession") -> Any:
        """See `Session`. `reader` reads it: batches are read while other things are asked."""
        name = f"{_FETCHED}{next(self.numbers)}"
        self.make(name, query)
        ((catalogue,),) = self.session.rows("SELECT current_database()")
        return reader.fetch(f"FROM {catalogue}.main.{name}", form)


def are_few(plan: "Node", rows: "Mapping[int, int | None]") -> bool:
    """Whether a query is answered here. `rows` has about how many each table has that its plan scans, by `id(scan)`."""
    known = [one for one in rows.values() if one is not None]
    total = sum(known)
    return len(known) == len(rows) and total <= ROWS and max(_given(plan, rows, total)) <= PAIRS


def _given(node: "Node", rows: "Mapping[int, int | None]", total: int) -> "list[int]":
    """How many rows an operator gives at most, and then how many each of those below it."""
    below = [_given(child, rows, total) for child in node["children"]]
    given = [one[0] for one in below]
    how = node.get("join_type")
    if how or node["type"] == "LOGICAL_CROSS_PRODUCT":
        # Who joins by equality looks a row up: about one is found, where it is a key.
        by_key = any(c["comparison"] in _HASHED for c in node.get("conditions", ()))
        pairs = max(given) if by_key else prod(max(one, 1) for one in given)
        own = [given[0], pairs] if how in _FILTERS else [pairs]
    elif node["type"] == "LOGICAL_AGGREGATE_AND_GROUP_BY" and not node["groups"]:
        own = [1]
    elif id(node) in rows:
        own = [rows[id(node)] or 0]
    else:
        own = [sum(given) if below else total]  # what reads again what others have read
    return [*own, *(one for some in below for one in some)]
