MODEL (name bench.typed, kind INCREMENTAL_BY_TIME_RANGE (time_column arrived));
SELECT id::BIGINT, carrier::TEXT, date::DATE, flight::BIGINT, tailnum::TEXT, origin::TEXT, delay::BIGINT,
  distance::BIGINT, @end_ds::DATE AS arrived
FROM read_csv('data/flights-*.csv', filename = true, header = true, nullstr = 'NA', columns = {
  'id': 'BIGINT', 'carrier': 'VARCHAR', 'date': 'DATE', 'flight': 'BIGINT',
  'tailnum': 'VARCHAR', 'origin': 'VARCHAR', 'delay': 'BIGINT', 'distance': 'BIGINT'})
WHERE filename = 'data/flights-' || @end_ds || '.csv'
