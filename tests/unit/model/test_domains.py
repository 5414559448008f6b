import pytest

from backbone.model.domains import domain_of, is_domain, sql_type


@pytest.mark.parametrize(
    ("duckdb_type", "domain"),
    [
        ("HUGEINT", "integer"),
        ("UTINYINT", "integer"),
        ("FLOAT", "float"),
        ("DECIMAL(38,2)", "decimal(2)"),
        ("DECIMAL(38,21)", "float"),
        ("TIMESTAMP_NS", "timestamp"),
        ("TIMESTAMP WITH TIME ZONE", "timestamp_tz"),
        ("VARCHAR[]", "text[]"),
        ("ENUM('a', 'b')", "text"),
        ("STRUCT(a INTEGER)", "json"),
    ],
)
def test_the_domain_nearest_to_a_type(duckdb_type: str, domain: str) -> None:
    assert domain_of(duckdb_type) == domain
    assert is_domain(domain)


@pytest.mark.parametrize(
    ("domain", "expected"), [("integer", "BIGINT"), ("decimal(4)", "DECIMAL(18,4)"), ("date[]", "DATE[]")]
)
def test_the_type_of_a_domain(domain: str, expected: str) -> None:
    assert sql_type(domain) == expected


@pytest.mark.parametrize("text", ["int", "decimal", "decimal(19)", "[]", ""])
def test_what_is_no_domain(text: str) -> None:
    assert not is_domain(text)
