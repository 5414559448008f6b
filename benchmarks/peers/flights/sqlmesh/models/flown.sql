MODEL (name bench.flown, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key id));
SELECT f.id::BIGINT, f.carrier::TEXT, f.date::DATE, f.delay::BIGINT, f.distance::BIGINT, p.seats::BIGINT,
  p.maker::TEXT, f.arrived::DATE
FROM bench.flights AS f LEFT JOIN bench.planes AS p ON f.tailnum = p.tailnum
WHERE f.arrived BETWEEN @start_ds AND @end_ds
