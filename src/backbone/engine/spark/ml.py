"""Spark ML for analyses: its pipelines are fitted where the rows are, with the methods of scikit-learn's estimators.

Rows have a number, `__row`, in the order of their key. By it they are dealt out to partitions, whose number hangs on
that of the rows alone, and put in order: the same rows make the same model on any cluster. Where there are several
partitions, up to the last digits: Spark adds up what comes first. A pipeline sees the features by their names and,
when it is fitted, `label`: 0.0 and 1.0, or the value. It doesn't see the number.
"""

import json
import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backbone.engine.spark.failures import explained
from backbone.engine.spark.kinds import name_sql
from backbone.engine.spark.preparation import default_stages, learnt_by
from backbone.errors import EngineError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.ml import PipelineModel
    from pyspark.sql import DataFrame, SparkSession

ROW, LABEL, ANSWER = "__row", "label", "answer"
_ROWS_OF_A_PARTITION = 50_000
_TYPES = {"number": "DOUBLE", "boolean": "DOUBLE", "text": "STRING", "time": "TIMESTAMP_NTZ"}
_ARROW = {"number": "float64", "boolean": "float64", "text": "string", "time": "timestamp[us]"}
_CONNECTED = "SPARK_CONNECT_MODE_ENABLED"
_OWN_CLASSES = ("org.apache.spark.ml.", "pyspark.ml.")
_CALLS = re.compile(r"\b(?:try_)?(?:reflect|java_method)\b", re.IGNORECASE)
"""Functions of Spark's SQL that call any code: the SQL of an SQLTransformer is part of a model's files."""


@dataclass(frozen=True, slots=True)
class SparkRows:
    """Implements `Rows`: the rows of one set, as numbered, with `label`."""

    frame: "DataFrame"
    numbers: "NDArray[Any]"

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, numbers: "NDArray[Any]") -> "SparkRows":
        """See `Rows`."""
        import pyarrow as pa

        taken = self.numbers[numbers]
        wanted = self.frame.sparkSession.createDataFrame(pa.table({ROW: taken}))
        return SparkRows(self.frame.join(wanted, ROW, "left_semi"), taken)

    def to_pandas(self) -> Any:
        """See `Rows`."""
        with explained():
            return self.frame.drop(LABEL).toArrow().sort_by(ROW).drop_columns(ROW).to_pandas()

    def dealt(self) -> "DataFrame":
        """What a pipeline is fitted on: the rows in partitions that hang on nothing but them."""
        partitions = max(1, math.ceil(len(self) / _ROWS_OF_A_PARTITION))
        return self.frame.repartition(partitions, ROW).sortWithinPartitions(ROW).drop(ROW)


class SparkLearning:
    """Implements `Learning` on the frames of one session of Spark's."""

    def __init__(
        self, spark: "Callable[[], SparkSession]", frame: "Callable[[str], DataFrame]", *, remote: bool
    ) -> None:
        self._spark = spark
        self.frame = frame
        self._sets_mode = remote and _CONNECTED not in os.environ
        if self._sets_mode:  # what tells pyspark.ml that its classes stand for those of a server
            os.environ[_CONNECTED] = "1"

    def rows(self, query: str, count: int) -> SparkRows:
        """See `Learning`."""
        import numpy as np

        return SparkRows(self.frame(query), np.arange(count))

    def pipeline(
        self, given: Any, parameters: Mapping[str, object], features: Mapping[str, str], seed: int
    ) -> "SparkPipeline":
        """See `Learning`."""
        from pyspark.ml import Estimator, Pipeline

        if not isinstance(given, Estimator):
            raise EngineError(f"{type(given).__name__} is no estimator of Spark ML (pyspark.ml), as the others are")
        stages: list[Any] = list(given.getStages()) if isinstance(given, Pipeline) else [given]
        if not isinstance(given, Pipeline) and given.hasParam("featuresCol"):
            stages = [*default_stages(features, given.getOrDefault("featuresCol")), given]
        stages = [*stages[:-1], _tuned(stages[-1], parameters)]
        stages = [_seeded(stage, seed) for stage in stages]
        for stage in stages:
            _check_label(stage)
        return SparkPipeline(self._spark, dict(features), Pipeline(stages=stages))

    def load(self, folder: Path, features: Mapping[str, str]) -> "SparkPipeline":
        """See `Learning`."""
        from pyspark.ml import PipelineModel

        check_classes(folder)
        with explained():
            model = PipelineModel.load(folder.absolute().as_uri())
        return SparkPipeline(self._spark, dict(features), model=model)

    def close(self) -> None:
        """Leave pyspark as it was."""
        if self._sets_mode:
            os.environ.pop(_CONNECTED, None)


