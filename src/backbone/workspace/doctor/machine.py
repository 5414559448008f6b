"""The machine: disk, locks, and the parts of DuckDB that Backbone installs."""

import shutil
from collections import Counter

from backbone.engine.duckdb.extensions import load_extension
from backbone.errors import BackboneError
from backbone.lake.known_files import known_files
from backbone.lake.site import Site
from backbone.runs.environment import Environment
from backbone.troubles import size_of, there
from backbone.wiring import open_engine
from backbone.workspace.doctor.verdict import Verdict, sound


def check_extensions(site: Site) -> Verdict:
    """Whether DuckDB's extensions are there and fit its version."""
    names, wrong = ("ducklake", site.books.extension), []
    with open_engine() as engine:
        for name in names:
            try:
                load_extension(engine.connection, name)
            except (BackboneError, RuntimeError, OSError) as error:
                wrong.append(f"{name}: {str(error).splitlines()[0]}")
    hint = "Install Backbone's own versions again: pip install --force-reinstall backbone"
    return Verdict("extensions", f"{', '.join(names)} load", tuple(wrong), hint)


def check_disk(environment: Environment) -> Verdict:
    """Whether there is space for a run: the largest dataset is written anew, and the catalogue copied."""
    place = there(environment.storage)
    free = shutil.disk_usage(place).free
    sizes = _sizes(environment.site)
    catalogue = environment.site.books.bytes()
    least, most = (catalogue + held for held in (max(sizes.values(), default=0), sum(sizes.values())))
    detail = f"{size_of(free)} free; to make the largest dataset anew takes about {size_of(least)}, all {size_of(most)}"
    if free >= least:
        return sound("disk", detail)
    hint = f"Make space where {place} is: a run writes datasets anew beside those it replaces. Then: backbone run"
    return Verdict("disk", "", (detail,), hint)


def _sizes(site: Site) -> Counter[str]:
    """The bytes of each dataset's present files."""
    sizes = Counter[str]()
    for file in known_files(site):
        sizes[file.dataset] += file.bytes * file.live
    return sizes
