MODEL (name bench.carrier_days, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key (carrier, date)));
SELECT carrier::TEXT, date::DATE, count(*)::BIGINT AS flights, sum(seats)::BIGINT AS seats, sum(distance)::BIGINT AS distance
FROM bench.flown
WHERE (carrier, date) IN (SELECT (carrier, date) FROM bench.flown WHERE arrived BETWEEN @start_ds AND @end_ds)
GROUP BY carrier, date
