"""Doing nothing: found out without an engine, without an SQL parser, without parsing the project."""

from backbone.connectors.origins import is_asked
from backbone.lake.catalogue import last_snapshot
from backbone.runs import journal
from backbone.runs.environment import Environment
from backbone.runs.state import State, read_state


def nothing_to_do(environment: Environment, fingerprint: str) -> State | None:
    """The present state, if it is certain that a run would do nothing; None if a plan must tell.

    It is certain if the cache names the lake's last snapshot, every dataset was up to date with these very project
    files, no run has died, nothing has landed since, and nothing new is there to be landed.
    """
    state = read_state(environment.state_path)
    if state is None or state.fingerprint != fingerprint or state.upstream is not None:
        return None
    if last_snapshot(environment.site) != (state.lake, state.snapshot) or journal.has_entries(environment.site):
        return None
    if environment.landing.registry.newest_by_source() != state.newest_files:
        return None
    if any(is_asked(origin) for origins in state.origins.values() for origin in origins):
        return None
    if any(environment.landing.arrivals(source, origins) for source, origins in state.origins.items()):
        return None
    return state
