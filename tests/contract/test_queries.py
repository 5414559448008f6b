"""Whole queries give the same on both engines: joins, groups, windows, subqueries, sets, orders."""

import pytest
from tests.contract.conftest import Both

QUERIES = (
    "SELECT * FROM trusted.edges",
    "FROM trusted.edges",
    "SELECT * FROM trusted.nobody",
    "SELECT count(*), sum(a), min(b), list(a ORDER BY a), string_agg(b, ',' ORDER BY b) FROM trusted.nobody",
    "SELECT a, count(*) FROM trusted.nobody GROUP BY a",
    "SELECT a, b, count(*) FROM trusted.edges GROUP BY ALL",
    "SELECT bo, count(*) FILTER (a > 0), sum(a) FILTER (a BETWEEN -10 AND 100) FROM trusted.edges GROUP BY bo",
    "SELECT max('{over}' || b), max(b || '{over}') FILTER (b <> ''), count('${nothing}') FROM trusted.edges",
    "SELECT bo, sum(a) FROM trusted.edges GROUP BY bo",
    "SELECT sum(a), sum(x), avg(x), count(DISTINCT b), min(b), max(d), avg(a), min(ts), max(tz) FROM trusted.edges",
    "SELECT sum(a::INTEGER), sum(DISTINCT a % 3), avg(DISTINCT a % 3) FROM trusted.edges WHERE abs(a % 1000) = abs(a)",
    "SELECT count_if(bo), bool_and(bo), bool_or(bo), max(bo) FROM trusted.edges",
    "SELECT median(a), quantile_cont(a, 0.3), quantile_disc(a, 0.3), quantile_disc(b, 0.5) FROM trusted.edges WHERE a IN (1, 0, 42, -7)",
    "SELECT arg_max(b, a), arg_min(b, a), max_by(a, d), min_by(a, b) FROM trusted.edges",
    "SELECT array_agg(a ORDER BY b), group_concat(b, '/' ORDER BY a), listagg(b, '/' ORDER BY a DESC) FROM trusted.edges",
    "SELECT argmax(b, a), argmin(b, a), countif(bo), mean(x), quantile(a, 0.5), quantile_cont(f, 0.25) FROM trusted.edges WHERE isfinite(f)",
    "SELECT variance(a), var_samp(a), stddev_pop(a) FROM trusted.others",
    "SELECT a, cume_dist() OVER (ORDER BY a) FROM trusted.edges",
    "SELECT a FROM trusted.edges WHERE (a, b) IN (SELECT (a, c) FROM trusted.others)",
    "SELECT stddev(a), var_pop(a), stddev_samp(a) FROM trusted.others",
    "SELECT list(a ORDER BY b DESC, a), string_agg(b, '-' ORDER BY a DESC NULLS FIRST), first(b ORDER BY a), last(b ORDER BY a) FROM trusted.edges",
    "SELECT first(b ORDER BY d DESC), last(b ORDER BY d DESC NULLS FIRST), string_agg(DISTINCT c, ',' ORDER BY c) FROM trusted.edges, trusted.others",
    "SELECT bo, x > 0 AS p, count(*) FROM trusted.edges GROUP BY ROLLUP (bo, p)",
    "SELECT bo, b, count(*) FROM trusted.edges GROUP BY GROUPING SETS ((bo), (b), ())",
    "SELECT bo, count(*) AS n FROM trusted.edges GROUP BY bo HAVING count(*) > 1",
    "SELECT t.a, c FROM trusted.edges AS t JOIN trusted.others USING (a)",
    "SELECT t.a, c FROM trusted.edges AS t LEFT JOIN trusted.others AS u ON t.a = u.a AND u.c > 'p'",
    "SELECT t.a, c FROM trusted.edges AS t RIGHT JOIN trusted.others AS u ON t.a = u.a",
    "SELECT * FROM trusted.edges AS t FULL JOIN trusted.others AS u ON t.a IS NOT DISTINCT FROM u.a",
    "SELECT t.a, u.a FROM trusted.edges AS t JOIN trusted.others AS u ON t.a > u.a",
    "SELECT t.a, u.c FROM trusted.edges AS t, trusted.others AS u",
    "SELECT * FROM trusted.edges SEMI JOIN trusted.others USING (a)",
    "SELECT a FROM trusted.edges ANTI JOIN trusted.others USING (a)",
    "SELECT a, a IN (SELECT a FROM trusted.others) AS m FROM trusted.edges",
    "SELECT a, a IN (SELECT a FROM trusted.others WHERE a IS NOT NULL) AS m FROM trusted.edges",
    "SELECT a, a IN (SELECT a FROM trusted.nobody) AS m, a NOT IN (SELECT a FROM trusted.nobody) FROM trusted.edges",
    "SELECT a FROM trusted.edges WHERE a NOT IN (SELECT a FROM trusted.others)",
    "SELECT a FROM trusted.edges WHERE a NOT IN (SELECT a FROM trusted.others WHERE a IS NOT NULL)",
    "SELECT a FROM trusted.edges AS t WHERE a IN (SELECT u.a FROM trusted.others AS u WHERE u.c < t.b)",
    "SELECT a, (SELECT max(c) FROM trusted.others AS u WHERE u.a = t.a) AS m FROM trusted.edges AS t",
    "SELECT a, (SELECT count(*) FROM trusted.others AS u WHERE u.a = t.a) AS m FROM trusted.edges AS t",
    "SELECT a, (SELECT max(a) FROM trusted.others) AS m FROM trusted.edges",
    "SELECT a FROM trusted.edges AS t WHERE EXISTS (SELECT 1 FROM trusted.others AS u WHERE u.a = t.a)",
    "SELECT a FROM trusted.edges AS t WHERE NOT EXISTS (SELECT 1 FROM trusted.others AS u WHERE u.a = t.a AND u.c <> t.b)",
    "SELECT a FROM trusted.edges AS t WHERE a > (SELECT avg(a) FROM trusted.others AS u WHERE u.c > t.b)",
    "SELECT t.a, l.c FROM trusted.edges AS t, LATERAL (SELECT max(c) AS c FROM trusted.others AS u WHERE u.a = t.a) AS l",
    "SELECT a, unnest(l) AS e FROM trusted.edges",
    "SELECT a, e.e FROM trusted.edges, unnest(l) AS e(e)",
    "SELECT a, row_number() OVER (ORDER BY b, a) AS n, rank() OVER (ORDER BY bo), dense_rank() OVER (ORDER BY bo DESC), percent_rank() OVER (ORDER BY a) FROM trusted.edges",
    "SELECT a, sum(x) OVER (PARTITION BY bo ORDER BY a), avg(x) OVER (PARTITION BY bo), count(*) OVER (), max(b) OVER (ORDER BY a ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) FROM trusted.edges",
    "SELECT a, lag(a, 1, 0) OVER w, lead(b) OVER w, first_value(b) OVER w, last_value(b) OVER w, nth_value(b, 2) OVER w, ntile(3) OVER w FROM trusted.edges WINDOW w AS (ORDER BY a NULLS FIRST)",
    "SELECT a, lag(a IGNORE NULLS) OVER (ORDER BY b NULLS FIRST) FROM trusted.edges",
    "SELECT * EXCLUDE (l, j) FROM trusted.edges QUALIFY row_number() OVER (PARTITION BY bo ORDER BY a DESC NULLS LAST) = 1",
    "SELECT * REPLACE (a % 7 AS a) FROM trusted.edges",
    "SELECT COLUMNS('^[ax]$') % 3 FROM trusted.edges",
    "SELECT DISTINCT bo FROM trusted.edges",
    "SELECT DISTINCT ON (bo) bo, a FROM trusted.edges ORDER BY bo, a DESC",
    "SELECT a FROM trusted.edges UNION SELECT a FROM trusted.others",
    "SELECT a, b FROM trusted.edges UNION ALL BY NAME SELECT c AS b, a FROM trusted.others",
    "SELECT a, c FROM trusted.others UNION ALL BY NAME SELECT a, d FROM trusted.edges",
    "SELECT a FROM trusted.edges EXCEPT SELECT a FROM trusted.others",
    "SELECT a FROM trusted.edges INTERSECT SELECT a FROM trusted.others",
    "WITH q AS (SELECT a, count(*) AS n FROM trusted.others GROUP BY a) SELECT * FROM q AS x JOIN q AS y USING (a)",
    "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS v(n, t) JOIN trusted.others ON a = n",
    "SELECT 1 + 1 AS two, 'x' AS t, NULL AS nothing, [1, 2] AS l, {'a': 1, 'b': [1.5]} AS s, DATE '2020-02-29' AS d",
    "SELECT * FROM (PIVOT trusted.others ON c IN ('one', 'zero') USING count(*) GROUP BY a)",
    "UNPIVOT (SELECT a, c, 'k' AS k FROM trusted.others) ON c, k INTO NAME n VALUE v",
    "SELECT x AS y, y + 1 AS z FROM trusted.edges",
    'SELECT a AS "a b", b AS "Ünï", d AS "sel`ect", x AS "q""q" FROM trusted.edges',
)  # fmt: skip
ORDERED = (
    "SELECT a FROM trusted.edges ORDER BY a",
    "SELECT a FROM trusted.edges ORDER BY a DESC",
    "SELECT a FROM trusted.edges ORDER BY a NULLS FIRST LIMIT 3",
    "SELECT b FROM trusted.edges ORDER BY b DESC NULLS LAST LIMIT 3 OFFSET 1",
    "SELECT f FROM trusted.edges ORDER BY f",
    "SELECT a, b FROM trusted.edges ORDER BY ALL",
    "SELECT a + 1 AS n FROM trusted.others ORDER BY c",
)


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_gives_the_same_rows(both: Both, query: str) -> None:
    expected, given = both.answers(query)

    assert given == expected


@pytest.mark.parametrize("query", ORDERED)
def test_a_query_gives_the_same_rows_in_the_same_order(both: Both, query: str) -> None:
    expected, given = both.answers(query, ordered=True)

    assert given == expected
