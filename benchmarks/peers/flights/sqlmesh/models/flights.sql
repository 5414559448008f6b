MODEL (name bench.flights, kind INCREMENTAL_BY_UNIQUE_KEY (unique_key id));
SELECT id::BIGINT, trim(carrier)::TEXT AS carrier, date::DATE, flight::BIGINT, trim(tailnum)::TEXT AS tailnum,
  trim(origin)::TEXT AS origin, (CASE WHEN delay BETWEEN -120 AND 1440 THEN delay END)::BIGINT AS delay,
  distance::BIGINT, arrived::DATE
FROM bench.typed
WHERE arrived BETWEEN @start_ds AND @end_ds
  AND carrier IS NOT NULL AND date IS NOT NULL AND origin IN ('EWR', 'JFK', 'LGA')
QUALIFY row_number() OVER (PARTITION BY id ORDER BY rowid DESC) = 1
