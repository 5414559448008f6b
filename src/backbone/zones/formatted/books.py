"""The books of landed files that were read, wherever that was: what was written, set aside and found. Plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backbone.model.steps import Finding, Ledger
from backbone.zones.formatted.contract import Schema

EXAMPLES = 3
_SAYS = {
    "set_aside": "{broken:,} of {tested:,} rows ({share:.1%}) set aside",
    "repaired": "{broken:,} of {tested:,} values ({share:.1%}) made null",
    "passed": "",
}


@dataclass(frozen=True, slots=True)
class Widening:
    """Wider domains that a file's values need, by column, so that all files must be read again."""

    domains: dict[str, str]
    note: str


@dataclass(frozen=True, slots=True)
class Books:
    """What has come of landed files that were read together.

    `schema` may have grown by their columns. With a `widening`, reading ended there, and what was written isn't used.
    """

    schema: Schema
    added: tuple[Path, ...]
    quarantined: tuple[Path, ...]
    ledger: Ledger
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    widening: Widening | None = None


def counted_with(before: Finding | None, more: Finding) -> Finding:
    """What a rule found in some files, with what it found in more of them."""
    if before is not None:
        more = replace(
            more,
            tested=before.tested + more.tested,
            broken=before.broken + more.broken,
            examples=(*before.examples, *more.examples),
        )
    if more.broken:
        more = replace(more, level="repaired" if more.rule.action == "null" else "set_aside")
    return replace(more, examples=more.examples[:EXAMPLES])


def all_findings(books: Sequence[Books]) -> tuple[Finding, ...]:
    """All findings about rows, in words; a rule that nothing broke is left out."""
    found: dict[str, Finding] = {}
    for one in books:
        found |= {f.rule.name: counted_with(found.get(f.rule.name), f) for f in one.findings}
    return tuple(
        replace(f, message=_SAYS[f.level].format(broken=f.broken, tested=f.tested, share=f.share))
        for f in found.values()
        if f.broken
    )


def summed(books: Sequence[Books]) -> Ledger:
    """The ledger of all files."""
    ledgers = [one.ledger for one in books]
    return Ledger(
        sum(ledger.rows_in for ledger in ledgers),
        sum(ledger.rows_out for ledger in ledgers),
        sum(ledger.quarantined for ledger in ledgers),
    )
