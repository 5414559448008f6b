"""Predictions: the registered model's answers for the rows that `predict` asks about, batch by batch."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from backbone.analysis.clustering import clusters_of
from backbone.analysis.features import feature_columns, frame_of, learning_of
from backbone.analysis.model_file import Model, load_model
from backbone.analysis.refusals import blaming, refusal
from backbone.analysis.selection import predict
from backbone.analysis.steps import predictions_of, sets_of, view_of
from backbone.analysis.threads import threads_for
from backbone.analysis.view import check_key
from backbone.errors import did_you_mean
from backbone.model.names import literal, quoted, quoted_dataset
from backbone.model.relations import Attribute, Relation
from backbone.model.statements import bare
from backbone.model.steps import Staged, Staging

if TYPE_CHECKING:
    from backbone.engine.protocol import Session
    from backbone.model.project import Analysis

_ROWS = 100_000
"""Rows that are prepared and predicted at a time: features are wide, answers are not."""
_ASKED, _SCORED, _ANSWERS = "__asked", "__scored", "__answers"
_ADDED = {
    "classification": (("prediction", "boolean"), ("probability", "float")),
    "regression": (("prediction", "float"),),
    "clustering": (("cluster", "integer"), ("distance", "float")),
}

_SEEN = (("model_version", "text"), ("was_in", "text"))
_ARROW = {"boolean": pa.bool_(), "float": pa.float64(), "integer": pa.int64()}


def stage_predictions(analysis: "Analysis", staging: Staging, session: "Session") -> Staged:
    """Predict with the registered model version; for a clustering, the cluster of each row of the view.

    `was_in` says which set the model has seen a row's key in: `train`, `validate`, or null.

    Raises:
        DatasetError: there is no registered model, `predict` fails or doesn't give key and features, or its key is
            null or double.
    """
    dataset = predictions_of(analysis)
    if staging.registered is None:
        raise refusal(analysis, dataset, "there is no registered model version to predict with")
    model = load_model(analysis, dataset, Path(str(staging.registered["path"])), session.learning)
    asked = _ask(analysis, staging, session, model)
    if model.library == "spark":
        _answer_there(analysis, session, model)
    else:
        session.register(_ANSWERS, pa.concat_tables(_answers(analysis, session, model)))
    query, relation = _query(analysis, model), _relation(analysis, asked)
    with blaming(analysis, dataset, f"model version {model.version}"):
        written = session.write(query, staging.new_file(dataset), relation=relation)
    if model.library == "spark":
        _check_answers(analysis, session, model, written.rows)
    note = f"model version {model.version}"
    return Staged(dataset, relation, replaces=True, added=written.paths, rows=written.rows, note=note)


def _ask(analysis: "Analysis", staging: Staging, session: "Session", model: Model) -> Relation:
    """Make the rows to answer for readable as one table, and check them."""
    dataset, view = predictions_of(analysis), view_of(analysis)
    for extent in staging.inputs.values():
        session.show(extent)
    session.execute(f"CREATE VIEW {quoted('view')} AS SELECT * FROM {quoted_dataset(view)}")
    query = bare(analysis.predict or "SELECT * FROM view")
    with blaming(analysis, dataset, "predict"):
        relation = session.describe(query)
        session.execute(f"CREATE VIEW {quoted(_ASKED)} AS {query}")
    for column in (*analysis.key, *(f.name for f in model.features)):
        if column not in relation.names:
            near = did_you_mean(column, relation.names)
            raise refusal(analysis, dataset, f"predict: column '{column}' is not in its rows.{near}")
    answered = [name for name, _ in (*_ADDED[analysis.kind], *_SEEN) if name in analysis.key]
    if answered:
        raise refusal(
            analysis, dataset, f"key column {answered[0]} is called as an answer is", hint="rename it in the view"
        )
    with blaming(analysis, dataset, "predict"):
        check_key(analysis, dataset, quoted(_ASKED), session)
    return relation


def _answers(analysis: "Analysis", session: "Session", model: Model) -> Iterator[pa.Table]:
    rows = _rows(analysis, model)
    if analysis.kind == "clustering":  # all at once: where the model keeps no centres, they are those of the rows
        yield _answer(analysis, model, session.fetch(rows, "arrow"))
        return
    yield _answer(analysis, model, session.fetch(f"{rows} LIMIT 0", "arrow"))
    for batch in session.fetch(rows, "arrow_batches"):
        for start in range(0, batch.num_rows, _ROWS):
            yield _answer(analysis, model, batch.slice(start, _ROWS))


def _rows(analysis: "Analysis", model: Model) -> str:
    key = [f"{quoted(c)} AS {quoted(f'__key_{i}')}" for i, c in enumerate(analysis.key)]
    return f"SELECT {', '.join([*feature_columns(model.features), *key])} FROM {quoted(_ASKED)}"


def _answer_there(analysis: "Analysis", session: "Session", model: Model) -> None:
    """Answers of the engine's own model, which it gives when they are written: no row comes here."""
    keys = [f"__key_{i}" for i in range(len(analysis.key))]
    with blaming(analysis, predictions_of(analysis), f"model version {model.version}"):
        rows = learning_of(session).frame(_rows(analysis, model))
        session.register(_SCORED, model.pipeline.answered(rows, keys, analysis.kind))
    decided = "" if model.threshold is None else f"answer >= {model.threshold} AS answer_0, "
    number = "answer_0" if model.threshold is None else "answer_1"
    key = "".join(f"{name} AS {name.removeprefix('__')}, " for name in keys)
    session.execute(f"CREATE VIEW {_ANSWERS} AS SELECT {key}{decided}answer AS {number} FROM {_SCORED}")


