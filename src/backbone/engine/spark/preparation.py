"""The default preparation before an estimator of Spark ML, and what stages have learnt.

As for scikit-learn's: learnt from training rows alone, and what wasn't there then is taken for unknown.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from backbone.engine.spark.kinds import name_sql, text_sql

_MISSING = "(missing)"
_PARTS = {"year": "year", "month": "month", "day": "day", "day_of_week": "weekday", "hour": "hour"}
Task = tuple[str, str, str]


def default_stages(features: Mapping[str, str], output: str) -> list[Any]:
    """Stages from features, by their kind, to one vector in the column `output`.

    Numbers: the median where missing, and a column that says so; then scaled. Booleans: the most frequent value. Text:
    `(missing)`, then one column per value. Times: year, month, day, day of the week and hour, scaled.
    """
    from pyspark.ml.feature import (
        Imputer,
        OneHotEncoder,
        SQLTransformer,
        StandardScaler,
        StringIndexer,
        VectorAssembler,
    )

    kinds = {k: [name for name, kind in features.items() if kind == k] for k in ("number", "boolean", "text", "time")}
    parts = [f"{name}__{part}" for name in kinds["time"] for part in _PARTS]
    numbers = [*kinds["number"], *parts]
    missing = [f"{name}__missing" for name in kinds["number"]]
    stages: list[Any] = [SQLTransformer(statement=_statement(kinds))]
    if numbers:
        stages += [
            Imputer(strategy="median", inputCols=numbers, outputCols=_filled(numbers)),
            VectorAssembler(inputCols=_filled(numbers), outputCol="__numbers"),
            StandardScaler(inputCol="__numbers", outputCol="__scaled", withMean=True),
        ]
    if booleans := kinds["boolean"]:
        stages += [Imputer(strategy="mode", inputCols=booleans, outputCols=_filled(booleans))]
    indexed, encoded = ([f"{name}__{what}" for name in kinds["text"]] for what in ("index", "one_hot"))
    if texts := kinds["text"]:
        stages += [
            StringIndexer(inputCols=texts, outputCols=indexed, handleInvalid="keep"),
            OneHotEncoder(inputCols=indexed, outputCols=encoded, handleInvalid="keep"),
        ]
    columns = [*(["__scaled"] if numbers else []), *missing, *_filled(booleans), *encoded]
    return [*stages, VectorAssembler(inputCols=columns, outputCol=output)]


def learnt_by(stage: Any) -> Iterator[Task]:
    """What a fitted stage does: by feature, where it has learnt something of each."""
    kind = type(stage).__name__
    if kind == "ImputerModel":
        (values,) = stage.surrogateDF.collect()
        for name in stage.getInputCols():
            yield name, "impute", _json({"strategy": stage.getStrategy(), "value": values[name]})
    elif kind == "StringIndexerModel" and stage.isSet("inputCols"):
        for name, values in zip(stage.getInputCols(), stage.labelsArray, strict=True):
            yield name, "index", _json({"values": list(values)})
    else:
        yield "*", kind, _json({param.name: value for param, value in stage.extractParamMap().items()})


def _statement(kinds: Mapping[str, list[str]]) -> str:
    columns = [
        f"CAST({name_sql(name)} IS NULL OR isnan({name_sql(name)}) AS DOUBLE) AS {name_sql(f'{name}__missing')}"
        for name in kinds["number"]
    ]
    columns += [
        f"CAST({function}({name_sql(name)}) AS DOUBLE) AS {name_sql(f'{name}__{part}')}"
        for name in kinds["time"]
        for part, function in _PARTS.items()
    ]
    texts = kinds["text"]
    columns += [f"coalesce({name_sql(name)}, {text_sql(_MISSING)}) AS {name_sql(name)}" for name in texts]
    kept = f"* EXCEPT ({', '.join(map(name_sql, texts))})" if texts else "*"
    return f"SELECT {', '.join([kept, *columns])} FROM __THIS__"


def _filled(names: list[str]) -> list[str]:
    return [f"{name}__filled" for name in names]


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
