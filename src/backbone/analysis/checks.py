"""What can be said about an analysis before anything runs: its metrics, gate, split and features. Pure."""

from typing import TYPE_CHECKING

from backbone.analysis.gate import GateError, check_gate
from backbone.analysis.refusals import blamed
from backbone.analysis.vocabulary import METRICS, SPARK_COLUMNS
from backbone.errors import Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from backbone.model.project import Analysis, Engine


def problems(analysis: "Analysis", engine: "Engine") -> tuple[Problem, ...]:
    """All that is wrong with an analysis as declared, and with it on an engine."""
    found = (
        *_gate(analysis),
        *_metric(analysis),
        *_columns(analysis),
        *_split(analysis),
        *_parts(analysis),
        *(_spark(analysis, engine) if analysis.library == "spark" else ()),
    )
    return tuple(Problem(blamed(analysis, message), f"{analysis.name}: {message}") for message in found)


def _gate(a: "Analysis") -> "Iterator[str]":
    for line in a.gate:
        try:
            check_gate(line, a)
        except GateError as error:
            yield f"gate '{line}': {error}"


def _metric(a: "Analysis") -> "Iterator[str]":
    known = METRICS[a.kind]
    if a.select_by not in known:
        yield (
            f"select_by '{a.select_by}' is no metric of a {a.kind}. Expected one of {', '.join(known)}."
            + did_you_mean(a.select_by, known)
        )
    if a.threshold != "f1" and not 0 < float(a.threshold) < 1:
        yield f"threshold {a.threshold} is not between 0 and 1. Expected a number there, or 'f1'."


def _columns(a: "Analysis") -> "Iterator[str]":
    if not a.key:
        yield "key is missing: the columns that name a row of the view."
    if not a.features:
        yield "features are missing: the columns that the model may use."
    doubled = sorted({f for f in a.features if a.features.count(f) > 1})
    if doubled:
        yield f"features names {', '.join(doubled)} twice."
    if a.target and a.target.strip() in a.features:
        yield f"feature {a.target.strip()} is the target itself. Leave it out."


def _split(a: "Analysis") -> "Iterator[str]":
    split = a.split
    if split is None:
        return
    if split.kind == "by_time" and not (split.column and split.train_until):
        yield "by_time needs a column and train_until."
    if split.kind == "by_group" and not split.column:
        yield "by_group needs a column."
    if split.kind != "by_time" and not (split.validate and 0 < split.validate < 1):
        yield f"validate {split.validate} is not between 0 and 1: the share of rows to validate with."
    if split.kind == "at_random" and a.entity and a.entity in a.key and len(a.key) > 1:
        yield f"at_random can't be used: {a.entity} has several rows. Use by_group('{a.entity}', validate=…)."


def _spark(a: "Analysis", engine: "Engine") -> "Iterator[str]":
    if not engine.is_spark:
        yield (
            "candidates of Spark ML (pyspark.ml) are trained by Spark, and the engine is DuckDB. Write `engine: spark` "
            "into backbone.yml, or return scikit-learn's estimators."
        )
    if a.kind == "clustering":
        yield "candidates of a clustering are scikit-learn's: Spark ML's (pyspark.ml) aren't built."
    taken = sorted(set(a.features) & set(SPARK_COLUMNS))
    if taken:
        yield f"feature {taken[0]} is called as a column that Spark ML makes. Give it another name in the view."


def _parts(a: "Analysis") -> "Iterator[str]":
    if a.kind == "clustering":
        for name in ("target", "split", "baseline", "predict", "entity"):
            if getattr(a, name) is not None:
                yield f"{name} means nothing to a clustering."
        return
    for name in ("target", "split"):
        if getattr(a, name) is None:
            yield f"{name} is missing."
