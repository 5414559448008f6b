"""Training and validation sets, made in SQL before anything is fitted."""

from typing import TYPE_CHECKING

from backbone.analysis.leakage import check_leakage, repeating_texts, warning
from backbone.analysis.refusals import blaming, refusal
from backbone.analysis.sides import set_sql
from backbone.analysis.steps import sets_of, view_of
from backbone.analysis.view import TARGET, check_columns
from backbone.model.names import quoted, quoted_dataset
from backbone.model.steps import Extent, Finding, Staged, Staging

if TYPE_CHECKING:
    from backbone.engine.protocol import Session, Written
    from backbone.model.project import Analysis
    from backbone.model.relations import Relation


def stage_split(analysis: "Analysis", staging: Staging, session: "Session") -> tuple[Staged, ...]:
    """Divide the view's labelled rows into the two sets, and check that nothing leaks between them.

    Raises:
        DatasetError: a set is empty or has one class only, `at_random` is used where an entity has several
            rows, or something leaks (see `leakage`).
    """
    train, validate = sets_of(analysis)
    view = staging.inputs[view_of(analysis)]
    session.show(view)
    relation = view.relation
    check_columns(analysis, train, relation)
    warnings = _check_independence(analysis, relation, session)
    written = {}
    with blaming(analysis, train, "split"):
        for dataset, name in ((train, "train"), (validate, "validate")):
            written[dataset] = session.write(set_sql(analysis, relation, name), staging.new_file(dataset))
            session.show(Extent(dataset, relation, added=written[dataset].paths))
    _check_sets(analysis, written, session)
    findings = (*warnings, *check_leakage(analysis, relation, session))
    note = _note(analysis, written, session)
    return (
        _staged(train, relation, written[train], findings, note),
        _staged(validate, relation, written[validate], (), ""),
    )


def _check_independence(analysis: "Analysis", relation: "Relation", session: "Session") -> tuple[Finding, ...]:
    if analysis.split is None or analysis.split.kind != "at_random":
        return ()
    view = quoted_dataset(view_of(analysis))
    if analysis.entity:
        entity = quoted(analysis.entity)
        rows, entities = session.rows(f"SELECT count({entity}), count(DISTINCT {entity}) FROM {view}")[0]
        if entities < rows:
            message = f"split at_random: {analysis.entity} has several rows ({rows:,} rows, {entities:,} values)"
            hint = f"use split=by_group('{analysis.entity}', validate={analysis.split.validate})"
            raise refusal(analysis, sets_of(analysis)[0], message, hint=hint)
    return tuple(
        warning(
            f"at_random({column})",
            f"{column} repeats ({distinct:,} values in {rows:,} rows) as what rows are about would: if so, both sets "
            f"know it. Say entity='{column}', or split=by_group('{column}', validate={analysis.split.validate})",
            rows,
        )
        for column, distinct, rows in repeating_texts(analysis, relation, session)
    )


def _check_sets(analysis: "Analysis", written: "dict[str, Written]", session: "Session") -> None:
    for dataset, file in written.items():
        if not file.rows:
            side = "train" if dataset == sets_of(analysis)[0] else "validate"
            raise refusal(analysis, dataset, f"split: there are no rows to {side}", hint=_empty_hint(analysis))
    if analysis.kind == "classification":
        for dataset in written:
            _check_classes(analysis, dataset, session)


def _empty_hint(analysis: "Analysis") -> str:
    """What to change so that both sets have rows: a hash of few groups may leave one side without any."""
    if analysis.split is not None and analysis.split.kind != "by_time":
        return "sides are drawn by a hash, and few groups or rows may all fall on one: try another seed or validate"
    return "check the split's column and dates"


def _check_classes(analysis: "Analysis", dataset: str, session: "Session") -> None:
    target = quoted(TARGET)
    classes = session.rows(f"SELECT DISTINCT {target} FROM {quoted_dataset(dataset)} ORDER BY ALL LIMIT 4")
    values = [row[0] for row in classes]
    if not set(values) <= {False, True}:
        shown = ", ".join(repr(v) for v in values[:3])
        hint = (
            "write the target as a condition, such as target=\"species = 'setosa'\"; several classes aren't built yet"
        )
        raise refusal(analysis, dataset, f"target has the values {shown}, and not true and false", hint=hint)
    if len(values) < len((False, True)):
        raise refusal(
            analysis,
            dataset,
            f"target is {bool(values[0])} in every row, so there is nothing to tell apart",
            hint="write a target that is true for some rows and false for others",
        )


def _note(analysis: "Analysis", written: "dict[str, Written]", session: "Session") -> str:
    view, target = quoted_dataset(view_of(analysis)), quoted(TARGET)
    rows, unlabelled = session.rows(f"SELECT count(*), count(*) - count({target}) FROM {view}")[0]
    train, validate = (file.rows for file in written.values())
    parts = [f"{train:,} rows to train, {validate:,} to validate"]
    parts += [f"{unlabelled:,} without a target"] if unlabelled else []
    left_out = rows - unlabelled - train - validate
    return ", ".join(parts + ([f"{left_out:,} in neither (gap, or no time)"] if left_out else []))


def _staged(dataset: str, relation: "Relation", file: "Written", findings: tuple[Finding, ...], note: str) -> Staged:
    return Staged(dataset, relation, replaces=True, added=file.paths, rows=file.rows, findings=findings, note=note)
