"""Keeping a lake, going back and handing on, as people see it."""

from typing import TYPE_CHECKING

from backbone.cli.phrases import count, duration, listed, moment, size

if TYPE_CHECKING:
    from backbone.cli.drawing.screen import Screen
    from backbone.model.operations import BackedUp, Exported, Kept, Maintained, Restored, RolledBack


def draw_rolled_back(report: "RolledBack", screen: "Screen") -> None:
    """What a rollback did, or would do, and what a run does next."""
    then = f"snapshot {report.to}, {moment(report.at)}"
    if not report.datasets:
        screen.line(f"nothing to do: all datasets are as in {then}")
        return
    screen.line(f"{'would be' if report.dry_run else 'are'} as in {then}:")
    rows = [[one.dataset, _rows(one.rows_now), _rows(one.rows_then)] for one in report.datasets]
    screen.table(["dataset", "rows before", "rows after"], rows, right=[1, 2], indent=2)
    for analysis, version in report.models:
        screen.line(f"  model {analysis}: {f'version {version} is in use again' if version else 'none is in use'}")
    again = f"reads {count(report.landed_files, 'landed file')} again and " if report.landed_files else ""
    screen.line(
        f"The next run {again}makes anew what is undone: mend the rule or view that made it wrong first. ",
        ("backbone plan", "cyan"),
        " says what it would do.",
    )
    if not report.dry_run:
        screen.line(f"published snapshot {report.snapshot}, run {report.run}. All former snapshots are still there.")


def _rows(rows: int | None) -> str:
    return "not there" if rows is None else f"{rows:,}"


def draw_backed_up(report: "BackedUp", screen: "Screen") -> None:
    """What is in a backup, and how to go back to it."""
    files = f"{count(report.data_files, 'data file')} and {count(report.landed_files, 'landed file')}"
    screen.line(f"{report.environment}, snapshot {report.snapshot}: {files}, {size(report.bytes)}, all as published.")
    screen.line("to go back to it: ", (f"backbone restore {report.folder}", "cyan"))


def draw_restored(report: "Restored", screen: "Screen") -> None:
    """Which lake is there now."""
    instead = f" instead of snapshot {report.replaced}" if report.replaced is not None else ""
    screen.line(f"{report.environment} is as in snapshot {report.restored} of {report.project}{instead}.")
    if report.landed_files:
        screen.line(f"{count(report.landed_files, 'landed file')} came back with it.")
    screen.line(f"published snapshot {report.snapshot}, run {report.run}. next: ", ("backbone plan", "cyan"))


def draw_exported(report: "Exported", screen: "Screen") -> None:
    """What an export wrote, and what the target can't have."""
    sized = [[size(one.bytes)] if one.bytes is not None else [] for one in report.tables]
    rows = [[t.dataset, f"{t.rows:,}", *s, t.place] for t, s in zip(report.tables, sized, strict=True)]
    header = ["dataset", "rows", "size", "where"] if all(sized) else ["dataset", "rows", "where"]
    screen.table(header, rows, right=[1, 2] if all(sized) else [1])
    for said in report.left_out:
        screen.line(("left out: ", "yellow"), said)
    if report.kept:
        screen.line(f"kept from before: {listed(report.kept)}")
    total = f"{count(len(report.tables), 'dataset')}, {size(report.bytes)}, in {duration(report.seconds)}"
    screen.line(f"{'replaced' if report.replaced else 'exported'} {total}: {report.target}")
    screen.line(f"as in snapshot {report.snapshot} of {report.project}, {report.environment}")


def draw_maintained(report: "Maintained", screen: "Screen") -> None:
    """What maintenance did, or would do."""
    for warning in report.warnings:
        screen.line(("⚠ ", "yellow"), warning)
    _draw_work(report, screen)
    for kept in report.kept:
        screen.line(_kept(kept))
    if report.files_removed:
        screen.line(f"{count(report.files_removed, 'file')} removed, {size(report.bytes_freed)} freed")
    if report.files_waiting:
        waiting = f"{count(report.files_waiting, 'file')} that no snapshot needs, {size(report.bytes_waiting)}"
        screen.line(f"{waiting}: ", (report.waiting, "dim"))
    if report.run:
        screen.line(f"maintained in {duration(report.seconds)}, snapshot {report.snapshot}, run {report.run}.")
    elif report.dry_run and (report.compacted or report.expired):
        screen.line("nothing was changed.")
    elif not report.warnings:
        screen.line("nothing to maintain.")


def _draw_work(report: "Maintained", screen: "Screen") -> None:
    would = "would be " if report.dry_run else ""
    for how in ("merged", "rewritten"):
        done = [one for one in report.compacted if one.how == how]
        if done:
            before, after = sum(one.files_before for one in done), sum(one.files_after for one in done)
            names = listed(one.dataset for one in done)
            screen.line(f"{count(before, 'file')} {would}{how} into {after:,}: ", (names, "dim"))
    if report.expired:
        screen.line(f"{count(len(report.expired), 'snapshot')} {would}expired: ", (numbers(report.expired), "dim"))


def _kept(kept: "Kept") -> str:
    return f"snapshot{'s' if len(kept.snapshots) > 1 else ''} {numbers(kept.snapshots)} kept: {kept.because}"


def numbers(values: tuple[int, ...]) -> str:
    """Numbers in their order, neighbours as ranges.

    Example:
        >>> numbers((3, 4, 5, 9))
        '3-5, 9'
    """
    ranges: list[list[int]] = []
    for value in values:
        if ranges and value == ranges[-1][-1] + 1:
            ranges[-1].append(value)
        else:
            ranges.append([value])
    return ", ".join(f"{one[0]}-{one[-1]}" if len(one) > 1 else str(one[0]) for one in ranges)
