"""Every target is read back with its own library, and compared with the lake row by row, types included."""

import csv
import json
from base64 import b64decode
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from warnings import catch_warnings, simplefilter

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from deltalake import DeltaTable

from backbone.exporting.iceberg import open_catalogue

ALL = ["zone:exploitation", "customers", "trusted.orders"]
ARROW = {
    "id": "int64", "words": "string", "empty": "string", "amount": "decimal128(18, 2)", "exact": "decimal128(18, 2)",
    "float": "double", "even": "bool", "day": "date32[day]", "at": "time64[us]", "local": "timestamp[us]",
    "moment": "timestamp[us, tz=UTC]", "bytes": "binary", "document": "string", "numbers": "list<int64>",
    "texts": "list<string>", "nested": "list<list<int64>>", "none": "list<int64>",
}  # fmt: skip


def plain(value):
    """A value as all libraries have it: moments in UTC, not-a-number equal to itself."""
    match value:
        case float():
            return repr(value)
        case datetime() if value.tzinfo:
            return value.astimezone(UTC).isoformat()
        case list() | tuple():
            return [plain(each) for each in value]
        case _:
            return value


def rows_of(table: pa.Table) -> list:
    return sorted(plain(list(row.values())) for row in table.to_pylist())


def types_of(schema: pa.Schema) -> dict[str, str]:
    def name(kind) -> str:
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            return f"list<{name(kind.value_type)}>"
        return str(getattr(kind, "storage_type", kind)).removeprefix("large_")

    return {field.name: name(field.type) for field in schema}


def expected(shop, dataset: str) -> list:
    return sorted(plain(list(row)) for row in shop.table(dataset).rows())


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("parquet", pyarrow.parquet.read_table),
        ("arrow", lambda path: pa.ipc.open_file(pa.memory_map(str(path))).read_all()),
    ],
)
def test_files_hold_what_the_lake_does(shop, kind, read) -> None:
    report = shop.export(ALL, f"{kind}:out/files")

    found = {path.stem: read(path) for path in Path("out/files").glob(f"*.{kind}")}
    assert found.keys() == {"sums", "types", "customers", "orders"}
    assert types_of(found["types"].schema) == ARROW
    for dataset in ("exploitation.types", "exploitation.sums", "trusted.orders", "trusted.customers"):
        assert rows_of(found[dataset.partition(".")[2]]) == expected(shop, dataset)
    assert (report.snapshot, {t.dataset: t.rows for t in report.tables}) == (
        2,
        {"exploitation.sums": 3, "exploitation.types": 7, "trusted.customers": 3, "trusted.orders": 12},
    )
    assert report.bytes == sum(path.stat().st_size for path in Path("out/files").glob(f"*.{kind}"))


def test_csv_holds_text_for_what_it_has_no_notation_for(shop) -> None:
    shop.export("types orders", "csv:out")

    with Path("out/types.csv").open(encoding="utf-8", newline="") as file:
        found = {int(row["id"]): row for row in csv.DictReader(file)}
    lake = {row[0]: dict(zip(ARROW, row, strict=True)) for row in shop.table("types").rows()}
    assert found.keys() == lake.keys()
    for number, row in lake.items():
        text = found[number]
        assert text["words"] == (row["words"] or "")
        assert [text["amount"], text["day"]] == ["" if row[c] is None else str(row[c]) for c in ("amount", "day")]
        assert b64decode(text["bytes"]) == (row["bytes"] or b"")
        assert json.loads(text["nested"] or "null") == row["nested"]
        assert json.loads(text["texts"] or "null") == row["texts"]
        assert text["document"] == (row["document"] or "")
        assert repr(float(text["float"])) == repr(row["float"])
    raw = Path("out/types.csv").read_text(encoding="utf-8").splitlines()
    assert found[1]["moment"] == "2026-01-01 10:00:00.5+00"
    assert [line for line in raw if line.startswith("-9223372036854775807,,,")]  # NULL is nothing
    assert [line for line in raw if line.startswith('9223372036854775807,x,"",')]  # an empty text is quoted


