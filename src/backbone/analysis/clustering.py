"""Clustering: candidates fitted on the view, chosen by silhouette or stability, and the clusters as a dataset.

silhouette: Rousseeuw 1987, on at most 10,000 rows. stability: the mean adjusted Rand index (Hubert and Arabie 1985)
between the clusters and those that 20 bootstrap samples give the same rows; at most 20,000 rows.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score, silhouette_score

from backbone.analysis import plots
from backbone.analysis.candidates import Candidate, load_candidates
from backbone.analysis.features import features_of, read_frame
from backbone.analysis.gate import Evidence, judge
from backbone.analysis.leakage import warning
from backbone.analysis.model_file import SPARK_FOLDER, load_model
from backbone.analysis.preparation import describe_preparation
from backbone.analysis.records import Measured
from backbone.analysis.refusals import blaming, refusal
from backbone.analysis.registering import Trained, stage_model
from backbone.analysis.steps import metrics_of, view_of
from backbone.analysis.threads import threads_for
from backbone.analysis.vocabulary import better
from backbone.engine.cost import measured
from backbone.model.names import quoted, quoted_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    Values = Mapping[str, float | None]

    from backbone.analysis.features import Feature
    from backbone.engine.protocol import Session
    from backbone.model.project import Analysis
    from backbone.model.steps import Finding, Staged, Staging

_SILHOUETTE_ROWS = 10_000
_STABILITY_ROWS = 20_000
_BOOTSTRAPS = 20
_LEAST_ROWS = 3


def stage_clustering(analysis: "Analysis", staging: "Staging", session: "Session") -> "Staged":
    """Fit the candidates on the view, choose one, and register it.

    Raises:
        DatasetError: there are too few rows, a candidate can't be fitted or finds no two clusters, or the gate
            isn't met.
    """
    dataset, view = metrics_of(analysis), staging.inputs[view_of(analysis)]
    session.show(view)
    features = features_of(analysis, dataset, view.relation)
    x = read_frame(session, quoted_dataset(view.dataset), analysis.key, features)
    if len(x) < _LEAST_ROWS:
        raise refusal(analysis, dataset, f"the view has {len(x)} rows: too few for clusters")
    with threads_for(len(x)):
        trained = _train(analysis, staging, session, features, x)
    return stage_model(analysis, staging, session, trained)


def _train(
    analysis: "Analysis", staging: "Staging", session: "Session", features: "Sequence[Feature]", x: "pd.DataFrame"
) -> Trained:
    dataset = metrics_of(analysis)
    with measured() as cost:
        tried = [_try(analysis, c, x) for c in load_candidates(analysis, dataset, staging.root, features, session)]
        candidate, pipeline, values = _best(analysis, tried)
    current, findings = _current(analysis, staging, session)
    return Trained(
        candidate=candidate,
        pipeline=pipeline,
        features=features,
        threshold=None,
        measured=[Measured(c.name, c is candidate, "training", found, {}) for c, _, found in tried],
        judgements=judge(analysis.gate, Evidence(values, current=current)),
        importance={},
        tasks=describe_preparation(pipeline),
        cost=cost,
        train_rows=len(x),
        validate_rows=0,
        plots=(_plot(analysis, staging, session, pipeline, x),),
        findings=findings,
        note=f"{candidate.name}: "
        + ", ".join(f"{name} {value:.3g}" for name, value in values.items() if value is not None),
    )


def clusters_of(pipeline: Any, x: "pd.DataFrame") -> "tuple[NDArray[np.intp], NDArray[np.float64]]":
    """The cluster of each row, and its distance to the cluster's centre in the space of the prepared features.

    Estimators without centres of their own (mixtures) are given those of the rows.
    """
    labels, prepared = np.asarray(pipeline.predict(x), dtype=np.intp), _prepared(pipeline, x)
    centres = getattr(pipeline.steps[-1][1], "cluster_centers_", None)
    distance = np.zeros(len(labels))
    for cluster in np.unique(labels):
        inside = labels == cluster
        centre = prepared[inside].mean(axis=0) if centres is None else centres[cluster]
        distance[inside] = np.linalg.norm(prepared[inside] - centre, axis=1)
    return labels, distance


def measure_clusters(pipeline: Any, x: "pd.DataFrame", seed: int) -> "Values":
    """Silhouette and stability of a fitted pipeline; without two clusters there is neither."""
    labels = np.asarray(pipeline.predict(x))
    if not 1 < len(np.unique(labels)) < len(labels):
        return {"silhouette": None, "stability": None}
    size = min(len(x), _SILHOUETTE_ROWS)
    silhouette = silhouette_score(_prepared(pipeline, x), labels, sample_size=size, random_state=seed)
    return {"silhouette": float(silhouette), "stability": _stability(pipeline, x, labels, seed)}


def _stability(pipeline: Any, x: "pd.DataFrame", labels: "NDArray[Any]", seed: int) -> float:
    random = np.random.default_rng(seed)
    rows = random.permutation(len(x))[:_STABILITY_ROWS]
    some, known = x.iloc[rows], labels[rows]
    scores = []
    for _ in range(_BOOTSTRAPS):
        again = clone(pipeline).fit(some.iloc[random.integers(0, len(rows), len(rows))])
        scores.append(adjusted_rand_score(known, again.predict(some)))
    return float(np.mean(scores))


def _try(analysis: "Analysis", candidate: Candidate, x: "pd.DataFrame") -> tuple[Candidate, Any, "Values"]:
    with blaming(analysis, metrics_of(analysis), f"candidate '{candidate.name}'"):
        pipeline = clone(candidate.pipeline).fit(x)
        return candidate, pipeline, measure_clusters(pipeline, x, analysis.seed)


def _best(analysis: "Analysis", tried: list[tuple[Candidate, Any, "Values"]]) -> tuple[Candidate, Any, "Values"]:
    chosen = tried[0]
    for one in tried[1:]:
        if better(analysis.select_by, one[2][analysis.select_by], chosen[2][analysis.select_by]):
            chosen = one
    if chosen[2][analysis.select_by] is None:
        raise refusal(analysis, metrics_of(analysis), "no candidate tells two clusters apart")
    return chosen


def _current(
    analysis: "Analysis", staging: "Staging", session: "Session"
) -> "tuple[Values | None, tuple[Finding, ...]]":
    """The registered model version's metrics on the same rows, where the gate asks for them."""
    if staging.registered is None or not any("current." in line for line in analysis.gate):
        return None, ()
    path = Path(str(staging.registered["path"]))
    if path.name == SPARK_FOLDER:
        message = f"the registered model version {staging.registered['version']} can't be compared: it is Spark ML's"
        return None, (warning("current", message, 1),)
    current = load_model(analysis, metrics_of(analysis), path)
    view = staging.inputs[view_of(analysis)]
    missing = [f.name for f in current.features if view.relation.domain(f.name) != f.domain]
    if missing:
        reason = f"its {', '.join(missing)} is no longer in the view"
        return None, (
            warning("current", f"the registered model version {current.version} can't be compared: {reason}", 1),
        )
    x = read_frame(session, quoted_dataset(view.dataset), analysis.key, current.features)
    return measure_clusters(current.pipeline, x, analysis.seed), ()


def _plot(analysis: "Analysis", staging: "Staging", session: "Session", pipeline: Any, x: "pd.DataFrame") -> Path:
    path, key = staging.artefacts / "clusters.svg", ", ".join(quoted(c) for c in analysis.key)
    rows = session.rows(f"SELECT concat_ws(' ', {key}) FROM {quoted_dataset(view_of(analysis))} ORDER BY {key}")
    labels, _ = clusters_of(pipeline, x)
    plots.plot_clusters(path, _prepared(pipeline, x), labels, [row[0] for row in rows], analysis.seed)
    return path


def _prepared(pipeline: Any, x: "pd.DataFrame") -> "NDArray[np.float64]":
    prepared: Any = pipeline[:-1].transform(x) if len(pipeline.steps) > 1 else x
    return np.asarray(prepared.toarray() if hasattr(prepared, "toarray") else prepared, dtype=np.float64)
