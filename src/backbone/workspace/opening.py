"""Opening a project."""

import os
from pathlib import Path

from backbone.connectors.secrets import Secrets, conceal_passwords
from backbone.errors import Problem, ProjectError, UsageError, did_you_mean
from backbone.model.memory import DEFAULT_LIMIT
from backbone.model.project import Upstream
from backbone.project.finding import PROJECT_FILE, find_project
from backbone.project.places import read_file
from backbone.project.settings import Settings, read_settings
from backbone.runs.environment import Catalogue, Environment
from backbone.storage.data import Data
from backbone.workspace.workspace import Workspace


def open_workspace(project: str | Path | None = None, env: str | None = None) -> Workspace:
    """Open a project for reading, planning and running.

    Args:
        project: its folder; the nearest one upwards with a `backbone.yml` where none is named.
        env: the environment; the project's first one where none is named.

    Raises:
        UsageError: there is no project, or no such environment.
        ProjectError: its `backbone.yml` is wrong.

    Example:
        >>> workspace = backbone.open("shop")
        >>> workspace.run()
        >>> workspace.sql("from customer_orders").df()
    """
    root = find_project(Path(project or "."))
    if project is not None and root != Path(project).resolve():
        raise UsageError(f"'{project}' is no project: it has no {PROJECT_FILE}. Meant is perhaps: --project {root}")
    return Workspace(root, environment_of(root, settings_of(root), env))


def settings_of(root: Path) -> Settings:
    """What `backbone.yml` says.

    Raises:
        ProjectError: it is wrong.
    """
    problems: list[Problem] = []
    file = read_file(root, PROJECT_FILE, problems)
    settings = read_settings(file, Secrets(root), problems) if file else Settings()
    if problems:
        raise ProjectError(problems)
    return settings


def memory_limit_around(folder: Path) -> str:
    """What the project around a folder allows, or a new one would.

    Raises:
        ProjectError: its `backbone.yml` is wrong.
    """
    try:
        root = find_project(folder)
    except UsageError:
        return DEFAULT_LIMIT
    return settings_of(root).memory_limit


def environment_of(root: Path, settings: Settings, env: str | None) -> Environment:
    """One of a project's environments; the first where none is named.

    Raises:
        UsageError: there is none of that name.
    """
    known = settings.environments
    if env is not None and env not in known:
        near = did_you_mean(env, known) or f" There are: {', '.join(known)}."
        raise UsageError(f"There is no environment '{env}' in {root.name}/{PROJECT_FILE}.{near}")
    # Not resolved: a link stays one. `..` goes, so that paths can be told to be inside.
    folder = Path(os.path.normpath(root / settings.storage))
    if settings.catalogue:
        conceal_passwords(settings.catalogue)  # PostgreSQL and DuckDB quote what they can't reach
    catalogue = Catalogue(settings.catalogue, settings.name or root.name) if settings.catalogue else None
    return Environment(root, env or known[0], folder, settings.memory_limit, _data_of(settings), catalogue)


def _data_of(settings: Settings) -> Data | None:
    """Where a project's data is, if it isn't in its storage folder."""
    if settings.bucket is None:
        return None
    from backbone.storage.s3 import Encryption, S3Data

    kind, _, key = settings.bucket.encryption.partition(":")
    encryption = {"s3": Encryption("AES256"), "kms": Encryption("aws:kms", key)}.get(kind, Encryption())
    return S3Data(settings.bucket.name, settings.bucket.prefix, encryption)


def upstream_environment(root: Path, upstream: Upstream) -> Environment:
    """The environment of the project that this one reads.

    Raises:
        UsageError: there is no such project or environment.
    """
    other = (root / upstream.project).resolve()
    if not (other / PROJECT_FILE).is_file():
        raise UsageError(
            f"`backbone: {upstream.project}` names no project: {other} has no {PROJECT_FILE}. Name the folder that has"
        )
    return environment_of(other, settings_of(other), upstream.environment)
