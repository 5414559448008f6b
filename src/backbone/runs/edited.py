"""Project files that people edit while a run is under way: a run uses one reading of them.

YAML and SQL are read once, before anything runs. Python is imported only when it is called, so that it is looked at
again then: what was made by other code than was planned must not be published as the planned.
"""

from pathlib import Path

from backbone.analysis.steps import analysis_steps
from backbone.errors import DatasetError, ProjectError
from backbone.model.project import Project
from backbone.model.steps import Analyse, Derive, Failure, Step
from backbone.project.fingerprint import fingerprint
from backbone.project.load import load_project
from backbone.zones.steps import data_steps


def all_steps(project: Project) -> tuple[Step, ...]:
    """The steps of both backbones."""
    return (*data_steps(project), *analysis_steps(project))


def check_unedited(step: Step, root: Path, planned: str) -> None:
    """Make sure that a step's Python is still the planned; `planned` is the fingerprint of the project's files then.

    Raises:
        DatasetError: it was edited since the project was read.
    """
    if not _calls_python(step) or fingerprint(root) == planned:
        return
    try:
        now = {one.dataset: one.definition for one in all_steps(load_project(root))}
    except ProjectError:
        now = {}
    if now.get(step.dataset) != step.definition:
        message = "its code, or what that imports, was edited after the run had begun"
        raise DatasetError(Failure(step.dataset, message, hint="run again: backbone run"))


def _calls_python(step: Step) -> bool:
    match step.work:
        case Derive(view):
            return view.function_path is not None
        case Analyse(_, stage):
            return stage in {"train", "predict"}
        case _:
            return False
