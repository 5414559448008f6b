"""The maintenance that follows a run, in a process of its own: whatever ends that one, the run's goes on (ADR 30).

The run has released its lock by then. Should another process have taken it, maintenance is left to that one's end.
"""

import json
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from signal import SIGINT, Signals

import backbone
from backbone.errors import BackboneError, BusyError
from backbone.lake.upkeep import is_due
from backbone.model.operations import Compacted, Kept, Maintained
from backbone.model.project import Project
from backbone.runs.environment import Environment
from backbone.runs.maintenance import maintain
from backbone.troubles import explained
from backbone.wiring import open_backend
from backbone.workspace.opening import environment_of, settings_of

_PATIENCE_SECONDS = 5.0
"""How long an interrupted maintenance may take to record that it was."""


def maintained_where_due(project: Project, environment: Environment) -> Maintained | None:
    """Maintain an environment's lake where so much has been published that it is due; None where it isn't done.

    What goes wrong is a warning of the report: the run before it has published.
    """
    if project.retention.maintenance == "by_hand":
        return None
    try:
        with explained(environment.folder):
            return _maintained_apart(environment) if is_due(environment.site) else None
    except (BackboneError, OSError) as error:
        return Maintained("", environment.name, dry_run=False, snapshot=0, warnings=(str(error),))


def _maintained_apart(environment: Environment) -> Maintained | None:
    """What a child process has done; it shares no lock, no memory and no terminal with this one."""
    # Whatever made `backbone` importable here may not do so there; behind all else, its folder shadows nothing.
    work = f"import sys; sys.path.append(sys.argv.pop(1)); import {__name__} as child; child.main()"
    home = Path(backbone.__file__).parents[1]
    with subprocess.Popen(  # noqa: S603 - this interpreter, and a project that is open already
        (sys.executable, "-P", "-c", work, home, environment.root, environment.name),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,  # Ctrl-C on a terminal reaches this process alone, which passes it on
    ) as child:
        try:
            told, complaint = child.communicate()
        except BaseException:
            child.send_signal(SIGINT)
            with suppress(subprocess.TimeoutExpired):
                child.wait(_PATIENCE_SECONDS)
            child.kill()  # as harmless as a crash; nothing, if it has ended
            raise
    if child.returncode:
        raise BackboneError(_why(child.returncode, complaint.decode(errors="replace")))
    return _read(told)


def _why(code: int, complaint: str) -> str:
    last = (complaint.strip().splitlines() or [f"it ended with code {code}"])[-1]
    if code > 0:
        return f"The lake was not maintained: {last}"
    return (
        f"{Signals(-code).name} ended the maintenance of the lake, as where a library crashes. What is published "
        "stays, and later runs try again, unless backbone.yml says `retention: {maintenance: by_hand}`"
    )


def _read(told: bytes) -> Maintained | None:
    document = json.loads(told)
    if document is None:
        return None
    compacted = tuple(Compacted(**one) for one in document.pop("compacted"))
    kept = tuple(Kept(tuple(one["snapshots"]), one["because"]) for one in document.pop("kept"))
    expired, warnings = tuple(document.pop("expired")), tuple(document.pop("warnings"))
    return Maintained(**document, compacted=compacted, kept=kept, expired=expired, warnings=warnings)


def main() -> None:
    """The child: maintain the lake of a project's environment, and say on standard output what was done."""
    root, name = Path(sys.argv[1]), sys.argv[2]
    try:
        report = _maintained(root, name)
    except (BackboneError, OSError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("interrupted")
    sys.stdout.write(json.dumps(report and asdict(report)))


def _maintained(root: Path, name: str) -> Maintained | None:
    settings = settings_of(root)
    environment = environment_of(root, settings, name)
    project = Project(root, settings.name, memory_limit=settings.memory_limit, retention=settings.retention)
    try:
        with (
            explained(environment.folder),
            environment.site.books.writing(None, wait=False),
            open_backend(project, environment) as backend,
        ):
            return maintain(project, environment, backend)
    except BusyError:
        return None
