MODEL (name bench.planes, kind FULL);
SELECT tailnum::TEXT, seats::BIGINT, maker::TEXT FROM read_csv('data/planes.csv')
