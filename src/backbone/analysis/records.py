"""What an analysis leaves behind: its dataset of metrics, and its rows in the governance tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from backbone.analysis.model_file import MODEL_FILE, SPARK_FOLDER
from backbone.model.relations import Attribute, Relation
from backbone.model.steps import Table

if TYPE_CHECKING:
    from pathlib import Path

    from backbone.analysis.features import Feature
    from backbone.analysis.preparation import Row
    from backbone.engine.protocol import Session, Written
    from backbone.model.project import Analysis

METRICS = Relation(
    (
        Attribute("model_version", "text"),
        Attribute("candidate", "text"),
        Attribute("chosen", "boolean"),
        Attribute("data", "text"),
        Attribute("group_column", "text"),
        Attribute("group_value", "text"),
        Attribute("metric", "text"),
        Attribute("value", "float"),
        Attribute("baseline", "float"),
    )
)
"""The dataset `analysis.NAME`: one row per candidate, data (`cross_validation`, `validation`; of a clustering
`training`, since it is judged on the rows it was fitted on), group (null: all rows) and metric."""
_ARROW = {"text": pa.string(), "boolean": pa.bool_(), "float": pa.float64()}


@dataclass(frozen=True, slots=True)
class Measured:
    """The metrics of one candidate on some data, beside the baseline's; of one group, or of all rows."""

    candidate: str
    chosen: bool
    data: str
    values: Mapping[str, float | None]
    baseline: Mapping[str, float | None]
    group_column: str | None = None
    group_value: str | None = None


def write_metrics(session: "Session", path: "Path", version: str, measured: Sequence[Measured]) -> "Written":
    """Write the dataset of metrics."""
    rows = [
        {
            "model_version": version,
            "candidate": one.candidate,
            "chosen": one.chosen,
            "data": one.data,
            "group_column": one.group_column,
            "group_value": one.group_value,
            "metric": metric,
            "value": value,
            "baseline": one.baseline.get(metric),
        }
        for one in measured
        for metric, value in one.values.items()
    ]
    schema = pa.schema([(a.name, _ARROW[a.domain]) for a in METRICS.attributes])
    session.register("__metrics", pa.Table.from_pylist(rows, schema))
    return session.write("SELECT * FROM __metrics", path, ordered=True, relation=METRICS)


def metric_table(analysis: "Analysis", version: str, measured: Sequence[Measured]) -> Table:
    """`governance.metric`: the metrics of the chosen candidate."""
    rows = [
        {
            "analysis": analysis.name, "version": version, "data": one.data, "group_column": one.group_column,
            "group_value": one.group_value, "metric": metric, "value": value, "baseline": one.baseline.get(metric),
            "unit": "",
        }
        for one in measured
        if one.chosen
        for metric, value in one.values.items()
    ]  # fmt: skip
    return Table("metric", tuple(rows))


def feature_table(
    analysis: "Analysis", version: str, features: "Sequence[Feature]", importance: Mapping[str, float]
) -> Table:
    """`governance.feature`: what the model reads, and how much worse it does when a feature is shuffled."""
    rows = [
        {
            "analysis": analysis.name,
            "version": version,
            "feature": f.name,
            "domain": f.domain,
            "importance": importance.get(f.name),
        }
        for f in features
    ]
    return Table("feature", tuple(rows))


def preparation_table(analysis: "Analysis", version: str, tasks: "Sequence[Row]") -> Table:
    """`governance.preparation`: what was done to each feature, and what that learnt from the training rows."""
    rows = [
        {"analysis": analysis.name, "version": version, "feature": feature, "task": task, "parameters": parameters}
        for feature, task, parameters in tasks
    ]
    return Table("preparation", tuple(rows))


def model_table(analysis: "Analysis", artefacts: "Path", row: Mapping[str, Any]) -> Table:
    """`governance.model_version`: what made the model. `path` is below the folder of models: analysis, run, file."""
    name = SPARK_FOLDER if analysis.library == "spark" else MODEL_FILE
    path = f"{artefacts.parent.name}/{artefacts.name}/{name}"
    return Table("model_version", ({"analysis": analysis.name, "code": analysis.normal, "path": path, **row},))
