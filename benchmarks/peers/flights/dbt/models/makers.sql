SELECT maker, count(*) AS flights, avg(delay) AS delay FROM {{ ref('flown') }} GROUP BY maker