def test_duckdb_holds_keys_checks_and_comments_too(shop) -> None:
    report = shop.export(ALL, "shop.duckdb")

    with duckdb.connect("shop.duckdb", read_only=True) as file:
        file.execute("SET TimeZone = 'UTC'")
        for dataset in ("exploitation.types", "exploitation.sums", "trusted.orders", "trusted.customers"):
            rows = file.execute(f"FROM {dataset.partition('.')[2]}").fetchall()
            assert sorted(plain(list(row)) for row in rows) == expected(shop, dataset)
        kinds = dict(
            file.execute("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'types'").fetchall()
        )
        constraints = file.execute(
            "SELECT table_name, constraint_type, constraint_column_names FROM duckdb_constraints() "
            "WHERE table_name <> 'backbone_export' AND constraint_type <> 'NOT NULL' ORDER BY ALL"
        ).fetchall()
        required = file.execute(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT is_nullable ORDER BY ALL"
        ).fetchall()
        comments = file.execute(
            "SELECT column_name, comment FROM duckdb_columns() WHERE comment IS NOT NULL ORDER BY ALL"
        )
        assert comments.fetchall() == [("customer", "customer: Who buys"), ("customer", "customer: Who buys")]
        assert file.execute("SELECT comment FROM duckdb_tables() WHERE table_name = 'orders'").fetchone() == (
            'Orders, "as" they\'re sold',
        )
        assert file.execute('SELECT "table", snapshot, rows FROM backbone_export ORDER BY ALL').fetchall() == [
            ("customers", 2, 3), ("orders", 2, 12), ("sums", 2, 3), ("types", 2, 7)
        ]  # fmt: skip

    assert [kinds[c] for c in ("amount", "moment", "document", "nested", "bytes")] == [
        "DECIMAL(18,2)", "TIMESTAMP WITH TIME ZONE", "JSON", "BIGINT[][]", "BLOB"
    ]  # fmt: skip
    assert constraints == [
        ("customers", "CHECK", ["country"]),
        ("customers", "CHECK", ["name", "name"]),
        ("customers", "PRIMARY KEY", ["id"]),
        ("customers", "UNIQUE", ["name"]),
        ("orders", "CHECK", ["amount"]),
        ("orders", "CHECK", ["amount"]),
        ("orders", "CHECK", ["customer"]),
        ("orders", "CHECK", ["id", "note"]),
        ("orders", "PRIMARY KEY", ["id"]),
        ("sums", "FOREIGN KEY", ["customer"]),
        ("sums", "PRIMARY KEY", ["customer"]),
    ]
    assert required == [("customers", "id"), ("customers", "name"), ("orders", "id"), ("sums", "customer")]
    assert report.left_out == (
        "exploitation.sums not_null(amount): it tolerates 10% of rows",
        "exploitation.sums some_order: customer is neither key nor unique in trusted.orders",
        "trusted.orders in_range(day): it depends on the day",
    )


def test_a_duckdb_file_keeps_to_its_constraints(shop) -> None:
    shop.export(ALL, "shop.duckdb")

    with duckdb.connect("shop.duckdb") as file:
        for wrong in (
            "INSERT INTO sums VALUES ('nobody', 1)",
            "INSERT INTO sums VALUES (NULL, 1)",
            "UPDATE orders SET amount = -1 WHERE id = 1",
            "UPDATE orders SET note = 'z' WHERE id = 4",
            "UPDATE customers SET country = 'Spain'",
            "INSERT INTO customers VALUES ('c9', 'Ada', 'ES')",
        ):
            with pytest.raises(duckdb.ConstraintException):
                file.execute(wrong)
        file.execute("UPDATE orders SET note = 'z' WHERE id = 3")  # the rule is about others


def test_postgresql_holds_keys_checks_and_comments_too(shop, server) -> None:
    report = shop.export(ALL, f"postgres:{server}", schema="Fresh one")

    with psycopg.connect(server) as connection:
        connection.execute("SET TimeZone = 'UTC'; SET search_path = \"Fresh one\"")
        for dataset in ("exploitation.sums", "trusted.orders", "trusted.customers"):
            rows = connection.execute(f"SELECT * FROM {dataset.partition('.')[2]}").fetchall()
            assert sorted(plain(list(row)) for row in rows) == expected(shop, dataset)
        names = ", ".join("document::text" if name == "document" else f'"{name}"' for name in ARROW)
        rows = connection.execute(f"SELECT {names} FROM types").fetchall()
        assert sorted(plain(list(row)) for row in rows) == expected(shop, "types")
        kinds = connection.execute(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'types'::regclass "
            "AND attnum > 0 ORDER BY attnum"
        ).fetchall()
        constraints = connection.execute(
            "SELECT conrelid::regclass::text, conname, contype::text FROM pg_constraint WHERE contype <> 'n' "
            "AND connamespace = '\"Fresh one\"'::regnamespace "
            "AND conrelid <> 'backbone_export'::regclass ORDER BY 1, 3, 2"
        ).fetchall()
        required = connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'Fresh one' "
            "AND is_nullable = 'NO' AND table_name <> 'backbone_export' ORDER BY 1, 2"
        ).fetchall()
        said = connection.execute("SELECT obj_description('orders'::regclass), col_description('orders'::regclass, 2)")
        assert said.fetchone() == ('Orders, "as" they\'re sold', "customer: Who buys")
        for wrong in (
            "INSERT INTO sums VALUES ('nobody', 1)",
            "UPDATE orders SET note = 'z' WHERE id = 4",
            "UPDATE customers SET country = 'Spain'",
        ):
            with pytest.raises(psycopg.IntegrityError), connection.transaction():
                connection.execute(wrong)

    assert [kind for (kind,) in kinds] == [
        "bigint", "text", "text", "numeric(18,2)", "numeric(18,2)", "double precision", "boolean", "date",
        "time without time zone", "timestamp without time zone", "timestamp with time zone", "bytea", "json",
        "bigint[]", "character varying[]", "json", "bigint[]",
    ]  # fmt: skip
    assert constraints == [
        ("customers", "length(name)", "c"),
        ("customers", "matches(country)", "c"),
        ("customers", "customers_pkey", "p"),
        ("customers", "customers_name_key", "u"),
        ("orders", "in_range(amount)", "c"),
        ("orders", "no_z", "c"),
        ("orders", "one_of(customer)", "c"),
        ("orders", "orders_pkey", "p"),
        ("sums", "references(customer)", "f"),
        ("sums", "sums_pkey", "p"),
    ]
    assert required == [("customers", "id"), ("customers", "name"), ("orders", "id"), ("sums", "customer")]
    assert report.left_out[-1] == "trusted.orders half: PostgreSQL may see `amount / 2` otherwise, or not know it"


