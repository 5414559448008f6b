"""On which side of a split a row is, in SQL."""

import re
from typing import TYPE_CHECKING

from backbone.analysis.steps import view_of
from backbone.analysis.view import TARGET
from backbone.model.names import literal, quoted, quoted_dataset

if TYPE_CHECKING:
    from backbone.model.project import Analysis, Split
    from backbone.model.relations import Relation

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHARE_DIGITS = 8


def set_sql(analysis: "Analysis", relation: "Relation", name: str) -> str:
    """A SELECT of the rows of one set, `train` or `validate`. Rows without a label are in neither."""
    if analysis.split is None:
        raise ValueError(f"{analysis.name} has no split")
    condition = {"by_time": _by_time, "by_group": _by_hash, "at_random": _at_random}[analysis.split.kind]
    columns = ", ".join(quoted(a.name) for a in relation.attributes)
    rows = f"SELECT *, {condition(analysis, analysis.split)} AS _set FROM {quoted_dataset(view_of(analysis))}"
    return f"SELECT {columns} FROM ({rows} WHERE {quoted(TARGET)} IS NOT NULL) WHERE _set = {literal(name)}"


def after_training(split: "Split", column: str, gap: str = "") -> str:
    """The condition that a time is after `train_until` (a day counts to its end), and after the gap, if any."""
    until = (split.train_until or "").strip()
    if _DAY.fullmatch(until):
        return f"{column} >= CAST({literal(until)} AS DATE) + INTERVAL 1 DAY{gap}"
    return f"{column} > CAST({literal(until)} AS TIMESTAMP){gap}"


def _by_time(_: "Analysis", split: "Split") -> str:
    """Up to the end of `train_until`, and after it; what falls into the gap is in neither set."""
    column = quoted(split.column or "")
    gap = f" + CAST({literal(split.gap)} AS INTERVAL)" if split.gap else ""
    train = f"NOT ({after_training(split, column)})"
    return f"CASE WHEN {train} THEN 'train' WHEN {after_training(split, column, gap)} THEN 'validate' END"


def _by_hash(analysis: "Analysis", split: "Split") -> str:
    """By a hash of the group and the seed: it says nothing else about a row, and new rows move nobody."""
    return _side(_hash((split.column or "",), analysis.seed), split)


def _at_random(analysis: "Analysis", split: "Split") -> str:
    """By a hash of the key and the seed.

    With `stratify`, the rows of each stratum with the smallest hashes are validated on, so that every stratum gives
    its exact share; there a new row may move the one at the border.
    """
    key = _hash(analysis.key, analysis.seed)
    if not split.stratify:
        return _side(key, split)
    stratum = quoted(split.stratify)
    rank = f"row_number() OVER (PARTITION BY {stratum} ORDER BY {key})"
    size = f"count(*) OVER (PARTITION BY {stratum})"
    return f"CASE WHEN {rank} <= round({size} * {split.validate}) THEN 'validate' ELSE 'train' END"


def _hash(columns: tuple[str, ...], seed: int) -> str:
    # md5 is the same in every engine and version, unlike DuckDB's hash().
    values = ", ".join(f"coalesce(CAST({quoted(c)} AS VARCHAR), '')" for c in columns)
    return f"md5(concat_ws(chr(31), {literal(str(seed))}, {values}))"


def _side(digest: str, split: "Split") -> str:
    border = format(int((split.validate or 0) * 16**_SHARE_DIGITS), f"0{_SHARE_DIGITS}x")
    return f"CASE WHEN substr({digest}, 1, {_SHARE_DIGITS}) < {literal(border)} THEN 'validate' ELSE 'train' END"
