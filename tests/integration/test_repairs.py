"""Repairs: listed with what made them, and taken back to what landed."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import backbone
from backbone.errors import UsageError
from backbone.model.reports import Repair
from backbone.workspace import add

PEOPLE = """id,name,zip,city,age
1, Ann ,08001,Barcelona,30
2,Bob,08001,Barclona,-4
3,Cy,08001,Barcelona,40
4,di,28001,Madrid,50
"""
RULES = """# what is right
rules:
  - {trim: all}                      # blanks
  - determined: city
    by: zip
    tolerate: 100%
    else: repair      # most of them
  - {in_range: age, from: 0, else: "null", tolerate: 100%}
  - {set: name, to: upper(name)}
"""


def project(folder: Path, csv: str, rules: str | None = RULES) -> backbone.workspace.Workspace:
    (folder / "people.csv").write_text(csv)
    add(folder, None, ("people.csv",))
    if rules is not None:
        (folder / "trusted").mkdir(exist_ok=True)
        (folder / "trusted" / "people.yml").write_text(rules)
    workspace = backbone.open(folder)
    workspace.run()
    return workspace


def test_every_changed_cell_has_the_rules_that_changed_it(tmp_path: Path) -> None:
    found = project(tmp_path, PEOPLE).repairs("people")

    assert found.rows == (
        Repair("1:1", "name", " Ann ", "ANN", ("trim(all)", "set(name)"), "blanks at the ends; to upper(name)", 1.0),
        Repair("1:2", "age", "-4", None, ("in_range(age)",), "not within from 0", 1.0),
        Repair("1:2", "city", "Barclona", "Barcelona", ("determined(city)",), "most rows of the same zip", 2 / 3),
        Repair("1:2", "name", "Bob", "BOB", ("set(name)",), "to upper(name)", 1.0),
        Repair("1:3", "name", "Cy", "CY", ("set(name)",), "to upper(name)", 1.0),
        Repair("1:4", "name", "di", "DI", ("set(name)",), "to upper(name)", 1.0),
    )
    assert {group.rule: group.cells for group in found.groups} == {
        "trim(all)": 1, "set(name)": 4, "in_range(age)": 1, "determined(city)": 1
    }  # fmt: skip


def test_a_cell_is_undone_in_the_rules_that_changed_it_and_comments_stay(tmp_path: Path) -> None:
    workspace = project(tmp_path, PEOPLE)

    workspace.undo("people", "1:2.city")
    workspace.undo("people", "1:1.name")
    workspace.undo("people", "1:4.name")
    workspace.run()

    assert (tmp_path / "trusted" / "people.yml").read_text() == RULES.replace(
        "{trim: all}", "{trim: all, except: [1:1]}"
    ).replace("# most of them", "# most of them\n    except: [1:2]").replace(
        "to: upper(name)}", "to: upper(name), except: [1:1, 1:4]}"
    )
    rows = "select name, city from trusted.people order by id"
    assert workspace.sql(rows).rows() == [
        (" Ann ", "Barcelona"), ("BOB", "Barclona"), ("CY", "Barcelona"), ("di", "Madrid")
    ]  # fmt: skip


def test_a_rule_of_the_defaults_is_written_out_before_it_is_undone(tmp_path: Path) -> None:
    workspace = project(tmp_path, PEOPLE, rules=None)

    workspace.undo("people", "trim(all)")
    workspace.run()

    assert (
        (tmp_path / "trusted" / "people.yml")
        .read_text()
        .endswith("rules:\n  - {trim: all, except: [1:1]}\n  - {unique: all, else: warn}\n")
    )
    assert workspace.repairs("people").total == 0


def test_what_people_fixed_is_a_repair_and_undone_like_one(tmp_path: Path) -> None:
    workspace = project(tmp_path, PEOPLE, "rules: [{in_range: age, from: 0, else: quarantine, tolerate: 100%}]\n")
    workspace.fix("people", {"1:2": {"age": "4", "name": "Rob"}}, because="she said so")
    workspace.replay("people")
    assert [(r.column, r.old, r.new, r.rules) for r in workspace.repairs("people").rows] == [
        ("age", "-4", "4", ("fixed",)),
        ("name", "Bob", "Rob", ("fixed",)),
    ]

    workspace.undo("people", "1:2.name")
    workspace.run()

    assert [r.column for r in workspace.repairs("people").rows] == ["age"]
    workspace.undo("people", "fixed")
    workspace.run()
    assert not (tmp_path / "trusted" / "people.csv").exists()
    assert workspace.quarantine("trusted.people").total == 1


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("1:3.city", "'1:3.city' was not changed. What was: backbone repairs people"),
        ("set(nme)", "no rule 'set(nme)' has changed anything. Did you mean 'set(name)'?"),
    ],
)
def test_what_was_not_changed_cannot_be_undone(tmp_path: Path, what: str, says: str) -> None:
    workspace = project(tmp_path, PEOPLE)

    with pytest.raises(UsageError) as refused:
        workspace.undo("people", what)

    assert str(refused.value) == says
    assert (tmp_path / "trusted" / "people.yml").read_text() == RULES


NAMES = st.sampled_from(["a", " a ", "b\t", "NA", "Ab ", "ab"])
CITIES = st.sampled_from(["x", "y", " x"])
ROWS = st.lists(st.tuples(NAMES, st.sampled_from(["1", "2"]), CITIES), min_size=1, max_size=8)
SHUFFLED = [
    "{trim: name}", "{null_tokens: name, tokens: [NA]}", "{set: name, to: upper(name)}",
    "{replace: city, with: {y: z}}",
    "{determined: city, by: zip, else: repair, tolerate: 100%}", "{length: name, to: 1, else: 'null', tolerate: 100%}",
]  # fmt: skip


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS, st.lists(st.sampled_from(SHUFFLED), min_size=1, max_size=4, unique=True))
def test_undoing_all_repairs_restores_what_landed(rows: list[tuple[str, str, str]], rules: list[str]) -> None:
    lines = "".join(f'{n},"{name}",{group},"{city}"\n' for n, (name, group, city) in enumerate(rows, 1))
    with TemporaryDirectory() as folder:
        text = "rules:\n" + "".join(f"  - {rule}\n" for rule in rules)
        workspace = project(Path(folder), f"id,name,zip,city\n{lines}", text)
        columns = "_file, _record, id, name, city, zip"
        landed = workspace.sql(f"select {columns} from formatted.people order by all").rows()
        for _ in range(len(rules) + 1):  # undoing one repair may let a later rule act on what it left
            cells = workspace.repairs("people", limit=1000).rows
            assert all("rules that" not in name for cell in cells for name in cell.rules)
            for cell in cells:
                workspace.undo("people", f"{cell.record}.{cell.column}")
            workspace.run()

        assert workspace.sql(f"select {columns} from trusted.people order by all").rows() == landed
        assert workspace.repairs("people").total == 0
