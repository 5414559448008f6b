"""Rows that are written once more as a new generation: by a rollback, and where maintenance drops deleted rows.

A change feed tells the truth only within a generation. So a dataset whose files are written again begins a new one, and
what depends on it is recorded as made from that, if it was made from the same rows before.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from backbone.engine.protocol import Engine
from backbone.errors import LakeError
from backbone.governance.tables import TABLES
from backbone.lake.site import Site
from backbone.lake.store import Lake
from backbone.lake.transactions import Transaction
from backbone.lake.upkeep import data_files
from backbone.model.names import quoted, quoted_dataset, stem_of, zone_of
from backbone.model.steps import Extent, Published, Version
from backbone.runs.publish import data_file_rows, held_row


@dataclass(frozen=True, slots=True)
class Copy:
    """A dataset's rows as they were in a snapshot, in a file that nobody sees yet."""

    published: Published
    path: Path


def copy_dataset(engine: Engine, site: Site, run: str, published: Published, snapshot: int) -> Copy:
    """Write the rows that a dataset has in a snapshot to a file of its own.

    Raises:
        LakeError: they aren't as many as were published.
    """
    dataset = published.dataset
    path = site.tables / zone_of(dataset) / stem_of(dataset) / f"{run}-copy.parquet"
    columns = ", ".join(quoted(name) for name in published.relation.names)
    with engine.local() as session:
        session.show_system(True)
        session.show(Extent(dataset, published.relation, snapshot))
        written = session.write(f"SELECT {columns} FROM {quoted_dataset(dataset)}", path, relation=published.relation)
    if written.rows != published.rows:
        path.unlink()
        raise LakeError(
            f"{dataset} has {written.rows:,} rows in snapshot {snapshot}, and {published.rows:,} were published. "
            "Check it: backbone doctor"
        )
    return Copy(published, path)


def damaged_files(lake: Lake, snapshot: int, datasets: Collection[str]) -> dict[str, str]:
    """The data files of these datasets that aren't what was published, each with its dataset: missing or changed."""
    if not lake.has("governance.data_file"):
        return {}
    digests = {str(row["path"]): str(row["sha256"]) for row in lake.records("FROM lake.governance.data_file")}
    found = {path: dataset for path, dataset in data_files(lake.site, snapshot).items() if dataset in datasets}
    return {path: one for path, one in found.items() if not _is_sound(lake.site, f"tables/{path}", digests.get(path))}


def damaged_models(lake: Lake, versions: Collection[str]) -> list[str]:
    """The files of these model versions that aren't what was registered: missing or changed."""
    rows = lake.records("SELECT path, run, sha256 FROM lake.governance.data_file WHERE starts_with(path, 'models/')")
    files = [(str(row["path"]), str(row["sha256"])) for row in rows if row["run"] in versions]
    return [path for path, digest in files if not _is_sound(lake.site, path, digest)]


def _is_sound(site: Site, name: str, digest: str | None) -> bool:
    return site.data.sha256(name) == digest if digest else name in site.data.sizes([name])


def renewed(then: Mapping[str, Published], changed: Collection[str], snapshot: int) -> dict[str, Published]:
    """What is published once `changed` are put back as `then`, as new generations that begin in `snapshot`."""
    versions = {name: Version(snapshot, snapshot) if name in changed else one.version for name, one in then.items()}

    def input_version(name: str, made_from: Version) -> Version:
        # What was made from an earlier version of its input stays behind it.
        return versions[name] if name in then and then[name].version == made_from else made_from

    return {
        name: replace(
            one, version=versions[name], inputs={i: input_version(i, version) for i, version in one.inputs.items()}
        )
        for name, one in then.items()
    }


def publish_copies(
    lake: Transaction,
    run: str,
    site: Site,
    copies: Iterable[Copy],
    now: Mapping[str, Published],
    after: Mapping[str, Published],
    *,
    status: str,
    how: str,
) -> None:
    """Publish copies, and write down what has become of every dataset whose version or inputs are others than now.

    Args:
        lake: an open transaction.
        run: the run that does it.
        site: where the lake is.
        copies: datasets with the rows that they get.
        now: what is published so far.
        after: what is published from now on.
        status: what `governance.step` says of those that got rows.
        how: why they did.
    """
    paths = {copy.published.dataset: copy.path for copy in copies}
    for name, path in paths.items():
        lake.replace(name, after[name].relation, [path])
    rows = [
        {"run": run, "dataset": name, "status": status if name in paths else "unchanged", "how": how, "reasons": how,
         "committed": lake.snapshot, **held_row(one, [paths[name]] if name in paths else [])}
        for name, one in after.items() if one != now.get(name)
    ]  # fmt: skip
    lake.insert("governance.step", TABLES["step"], rows)
    files = data_file_rows(run, [(name, site.name_of(path)) for name, path in paths.items()], site)
    lake.insert("governance.data_file", TABLES["data_file"], files)
