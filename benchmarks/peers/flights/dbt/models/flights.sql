{{ config(materialized='incremental', unique_key='id', incremental_strategy='delete+insert') }}
SELECT id, trim(carrier) AS carrier, date, flight, trim(tailnum) AS tailnum, trim(origin) AS origin,
    CASE WHEN delay BETWEEN -120 AND 1440 THEN delay END AS delay, distance, part
FROM {{ ref('typed') }}
WHERE carrier IS NOT NULL AND date IS NOT NULL AND origin IN ('EWR', 'JFK', 'LGA')
{% if is_incremental() %} AND part = '{{ var("part") }}' {% endif %}
QUALIFY row_number() OVER (PARTITION BY id ORDER BY rowid DESC) = 1
