import pytest

from backbone.errors import UsageError
from backbone.exporting.target import Target, parse_target


def parse(text: str, schema: str | None = None) -> Target:
    return parse_target(text, schema, "shop", lambda words: words.replace("${PG_URL}", "postgresql://me:sesame@db/bi"))


@pytest.mark.parametrize(
    ("text", "kind", "location", "schema"),
    [
        ("out", "parquet", "out", ""),
        ("out/v1.2", "parquet", "out/v1.2", ""),
        ("parquet:out", "parquet", "out", ""),
        ("csv:out", "csv", "out", ""),
        ("shop.duckdb", "duckdb", "shop.duckdb", ""),
        ("duckdb:shop.db", "duckdb", "shop.db", ""),
        ("delta:a:b", "delta", "a:b", ""),
        ("iceberg:out", "iceberg", "out", "shop"),
        ("postgres:${PG_URL}", "postgres", "postgresql://me:sesame@db/bi", "shop"),
        ("postgresql://db/bi", "postgres", "postgresql://db/bi", "shop"),
        ("postgres://db/bi", "postgres", "postgres://db/bi", "shop"),
        ("postgres:host=db dbname=bi", "postgres", "host=db dbname=bi", "shop"),
    ],
)
def test_a_target_is_a_kind_and_a_place(text, kind, location, schema):
    found = parse(text)

    assert (found.kind, found.location, found.schema) == (kind, location, schema)
    assert "sesame" not in found.shown


@pytest.mark.parametrize(
    ("text", "schema", "message"),
    [
        ("parket:out", None, "Did you mean 'parquet'"),
        ("csv:", None, "names no place.*--to csv:out/csv"),
        ("", None, "names no target"),
        (" ", None, "names no target"),
        ("orders.csv", None, "Name a folder: --to csv:orders"),
        ("shop.db", None, "Write KIND:shop.db"),
        ("s3://bucket/x", None, "'s3://' is not built"),
        ("out", "bi", "--schema is for postgres and iceberg"),
        ("iceberg:out", "", "--schema names no schema"),
        ("postgres:me:sesame@db", None, "is named by a URL"),
    ],
)
def test_what_is_no_target_is_refused(text, schema, message):
    with pytest.raises(UsageError, match=message) as raised:
        parse(text, schema)
    assert "sesame" not in str(raised.value)
