MATCH (a)-->(b) WITH DISTINCT a, b {.x, .*, y: a.y, a} AS m, count(*) + 1 AS c ORDER BY c, a.x WHERE c > 1
RETURN *, CASE c WHEN 1 THEN 'one' ELSE "\u00e4\n" END, CASE WHEN a:L THEN 1.5e3 END
