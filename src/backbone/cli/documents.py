"""Reports as JSON documents: what `--format json` prints, and `--format csv` of their lists.

Every document but that of `sql` (an array of objects) is an object; keys are never taken away or renamed, only added.
Values are written as `cli/writing.py` says. Locations are text, `trusted/flights.yml:7:5`.

- `plan`: `steps`, each `dataset`, `action` (`run`, `skip` or `drop`), `reason`, `how` (`full`, `incremental`; null
  unless it runs), `outputs` (all datasets that it makes), `files` (landed files that it will read); and `asks`, the
  places that the run will ask for what is new (`source, place`).
- `run`: `run, environment, status` (`published`, `nothing`, `failed`), `snapshot, seconds, quarantined`, `landed`
  (each `source, name, sha256, size, origin, arrived_at, records, repeat`), `steps`, each `dataset, zone, status`
  (`done`, `failed`, `kept`, `unchanged`, `dropped`), `how, rows, ledger` and `delta` (`rows_in, rows_out, quarantined,
  merged_away`; null where there is none), `findings` (each `rule, level, tested, broken, share, message, examples,
  at`), `seconds, note, failure` (`message, at, source_line, hint`), `because, last_good`; `maintained` (as in
  `maintain`; null where none was due), `warnings`.
  With `--watch` one such object a line for each cycle, or `error` alone where it could not run.
- `status`: `project, environment, snapshot, landed_files, last_run` (as in `history`), `datasets`, each `dataset, zone,
  rows, snapshot, run, changed_at, failing, message, quarantined`.
- `history`: `runs`, each `run, environment, status` (`published`, `nothing`, `failed`, `killed`, `running`,
  `maintained`, `rolled back`, `restored`), `started_at, seconds, snapshot, datasets, rows, message`.
- `quarantine`: `total`, `groups` (each `dataset, rule, rows, run`), `rows` (each `run, dataset, file, file_id, record,
  rule, reason, raw, suggested`: pairs of column and value); in CSV the groups for `list`, the rows for `show`. With
  `fix` and `drop`, `dataset, records, path`; with `replay`, `dataset, passed, again` (as `rows`), `run` (as in `run`).
- `repairs`: `dataset, total`, `groups` (each `rule, cells`), `rows` (each `record, column, old, new, rules, evidence,
  confidence`), which are the lines in CSV; with `--undo`, `dataset, cells, paths`.
- `trace`: `dataset, label, detail, exact, more, children` (the same again); in CSV one line a node with `depth`.
- `lineage`: `dataset, column`, `edges`, each `direction` (`up`, `down`), `dataset, column, input_dataset,
  input_column, expression, partial`.
- `profile`: `dataset, rows, note, columns`, each `column, domain, nulls, distinct, approximate, minimum, maximum, mean,
  deviation, top` (pairs of value and count).
- `show`: `dataset, description, owner, tags, made_by, inputs, readers, key, rows, snapshot, run, changed_at, ledger`,
  `columns` (each `name, domain, description, term, means`), `rules` (each `rule, action, because, at, finding`),
  `sample` (objects).
- `peek`: `path, format, size, records, dialect, evidence`, `columns` (each `name, domain`), `sample` (objects),
  `children` (relations inside its records, each `name, parent, records, columns`).
- `add`: `source, template_path, written, summary, evidence, remarks, project, next_command`, `landed` (as in `run`),
  `sample` (objects; null when not taken through to trusted), `run` (as in `run`; null likewise).
- `rollback`: `run, environment, dry_run, to, at, snapshot`, `datasets` (each `dataset, rows_now, rows_then`), `models`
  (pairs of analysis and version), `landed_files, seconds`.
- `backup`: `folder, environment, snapshot, data_files, landed_files, bytes`.
- `migrate`: `dry_run, storage, lakes, landed_files`; a lake has `environment, snapshot, data_files, bytes`.
- `upgrade`: `catalogues`, each with `environment, before, after, kept`.
- `restore`: `run, environment, project, restored, snapshot, replaced, data_files, landed_files`.
- `maintain`: `run, environment, dry_run, snapshot`, `compacted` (each `dataset, how, files_before, files_after`),
  `expired` (snapshots), `kept` (each `snapshots, because`), `files_removed, bytes_freed, files_waiting, bytes_waiting,
  waiting, warnings, seconds`.
- `export`: `project, environment, snapshot, kind, target`, `tables` (each `dataset, rows, bytes, place`; `bytes` is
  null where a table's own size isn't known), `bytes, replaced, left_out` and `kept` (lines), `seconds`.
- `init`: `made`, lines. `doctor`: `checks`, each `name, ok, detail, hint, mended` (lines).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from backbone.cli.writing import distinct_names
from backbone.errors import BackboneError

if TYPE_CHECKING:
    from backbone.model.operations import BackedUp, Exported, Maintained, Migrated, Restored, RolledBack, Upgraded
    from backbone.model.relations import Attribute
    from backbone.model.reports import (
        Added,
        Check,
        CleanSummary,
        DatasetDescription,
        DatasetProfile,
        HistoryEntry,
        LineageGraph,
        PeekSummary,
        Quarantine,
        Repairs,
        Replayed,
        RunReport,
        Sample,
        Settled,
        Status,
        TraceNode,
        Undone,
    )
    from backbone.model.steps import Finding, Plan

Document = Mapping[str, object]


def plain(value: object) -> object:  # noqa: PLR0911 - one return a type
    """A report, or a part of one, as dicts and lists."""
    # Here and not above: a table, a completion or an error has no use for all these classes.
    from backbone.model.reports import Sample
    from backbone.model.rules import Location, Rule
    from backbone.model.steps import Failure, Finding

    match value:
        case Finding():
            return _finding(value)
        case Failure():
            return {
                "message": value.message,
                "at": plain(value.at),
                "source_line": value.source_line,
                "hint": value.hint,
            }
        case Rule():
            return value.name
        case Location():
            return str(value) if value.path else None
        case Sample():
            return objects(value)
        case Path():
            return str(value)
        case tuple() | list():
            return [plain(item) for item in value]
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    return value


def _finding(finding: "Finding") -> Document:
    return {
        "rule": finding.rule.name,
        "level": finding.level,
        "tested": finding.tested,
        "broken": finding.broken,
        "share": finding.share,
        "message": finding.message,
        "examples": list(finding.examples),
        "at": plain(finding.rule.at),
    }


def objects(sample: "Sample") -> list[Document]:
    """Rows as objects."""
    names = distinct_names(sample.columns)
    return [dict(zip(names, row, strict=True)) for row in sample.rows]


def _part(report: object, *names: str) -> dict[str, object]:
    """Some attributes of a report, plain."""
    return {name: plain(getattr(report, name)) for name in names}


def plan_document(plan: "Plan") -> Document:
    """What a run would do."""
    steps: list[Document] = [
        {
            "dataset": planned.step.dataset,
            "action": planned.action,
            "reason": "; ".join(planned.reasons) or ("unchanged" if planned.action == "skip" else ""),
            "how": planned.how if planned.action == "run" else None,
            "outputs": list(planned.step.outputs),
            "files": [file.name for file in planned.files],
        }
        for planned in plan.steps
    ]
    dropped: Document = {"action": "drop", "how": None, "files": []}
    steps += [{"dataset": d.dataset, "reason": d.reason, "outputs": [d.dataset], **dropped} for d in plan.drops]
    return {"steps": steps, "asks": [{"source": source, "place": place} for source, place in plan.asks]}


def run_document(report: "RunReport") -> Document:
    """What a run did."""
    known = ("run", "environment", "status", "snapshot", "seconds", "quarantined", "landed", "steps")
    return _part(report, *known, "maintained", "warnings")


def operation_document(report: "BackedUp | Exported | Maintained | Migrated | Restored | RolledBack") -> Document:
    """What maintenance, a rollback, a backup, a restore, a migration or an export did."""
    return {f.name: plain(getattr(report, f.name)) for f in fields(report)}


def upgrade_document(upgraded: "Sequence[Upgraded]") -> Document:
    """The catalogues that were of an earlier version."""
    return {"catalogues": plain(list(upgraded))}


def cycle_document(outcome: "RunReport | BackboneError") -> Document:
    """What one cycle of `run --watch` came to: a run, or why there could be none."""
    return {"error": str(outcome)} if isinstance(outcome, BackboneError) else run_document(outcome)


def status_document(status: "Status") -> Document:
    """How a project stands."""
    return _part(status, "project", "environment", "snapshot", "landed_files", "last_run", "datasets")


def history_document(entries: "Sequence[HistoryEntry]") -> Document:
    """The last runs."""
    return {"runs": plain(list(entries))}


def quarantine_document(quarantine: "Quarantine") -> Document:
    """The rows set aside."""
    return _part(quarantine, "total", "groups", "rows")


def settled_document(settled: "Settled") -> Document:
    """What was decided about rows set aside."""
    return _part(settled, "dataset", "records", "path")


def replay_document(replayed: "Replayed") -> Document:
    """What came of them."""
    return {**_part(replayed, "dataset", "passed", "again"), "run": run_document(replayed.report)}


def repairs_document(repairs: "Repairs") -> Document:
    """The cells that a trusted dataset changed."""
    return _part(repairs, "dataset", "total", "groups", "rows")


def undone_document(undone: "Undone") -> Document:
    """The repairs that are taken back."""
    return _part(undone, "dataset", "cells", "paths")


def trace_document(node: "TraceNode") -> Document:
    """A row's way back, nested."""
    return _part(node, "dataset", "label", "detail", "exact", "more", "children")


