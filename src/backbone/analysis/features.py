"""Features as scikit-learn sees them: the columns of a view, read once, in an order that doesn't change.

Numbers (decimals too) and booleans are float64 with NaN where a value is missing, text is `object` with NaN, dates and
times are `datetime64` in UTC. A person's own `Pipeline` gets the same frame.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from backbone.analysis.refusals import blaming, refusal
from backbone.analysis.view import TARGET
from backbone.errors import did_you_mean
from backbone.model.names import quoted, quoted_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from backbone.engine.protocol import Learning, Rows, Session
    from backbone.model.project import Analysis
    from backbone.model.relations import Relation

Kind = Literal["number", "boolean", "text", "time"]
_KINDS: "Mapping[str, Kind]" = {
    "integer": "number", "float": "number", "boolean": "boolean", "text": "text",
    "date": "time", "timestamp": "time", "timestamp_tz": "time",
}  # fmt: skip
_CASTS: "Mapping[Kind, str]" = {"number": "DOUBLE", "boolean": "DOUBLE", "text": "VARCHAR", "time": "TIMESTAMP"}

_NUMBERS, _ROWS = "__numbers", "__rows"


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: its column, its domain, and the kind of values that scikit-learn sees."""

    name: str
    domain: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Sample:
    """The rows of one set, by key: features `x`, labels `y`, and what they are split, compared and grouped by.

    `x` is a frame, or the engine's own rows. `order` holds the split's column (times, or groups); `baseline` has NaN
    where the expression was null.
    """

    x: "pd.DataFrame | Rows"
    y: "NDArray[np.float64]"
    order: "NDArray[Any] | None" = None
    baseline: "NDArray[np.float64] | None" = None
    groups: "Mapping[str, NDArray[Any]]" = field(default_factory=dict)


def features_of(analysis: "Analysis", dataset: str, relation: "Relation") -> tuple[Feature, ...]:
    """The features with their domains.

    Raises:
        DatasetError: one isn't in the relation, or can't be a feature (lists, JSON, binary, times of day).
    """
    return tuple(_feature(analysis, dataset, relation, name) for name in analysis.features)


def read_sample(session: "Session", dataset: str, analysis: "Analysis", features: "Sequence[Feature]") -> Sample:
    """Read one set, ordered by key, so that the same rows always make the same model."""
    labels = {"label": _double(TARGET)} if analysis.target is not None else {}
    by_time = analysis.split is not None and analysis.split.kind == "by_time"
    if analysis.split is not None and analysis.split.column:
        labels["split"] = f"CAST({quoted(analysis.split.column)} AS {'TIMESTAMP' if by_time else 'VARCHAR'})"
    if analysis.baseline is not None:
        labels["baseline"] = f"CAST(({analysis.baseline}) AS DOUBLE)"
    labels |= {f"group_{i}": f"CAST({quoted(c)} AS VARCHAR)" for i, c in enumerate(analysis.fairness)}
    key = ", ".join(quoted(c) for c in analysis.key)
    here = () if analysis.library == "spark" else features
    columns = [*feature_columns(here), *(f"{sql} AS {quoted(name)}" for name, sql in labels.items())]
    with blaming(analysis, dataset, "features and baseline"):
        rows = session.fetch(f"SELECT {', '.join(columns)} FROM {quoted_dataset(dataset)} ORDER BY {key}", "arrow")
    # Column by column, and by position: a feature may be called as a label is.
    rest = dict(zip(labels, rows.columns[len(here) :], strict=True))
    return Sample(
        read_rows(session, dataset, analysis.key, features)
        if analysis.library == "spark"
        else frame_of(rows, features),
        _numbers(rest["label"]) if "label" in rest else np.empty(0),
        _values(rest["split"]) if "split" in rest else None,
        _numbers(rest["baseline"]) if "baseline" in rest else None,
        {c: _values(rest[f"group_{i}"]) for i, c in enumerate(analysis.fairness)},
    )


def read_frame(session: "Session", rows: str, key: "Sequence[str]", features: "Sequence[Feature]") -> pd.DataFrame:
    """Read features alone, of a table or a query in brackets, ordered by key."""
    order = ", ".join(quoted(c) for c in key)
    query = f"SELECT {', '.join(feature_columns(features))} FROM {rows} ORDER BY {order}"
    return frame_of(session.fetch(query, "arrow"), features)


def read_rows(session: "Session", dataset: str, key: "Sequence[str]", features: "Sequence[Feature]") -> "Rows":
    """Features and labels of one set as the engine's own rows, numbered by key: of them, only the key is read here."""
    names = [quoted(c) for c in key]
    keys = session.fetch(
        f"SELECT {', '.join(names)} FROM {quoted_dataset(dataset)} ORDER BY {', '.join(names)}", "arrow"
    )
    session.register(_NUMBERS, keys.append_column("__row", pa.array(np.arange(len(keys)))))
    columns = ", ".join([*feature_columns(features), f"{_double(TARGET)} AS label"])
    same = " AND ".join(f"s.{name} = n.{name}" for name in names)
    # Written once, so that all who read them see the same, whatever else is lost.
    session.execute(
        f"CREATE TEMP TABLE {_ROWS} AS SELECT __row, {columns} FROM (SELECT n.__row AS __row, s.* "
        f"FROM {quoted_dataset(dataset)} AS s JOIN {_NUMBERS} AS n ON {same})"
    )
    return learning_of(session).rows(f"SELECT * FROM {_ROWS}", len(keys))


def learning_of(session: "Session") -> "Learning":
    """What trains the engine's own models.

    Raises:
        TypeError: the engine has none, which the plan has refused.
    """
    if session.learning is None:
        raise TypeError("this engine has no models of its own")
    return session.learning


def kinds_of(features: "Sequence[Feature]") -> "Mapping[str, str]":
    """Features by name, with their kind."""
    return {f.name: f.kind for f in features}


def feature_columns(features: "Sequence[Feature]") -> list[str]:
    """The SELECT list that reads features."""
    return [f"CAST({quoted(f.name)} AS {_CASTS[f.kind]}) AS {quoted(f.name)}" for f in features]


def frame_of(rows: Any, features: "Sequence[Feature]") -> pd.DataFrame:
    """The frame that scikit-learn gets, from an Arrow table or batch whose first columns are the features."""
    return pd.DataFrame({f.name: _series(rows.columns[i], f) for i, f in enumerate(features)})


def _feature(analysis: "Analysis", dataset: str, relation: "Relation", name: str) -> Feature:
    domain = relation.domain(name)
    if domain is None:
        raise refusal(analysis, dataset, f"feature '{name}' is not in the view.{did_you_mean(name, relation.names)}")
    kind = "number" if domain.startswith("decimal(") and not domain.endswith("[]") else _KINDS.get(domain)
    if kind is None:
        expected = "Expected numbers, text, booleans, dates or timestamps"
        raise refusal(analysis, dataset, f"feature {name} is {domain}, which can't be learnt from. {expected}")
    return Feature(name, domain, kind)


def _series(column: Any, feature: Feature) -> Any:
    if feature.kind == "text":
        values = column.to_pandas().astype(object)
        return values.where(values.notna(), np.nan)
    return column.to_pandas() if feature.kind == "time" else _numbers(column)


def _double(column: str) -> str:
    return f"CAST({quoted(column)} AS DOUBLE)"


def _numbers(column: Any) -> "NDArray[np.float64]":
    return np.asarray(column.to_pandas(), dtype=np.float64)


def _values(column: Any) -> "NDArray[Any]":
    return np.asarray(column.to_pandas())
