"""How an analysis fails: its dataset, what is wrong, where it is declared, and what to do next."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.errors import DatasetError, UsageError
from backbone.model.rules import Location
from backbone.model.steps import Failure, Finding, Table
from backbone.troubles import trouble

if TYPE_CHECKING:
    from backbone.model.project import Analysis

_ARGUMENTS = {"leakage": "features", "feature": "features"}
"""The arguments to blame for messages that begin with another word."""


def refusal(
    analysis: "Analysis",
    dataset: str,
    message: str,
    *,
    about: str = "",
    hint: str = "",
    findings: Sequence[Finding] = (),
    governance: Sequence[Table] = (),
) -> DatasetError:
    """The error to raise where a dataset of an analysis can't be made.

    It points at the argument `about`, or else at the one that the message begins with.
    """
    at = analysis.place_of(about) if about else blamed(analysis, message)
    return DatasetError(
        Failure(dataset, message, at, hint=hint, findings=tuple(findings), governance=tuple(governance))
    )


def blamed(analysis: "Analysis", message: str) -> Location:
    """Where the argument stands that a message begins with; where the analysis does, if with none."""
    word = message.removeprefix("the ").replace(":", " ").split(maxsplit=1)[0]
    return analysis.place_of(_ARGUMENTS.get(word, word))


@contextmanager
def blaming(analysis: "Analysis", dataset: str, what: str) -> Iterator[None]:
    """Say that an error comes from what people wrote (their SQL, their estimators), and from which part of it.

    Raises:
        DatasetError: the block raised anything that doesn't say so itself.
    """
    try:
        yield
    except (DatasetError, UsageError):
        raise
    except Exception as error:  # an engine's and an estimator's errors have no common class
        said = trouble(error, Path()) or str(error).strip() or type(error).__name__
        raise refusal(analysis, dataset, f"{what}: {said}") from error
