"""Orders with their items in JSON: relations of their own from the file to trusted, in step with their parents."""

import json
from pathlib import Path
from typing import Any

import pytest

import backbone
from backbone.errors import ProjectError
from backbone.workspace import Workspace, add, open_workspace

FIRST = [
    {"id": 1, "at": {"city": "Bern"}, "tags": ["new"], "items": [{"sku": "a", "n": 1}, {"sku": "b", "n": 2}]},
    {"id": 2, "at": {"city": "Basel"}, "items": []},
    {"id": 3, "at": {"city": "Chur"}, "items": [{"sku": "c", "n": 3, "parts": [{"p": 1}, {"p": 2}]}]},
]
SECOND = [
    {"id": 1, "at": {"city": "Bern"}, "items": [{"sku": "a", "n": 9}]},
    {"id": 4, "at": {"city": "Genf"}, "items": [{"sku": "d", "n": 4, "parts": [{"p": 4}]}], "note": "late"},
]
THIRD = [{"id": 3, "at": {"city": "Chur"}, "items": []}, {"id": None, "items": [{"sku": "lost", "n": 1}]}]
ITEMS = (
    "SELECT o.id, i._item, i.sku, i.n FROM trusted.orders__items AS i JOIN trusted.orders AS o "
    "ON i._file = o._file AND i._parent = o._record ORDER BY 1, 2"
)
PARTS = (
    "SELECT i.sku, p._item, p.p FROM trusted.orders__items__parts AS p JOIN trusted.orders__items AS i "
    "ON p._file = i._file AND p._parent = i._record ORDER BY 1, 2"
)
UPSERT = "versions: upsert\nkey: id\nrules:\n  - {not_null: id, else: quarantine, tolerate: 100%}\n"


def deliver(root: Path, name: str, records: list[dict[str, Any]]) -> None:
    (root / "data").mkdir(exist_ok=True)
    (root / "data" / name).write_text(json.dumps(records))


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    deliver(tmp_path, "orders-1.json", FIRST)
    add(tmp_path, "orders", ("data/orders-*.json",))
    return open_workspace(tmp_path)


def rows(workspace: Workspace, query: str) -> list[tuple[Any, ...]]:
    return workspace.sql(query).rows()


def test_adding_describes_each_relation(shop: Workspace) -> None:
    text = (shop.root / "sources/orders.yml").read_text()

    assert text[text.index("columns:") :] == (
        "columns:\n  id: integer\n  at__city: text\n  tags: 'text[]'\n"
        "children:\n"
        "  items:\n    columns:\n      sku: text\n      n: integer\n"
        "    children:\n      parts:\n        columns:\n          p: integer\n"
    )
    assert rows(shop, ITEMS) == [(1, 1, "a", 1), (1, 2, "b", 2), (3, 1, "c", 3)]
    assert rows(shop, PARTS) == [("c", 1, 1), ("c", 2, 2)]
    assert shop.run().status == "nothing"


def test_a_record_sent_again_replaces_its_items(shop: Workspace) -> None:
    (shop.root / "trusted").mkdir()
    (shop.root / "trusted/orders.yml").write_text(UPSERT)
    for number, (records, items, parts) in enumerate(
        (
            (SECOND, [(1, 1, "a", 9), (3, 1, "c", 3), (4, 1, "d", 4)], [("c", 1, 1), ("c", 2, 2), ("d", 1, 4)]),
            (THIRD, [(1, 1, "a", 9), (4, 1, "d", 4)], [("d", 1, 4)]),
        ),
        start=2,
    ):
        deliver(shop.root, f"orders-{number}.json", records)
        report = open_workspace(shop.root).run()

        assert report.status == "published"
        assert rows(shop, ITEMS) == items
        assert rows(shop, PARTS) == parts
    ledgers = {step.dataset: step.delta or step.ledger for step in report.steps}
    assert ledgers["formatted.orders__items"].rows_out == 1
    assert (ledgers["trusted.orders__items"].rows_in, ledgers["trusted.orders__items"].merged_away) == (1, 2)


