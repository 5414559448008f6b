"""The default preparation: what is done to features by their type, learnt from training rows only."""

import json
from typing import TYPE_CHECKING, Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from backbone.analysis.features import Feature

MISSING = "(missing)"
_RARE_SHARE = 0.01
"""Values of text that are rarer are taken together, and so is what wasn't there in training."""
_MOST_VALUES = 40
_PARTS = ("year", "month", "day", "day_of_week", "hour")
Row = tuple[str, str, str]
"""A feature, a task, and what it learnt, as JSON."""


def default_preparation(features: "Sequence[Feature]", *, clusters: bool = False) -> ColumnTransformer:
    """A transformer by type of feature.

    Numbers: the median where missing, and a column that says so; then scaled. Booleans: the most frequent value.
    Text: `(missing)`, then one column per frequent value. Dates and times: year, month, day, day of the week and
    hour, scaled.
    Clusters get no column for missing values: it would make groups of them.
    """
    tasks = {
        "number": [("impute", _median(indicator=not clusters)), _scale()],
        "boolean": [("impute", SimpleImputer(strategy="most_frequent", keep_empty_features=True))],
        "text": [("impute", SimpleImputer(strategy="constant", fill_value=MISSING)), ("one_hot", _one_hot())],
        "time": [("parts", FunctionTransformer(date_parts)), ("impute", _median(indicator=False)), _scale()],
    }
    by_kind = {kind: [f.name for f in features if f.kind == kind] for kind in tasks}
    parts = [(kind, Pipeline(steps), by_kind[kind]) for kind, steps in tasks.items() if by_kind[kind]]
    return ColumnTransformer(parts, verbose_feature_names_out=False)


def date_parts(frame: pd.DataFrame) -> pd.DataFrame:
    """Year, month, day, day of the week and hour of each column, as numbers. A model's file names this function."""
    parts = {
        f"{name}__{part}": getattr(frame[name].dt, part).astype("float64") for name in frame.columns for part in _PARTS
    }
    return pd.DataFrame(parts, index=frame.index)


def describe_preparation(pipeline: Any) -> tuple[Row, ...]:
    """What a fitted pipeline does to each feature before its model; a person's own steps are listed for all (`*`)."""
    if not isinstance(pipeline, Pipeline):  # the engine's own says it itself
        return tuple(pipeline.tasks())
    prepare = pipeline.named_steps.get("prepare")
    if not isinstance(prepare, ColumnTransformer):
        return tuple(("*", type(step).__name__, _json(step.get_params(deep=False))) for _, step in pipeline.steps[:-1])
    return tuple(row for name, steps, columns in prepare.transformers_ for row in _tasks(name, steps, columns))


def _tasks(name: str, steps: Any, columns: "Sequence[str]") -> "Iterator[Row]":
    if not isinstance(steps, Pipeline):  # the remainder: nothing
        return
    learnt = steps.named_steps
    for i, column in enumerate(columns):
        if name == "time":
            yield column, "parts of date", _json({"parts": _PARTS})
            yield column, "impute", _json({"strategy": "median"})
            yield column, "scale", _json({})
            continue
        impute = learnt["impute"]
        yield column, "impute", _json({"strategy": impute.strategy, "value": impute.statistics_[i]})
        if name == "number":
            scale = learnt["scale"]
            yield column, "scale", _json({"mean": scale.mean_[i], "deviation": scale.scale_[i]})
        if name == "text":
            yield column, "one-hot", _json(_values(learnt["one_hot"], i))


def _values(one_hot: OneHotEncoder, i: int) -> "Mapping[str, object]":
    rare = one_hot.infrequent_categories_[i]
    return {"values": list(one_hot.categories_[i]), "rare": [] if rare is None else list(rare)}


def _scale() -> tuple[str, StandardScaler]:
    return "scale", StandardScaler()


def _median(*, indicator: bool) -> SimpleImputer:
    return SimpleImputer(strategy="median", add_indicator=indicator, keep_empty_features=True)


def _one_hot() -> OneHotEncoder:
    return OneHotEncoder(
        handle_unknown="infrequent_if_exist",
        min_frequency=_RARE_SHARE,
        max_categories=_MOST_VALUES,
        sparse_output=False,
    )


def _json(value: "Mapping[str, object]") -> str:
    return json.dumps(value, default=lambda v: v.item() if hasattr(v, "item") else str(v), ensure_ascii=False)
