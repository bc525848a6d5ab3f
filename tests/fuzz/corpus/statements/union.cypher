RETURN 1 AS a, [1, 2][..1] AS b UNION ALL MATCH (n:L) RETURN n.b AS b, n.a AS a // the other order