@dataclass(frozen=True)
class SparkPipeline:
    """A pipeline of Spark ML, and what fitting made of it, with the methods of scikit-learn's.

    `fit` leaves it as it is and returns a fitted one. It takes `SparkRows`, which know their labels; predicting takes
    those, or a pandas frame of features.
    """

    spark: "Callable[[], SparkSession]"
    features: Mapping[str, str]
    pipeline: Any = None
    model: "PipelineModel | None" = None
    classes_ = (0, 1)

    def __sklearn_clone__(self) -> "SparkPipeline":
        return self

    @property
    def steps(self) -> list[tuple[str, Any]]:
        """The stages by their names in Spark."""
        stages = self.pipeline.getStages() if self.model is None else self.model.stages
        return [(stage.uid, stage) for stage in stages]

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of the last stage."""
        return {param.name: value for param, value in self.steps[-1][1].extractParamMap().items()}

    def fit(self, x: SparkRows, _: object = None) -> "SparkPipeline":
        """Fit it, in Spark."""
        with explained():
            rows = x.dealt().persist()
            try:
                return replace(self, model=self.pipeline.fit(rows))
            finally:
                rows.unpersist()

    def predict(self, x: Any) -> "NDArray[Any]":
        """Values, in the order of the rows."""
        return self._asked(x, "regression")

    def predict_proba(self, x: Any) -> "NDArray[Any]":
        """The probabilities of `classes_`, in the order of the rows."""
        import numpy as np

        probability = self._asked(x, "classification")
        return np.column_stack([1 - probability, probability])

    def answered(self, frame: "DataFrame", keep: Sequence[str], kind: str) -> "DataFrame":
        """The columns `keep` of a frame, and `answer`: the probability of 1, or the value. Nothing is computed yet.

        Raises:
            EngineError: the pipeline gives no such answer, or not for these columns.
        """
        from pyspark.ml.functions import vector_to_array
        from pyspark.sql.functions import col

        with explained():
            found = self._fitted.transform(frame)
            named = "probability" if kind == "classification" else "prediction"
            param = f"{named}Col"
            column = next((s.getOrDefault(param) for _, s in reversed(self.steps) if s.hasParam(param)), named)
            if column not in found.columns:
                raise EngineError(f"it gives no column '{column}', which a {kind} needs")
            answer = vector_to_array(col(column))[1] if kind == "classification" else col(column).cast("double")
            return found.select(*keep, answer.alias(ANSWER))

    def tasks(self) -> tuple[tuple[str, str, str], ...]:
        """What it does before its last stage: a feature (`*`: what isn't of one), a task, what that learnt, as JSON."""
        return tuple(task for _, stage in self.steps[:-1] for task in learnt_by(stage))

    def save(self, folder: Path) -> tuple[str, ...]:
        """Write the model into a folder, and return the classes that it names.

        Raises:
            EngineError: a stage can't be written, or isn't Spark's own, so that loading it would run other code.
        """
        with explained():
            self._fitted.write().overwrite().save(folder.absolute().as_uri())
        for path in [*folder.rglob(".*.crc"), *folder.rglob("_SUCCESS")]:  # checksums are in the lake's books
            path.unlink()
        return check_classes(folder)

    @property
    def _fitted(self) -> "PipelineModel":
        if self.model is None:
            raise TypeError("the pipeline isn't fitted")
        return self.model

    def _asked(self, x: Any, kind: str) -> "NDArray[Any]":
        frame, numbers = (x.frame.drop(LABEL), x.numbers) if isinstance(x, SparkRows) else self._sent(x)
        with explained():
            found = self.answered(frame, (ROW,), kind).toArrow().sort_by(ROW)
        if found.num_rows != len(numbers):
            raise EngineError(
                f"it answers {found.num_rows:,} of {len(numbers):,} rows, and its stages may leave none out: "
                "give those that do handleInvalid='keep', and impute what is missing"
            )
        answers: NDArray[Any] = found.column(ANSWER).to_numpy()
        return answers

    def _sent(self, x: Any) -> "tuple[DataFrame, NDArray[Any]]":
        import numpy as np
        import pyarrow as pa

        numbers = np.arange(len(x))
        columns = {name: pa.array(x[name], _ARROW[kind], from_pandas=True) for name, kind in self.features.items()}
        schema = ", ".join(f"{name_sql(name)} {_TYPES[kind]}" for name, kind in self.features.items())
        table = pa.table({**columns, ROW: numbers})
        return self.spark().createDataFrame(table, f"{schema}, {ROW} BIGINT"), numbers


def check_classes(folder: Path) -> tuple[str, ...]:
    """The classes that a stored model names: Spark's own, since naming one in a file is enough to have it run.

    Raises:
        EngineError: another is among them, or SQL that calls Java.
    """
    said = [json.loads(path.read_text()) for path in sorted(folder.rglob("metadata/part-*"))]
    if not said:
        raise EngineError(f"no model of Spark ML is in {folder.name}")
    classes = sorted({str(one["class"]) for one in said})
    strange = [name for name in classes if not name.startswith(_OWN_CLASSES)]
    if strange:
        raise EngineError(f"it holds {', '.join(strange)}, and only Spark ML's own stages are loaded again")
    if any(_CALLS.search(str(one.get("paramMap", {}).get("statement", ""))) for one in said):
        raise EngineError("its SQLTransformer calls Java, which isn't loaded again")
    return tuple(classes)


def _tuned(stage: Any, parameters: Mapping[str, object]) -> Any:
    for name in parameters:
        if not stage.hasParam(name):
            near = did_you_mean(name, [param.name for param in stage.params])
            raise EngineError(f"tune: {type(stage).__name__} has no parameter '{name}'.{near}")
    return stage.copy({stage.getParam(name): value for name, value in parameters.items()})


def _seeded(stage: Any, seed: int) -> Any:
    """A copy with every seed that the person left open: Spark's own are others in every process."""
    own = stage.copy()
    if own.hasParam("stages"):
        own.set(own.stages, [_seeded(one, seed) for one in own.getOrDefault("stages")])
    for name in ("estimator", "classifier"):
        if own.hasParam(name) and own.isDefined(name):
            own.set(own.getParam(name), _seeded(own.getOrDefault(name), seed))
    if own.hasParam("seed") and not own.isSet("seed"):
        own.set(own.getParam("seed"), seed)
    return own


def _check_label(stage: Any) -> None:
    for one in _within(stage):
        if one.hasParam("labelCol") and one.getOrDefault("labelCol") != LABEL:
            raise EngineError(
                f"{type(one).__name__} has labelCol='{one.getOrDefault('labelCol')}': the label is the column "
                f"'{LABEL}', 0.0 and 1.0 or the value, and needs no indexing"
            )


def _within(stage: Any) -> Iterator[Any]:
    yield stage
    inner = list(stage.getOrDefault("stages")) if stage.hasParam("stages") else []
    inner += [stage.getOrDefault(n) for n in ("estimator", "classifier") if stage.hasParam(n) and stage.isDefined(n)]
    for one in inner:
        yield from _within(one)
