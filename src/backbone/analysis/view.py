"""An analysis's data view: the rows that it is about, with their labels."""

from typing import TYPE_CHECKING

from backbone.analysis.refusals import blaming, refusal
from backbone.analysis.steps import view_of
from backbone.errors import did_you_mean, shown_value
from backbone.model.names import quoted, quoted_dataset
from backbone.model.statements import bare
from backbone.model.steps import Extent, Staged, Staging

if TYPE_CHECKING:
    from backbone.engine.protocol import Session
    from backbone.model.project import Analysis
    from backbone.model.relations import Relation

TARGET = "target"
"""The column with the label: the value of the analysis's `target` expression; null where it isn't known."""


def stage_view(analysis: "Analysis", staging: Staging, session: "Session") -> Staged:
    """Materialise the view's rows with their `target`, and check key and features.

    Raises:
        DatasetError: the SQL fails, a column of `key` or `features` isn't in it, the key is null or double, it has
            no rows, or a column of its own is called `target` and is something else.
    """
    dataset = view_of(analysis)
    for extent in staging.inputs.values():
        session.show(extent)
    query = _query(analysis, session)
    with blaming(analysis, dataset, "the view"):
        written = session.write(query, staging.new_file(dataset))
    session.show(Extent(dataset, written.relation, added=written.paths, rows=written.rows))
    if not written.rows:
        raise refusal(analysis, dataset, "the view has no rows", hint="look at what it reads: backbone status")
    check_key(analysis, dataset, quoted_dataset(dataset), session)
    return Staged(dataset, written.relation, replaces=True, added=written.paths, rows=written.rows)


def check_columns(analysis: "Analysis", dataset: str, relation: "Relation") -> None:
    """Check that the key, the features and the columns that the analysis names are there.

    Raises:
        DatasetError: one isn't; the message names it and a near one.
    """
    split = analysis.split
    asked = {
        "key": analysis.key,
        "features": analysis.features,
        "fairness": analysis.fairness,
        "split": tuple(c for c in (split.column, split.stratify) if c) if split else (),
        "entity": (analysis.entity,) if analysis.entity else (),
    }
    for part, columns in asked.items():
        for column in columns:
            if column not in relation.names:
                near = did_you_mean(column, relation.names)
                raise refusal(analysis, dataset, f"{part}: column '{column}' is not in the view.{near}")


def check_key(analysis: "Analysis", dataset: str, rows: str, session: "Session") -> None:
    """Check that the key's values are there and differ, in `rows` (a table, or a query in brackets).

    Raises:
        DatasetError: with up to three examples.
    """
    key = ", ".join(quoted(c) for c in analysis.key)
    null = " OR ".join(f"{quoted(c)} IS NULL" for c in analysis.key)
    nulls = session.rows(f"SELECT count(*) FILTER ({null}), count(*) FROM {rows}")[0]
    if nulls[0]:
        raise refusal(analysis, dataset, f"key ({key}) is null in {nulls[0]:,} of {nulls[1]:,} rows")
    doubled = session.rows(
        f"SELECT {key}, count(*) AS n, count(*) OVER () FROM {rows} GROUP BY {key} HAVING n > 1 "
        f"ORDER BY n DESC, {key} LIMIT 3"
    )
    if doubled:
        shown = "; ".join(_example(analysis.key, row) for row in doubled)
        raise refusal(
            analysis, dataset, f"key ({key}) isn't unique: {doubled[0][-1]:,} values are double, such as {shown}"
        )


def _query(analysis: "Analysis", session: "Session") -> str:
    dataset = view_of(analysis)
    view = bare(analysis.view)
    with blaming(analysis, dataset, "the view"):
        relation = session.describe(view)
    check_columns(analysis, dataset, relation)
    if analysis.target is None or analysis.target.strip() == TARGET:
        return view
    if TARGET in relation.names:
        message = "a column of the view is called target, which is where the label goes"
        raise refusal(analysis, dataset, message, hint="give the column another name, or say target='target'")
    query = f"SELECT *, ({analysis.target}) AS {quoted(TARGET)} FROM ({view}\n)"
    with blaming(analysis, dataset, "target"):
        session.describe(query)
    return query


def _example(key: tuple[str, ...], row: tuple[object, ...]) -> str:
    return " ".join(f"{column}={shown_value(value)}" for column, value in zip(key, row, strict=False))