def test_delta_tables_hold_what_the_lake_does(shop) -> None:
    report = shop.export(ALL, "delta:out")

    types = DeltaTable("out/types").to_pyarrow_table()
    assert types_of(types.schema) == {**ARROW, "at": "string"}  # Delta has no times of day
    lake = [[str(v) if isinstance(v, time) else v for v in row] for row in expected(shop, "exploitation.types")]
    trimmed = [
        [v.rstrip("0") if name == "at" and v and "." in v else v for name, v in zip(ARROW, row, strict=True)]
        for row in lake
    ]
    assert rows_of(types) == trimmed
    orders = DeltaTable("out/orders")
    assert rows_of(orders.to_pyarrow_table()) == expected(shop, "trusted.orders")
    assert orders.metadata().description == 'Orders, "as" they\'re sold'
    fields = {field.name: field for field in orders.schema().fields}
    assert (fields["id"].nullable, fields["note"].nullable) == (False, True)
    assert fields["customer"].metadata == {"comment": "customer: Who buys", "doc": "customer: Who buys"}
    assert orders.history()[0]["backbone.snapshot"] == "2"
    assert {table.rows for table in report.tables} == {3, 7, 12}


def test_iceberg_tables_hold_what_the_lake_does(shop) -> None:
    shop.export(ALL, "iceberg:out", schema="bi")

    with catch_warnings():
        simplefilter("ignore")
        catalogue = open_catalogue(Path("out").resolve())
        types, orders = catalogue.load_table("bi.types"), catalogue.load_table("bi.orders")
        assert types_of(types.scan().to_arrow().schema) == ARROW
        assert rows_of(types.scan().to_arrow()) == expected(shop, "exploitation.types")
        assert rows_of(orders.scan().to_arrow()) == expected(shop, "trusted.orders")
        assert orders.schema().identifier_field_names() == {"id"}
        assert orders.schema().find_field("customer").doc == "customer: Who buys"
        assert orders.properties["comment"] == 'Orders, "as" they\'re sold'
        catalogue.close()


def test_system_columns_are_hidden_unless_asked_for(shop) -> None:
    shop.export("orders", "out/plain")
    shop.export("orders", "out/all", system=True)

    hidden, shown = (pyarrow.parquet.read_table(f"out/{name}/orders.parquet") for name in ("plain", "all"))
    assert hidden.column_names == ["id", "customer", "amount", "day", "note"]
    assert set(shown.column_names) - set(hidden.column_names) == {"_file", "_record"}
    assert sorted(shown["_record"].to_pylist()) == list(range(1, 13))


def test_a_folder_says_what_it_holds(shop) -> None:
    shop.export("orders", "out")

    said = json.loads(Path("out/backbone_export.json").read_text(encoding="utf-8"))
    assert [said[name] for name in ("project", "environment", "snapshot", "kind", "complete")] == [
        "shop", "dev", 2, "parquet", True
    ]  # fmt: skip
    (table,) = said["tables"]
    assert (table["dataset"], table["rows"], table["key"]) == ("trusted.orders", 12, ["id"])
    assert table["columns"][1] == {"name": "customer", "domain": "text", "description": "customer: Who buys"}


def test_values_are_of_the_kinds_that_people_expect(shop) -> None:
    shop.export("types", "out")

    row = next(r for r in pyarrow.parquet.read_table("out/types.parquet").to_pylist() if r["id"] == 1)
    assert (row["amount"], row["day"], row["at"]) == (Decimal("10.50"), date(2026, 1, 1), time(12, 0, 1, 250000))
    assert row["moment"] == datetime(2026, 1, 1, 10, 0, 0, 500000, tzinfo=UTC)
