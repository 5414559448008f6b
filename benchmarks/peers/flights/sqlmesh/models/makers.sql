MODEL (name bench.makers, kind FULL);
SELECT maker::TEXT, count(*)::BIGINT AS flights, avg(delay)::DOUBLE AS delay FROM bench.flown GROUP BY maker
