{{ config(materialized='incremental', incremental_strategy='append') }}
SELECT *, '{{ var("part") }}' AS part
FROM read_csv('data/flights-{{ var("part") }}.csv', header = true, nullstr = 'NA', columns = {
    'id': 'BIGINT', 'carrier': 'VARCHAR', 'date': 'DATE', 'flight': 'BIGINT',
    'tailnum': 'VARCHAR', 'origin': 'VARCHAR', 'delay': 'BIGINT', 'distance': 'BIGINT'})
