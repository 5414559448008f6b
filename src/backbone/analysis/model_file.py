"""Models on disk: `model.skops`, and beside it `model.json`, which says what made it and how it is used.

A model of Spark ML is the folder `model.spark`, as Spark's own writer and reader have it.

skops rebuilds a model from named types; unlike a pickle it runs nothing that isn't named, and we name only types that
were reviewed. So a model's file from elsewhere can't bring code along.
"""

import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import skops.io
from skops.io.exceptions import UnsupportedTypeException

from backbone.analysis.features import Feature, kinds_of
from backbone.analysis.refusals import blaming, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backbone.engine.protocol import Learning
    from backbone.model.project import Analysis

MODEL_FILE, SPARK_FOLDER, CARD_FILE = "model.skops", "model.spark", "model.json"
REVIEWED_TYPES = frozenset(
    {
        # Values: an array's type, and a dictionary with attributes.
        "numpy.dtype",
        "sklearn.utils._bunch.Bunch",
        # Trees and neighbours: arrays of numbers behind compiled code.
        "sklearn.tree._tree.Tree",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        # Parts of estimators that hold fitted numbers only.
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
        # Our own: a function of a frame, without effects.
        "backbone.analysis.preparation.date_parts",
    }
)
"""Types beyond those that skops itself trusts that a model's file may name. Each was read before it was added:
rebuilding it from a file runs no code but its own, reads no other file and opens no connection."""
_PACKAGES = {"scikit-learn": ("scikit-learn", "skops", "numpy", "pandas"), "spark": ("pyspark", "numpy")}


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model as it is used: what it reads, how it decides, which version it is, and whose estimators it has."""

    pipeline: Any
    version: str
    kind: str
    features: tuple[Feature, ...]
    threshold: float | None = None
    library: str = "scikit-learn"


def save_model(
    analysis: "Analysis", dataset: str, model: Model, folder: Path, made_by: "Mapping[str, object]"
) -> tuple[str, ...]:
    """Write the model and `model.json` into a folder, and return the types that rebuilding it needs.

    Raises:
        DatasetError: it can't be stored, or holds a type that wasn't reviewed or isn't Spark's own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with blaming(analysis, dataset, "the model can't be stored"):
        if model.library == "spark":
            trusted = model.pipeline.save(folder / SPARK_FOLDER)
        else:
            trusted = _save_sklearn(analysis, dataset, model, folder / MODEL_FILE)
    card = {
        "analysis": analysis.name,
        "kind": model.kind,
        "library": model.library,
        "version": model.version,
        "threshold": model.threshold,
        "features": [{"name": f.name, "domain": f.domain, "kind": f.kind} for f in model.features],
        "packages": {name: version(name) for name in _PACKAGES[model.library]},
        "trusted_types": list(trusted),
        **made_by,
    }
    (folder / CARD_FILE).write_text(json.dumps(card, indent=2, default=str, ensure_ascii=False) + "\n")
    return tuple(trusted)


def files_of(library: str, folder: Path) -> tuple[Path, ...]:
    """All files of a stored model."""
    if library != "spark":
        return (folder / MODEL_FILE, folder / CARD_FILE)
    inside = (path for path in sorted((folder / SPARK_FOLDER).rglob("*")) if path.is_file())
    return (*inside, folder / CARD_FILE)


def load_model(analysis: "Analysis", dataset: str, path: Path, learning: "Learning | None" = None) -> Model:
    """Read a model, given its `model.skops` or `model.spark`.

    Raises:
        DatasetError: a file is missing or damaged, or the model names a type that wasn't reviewed, or it is Spark's
            and there is no `learning` of Spark's.
    """
    with blaming(analysis, dataset, f"the registered model {path.name} can't be read"):
        card = json.loads((path.parent / CARD_FILE).read_text())
        features = tuple(Feature(f["name"], f["domain"], f["kind"]) for f in card["features"])
        library = "spark" if path.name == SPARK_FOLDER else "scikit-learn"
        if library == "spark":
            if learning is None:
                raise refusal(analysis, dataset, "the registered model is Spark ML's: it needs `engine: spark`")
            pipeline = learning.load(path, kinds_of(features))
        else:
            trusted = _reviewed(analysis, dataset, skops.io.get_untrusted_types(file=path))
            pipeline = skops.io.load(path, trusted=list(trusted))
        return Model(pipeline, card["version"], card["kind"], features, card["threshold"], library)


def _save_sklearn(analysis: "Analysis", dataset: str, model: Model, path: Path) -> tuple[str, ...]:
    try:
        data = skops.io.dumps(model.pipeline)
    except UnsupportedTypeException as error:
        raise refusal(analysis, dataset, f"the model can't be stored: {error}") from error
    trusted = _reviewed(analysis, dataset, skops.io.get_untrusted_types(data=data))
    path.write_bytes(data)
    return trusted


def _reviewed(analysis: "Analysis", dataset: str, types: list[str]) -> tuple[str, ...]:
    strange = sorted(set(types) - REVIEWED_TYPES)
    if strange:
        message = f"the model holds {', '.join(strange)}, which wasn't reviewed as safe to load"
        raise refusal(analysis, dataset, message, hint="use scikit-learn's own estimators and transformers")
    return tuple(sorted(set(types)))
