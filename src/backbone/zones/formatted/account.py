"""What has come of landed files so far: what was written, set aside and found. Its books must balance."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from backbone.engine.protocol import Session
from backbone.model.files import Column, LandedFile
from backbone.model.names import literal
from backbone.model.project import Source
from backbone.model.relations import Attribute, Relation
from backbone.model.rules import Rule
from backbone.model.steps import QUARANTINE, Finding, Staging
from backbone.zones.formatted.cells import rule_name
from backbone.zones.formatted.contract import Schema

EXAMPLES = 3
PARSER, CONTRACT = "parser", "contract"
_QUARANTINE = Relation(tuple(Attribute(c, "integer" if c in {"file", "record"} else "text") for c in QUARANTINE))
_SAYS = {
    "set_aside": "{broken:,} of {tested:,} rows ({share:.1%}) set aside",
    "repaired": "{broken:,} of {tested:,} values ({share:.1%}) made null",
    "passed": "",
}


@dataclass(slots=True)
class Account:
    """One attempt at reading files; `schema` may grow on the way."""

    source: Source
    schema: Schema
    staging: Staging
    session: Session
    added: list[Path] = field(default_factory=list)
    quarantined: list[Path] = field(default_factory=list)
    rows_in: int = 0
    rows_out: int = 0
    set_aside: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def discard(self) -> None:
        """Remove what was written."""
        for path in (*self.added, *self.quarantined):
            path.unlink(missing_ok=True)

    def write_rows(self, query: str, relation: Relation) -> None:
        """Write rows as one Parquet file, in their order; none where there are none."""
        path = self.staging.new_file(self.staging.step.dataset)
        written = self.session.write(query, path, ordered=True, relation=relation)
        self.rows_out += written.rows
        self.added += written.files

    def quarantine(self, file: LandedFile, query: str) -> None:
        """Write entries (record, rule, reason, raw) for `governance.quarantine`, and note what was found."""
        path = self.staging.new_file("governance.quarantine")
        self.quarantined.append(path)
        run, dataset = literal(self.staging.run), literal(self.staging.step.dataset)
        named = f"{run} AS run, {dataset} AS dataset, {file.id}::BIGINT AS file"
        entries = f"SELECT {named}, record, rule, reason, raw FROM ({query})"
        written = self.session.write(entries, path, ordered=True, relation=_QUARANTINE)
        self.set_aside += written.rows
        first = f"min_by(reason, record, {EXAMPLES}), min(record, {EXAMPLES})"
        found = self.session.rows(
            f"SELECT rule, count(*), {first} FROM read_parquet({literal(str(path))}) GROUP BY rule ORDER BY rule"
        )
        for rule, count, reasons, records in found:
            examples = [f"{file.id}:{r} {reason}" for r, reason in zip(records, reasons, strict=False)]
            self.find(self._rule(rule), broken=int(count), examples=examples)

    def find(self, rule: Rule, *, tested: int = 0, broken: int = 0, examples: Sequence[str] = ()) -> None:
        """Add what a rule tested and found to what it found in other files."""
        before = self.findings.get(rule.name, Finding(rule, 0, 0, "passed"))
        finding = replace(
            before,
            tested=before.tested + tested,
            broken=before.broken + broken,
            examples=(*before.examples, *examples)[:EXAMPLES],
        )
        if finding.broken:
            finding = replace(finding, level="repaired" if rule.action == "null" else "set_aside")
        self.findings[rule.name] = finding

    def found(self) -> tuple[Finding, ...]:
        """All findings about rows, in words; a rule that nothing broke is left out."""
        return tuple(
            replace(f, message=_SAYS[f.level].format(broken=f.broken, tested=f.tested, share=f.share))
            for f in self.findings.values()
            if f.broken
        )

    def type_rule(self, column: Column) -> Rule:
        """The rule that a column's values fit its domain."""
        action = self.source.bad_values
        name = rule_name(column)
        return Rule("type", name, (column.name,), action, params=(("as", column.domain),), at=self.source.at)

    def parser_rule(self) -> Rule:
        """The rule that a file's records can be read."""
        return Rule(PARSER, PARSER, action="quarantine", at=self.source.at)

    def _rule(self, name: str) -> Rule:
        column = next((c for c in self.schema.all if rule_name(c) == name), None)
        return self.type_rule(column) if column else Rule(name, name, action="quarantine", at=self.source.at)
