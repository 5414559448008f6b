"""Errors may come from another machine: pickled, they are what they were."""

import pickle
from pathlib import Path

import pytest

from backbone import errors
from backbone.errors import BackboneError, DatasetError, MissingExtraError, Problem, ProjectError
from backbone.model.rules import Location
from backbone.model.steps import Failure

PROBLEM = Problem(Location("trusted/a.yml", 3, 2), "wrong", "  - x")
PLAIN = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, BackboneError) and kind.__init__ is Exception.__init__
]


@pytest.mark.parametrize(
    "error",
    [
        *(kind("a message") for kind in PLAIN),
        DatasetError(Failure("trusted.a", "it failed", Location("trusted/a.yml", 3), quarantined=(Path("x"),))),
        ProjectError([PROBLEM]),
        MissingExtraError("Spark", "spark"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_pickled_error_is_what_it_was(error: BackboneError) -> None:
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)
