{{ config(materialized='incremental', unique_key=['carrier', 'date'], incremental_strategy='delete+insert') }}
SELECT carrier, date, count(*) AS flights, sum(seats) AS seats, sum(distance) AS distance
FROM {{ ref('flown') }}
{% if is_incremental() %}
SEMI JOIN (SELECT DISTINCT carrier, date FROM {{ ref('flown') }} WHERE part = '{{ var("part") }}') AS touched
USING (carrier, date)
{% endif %}
GROUP BY carrier, date