def test_new_files_give_what_all_files_together_give(shop: Workspace) -> None:
    (shop.root / "trusted").mkdir()
    (shop.root / "trusted/orders.yml").write_text(UPSERT)
    shop.run()
    for number, records in ((2, SECOND), (3, THIRD), (4, FIRST), (5, FIRST[::-1])):
        deliver(shop.root, f"orders-{number}.json", records)
        open_workspace(shop.root).run()
    names = [f"{zone}.{name}" for zone in ("formatted", "trusted") for name in RELATIONS]
    step_by_step = {name: rows(shop, f"SELECT COLUMNS(*), _file, _record FROM {name} ORDER BY ALL") for name in names}

    report = open_workspace(shop.root).run(force=True)

    assert report.status in {"published", "nothing"}
    assert {n: rows(shop, f"SELECT COLUMNS(*), _file, _record FROM {n} ORDER BY ALL") for n in names} == step_by_step
    assert all(step_by_step[name] for name in names)


RELATIONS = ("orders", "orders__items", "orders__items__parts")


def test_rules_of_a_child_are_its_own(shop: Workspace) -> None:
    (shop.root / "trusted").mkdir()
    (shop.root / "trusted/orders__items.yml").write_text(
        "rules:\n  - {in_range: n, from: 2, else: quarantine, tolerate: 100%}\n"
    )

    report = open_workspace(shop.root).run()

    assert report.status == "published"
    assert rows(shop, ITEMS) == [(1, 2, "b", 2), (3, 1, "c", 3)]
    assert [(r.record, r.reason) for r in shop.quarantine("trusted.orders__items").rows] == [
        (1, "n is not within its range: from 2")
    ]


def test_relations_of_a_source_are_published_together_or_not_at_all(shop: Workspace) -> None:
    path = shop.root / "sources/orders.yml"
    path.write_text(path.read_text().replace("contract: evolve", "contract: freeze"))
    workspace = open_workspace(shop.root)
    workspace.run()
    deliver(shop.root, "orders-2.json", [{"id": 5, "at": {"city": "Zug"}, "tags": [], "items": [{"sku": "e", "x": 1}]}])

    report = open_workspace(shop.root).run()

    failure = next(step.failure for step in report.steps if step.dataset == "formatted.orders")
    assert failure is not None
    assert (failure.dataset, failure.message) == (
        "formatted.orders__items",
        "landed file 2, orders-2.json: new column 'x'; column n is missing (contract: freeze)",
    )
    assert rows(shop, "SELECT count(*) FROM formatted.orders") == [(3,)]


def test_lists_that_nobody_declared_are_kept_as_json(shop: Workspace) -> None:
    deliver(shop.root, "orders-2.json", [{"id": 6, "items": [], "refunds": [{"sum": 0.10}]}])

    open_workspace(shop.root).run()

    assert rows(shop, "SELECT refunds FROM trusted.orders WHERE id = 6") == [('[{"sum": 0.1}]',)]


def test_peek_shows_each_relation(shop: Workspace) -> None:
    with backbone.peek(shop.root / "data/orders-1.json") as found:
        summary = found.summary

    assert [(c.name, [a.name for a in c.columns], c.records) for c in summary.children] == [
        ("items", ["sku", "n"], 3),
        ("items__parts", ["p"], 2),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("template: {format: csv}\nchildren: {items: {}}\n", "`children` are of json, ndjson, not of csv"),
        ("template: {format: json}\nchildren: {Items: {}}\n", "'Items' is no name for a child"),
        ("template: {format: json}\nchildren: [items]\n", "`children` is a mapping"),
        ("template: {format: json}\nchildren: {items: {colums: {}}}\n", "unknown key `colums`"),
    ],
)
def test_what_is_no_child_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "sources").mkdir()
    (tmp_path / "backbone.yml").write_text("name: shop\n")
    (tmp_path / "sources/orders.yml").write_text(text)

    with pytest.raises(ProjectError, match=message):
        open_workspace(tmp_path).plan()


def test_versions_of_a_child_are_its_parents(shop: Workspace) -> None:
    (shop.root / "trusted").mkdir()
    (shop.root / "trusted/orders__items.yml").write_text("versions: upsert\nkey: sku\n")

    with pytest.raises(ProjectError, match=r"`versions` can't be 'upsert'. Expected one of: parent"):
        open_workspace(shop.root).plan()
