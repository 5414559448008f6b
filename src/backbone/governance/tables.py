"""The governance tables: `governance.NAME`, one definition for what is written and what the docs list.

*Logs* keep every row. *States* say how things are now: their rows are replaced, and time travel shows the former ones.
"""

from collections.abc import Mapping

from backbone.model.relations import Attribute, Relation

_LOGS = {
    "run": "run text, environment text, project text, status text, started_at timestamp_tz, seconds float, "
    "cpu_seconds float, peak_memory_bytes integer, base_snapshot integer, snapshot integer, backbone_version text, "
    "code_version text, message text",
    "step": "run text, dataset text, status text, how text, reasons text, definition json, generation integer, "
    "snapshot integer, committed integer, inputs json, files_until integer, relation json, rows integer, "
    "bytes integer, seconds float, cpu_seconds float, peak_memory_bytes integer, message text",
    "ledger": "run text, dataset text, scope text, rows_in integer, rows_out integer, quarantined integer, "
    "merged_away integer",
    "landed_file": "run text, file integer, source text, name text, path text, sha256 text, size integer, "
    "origin text, arrived_at timestamp_tz, format text, records integer",
    "rule_result": "run text, dataset text, rule text, kind text, action text, tested integer, broken integer, "
    "share float, level text, message text, examples text[]",
    "profile": "run text, dataset text, file integer, attribute text, domain text, rows integer, nulls integer, "
    "distinct_values integer, approximate boolean, minimum text, maximum text, mean float",
    "data_file": "run text, dataset text, path text, sha256 text, bytes integer",
    "model_version": "analysis text, version text, run text, snapshot integer, algorithm text, parameters json, "
    "seed integer, code text, trusted_types text, path text, registered boolean, train_seconds float, "
    "peak_memory_bytes integer, train_rows integer, validate_rows integer",
    "metric": "analysis text, version text, data text, group_column text, group_value text, metric text, value float, "
    "baseline float, unit text",
    "feature": "analysis text, version text, feature text, domain text, importance float",
    "preparation": "analysis text, version text, feature text, task text, parameters text",
}
_STATES = {
    "relation": "run text, dataset text, zone text, description text, owner text, tags text[], declared_in text",
    "attribute": "run text, dataset text, position integer, attribute text, domain text, description text, "
    "system boolean",
    "constraint": "run text, dataset text, name text, kind text, columns text[], action text, definition text, "
    "declared_at text",
    "mapping": "run text, dataset text, attribute text, input_dataset text, input_attribute text, expression text, "
    "partial boolean",
    "template": "run text, source text, format text, template json, columns json, contract text, bad_values text",
    "connection": "run text, source text, kind text, location text",
    "term": "run text, term text, means text, unit text, synonyms text[], broader text, personal boolean",
    "binding": "run text, term text, dataset text, attribute text, how text",
    "quarantine": "run text, dataset text, file integer, record integer, rule text, reason text, raw text",
    "merged_away": "run text, dataset text, file integer, record integer, rule text, survivor_file integer, "
    "survivor_record integer",
    "decision": "run text, dataset text, file integer, record integer, verdict text, attribute text, value text, "
    "was text, because text, decided_by text, decided_at text",
}


def _relation(columns: str) -> Relation:
    pairs = (column.split() for column in columns.split(", "))
    return Relation(tuple(Attribute(name, domain) for name, domain in pairs))


TABLES: Mapping[str, Relation] = {name: _relation(columns) for name, columns in (_LOGS | _STATES).items()}
"""Every governance table with its columns."""

STATES = tuple(_STATES)
"""The tables that say how things are now."""

SAYS: Mapping[str, str] = {
    "run": "One row a run: when, how long, what it cost, and how it ended (`published`, `failed`, `killed`).",
    "step": "One row a dataset and run: what was done and why, its definition by parts, the versions "
    "of its inputs, rows, bytes and cost. What is published is read from here.",
    "ledger": "Rows in, out, quarantined and merged away; `scope` is `dataset` (all of it) or `run` "
    "(what this run added).",
    "landed_file": "The landed files that a run read for the first time: checksum, origin, arrival, records.",
    "rule_result": "What each rule found: rows tested and broken, what came of it, examples.",
    "profile": "Columns in numbers, after each change; `landing.NAME` with `file` says how many records a "
    "landed file holds.",
    "data_file": "Every data file published, with its checksum: `backbone doctor` compares.",
    "model_version": "Trained models, registered or not: snapshot, code, parameters, seed, trusted types, file, cost.",
    "metric": "Metrics of model versions beside their baseline's, over all rows and by group.",
    "feature": "The features that a model version used, with their permutation importance.",
    "preparation": "The preparation tasks of a model version, by feature, with what they learnt from the training set.",
    "relation": "Datasets: zone, description, owner, tags, and the file that declares them.",
    "attribute": "Columns of datasets, in order, with domains.",
    "constraint": "Keys and rules of datasets, with the place that declares them.",
    "mapping": "Column lineage: each column with the input column that it comes from, and the SQL that makes it.",
    "template": "How each source is read.",
    "connection": "Where each source comes from, without secrets.",
    "term": "Terms of the glossary.",
    "binding": "Columns that a term is bound to: `declared`, or `inherited` along lineage.",
    "quarantine": "Rows set aside: rule, reason, landed file, record, and the raw line or the row as JSON.",
    "merged_away": "Rows merged into another: duplicates and older versions, with the file and record of the one that "
    "survived then. Runs add to it: that one may have been merged into another since, and has a row of its own here.",
    "decision": "What people decided about single rows (`trusted/NAME.csv`): a value that they put right (`set`, "
    "`clear`) or a row that they left out (`drop`), and why, who and when.",
}
"""What each table holds, in a sentence or two."""
