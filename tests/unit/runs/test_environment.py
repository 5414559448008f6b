"""The schemas of a project in a database: names that PostgreSQL takes as they are, and no two the same."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from backbone.runs.environment import schema_of

PROJECTS = st.one_of(st.from_regex(r"[a-z][a-z0-9_]{0,70}", fullmatch=True), st.text(min_size=1, max_size=80))
ENVIRONMENTS = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)


def test_plain_names_are_plain():
    assert schema_of("shop", "dev") == "shop_dev"
    assert schema_of("our_shop", "prod") == "our_shop_prod"
    assert schema_of("Our shop", "dev").startswith("p_our_shop_dev_")
    assert schema_of("pg", "dev").startswith("p_pg_dev_")


@given(PROJECTS, ENVIRONMENTS)
@example("a" * 40, "b" * 40)
def test_every_name_needs_no_quotes_and_has_room_beside_it(project, environment):
    schema = schema_of(project, environment)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", schema)
    assert not schema.startswith("pg_")
    assert len(f"{schema}_coming_gone") <= 63


@given(PROJECTS, ENVIRONMENTS, PROJECTS, ENVIRONMENTS)
def test_no_two_have_the_same(project, environment, another, other):
    if (project, environment) != (another, other):
        assert schema_of(project, environment) != schema_of(another, other)
