"""Column lineage: which input columns each output column of a query takes its values from.

Lineage is about values: what a WHERE, a join condition or a grouping decides is which rows there are, and isn't listed.
What a value is chosen by is (`CASE`, `FILTER`, `OVER`, subqueries). `count(*)` comes from the rows, `*`, of its tables.
Nothing is guessed: a column that can't be followed is `partial`, and where not even the columns can be told, only the
tables are.
"""

from collections.abc import Mapping

from backbone.lineage.names import Column, Unsure, Walk
from backbone.lineage.shape import parse
from backbone.model.relations import Relation
from backbone.model.steps import Origin


def column_lineage(query: str, inputs: Mapping[str, Relation], output: Relation, dataset: str) -> tuple[Origin, ...]:
    """Where the columns of a query's result come from.

    Args:
        query: a SELECT in DuckDB's dialect.
        inputs: the relations of the datasets that it reads, system columns included.
        output: the relation that it returns, as DuckDB describes it: what is found must have these columns.
        dataset: the dataset that it makes.

    Returns:
        One origin for each output column and input column, in the order of the output; one for each input, with `*`
        for both columns, where the columns can't be told.
    """
    try:
        tree = parse(query)
        known = Walk(inputs).query(tree) if tree is not None else None
    except (Unsure, RecursionError):
        known = None
    if known is None or not _fits(known.columns, output):
        return tuple(Origin(dataset, "*", name, "*", partial=True) for name in inputs)
    return tuple(
        Origin(dataset, name, table, column, found.sql, found.partial)
        for name, found in zip(output.names, known.columns, strict=True)
        for table, column in sorted(found.cells)
    )


def _fits(columns: tuple[Column, ...], output: Relation) -> bool:
    """Whether the columns found are those that DuckDB sees; it alone names expressions without an alias."""
    return len(columns) == len(output.names) and all(
        c.name is None or c.name == name.lower() for c, name in zip(columns, output.names, strict=True)
    )
