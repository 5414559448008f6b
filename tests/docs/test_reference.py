"""The reference can't rot: whatever can be written or typed is in it, and what isn't built is said not to be."""

import inspect
import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from backbone.cli.app import app
from backbone.governance.tables import TABLES
from backbone.model.files import Template
from backbone.project import declarations, glossary, sources, trusted
from backbone.project.gates import METRICS
from backbone.quality.vocabulary import EVERY_RULE_TAKES, VOCABULARY

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
RULES, PROJECT, COMMANDS, GOVERNANCE = (
    (REFERENCE / f"{name}.md").read_text(encoding="utf-8") for name in ("rules", "project", "commands", "governance")
)
PROJECT_KEYS = {
    "backbone.yml": ("name", "environments", "engine", "storage", "memory_limit", "defaults", "backbone"),
    "sources": (*sources.KEYS, *sources.COLUMN_KEYS, *(field.name for field in fields(Template))),
    "trusted": trusted.KEYS,
    "glossary": glossary.KEYS,
    "view": tuple(set(inspect.signature(declarations.view).parameters) - {"inputs"}),
    "analysis": tuple(inspect.signature(declarations.classification).parameters),
    "metrics": tuple(metric for metrics in METRICS.values() for metric in metrics),
}
GROUP = app
CONTEXT = click.Context(GROUP)


def words(text: str) -> set[str]:
    """All words within code spans and blocks."""
    return {word for span in re.findall(r"```[^`]+```|`[^`\n]+`", text) for word in re.findall(r"[\w-]+", span)}


@pytest.mark.parametrize("table", TABLES)
def test_every_governance_table_is_documented_with_its_columns(table: str) -> None:
    section = GOVERNANCE.partition(f"### `governance.{table}`\n")[2].partition("### ")[0]
    columns = section.partition("Columns: ")[2]

    assert re.findall(r"`(\w+)` ([\w\[\]]+)", columns) == [(a.name, a.domain) for a in TABLES[table].attributes]


@pytest.mark.parametrize("kind", VOCABULARY)
def test_every_rule_is_documented_with_its_parameters_actions_and_whether_it_is_built(kind: str) -> None:
    row = next((line for line in RULES.splitlines() if line.startswith(f"| `{kind}: ")), "")
    rule = VOCABULARY[kind]

    assert row, f"the rule {kind} is not in docs/reference/rules.md"
    assert set(rule.params) <= words(row)
    assert rule.repairs or row.rpartition(" | ")[2].removesuffix(" |").split(", ") == list(rule.actions)
    assert ("not built yet" in row) is not rule.built


def test_what_every_rule_takes_is_documented() -> None:
    assert set(EVERY_RULE_TAKES) <= words(RULES)


@pytest.mark.parametrize("part", PROJECT_KEYS)
def test_every_key_of_a_project_is_documented(part: str) -> None:
    assert set(PROJECT_KEYS[part]) - words(PROJECT) == set()


@pytest.mark.parametrize("name", GROUP.list_commands(CONTEXT))
def test_every_command_is_documented_with_its_options(name: str) -> None:
    command = GROUP.get_command(CONTEXT, name)
    options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}

    assert f"`backbone {name}" in COMMANDS
    assert {option.lstrip("-") for option in options} <= {word.lstrip("-") for word in words(COMMANDS)}
