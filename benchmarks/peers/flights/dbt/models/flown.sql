{{ config(materialized='incremental', unique_key='id', incremental_strategy='delete+insert') }}
SELECT f.id, f.carrier, f.date, f.delay, f.distance, p.seats, p.maker, f.part
FROM {{ ref('flights') }} AS f LEFT JOIN {{ ref('planes') }} AS p ON f.tailnum = p.tailnum
{% if is_incremental() %} WHERE f.part = '{{ var("part") }}' {% endif %}
