"""What `migrate` and `upgrade` print."""

from typing import TYPE_CHECKING

from backbone.cli.phrases import count, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backbone.cli.drawing.screen import Screen
    from backbone.model.operations import Migrated, Upgraded


def draw_migrated(report: "Migrated", screen: "Screen") -> None:
    """What is elsewhere now, or would be."""
    rows = [[one.environment, f"{one.snapshot}", f"{one.data_files:,}", size(one.bytes)] for one in report.lakes]
    screen.table(["environment", "snapshot", "files to copy" if report.dry_run else "files", ""], rows, right=[1, 2, 3])
    where = ", ".join(f"{name}: {value}" for name, value in report.storage.items())
    landed = count(report.landed_files, "landed file")
    if report.dry_run:
        screen.line(f"and {landed}, to {where}. nothing was changed.")
        return
    screen.line(f"and {landed}, each equal to its checksum. backbone.yml says: storage {where}.")
    screen.line("the former files are still there: remove them when you are sure. next: ", ("backbone doctor", "cyan"))


def draw_upgraded(found: "Sequence[Upgraded]", dry_run: bool, screen: "Screen") -> None:
    """Which catalogues are of another version now, or would be."""
    for one in found:
        would = "would be" if dry_run else "is"
        kept = f" The former one is kept: {one.kept}." if one.kept else ""
        screen.line(f"{one.environment}: the catalogue was of version {one.before} and {would} of {one.after}.{kept}")
    if not found:
        screen.line("nothing to upgrade.")