def _check_answers(analysis: "Analysis", session: "Session", model: Model, answered: int) -> None:
    """A pipeline of Spark's may leave rows out, which scikit-learn's can't."""
    asked = session.rows(f"SELECT count(*) FROM {quoted(_ASKED)}")[0][0]
    if answered != asked:
        message = f"model version {model.version} answers {answered:,} of {asked:,} rows"
        hint = "its stages may leave none out: give those that do handleInvalid='keep', and impute what is missing"
        raise refusal(analysis, predictions_of(analysis), message, hint=hint)


def _answer(analysis: "Analysis", model: Model, rows: Any) -> pa.Table:
    """Key and answers, by number: a key may be called as a feature is."""
    x = frame_of(rows, model.features)
    with threads_for(len(x)), blaming(analysis, predictions_of(analysis), f"model version {model.version}"):
        answers = _columns(analysis.kind, model, x) if len(x) else [[] for _ in _ADDED[analysis.kind]]
    key = {f"key_{i}": column for i, column in enumerate(rows.columns[len(model.features) :])}
    types = [_ARROW[domain] for _, domain in _ADDED[analysis.kind]]
    return pa.table(key | {f"answer_{i}": pa.array(a, t) for i, (a, t) in enumerate(zip(answers, types, strict=True))})


def _columns(kind: str, model: Model, x: Any) -> list[Any]:
    if kind == "clustering":
        return list(clusters_of(model.pipeline, x))
    predicted = predict(kind, model.pipeline, x)
    return [predicted] if model.threshold is None else [predicted >= model.threshold, predicted]


def _relation(analysis: "Analysis", asked: Relation) -> Relation:
    key = [Attribute(c, asked.domain(c) or "text") for c in analysis.key]
    added = [*_ADDED[analysis.kind], *_SEEN] if analysis.kind != "clustering" else _ADDED[analysis.kind]
    return Relation((*key, *(Attribute(name, domain) for name, domain in added)))


def _query(analysis: "Analysis", model: Model) -> str:
    key = [f"a.key_{i} AS {quoted(c)}" for i, c in enumerate(analysis.key)]
    answers = [f"a.answer_{i} AS {quoted(name)}" for i, (name, _) in enumerate(_ADDED[analysis.kind])]
    if analysis.kind == "clustering":
        return f"SELECT {', '.join([*key, *answers])} FROM {_ANSWERS} AS a"
    names = ", ".join(quoted(c) for c in analysis.key)
    seen = " UNION ALL ".join(
        f"SELECT {names}, {literal(name)} AS was_in FROM {quoted_dataset(dataset)}"
        for name, dataset in zip(("train", "validate"), sets_of(analysis), strict=True)
    )
    same = " AND ".join(f"s.{quoted(c)} = a.key_{i}" for i, c in enumerate(analysis.key))
    columns = ", ".join([*key, *answers, f"{literal(model.version)} AS model_version", "s.was_in AS was_in"])
    return f"SELECT {columns} FROM {_ANSWERS} AS a LEFT JOIN ({seen}) AS s ON {same}"
