"""What a plan finds wrong with views by binding them to their inputs' columns, before anything runs."""

from pathlib import Path

import pytest

import backbone
from backbone.errors import ProjectError

SOURCES = {"orders": "id: integer, customer: integer, amount: integer", "customers": "id: integer, name: text"}


def refused(root: Path, query: str) -> list[str]:
    (root / "backbone.yml").write_text("name: shop\n")
    for folder in ("sources", "exploitation"):
        (root / folder).mkdir()
    for name, columns in SOURCES.items():
        (root / f"sources/{name}.yml").write_text(f"columns: {{{columns}}}\n")
    (root / "exploitation/v.sql").write_text(query)
    with pytest.raises(ProjectError) as raised:
        backbone.open(root).plan()
    return [f"{p.at} {p.length} {p.message}" for p in raised.value.problems]


JOIN = "FROM trusted.orders o JOIN trusted.customers c ON c.id = o.customer\n"


@pytest.mark.parametrize(
    ("query", "said", "name"),
    [
        (
            f"/*---\nowner: me\n---*/\nSELECT o.id,\n  c.id,\n  amount\n{JOIN}",
            "exploitation/v.sql:5:3 2 two columns are named 'id'. Give one another name with AS",
            "id",
        ),
        (
            f"SELECT amount AS a, name AS A {JOIN}",
            "exploitation/v.sql:1:21 1 two columns are named 'A'. Give one another name with AS",
            "A",
        ),
        (
            f"SELECT * {JOIN}",
            "exploitation/v.sql:1:1 1 two columns are named 'id'. Give one another name with AS",
            "id",
        ),
    ],
)
def test_two_columns_of_one_name(tmp_path: Path, query: str, said: str, name: str) -> None:
    assert refused(tmp_path, query) == [f"{said}, or leave it out: * EXCLUDE ({name})"]


def test_joins_that_can_t_be_followed_have_no_rule(tmp_path: Path) -> None:
    query = f"/*---\nrules:\n  - {{joins: all, else: fail}}\n---*/\nSELECT count(*) AS n {JOIN}"

    (said,) = refused(tmp_path, query)

    assert said.startswith("exploitation/v.sql:3:5 1 `joins` can't be checked here: it follows each row")