def trace_records(node: "TraceNode", depth: int = 0) -> Iterator[Document]:
    """A row's way back, one record a place."""
    yield {"depth": depth, **_part(node, "dataset", "label", "detail", "exact", "more")}
    for child in node.children:
        yield from trace_records(child, depth + 1)


def lineage_document(graph: "LineageGraph") -> Document:
    """Where a dataset or column comes from and goes."""
    names = ("dataset", "column", "input_dataset", "input_column", "expression", "partial")
    edges = [("up", edge) for edge in graph.up] + [("down", edge) for edge in graph.down]
    return {
        "dataset": graph.dataset,
        "column": graph.column,
        "edges": [{"direction": direction, **_part(edge, *names)} for direction, edge in edges],
    }


def profile_document(profile: "DatasetProfile") -> Document:
    """A dataset's columns in numbers."""
    return _part(profile, "dataset", "rows", "note", "columns")


def _columns(attributes: "Sequence[Attribute]") -> list[Document]:
    return [{"name": a.name, "domain": a.domain} for a in attributes]


def description_document(described: "DatasetDescription") -> Document:
    """All about one dataset."""
    names = "dataset description owner tags made_by inputs readers key rows snapshot run changed_at ledger"
    columns = []
    for attribute in described.relation.visible:
        term, means = described.terms.get(attribute.name, (None, None))
        columns.append({**_part(attribute, "name", "domain", "description"), "term": term, "means": means})
    rules = [
        {
            "rule": state.rule.name,
            "action": state.rule.action,
            "because": state.rule.because,
            "at": plain(state.rule.at),
            "finding": plain(state.finding),
        }
        for state in described.rules
    ]
    return {**_part(described, *names.split()), "columns": columns, "rules": rules, **_part(described, "sample")}


def peek_document(summary: "PeekSummary") -> Document:
    """What a file looks like."""
    return {
        **_part(summary, "path", "format", "size"),
        "records": summary.sample.total,
        **_part(summary, "dialect", "evidence"),
        "columns": _columns(summary.columns),
        "sample": objects(summary.sample),
        "children": [
            {**_part(child, "name", "parent", "records"), "columns": _columns(child.columns)}
            for child in summary.children
        ],
    }


def clean_document(cleaned: "CleanSummary") -> Document:
    """What of a file was written as plain CSV."""
    return _part(cleaned, "path", "written", "columns", "records", "unreadable", "dialect")


def added_document(added: "Added") -> Document:
    """What `add` did."""
    names = "source template_path written summary evidence remarks project next_command landed sample"
    return {**_part(added, *names.split()), "run": None if added.run is None else run_document(added.run)}


def doctor_document(checks: "Sequence[Check]") -> Document:
    """Whether all is sound."""
    return {"checks": plain(list(checks))}
