"""Models on disk: `model.skops`, and beside it `model.json`, which says what made it and how it is used.

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

from backbone.analysis.features import Feature
from backbone.analysis.refusals import blaming, refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from backbone.model.project import Analysis

MODEL_FILE, CARD_FILE = "model.skops", "model.json"
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
_PACKAGES = ("scikit-learn", "skops", "numpy", "pandas")


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted model as it is used: what it reads, how it decides, and which version it is."""

    pipeline: Any
    version: str
    kind: str
    features: tuple[Feature, ...]
    threshold: float | None = None


def save_model(
    analysis: "Analysis", dataset: str, model: Model, folder: Path, made_by: "Mapping[str, object]"
) -> tuple[str, ...]:
    """Write `model.skops` and `model.json` into a folder, and return the reviewed types that the model needs.

    Raises:
        DatasetError: skops can't store the model, or it holds a type that wasn't reviewed; nothing is left then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with blaming(analysis, dataset, "the model can't be stored"):
        try:
            data = skops.io.dumps(model.pipeline)
        except UnsupportedTypeException as error:
            raise refusal(analysis, dataset, f"the model can't be stored: {error}") from error
    trusted = _reviewed(analysis, dataset, skops.io.get_untrusted_types(data=data))
    (folder / MODEL_FILE).write_bytes(data)
    card = {
        "analysis": analysis.name,
        "kind": model.kind,
        "version": model.version,
        "threshold": model.threshold,
        "features": [{"name": f.name, "domain": f.domain, "kind": f.kind} for f in model.features],
        "packages": {name: version(name) for name in _PACKAGES},
        "trusted_types": list(trusted),
        **made_by,
    }
    (folder / CARD_FILE).write_text(json.dumps(card, indent=2, default=str, ensure_ascii=False) + "\n")
    return trusted


def load_model(analysis: "Analysis", dataset: str, path: Path) -> Model:
    """Read a model, given its `model.skops`.

    Raises:
        DatasetError: a file is missing or damaged, or the model names a type that wasn't reviewed.
    """
    with blaming(analysis, dataset, f"the registered model {path.name} can't be read"):
        card = json.loads((path.parent / CARD_FILE).read_text())
        trusted = _reviewed(analysis, dataset, skops.io.get_untrusted_types(file=path))
        pipeline = skops.io.load(path, trusted=list(trusted))
        features = tuple(Feature(f["name"], f["domain"], f["kind"]) for f in card["features"])
        return Model(pipeline, card["version"], card["kind"], features, card["threshold"])


def _reviewed(analysis: "Analysis", dataset: str, types: list[str]) -> tuple[str, ...]:
    strange = sorted(set(types) - REVIEWED_TYPES)
    if strange:
        message = f"the model holds {', '.join(strange)}, which wasn't reviewed as safe to load"
        raise refusal(analysis, dataset, message, hint="use scikit-learn's own estimators and transformers")
    return tuple(sorted(set(types)))
